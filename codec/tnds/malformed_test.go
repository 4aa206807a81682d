package tnds

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"dmgate/codec"
	"dmgate/codec/internal/vector"
)

func expect(t *testing.T, doc string, err error, want string) {
	t.Helper()
	var syntax *codec.SyntaxError
	if !errors.As(err, &syntax) {
		t.Errorf("%.100s\nerror %v, %T; want %s", doc, err, err, want)
		return
	}
	if fmt.Sprint(err) != want {
		t.Errorf("%.100s\ngot  %v\nwant %s", doc, err, want)
	}
}

func TestMalformedXML(t *testing.T) {
	for _, v := range []struct{ doc, want string }{
		{"<MgmtTree", "xml: offset 9: unexpected EOF"},
		{" <!-- --> ", "xml: offset 10: document without a root element"},
		{"<Node/>", `tnds: offset 0: root element is "Node", not MgmtTree`},
		{"<?xml version='1.0' encoding='UTF-16'?><MgmtTree/>",
			`xml: offset 20: encoding "UTF-16" (want UTF-8, US-ASCII or ISO-8859-1)`},
		{"<!DOCTYPE m [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><MgmtTree><Man>&e;</Man></MgmtTree>",
			"xml: offset 72: invalid character entity &e;"},
		{"<MgmtTree/><MgmtTree/>", `xml: offset 11: element "MgmtTree" after the root element`},
		{"<MgmtTree/>x", `xml: offset 11: text "x" outside the root element`},
		{"<!-- -->x<MgmtTree/>", `xml: offset 8: text "x" outside the root element`},
		{"<MgmtTree><Node></MgmtTree>", "xml: offset 27: element <Node> closed by </MgmtTree>"},
		{"<MgmtTree>x</MgmtTree>", `tnds: offset 10: text "x" where an element was expected`},
		{"<MgmtTree><Man><x/></Man></MgmtTree>", `tnds: offset 15: element "x" in Man, which holds text`},
		{"<MgmtTree><Node/></MgmtTree>", "tnds: offset 10: Node without NodeName"},
		{"<MgmtTree><Node><NodeName>a</NodeName><NodeName>b</NodeName></Node></MgmtTree>",
			"tnds: offset 38: second NodeName"},
		{"<MgmtTree><Node><NodeName>a/b</NodeName></Node></MgmtTree>",
			`tnds: offset 16: NodeName "a/b" is more than one segment`},
		{"<MgmtTree><Node><Value>a</Value><Value>b</Value></Node></MgmtTree>", "tnds: offset 32: second Value"},
		{"<MgmtTree><Node><NodeName>a</NodeName><Value>a</Value><Node><NodeName/></Node></Node></MgmtTree>",
			"tnds: offset 38: Value in a node that has children"},
		{"<MgmtTree><Node><Value><b/></Value></Node></MgmtTree>", `tnds: offset 23: element "b" in Value, which holds text`},
		{"<MgmtTree><Node>text<NodeName/></Node></MgmtTree>", `tnds: offset 16: text "text" where an element was expected`},
		{"<MgmtTree><Node><RTProperties>x</RTProperties></Node></MgmtTree>",
			`tnds: offset 30: text "x" where an element was expected`},
		{"<MgmtTree><Node><RTProperties><Format><chr/><bin/></Format></RTProperties></Node></MgmtTree>",
			`tnds: offset 44: second format "bin" behind "chr"`},
		{"<MgmtTree><Node><RTProperties><Format>" + strings.Repeat("é<!---->", 65) + "</Format></RTProperties></Node></MgmtTree>",
			"tnds: offset 614: format longer than 64 characters"},
		{"<MgmtTree><" + strings.Repeat("é", 65) + "/></MgmtTree>",
			"tnds: offset 10: name of an element longer than 64 characters"},
		{"<MgmtTree><" + strings.Repeat("é", 64) + ">", "xml: offset 140: unexpected EOF"},
		{"<MgmtTree><Node><RTProperties><Type>x</Type></RTProperties></Node></MgmtTree>",
			`tnds: offset 36: text "x" where an element was expected`},
		{"<MgmtTree><Vendor>" + strings.Repeat("<x>", 30), "xml: offset 84: elements nested deeper than 24"},
	} {
		tree, err := Read([]byte(v.doc), nil)
		expect(t, v.doc, err, v.want)
		if tree != nil {
			t.Errorf("%s: half a tree", v.doc)
		}
	}
}

