package tnds

import "dmgate/codec/internal/markup"

const version = "1.2" // of the description framework

// AppendXML appends t as an XML document. What XML can not hold in a Value that is not bin becomes U+FFFD.
func (t *Tree) AppendXML(dst []byte) []byte { return t.append(language.WriteXML(dst, false)) }

// AppendInline appends t as XML that can stand inside another document: the Data of an Item that is Markup.
func (t *Tree) AppendInline(dst []byte) []byte { return t.append(language.WriteXML(dst, true)) }

// AppendWBXML appends t as a WBXML document.
func (t *Tree) AppendWBXML(dst []byte) []byte { return t.append(language.WriteWBXML(dst)) }

// append writes the elements in the order of the DTD.
func (t *Tree) append(w *markup.Writer) []byte {
	w.Start("MgmtTree")
	if t.VerDTD == "" {
		w.Element("VerDTD", []byte(version))
	} else {
		w.Element("VerDTD", []byte(t.VerDTD))
	}
	w.Optional("Man", t.Man)
	w.Optional("Mod", t.Mod)
	for i := range t.Nodes {
		t.Nodes[i].append(w)
	}
	w.End()
	doc, _ := w.Bytes() // all names are the language's own, save a Format, which is checked
	return doc
}

func (n *Node) append(w *markup.Writer) {
	w.Start("Node")
	w.Element("NodeName", []byte(n.Name))
	w.Optional("Path", n.Path)
	n.Props.append(w)
	switch {
	case len(n.Children) > 0: // a node that holds others has no value
		for i := range n.Children {
			n.Children[i].append(w)
		}
	case n.Value != nil:
		w.Start("Value")
		if n.Props.Format == "bin" {
			w.Raw(n.Value)
		} else {
			w.Text(n.Value)
		}
		w.End()
	}
	w.End()
}

func (p *Properties) append(w *markup.Writer) {
	if *p == (Properties{}) {
		return
	}
	w.Start("RTProperties")
	w.Optional("ACL", p.ACL)
	if formats[p.Format] {
		w.Start("Format")
		w.Element(p.Format, nil)
		w.End()
	} else {
		w.Optional("Format", p.Format)
	}
	w.Optional("Name", p.Name)
	w.Optional("Size", p.Size)
	w.Optional("Title", p.Title)
	w.Optional("TStamp", p.TStamp)
	if p.Type != "" || p.DDFName != "" {
		w.Start("Type")
		w.Optional("MIME", p.Type)
		w.Optional("DDFName", p.DDFName)
		w.End()
	}
	w.Optional("VerNo", p.VerNo)
	w.End()
}

// formats are those that have a tag. A reader takes any other as text, and so it is written.
var formats = map[string]bool{
	"b64": true, "bin": true, "bool": true, "chr": true, "date": true, "float": true, "int": true, "node": true,
	"null": true, "time": true, "xml": true,
}
