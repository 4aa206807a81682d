package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"dmgate/gateway/recipe"
	"dmgate/sessions"
	"dmgate/storage"
)

// A device of a known kind is not walked through. It is asked for the few nodes that decide which recipes are used on
// its model, beside what it is, in one message. Where that leads to the ways that the first of its kind has, the
// reference, the reference stands for what it was not asked (Walk.Model), and only what is each device's own is still
// to be seen: its accounts, for example. Where it does not, it is walked through like any other.

// maxDecisive is how many nodes a device is asked to confirm, at most.
const maxDecisive = 24

// expect is what a device is asked beside what it is, to see whether its tree is that of its model. Its firmware may
// not be known yet: that of another firmware says as well where to look.
func (f *Fleet) expect(dev *storage.Device, out *sessions.Outcome) []string {
	if dev.Walk.Whole {
		return nil
	}
	m := f.modelOf(dev)
	ref := m.referenced()
	if m.key == "" || ref == nil {
		return nil
	}
	changeWalk(dev, out, func(w *storage.Walk) { w.Model = m.key })
	if ref.TNDS == "no" && dev.Facts[storage.FactTNDS] == "" {
		out.Change(dev, func(d *storage.Device) { d.Learn(storage.FactTNDS, "no") })
	}
	nodes, _ := m.reference()
	return f.decisive(ref.Facts, nodes)
}

// decisive are the nodes that tell whether a tree is like this one: for what can be done, the node deepest in the
// tree that speaks for the best way, and, where the root does not list them, the objects that these are in. With them
// go the lists that the rules want to see and that are another one on each device.
func (f *Fleet) decisive(facts map[string]string, nodes []storage.Node) []string {
	listed := false
	shared := make([]storage.Node, 0, len(nodes))
	for i := range nodes {
		n := &nodes[i]
		listed = listed || n.URI == root && isGiven(n.Code) && !n.Cut
		if !n.Cut || len(n.Children) > 0 {
			shared = append(shared, *n)
		}
	}
	var uris []string
	add := func(uri string) {
		if isAskable(uri) && uri != root && !strings.HasPrefix(uri, devDetail) && !slices.Contains(uris, uri) {
			uris = append(uris, uri)
		}
	}
	for _, c := range f.opt.Rules.Compile(recipe.NewKnown(facts, nodes), nil) {
		if c.Possible != recipe.Yes {
			continue
		}
		deepest := ""
		for _, e := range c.Ways[0].Evidence {
			if !strings.Contains(e.URI, "?") && strings.Count(e.URI, "/") > strings.Count(deepest, "/") {
				deepest = e.URI
			}
		}
		if !listed {
			add(rootOf(deepest))
		}
		add(deepest)
	}
	uris = uris[:min(len(uris), maxDecisive)]
	for _, uri := range f.opt.Rules.Wanted(recipe.NewKnown(facts, shared), maxDecisive) {
		if slices.ContainsFunc(nodes, func(n storage.Node) bool { return n.URI == uri }) {
			add(uri)
		}
	}
	return uris
}

// confirm compares a device with the reference of its model, now that its firmware is known. Where more has to be
// seen for that, it is asked. What is left is a device that is walked through.
func (f *Fleet) confirm(dev *storage.Device, t *tree, out *sessions.Outcome) (next []question, confirmed bool) {
	if dev.Walk.Model == "" {
		return nil, false
	}
	m := f.modelOf(dev)
	if m.own == nil || m.own.Reference.Time.IsZero() || m.own.Reference.Rules != f.opt.Rules.Version() {
		changeWalk(dev, out, func(w *storage.Walk) { w.Model = "" })
		return nil, false
	}
	reference, _ := m.reference()
	q := questioner{dev: dev, tree: t, seen: make(map[string]bool)}
	if dev.Walk.Model != m.key { // it was guessed before the firmware was known
		changeWalk(dev, out, func(w *storage.Walk) { w.Model = m.key })
		for _, uri := range f.decisive(dev.Facts, reference) {
			q.ask(uri)
		}
	}
	if len(q.singles) == 0 {
		both := t.over(reference)
		if lost := f.lost(dev, reference, both); lost != "" {
			out.Commit.Feed = append(out.Commit.Feed, storage.FeedEntry{
				Kind: "device", Text: "looked at whole: it is not like model " + m.key + " in its " + lost,
			})
			changeWalk(dev, out, func(w *storage.Walk) { w.Model = "" })
			return nil, false
		}
		for _, uri := range f.wanted(dev, both) {
			q.ask(uri)
		}
	}
	if len(q.singles) == 0 {
		return nil, true
	}
	return []question{{purposeTree, q.singles}}, false
}

// lost is a way that a device of this model has with the nodes of the reference, and has not with what it has said
// itself over them; empty where there is none.
func (f *Fleet) lost(dev *storage.Device, reference, both []storage.Node) string {
	has, had := f.ways(dev, both), f.ways(dev, reference)
	for _, way := range slices.Sorted(maps.Keys(had)) {
		if _, kept := has[way]; !kept {
			return had[way]
		}
	}
	return ""
}

// ways are the ways that lead to what can be done on a device with these nodes: which node each of their names stands
// for, and how they are called.
func (f *Fleet) ways(dev *storage.Device, nodes []storage.Node) map[string]string {
	list := make(map[string]string)
	for _, c := range f.opt.Rules.Compile(recipe.NewKnown(dev.Facts, nodes), nil) {
		for i := range c.Ways {
			if w := &c.Ways[i]; c.Possible == recipe.Yes {
				says := c.Name + " by recipe " + w.Recipe.Name
				list[fmt.Sprint(says, w.Names)] = says
			}
		}
	}
	return list
}

// over is t over the reference of its model: what the device has said itself goes before, and rules out what the
// reference has below a node that the device has not.
func (t *tree) over(reference []storage.Node) []storage.Node {
	all := slices.Clone(t.nodes)
	for i := range reference {
		if n := &reference[i]; !t.has(n.URI) && !t.rulesOut(n.URI) {
			all = append(all, *n)
		}
	}
	return all
}

// rulesOut says whether the device has said that there is no node at uri, by a node above it.
func (t *tree) rulesOut(uri string) bool {
	path, query, _ := strings.Cut(uri, "?")
	if query != "" {
		if n := t.node(path); n != nil && !isThere(n.Code) {
			return true
		}
	}
	for path != root && path != "" {
		parent, name := root, path
		if i := strings.LastIndexByte(path, '/'); i > 0 {
			parent, name = path[:i], path[i+1:]
		}
		if n := t.node(parent); n != nil {
			switch {
			case !isThere(n.Code) && parent != root:
				return true
			case isGiven(n.Code) && !n.Cut && !slices.Contains(n.Children, name):
				return true
			}
		}
		path = parent
	}
	return false
}
