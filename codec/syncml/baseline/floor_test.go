package baseline

import (
	"bytes"
	"testing"

	"dmgate/codec/wbxml"
)

// The floor leaves nothing out: it meets each token that the real reader meets, and the page switches between them.
func TestWalk(t *testing.T) {
	for _, name := range Names {
		for _, form := range []string{".wbxml", ".inl.wbxml", ".st.wbxml"} {
			doc := file(t, name+form)
			if got, want := WalkWBXML(doc), tokens(t, doc); got != want {
				t.Errorf("%s%s: %d tokens, want %d", name, form, got, want)
			}
		}
		doc := file(t, name+".xml")
		if got, want := WalkXML(doc), bytes.Count(doc, []byte("<")); got != want {
			t.Errorf("%s: %d tags, want %d", name, got, want)
		}
	}
	if n := WalkXML([]byte("<a>text</a")); n != 2 {
		t.Errorf("%d tags in a document cut short, want 2", n)
	}
}

// tokens counts the tokens of doc and its page switches.
func tokens(t *testing.T, doc []byte) (n int) {
	var r wbxml.Reader
	if err := r.Init(doc, 16); err != nil {
		t.Fatal(err)
	}
	var tok wbxml.Token
	for {
		before := r.Pos
		if err := r.Next(&tok); err != nil {
			t.Fatal(err)
		}
		n += (tok.Offset - before) / 2 // a page switch is two bytes
		if tok.Kind == wbxml.EOF {
			return n
		}
		n++
	}
}

// Tokens that the corpus does not have, and a public identifier in text.
func TestWalkRareTokens(t *testing.T) {
	doc := []byte("\x02\x00\x00\x6A\x01x" + "\x6D\x6C\x02\x81\x00\xC3\x03\x01\x01\x01\x83\x00\x01\x01")
	if n, want := WalkWBXML(doc), tokens(t, doc); n != want || n != 7 {
		t.Errorf("%d tokens, want %d", n, want)
	}
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := File(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
