package syncml

import (
	"encoding/hex"
	"regexp"
	"strings"
	"testing"

	"dmgate/codec/internal/vector"
	"dmgate/codec/wbxml"
)

// Document headers, which wire knows by the names HDR and TXT.
const (
	headerNumeric = "02 A4 01 6A 00"
	headerText    = "02 00 00 6A 1D '-//SYNCML//DTD SyncML 1.2//EN'"
)

// wire is what notation stands for.
func wire(t testing.TB, notation string) []byte {
	t.Helper()
	return vector.Bytes(t, strings.NewReplacer("HDR", headerNumeric, "TXT", headerText).Replace(notation))
}

// item is a message with one Results that holds one Item, whose content is the given notation.
func item(content string) string {
	return "HDR 6D 6C 01 6B 62 4B 03'1'00 01 54" + content + "01 01 01 01"
}

// golden is the sample of section 1.4 of the fact sheet, behind its header.
const golden = "6D 6C 71 03'1.2'00 01 72 03'DM/1.2'00 01 65 03'1'00 01 5B 03'1'00 01 6E 57 03'IMEI:1'00 01 01" +
	"67 57 03'http://s'00 01 01 5A 00 01 4C 03'8192'00 01 00 00 01 01 6B 53 4B 03'1'00 01" +
	"54 6E 57 03'./DevDetail/LrgObj'00 01 01 01 01 12 01 01"

func TestGolden(t *testing.T) {
	want := &Message{Final: true, Header: Header{
		VerDTD: []byte("1.2"), VerProto: []byte("DM/1.2"), SessionID: []byte("1"), MsgID: []byte("1"),
		Target: Location{URI: []byte("IMEI:1")}, Source: Location{URI: []byte("http://s")}, Meta: Meta{MaxMsgSize: 8192},
	}}
	want.AddCommand(Get).CmdID = []byte("1")
	want.AddItem().Target.URI = []byte("./DevDetail/LrgObj")
	for _, c := range []struct {
		header string
		style  Style
	}{
		{"HDR", Style{WBXML: 2}},
		{"TXT", Style{WBXML: 2, TextPublic: true}},
	} {
		doc := wire(t, c.header+golden)
		got := read(t, doc, WBXML)
		same(t, got, want)
		if got.Style != c.style {
			t.Errorf("style %+v, want %+v", got.Style, c.style)
		}
		// We end Meta before we leave its page, where the sample leaves it first.
		ours := strings.Replace(c.header+golden, "00 00 01 01 6B", "01 01 00 00 6B", 1)
		if out := got.Append(nil, WBXML); string(out) != string(wire(t, ours)) {
			t.Errorf("written as\n% X\nwant\n% X", out, wire(t, ours))
		}
	}
}

// The other forms of the header, and what they say of the style.
func TestHeaderStyles(t *testing.T) {
	fpi := func(s string) string { return hex.EncodeToString([]byte{byte(len(s))}) + "'" + s + "'" }
	for _, c := range []struct {
		header string
		want   Style
	}{
		{"03 A4 01 6A 00", Style{V12, false, 3, false}},
		{"01 9F 53 6A 00", Style{V11, false, 1, false}},
		{"02 9F 51 6A 00", Style{V11, false, 2, false}},
		{"02 A4 01 03 00", Style{V12, false, 2, false}},
		{"02 A4 01 00 00", Style{V12, false, 2, false}},
		{"02 A4 01 04 00", Style{V12, false, 2, true}},
		{"02 01 6A 00", Style{V12, false, 2, false}},
		{"02 00 00 6A" + fpi("-//SYNCML//DTD SyncML 1.1//EN"), Style{V11, true, 2, false}},
		{"02 00 00 6A" + fpi("-//SYNCML//DTD SYNCML 1.2//EN"), Style{V12, true, 2, false}},
		{"02 00 00 6A 1E '-//SYNCML//DTD SyncML 1.2//EN' 00", Style{V12, true, 2, false}},
		{"02 00 02 6A 20 'x' 00 '-//SYNCML//DTD SyncML 1.2//EN' 00", Style{V12, true, 2, false}},
	} {
		m := read(t, wire(t, c.header+golden), WBXML)
		if m.Style != c.want {
			t.Errorf("%s: style %+v, want %+v", c.header, m.Style, c.want)
		}
	}
}

