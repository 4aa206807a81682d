package wbxml

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"dmgate/codec/internal/vector"
)

// All of ISO-8859-1 is the first 256 characters of Unicode.
func TestAppendLatin1(t *testing.T) {
	var all []byte
	var want []rune
	for c := range 256 {
		all, want = append(all, byte(c)), append(want, rune(c))
	}
	if got := string(AppendLatin1([]byte("keep"), all)); got != "keep"+string(want) {
		t.Errorf("%q", got)
	}
	if !IsASCII(all[:128]) || IsASCII(all[:129]) || !IsASCII(nil) {
		t.Error("IsASCII")
	}
	utf8, latin1 := Header{Charset: CharsetUTF8}, Header{Charset: CharsetLatin1}
	if got := utf8.UTF8(all); &got[0] != &all[0] || len(got) != 256 {
		t.Error("UTF-8 was copied")
	}
	if got := latin1.UTF8(all[:128]); &got[0] != &all[0] {
		t.Error("US-ASCII was copied")
	}
	if got := string(latin1.UTF8([]byte{0xE9})); got != "é" {
		t.Errorf("%q", got)
	}
}

// Strings go out in ISO-8859-1, what it lacks as ENTITY, what is no text as OPAQUE.
func TestWriteLatin1(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "03 00",
		"a":                   "03 'a' 00",
		"aé":                  "03 'a' E9 00",
		"\u102C":              "02 A0 2C",
		"é\u102C\U00010000ÿz": "03 E9 00 02 A0 2C 02 84 80 00 03 FF 'z' 00",
		"é\x00":               "C3 03 C3 A9 00",
		"\xE9":                "C3 01 E9",
	} {
		var w Writer
		w.Init(nil, &Header{Version: 2, PublicID: PublicUnknown, Charset: CharsetLatin1})
		w.Text([]byte(text))
		if want := vector.Bytes(t, "02 01 04 00"+want); !bytes.Equal(w.Buf, want) {
			t.Errorf("%q as % X, want % X", text, w.Buf, want)
		}
	}
}

// What is written in ISO-8859-1 is read as it was, whatever it is made of.
func TestLatin1RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		edges := rapid.StringOf(rapid.RuneFrom([]rune("aé\u0080ÿ\u0100☺\x00")))
		text := rapid.OneOf(edges, rapid.String()).Draw(t, "text")
		var w Writer
		w.Init(nil, &Header{Version: 3, PublicID: PublicUnknown, Charset: CharsetLatin1})
		w.Start(0, 5)
		w.Text([]byte(text))
		w.End()
		var (
			r   Reader
			tok Token
			got []byte
		)
		if err := r.Init(w.Buf, 1); err != nil {
			t.Fatal(err)
		}
		if err := r.Next(&tok); err != nil {
			t.Fatal(err)
		}
		for tok.Kind != End {
			if err := r.Next(&tok); err != nil {
				t.Fatal(err)
			}
			switch tok.Kind {
			case Text:
				got = append(got, r.Header.UTF8(tok.Bytes)...)
			case Opaque:
				got = append(got, tok.Bytes...)
			case Entity:
				got = append(got, string(tok.Rune)...)
			}
		}
		if string(got) != text {
			t.Fatalf("%q, want %q", got, text)
		}
	})
}
