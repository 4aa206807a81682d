package push

// WBXML of service indication and loading, read.

import (
	"time"

	"dmgate/codec"
	"dmgate/codec/wbxml"
)

// ReadIndication reads an SI in WBXML. The info element, which no phone shows, is an error.
func ReadIndication(doc []byte) (Indication, error) {
	var s Indication
	r, err := tableSI.open(doc)
	if err != nil {
		return s, err
	}
	if err := r.root(true, nil); err != nil {
		return s, err
	}
	if err := r.in.Next(&r.t); err != nil {
		return s, err
	}
	if r.t.Kind != wbxml.Start || r.t.Code != tagIndication || r.t.Page != 0 {
		return s, codec.Errorf("push", r.t.Offset, "no indication in si")
	}
	content := r.t.Content
	if err := r.attributes(&s); err != nil {
		return s, err
	}
	if content {
		if s.Text, err = r.text(); err != nil {
			return s, err
		}
	}
	if err := r.in.Next(&r.t); err != nil {
		return s, err
	}
	if r.t.Kind != wbxml.End {
		return s, codec.Errorf("push", r.t.Offset, "more than an indication in si")
	}
	return s, r.in.Next(&r.t)
}

// ReadLoading reads an SL in WBXML.
func ReadLoading(doc []byte) (Loading, error) {
	r, err := tableSL.open(doc)
	if err != nil {
		return Loading{}, err
	}
	var s Indication
	if err := r.root(false, &s); err != nil {
		return Loading{}, err
	}
	return Loading{s.Href, s.Action}, r.in.Next(&r.t)
}

type linkReader struct {
	table *linkTable
	in    wbxml.Reader
	t     wbxml.Token
}

func (l *linkTable) open(doc []byte) (*linkReader, error) {
	r := &linkReader{table: l}
	if err := r.in.Init(doc, 4); err != nil {
		return nil, err
	}
	switch h := &r.in.Header; {
	case h.PublicID == l.publicID, h.PublicID == wbxml.PublicUnknown, h.PublicID == 0 && string(h.PublicText) == l.public:
		return r, nil
	case h.PublicID == 0:
		return nil, codec.Errorf("push", 1, "public identifier %.40q (want %q)", h.PublicText, l.public)
	default:
		return nil, codec.Errorf("push", 1, "public identifier 0x%X (want 0x%02X)", h.PublicID, l.publicID)
	}
}

// root reads the root element's tag: with content and no attributes for an SI, the other way round for an SL.
func (r *linkReader) root(content bool, into *Indication) error {
	if err := r.in.Next(&r.t); err != nil {
		return err
	}
	if r.t.Code != tagRoot || r.t.Page != 0 || r.t.Content != content || r.t.Attrs == content {
		return codec.Errorf("push", r.t.Offset, "root element is not si with an indication or sl with attributes")
	}
	if content {
		return nil
	}
	return r.attributes(into)
}

const maxHref = 4096 // bytes of a value; a string table can be referred to without end

// attributes reads the attributes of the current tag into s.
func (r *linkReader) attributes(s *Indication) error {
	if !r.t.Attrs {
		return nil
	}
	var open *string
	var day *time.Time
	for {
		if err := r.in.Next(&r.t); err != nil {
			return err
		}
		part := ""
		switch t := &r.t; t.Kind {
		case wbxml.AttrsEnd:
			return nil
		case wbxml.Attr:
			open, day = nil, nil
			if !r.attr(s, &open, &day) {
				return codec.Errorf("push", t.Offset, "unknown attribute token 0x%02X on page %d", t.Code, t.Page)
			}
			continue
		case wbxml.AttrValue:
			if part = domains[t.Code]; part == "" {
				return codec.Errorf("push", t.Offset, "unknown value token 0x%02X", t.Code)
			}
		case wbxml.Entity:
			part = string(t.Rune)
		case wbxml.Opaque:
			if day == nil {
				return codec.Errorf("push", t.Offset, "opaque data where no date stands")
			}
			var err error
			if *day, err = parseDate(t.Bytes, t.Offset); err != nil {
				return err
			}
			continue
		default:
			part = string(r.in.Header.UTF8(t.Bytes))
		}
		if open == nil || len(*open)+len(part) > maxHref {
			return codec.Errorf("push", r.t.Offset, "value without an attribute, or of more than %d bytes", maxHref)
		}
		*open += part
	}
}

// attr opens the attribute of the current token and says whether there is one.
func (r *linkReader) attr(s *Indication, open **string, day **time.Time) bool {
	t := &r.t
	if t.Page != 0 {
		return false
	}
	if action, ok := r.table.actions[t.Code]; ok {
		s.Action = action
		return true
	}
	for _, p := range r.table.hrefs {
		if p.code == t.Code {
			s.Href, *open = p.text, &s.Href
			return true
		}
	}
	if r.table == &tableSL {
		return false
	}
	switch t.Code {
	case attrCreated:
		*day = &s.Created
	case attrExpires:
		*day = &s.Expires
	case attrID:
		s.ID, *open = "", &s.ID
	case attrClass:
		s.Class, *open = "", &s.Class
	default:
		return false
	}
	return true
}

// text reads the content of an element that holds nothing else.
func (r *linkReader) text() (string, error) {
	var s []byte
	for {
		if err := r.in.Next(&r.t); err != nil {
			return "", err
		}
		switch r.t.Kind {
		case wbxml.End:
			return string(s), nil
		case wbxml.Text:
			s = append(s, r.in.Header.UTF8(r.t.Bytes)...)
		case wbxml.Entity:
			s = append(s, string(r.t.Rune)...)
		default:
			return "", codec.Errorf("push", r.t.Offset, "something else than text in an indication")
		}
		if len(s) > maxHref {
			return "", codec.Errorf("push", r.t.Offset, "more than %d bytes of text", maxHref)
		}
	}
}

func parseDate(b []byte, at int) (time.Time, error) {
	const hex = "0123456789ABCDEF"
	digits := make([]byte, 0, 14)
	for _, octet := range b {
		digits = append(digits, hex[octet>>4], hex[octet&0xF])
	}
	for len(digits) < 14 {
		digits = append(digits, '0')
	}
	t, err := time.Parse("20060102150405", string(digits))
	if err != nil {
		return t, codec.Errorf("push", at, "date %X (want YYYYMMDDhhmmss)", b)
	}
	return t, nil
}
