package fuzz

import (
	"reflect"
	"testing"

	"dmgate/codec/devinf"
	"dmgate/codec/dmacc"
	"dmgate/codec/tnds"
	"dmgate/codec/wbxml"
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
		reconvert(t, doc, tnds.ToXML, tnds.ToXML)
		reconvert(t, doc, tnds.ToInline, tnds.ToWBXML)
		reconvert(t, doc, tnds.ToXML, tnds.ToWBXML)
		reconvert(t, doc, tnds.ToWBXML, tnds.ToXML)
	})
}

// FuzzDevInf: what conversion makes of a document it makes again of the result.
func FuzzDevInf(f *testing.F) {
	f.Add([]byte("<DevInf xmlns='syncml:devinf'><VerDTD>1.1</VerDTD><Man>m &amp;</Man><CTCap><CTType>text/x-vcard</CTType>" +
		"<Size>3</Size></CTCap><UTC/></DevInf>"))
	f.Add([]byte("<!DOCTYPE d:DevInf><d:DevInf xmlns:d='x'><d:VerDTD> 1.2 </d:VerDTD><d:DataStore>" +
		"<d:SourceRef><![CDATA[<]]></d:SourceRef></d:DataStore></d:DevInf>"))
	addHex(f,
		// Each version; a string table, literals, attributes, OPAQUE, an entity.
		"02A4036A00"+"4A"+"6503312E320001"+"51036D0001"+"28"+"01", "029F546A00"+"4A"+"5C03390001"+"01",
		"020000"+"6A"+"1D2D2F2F53594E434D4C2F2F4454442044657649"+"6E6620312E312F2F454E"+"4A"+"5C03390001"+"01",
		"03016A044D616E00"+"4A"+"44008300"+"01"+"D1050378000155C301FF0101"+"01", "02010400"+"4A"+"5103E90002A02C01"+"01",
	)
	f.Fuzz(func(t *testing.T, doc []byte) {
		reconvert(t, doc, devinf.ToXML, devinf.ToXML)
		reconvert(t, doc, devinf.ToInline, devinf.ToWBXML)
		reconvert(t, doc, devinf.ToXML, devinf.ToWBXML)
		reconvert(t, doc, devinf.ToWBXML, devinf.ToXML)
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

// maxGrowth bounds what conversion makes of a byte: a string table gives it back so many times, and XML has up to five
// for a character.
const maxGrowth = 5*wbxml.MaxExpansion + 40

// reconvert makes sure that where from takes doc, and to takes what from made of it, both ends are at rest.
func reconvert(t *testing.T, doc []byte, from, to func([]byte) ([]byte, error)) {
	t.Helper()
	first, err := from(doc)
	if err != nil {
		return
	}
	if len(first) > maxGrowth*(len(doc)+1) {
		t.Fatalf("%d bytes made of %d", len(first), len(doc))
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
