package tnds

import (
	"reflect"
	"strings"
	"testing"

	"dmgate/codec/internal/vector"
)

// sample is a tree with a bit of everything.
func sample() *Tree {
	nonce := Node{Name: "Nonce", Props: Properties{Format: "bin", Size: "3"}, Value: []byte{0, 1, 0xFF}}
	mail := Interior("E-Mail", Leaf("Server", "chr", "mail <&> ü"), nonce, Leaf("Port", "int", "25"),
		Node{Name: "Empty", Props: Properties{Format: "chr"}, Value: []byte{}}, Interior("None"))
	mail.Path = "./Op"
	mail.Props.ACL, mail.Props.DDFName, mail.Props.Title = "Get=*&Replace=a", "urn:x:mail:1.0", "Mail"
	mail.Props.Name, mail.Props.TStamp, mail.Props.VerNo = "E-Mail", "20240801T123000Z", "7"
	return &Tree{VerDTD: "1.2", Man: "M", Mod: "X1", Nodes: []Node{mail, {Name: "Bare"}}}
}

const sampleXML = `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Man>M</Man><Mod>X1</Mod>` +
	`<Node><NodeName>E-Mail</NodeName><Path>./Op</Path><RTProperties><ACL>Get=*&amp;Replace=a</ACL><Format>` +
	`<node/></Format>` +
	`<Name>E-Mail</Name><Title>Mail</Title><TStamp>20240801T123000Z</TStamp>` +
	`<Type><DDFName>urn:x:mail:1.0</DDFName></Type><VerNo>7</VerNo></RTProperties>` +
	`<Node><NodeName>Server</NodeName><RTProperties><Format><chr/></Format><Type><MIME>text/plain</MIME>` +
	`</Type></RTProperties>` +
	`<Value>mail &lt;&amp;&gt; ü</Value></Node>` +
	`<Node><NodeName>Nonce</NodeName><RTProperties><Format><bin/></Format><Size>3</Size></RTProperties>` +
	`<Value>AAH/</Value></Node>` +
	`<Node><NodeName>Port</NodeName><RTProperties><Format><int/></Format><Type><MIME>text/plain</MIME>` +
	`</Type></RTProperties>` +
	`<Value>25</Value></Node>` +
	`<Node><NodeName>Empty</NodeName><RTProperties><Format><chr/></Format></RTProperties><Value/></Node>` +
	`<Node><NodeName>None</NodeName><RTProperties><Format><node/></Format></RTProperties></Node></Node>` +
	`<Node><NodeName>Bare</NodeName></Node></MgmtTree>`

// header is that of a document of its own, as libwbxml and we write it; treeAt is where the tree begins behind it.
const header = "02 00 00 6A 1B '-//OMA//DTD-DM-DDF 1.2//EN' 00 00 02"

func read(t testing.TB, doc []byte) *Tree {
	t.Helper()
	tree, err := Read(doc, nil)
	if err != nil {
		t.Fatalf("%v\n%q", err, doc)
	}
	return tree
}

func same(t testing.TB, got, want *Tree) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestTree(t *testing.T) {
	want := sample()
	if doc := string(want.AppendInline([]byte("keep"))); doc != "keep"+sampleXML {
		t.Errorf("written as\n%s\nwant\n%s", doc, sampleXML)
	}
	same(t, read(t, []byte(sampleXML)), want)
	same(t, read(t, want.AppendXML(nil)), want)
	same(t, read(t, want.AppendWBXML(nil)), want)
}

// A small tree, byte by byte: the codes of section 1.3, bytes in OPAQUE.
func TestWBXML(t *testing.T) {
	tree := &Tree{VerDTD: "1.2", Nodes: []Node{{Name: "a", Props: Properties{Format: "bin"}, Value: []byte{0, 1}}}}
	doc := vector.Bytes(t, header+"60 77 03'1.2'00 01 64 66 03'a'00 01 6F 5C 09 01 01 76 C3 02 00 01 01 01 01")
	if got := tree.AppendWBXML(nil); string(got) != string(doc) {
		t.Errorf("written as\n% X\nwant\n% X", got, doc)
	}
	same(t, read(t, doc), tree)
}

