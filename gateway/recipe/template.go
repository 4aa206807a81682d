package recipe

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
)

// A template is text with names in braces. A name with a dot is a value ("{package.url}"), one without is a node that
// the recipe has bound ("{slot}"). "{package.name?}" may be missing: what it stands in is left out then; and
// "{package.params|/quiet}" stands for /quiet then. "{{" and "}}" stand for braces.
type template struct {
	place
	parts []part
}

// part is plain text, or what stands in braces.
type part struct {
	text     string // plain text, or the name
	kind     partKind
	optional bool
	instead  string // what stands for a value that is missing
	defaults bool   // whether something does
}

type partKind uint8

const (
	plain partKind = iota
	node           // the URI of a bound name
	value          // of the order
)

// place is where something stands in a rules file.
type place struct {
	file         string
	line, column int
}

// parseTemplate reads a template. Its error says what is wrong with it, without a place.
func parseTemplate(text string, at place) (template, error) {
	t := template{place: at}
	var literal strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case (c == '{' || c == '}') && i+1 < len(text) && text[i+1] == c:
			literal.WriteByte(c)
			i++
		case c == '}':
			return t, fmt.Errorf("%q closes a brace that is not open; write }} for a brace", text)
		case c == '{':
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return t, fmt.Errorf("%q opens a brace and does not close it; write {{ for a brace", text)
			}
			p, err := parsePart(text[i+1 : i+end])
			if err != nil {
				return t, err
			}
			if literal.Len() > 0 {
				t.parts = append(t.parts, part{text: literal.String()})
				literal.Reset()
			}
			t.parts = append(t.parts, p)
			i += end
		default:
			literal.WriteByte(c)
		}
	}
	if literal.Len() > 0 {
		t.parts = append(t.parts, part{text: literal.String()})
	}
	return t, nil
}

func parsePart(name string) (part, error) {
	p := part{text: name, kind: node}
	p.text, p.instead, p.defaults = strings.Cut(name, "|")
	p.text, p.optional = strings.CutSuffix(p.text, "?")
	if strings.Contains(p.text, ".") {
		p.kind = value
	}
	if !isName(p.text) {
		return p, fmt.Errorf("%q is no name: want letters, digits and _, and a dot in that of a value", name)
	}
	return p, nil
}

// isName says whether s can be the name of a node or a value.
func isName(s string) bool {
	for i, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
		case c == '.' && i > 0 && i < len(s)-1:
		default:
			return false
		}
	}
	return s != "" && strings.Count(s, ".") <= 1
}

// has says whether there are parts of a kind in t.
func (t *template) has(k partKind) bool {
	for i := range t.parts {
		if t.parts[i].kind == k {
			return true
		}
	}
	return false
}

// An escape makes a value fit for the place where it is to go. Its error says what is wrong with it.
type escape func(string) (string, error)

func asText(s string) (string, error) { return s, nil }

// asXML is s as character data of an XML document.
func asXML(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}

// asSegment is s as one segment of a LocURI. It may not add one, or a query.
func asSegment(s string) (string, error) {
	if s == "." || s == ".." || strings.ContainsAny(s, "/?\\") {
		return "", fmt.Errorf("is %.100q: that can not be the name of a node", s)
	}
	for _, c := range []byte(s) {
		if c < ' ' || c == 0x7f {
			return "", fmt.Errorf("is %.100q: that can not be the name of a node", s)
		}
	}
	return url.PathEscape(s), nil
}

// fill is t with its names and values. ok is false where an optional one is missing. The error is a *ValueError, as yet
// without a recipe.
func (t *template) fill(names map[string]string, v map[string]string, esc escape) (text string, ok bool, err error) {
	if len(t.parts) == 1 && t.parts[0].kind == plain {
		return t.parts[0].text, true, nil
	}
	var b strings.Builder
	for i := range t.parts {
		p := &t.parts[i]
		switch p.kind {
		case plain:
			b.WriteString(p.text)
			continue
		case node:
			uri := names[p.text]
			if uri == "" {
				return "", false, nil // of an optional need: the others are bound
			}
			b.WriteString(uri)
			continue
		}
		s := v[p.text]
		switch {
		case s == "" && p.defaults:
			b.WriteString(p.instead)
			continue
		case s == "" && p.optional:
			return "", false, nil
		case s == "":
			return "", false, &ValueError{File: t.file, Line: t.line, Value: p.text, Msg: "is missing"}
		}
		s, err := esc(s)
		if err != nil {
			return "", false, &ValueError{File: t.file, Line: t.line, Value: p.text, Msg: err.Error()}
		}
		b.WriteString(s)
	}
	return b.String(), true, nil
}
