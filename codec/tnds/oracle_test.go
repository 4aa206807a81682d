package tnds

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dmgate/codec/internal/oracle"
)

// trees generates trees. values makes what leaves hold that are not bin; binary says whether there are such that are.
func trees(values *rapid.Generator[string], binary bool) *rapid.Generator[*Tree] {
	name := rapid.StringMatching(`[A-Za-z0-9._-]{1,8}`)
	maybe := rapid.OneOf(rapid.Just(""), name)
	formats := []string{"chr", "int", "bool", "b64", "xml", "null", "date", "time", "float"}
	if binary {
		formats = append(formats, "bin", "bin")
	}
	var node func(depth int) *rapid.Generator[Node]
	node = func(depth int) *rapid.Generator[Node] {
		return rapid.Custom(func(t *rapid.T) Node {
			n := Node{Name: name.Draw(t, "name"), Path: maybe.Draw(t, "path")}
			n.Props = Properties{ACL: maybe.Draw(t, "acl"), Type: maybe.Draw(t, "type"), DDFName: maybe.Draw(t, "ddf"),
				Name: maybe.Draw(t, "pname"), Size: maybe.Draw(t, "size"), Title: maybe.Draw(t, "title"),
				TStamp: maybe.Draw(t, "ts"),
				VerNo:  maybe.Draw(t, "ver")}
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				n.Props.Format = rapid.SampledFrom(formats).Draw(t, "format")
				if n.Props.Format == "bin" {
					n.Value = rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "bytes")
				} else {
					n.Value = []byte(values.Draw(t, "value"))
				}
			case 1:
				if n.Props.Format = "node"; depth < 5 {
					for range rapid.IntRange(0, 3).Draw(t, "children") {
						n.Children = append(n.Children, node(depth+1).Draw(t, "child"))
					}
				}
			}
			return n
		})
	}
	return rapid.Custom(func(t *rapid.T) *Tree {
		tree := &Tree{VerDTD: "1.2", Man: maybe.Draw(t, "man"), Mod: maybe.Draw(t, "mod")}
		for range rapid.IntRange(0, 3).Draw(t, "nodes") {
			tree.Nodes = append(tree.Nodes, node(1).Draw(t, "node"))
		}
		return tree
	})
}

// text is what XML can hold.
var text = rapid.Map(rapid.StringN(0, 12, 40), func(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return ' '
		}
		return r
	}, s)
})

// What is written in either encoding, and what one is converted to the other, is read as it was.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := trees(text, true).Draw(t, "tree")
		asXML, asWBXML := want.AppendXML(nil), want.AppendWBXML(nil)
		viaWBXML, err := ToWBXML(asXML)
		if err != nil {
			t.Fatal(err)
		}
		viaXML, err := ToXML(asWBXML)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range [][]byte{asXML, asWBXML, viaWBXML, viaXML} {
			got, err := Read(doc, nil)
			if err != nil {
				t.Fatalf("%v\n%q", err, doc)
			}
			if a, b := string(got.AppendXML(nil)), string(asXML); a != b {
				t.Fatalf("got  %s\nwant %s", a, b)
			}
		}
	})
}

// libwbxml knows no bytes: it neither makes OPAQUE of base64 nor the other way round. It trims text.
var forOracle = trees(rapid.Map(text, func(s string) string {
	return strings.Trim(strings.NewReplacer("\r", " ", "\n", " ", "\t", " ").Replace(s), " ")
}), false)

// libwbxml makes of our WBXML the XML that we mean.
func TestWriterByOracle(t *testing.T) {
	tool := oracle.Need(t, "wbxml2xml")
	for seed := range 150 {
		want := forOracle.Example(seed)
		doc := oracle.Run(t, want.AppendWBXML(nil), tool, "-m", "0", "-o", "-", "-")
		if got, want := string(read(t, doc).AppendXML(nil)), string(want.AppendXML(nil)); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

// We read what libwbxml makes of our XML, with and without a string table; and convert as it does.
func TestReaderByOracle(t *testing.T) {
	toWBXML, toXML := oracle.Need(t, "xml2wbxml"), oracle.Need(t, "wbxml2xml")
	options := [][]string{{}, {"-n"}, {"-k"}, {"-a"}, {"-v", "1.1"}, {"-v", "1.2", "-n"}}
	for seed := range 200 {
		want := forOracle.Example(seed)
		o := append(options[seed%len(options)], "-o", "-", "-")
		doc := oracle.Run(t, want.AppendXML(nil), toWBXML, o...)
		if got, want := string(read(t, doc).AppendXML(nil)), string(want.AppendXML(nil)); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
		ours, err := ToWBXML(want.AppendXML(nil))
		if err != nil {
			t.Fatal(err)
		}
		theirs := oracle.Run(t, ours, toXML, "-m", "0", "-o", "-", "-")
		if got, want := string(read(t, theirs).AppendXML(nil)), string(want.AppendXML(nil)); got != want {
			t.Fatalf("converted: got  %s\nwant %s", got, want)
		}
	}
}

// A description, which has more than a tree, comes through conversion whole.
func TestDescription(t *testing.T) {
	const doc = `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Node><NodeName/><DFProperties>` +
		`<AccessType><Get/><Replace/>` +
		`</AccessType><DefaultValue> </DefaultValue><Description>a &amp; b</Description><DFFormat><bin/>` +
		`</DFFormat><Occurrence><ZeroOrN>3` +
		`</ZeroOrN></Occurrence><Scope><Dynamic/></Scope><DFType><MIME>text/plain</MIME></DFType><CaseSense>` +
		`<CIS/></CaseSense>` +
		`</DFProperties></Node></MgmtTree>`
	wb, err := ToWBXML([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	back, err := ToInline(wb)
	if err != nil || string(back) != doc {
		t.Errorf("%v\ngot  %s\nwant %s", err, back, doc)
	}
	if tidy, err := ToXML([]byte(doc)); err != nil || string(tidy) != `<?xml version="1.0" encoding="UTF-8"?>`+doc {
		t.Errorf("%v\n%s", err, tidy)
	}
}
