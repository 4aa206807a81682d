// Package tnds reads and writes management trees in one piece: what a device sends for ./X?list=TNDS, what an Add of a
// whole management object carries, and the account in a bootstrap message of the DM profile.
//
// A tree comes in two encodings. In XML it is a document of its own or stands inline in the Data of an Item, which
// package syncml hands out as XML text also where the message is WBXML and the tree came as tokens of its page 2. In
// WBXML it is a document with a header of its own, usually as OPAQUE in such a Data (trap 31).
//
// Sources: OMA-TS-DM_TNDS and OMA-TS-DM-TND 1.2; sections 1.3 and 1.4 of the fact sheet.
package tnds

import "strings"

// Types of an Item's Data that is a tree. Motorola takes them only with the Format named here.
const (
	TypeXML   = "application/vnd.syncml.dmtnds+xml"   // with Format xml
	TypeWBXML = "application/vnd.syncml.dmtnds+wbxml" // with Format bin
)

// Tree is a MgmtTree: nodes of one or several management objects.
type Tree struct {
	VerDTD   string // "1.2"; empty is written as that
	Man, Mod string // the device that the tree was taken from
	Nodes    []Node
}

// Node is a node of a tree with what is in it.
type Node struct {
	Name  string // NodeName, one segment of a URI; empty in a description, where the device picks the name
	Path  string // where the node belongs, if that is not inside the one around it: "./DMAcc"
	Props Properties

	// Value is what a leaf holds, nil for a node without a Value. Where Format is bin it is bytes, in base64 only on the
	// wire of XML; else it is text as it stands.
	Value    []byte
	Children []Node
}

// Properties are the RTProperties of a node. A property that a device did not tell is empty.
type Properties struct {
	ACL     string // "Get=*&Replace=dm.example"
	Format  string // node, chr, int, bool, bin, b64, xml, null, date, time, float
	Type    string // MIME type of a leaf
	DDFName string // of the root of a management object: its id, "urn:oma:mo:oma-dm-dmacc:1.0"
	Name    string
	Size    string
	Title   string
	TStamp  string
	VerNo   string
}

// Leaf is a leaf of text.
func Leaf(name, format, value string) Node {
	return Node{Name: name, Props: Properties{Format: format, Type: "text/plain"}, Value: []byte(value)}
}

// Interior is a node around others.
func Interior(name string, children ...Node) Node {
	return Node{Name: name, Props: Properties{Format: "node"}, Children: children}
}

// Child is the child of n called name; nil where there is none.
func (n *Node) Child(name string) *Node {
	for i := range n.Children {
		if n.Children[i].Name == name {
			return &n.Children[i]
		}
	}
	return nil
}

// Find is the node at path below n, segments joined by "/"; nil where there is none.
func (n *Node) Find(path string) *Node {
	for name := range strings.SplitSeq(path, "/") {
		if n = n.Child(name); n == nil {
			return nil
		}
	}
	return n
}

// Walk calls visit for each node, those around before those inside, with its URI. base is where the tree was asked for:
// a node without a Path at the top stands directly in it.
func (t *Tree) Walk(base string, visit func(uri string, n *Node)) {
	for i := range t.Nodes {
		t.Nodes[i].walk(base, visit)
	}
}

func (n *Node) walk(base string, visit func(uri string, n *Node)) {
	if n.Path != "" {
		base = n.Path
	}
	uri := n.Name
	if base != "" {
		uri = strings.TrimSuffix(base, "/") + "/" + n.Name
	}
	visit(uri, n)
	for i := range n.Children {
		n.Children[i].walk(uri, visit)
	}
}

// Limits bounds what a reader accepts. The zero value of a field stands for its default.
type Limits struct {
	Depth int // nodes inside one another; 20
	Nodes int // 4096
	Data  int // bytes of text and values of the whole tree; 1 MiB
}

func (l *Limits) withDefaults() Limits {
	var d Limits
	if l != nil {
		d = *l
	}
	for _, f := range []struct {
		v   *int
		def int
	}{{&d.Depth, 20}, {&d.Nodes, 4096}, {&d.Data, 1 << 20}} {
		if *f.v == 0 {
			*f.v = f.def
		}
	}
	return d
}
