package markup

import (
	"bytes"
	"encoding/xml"
	"io"
	"unicode/utf8"

	"dmgate/codec"
	"dmgate/codec/internal/xmldoc"
)

// textReader reads XML. Namespaces are not resolved: the local part of a name decides.
type textReader struct {
	l        *Language
	d        *xmldoc.Decoder
	depth    int
	maxDepth int
	root     bool
}

func (l *Language) openXML(doc []byte, depth int) Reader {
	return &textReader{l: l, d: xmldoc.New(doc), maxDepth: depth}
}

// Next implements Reader.
func (r *textReader) Next() (Event, error) {
	for {
		tok, at, err := r.d.Token()
		e := Event{Offset: at}
		switch {
		case err == io.EOF && !r.root:
			return e, r.errorf(e.Offset, "document without a root element")
		case err == io.EOF:
			return e, nil
		case err != nil:
			return e, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			return r.start(e, tok.Name.Local)
		case xml.EndElement:
			r.depth--
			e.Kind = End
			return e, nil
		case xml.CharData:
			if r.depth > 0 {
				e.Kind, e.Bytes = Text, bytes.Clone(tok)
				return e, nil
			}
			if len(bytes.Trim(tok, "\xEF\xBB\xBF \t\r\n")) > 0 {
				return e, r.errorf(e.Offset, "text %.40q outside the root element", tok)
			}
		}
	}
}

// Skip implements Reader.
func (r *textReader) Skip() error { return skip(r) }

func (r *textReader) start(e Event, name string) (Event, error) {
	e.Kind, e.Name = Start, name
	switch {
	case r.root && r.depth == 0:
		return e, r.errorf(e.Offset, "element %.40q after the root element", name)
	case !r.root && name != r.l.Root:
		return e, codec.Errorf(r.l.Format, e.Offset, "root element is %.40q, not %s", name, r.l.Root)
	case utf8.RuneCountInString(name) > maxName:
		return e, r.l.longName(e.Offset)
	case r.depth >= r.maxDepth:
		return e, r.errorf(e.Offset, "elements nested deeper than %d", r.maxDepth)
	}
	r.root = true
	r.depth++
	return e, nil
}

func (r *textReader) errorf(at int, msg string, args ...any) error {
	return codec.Errorf("xml", at, msg, args...)
}
