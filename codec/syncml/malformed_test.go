package syncml

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"dmgate/codec"
	"dmgate/codec/wbxml"
)

// bad is malformed input and the error it must give.
type bad struct {
	doc    string
	offset int
	msg    string
}

func (b bad) check(t *testing.T, doc []byte, enc Encoding, lim *Limits) {
	t.Helper()
	var m Message
	err := m.Read(doc, enc, lim)
	var syntax *codec.SyntaxError
	if !errors.As(err, &syntax) {
		t.Errorf("%s\nerror %v, want %q", b.doc, err, b.msg)
		return
	}
	if syntax.Format != enc.String() || syntax.Offset != b.offset || syntax.Msg != b.msg {
		t.Errorf("%s\ngot  %v\nwant %s: offset %d: %s", b.doc, err, enc, b.offset, b.msg)
	}
}

// body is a WBXML message with the given content of SyncBody, which begins at offset 8.
func body(content string) string { return "HDR 6D 2C 6B" + content }

func TestMalformedWBXML(t *testing.T) {
	for _, b := range []bad{
		// Header.
		{"", 0, "empty document"},
		{"00 A4 01 6A 00 2D", 0, "version byte 0x00 (want 0x01 to 0x03)"},
		{"04 A4 01 6A 00 2D", 0, "version byte 0x04 (want 0x01 to 0x03)"},
		{"02", 1, "document ends in the public identifier"},
		{"02 A4", 2, "document ends in the public identifier"},
		{"02 FF FF FF FF FF 01 6A 00", 1, "public identifier takes more than five bytes"},
		{"02 8F FF FF FF 7F 6A 00 2D", 1, "public identifier 4294967295 is too large"},
		{"02 0B 6A 00 2D", 1, "public identifier 0x0B is not SyncML"},
		{"02 A4 03 6A 00 2D", 1, "public identifier 0x1203 is not SyncML"},
		{"02 00", 2, "document ends in the public identifier's string table index"},
		{"02 00 05 6A 02'ab'2D", 2, "string table index 5 past its end (2)"},
		{"02 00 00 6A 02'ab'2D", 1, `document type "ab" is not SyncML`},
		{"02 00 00 6A 00 2D", 2, "string table index 0 past its end (0)"},
		{"02 A4 01", 3, "document ends in the charset"},
		{"02 A4 01 05 00 2D", 3, "charset 5 (want 106 for UTF-8, 3 for US-ASCII or 4 for ISO-8859-1)"},
		{"02 A4 01 87 68 00 2D", 3, "charset 1000 (want 106 for UTF-8, 3 for US-ASCII or 4 for ISO-8859-1)"},
		{"02 A4 01 6A", 4, "document ends in the string table length"},
		{"02 A4 01 6A 05'abc'", 4, "string table of 5 bytes, only 3 left"},
		// Frame.
		{"HDR", 5, "document ends inside an element (depth 0)"},
		{"HDR 01", 5, "END without an open element"},
		{"HDR 03'x'00", 5, "token 0x03 before the root element"},
		{"HDR 6C 01", 5, "root element is SyncHdr, not SyncML"},
		{"HDR 00 01 53 01", 7, "root element is Type, not SyncML"},
		{"HDR 7E 01", 5, "root element is tag 0x3E of page 0, not SyncML"},
		{"HDR 2D", 6, "SyncML without SyncHdr"},
		{"HDR 6D 2B 01", 8, "SyncML without SyncHdr"},
		{"HDR 6D 2C 01", 8, "SyncML without SyncBody"},
		{"HDR 6D 2C 2C 01", 7, "second SyncHdr"},
		{"HDR 6D 2C 2B 2B 01", 8, "second SyncBody"},
		{"HDR 6D 2C 2B 01 01", 9, "1 bytes after the root element"},
		{"HDR 6D 2C 2B 01 00 00 2D", 9, "3 bytes after the root element"},
		{"HDR 6D 2C 6B", 8, "document ends inside an element (depth 2)"},
		{"HDR 6D 03'x'00 2C 2B 01", 6, `text "x" where an element was expected`},
		{"HDR 6D 02 41 2C 2B 01", 6, `character 'A' where an element was expected`},
		{"HDR 6D C3 01'x'2C 2B 01", 6, `text "x" where an element was expected`},
		// Tokens.
		{body("46 4B 03'1'"), 10, "inline string without its NUL"},
		{body("46 4B 83 01 01 01"), 11, "string table index 1 past its end (0)"},
		{body("46 4B 83"), 11, "document ends in the string table index"},
		{body("46 4B C3 05'1'01 01"), 11, "opaque data of 5 bytes, only 3 left"},
		{body("46 4B C3 8F FF FF FF 7F 01 01"), 11, "opaque length 4294967295 is too large"},
		{body("46 4B C3"), 11, "document ends in the opaque length"},
		{body("46 4B 02 00 01 01"), 11, "entity 0 is no character"},
		{body("46 4B 02 83 B0 00 01 01"), 11, "entity 55296 is no character"},
		{body("46 4B 02 C4 80 00 01 01"), 11, "entity 1114112 is no character"},
		{body("46 4B 80 01 01"), 10, "extension token 0x80 has no meaning in this document type"},
		{body("46 4B 40 01 01"), 10, "extension token 0x40 has no meaning in this document type"},
		{body("46 00"), 10, "document ends in a page switch"},
		{body("46 00 03 45 01 01"), 11, "code page 3 (want 0 to 2)"},
		{body("46 5A 00 FF 07 01"), 12, "code page 255 (want 0 to 2)"},
		{body("46 67 15 55 00 03 05 01"), 14, "code page 3 (want 0 to 2)"},
		{body("86 05"), 10, "document ends inside an attribute list"},
		{body("86 43 01 01"), 9, "token 0x43 inside an attribute list"},
		{body("86 04 00 01"), 10, "string table index 0 past its end (0)"},
		{body("44 09 01"), 9, "string table index 9 past its end (0)"},
		// Grammar.
		{body("1F 01"), 8, "Put in SyncBody is no command of OMA DM"},
		{body("6A 01 01"), 8, "Sync in SyncBody is no command of OMA DM"},
		{body("0F 01"), 8, "Data in SyncBody is no command of OMA DM"},
		{body("3E 01"), 8, "tag 0x3E of page 0 in SyncBody is no command of OMA DM"},
		{body("48 18 01 01"), 9, "Map in Atomic is no command of OMA DM"},
		{body("45 23 01 01"), 9, "Search in Add is no command of OMA DM"},
		{body("64 3B 01 01"), 9, "Move in Sequence is no command of OMA DM"},
		{body("45 13 01 01"), 9, "Get inside Add"},
		{body("48 14 01 01"), 9, "Item inside Atomic"},
		{body("64 54 01 01"), 9, "Item inside Sequence"},
		{body("46 4B 0F 01 01"), 10, "element Data where text was expected"},
		{body("46 4B 03'1'00 0F 01 01"), 13, "element Data where text was expected"},
		{body("46 54 4F 00 02 7E 01 01 01"), 13, `"tag 0x3E of page 2" is no element of a Data`},
		{body("46 54 4F 00 02 60 64 01 01 01"), 18, "document ends inside an element (depth 4)"},
		{"HDR 6D 6C 5A 00 01 4C 03'12k'00 01 01 01 2B 01", 11, `"12k" is no number`},
		{"HDR 6D 6C 5A 00 01 4C 03'-1'00 01 01 01 2B 01", 11, `"-1" is no number`},
		{"HDR 6D 6C 5A 00 01 4C 03'99999999999999999999'00 01 01 01 2B 01", 11, "number 99999999999999999999 is too large"},
		{"02 A4 01 6A 03'<x>' 6D 2C 6B 46 54 4F 44 00 01 01 01 01 01 01", 14, `"<x>" is no element of a Data`},
		{body("46 54 4F 00 02 24"), 14, "document ends inside an element (depth 5)"},
		{body("46 54 4F 00 03 24 01 01 01"), 13, "code page 3 (want 0 to 2)"},
		{body("46 54 4F 00 02 64 00 03 24 01 01 01"), 16, "code page 3 (want 0 to 2)"},
		{body("46 4B 03'1'00 00 03 05 01 01"), 15, "code page 3 (want 0 to 2)"},
		{body("46 4B 04"), 11, "document ends in the literal tag's name"},
		{body("46 4B 04 81"), 12, "document ends in the literal tag's name"},
		{body("86 04 80 80 80 80 80 01"), 10, "literal attribute's name takes more than five bytes"},
		{body("46 4B 83 88 80 80 80 00"), 11, "string table index 2147483648 is too large"},
		{"02 A4 01 6A 03'a>'00 6D 2C 6B 46 54 4F 44 00 01 01 01 01 01 01", 14, `"a>" is no element of a Data`},
		{"02 A4 01 6A 03'x' FF 00 6D 2C 6B 46 54 4F 44 00 01 01 01 01 01 01", 14, `"x\xff" is no element of a Data`},
		{"02 A4 01 04 03'<' FC 00 6D 2C 6B 46 54 4F 44 00 01 01 01 01 01 01", 14, `"<ü" is no element of a Data`},
		{"02 A4 01 6A 02'x'00 6D 2C 6B 44 00 01 01 01", 10, "x in SyncBody is no command of OMA DM"},
	} {
		b.check(t, wire(t, b.doc), WBXML, nil)
	}
}

