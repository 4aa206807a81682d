package wbxml

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dmgate/codec"
	"dmgate/codec/internal/vector"
)

// walk lists the tokens of doc, one a line, up to its end or the first error.
func walk(doc []byte, maxDepth int) (string, error) {
	var (
		r Reader
		t Token
		b strings.Builder
	)
	if err := r.Init(doc, maxDepth); err != nil {
		return "", err
	}
	for {
		if err := r.Next(&t); err != nil {
			return b.String(), err
		}
		switch t.Kind {
		case EOF:
			return b.String(), nil
		case Start:
			fmt.Fprintf(&b, "<%d:%02X%s content=%v attrs=%v\n", t.Page, t.Code, literal(&t), t.Content, t.Attrs)
		case End:
			fmt.Fprintf(&b, "> depth=%d\n", r.Depth)
		case Text:
			fmt.Fprintf(&b, "text %q\n", t.Bytes)
		case Opaque:
			fmt.Fprintf(&b, "opaque %q\n", t.Bytes)
		case Entity:
			fmt.Fprintf(&b, "entity %U\n", t.Rune)
		case Attr:
			fmt.Fprintf(&b, "attr %d:%02X%s\n", t.Page, t.Code, literal(&t))
		case AttrValue:
			fmt.Fprintf(&b, "value %d:%02X\n", t.Page, t.Code)
		case AttrsEnd:
			b.WriteString("attrs end\n")
		}
	}
}

// literal is the name of a literal tag or attribute.
func literal(t *Token) string {
	if t.Code != 0 {
		return ""
	}
	return string(t.Bytes)
}

func TestTokens(t *testing.T) {
	for _, c := range []struct{ name, doc, want string }{
		{"empty root", "03 01 6A 00 05", "<0:05 content=false attrs=false\n"},
		{"content", "03 01 6A 03'ab'00 45 03'x'00 83 01 C3 02 00 01 02 3C 01",
			"<0:05 content=true attrs=false\ntext \"x\"\ntext \"b\"\nopaque \"\\x00\\x01\"\nentity U+003C\n> depth=0\n"},
		{"string to the end of the table", "03 01 6A 03'abc' 45 83 01 01",
			"<0:05 content=true attrs=false\ntext \"bc\"\n> depth=0\n"},
		{"attributes", "03 01 6A 02'n'00 C5 06 85 03'v'00 83 00 04 00 02 20 C3 01'o'01 05 01",
			"<0:05 content=true attrs=true\nattr 0:06\nvalue 0:85\ntext \"v\"\ntext \"n\"\nattr 0:00n\nentity U+0020\n" +
				"opaque \"o\"\nattrs end\n<0:05 content=false attrs=false\n> depth=0\n"},
		{"attributes without content", "03 01 6A 00 45 86 05 01 07 01",
			"<0:05 content=true attrs=false\n<0:06 content=false attrs=true\nattr 0:05\nattrs end\n" +
				"<0:07 content=false attrs=false\n> depth=0\n"},
		// The pages of tags and of attributes are switched apart from each other, and last over the ends of elements.
		{"page states", "03 01 6A 00 45 00 01 C6 07 00 02 08 88 01 47 01 01 89 09 01 00 00 05 01",
			"<0:05 content=true attrs=false\n<1:06 content=true attrs=true\nattr 0:07\nattr 2:08\nvalue 2:88\nattrs end\n" +
				"<1:07 content=true attrs=false\n> depth=2\n> depth=1\n<1:09 content=false attrs=true\nattr 2:09\n" +
				"attrs end\n<0:05 content=false attrs=false\n> depth=0\n"},
		{"literals", "03 01 6A 04'a'00'b'00 44 00 04 02 84 00 05 01 C4 02 01 01 01",
			"<0:00a content=true attrs=false\n<0:00b content=false attrs=false\n<0:00a content=false attrs=true\nattr 0:05\n" +
				"attrs end\n<0:00b content=true attrs=true\nattrs end\n> depth=1\n> depth=0\n"},
		{"processing instructions", "03 01 6A 00 43 05 03'x'00 01 45 43 05 01 01 43 05 01",
			"<0:05 content=true attrs=false\n> depth=0\n"},
		{"extensions in a processing instruction",
			"03 01 6A 00 43 05 40'x'00 41 00 42'yz'00 80 00 81 81 01 82 7F C0 C1 C2 03'x'00 01 45 01 43 05 C0 01",
			"<0:05 content=true attrs=false\n> depth=0\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := walk(vector.Bytes(t, c.doc), 8)
			if err != nil || got != c.want {
				t.Errorf("error %v\ngot\n%swant\n%s", err, got, c.want)
			}
		})
	}
}

