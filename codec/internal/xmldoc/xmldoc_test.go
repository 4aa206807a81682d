package xmldoc

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"dmgate/codec"
)

// What is written reads the same in text, apart from line breaks and what XML can not hold.
func TestAppendText(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "",
		"a&b<c>d]]>\"'":                 "a&amp;b&lt;c&gt;d]]&gt;\"'",
		"\ta\nb\r\nc\rd\r":              "\ta\nb\nc\nd\n",
		"\x00\x1F\x7F":                  "\uFFFD\uFFFD\x7F",
		"é€\U0001F600":                  "é€\U0001F600",
		"\xE9\xE2\x82a\xED\xA0\x80":     "\uFFFD\uFFFD\uFFFDa\uFFFD\uFFFD\uFFFD",
		"\uFFFD\uFFFE\uFFFF\U0010FFFF.": "\uFFFD\uFFFD\uFFFD\U0010FFFF.",
	} {
		if got := string(AppendText([]byte("x"), in)); got != "x"+want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if got := AppendText(nil, []byte(in)); string(got) != want {
			t.Errorf("%q as bytes: got %q, want %q", in, got, want)
		}
		if isText := !strings.Contains(want, "\uFFFD"); IsText(in) != isText {
			t.Errorf("IsText(%q) is %v", in, !isText)
		}
	}
	if got, want := string(AppendAttr(nil, "n", "\"a'<\t\r\n\x00")), " n=\"&quot;a'&lt;  \uFFFD\""; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The prolog in its forms, the two charsets, and offsets as received.
func TestDecoder(t *testing.T) {
	for _, v := range []struct {
		doc, want string // local name of the root, or the error
		at        int
	}{
		{"<a/>", "a", 0},
		{"\xEF\xBB\xBF \n<a/>", "a", 5},
		{"<?xml version='1.0' encoding='utf-8' standalone='yes'?><?p ' ?><!-- ' --><a/>", "a", 73},
		{"<!DOCTYPE a PUBLIC '[' \">\" [<!ENTITY e \"]>\"><!-- ' ]> --><?p ' ]> ?>]><a/>", "a", 70},
		{"<?xml encoding=\"ISO-8859-1\"?><!-- \xE9 --><\xE9/>", "é", 39},
		{"", "xml: offset 0: EOF", 0},
		{"<!-- ", "xml: offset 5: unexpected EOF", 0},
		{"<?xml ", "xml: offset 6: unexpected EOF", 0},
		{"<!DOCTYPE a [<!-- ]>", "xml: offset 20: unexpected EOF", 0},
		{"<!DOCTYPE a [<?p ]>", "xml: offset 19: unexpected EOF", 0},
		{"<!DOCTYPE a [", "xml: offset 13: unexpected EOF", 0},
		{"<?xml encoding='UTF-16'?><a/>", "xml: offset 6: encoding \"UTF-16\" (want UTF-8, US-ASCII or ISO-8859-1)", 0},
		{"<?xml encoding?><a/>", "xml: offset 6: encoding \"?>\" (want UTF-8, US-ASCII or ISO-8859-1)", 0},
		{"\xFE\xFF\x00<", "xml: offset 0: UTF-16 (want UTF-8)", 0},
		{"<!DOCTYPE a><!DOCTYPE a><a/>", "xml: offset 12: declaration behind the first tag or DOCTYPE", 0},
	} {
		tok, at, err := New([]byte(v.doc)).Token()
		got := ""
		var syntax *codec.SyntaxError
		switch e, ok := tok.(xml.StartElement); {
		case errors.As(err, &syntax):
			got, at = err.Error(), 0
		case err == io.EOF:
			got = codec.Errorf("xml", at, "%v", err).Error()
		case ok:
			got = e.Name.Local
		}
		if got != v.want || at != v.at {
			t.Errorf("%q: got %s at %d, want %s at %d", v.doc, got, at, v.want, v.at)
		}
	}
}

// Offsets count bytes as received, also behind characters that take two in UTF-8.
func TestOffsetsOfLatin1(t *testing.T) {
	doc := "<?xml encoding='ISO-8859-1'?><a>\xE9\xE9<b/>\xE9</c>"
	d := New([]byte(doc))
	for _, want := range []int{29, 32, 34, 38, 38} {
		if tok, at, err := d.Token(); err != nil || at != want {
			t.Errorf("%v at %d, want %d (%v)", tok, at, want, err)
		}
	}
	if _, _, err := d.Token(); err == nil || err.Error() != "xml: offset 43: element <a> closed by </c>" {
		t.Error(err)
	}
}