// xmlBegin is the beginning of an XML message with the given content of SyncBody, which begins at offset 28.
func xmlBegin(content string) string { return "<SyncML><SyncHdr/><SyncBody>" + content }

func TestMalformedXML(t *testing.T) {
	for _, b := range []bad{
		// Prolog and frame.
		{"", 0, "document without a root element"},
		{" \n", 2, "document without a root element"},
		{"\xFF\xFE<\x00", 0, "UTF-16 (want UTF-8)"},
		{"hello", 0, `text "hello" in front of the root element`},
		{`<?xml version="1.0" encoding="ISO-8859-2"?><SyncML/>`, 20,
			`encoding "ISO-8859-2" (want UTF-8, US-ASCII or ISO-8859-1)`},
		{`<?xml version="1.0"`, 19, "document ends in the XML declaration"},
		{"<!-- x", 6, "document ends in a comment"},
		{"<?x ?", 5, "document ends in a processing instruction"},
		{"<!DOCTYPE SyncML [ <!ENTITY ", 28, "document ends in the DOCTYPE"},
		{"<!DOCTYPE SyncML '>", 19, "document ends in a quoted value"},
		{"<!DOCTYPE a><!DOCTYPE b><SyncML/>", 12, "'<' that starts no tag"},
		{"<!DOCTYPE a [ <!-- x ]>", 23, "document ends in a comment"},
		{"<SyncML><!-- x", 14, "document ends in a comment"},
		{"<SyncML><SyncHdr/><SyncBody/></SyncML><?x", 41, "document ends in a processing instruction"},
		{"<SyncML><SyncHdr><VerDTD>1<1/>", 26, "'<' that starts no tag"},
		{"<SyncML><SyncHdr><Lang>1<1/>", 24, "'<' that starts no tag"},
		{xmlBegin("<Add><Item><Data><1/>"), 45, "'<' that starts no tag"},
		{"<", 1, "document ends in a tag"},
		{"<SyncML", 7, "document ends in a tag"},
		{"<1/>", 0, "'<' that starts no tag"},
		{"< SyncML/>", 0, "'<' that starts no tag"},
		{"<s:/>", 0, "'<' that starts no tag"},
		{"<Sync/>", 0, "root element is Sync, not SyncML"},
		{"<html/>", 0, "root element is html, not SyncML"},
		{"<SyncML/>", 9, "SyncML without SyncHdr"},
		{"<SyncML><SyncHdr/></SyncML>", 27, "SyncML without SyncBody"},
		{"<SyncML><SyncHdr/><SyncHdr/></SyncML>", 18, "second SyncHdr"},
		{"<SyncML><SyncHdr/><SyncBody/><SyncBody/></SyncML>", 29, "second SyncBody"},
		{"<SyncML><SyncHdr/><SyncBody/></SyncML>x", 38, "1 bytes after the root element"},
		{"<SyncML><SyncHdr/><SyncBody/></SyncML><a/>", 38, "4 bytes after the root element"},
		{"<SyncML><SyncHdr/><SyncBody/>", 29, `document ends inside "SyncML"`},
		{"<SyncML><SyncHdr/><SyncBody/></SyncML", 37, "document ends in an end tag"},
		{"<SyncML><SyncHdr/><SyncBody/></SyncHdr>", 29, `end tag "SyncHdr", but "SyncML" is open`},
		{"<SyncML><SyncHdr/><SyncBody/></SyncMLx>", 29, `end tag "SyncMLx", but "SyncML" is open`},
		{"<a:SyncML><SyncHdr/><SyncBody/></SyncML>", 31, `end tag "SyncML", but "a:SyncML" is open`},
		{"<SyncML><SyncHdr/><SyncBody/></SyncML x>", 38, `end tag "SyncML" without its '>'`},
		{"<SyncML>x<SyncHdr/></SyncML>", 8, `text "x<SyncHdr/></SyncML>" where an element was expected`},
		{"<SyncML><![CDATA[ ]]></SyncML>", 8, `"<![CDATA[ ]]></SyncML>" where an element was expected`},
		{"<SyncML><!ELEMENT></SyncML>", 8, `"<!ELEMENT></SyncML>" where an element was expected`},
		// Attributes.
		{"<SyncML a></SyncML>", 9, "attribute without a value"},
		{"<SyncML a=b></SyncML>", 10, `'b' where a quoted value was expected`},
		{"<SyncML a='b></SyncML>", 22, "document ends in a quoted value"},
		{"<SyncML a='b'c='d'></SyncML>", 13, "'c' inside a tag"},
		{"<SyncML a='<'></SyncML>", 11, "'<' inside an attribute"},
		{"<SyncML / ></SyncML>", 8, "'/' inside a tag"},
		{"<SyncML =''></SyncML>", 8, "'=' inside a tag"},
		{"<SyncML a=", 10, "document ends in a tag"},
		// Content.
		{xmlBegin("<Get><CmdID>1"), 41, `document ends inside "CmdID"`},
		{xmlBegin("<Get><CmdID>1<"), 42, `document ends inside "CmdID"`},
		{xmlBegin("<Get><CmdID>1</Cmd></Get>"), 41, `end tag "Cmd", but "CmdID" is open`},
		{xmlBegin("<Get><CmdID>&x;</CmdID></Get>"), 40, `reference "&x;" is none of XML's own`},
		{xmlBegin("<Get><CmdID>&</CmdID></Get>"), 40, `reference "&" is none of XML's own`},
		{xmlBegin("<Get><CmdID>&#;</CmdID></Get>"), 40, `reference "&#;" is none of XML's own`},
		{xmlBegin("<Get><CmdID>&#x;</CmdID></Get>"), 40, `reference "&#x;" is none of XML's own`},
		{xmlBegin("<Get><CmdID>&#0;</CmdID></Get>"), 40, `reference "&#0;" is none of XML's own`},
		{xmlBegin("<Get><CmdID>&#xD800;</CmdID></Get>"), 40, `reference "&#xD800;" is none of XML's own`},
		{xmlBegin("<Get><CmdID>&#9999999999;</CmdID></Get>"), 40, `reference "&#9999999999;" is none of XML's own`},
		{xmlBegin("<Get><CmdID>&#1a;</CmdID></Get>"), 40, `reference "&#1a;" is none of XML's own`},
		{xmlBegin("<Get><CmdID>a&amp</CmdID></Get>"), 41, `reference "&amp" is none of XML's own`},
		{xmlBegin("<Get><CmdID><b/></CmdID></Get>"), 40, "element b where text was expected"},
		{xmlBegin("<Get><CmdID><!-- </CmdID></Get>"), 59, "document ends in a comment"},
		{xmlBegin("<Get><CmdID><![CDATA[]]"), 51, "document ends in a CDATA section"},
		{xmlBegin("<Get><CmdID><!x></CmdID></Get>"), 40, `"<!x></CmdID></Get>" inside an element`},
		{xmlBegin("<Get><Item><Data><a></b></Data>"), 48, `end tag "b", but "a" is open`},
		{xmlBegin("<Get><Item><Data><a/>&e;</Data>"), 49, `reference "&e;" is none of XML's own`},
		{xmlBegin("<Get><Item><Data><a>"), 48, `document ends inside "a"`},
		{xmlBegin("<Get><x><y></x></y></Get>"), 39, `end tag "x", but "y" is open`},
		// Grammar.
		{xmlBegin("<Put/>"), 28, "Put in SyncBody is no command of OMA DM"},
		{xmlBegin("<Vendor/>"), 28, "Vendor in SyncBody is no command of OMA DM"},
		{xmlBegin("<Add><Sync/></Add>"), 33, "Sync in Add is no command of OMA DM"},
		{xmlBegin("<Add><Get/></Add>"), 33, "Get inside Add"},
		{xmlBegin("<Atomic><Item/></Atomic>"), 36, "Item inside Atomic"},
		{"<SyncML><SyncHdr><Meta><MaxObjSize>1M</MaxObjSize>", 35, `"1M" is no number`},
	} {
		b.check(t, []byte(b.doc), XML, nil)
	}
}

