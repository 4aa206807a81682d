package cp

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"dmgate/codec/internal/oracle"

	"pgregory.net/rapid"
)

// libwbxml reads what we write, and we read the XML that it makes of it, tree for tree. Its table lacks 0x90 to 0x93
// on page 1 (trap 8), so AAUTHTYPE is left to tshark in package push.
func TestLibwbxmlReadsOurs(t *testing.T) {
	wbxml2xml := oracle.Need(t, "wbxml2xml")
	dir := t.TempDir()
	docs := []*Document{sample()}
	for seed := range 60 {
		docs = append(docs, rapid.Custom(genDocument).Example(seed))
	}
	for i, d := range docs {
		tree := d.Tree()
		tame(tree.Roots)
		if i > 0 {
			tree.Version = "" // its table has version="1.0" alone
		}
		file := filepath.Join(dir, "doc.wbxml")
		if err := os.WriteFile(file, tree.AppendWBXML(nil), 0o600); err != nil {
			t.Fatal(err)
		}
		out := oracle.Run(t, nil, wbxml2xml, "-o", "-", file)
		got, err := ReadTreeXML(out)
		if err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		if !reflect.DeepEqual(got.Roots, tree.Roots) {
			t.Fatalf("got  %+v\nwant %+v\n%s", got.Roots, tree.Roots, out)
		}
	}
}

// tame takes out of a tree what libwbxml does not carry.
func tame(cs []Characteristic) {
	for i := range cs {
		c := &cs[i]
		for _, ps := range [][]Parm{c.Parms, c.Tail} {
			for j := range ps {
				if ps[j].Name == "AAUTHTYPE" {
					ps[j].Value = "X509"
				}
			}
		}
		tame(c.Children)
	}
}

// And the other way: libwbxml writes WBXML from our XML, with string table and tokens as it likes, and we read it.
func TestWeReadLibwbxml(t *testing.T) {
	xml2wbxml := oracle.Need(t, "xml2wbxml")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "doc.xml"), filepath.Join(dir, "doc.wbxml")
	for seed := range 30 {
		tree := rapid.Custom(genDocument).Example(seed).Tree()
		tame(tree.Roots)
		tree.Version = ""
		if err := os.WriteFile(in, withDoctype(tree.AppendXML(nil)), 0o600); err != nil {
			t.Fatal(err)
		}
		oracle.Run(t, nil, xml2wbxml, "-o", out, in)
		doc, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadTree(doc)
		if err != nil {
			t.Fatalf("%v in % X", err, doc)
		}
		if !reflect.DeepEqual(got.Roots, tree.Roots) {
			t.Fatalf("got  %+v\nwant %+v\n% X", got.Roots, tree.Roots, doc)
		}
	}
}

// withDoctype puts in the DOCTYPE by which libwbxml knows the language.
func withDoctype(doc []byte) []byte {
	const doctype = `<!DOCTYPE wap-provisioningdoc PUBLIC "-//WAPFORUM//DTD PROV 1.0//EN" ` +
		`"http://www.wapforum.org/DTD/prov.dtd">`
	return []byte(strings.Replace(string(doc), "\n", "\n"+doctype+"\n", 1))
}