func TestMalformedWBXML(t *testing.T) {
	for _, v := range []struct{ doc, want string }{
		{"", "wbxml: offset 0: empty document"},
		{"02 0B 6A 00 45", "tnds: offset 1: public identifier 0xB is not of a MgmtTree"},
		{"02 00 00 6A 01 'x' 60", `tnds: offset 1: public identifier "x" (want one with "DM-DDF")`},
		{"02 01 11 00 60", "wbxml: offset 2: charset 17 (want 106 for UTF-8, 3 for US-ASCII or 4 for ISO-8859-1)"},
		{"02 01 6A 00 00 02 64 01", `tnds: offset 6: root element is "Node", not MgmtTree`},
		{"02 01 6A 00 00 01 60 01", "tnds: offset 6: code page 1 (want 2)"},
		{"02 01 6A 00 00 02 7D 01", "tnds: offset 6: unknown tag 0x3D on page 2"},
		{"02 01 6A 00 00 02 60 64 00 03 45", "tnds: offset 10: code page 3 (want 2)"},
		{"02 01 6A 00 00 02 60 64 66 03'a'00 01", "wbxml: offset 13: document ends inside an element (depth 2)"},
		{"02 01 6A 00 00 02 60 64 66 03'a'", "wbxml: offset 9: inline string without its NUL"},
		{"02 01 6A 00 00 02 60 64 76 C3 05'a'01 01 01", "wbxml: offset 10: opaque data of 5 bytes, only 4 left"},
		{"02 01 6A 00 00 02 60 64 76 80 01 01 01", "wbxml: offset 9: extension token 0x80 has no meaning in " +
			"this document type"},
		{"02 01 6A 41 '" + strings.Repeat("x", 65) + "' 00 02 60 04 00 01",
			"tnds: offset 72: name of an element longer than 64 characters"},
		{"02 01 04 82 01" + strings.Repeat("E9", 257) + "00 02 60 04 00 01",
			"tnds: offset 265: name of an element longer than 64 characters"},
		{"02 01 04 40" + strings.Repeat("E9", 64) + "00 02 60 04 00", "wbxml: offset 73: document ends inside an element (depth 1)"},
		{"02 01 6A 00 00 02 60 64 6F 5C" + strings.Repeat("02 41", 65) + "01 01 01 01",
			"tnds: offset 138: format longer than 64 characters"},
		{"02 01 6A 00 00 02 60 55 C0 01 64 C0 01 01", "wbxml: offset 11: extension token 0xC0 has no meaning in " +
			"this document type"},
		{"02 01 6A 00 00 02 60 64 6F 5C 4B", "wbxml: offset 11: document ends inside an element (depth 5)"},
		{"02 01 6A 00 00 02 60 01 60 01", "wbxml: offset 8: 2 bytes after the root element"},
		{"02 01 6A 00 00 02 60 64 01 01", "tnds: offset 7: Node without NodeName"},
		{"02 01 6A 00 00 02 60 64 C3 01'x'01 01", `tnds: offset 8: text "x" where an element was expected`},
		{"02 01 6A 00 00 02 60 64 66 5C 01 01 01 01", `tnds: offset 9: element "Format" in NodeName, which holds text`},
		{"02 01 6A 00 00 02 60 E4 05", "wbxml: offset 9: document ends inside an attribute list"},
		{"02 01 6A 00 00 02" + strings.Repeat("64", 1), `tnds: offset 6: root element is "Node", not MgmtTree`},
		{"02 01 6A 00 00 02 60" + strings.Repeat("64", 30), "tnds: offset 27: nodes nested deeper than 20 (limit Depth)"},
		{"02 01 6A 00 00 02 60" + strings.Repeat("6F", 30), "wbxml: offset 30: elements nested deeper than 24"},
	} {
		tree, err := Read(vector.Bytes(t, v.doc), nil)
		expect(t, v.doc, err, v.want)
		if tree != nil {
			t.Errorf("%s: half a tree", v.doc)
		}
	}
}

