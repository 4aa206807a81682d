package fuzz

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"dmgate/codec/cp"
)

// provisioning is a document with a bit of everything that cp understands and of what it does not.
func provisioning() *cp.Document {
	return &cp.Document{
		NAPDefs: []cp.NAPDef{{
			ID: "N1", Name: "Operator", APN: "internet", Internet: true,
			Auth:  &cp.Login{Type: "PAP", Name: "u", Secret: "p"},
			Extra: []cp.Parm{cp.Value("DNS-ADDR", "192.0.2.1")},
			Other: []cp.Characteristic{{Type: "VALIDITY", Parms: []cp.Parm{cp.Value("COUNTRY", "262")}}},
		}},
		Accounts: []cp.DMAccount{{
			ServerID: "dm.example", Name: "Example", Addr: "https://dm.example/dm", Port: 443, ToNAPID: "N1",
			Device: cp.Login{Type: "DIGEST,BASIC", Name: "u1", Secret: "p1", Nonce: "n1"},
			Server: cp.Login{Name: "dm.example", Secret: "s1", Nonce: "n2"},
			Init:   true,
			Extra:  []cp.Parm{cp.Value("TO-PROXY", "P1")},
		}},
		Other: []cp.Characteristic{{Type: "PXLOGICAL", Parms: []cp.Parm{cp.Value("PROXY-ID", "P1"),
			cp.Flag("MASTER")}}},
	}
}

// FuzzCP: what is read as WBXML or as XML can be written in either, and means the same when it is read again.
func FuzzCP(f *testing.F) {
	f.Add(provisioning().AppendWBXML(nil))
	f.Add(provisioning().AppendXML(nil))
	for _, seed := range []string{
		"030B6A00C54601",
		"030B6A0645C6550187058300068303010101", // string table
		"0300006A1D" + hex.EncodeToString([]byte("-//WAPFORUM//DTD PROV 1.0//EN")) + "05",
		"030B6A0045C60001550187330693909201870000220603620001010101", // joined values, both pages
	} {
		b, err := hex.DecodeString(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`<wap-provisioningdoc><characteristic type="APPLICATION"><parm name="APPID" value="w7"/>` +
		`<characteristic type="APPADDR"><parm name="ADDR" value="http://a"/><characteristic type="PORT">` +
		`<parm name="SERVICE" value="x"/></characteristic></characteristic></characteristic></wap-provisioningdoc>`))
	f.Add([]byte("\xEF\xBB\xBF<!DOCTYPE a [<!ENTITY b ']>'><?p \" ?>]><wap-provisioningdoc version='&quot;'/>"))
	f.Add([]byte("<?xml version='1.0' encoding='ISO-8859-1'?><wap-provisioningdoc version='\xE9'/>"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		read := cp.ReadTree
		if strings.HasPrefix(strings.TrimLeft(string(doc), "\xEF\xBB\xBF \t\r\n"), "<") {
			read = cp.ReadTreeXML
		}
		tree, err := read(doc)
		if err != nil {
			if tree != nil {
				t.Fatalf("an error and a tree: %v", err)
			}
			return
		}
		again, err := cp.ReadTree(tree.AppendWBXML(nil))
		if err != nil || !sameTree(again, tree) {
			t.Fatalf("by way of WBXML: %v\ngot  %+v\nwant %+v", err, again, tree)
		}
		text := tree.AppendXML(nil)
		if bytes.Contains(text, []byte("&#")) {
			t.Fatalf("a reference by number in\n%s", text)
		}
		if again, err = cp.ReadTreeXML(text); err != nil || !sameTree(again, tree) {
			if len(text) > 256<<10 { // that is what a document may have, and XML takes more
				return
			}
			t.Fatalf("by way of XML: %v\ngot  %+v\nwant %+v", err, again, tree)
		}
		// The first writing may add a port, a bearer and the like. From then on nothing changes.
		first, err := cp.Read(tree.Document().AppendWBXML(nil))
		if err != nil {
			t.Fatal(err)
		}
		second, err := cp.Read(first.AppendWBXML(nil))
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("%v\ngot  %+v\nwant %+v", err, second, first)
		}
		_ = first.Validate()
	})
}

// sameTree compares trees, of which one that names no version is of version 1.0.
func sameTree(a, b *cp.Tree) bool {
	version := func(t *cp.Tree) string {
		if t.Version == "" {
			return "1.0"
		}
		return t.Version
	}
	return version(a) == version(b) && reflect.DeepEqual(a.Roots, b.Roots)
}