func TestMarkupFromWBXML(t *testing.T) {
	doc := wire(t, item("67 57 03'./X'00 01 01 5A 00 01 47 03'xml'00 01 01 00 00 4F 00 02"+
		"60 77 03'1.2'00 01 64 66 03'a&b'00 01 6F 5C 25 01 01 76 03'<'00 02 82 2C C3 02'cd'C3 03 FF 00 FE 01 01 01 01 00 00"))
	want := `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Node><NodeName>a&amp;b</NodeName>` +
		`<RTProperties><Format><node/></Format></RTProperties><Value>&lt;Ĭcd/wD+</Value></Node></MgmtTree>`
	m := read(t, doc, WBXML)
	it := &m.Commands[0].Items[0]
	if string(it.Data) != want || !it.Markup {
		t.Errorf("Data %q markup %v\nwant %q", it.Data, it.Markup, want)
	}
	if r := &m.Commands[0]; string(r.CmdID) != "1" || string(it.Meta.Format) != "xml" {
		t.Errorf("page not restored: %s", dump(m))
	}
	// It is the same in XML.
	same(t, read(t, m.Append(nil, XML), XML), m)
}

func TestWBXMLContent(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"text", "4F 03'abc'00 01", "abc"},
		{"opaque", "4F C3 03 61 00 62 01", "a\x00b"},
		{"empty tag", "0F", ""},
		{"tag without content", "4F 01", ""},
		{"empty string", "4F 03 00 01", ""},
		{"several tokens", "4F 03'a'00 03'b'00 C3 01'c'01", "abc"},
		{"entities", "4F 02 3C 03'a'00 02 A0 2C 02 84 80 00 01", "<a\u102c\U00010000"},
		{"processing instruction", "4F 43 05 03'x'00 01 03'a'00 01", "a"},
		{"nested document stays as it is", "4F C3 0A 03 00 00 6A 03'x/y'60 01 01", "\x03\x00\x00\x6A\x03x/y\x60\x01"},
		{"page switch inside text", "4F 00 01 03'a'00 00 00 01", "a"},
		{"attributes are passed over", "CF 05 03'x'00 85 01 03'a'00 01", "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := read(t, wire(t, item(c.content)), WBXML)
			it := &m.Commands[0].Items[0]
			if string(it.Data) != c.want || it.Data == nil || it.Markup {
				t.Errorf("Data %q markup %v, want %q", it.Data, it.Markup, c.want)
			}
		})
	}
}

// Mixed content, elements of other pages and literals inside Data.
func TestOddMarkup(t *testing.T) {
	for _, c := range []struct{ content, want string }{
		{"4F 03'a<b '00 00 02 25 00 00 01", `a&lt;b <node xmlns="syncml:dmddf1.2"/>`},
		{"4F 03'a'00 03'b'00 02 26 00 02 25 03 'z'00 01", `ab&amp;<node xmlns="syncml:dmddf1.2"/>z`},
		{"4F 00 01 47 00 02 25 01 00 00 01", `<Format xmlns="syncml:metinf"><node xmlns="syncml:dmddf1.2"/></Format>`},
		{"4F 53 03'x'00 01 01", `<Get xmlns="SYNCML:SYNCML1.2">x</Get>`},
	} {
		m := read(t, wire(t, item(c.content)), WBXML)
		it := &m.Commands[0].Items[0]
		if string(it.Data) != c.want || !it.Markup {
			t.Errorf("Data %q markup %v, want %q", it.Data, it.Markup, c.want)
		}
	}
	doc := wire(t, "02 A4 01 6A 04 'Val'00 6D 6C 01 6B 60 54 4F 44 00 03'x'00 01 04 00 01 01 01 01 01")
	if d := read(t, doc, WBXML).Commands[0].Items[0].Data; string(d) != "<Val>x</Val><Val/>" {
		t.Errorf("literal as %q", d)
	}
}

// A flag says yes by being there, with content or without; elements come in any order; what DM has no use for is
// passed over; a literal tag is known by its name.
func TestTolerance(t *testing.T) {
	doc := wire(t, "02 A4 01 6A 0B 'Correlator'00"+
		"6D 6B 52 01 51 44 00 03'c'00 01 54 74 01 4F 03'd'00 01 17 01 14 5D 01 15 07 4B 03 20'7'0D 00 01"+
		"6F 03'first'00 01 6F 03'second'00 01 75 67 57 03'no'00 01 01 01 01 01"+
		"6C 5A 00 01 4E 4C 03 20'16'20 00 01 01 45 4F 01 01 00 00 01 5D 01 5B 03'3'00 01 01 01")
	m := read(t, doc, WBXML)
	c := &m.Commands[0]
	if !m.Final || !c.NoResp || !m.Header.NoResp || !c.Items[0].MoreData || len(c.Items) != 2 {
		t.Errorf("flags not read:\n%s", dump(m))
	}
	if string(c.CmdID) != "7" || string(c.Correlator) != "c" || string(c.TargetRef) != "first" ||
		string(m.Header.MsgID) != "3" || m.Header.Meta.MaxMsgSize != 16 {
		t.Errorf("values not read:\n%s", dump(m))
	}
}

