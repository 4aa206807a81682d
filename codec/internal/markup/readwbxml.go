package markup

import (
	"slices"
	"strings"
	"unicode/utf8"

	"dmgate/codec"
	"dmgate/codec/wbxml"
)

type binaryReader struct {
	l     *Language
	in    wbxml.Reader
	t     wbxml.Token
	root  bool // the root element was seen
	empty bool // the element that just started has no content
}

func (l *Language) openWBXML(doc []byte, depth int) (Reader, error) {
	r := &binaryReader{l: l}
	if err := r.in.Init(doc, depth); err != nil {
		return nil, err
	}
	switch h := &r.in.Header; {
	case h.PublicID == 0 && !strings.Contains(string(h.PublicText), l.FPI):
		return nil, codec.Errorf(l.Format, 1, "public identifier %.40q (want one with %q)", h.PublicText, l.FPI)
	case h.PublicID != 0 && h.PublicID != wbxml.PublicUnknown && !slices.Contains(l.Public, h.PublicID):
		return nil, codec.Errorf(l.Format, 1, "public identifier 0x%X is not of a %s", h.PublicID, l.Root)
	}
	return r, nil
}

// Next implements Reader.
func (r *binaryReader) Next() (Event, error) {
	t := &r.t
	if r.empty {
		r.empty = false
		return Event{Kind: End, Offset: t.Offset}, nil
	}
	if err := r.in.Next(t); err != nil {
		return Event{}, err
	}
	e := Event{Offset: t.Offset}
	switch t.Kind {
	case wbxml.Start:
		return r.start()
	case wbxml.End:
		e.Kind = End
	case wbxml.Text:
		e.Kind, e.Bytes = Text, r.in.Header.UTF8(t.Bytes)
	case wbxml.Entity:
		e.Kind, e.Bytes = Text, []byte(string(t.Rune))
	case wbxml.Opaque:
		e.Kind, e.Bytes = Raw, t.Bytes
	case wbxml.Ext: // only inside what is skipped
		e.Kind = Raw
	default:
		e.Kind = EOF
	}
	return e, nil
}

// Skip implements Reader.
func (r *binaryReader) Skip() error {
	r.in.Skipping = true
	err := skip(r)
	r.in.Skipping = false
	return err
}

// start is the element whose tag was just read. A tag of page 0 is taken for one of the language's page: in a document
// of its own there is nothing else that it could be.
func (r *binaryReader) start() (Event, error) {
	t := &r.t
	e := Event{Kind: Start, Offset: t.Offset}
	switch {
	case t.Code == 0:
		if len(t.Bytes) > maxName*utf8.UTFMax {
			return e, r.l.longName(t.Offset)
		}
		if e.Name = string(r.in.Header.UTF8(t.Bytes)); utf8.RuneCountInString(e.Name) > maxName {
			return e, r.l.longName(t.Offset)
		}
	case t.Page != r.l.Page && t.Page != 0:
		return e, codec.Errorf(r.l.Format, t.Offset, "code page %d (want %d)", t.Page, r.l.Page)
	case int(t.Code) < len(r.l.Names) && r.l.Names[t.Code] != "":
		e.Name = r.l.Names[t.Code]
	default:
		return e, codec.Errorf(r.l.Format, t.Offset, "unknown tag 0x%02X on page %d", t.Code, t.Page)
	}
	if !r.root && e.Name != r.l.Root {
		return e, codec.Errorf(r.l.Format, t.Offset, "root element is %.40q, not %s", e.Name, r.l.Root)
	}
	r.root, r.empty = true, !t.Content
	if !t.Attrs {
		return e, nil
	}
	skipping := r.in.Skipping
	r.in.Skipping = true
	for t.Kind = wbxml.Start; t.Kind != wbxml.AttrsEnd; { // the language has no attributes: they mean nothing
		if err := r.in.Next(t); err != nil {
			return e, err
		}
	}
	r.in.Skipping = skipping
	return e, nil
}
