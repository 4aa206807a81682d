package main

import (
	"bytes"
	"slices"
	"strings"

	"dmgate/codec/cp"
	"dmgate/codec/devinf"
	"dmgate/codec/push"
	"dmgate/codec/syncml"
	"dmgate/codec/tnds"
	"dmgate/codec/wbxml"
)

// document is a type of document that has an XML and a WBXML form.
type document struct {
	name    string
	root    string   // element
	tag     [2]uint8 // its page and code, where they tell it from other types that name none
	public  []uint32 // public identifiers by number
	fpi     string   // and what the textual ones have in common, in any case
	toXML   func(wbxml []byte) ([]byte, error)
	tidy    func(xml []byte) ([]byte, error) // XML to XML: what was understood
	toWBXML func(xml []byte) ([]byte, error)
}

var documents = []document{
	{
		name: "syncml", root: "SyncML", tag: [2]uint8{0, 0x2D}, fpi: "DTD SyncML",
		public:  []uint32{wbxml.PublicSyncML10, wbxml.PublicSyncML11, wbxml.PublicSyncML12, wbxml.PublicMetInf12},
		toXML:   func(b []byte) ([]byte, error) { return convert(b, syncml.WBXML, syncml.XML) },
		tidy:    func(b []byte) ([]byte, error) { return convert(b, syncml.XML, syncml.XML) },
		toWBXML: func(b []byte) ([]byte, error) { return convert(b, syncml.XML, syncml.WBXML) },
	},
	{
		name: "cp", root: "wap-provisioningdoc", fpi: "DTD PROV", public: []uint32{wbxml.PublicProv10},
		toXML:   through(cp.ReadTree, (*cp.Tree).AppendXML),
		tidy:    through(cp.ReadTreeXML, (*cp.Tree).AppendXML),
		toWBXML: through(cp.ReadTreeXML, (*cp.Tree).AppendWBXML),
	},
	{
		name: "si", root: "si", fpi: "DTD SI", public: []uint32{wbxml.PublicSI},
		toXML:   through(reference(push.ReadIndication), (*push.Indication).AppendXML),
		tidy:    through(reference(push.ReadIndicationXML), (*push.Indication).AppendXML),
		toWBXML: through(reference(push.ReadIndicationXML), (*push.Indication).AppendWBXML),
	},
	{
		name: "sl", root: "sl", fpi: "DTD SL", public: []uint32{wbxml.PublicSL},
		toXML:   through(reference(push.ReadLoading), (*push.Loading).AppendXML),
		tidy:    through(reference(push.ReadLoadingXML), (*push.Loading).AppendXML),
		toWBXML: through(reference(push.ReadLoadingXML), (*push.Loading).AppendWBXML),
	},
	{
		name: "tnds", root: "MgmtTree", tag: [2]uint8{2, 0x20}, fpi: "DTD-DM-DDF",
		toXML: tnds.ToXML, tidy: tnds.ToXML, toWBXML: tnds.ToWBXML,
	},
	{
		name: "devinf", root: "DevInf", fpi: "DTD DevInf",
		public: []uint32{wbxml.PublicDevInf10, wbxml.PublicDevInf11, wbxml.PublicDevInf12},
		toXML:  devinf.ToXML, tidy: devinf.ToXML, toWBXML: devinf.ToWBXML,
	},
}

// through makes a conversion of a reader and a writer.
func through[T any](read func([]byte) (*T, error), write func(*T, []byte) []byte) func([]byte) ([]byte, error) {
	return func(b []byte) ([]byte, error) {
		v, err := read(b)
		if err != nil {
			return nil, err
		}
		return write(v, nil), nil
	}
}

func reference[T any](read func([]byte) (T, error)) func([]byte) (*T, error) {
	return func(b []byte) (*T, error) {
		v, err := read(b)
		return &v, err
	}
}

// documentNamed is the type called name; nil where there is none.
func documentNamed(name string) *document {
	for i := range documents {
		if documents[i].name == name {
			return &documents[i]
		}
	}
	return nil
}

// documentOf is the type that b says it is of: by its root element, or by the public identifier in a WBXML header. Where
// that is the one for unknown types, the root element has to do. It is nil where b says nothing that is known.
func documentOf(b []byte) *document {
	if isXML(b) {
		root := rootOf(b)
		for i := range documents {
			if documents[i].root == root {
				return &documents[i]
			}
		}
		return nil
	}
	var r wbxml.Reader
	if r.Init(b, 1) != nil {
		return nil
	}
	if d := documentPublic(r.Header.PublicID, r.Header.PublicText); d != nil || r.Header.PublicID != wbxml.PublicUnknown {
		return d
	}
	return documentByTag(&r)
}

// documentPublic is the type of a public identifier, by number or, where that is 0, in text.
func documentPublic(id uint32, text []byte) *document {
	for i := range documents {
		d := &documents[i]
		if id != 0 && slices.Contains(d.public, id) ||
			id == 0 && bytes.Contains(bytes.ToUpper(text), []byte(strings.ToUpper(d.fpi))) {
			return d
		}
	}
	return nil
}

// documentInBadHeader is the type that b, whose WBXML header is not sound, names in it all the same.
func documentInBadHeader(b []byte) *document {
	var r wbxml.Reader
	if r.Init(b, 1) == nil || len(b) < 2 || r.Header.Version != b[0] || b[1] != 0 && r.Header.PublicID == 0 {
		return nil
	}
	return documentPublic(r.Header.PublicID, b[:min(len(b), headerEnd)])
}

const headerEnd = 64 // a public identifier in text stands before it

// documentByTag is the type of a document that names none, by the tag of its root element.
func documentByTag(r *wbxml.Reader) *document {
	var t wbxml.Token
	if r.Next(&t) != nil || t.Kind != wbxml.Start {
		return nil
	}
	for i := range documents {
		if documents[i].tag == [2]uint8{t.Page, t.Code} {
			return &documents[i]
		}
	}
	return nil
}

func isXML(b []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(b, "\xEF\xBB\xBF \t\r\n"), []byte("<"))
}

// rootOf is the local name of the first element of b; empty where there is none. It takes any encoding in which tags
// are ASCII: what is wrong with one is for the reader of the document to say.
func rootOf(b []byte) string {
	declaration := false // of a DOCTYPE, whose quotes may hold what looks like a tag
	for i := 0; i < len(b); i++ {
		end := ""
		switch c := b[i]; {
		case bytes.HasPrefix(b[i:], []byte("<!--")):
			end = "-->"
		case bytes.HasPrefix(b[i:], []byte("<?")):
			end = "?>"
		case bytes.HasPrefix(b[i:], []byte("<!")):
			declaration = true
		case c == '<':
			name, _, _ := bytes.Cut(b[i+1:], []byte(">"))
			if n := bytes.IndexAny(name, " \t\r\n/"); n >= 0 {
				name = name[:n]
			}
			return string(name[bytes.IndexByte(name, ':')+1:])
		case c == '>':
			declaration = false
		case declaration && (c == '"' || c == '\''):
			end = string(c)
		}
		if end == "" {
			continue
		}
		n := bytes.Index(b[i+1:], []byte(end))
		if n < 0 {
			return ""
		}
		i += n + len(end)
	}
	return ""
}

// readable is the document as XML, whichever form b has.
func (d *document) readable(b []byte) ([]byte, error) {
	if isXML(b) {
		return d.tidy(b)
	}
	return d.toXML(b)
}