// What stands where DM has no use for it is passed over, with elements in it or not, wherever it is.
func TestUnknown(t *testing.T) {
	const odd = "15 55 03'x'00 01 00 02 64 66 03'x'00 01 01 25 00 00 44 00 01 04 00 D5 05 01 55 0F 01 01"
	doc := wire(t, "02 A4 01 6A 02'v'00 6D"+odd+"6C"+odd+"6E"+odd+"57 03't'00 01 01 4E"+odd+"4F 03'c'00 01 01 5A"+odd+
		"00 01 5A 01 4C 03'16'00 01 00 00 01 01 6B 69"+odd+"49"+odd+"5A 00 01 53 03'b'00 01 00 00 01 01 54"+odd+
		"4F 03'd'00 01 01 01 01 01")
	check := func(m *Message) {
		t.Helper()
		c := &m.Commands[0]
		if string(m.Header.Target.URI) != "t" || string(m.Header.Cred.Data) != "c" || m.Header.Meta.MaxMsgSize != 16 ||
			string(c.Chal.Type) != "b" || string(c.Items[0].Data) != "d" {
			t.Error(dump(m))
		}
	}
	m := read(t, doc, WBXML)
	check(m)
	const oddXML = "<Lang/><Lang>x</Lang><v><Node>&lt;<Data/></Node><!-- --></v><v a=''/>"
	check(read(t, []byte(regexp.MustCompile("<(SyncML.*?|SyncHdr|Target|Cred|Chal|Meta|Status|Item)>").
		ReplaceAllString(string(m.Append(nil, XML)), "$0"+oddXML)), XML))
}

