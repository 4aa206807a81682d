package fleet

import (
	"slices"
	"strings"

	"dmgate/sessions"
	"dmgate/storage"
)

// tree is what is known of a device's tree at one moment.
type tree struct {
	nodes []storage.Node // by URI; none of them stale
	stale []string       // URIs of what was said before the walk
	at    map[string]int // in nodes, by URI
}

// treePage is how many nodes are read from the store at a time.
const treePage = 1000

// treeOf is what a device has said of its tree in its last walk, or, where that has not ended, before it as well.
func (f *Fleet) treeOf(dev *storage.Device) (*tree, error) {
	return f.readNodes(dev, nil, dev.Walk.Ended.IsZero())
}

// treeIn is what a device has said of its tree in the walk that it is on, to the last answer of this message.
func (f *Fleet) treeIn(dev *storage.Device, out *sessions.Outcome) (*tree, error) {
	return f.readNodes(dev, out.Commit.Nodes, false)
}

func (f *Fleet) readNodes(dev *storage.Device, newest []storage.Node, all bool) (*tree, error) {
	t := &tree{at: make(map[string]int)}
	after := ""
	for {
		page, err := f.store.Nodes(dev.ID, after, treePage)
		if err != nil {
			return nil, err
		}
		for i := range page {
			if n := &page[i]; all || !n.Time.Before(dev.Walk.Begun) {
				t.add(n)
			} else {
				t.stale = append(t.stale, n.URI)
			}
		}
		if len(page) < treePage {
			break
		}
		after = page[len(page)-1].URI
	}
	for i := range newest {
		if !newest[i].Time.IsZero() { // it is not to be forgotten
			t.add(&newest[i])
		}
	}
	t.stale = slices.DeleteFunc(t.stale, t.has) // said anew
	slices.SortFunc(t.nodes, func(a, b storage.Node) int { return strings.Compare(a.URI, b.URI) })
	for i := range t.nodes {
		t.at[t.nodes[i].URI] = i
	}
	return t, nil
}

// add puts n in the place of what is known of its URI.
func (t *tree) add(n *storage.Node) {
	if i, known := t.at[n.URI]; known {
		t.nodes[i] = *n
		return
	}
	t.at[n.URI] = len(t.nodes)
	t.nodes = append(t.nodes, *n)
}

// has says whether uri was asked for.
func (t *tree) has(uri string) bool {
	_, known := t.at[uri]
	return known
}

// node is what was said of uri; nil where it was not asked for.
func (t *tree) node(uri string) *storage.Node {
	if i, known := t.at[uri]; known {
		return &t.nodes[i]
	}
	return nil
}

// hearSilence notes what was asked in last and not told: nothing was said of it but that all is well. It is not asked
// again.
func (t *tree) hearSilence(dev *storage.Device, last *storage.Task, out *sessions.Outcome) {
	code := 200
	if last.State != storage.TaskDone {
		code = 0 // given up: the device has broken off each session in which it was asked
	}
	for i := range last.Commands {
		n := evidence(dev, last, out)
		if n.URI, n.Code = last.Commands[i].URI, code; t.has(n.URI) {
			continue
		}
		out.Commit.Nodes = append(out.Commit.Nodes, n.Node)
		t.add(&n.Node)
		if strings.HasSuffix(n.URI, listTNDS) {
			learnSubtrees(dev, "no", out)
		}
	}
}

// hearLoss is hearSilence for the list of questions that the session before has left: none of it is open any more.
func (f *Fleet) hearLoss(dev *storage.Device, t *tree, out *sessions.Outcome) error {
	for _, id := range dev.Walk.Asked {
		last, err := f.store.Task(dev.ID, id)
		if err != nil {
			return err
		}
		t.hearSilence(dev, last, out)
	}
	return nil
}

// isThere says whether a status means that the node is there, readable or not (section 9, number 5).
func isThere(code int) bool { return isGiven(code) || code == 405 || code == 425 }

// Object is a node at the root of a device's tree.
type Object struct {
	URI      string   // "./FUMO"
	Type     string   // identifier of the management object, "urn:oma:mo:oma-fumo:1.0"; empty where unknown
	Children []string // as far as they are known
}

// Objects lists what stands at the root of a device's tree, as far as it is known. DevInfo and DevDetail, which every
// device has, are left out.
func (f *Fleet) Objects(dev *storage.Device) ([]Object, error) {
	t, err := f.treeOf(dev)
	if err != nil {
		return nil, err
	}
	return t.objects(), nil
}

func (t *tree) objects() []Object {
	var list []Object
	for _, uri := range t.roots() {
		o := Object{URI: uri}
		if n := t.node(uri); n != nil {
			if !isThere(n.Code) {
				continue
			}
			o.Type, o.Children = n.Type, n.Children
		}
		if p := t.node(uri + propType); p != nil && isGiven(p.Code) && p.Value != "" {
			o.Type = p.Value
		}
		list = append(list, o)
	}
	return list
}

// roots are the URIs of the nodes at the root that are listed there or were asked for, but for DevInfo and DevDetail.
func (t *tree) roots() []string {
	var uris []string
	if n := t.node(root); n != nil {
		for _, name := range n.Children {
			uris = append(uris, "./"+name)
		}
	}
	for i := range t.nodes {
		if uri := t.nodes[i].URI; uri != root && rootOf(uri) == uri {
			uris = append(uris, uri)
		}
	}
	slices.Sort(uris)
	return slices.DeleteFunc(slices.Compact(uris), func(uri string) bool {
		return uri == "./DevInfo" || uri == "./DevDetail"
	})
}

// rootOf is the node at the root that a URI leads through: "./SCOMO" of "./SCOMO/Download?prop=Type".
func rootOf(uri string) string {
	uri, _, _ = strings.Cut(uri, "?")
	if i := strings.IndexByte(strings.TrimPrefix(uri, "./"), '/'); i >= 0 {
		return uri[:len("./")+i]
	}
	return uri
}
