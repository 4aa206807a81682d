package recipe

import "dmgate/storage"

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

// Wanted are the URIs whose Get would settle whether recipes that the facts do not rule out have what they need, at most
// max of them, those of the best recipes first. Some end in "?prop=Type". None is known already, whatever the answer
// was: who asks and adds the answers comes to an end, where nothing is wanted.
func (s *Set) Wanted(k *Known, max int) []string { return nil }
