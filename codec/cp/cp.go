// Package cp reads and writes OMA client provisioning documents: what a phone is told before it knows any server.
//
// A document has three forms here. On the wire it is WBXML or XML. A Tree is the same thing element by element, nothing
// added and nothing lost. A Document says what the tree sets up: access points and DM accounts.
//
// Source: OMA-WAP-TS-ProvCont-V1_1; token tables in section 1.5, the w7 account in section 6.2 of the fact sheet.
package cp

import "slices"

// Document is a provisioning document in terms of what it sets up.
//
// It is written with the access points first, then the proxies, then Other, then the accounts, so that everything stands
// before what refers to it (section 6.3).
type Document struct {
	Version  string           // of the document type; empty for "1.0"
	NAPDefs  []NAPDef         // network access points
	Proxies  []PXLogical      // those that lead through one of NAPDefs, and that the fields can say whole
	Accounts []DMAccount      // APPLICATION with APPID w7
	Other    []Characteristic // what was read but not understood
}

// Read reads a WBXML document. Its limits and its error are those of ReadTree.
func Read(doc []byte) (*Document, error) {
	t, err := ReadTree(doc)
	if err != nil {
		return nil, err
	}
	return t.Document(), nil
}

// ReadXML reads an XML document. Its limits and its error are those of ReadTreeXML.
func ReadXML(doc []byte) (*Document, error) {
	t, err := ReadTreeXML(doc)
	if err != nil {
		return nil, err
	}
	return t.Document(), nil
}

// AppendWBXML appends d as WBXML: public identifier 0x0B, UTF-8, no string table.
func (d *Document) AppendWBXML(dst []byte) []byte { return d.Tree().AppendWBXML(dst) }

// AppendXML appends d as indented XML.
func (d *Document) AppendXML(dst []byte) []byte { return d.Tree().AppendXML(dst) }

// Tree is d element by element. It shares Other with d.
func (d *Document) Tree() *Tree {
	t := &Tree{Version: d.Version}
	for i := range d.NAPDefs {
		t.Roots = append(t.Roots, d.NAPDefs[i].characteristic())
	}
	for i := range d.Proxies {
		t.Roots = append(t.Roots, d.Proxies[i].characteristic())
	}
	t.Roots = append(t.Roots, d.Other...)
	for i := range d.Accounts {
		t.Roots = append(t.Roots, d.Accounts[i].characteristic())
	}
	return t
}

// Document is what t sets up. What is not an access point by APN, a proxy behind one, or a w7 account goes to Other.
func (t *Tree) Document() *Document {
	d := &Document{Version: t.Version}
	if d.Version == defaultVersion {
		d.Version = ""
	}
	for i := range t.Roots {
		c := &t.Roots[i]
		if n, ok := readNAPDef(c); ok {
			d.NAPDefs = append(d.NAPDefs, n)
		} else if p, ok := readPXLogical(c); ok && d.leadsTo(&p) {
			d.Proxies = append(d.Proxies, p)
		} else if a, ok := readDMAccount(c); ok {
			d.Accounts = append(d.Accounts, a)
		} else {
			d.Other = append(d.Other, *c)
		}
	}
	return d
}

// leadsTo says whether the access points of d are all that a proxy refers to.
func (d *Document) leadsTo(p *PXLogical) bool {
	for i := range p.Hosts {
		to := p.Hosts[i].ToNAPID
		if to != "" && to != anyNAPDef && !slices.ContainsFunc(d.NAPDefs, func(n NAPDef) bool { return n.ID == to }) {
			return false
		}
	}
	return true
}
