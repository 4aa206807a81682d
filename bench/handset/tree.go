package handset

import (
	"net/url"
	"slices"
	"strings"
)

// A node is one node of a management tree. Once it stands in a tree it is never changed: a change copies the nodes on
// the path to it. So all handsets of a model share one tree until their server writes to it, and going back over a
// failed Atomic is keeping the old root.
type node struct {
	name   string
	kids   []*node
	value  string
	format string // "node" where the node is interior
	mime   string // leaf: its Type; interior: the id of its management object, "" where it has none
	rights rights
	exec   *operation // what Exec does here

	// Of interior nodes.
	seed  *node    // what a child that is added here starts out with
	shape *node    // its kids are what may be added here, one without a name whatever it is called; nil for anything
	names string   // the form of the names that the handset gives what is added here, as "NAPId%03d" (trap 22)
	link  []string // it is another name of the node at this path

	check func(data string) int // of a leaf that is a shape: a Status that refuses data, or 0; nil takes any
}

// rights is what the DDF and the ACL of a node let the server do.
type rights uint8

const (
	mayGet     rights = 1 << iota
	mayAdd            // children, so this stands at the parent
	mayReplace        // the value
	mayDelete
	mayExec
	barred // the ACL keeps the server out altogether: 425
)

// all is the rights on what the server has added itself.
const all = mayGet | mayAdd | mayReplace | mayDelete

// Formats that trees use.
const (
	formatNode = "node"
	formatChr  = "chr"
	formatInt  = "int"
	formatBool = "bool"
	formatBin  = "bin"
	formatNull = "null"
)

const plainText = "text/plain"

// interior makes an interior node that can be listed.
func interior(name string, kids ...*node) *node {
	return &node{name: name, kids: kids, format: formatNode, rights: mayGet}
}

// leaf makes a read-only leaf of text.
func leaf(name, value string) *node {
	return &node{name: name, value: value, format: formatChr, mime: plainText, rights: mayGet}
}

// with adds rights to a node that is being built.
func (n *node) with(r rights) *node {
	n.rights |= r
	return n
}

// as sets the format of a leaf that is being built.
func (n *node) as(format string) *node {
	n.format = format
	return n
}

// object marks an interior node that is being built as the root of a management object (section 8.1).
func (n *node) object(id string) *node {
	n.mime = id
	return n
}

// called makes the handset give names to what is added to an interior node that is being built (trap 22).
func (n *node) called(form string) *node {
	n.names = form
	return n
}

// takes sets what may be added to an interior node that is being built.
func (n *node) takes(shapes ...*node) *node {
	n.shape = interior("", shapes...)
	return n.with(mayAdd)
}

// runs makes a node that is being built executable. Nodes that are nothing else refuse Get (section 9, number 6).
func runs(name string, op *operation) *node {
	return &node{name: name, format: formatNull, rights: mayExec, exec: op}
}

func (n *node) isLeaf() bool { return n.format != formatNode }

func (n *node) child(name string) *node {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// text is the value of the child called name; empty where there is none.
func (n *node) text(name string) string {
	if k := n.child(name); k != nil {
		return k.value
	}
	return ""
}

// list is the Data of a Get on an interior node: the names of its children, joined by slashes.
func (n *node) list(escaped bool) string {
	var b strings.Builder
	for i, k := range n.kids {
		if i > 0 {
			b.WriteByte('/')
		}
		if escaped {
			b.WriteString(url.PathEscape(k.name))
		} else {
			b.WriteString(k.name)
		}
	}
	return b.String()
}

// A tree is one handset's management tree.
type tree struct {
	root *node
	// given are the names that the handset has given in this session, by the path that the server used. Until its end
	// the server may go on using its own: S60 keeps a mapping (trap 22).
	given map[string]string
}

// resolve is path without links and with the names that the handset has given.
func (t *tree) resolve(path []string) []string {
	n := t.root
	for i, name := range path {
		k := n.child(name)
		if real, ok := t.given[strings.Join(path[:i+1], "/")]; k == nil && ok {
			path = slices.Clone(path)
			path[i] = real
			k = n.child(real)
		}
		if k == nil {
			return path
		}
		if k.link != nil {
			return t.resolve(join(k.link, path[i+1:]...))
		}
		n = k
	}
	return path
}

// find walks down from the root; nil where there is no such node.
func (t *tree) find(path []string) *node {
	n := t.root
	for _, name := range path {
		if n = n.child(name); n == nil {
			return nil
		}
	}
	return n
}

// put sets the node at path, whose parent must exist; a nil n takes it away.
func (t *tree) put(path []string, n *node) { t.root = replaced(t.root, path, n) }

// set gives the leaf at path a new value, if it is there.
func (t *tree) set(path []string, value string) {
	old := t.find(path)
	if old == nil {
		return
	}
	n := *old
	n.value = value
	t.put(path, &n)
}

// replaced is n with the node at path below it replaced. The kids are copied, in their order.
func replaced(n *node, path []string, with *node) *node {
	if len(path) == 0 {
		return with
	}
	c := *n
	c.kids = make([]*node, 0, len(n.kids)+1)
	found := false
	for _, k := range n.kids {
		if k.name == path[0] {
			found = true
			if k = replaced(k, path[1:], with); k == nil {
				continue
			}
		}
		c.kids = append(c.kids, k)
	}
	if !found && len(path) == 1 && with != nil {
		c.kids = append(c.kids, with)
	}
	return &c
}

// uriLimits is what DevDetail/URI reports; 0 is no limit.
type uriLimits struct{ depth, total, segment int }

// split cuts a LocURI into the names on its path and its query. ok is false where it is longer than the limits let it
// be, or no URI of a management tree: "..", an empty segment (section 2.5).
func (l uriLimits) split(uri string) (path []string, query string, ok bool) {
	uri, query, _ = strings.Cut(uri, "?")
	if l.total > 0 && len(uri) > l.total {
		return nil, query, false
	}
	uri = strings.TrimPrefix(uri, "./")
	if uri == "" || uri == "." {
		return nil, query, true
	}
	path = strings.Split(uri, "/")
	if l.depth > 0 && len(path) > l.depth {
		return nil, query, false
	}
	for _, s := range path {
		if s == "" || s == ".." || l.segment > 0 && len(s) > l.segment {
			return nil, query, false
		}
	}
	return path, query, true
}
