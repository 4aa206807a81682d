package push

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"dmgate/codec/internal/oracle"

	"dmgate/codec/internal/vector"
	"pgregory.net/rapid"
)

// The samples of section 6.5, and one with all attributes.
func TestIndication(t *testing.T) {
	for _, v := range []struct {
		name string
		si   Indication
		want string
	}{
		{"sample", Indication{Href: "https://dm.test/x", ID: "1", Action: "signal-high", Text: "Get app"},
			"02 05 6A 00 45 C6 0E 03'dm.test/x'00 11 03'1'00 08 01 03'Get app'00 01 01"},
		{"everything", Indication{Href: "http://www.a/", ID: "i", Created: time.Date(2024, 8, 1, 12, 30, 0, 0,
			time.UTC),
			Expires: time.Date(2024, 8, 2, 0, 0, 0, 0, time.UTC), Class: "c", Action: "delete"},
			"02 05 6A 00 45 86 0D 03'a/'00 11 03'i'00 0A C3 06 202408011230 10 C3 04 20240802 12 03'c'00 09 01 01"},
		{"another scheme", Indication{Href: "tel:1"}, "02 05 6A 00 45 86 0B 03'tel:1'00 01 01"},
	} {
		t.Run(v.name, func(t *testing.T) {
			want := vector.Bytes(t, v.want)
			if got := v.si.AppendWBXML(nil); !bytes.Equal(got, want) {
				t.Errorf("got  % X\nwant % X", got, want)
			}
			if got, err := ReadIndication(want); err != nil || !reflect.DeepEqual(got, v.si) {
				t.Errorf("read %+v, %v", got, err)
			}
			if got, err := ReadIndicationXML(v.si.AppendXML(nil)); err != nil || !reflect.DeepEqual(got, v.si) {
				t.Errorf("by way of XML: %+v, %v", got, err)
			}
		})
	}
}

func TestLoading(t *testing.T) {
	sl := Loading{Href: "https://dm.test/x", Action: "execute-high"}
	want := vector.Bytes(t, "02 06 6A 00 85 0B 03'dm.test/x'00 06 01")
	if got := sl.AppendWBXML(nil); !bytes.Equal(got, want) {
		t.Errorf("got  % X\nwant % X", got, want)
	}
	if got, err := ReadLoading(want); err != nil || got != sl {
		t.Errorf("read %+v, %v", got, err)
	}
	if got, err := ReadLoadingXML(sl.AppendXML(nil)); err != nil || got != sl {
		t.Errorf("by way of XML: %+v, %v", got, err)
	}
	got, err := ReadLoading(vector.Bytes(t, "02 06 6A 00 85 0A 03'acme'00 85 03'x'00 07 01"))
	if want := (Loading{"http://www.acme.com/x", "cache"}); err != nil || got != want {
		t.Errorf("with a domain's token: %+v, %v", got, err)
	}
}

// The identifier in text or unknown, and ISO-8859-1.
func TestLinkHeaders(t *testing.T) {
	for _, header := range []string{"02 01 6A 00", "02 00 00 6A 1B '-//WAPFORUM//DTD SI 1.0//EN'",
		"03 00 00 6A 1C '-//WAPFORUM//DTD SI 1.0//EN' 00"} {
		got, err := ReadIndication(vector.Bytes(t, header+"45 C6 0B 03'a'00 01 03'b'00 01 01"))
		if want := (Indication{Href: "a", Text: "b"}); err != nil || got != want {
			t.Errorf("%s: %+v, %v", header, got, err)
		}
	}
	got, err := ReadIndication(vector.Bytes(t, "02 05 04 00 45 C6 0B 03 E4 00 01 03 F6 00 01 01"))
	if want := (Indication{Href: "ä", Text: "ö"}); err != nil || got != want {
		t.Errorf("ISO-8859-1: %+v, %v", got, err)
	}
	sl, err := ReadLoading(vector.Bytes(t, "02 00 00 6A 1B '-//WAPFORUM//DTD SL 1.0//EN' 85 08 03'a'00 01"))
	if err != nil || sl.Href != "a" {
		t.Errorf("%+v, %v", sl, err)
	}
}

