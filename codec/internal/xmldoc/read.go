package xmldoc

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"dmgate/codec"
	"dmgate/codec/wbxml"
)

// Decoder reads the tokens of a document in UTF-8, US-ASCII or ISO-8859-1. Nothing that a DOCTYPE declares is fetched
// or expanded, so text stays as long as it was sent; a reference to it is an error.
type Decoder struct {
	d    *xml.Decoder
	body int    // where the prolog ends
	text []byte // of ISO-8859-1: what follows it, in UTF-8
	at   int    // a place in text,
	from int    // and how many characters stand before it
	err  error  // what is wrong with the prolog
}

// New makes a decoder of doc. What is wrong with the prolog is the error of its first Token.
func New(doc []byte) *Decoder {
	d := &Decoder{}
	latin1 := false
	d.body, latin1, d.err = prolog(doc)
	doc = doc[d.body:]
	if latin1 {
		doc = wbxml.AppendLatin1(make([]byte, 0, len(doc)), doc)
		d.text = doc
	}
	d.d = xml.NewDecoder(bytes.NewReader(doc))
	return d
}

// Token is the next token and where it begins. Comments and processing instructions are passed over. The error is
// io.EOF behind the last token, else a *codec.SyntaxError.
func (d *Decoder) Token() (tok xml.Token, at int, err error) {
	if d.err != nil {
		return nil, 0, d.err
	}
	for {
		at = d.offset()
		tok, err = d.d.Token()
		if err != nil && err != io.EOF {
			msg := strings.TrimPrefix(err.Error(), "xml: ")
			var syntax *xml.SyntaxError
			if errors.As(err, &syntax) {
				msg = syntax.Msg
			}
			return nil, at, codec.Errorf("xml", d.offset(), "%s", msg)
		}
		switch tok.(type) {
		case xml.Comment, xml.ProcInst:
		case xml.Directive:
			return nil, at, codec.Errorf("xml", at, "declaration behind the first tag or DOCTYPE")
		default:
			return tok, at, err
		}
	}
}

// offset is where the decoder stands in the document as received: a character of ISO-8859-1 was one byte there.
func (d *Decoder) offset() int {
	at := int(d.d.InputOffset())
	if d.text == nil {
		return d.body + at
	}
	d.from += utf8.RuneCount(d.text[d.at:at])
	d.at = at
	return d.body + d.from
}

// Attributes are those of e, which begins at offset at, by name. Declarations of name spaces are passed over; any other
// attribute than those allowed is an error, since it would be lost.
func Attributes(e *xml.StartElement, at int, allowed ...string) (map[string]*string, error) {
	m := make(map[string]*string, len(allowed))
next:
	for i := range e.Attr {
		a := &e.Attr[i]
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			continue
		}
		for _, name := range allowed {
			if a.Name.Local != name || a.Name.Space != "" {
				continue
			}
			if m[name] != nil {
				return nil, codec.Errorf("xml", at, "attribute %s twice", name)
			}
			if !IsAttr(a.Value) {
				return nil, codec.Errorf("xml", at, "control character in %s=%.40q", name, a.Value)
			}
			m[name] = &a.Value
			continue next
		}
		return nil, codec.Errorf("xml", at, "unknown attribute %.40q in %s", a.Name.Local, e.Name.Local)
	}
	return m, nil
}
