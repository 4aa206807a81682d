package syncml

import (
	"fmt"
	"strings"
	"testing"

	"dmgate/codec/internal/oracle"
	"dmgate/codec/wbxml"
)

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