// Forms that we do not write and others do.
func TestForms(t *testing.T) {
	want := &Tree{VerDTD: "1.2", Nodes: []Node{{Name: "a", Props: Properties{Format: "bin"}, Value: []byte("hi")}}}
	for _, c := range []struct{ name, doc string }{
		{"a prefix, quotes, comments, a declaration", `<?xml version='1.0' encoding='us-ascii'?><!DOCTYPE ` +
			`d:MgmtTree SYSTEM "x">` +
			`<!-- a --><d:MgmtTree xmlns:d='syncml:dmddf1.2'><d:VerDTD>1.2</d:VerDTD><d:Node><d:NodeName>&#97;</d:NodeName>` +
			`<d:RTProperties><d:Format><d:bin/></d:Format></d:RTProperties><d:Value><![CDATA[aGk=]]></d:Value>` +
			`</d:Node></d:MgmtTree><?p?>`},
		{"in lines", "\xEF\xBB\xBF<MgmtTree>\n<VerDTD> 1.2\n</VerDTD>\n<Node>\n <NodeName> a </NodeName>" +
			"<RTProperties> <Format> <bin/> " +
			"</Format></RTProperties><Value>\n aG\n k=</Value></Node></MgmtTree>\n"},
		{"the value first", `<MgmtTree><Node><Value>aGk=</Value><RTProperties><Format>bin</Format></RTProperties>` +
			`<NodeName>a</NodeName></Node><VerDTD>1.2</VerDTD></MgmtTree>`},
		{"bytes that are no base64", `<MgmtTree><VerDTD>1.2</VerDTD><Node><NodeName>a</NodeName><RTProperties>` +
			`<Format><bin/></Format>` +
			`</RTProperties><Value>hi</Value></Node></MgmtTree>`},
		{"what only a description has", `<MgmtTree><VerDTD>1.2</VerDTD><Vendor><Node/></Vendor><Node><NodeName>a</NodeName>` +
			`<DFProperties><AccessType><Get/></AccessType><DFFormat><chr/></DFFormat><Scope><Dynamic/></Scope></DFProperties>` +
			`<RTProperties><Other>x</Other><Type><Else/></Type><Format><bin/></Format></RTProperties><Value>` +
			`aGk=</Value></Node></MgmtTree>`},
		{"string table, entity, literals, attributes", "03 01 6A 06'1.2'00'T'00 00 02 60 77 83 00 01 04 04 | " +
			"E4 05 03'x'00 01" +
			"66 02 61 01 6F 5C 09 01 01 76 C3 01'h'C3 01'i'01 01 01"},
		{"page 0, where the header says it all", "02 00 00 6A 1A '-//OMA//DTD-DM-DDF 1.2//EN'" +
			"60 77 03'1.2'00 01 64 66 03'a'00 01 6F 5C 09 01 01 76 03'aGk='00 01 01 01"},
		{"the identifier of the message around", "02 A4 01 6A 00 00 02 60 77 03'1.2'00 01 64 66 03'a'00 01 6F " +
			"5C 03'bin'00 01 01" +
			"76 C3 02'hi'01 01 01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := []byte(c.doc)
			if !strings.Contains(c.doc, "<") {
				doc = vector.Bytes(t, c.doc)
			}
			same(t, read(t, doc), want)
		})
	}
	ext := read(t, vector.Bytes(t, "02 01 6A 00 43 05 C0 01 00 02 E0 05 81 07 01 55 C0 C1 C2 40'x'00 80 01 D5 05 C1 01 C2 01"+
		"01 64 66 03'a'00 01 01 01"))
	if len(ext.Nodes) != 1 || ext.Nodes[0].Name != "a" {
		t.Errorf("extension tokens in what is passed over: %+v", ext)
	}
	latin := read(t, vector.Bytes(t, "02 01 04 00 00 02 60 64 66 03 FC 00 01 76 03 E9 00 01 01 01"))
	if n := &latin.Nodes[0]; n.Name != "ü" || string(n.Value) != "é" {
		t.Errorf("ISO-8859-1: %+v", n)
	}
}

// OPAQUE becomes text in XML where it can, and else base64.
func TestOpaqueToXML(t *testing.T) {
	for opaque, want := range map[string]string{
		"02 'ab'": "ab", "03 09 0A 0D": "\t\n\n", "02 C3 A9": "é", "00": "", "01 00": "AA==", "01 E9": "6Q==",
		"03 EF BF BE": "77++", "03 EF BF BF": "77+/", "03 ED A0 80": "7aCA", "02'a'1F": "YR8=",
	} {
		doc, err := ToInline(vector.Bytes(t, "02 01 6A 00 00 02 60 64 76 C3"+opaque+"01 01 01"))
		value := "<Value>" + want + "</Value>"
		if want == "" {
			value = "<Value/>"
		}
		if err != nil || string(doc) != `<MgmtTree xmlns="syncml:dmddf1.2"><Node>`+value+"</Node></MgmtTree>" {
			t.Errorf("%s: %v %s, want %s", opaque, err, doc, want)
		}
	}
}

func TestWalk(t *testing.T) {
	var got []string
	tree := &Tree{Nodes: []Node{
		Interior("A", Interior("B", Leaf("C", "chr", "")), Node{Name: "D", Path: "./X/"}),
		{Name: "E", Path: "."},
	}}
	tree.Walk("./Inbox", func(uri string, _ *Node) { got = append(got, uri) })
	if want := "./Inbox/A ./Inbox/A/B ./Inbox/A/B/C ./X/D ./E"; strings.Join(got, " ") != want {
		t.Errorf("%s, want %s", strings.Join(got, " "), want)
	}
	got = nil
	tree.Walk("", func(uri string, _ *Node) { got = append(got, uri) })
	if got[1] != "A/B" {
		t.Error(got)
	}
	root := &tree.Nodes[0]
	if root.Find("B/C") != &root.Children[0].Children[0] || root.Find("B/X/C") != nil || root.Child("") != nil {
		t.Error("Find")
	}
}

// What XML can not hold, and what a tree should not hold, does not make the writer write nonsense.
func TestOddTrees(t *testing.T) {
	tree := &Tree{Nodes: []Node{
		{Name: "a", Value: []byte("\x00")},
		{Name: "b", Props: Properties{Format: "<x>"}},
		{Name: "c", Value: []byte("lost"), Children: []Node{{Name: "d"}}},
	}}
	for _, doc := range [][]byte{tree.AppendXML(nil), tree.AppendWBXML(nil)} {
		got := read(t, doc)
		if got.VerDTD != "1.2" || len(got.Nodes) != 3 || got.Nodes[1].Props.Format != "<x>" || got.Nodes[2].Value != nil {
			t.Errorf("%+v", got)
		}
	}
	if got := read(t, tree.AppendXML(nil)); string(got.Nodes[0].Value) != "\uFFFD" {
		t.Errorf("%q", got.Nodes[0].Value)
	}
	if got := read(t, tree.AppendWBXML(nil)); string(got.Nodes[0].Value) != "\x00" {
		t.Errorf("%q", got.Nodes[0].Value)
	}
}
