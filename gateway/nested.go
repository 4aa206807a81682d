package main

import (
	"bytes"
	"encoding/base64"
	"slices"

	"dmgate/codec/devinf"
	"dmgate/codec/syncml"
	"dmgate/codec/tnds"
)

// nested are the documents that stand in the Data of a DM message. In a WBXML message they are OPAQUE with a header of
// their own, in an XML message base64; decode shows them as elements, and encode makes elements OPAQUE again where Meta
// says that they are.
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
				inline(it, &c.Meta)
			} else if bytes.HasSuffix(it.Meta.Type, wbxmlSuffix) || bytes.HasSuffix(c.Meta.Type, wbxmlSuffix) {
				if err := opaque(it); err != nil {
					return nil, shifted(err, max(bytes.Index(b, it.Data), 0))
				}
			}
		}
	}
	return m.Append(nil, to), nil
}

var (
	wbxmlSuffix = []byte("+wbxml")
	xmlSuffix   = []byte("+xml")
)

// inline makes elements of it where it is a document in WBXML, or in base64. A broken one stays what it is. Where it
// was base64, Meta, which may be that of the command, says that it is XML now.
func inline(it *syncml.Item, around *syncml.Meta) {
	if it.Markup || len(it.Data) == 0 || isXML(it.Data) {
		return
	}
	data, kind, format := it.Data, it.Meta.Type, it.Meta.Format
	if len(kind) == 0 {
		kind = around.Type
	}
	if len(format) == 0 {
		format = around.Format
	}
	bare, isWBXML := bytes.CutSuffix(kind, wbxmlSuffix)
	b64 := string(format) == "b64" && (isWBXML || bytes.HasSuffix(kind, xmlSuffix))
	if b64 {
		data, _ = base64.StdEncoding.AppendDecode(nil, bytes.Join(bytes.Fields(data), nil))
	}
	for i := range nested {
		text, err := nested[i].toInline(data)
		if err != nil {
			continue
		}
		it.Data, it.Markup = text, true
		if !b64 {
			return
		}
		it.Meta.Format = []byte("xml")
		it.Meta.Type = kind
		if isWBXML {
			it.Meta.Type = slices.Concat(bare, xmlSuffix)
		}
		if it.Meta.Size > 0 {
			it.Meta.Size = len(text)
		}
		return
	}
}

// opaque makes a document in WBXML of it where it is elements.
func opaque(it *syncml.Item) error {
	if !it.Markup {
		return nil
	}
	root := rootOf(it.Data)
	for i := range nested {
		if nested[i].root == root {
			doc, err := nested[i].toWBXML(it.Data)
			if err != nil {
				return err
			}
			it.Data, it.Markup = doc, false
		}
	}
	return nil
}
