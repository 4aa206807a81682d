package wbxml

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"dmgate/codec/internal/vector"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		n    uint32
		want string
	}{
		{0, "00"}, {0x7F, "7F"}, {0x80, "81 00"}, {0xFD3, "9F 53"}, {0x1201, "A4 01"}, {0x3FFF, "FF 7F"},
		{0x4000, "81 80 00"}, {0x1FFFFF, "FF FF 7F"}, {0x200000, "81 80 80 00"}, {0xFFFFFFF, "FF FF FF 7F"},
		{0x10000000, "81 80 80 80 00"}, {0x7FFFFFFF, "87 FF FF FF 7F"},
	} {
		b := AppendNumber(nil, c.n)
		if !bytes.Equal(b, vector.Bytes(t, c.want)) {
			t.Errorf("%#x as % X, want %s", c.n, b, c.want)
		}
		r := Reader{Cursor: Cursor{Doc: b}}
		if n, err := r.number("number"); n != c.n || err != nil || r.Pos != len(b) {
			t.Errorf("%s read as %#x, %v", c.want, n, err)
		}
	}
}

func TestAppendHeader(t *testing.T) {
	for _, c := range []struct {
		h    Header
		want string
	}{
		{Header{Version: 2, PublicID: PublicSyncML12, Charset: CharsetUTF8}, "02 A4 01 6A 00"},
		{Header{Version: 3, PublicID: PublicSI, Charset: CharsetUTF8, Strings: []byte("ab\x00")}, "03 05 6A 03'ab'00"},
		{Header{Version: 2, PublicText: []byte("-//XX"), Charset: CharsetUTF8}, "02 00 00 6A 05'-//XX'"},
	} {
		if b := AppendHeader(nil, &c.h); !bytes.Equal(b, vector.Bytes(t, c.want)) {
			t.Errorf("% X, want %s", b, c.want)
		}
	}
}

// A page is switched to when a tag or an attribute asks for it, each in its own space.
func TestWriterPages(t *testing.T) {
	var w Writer
	w.Init([]byte("before"), &Header{Version: 3, PublicID: PublicUnknown, Charset: CharsetUTF8})
	w.Start(0, 5)
	w.Element(1, 6, []byte("a"))
	w.Element(1, 7, nil)
	w.StartAttrs(1, 8, true)
	w.Attr(0, 9)
	w.Attr(2, 10)
	w.AttrValue(2, 0x85)
	w.Text([]byte("v"))
	w.EndAttrs()
	w.Text([]byte("x\x00y"))
	w.End()
	w.StartAttrs(0, 9, false)
	w.Attr(2, 11)
	w.EndAttrs()
	w.Opaque(nil)
	w.End()
	want := vector.Bytes(t, "'before' 03 01 6A 00 | 45 00 01 46 03'a'00 01 07 C8 09 00 02 0A 85 03'v'00 01"+
		"C3 03'x'00'y'01 00 00 89 0B 01 C3 00 01")
	if !bytes.Equal(w.Buf, want) {
		t.Errorf("got\n% X\nwant\n% X", w.Buf, want)
	}
	// A second document begins on page 0 again.
	w.Init(w.Buf[:0], &Header{Version: 3, PublicID: PublicUnknown, Charset: CharsetUTF8})
	w.Empty(0, 5)
	if !bytes.Equal(w.Buf, vector.Bytes(t, "03 01 6A 00 05")) {
		t.Errorf("% X", w.Buf)
	}
}

// What Element writes, the reader reads, whatever the text.
func TestElementRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "text")
		page := rapid.Byte().Draw(t, "page")
		code := rapid.Uint8Range(5, 0x3F).Draw(t, "code")
		var w Writer
		w.Init(nil, &Header{Version: 3, PublicID: PublicUnknown, Charset: CharsetUTF8})
		w.Element(page, code, text)
		var (
			r   Reader
			tok Token
		)
		if err := r.Init(w.Buf, 1); err != nil {
			t.Fatal(err)
		}
		if err := r.Next(&tok); err != nil || tok.Kind != Start || tok.Page != page || tok.Code != code {
			t.Fatalf("%v %+v", err, tok)
		}
		if err := r.Next(&tok); err != nil || tok.Kind != Text && tok.Kind != Opaque || !bytes.Equal(tok.Bytes, text) {
			t.Fatalf("%v %q, want %q", err, tok.Bytes, text)
		}
		for _, want := range []Kind{End, EOF} {
			if err := r.Next(&tok); err != nil || tok.Kind != want {
				t.Fatalf("%v %+v", err, tok)
			}
		}
	})
}
