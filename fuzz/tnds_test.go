package fuzz

import (
	"reflect"
	"testing"

	"dmgate/codec/devinf"
	"dmgate/codec/dmacc"
	"dmgate/codec/tnds"
)

// FuzzTNDS: a tree that is read is the same after it was written in either encoding and read again, and what conversion
// makes of a document it makes again of the result.
func FuzzTNDS(f *testing.F) {
	node := dmacc.Node("acc", &provisioning().Accounts[0])
	tree := tnds.Tree{Man: "M", Nodes: []tnds.Node{node, {Name: "b", Path: "./X", Value: []byte("<&>")}}}
	f.Add(tree.AppendXML(nil))
	f.Add(tree.AppendWBXML(nil))
	f.Add([]byte(`<!DOCTYPE MgmtTree><d:MgmtTree xmlns:d='x'><d:Node><d:NodeName>&#97;</d:NodeName>` +
		`<d:DFProperties><d:DFFormat><d:bin/>` +
		`</d:DFFormat></d:DFProperties><d:RTProperties><d:Format>bin</d:Format></d:RTProperties><d:Value>` +
		`<![CDATA[aGk=]]></d:Value>` +
		`</d:Node></d:MgmtTree>`))
	addHex(f,
		// String table, literals, attributes, OPAQUE in parts.
		"03016A06312E32005400"+"000260"+"7783000104"+"04E4050378000166026101"+"6F5C09010176C30168C301690101"+"01",
		// ISO-8859-1.
		"02010400"+"0002606466"+"03FC0001"+"7603E9000101"+"01",
	)
	f.Fuzz(func(t *testing.T, doc []byte) {
		tree, err := tnds.Read(doc, nil)
		if err != nil && tree != nil {
			t.Fatalf("an error and a tree: %v", err)
		}
		if err == nil {
			rereadTree(t, tree)
		}
		for _, c := range []struct{ toXML, toWBXML func([]byte) ([]byte, error) }{
			{tnds.ToXML, tnds.ToWBXML}, {devinf.ToXML, devinf.ToWBXML},
		} {
			reconvert(t, doc, c.toXML, c.toXML)
			reconvert(t, doc, c.toXML, c.toWBXML)
			reconvert(t, doc, c.toWBXML, c.toXML)
		}
	})
}

// wide takes what we write of a tree within the default limits: base64 and bytes that XML can not hold take more there.
var wide = tnds.Limits{Depth: 20, Nodes: 4096, Data: 4 << 20}

func rereadTree(t *testing.T, tree *tnds.Tree) {
	t.Helper()
	first, err := tnds.Read(tree.AppendWBXML(nil), &wide)
	if err != nil {
		t.Fatalf("our own WBXML is refused: %v", err)
	}
	second, err := tnds.Read(first.AppendWBXML(nil), &wide)
	if err != nil || !reflect.DeepEqual(first, second) {
		t.Fatalf("%v\ngot  %+v\nwant %+v", err, second, first)
	}
	if first, err = tnds.Read(tree.AppendXML(nil), &wide); err != nil {
		t.Fatalf("our own XML is refused: %v", err)
	}
	if second, err = tnds.Read(first.AppendXML(nil), &wide); err != nil || !reflect.DeepEqual(first, second) {
		t.Fatalf("%v\ngot  %+v\nwant %+v", err, second, first)
	}
}

// reconvert makes sure that where from takes doc, and to takes what from made of it, both ends are at rest.
func reconvert(t *testing.T, doc []byte, from, to func([]byte) ([]byte, error)) {
	t.Helper()
	first, err := from(doc)
	if err != nil {
		return
	}
	if again, err := from(first); err != nil || string(again) != string(first) {
		t.Fatalf("%v\nfirst %q\nagain %q", err, first, again)
	}
	if other, err := to(first); err == nil {
		if again, err := to(other); err != nil || string(again) != string(other) {
			t.Fatalf("%v\nfirst %q\nagain %q", err, other, again)
		}
	}
}