// A Status that answers several items names them all.
func TestRefs(t *testing.T) {
	const status = "69 4B 03'1'00 01 2F 6F 03 20'a'00 01 68 03's'00 01 6F 03'b'00 01 2F 68 03'u'00 01 6F 03'c'00 01 01"
	doc := wire(t, body(status+status+"45 6F 03'a'00 01 6F 03'b'00 01 01 01 01"))
	m := read(t, doc, WBXML)
	want := &Message{}
	for range 2 {
		c := want.AddCommand(Status)
		c.CmdID, c.TargetRef, c.SourceRef = []byte("1"), []byte("a"), []byte("s")
		c.MoreRefs = []Ref{{URI: []byte("b")}, {URI: []byte("u"), Source: true}, {URI: []byte("c")}}
	}
	want.AddCommand(Add).TargetRef = []byte("a")
	same(t, m, want)
	for _, enc := range []Encoding{WBXML, XML} {
		same(t, read(t, m.Append(nil, enc), enc), want)
	}
	if n := testing.AllocsPerRun(10, func() {
		if err := m.Read(doc, WBXML, nil); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("reading references allocates %v times", n)
	}
}

// A value is one string or OPAQUE as a rule, and is the same in whatever tokens it comes, short or long.
func TestValueForms(t *testing.T) {
	long := strings.Repeat("0123456789", 30)
	for _, c := range []struct{ content, want string }{
		{"03'1.2'00", "1.2"}, {"03 00", ""}, {"", ""}, {"83 01", "yz"}, {"C3 02 00 01", "\x00\x01"}, {"C3 00", ""},
		{"03'1234567'00", "1234567"}, {"03'12345678'00", "12345678"}, {"03'" + long + "'00", long},
		{"C3 82 2C '" + long + "'", long}, {"03'1'00 03'.2'00", "1.2"}, {"03'1'00 02 2E C3 01'2'", "1.2"},
		{"43 05 01 03'1.2'00", "1.2"}, {"00 02 03'1.2'00 00 00", "1.2"},
	} {
		m := read(t, wire(t, "02 A4 01 6A 03'xyz'6D 6C 71"+c.content+"01 01 2B 01"), WBXML)
		if got := string(m.Header.VerDTD); got != c.want {
			t.Errorf("%s: %q, want %q", c.content, got, c.want)
		}
	}
}

// White space that a writer kept between the elements means nothing, in whatever token it stands.
func TestBlanks(t *testing.T) {
	doc := "02 A4 01 6A 02 0A 00 6D 83 00 6C 02 20 01 03 0D 0A 00 6B C3 01 09 60 03 20 00 4B 03'1'00 01 03 00 01 01 01"
	m := read(t, wire(t, doc), WBXML)
	if len(m.Commands) != 1 || string(m.Commands[0].CmdID) != "1" {
		t.Error(dump(m))
	}
}

// Extension tokens mean nothing in DM: in what is passed over they do not matter, in what is read they are an error.
func TestExtensions(t *testing.T) {
	const all = "40'x'00 41 00 42'yz'00 80 00 81 81 01 82 7F C0 C1 C2"
	for _, content := range []string{
		"43 05" + all + "01 4F 03'd'00 01",                          // a processing instruction
		"CF 05" + all + "01 03'd'00 01",                             // attributes
		"4F 03'd'00 01 55" + all + "01",                             // an element that DM has no use for
		"4F 03'd'00 01 55" + all + "D5 05" + all + "01 C0 01 C1 01", // and one inside it
	} {
		m := read(t, wire(t, item(content)), WBXML)
		if it := &m.Commands[0].Items[0]; string(it.Data) != "d" {
			t.Errorf("%s: Data %q", content, it.Data)
		}
	}
	for _, token := range []string{"40 00", "41 00", "42 00", "80 00", "81 00", "82 00", "C0", "C1", "C2"} {
		msg := "extension token 0x" + token[:2] + " has no meaning in this document type"
		for _, b := range []bad{
			{body("46 4B" + token + "01 01"), 10, msg},                   // a value
			{body("46 4B 03'1'00" + token + "01 01"), 13, msg},           // with a string in front
			{body("46 54" + token + "01 01"), 10, msg},                   // between elements
			{body("46 54 4F" + token + "01 01 01"), 11, msg},             // Data
			{body("46 54 4F 00 02 64" + token + "01 01 01 01"), 14, msg}, // elements in Data
			{body("46 55 C0 01 4B" + token + "01 01"), 13, msg},          // behind what was skipped
			{body("46 CB 05 C0 01" + token + "01 01"), 13, msg},          // behind attributes
		} {
			b.check(t, wire(t, b.doc), WBXML, nil)
		}
	}
}

// The page of tags lasts over the ends of elements until the next switch.
func TestPageLasts(t *testing.T) {
	m := read(t, wire(t, item("5A 00 01 53 03't'00 01 01 00 00 4F 03'd'00 01")), WBXML)
	it := &m.Commands[0].Items[0]
	if string(it.Meta.Type) != "t" || string(it.Data) != "d" {
		t.Error(dump(m))
	}
	// Without the way back, 0x4F on page 1 is no Data, and is passed over.
	m = read(t, wire(t, item("5A 00 01 53 03't'00 01 01 4F 03'd'00 01")), WBXML)
	if it := &m.Commands[0].Items[0]; it.Data != nil {
		t.Error(dump(m))
	}
}

// What a reader of tables can get wrong: every tag has a name, and every name that the grammar asks for is found.
func TestTables(t *testing.T) {
	for page, names := range tagNames {
		for code, name := range names {
			tg := tag(page)<<8 | tag(code)
			if name == "" {
				continue
			}
			if tg.name() != name {
				t.Errorf("tag %#x is called %q, want %q", tg, tg.name(), name)
			}
			if got := tagOf([]byte(name)); page != pageDDF && got != 0 && got != tg {
				t.Errorf("%s is tag %#x, want %#x", name, got, tg)
			}
		}
	}
	for k := Add; k <= Status; k++ {
		if tg := kindTags[k]; tg.kind() != k || tg.name() != k.String() || tagOf([]byte(k.String())) != tg {
			t.Errorf("%s: tag %#x of kind %s called %s", k, tg, tg.kind(), tg.name())
		}
	}
	if n := tag(0x30).name() + tag(0x300).name() + tag(0x23F).name(); n != "" {
		t.Errorf("tags without a name are called %q", n)
	}
	if wbxml.PublicSyncML12 != 0x1201 || len(publicText12) != 0x1D {
		t.Error("public identifier of SyncML 1.2")
	}
}
