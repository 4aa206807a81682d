package fleet

import (
	"slices"
	"strings"

	"dmgate/gateway/recipe"
	"dmgate/storage"
)

// questions is what a device is asked next: the objects at its root with their types, and what the rules want to know.
// None is empty, and where there is none the device is known.
func (f *Fleet) questions(dev *storage.Device, t *tree) []question {
	q := questioner{dev: dev, tree: t, seen: make(map[string]bool)}
	q.pieces(f.wanted(dev, t.nodes))
	for _, uri := range q.listed() {
		q.ask(uri)
		q.ask(uri + propType)
	}
	for _, uri := range q.wanted {
		q.ask(uri)
	}
	for i := range t.nodes { // those that were looked for, and found
		if n := &t.nodes[i]; isThere(n.Code) && isObject(n.URI) {
			q.ask(n.URI + propType)
		}
	}
	var list []question
	if len(q.singles) > 0 {
		list = append(list, question{purposeTree, q.singles})
	}
	if len(q.subtrees) > 0 {
		list = append(list, question{purposeTNDS, q.subtrees})
	}
	return list
}

// wanted is what the rules want to know beyond these nodes. What DevInfo and DevDetail are is known.
func (f *Fleet) wanted(dev *storage.Device, nodes []storage.Node) []string {
	uris := f.opt.Rules.Wanted(recipe.NewKnown(dev.Facts, nodes), f.opt.TreeNodes)
	return slices.DeleteFunc(uris, func(uri string) bool {
		return uri == "./DevInfo"+propType || uri == "./DevDetail"+propType
	})
}

// isObject says whether a node at the root may be a management object of which no more is known than that it is there.
func isObject(uri string) bool {
	return uri != root && rootOf(uri) == uri && !strings.Contains(uri, "?") && uri != "./DevInfo" && uri != "./DevDetail"
}

// questioner gathers questions.
type questioner struct {
	dev      *storage.Device
	tree     *tree
	seen     map[string]bool
	wanted   []string // by the rules, and not to be had with a subtree
	singles  []storage.Command
	subtrees []storage.Command
}

// ask adds a Get, unless the answer is known or there are enough.
func (q *questioner) ask(uri string) {
	if len(q.singles) < roundSize && !q.seen[uri] && !q.tree.has(uri) && isAskable(uri) {
		q.seen[uri] = true
		q.singles = append(q.singles, get(uri))
	}
}

// isAskable says whether a URI can be asked for. Rules make theirs of names that devices have given.
func isAskable(uri string) bool {
	path, query, _ := strings.Cut(uri, "?")
	segments := strings.Split(strings.TrimPrefix(path, "./"), "/")
	if len(uri) > maxURI || len(segments) > maxDepth || len(query) > len(propType) {
		return false
	}
	if path == root {
		return true
	}
	for _, s := range segments {
		if s == "" || !isName(s) {
			return false
		}
	}
	return true
}

// listed are the objects that the device has listed at its root, or is known to have there.
func (q *questioner) listed() []string {
	n := q.tree.node(root)
	if n == nil {
		return nil
	}
	var uris []string
	for _, name := range n.Children {
		if uri := "./" + name; isObject(uri) && len(uris) < maxObjects {
			uris = append(uris, uri)
		}
	}
	return uris
}
