package recipe

import (
	"net/url"
	"strings"

	"dmgate/storage"
)

// Known is what is known of a device: facts (what DevInfo and DevDetail said, by node name) and nodes of its tree.
type Known struct {
	facts map[string]string
	nodes map[string]*storage.Node
}

// NewKnown is what facts and nodes say. It keeps both, so they may not change.
//
// A node has the URI that was asked for. Its Children count as knowledge of each of them: what a list has is there, and
// what a list that is not Cut has not is not. The answer to a question for a property has a node of its own, with the
// query in its URI ("./SCOMO?prop=Type") and the property in its Value, or, where it was given, sets Type of the node
// itself.
func NewKnown(facts map[string]string, nodes []storage.Node) *Known {
	k := &Known{facts: facts, nodes: make(map[string]*storage.Node, len(nodes))}
	for i := range nodes {
		k.nodes[nodes[i].URI] = &nodes[i]
	}
	return k
}

// Add adds what was answered meanwhile. It keeps the nodes.
func (k *Known) Add(nodes ...storage.Node) {
	for i := range nodes {
		k.nodes[nodes[i].URI] = &nodes[i]
	}
}

// queryType asks for the identifier of a management object.
const queryType = "?prop=Type"

// root is the URI of the root.
const root = "."

// presence is what a status says of whether a node is there (section 9 number 5).
type presence uint8

const (
	unasked presence = iota
	unclear          // 406, 500, ...: the answer says nothing of it
	absent           // 404
	barred           // 425: an ACL forbids it
	unread           // 405: it is there and is not for Get
	read             // 200
)

// there says whether the node is there.
func (p presence) there() bool { return p >= barred }

func presenceOf(n *storage.Node) presence {
	switch {
	case n == nil:
		return unasked
	case n.Code == 404 || n.Code == 410:
		return absent
	case n.Code == 425:
		return barred
	case n.Code == 405:
		return unread
	case n.Code >= 200 && n.Code < 207:
		return read
	}
	return unclear
}

// listing is what is known of the children of a node.
type listing uint8

const (
	unlisted listing = iota // nobody has asked
	closed                  // it was asked and has not shown them
	partial                 // there may be more
	complete
)

func listingOf(n *storage.Node) listing {
	switch presenceOf(n) {
	case unasked:
		return unlisted
	case read:
	default:
		return closed
	}
	if n.Cut || n.URI == root && !listsInfo(n.Children) {
		return partial
	}
	return complete
}

// listsInfo says whether the list of the root has DevInfo or DevDetail. Every device has both: a list with neither is
// only a part (section 9 number 4).
func listsInfo(children []string) bool {
	for _, c := range children {
		if isInfo(c) {
			return true
		}
	}
	return false
}

func isInfo(name string) bool {
	return strings.EqualFold(name, "DevInfo") || strings.EqualFold(name, "DevDetail")
}

// isLeaf says whether a node that was read has a value and no children.
func isLeaf(n *storage.Node) bool {
	return n.Format != "" && n.Format != "node" && len(n.Children) == 0
}

// listed is the name of a child as the list of n has it: some encode their lists (trap 23).
func listed(n *storage.Node, name string) (spelling string, ok bool) {
	for _, c := range n.Children {
		if c == name {
			return c, true
		}
	}
	encoded := strings.IndexByte(name, '%') >= 0
	for _, c := range n.Children {
		if (encoded || len(c) > len(name) && strings.IndexByte(c, '%') >= 0) && unescape(c) == unescape(name) {
			return c, true
		}
	}
	return "", false
}

func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// isSegment says whether a name from a list can be part of a URI that we ask for.
func isSegment(name string) bool {
	return name != "" && len(name) <= 128 && name != "." && name != ".." && !strings.ContainsAny(name, "/?")
}

// typeOf is the identifier of the management object at uri; asked says whether it is of any use to ask. Some say
// text/plain of every node.
func (k *Known) typeOf(uri []byte) (typ string, asked bool) {
	if n := k.nodes[string(uri)]; n != nil && n.Type != "" && n.Type != "text/plain" {
		return n.Type, true
	}
	var buf [256]byte
	n := k.nodes[string(append(append(buf[:0], uri...), queryType...))]
	switch {
	case n == nil:
		return "", false
	case presenceOf(n) == read && n.Value != "text/plain":
		return n.Value, true
	}
	return "", true
}