func TestLimits(t *testing.T) {
	const (
		tooDeep    = "elements nested deeper than 16"
		longString = "text longer than 4 bytes (limit String)"
		longData   = "text longer than 4 bytes (limit Data)"
	)
	deep := func(n int, open, end string) string { return strings.Repeat(open, n) + strings.Repeat(end, n) }
	for _, c := range []struct {
		bad
		lim *Limits
	}{
		{bad{body(deep(13, "48", "01") + "01 01"), 0, ""}, nil},
		{bad{body(deep(15, "48", "01") + "01 01"), 22, tooDeep}, nil},
		{bad{body("45 55" + deep(13, "7D", "01") + "01 01 01 01"), 22, tooDeep}, nil},
		{bad{body("45 54 4F 00 02" + deep(12, "64", "01")), 24, tooDeep}, nil},
		{bad{body("45 45 45 01"), 9, "Add inside Add"}, nil},
		{bad{body("05 05 05 01 01"), 10, "more than 2 commands (limit Commands)"}, &Limits{Commands: 2}},
		{bad{body("45 14 14 01 45 14 01 01 01"), 13, "more than 2 items (limit Items)"}, &Limits{Items: 2}},
		{bad{body("69 6F 03'a'00 01 6F 03'b'00 01 01 69 6F 03'a'00 01 6F 03'b'00 01 01 01 01"), 26,
			"more than 1 references (limit Items)"}, &Limits{Items: 1}},
		{bad{body("45 4B 03'12345'00 01 01 01 01"), 10, longString}, &Limits{String: 4}},
		{bad{body("45 4B 03'123'00 03'45'00 01 01 01 01"), 10, longString}, &Limits{String: 4}},
		{bad{body("45 4B 03'1234'00 02 41 01 01 01 01"), 10, longString}, &Limits{String: 4}},
		{bad{body("45 54 4F 03'12345'00 01 01 01 01"), 11, longData}, &Limits{Data: 4}},
		{bad{body("45 54 4F 03'123'00 02 41 02 41 01 01 01 01"), 11, longData}, &Limits{Data: 4}},
		{bad{body("45 54 4F 00 02 64 03'1'00 01 01 01 01 01"), 11, longData}, &Limits{Data: 4}},
	} {
		if c.msg == "" {
			read(t, wire(t, c.doc), WBXML)
			continue
		}
		c.check(t, wire(t, c.doc), WBXML, c.lim)
	}
	for _, c := range []struct {
		bad
		lim *Limits
	}{
		{bad{xmlBegin(deep(13, "<Atomic>", "</Atomic>") + "</SyncBody></SyncML>"), 0, ""}, nil},
		{bad{xmlBegin(strings.Repeat("<Atomic>", 15)), 28 + 14*8, tooDeep}, nil},
		{bad{xmlBegin("<Add><Lang>" + strings.Repeat("<x>", 13)), 39 + 12*3, tooDeep}, nil},
		{bad{xmlBegin("<Add/><Add/><Add/>"), 40, "more than 2 commands (limit Commands)"}, &Limits{Commands: 2}},
		{bad{xmlBegin("<Add><Item/><Item/><Item/>"), 47, "more than 2 items (limit Items)"}, &Limits{Items: 2}},
		{bad{xmlBegin("<Add><CmdID>12345</CmdID>"), 40, longString}, &Limits{String: 4}},
		{bad{xmlBegin("<Add><CmdID>123&amp;5</CmdID>"), 40, longString}, &Limits{String: 4}},
		{bad{xmlBegin("<Add><Item><Data>12345</Data>"), 45, longData}, &Limits{Data: 4}},
		{bad{xmlBegin("<Add><Item><Data>&#65;&#65;&#65;&#65;&#65;</Data>"), 45, longData}, &Limits{Data: 4}},
		{bad{xmlBegin("<Add><Item><Data><abc/></Data>"), 45, longData}, &Limits{Data: 4}},
		{bad{"<?xml version='1.0' encoding='ISO-8859-1'?>" + xmlBegin("<Add><Item><Data><a>\xE9</a></Data>"), 88,
			"text longer than 8 bytes (limit Data)"}, &Limits{Data: 8}},
		{bad{"<!DOCTYPE x [" + strings.Repeat(" ", 20000) + "]><SyncML/>", 0, "DOCTYPE longer than 16384 bytes"}, nil},
	} {
		if c.msg == "" {
			read(t, []byte(c.doc), XML)
			continue
		}
		c.check(t, []byte(c.doc), XML, c.lim)
	}
}

