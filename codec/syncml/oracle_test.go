package syncml

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dmgate/codec/internal/oracle"
	"dmgate/codec/wbxml"
)

// What we write as WBXML, libwbxml turns into the XML that we mean. That XML is read by our reader and by the standard
// library's.
func TestWriterByOracle(t *testing.T) {
	tool := oracle.Need(t, "wbxml2xml")
	for _, name := range corpus {
		checkWriter(t, tool, read(t, file(t, name+".xml"), XML), true)
	}
	for seed := range 300 {
		checkWriter(t, tool, forOracle.Example(seed), seed%3 == 0)
	}
}

func checkWriter(t *testing.T, tool string, m *Message, stdlib bool) {
	t.Helper()
	for _, style := range []Style{{Version: m.Style.Version}, {Version: m.Style.Version, TextPublic: true, WBXML: 3}} {
		m.Style = style
		doc := oracle.Run(t, m.Append(nil, WBXML), tool, "-m", "0", "-o", "-", "-")
		same(t, read(t, doc, XML), m)
		if stdlib {
			same(t, byStdlib(t, doc), m)
		}
	}
}

// What libwbxml writes, with and without a string table, we read as the message that it was given.
func TestReaderByOracle(t *testing.T) {
	tool := oracle.Need(t, "xml2wbxml")
	options := [][]string{
		{}, {"-n"}, {"-k"}, {"-k", "-n"}, {"-a"}, {"-a", "-n"},
		{"-v", "1.1"}, {"-v", "1.2"}, {"-v", "1.3"}, {"-v", "1.1", "-n"}, {"-v", "1.2", "-n", "-k"},
	}
	check := func(m *Message, doc []byte, options []string) {
		t.Helper()
		wb := oracle.Run(t, doc, tool, append(options, "-o", "-", "-")...)
		same(t, read(t, wb, WBXML), m)
	}
	for _, name := range corpus {
		doc := file(t, name+".xml")
		for _, o := range options {
			check(read(t, doc, XML), doc, o)
		}
	}
	for seed := range 600 {
		m := forOracle.Example(seed)
		check(m, m.Append(nil, XML), options[seed%len(options)])
	}
}

// forOracle makes messages that libwbxml carries unchanged: it trims text, turns line ends into CR LF, and knows that
// Correlator came with 1.2.
var forOracle = rapid.Map(
	sketch{text: trimmed, data: trimmed, format: []string{"", "chr", "int", "b64", "node"}}.messages(),
	func(m *Message) *Message {
		if m.Style.Version == V11 {
			for i := range m.Commands {
				m.Commands[i].Correlator = nil
			}
		}
		return m
	})

var trimmed = rapid.Map(anyText, func(s string) string {
	return strings.Trim(strings.NewReplacer("\r", " ", "\n", " ").Replace(s), " \t")
})

// A MgmtTree that stands inline, as tokens of page 2, becomes the XML that libwbxml makes of these tokens. libwbxml
// takes them only as a document of their own in OPAQUE.
func TestMarkupByOracle(t *testing.T) {
	tool := oracle.Need(t, "wbxml2xml")
	// Every tag of the page once: empty, and around text.
	every := ""
	for code, name := range tagNames[pageDDF] {
		if name != "" {
			every += fmt.Sprintf("%02X %02X 03'%s'00 01", code, code|0x40, name)
		}
	}
	for _, tree := range []string{
		"00 02 60 77 03'1.2'00 01 64 66 03'a&b'00 01 6F 5C 25 01 45 13 27 01 01 76 03'1<2>'00 01 01 01",
		"00 02 60" + every + "01",
	} {
		inner := wire(t, "03 00 00 6A 1B '-//OMA//DTD-DM-DDF 1.2//EN'00"+tree)
		nested := fmt.Sprintf("5A 00 01 53 03'application/vnd.syncml.dmtnds+wbxml'00 01 01 00 00 4F C3 %X %X 01",
			wbxml.AppendNumber(nil, uint32(len(inner))), inner)
		doc := oracle.Run(t, wire(t, item(nested)), tool, "-m", "0", "-o", "-", "-")
		want := read(t, doc, XML).Commands[0].Items[0]
		got := read(t, wire(t, item("4F"+tree+"00 00 01")), WBXML).Commands[0].Items[0]
		if string(got.Data) != string(want.Data) || !got.Markup || !want.Markup {
			t.Errorf("Data %q markup %v\nwant %q", got.Data, got.Markup, want.Data)
		}
	}
}

// Correlator came with 1.2: in a message of 1.1 libwbxml writes it as a literal.
func TestLiteralByOracle(t *testing.T) {
	tool := oracle.Need(t, "xml2wbxml")
	m := &Message{Style: Style{Version: V11}}
	m.AddCommand(Exec).Correlator = []byte("c1")
	m.Commands[0].CmdID = []byte("1")
	doc := oracle.Run(t, m.Append(nil, XML), tool, "-o", "-", "-")
	if !strings.Contains(string(doc), "Correlator\x00") {
		t.Fatalf("no literal in %q", doc)
	}
	same(t, read(t, doc, WBXML), m)
}

// libwbxml makes a MgmtTree in XML a document of its own in OPAQUE. We hand on its bytes.
func TestNestedDocumentByOracle(t *testing.T) {
	tool := oracle.Need(t, "xml2wbxml")
	const tree = `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD></MgmtTree>`
	doc := oracle.Run(t, []byte(xmlItemDoc(`<Meta><Type xmlns="syncml:metinf">application/vnd.syncml.dmtnds+xml</Type>`+
		`</Meta><Data>`+tree+`</Data>`)), tool, "-o", "-", "-")
	it := &read(t, doc, WBXML).Commands[0].Items[0]
	if it.Markup || !strings.HasPrefix(string(it.Data), "\x03\x00\x00\x6A\x1B-//OMA//DTD-DM-DDF 1.2//EN") {
		t.Errorf("Data %q markup %v", it.Data, it.Markup)
	}
}