// What libwbxml and others make of the same things.
func TestLinkForms(t *testing.T) {
	want := Indication{Href: "http://a", ID: "é", Created: time.Date(2024, 8, 1, 0, 0, 0, 0, time.UTC), Text: "b\nc"}
	for name, doc := range map[string]string{
		"literal names": "02 05 6A 13 'href'00'si-id'00'created'00 45 C6 04 00 03'http://a'00 04 05 02 81 69" +
			"04 0B C3 04 20240801 01 03'b'00 02 0A 03'c'00 01 01",
		"bytes for text": "02 05 6A 00 45 C6 0C C3 01'a' 11 C3 02 C3A9 0A C3 04 20240801 01 C3 03'b'0A'c' 01 01",
		"a date in text": "02 05 6A 00 45 C6 0C 03'a'00 11 03 C3A9 00 0A 03'2024-08-01T00:00:00Z'00 01" +
			"03'b'0A'c'00 01 01",
		"white space between": "02 05 6A 00 45 03 0A 00 C6 0C 03'a'00 11 03 C3A9 00 0A C3 04 20240801 01" +
			"03'b'0A'c'00 01 02 20 01",
	} {
		if got, err := ReadIndication(vector.Bytes(t, doc)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	sl, err := ReadLoading(vector.Bytes(t, "02 06 6A 07 'action'00 C5 04 00 03'cache'00 08 03'a'00 01 03 20 00 01"))
	if want := (Loading{Href: "a", Action: "cache"}); err != nil || sl != want {
		t.Errorf("%+v, %v", sl, err)
	}
	const doc = "\xEF\xBB\xBF<?xml version='1.0' encoding='ISO-8859-1'?><!DOCTYPE si [<!ENTITY a '>'><?p \" ?>]>\n" +
		"<!-- --><si xmlns='x'> <indication href='http://a' si-id='\xE9' created='2024-08-01T00:00:00Z'>b<![CDATA[\nc]]>" +
		"<!-- --></indication></si>\n"
	if got, err := ReadIndicationXML([]byte(doc)); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

// No references by number: clients refuse them.
func TestWrittenLinksHaveNoNumbers(t *testing.T) {
	const all = "&<>\"'\t\r\n\x01\xFFé"
	si, sl := Indication{Href: all, ID: all, Class: all, Text: all + "\r"}, Loading{Href: all}
	for got, want := range map[string]string{
		string(si.AppendXML(nil)): "si-id=\"&amp;&lt;&gt;&quot;'  \uFFFD\uFFFDé\" " +
			"class=\"&amp;&lt;&gt;&quot;'  \uFFFD\uFFFDé\">&amp;&lt;&gt;\"'\t\n\uFFFD\uFFFDé\n</indication></si>\n",
		string(sl.AppendXML(nil)): "<sl href=\"&amp;&lt;&gt;&quot;'  \uFFFD\uFFFDé\"/>\n",
	} {
		if !strings.HasSuffix(got, want) || strings.Contains(got, "&#") {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

func TestMalformedLinks(t *testing.T) {
	si := func(b []byte) error { _, err := ReadIndication(b); return err }
	sl := func(b []byte) error { _, err := ReadLoading(b); return err }
	siXML := func(b []byte) error { _, err := ReadIndicationXML(b); return err }
	slXML := func(b []byte) error { _, err := ReadLoadingXML(b); return err }
	for _, v := range []struct {
		name, doc string
		read      func([]byte) error
		want      string
	}{
		{"nothing", "", si, "wbxml: offset 0: empty document"},
		{"an SL", "02 06 6A 00 05", si, "push: offset 1: public identifier 0x6 (want 0x05)"},
		{"another in text", "02 00 00 6A 02'SL'05", si,
			`push: offset 1: public identifier "SL" (want "-//WAPFORUM//DTD SI 1.0//EN")`},
		{"an SI in text", "02 00 00 6A 1B '-//WAPFORUM//DTD SI 1.0//EN' 05", sl,
			`push: offset 1: public identifier "-//WAPFORUM//DTD SI 1.0//EN" (want "-//WAPFORUM//DTD SL 1.0//EN")`},
		{"an unknown charset", "02 05 07 00 05", si,
			"wbxml: offset 2: charset 7 (want 106 for UTF-8, 3 for US-ASCII or 4 for ISO-8859-1)"},
		{"element cut off", "02 05 6A 00 45 06", si, "wbxml: offset 6: document ends inside an element (depth 1)"},
		{"text cut off", "02 05 6A 00 45 46 03'abc'", si, "wbxml: offset 6: inline string without its NUL"},
		{"attributes cut off", "02 06 6A 00 85 08", sl, "wbxml: offset 6: document ends inside an attribute list"},
		{"an SI", "02 05 6A 00 05", sl, "push: offset 1: public identifier 0x5 (want 0x06)"},
		{"empty si", "02 05 6A 00 05", si,
			"push: offset 4: root element is not si with an indication in it"},
		{"root cut off", "02 05 6A 00 C5 0B", si, "push: offset 4: root element is not si with an indication in it"},
		{"no root", "02 05 6A 00", si, "wbxml: offset 4: document ends inside an element (depth 0)"},
		{"nothing in si", "02 05 6A 00 45", si, "wbxml: offset 5: document ends inside an element (depth 1)"},
		{"sl without attributes", "02 06 6A 00 05", sl, "push: offset 4: root element is not sl with attributes"},
		{"content in sl", "02 06 6A 00 C5 08 01 03'x'00 01", sl, "push: offset 7: content in sl"},
		{"sl cut off", "02 06 6A 00 C5 08 01", sl, "wbxml: offset 7: document ends inside an element (depth 1)"},
		{"info", "02 05 6A 00 45 07 01", si, "push: offset 5: no indication in si"},
		{"indication and info", "02 05 6A 00 45 06 07 01", si, "push: offset 6: more than an indication in si"},
		{"unknown attribute", "02 05 6A 00 45 86 20 01 01", si,
			"push: offset 6: unknown attribute token 0x20 on page 0"},
		{"unknown value", "02 05 6A 00 45 86 0B 90 01 01", si, "push: offset 7: unknown value token 0x90"},
		{"value without an attribute", "02 05 6A 00 45 86 03'x'00 01 01", si,
			"push: offset 6: value without an attribute"},
		{"long value", "02 05 6A 00 45 86 0B 03'" + strings.Repeat("x", 4097) + "'00 01 01", si,
			"push: offset 7: value of more than 4096 bytes"},
		{"date in other words", "02 05 6A 00 45 86 0A 03'x'00 01 01", si,
			"push: offset 6: date 78 (want YYYYMMDDhhmmss)"},
		{"date of 8 octets", "02 05 6A 00 45 86 10 C3 08 2024080212000000 01 01", si,
			"push: offset 6: date 2024080212000000 (want YYYYMMDDhhmmss)"},
		{"address twice", "02 05 6A 00 45 86 0B 03'x'00 0C 01 01", si, "push: offset 10: the same attribute twice"},
		{"date twice", "02 05 6A 00 45 86 10 C3 04 20240802 10 C3 04 20240802 01 01", si,
			"push: offset 13: the same attribute twice"},
		{"literal of another name", "02 05 6A 02'x'00 45 86 04 00 01 01", si, `push: offset 8: unknown attribute "x"`},
		{"literal of an unknown action", "02 06 6A 07'action'00 85 04 00 03'x'00 01", sl,
			`push: offset 12: unknown action "x"`},
		{"attribute on another page", "02 05 6A 00 45 86 00 01 0B 01 01", si,
			"push: offset 8: unknown attribute token 0x0B on page 1"},
		{"line break in an address", "02 05 6A 00 45 86 0B 03 0A 00 01 01", si,
			`push: offset 6: control character or broken UTF-8 in "\n"`},
		{"bytes that are no text", "02 05 6A 00 45 46 C3 01 00 01 01", si,
			`push: offset 9: control character or broken UTF-8 in "\x00"`},
		{"date of a 13th month", "02 05 6A 00 45 86 0A C3 04 20241302 01 01", si,
			"push: offset 6: date 20241302 (want YYYYMMDDhhmmss)"},
		{"address in bytes", "02 05 6A 00 45 86 0B C3 01 00 01 01", si,
			`push: offset 6: control character or broken UTF-8 in "\x00"`},
		{"element in the text", "02 05 6A 00 45 46 07 01 01", si,
			"push: offset 6: something else than text in an indication"},
		{"si's attribute in sl", "02 06 6A 00 85 11 03'x'00 01", sl,
			"push: offset 5: unknown attribute token 0x11 on page 0"},
		{"long text", "02 05 6A 00 45 46 03'" + strings.Repeat("x", 4097) + "'00 01 01", si,
			"push: offset 6: more than 4096 bytes of text"},
		{"no XML", "'x'", siXML, "xml: offset 0: text outside an indication"},
		{"no document", "", siXML, "xml: offset 0: no element si where it should be"},
		{"another element", "'<sl/>'", siXML, "xml: offset 0: no element si where it should be"},
		{"XML of an SI", "'<si/>'", slXML, "xml: offset 0: no element sl where it should be"},
		{"no indication", "'<si/>'", siXML, "xml: offset 5: no element indication where it should be"},
		{"XML info", "'<si><indication/><info/></si>'", siXML, `xml: offset 17: element "info" where none should be`},
		{"two indications", "'<si><indication/><indication/></si>'", siXML,
			`xml: offset 17: element "indication" where none should be`},
		{"text behind", "'<si><indication/></si>x'", siXML, "xml: offset 22: text outside an indication"},
		{"element behind", "'<sl/><sl/>'", slXML, `xml: offset 5: element "sl" where none should be`},
		{"element in sl", "'<sl><a/></sl>'", slXML, `xml: offset 4: element "a" where none should be`},
		{"element in the XML text", "'<si><indication>a<b/></indication></si>'", siXML,
			`xml: offset 17: element "b" in an indication`},
		{"XML cut off", "'<si><indication>a'", siXML, "xml: offset 17: unexpected EOF"},
		{"XML cut off behind", "'<si><indication/>'", siXML, "xml: offset 17: unexpected EOF"},
		{"unknown XML attribute", `'<sl href="a" x="b"/>'`, slXML, `xml: offset 0: unknown attribute "x" in sl`},
		{"long XML value", `'<sl href="` + strings.Repeat("x", 4097) + `"/>'`, slXML,
			"xml: offset 0: href of more than 4096 bytes"},
		{"long XML text", "'<si><indication>" + strings.Repeat("x", 4097) + "'", siXML,
			"xml: offset 16: more than 4096 bytes of text"},
		{"XML date", `'<si><indication created="x"/></si>'`, siXML,
			`xml: offset 4: date "x" (want 2006-01-02T15:04:05Z)`},
		{"XML expiry", `'<si> <indication si-expires="x"/></si>'`, siXML,
			`xml: offset 5: date "x" (want 2006-01-02T15:04:05Z)`},
		{"charset of XML", `'<?xml encoding="KOI8-R"?><sl/>'`, slXML,
			`xml: offset 6: encoding "KOI8-R" (want UTF-8, US-ASCII or ISO-8859-1)`},
		{"XML action", `'<sl href="x" action="y"/>'`, slXML, `xml: offset 0: unknown action "y"`},
	} {
		t.Run(v.name, func(t *testing.T) { expect(t, v.read(vector.Bytes(t, v.doc)), v.want) })
	}
}

func genIndication(t *rapid.T) Indication {
	text := rapid.StringMatching(`[a-zA-Z0-9 <&>ü☺]{0,20}`)
	scheme := rapid.SampledFrom([]string{"http://", "https://", "http://www.", "https://www.", "tel:"})
	s := Indication{
		Href:  scheme.Draw(t, "scheme") + text.Draw(t, "href"),
		ID:    text.Draw(t, "id"),
		Class: text.Draw(t, "class"),
		Action: rapid.SampledFrom([]string{"", "signal-none", "signal-low", "signal-medium", "signal-high"}).Draw(t,
			"action"),
		Text: text.Draw(t, "text"),
	}
	if rapid.Bool().Draw(t, "created") {
		s.Created = genTime().Draw(t, "time").UTC()
	}
	return s
}

func TestIndicationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genIndication(t)
		if got, err := ReadIndication(s.AppendWBXML(nil)); err != nil || !reflect.DeepEqual(got, s) {
			t.Fatalf("by way of WBXML: %+v, %v", got, err)
		}
		if got, err := ReadIndicationXML(s.AppendXML(nil)); err != nil || !reflect.DeepEqual(got, s) {
			t.Fatalf("by way of XML: %+v, %v", got, err)
		}
	})
}

// libwbxml makes XML of what we write, and we read that.
func TestLibwbxmlReadsLinks(t *testing.T) {
	wbxml2xml := oracle.Need(t, "wbxml2xml")
	for seed := range 20 {
		s := rapid.Custom(genIndication).Example(seed)
		s.Text = strings.TrimSpace(s.Text) // it trims
		out := oracle.Run(t, s.AppendWBXML(nil), wbxml2xml, "-m", "0", "-o", "-", "-")
		if got, err := ReadIndicationXML(out); err != nil || !reflect.DeepEqual(got, s) {
			t.Fatalf("%v\ngot  %+v\nwant %+v\n%s", err, got, s, out)
		}
	}
	sl := Loading{Href: "https://dm.test/x", Action: "cache"}
	out := oracle.Run(t, sl.AppendWBXML(nil), wbxml2xml, "-o", "-", "-")
	if got, err := ReadLoadingXML(out); err != nil || got != sl {
		t.Fatalf("%v\ngot  %+v\n%s", err, got, out)
	}
}