// A string table that is told over and over, and tags that are longer in XML, do not make a message grow out of its
// document or over the limit.
func TestExpansion(t *testing.T) {
	tooMuch := fmt.Sprintf("text comes to more than %d times the document", wbxml.MaxExpansion)
	const tooLong = "text longer than 1048576 bytes (limit Data)"
	for _, c := range []struct{ name, content, want string }{
		{"joined", "45 54 4F" + strings.Repeat("83 00", 1000) + "01 01 01", tooMuch},
		{"views", strings.Repeat("45 4B 83 00 01 01", 1000), tooMuch},
		{"skipped", "45 55" + strings.Repeat("83 00", 1000) + "01 01", tooMuch},
		{"rendered", "45 54 4F 00 02 64" + strings.Repeat("83 00", 1000) + "01 01 01 01", tooMuch},
		{"attrs", "45 95 05" + strings.Repeat("83 00", 1000) + "01 01 01", tooMuch},
		{"literal names", "45 54 4F 00 02 64" + strings.Repeat("44 00 01", 1000) + "01 01 01 01", tooMuch},
		{"empty literals", "45 54 4F 00 02 64" + strings.Repeat("04 00", 1000) + "01 01 01 01", tooMuch},
		{"skipped literals", "45 55" + strings.Repeat("04 00", 1000) + "01 01", tooMuch},
		{"page switches", "45 54 4F 00 02 64" + strings.Repeat("00 01 07 00 02 24", 166_000) + "01 01 01 01", tooLong},
		{"tags", "45 54 4F 00 02 64" + strings.Repeat("2F", 100_000) + "01 01 01 01", tooLong},
		{"tags with content", "45 54 4F 00 02 64" + strings.Repeat("6F 01", 100_000) + "01 01 01 01", tooLong},
	} {
		for _, charset := range []string{"6A", "04"} {
			doc := wire(t, "02 A4 01"+charset+"9F 20 '"+strings.Repeat("x", 3999)+"' E9 6D 2C 6B"+c.content+"01 01")
			if charset == "6A" {
				doc[4005] = 'x'
			}
			var m Message
			if err := m.Read(doc, WBXML, nil); err == nil || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("%s: error %v, want %q", c.name, err, c.want)
			}
			// An end tag says its name again, and a buffer that grows is larger than what is in it.
			if n := cap(m.scratch); n > 3*(wbxml.MaxExpansion+1)*len(doc) || n > 2<<20 {
				t.Errorf("%s: %d bytes of scratch for a document of %d", c.name, n, len(doc))
			}
		}
	}
}

// Every beginning of a message is an error, not a panic and not half a message.
func TestTruncated(t *testing.T) {
	var m Message
	for _, name := range corpus {
		for _, f := range []struct {
			suffix string
			enc    Encoding
		}{{".st.wbxml", WBXML}, {".xml", XML}} {
			doc := file(t, name+f.suffix)
			for n := range doc {
				var syntax *codec.SyntaxError
				if err := m.Read(doc[:n:n], f.enc, nil); !errors.As(err, &syntax) {
					t.Fatalf("%s%s cut to %d bytes: error %v", name, f.suffix, n, err)
				} else if syntax.Offset < 0 || syntax.Offset > n {
					t.Fatalf("%s%s cut to %d bytes: %v", name, f.suffix, n, err)
				}
			}
		}
	}
}