func TestLimits(t *testing.T) {
	const two = "<MgmtTree><Node><NodeName>abc</NodeName><Node><NodeName>def</NodeName></Node></Node></MgmtTree>"
	for _, v := range []struct {
		lim  Limits
		want string
	}{
		{Limits{Depth: 1}, "tnds: offset 40: nodes nested deeper than 1 (limit Depth)"},
		{Limits{Nodes: 1}, "tnds: offset 40: more than 1 nodes (limit Nodes)"},
		{Limits{Data: 5}, "tnds: offset 56: more than 5 bytes of text (limit Data)"},
	} {
		_, err := Read([]byte(two), &v.lim)
		expect(t, two, err, v.want)
	}
	if _, err := Read([]byte(two), &Limits{Depth: 2, Nodes: 2, Data: 6}); err != nil {
		t.Error(err)
	}
	// A string table told a thousand times is not a large tree.
	doc := "02 01 6A 9F 20 '" + strings.Repeat("x", 4000) + "' 00 02 60 64 76" + strings.Repeat("83 00", 1000) +
		"01 01 01"
	_, err := Read(vector.Bytes(t, doc), &Limits{Data: 30_000})
	expect(t, "string table", err, "tnds: offset 4024: more than 30000 bytes of text (limit Data)")
	for _, read := range []func([]byte) error{
		func(doc []byte) error { _, err := Read(doc, nil); return err },
		func(doc []byte) error { _, err := ToXML(doc); return err },
	} {
		expect(t, "string table", read(vector.Bytes(t, doc)), "wbxml: offset 4059: text comes to more than 16 times the document")
	}
}

func TestMalformedConversion(t *testing.T) {
	for _, v := range []struct{ doc, want string }{
		{"<MgmtTree>x<Man/></MgmtTree>", `tnds: offset 11: element "Man" in MgmtTree, which holds text`},
		{"<MgmtTree><Man/>x</MgmtTree>", `tnds: offset 17: text "x" among elements`},
		{"<MgmtTree><Man/>x<Mod/></MgmtTree>", `tnds: offset 17: text "x" among elements`},
		{"<MgmtTree><Node><RTProperties><Format><bin/></Format></RTProperties><Value><x/></Value></Node></MgmtTree>",
			`tnds: offset 75: element "x" in Value, which holds text`},
		{"<MgmtTree><Vendor>x</Vendor></MgmtTree>", `tnds: offset 10: element "Vendor" has no tag in WBXML`},
		{"<html/>", `tnds: offset 0: root element is "html", not MgmtTree`},
	} {
		_, err := ToWBXML([]byte(v.doc))
		expect(t, v.doc, err, v.want)
	}
	for _, convert := range []func([]byte) ([]byte, error){ToXML, ToInline, ToWBXML} {
		_, err := convert([]byte{2, 1, 5, 0})
		expect(t, "charset", err, "wbxml: offset 2: charset 5 (want 106 for UTF-8, 3 for US-ASCII or 4 for ISO-8859-1)")
	}
	_, err := ToXML(vector.Bytes(t, "02 01 6A 02'<'00 00 02 60 44 00 03'x'00 01 01"))
	expect(t, "literal", err, `tnds: offset 9: "<" can not name an element in XML`)
}

// Every beginning of a tree is an error, not a panic and not half a tree.
func TestTruncated(t *testing.T) {
	for _, doc := range [][]byte{sample().AppendXML(nil), sample().AppendWBXML(nil)} {
		for n := range doc {
			var syntax *codec.SyntaxError
			if tree, err := Read(doc[:n:n], nil); tree != nil || !errors.As(err, &syntax) {
				t.Fatalf("cut to %d bytes: %+v, %v", n, tree, err)
			} else if syntax.Offset < 0 || syntax.Offset > n {
				t.Fatalf("cut to %d bytes: %v", n, err)
			}
		}
	}
}