// Who skips is handed the extension tokens, and what follows their operands.
func TestSkipping(t *testing.T) {
	var (
		r   Reader
		tok Token
	)
	doc := vector.Bytes(t, "03 01 6A 00 C5 05 40'x'00 C1 01 41 00 42'yz'00 80 00 81 81 01 82 7F C0 C1 C2 03'x'00 01")
	if err := r.Init(doc, 1); err != nil {
		t.Fatal(err)
	}
	r.Skipping = true
	var kinds []Kind
	for tok.Kind = Start; tok.Kind != EOF; {
		if err := r.Next(&tok); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, tok.Kind)
	}
	want := []Kind{Start, Attr, Ext, Ext, AttrsEnd, Ext, Ext, Ext, Ext, Ext, Ext, Ext, Ext, Text, End, EOF}
	if !slices.Equal(kinds, want) {
		t.Errorf("%v, want %v", kinds, want)
	}
}

func TestHeader(t *testing.T) {
	for _, c := range []struct {
		doc  string
		want Header
	}{
		{"02 A4 01 6A 00 05", Header{Version: 2, PublicID: PublicSyncML12, Charset: CharsetUTF8}},
		{"02 9F 53 6A 00 05", Header{Version: 2, PublicID: PublicSyncML11, Charset: CharsetUTF8}},
		{"03 0B 6A 00 05", Header{Version: 3, PublicID: PublicProv10, Charset: CharsetUTF8}},
		{"01 01 03 02'x'00 05", Header{Version: 1, PublicID: PublicUnknown, Charset: CharsetASCII, Strings: []byte("x\x00")}},
		{"03 05 00 00 05", Header{Version: 3, PublicID: PublicSI}},
		{"02 00 00 6A 05'-//XX'05", // a textual identifier without its NUL (trap 1)
			Header{Version: 2, PublicText: []byte("-//XX"), Charset: CharsetUTF8, Strings: []byte("-//XX")}},
		{"02 00 02 6A 05'a'00'-/'00 05",
			Header{Version: 2, PublicText: []byte("-/"), Charset: CharsetUTF8, Strings: []byte("a\x00-/\x00")}},
	} {
		var r Reader
		if err := r.Init(vector.Bytes(t, c.doc), 4); err != nil {
			t.Errorf("%s: %v", c.doc, err)
		} else if fmt.Sprint(r.Header) != fmt.Sprint(c.want) {
			t.Errorf("%s: header %+v, want %+v", c.doc, r.Header, c.want)
		}
	}
}

