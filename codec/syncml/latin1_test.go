package syncml

import (
	"strings"
	"testing"
)

// latin1Doc is a message in ISO-8859-1 with a letter beyond US-ASCII in every kind of place: a view, a value of several
// parts, the string table, a literal, inline elements. OPAQUE is bytes and stays as it is.
const latin1Doc = "02 A4 01 04 03 E4 62 00 6D 6C 66 03 'M' FC 'ller' 00 01 6E 57 03 FC 00 01 56 83 00 01 01 01" +
	"6B 60 4B 03'1'00 01 54 4F 03 'a' E9 00 02 A0 2C 03 FF 00 01 01" +
	"54 4F C3 02 E9 FF 01 01 54 4F 83 00 01 01" +
	"54 4F 00 02 64 66 03 '<' C0 01 'x' 00 01 04 00 01 00 00 01 01 01 01 01"

func TestLatin1(t *testing.T) {
	m := read(t, wire(t, latin1Doc), WBXML)
	items := m.Commands[0].Items
	for _, c := range []struct {
		name, got, want string
	}{
		{"a view", string(m.Header.Target.URI), "ü"},
		{"from the string table", string(m.Header.Target.Name), "äb"},
		{"several parts", string(items[0].Data), "aé\u102Cÿ"},
		{"OPAQUE", string(items[1].Data), "\xE9\xFF"},
		{"Data from the string table", string(items[2].Data), "äb"},
		{"inline elements", string(items[3].Data),
			`<Node xmlns="syncml:dmddf1.2"><NodeName>&lt;À�x</NodeName><äb/></Node>`},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
	if !m.Style.Latin1 {
		t.Error("the charset is not noted")
	}
	// A reply goes out in it, with a character entity for what it lacks, and in UTF-8 as XML.
	items[3].Data, items[3].Markup = []byte("ß"), false
	doc := m.Append(nil, WBXML)
	for _, part := range []string{"02 A4 01 04 00", "57 03 FC 00 01", "4F 03'a' E9 00 02 A0 2C 03 FF 00 01",
		"4F C3 02 E9 FF 01", "4F 03 DF 00 01"} {
		if !strings.Contains(string(doc), string(wire(t, part))) {
			t.Errorf("no %s in\n% X", part, doc)
		}
	}
	same(t, read(t, doc, WBXML), m)
	text := string(m.Append(nil, XML))
	if !strings.Contains(text, `encoding="UTF-8"`) || !strings.Contains(text, "<LocURI>ü<") {
		t.Error(text)
	}
}

func TestLatin1XML(t *testing.T) {
	m := read(t, []byte("<?xml version='1.0' encoding='iso-8859-1'?><SyncML><SyncHdr><Target>"+
		"<LocURI>\xFC</LocURI></Target></SyncHdr>"+
		"<SyncBody><Add><CmdID>1</CmdID><Item><Data>a\xE9&#x102C;<![CDATA[<\xFF]]></Data></Item><Item><Data>"+
		"<x a='\xE4'>\xE4</x></Data>"+
		"</Item></Add></SyncBody></SyncML>"), XML)
	items := m.Commands[0].Items
	for _, c := range []struct{ got, want string }{
		{string(m.Header.Target.URI), "ü"},
		{string(items[0].Data), "aé\u102C<ÿ"},
		{string(items[1].Data), "<x a='ä'>ä</x>"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	if m.Style.Latin1 {
		t.Error("XML does not go out in ISO-8859-1")
	}
}

// Once a message has its scratch, transcoding allocates nothing; nor does writing.
func TestLatin1Allocs(t *testing.T) {
	doc := wire(t, latin1Doc)
	xml := []byte("<?xml version='1.0' encoding='ISO-8859-1'?><SyncML><SyncHdr/><SyncBody><Add><Item>" +
		"<Data>\xE9</Data></Item></Add>" +
		"</SyncBody></SyncML>")
	for _, c := range []struct {
		doc []byte
		enc Encoding
	}{{doc, WBXML}, {xml, XML}} {
		var m Message
		if n := testing.AllocsPerRun(100, func() {
			if err := m.Read(c.doc, c.enc, nil); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("reading %v in ISO-8859-1 allocates %v times", c.enc, n)
		}
		m.Style.Latin1 = true
		var out []byte
		if n := testing.AllocsPerRun(100, func() { out = m.Append(out[:0], WBXML) }); n != 0 {
			t.Errorf("writing ISO-8859-1 allocates %v times", n)
		}
	}
}
