package main

import (
	"bytes"

	"dmgate/codec/devinf"
	"dmgate/codec/syncml"
	"dmgate/codec/tnds"
)

// nested are the documents that stand in the Data of a DM message. In a WBXML message they are OPAQUE with a header of
// their own; decode shows them as elements, and encode makes elements OPAQUE again where Meta says that it is.
var nested = []struct {
	root     string
	toInline func(doc []byte) ([]byte, error)
	toWBXML  func(doc []byte) ([]byte, error)
}{
	{"MgmtTree", tnds.ToInline, tnds.ToWBXML},
	{"DevInf", devinf.ToInline, devinf.ToWBXML},
}

// convert reads a DM message in one encoding and writes it in another.
func convert(b []byte, from, to syncml.Encoding) ([]byte, error) {
	var m syncml.Message
	if err := m.Read(b, from, nil); err != nil {
		return nil, err
	}
	for i := range m.Commands {
		c := &m.Commands[i]
		for j := range c.Items {
			it := &c.Items[j]
			if to == syncml.XML {
				inline(it)
			} else if bytes.HasSuffix(it.Meta.Type, wbxmlSuffix) || bytes.HasSuffix(c.Meta.Type, wbxmlSuffix) {
				opaque(it)
			}
		}
	}
	return m.Append(nil, to), nil
}

var wbxmlSuffix = []byte("+wbxml")

// inline makes elements of it where it is a document in WBXML. A broken one stays the bytes that it is.
func inline(it *syncml.Item) {
	if it.Markup || len(it.Data) == 0 || isXML(it.Data) {
		return
	}
	for i := range nested {
		if text, err := nested[i].toInline(it.Data); err == nil {
			it.Data, it.Markup = text, true
			return
		}
	}
}

// opaque makes a document in WBXML of it where it is elements.
func opaque(it *syncml.Item) {
	if !it.Markup {
		return
	}
	root := rootOf(it.Data)
	for i := range nested {
		if nested[i].root == root {
			if doc, err := nested[i].toWBXML(it.Data); err == nil {
				it.Data, it.Markup = doc, false
			}
		}
	}
}