func TestMalformed(t *testing.T) {
	const hdr = "03 01 6A 00 "
	for _, c := range []struct {
		doc    string
		offset int
		msg    string
	}{
		{"", 0, "empty document"},
		{"04", 0, "version byte 0x04 (want 0x01 to 0x03)"},
		{"03", 1, "document ends in the public identifier"},
		{"03 80 80 80 80 80 01", 1, "public identifier takes more than five bytes"},
		{"03 88 80 80 80 00 6A 00 05", 1, "public identifier 2147483648 is too large"},
		{"03 00 03 6A 02'ab'05", 2, "string table index 3 past its end (2)"},
		{"03 01 07 00 05", 2, "charset 7 (want 106 for UTF-8, 3 for US-ASCII or 4 for ISO-8859-1)"},
		{"03 01 6A 03'ab'", 3, "string table of 3 bytes, only 2 left"},
		{hdr, 4, "document ends inside an element (depth 0)"},
		{hdr + "01", 4, "END without an open element"},
		{hdr + "02 41", 4, "token 0x02 before the root element"},
		{hdr + "C3 00", 4, "token 0xC3 before the root element"},
		{hdr + "45", 5, "document ends inside an element (depth 1)"},
		{hdr + "45 00", 6, "document ends in a page switch"},
		{hdr + "85 00", 6, "document ends in a page switch"},
		{hdr + "85", 5, "document ends inside an attribute list"},
		{hdr + "85 44 00", 5, "token 0x44 inside an attribute list"},
		{hdr + "85 C1", 5, "extension token 0xC1 has no meaning in this document type"},
		{hdr + "45 C2 01", 5, "extension token 0xC2 has no meaning in this document type"},
		{hdr + "45 82 00 01", 5, "extension token 0x82 has no meaning in this document type"},
		{hdr + "45 41 00 01", 5, "extension token 0x41 has no meaning in this document type"},
		{hdr + "45 03'ab'", 5, "inline string without its NUL"},
		{hdr + "45 83 00 01", 6, "string table index 0 past its end (0)"},
		{hdr + "45 04 00 01", 6, "string table index 0 past its end (0)"},
		{hdr + "85 04 05 01", 6, "string table index 5 past its end (0)"},
		{hdr + "45 02 01 02 83 B0 00 01", 8, "entity 55296 is no character"},
		{hdr + "45 C3 03 00 01", 6, "opaque data of 3 bytes, only 2 left"},
		{hdr + "45 43 05", 7, "document ends inside an attribute list"},
		{hdr + "45 45 45 01", 6, "elements nested deeper than 2"},
		{hdr + "45 80 01 01", 5, "extension token 0x80 has no meaning in this document type"},
		{hdr + "45 C0 01", 5, "extension token 0xC0 has no meaning in this document type"},
		{hdr + "85 40 'x'00 01", 5, "extension token 0x40 has no meaning in this document type"},
		{hdr + "40 'x'00 05", 4, "extension token 0x40 has no meaning in this document type"},
		{hdr + "43 05 42 'x' 01", 6, "inline string without its NUL"},
		{hdr + "43 05 81 80", 8, "document ends in the extension's number"},
		{hdr + "43 05 82 FF FF FF FF FF 01 01", 7, "extension's number takes more than five bytes"},
		{hdr + "45 04", 6, "document ends in the literal tag's name"},
		{hdr + "45 84 80 80 80 80 80 01", 6, "literal tag's name takes more than five bytes"},
		{hdr + "85 04 88 80 80 80 00", 6, "literal attribute's name 2147483648 is too large"},
		{hdr + "85 04 80", 7, "document ends in the literal attribute's name"},
		{hdr + "45 83 80 80 80 80 80", 6, "string table index takes more than five bytes"},
		{hdr + "85 83", 6, "document ends in the string table index"},
		{hdr + "45 02", 6, "document ends in the entity"},
		{hdr + "85 C3 80", 7, "document ends in the opaque length"},
		{"03 00 80 80 80 80 80 6A 00", 2, "public identifier's string table index takes more than five bytes"},
		{"03 01 6A 80", 4, "document ends in the string table length"},
		{hdr + "05 05", 5, "1 bytes after the root element"},
		{hdr + "05 43", 6, "document ends inside an attribute list"},
	} {
		_, err := walk(vector.Bytes(t, c.doc), 2)
		var syntax *codec.SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%s: error %v, want %q", c.doc, err, c.msg)
		} else if syntax.Format != "wbxml" || syntax.Offset != c.offset || syntax.Msg != c.msg {
			t.Errorf("%s: %v, want offset %d: %s", c.doc, err, c.offset, c.msg)
		}
	}
}
