package push

// WBXML of service indication and loading, read.

import (
	"slices"
	"strings"
	"time"

	"dmgate/codec"
	"dmgate/codec/internal/xmldoc"
	"dmgate/codec/wbxml"
)

// maxLinkText is how many bytes a value or the text may have. A string table can be referred to without end.
const maxLinkText = 4096

// ReadIndication reads an SI in WBXML. The info element, which no phone shows, is an error, since it would be lost. An
// attribute, and the text, may have 4096 bytes. The error is a *codec.SyntaxError.
func ReadIndication(doc []byte) (Indication, error) {
	r := linkReader{table: &tableSI}
	if err := r.indication(doc); err != nil {
		return Indication{}, err
	}
	return r.link, nil
}

// ReadLoading reads an SL in WBXML, as ReadIndication reads an SI.
func ReadLoading(doc []byte) (Loading, error) {
	r := linkReader{table: &tableSL}
	if err := r.loading(doc); err != nil {
		return Loading{}, err
	}
	return Loading{r.link.Href, r.link.Action}, nil
}

type linkReader struct {
	table *linkTable
	in    wbxml.Reader
	t     wbxml.Token
	link  Indication // of which an SL has two fields
	value []byte     // of the attribute being read
}

func (r *linkReader) begin(doc []byte) error {
	if err := r.in.Init(doc, 4); err != nil {
		return err
	}
	l := r.table
	switch h := &r.in.Header; {
	case h.PublicID == l.publicID, h.PublicID == wbxml.PublicUnknown, h.PublicID == 0 && string(h.PublicText) == l.public:
		return r.in.Next(&r.t)
	case h.PublicID == 0:
		return codec.Errorf("push", 1, "public identifier %.40q (want %q)", h.PublicText, l.public)
	default:
		return codec.Errorf("push", 1, "public identifier 0x%X (want 0x%02X)", h.PublicID, l.publicID)
	}
}

func (r *linkReader) isTag(code uint8) bool {
	return r.t.Kind == wbxml.Start && r.t.Code == code && r.t.Page == 0
}

func (r *linkReader) indication(doc []byte) error {
	if err := r.begin(doc); err != nil {
		return err
	}
	if !r.isTag(tagRoot) || !r.t.Content || r.t.Attrs {
		return codec.Errorf("push", r.t.Offset, "root element is not si with an indication in it")
	}
	if err := r.nextTag(); err != nil {
		return err
	}
	if !r.isTag(tagIndication) {
		return codec.Errorf("push", r.t.Offset, "no indication in si")
	}
	content := r.t.Content
	if err := r.attributes(); err != nil {
		return err
	}
	if content {
		if err := r.text(); err != nil {
			return err
		}
	}
	if err := r.nextTag(); err != nil {
		return err
	}
	if r.t.Kind != wbxml.End {
		return codec.Errorf("push", r.t.Offset, "more than an indication in si")
	}
	return r.in.Next(&r.t)
}

func (r *linkReader) loading(doc []byte) error {
	if err := r.begin(doc); err != nil {
		return err
	}
	if !r.isTag(tagRoot) || !r.t.Attrs {
		return codec.Errorf("push", r.t.Offset, "root element is not sl with attributes")
	}
	content := r.t.Content
	if err := r.attributes(); err != nil {
		return err
	}
	if content {
		if err := r.nextTag(); err != nil {
			return err
		}
		if r.t.Kind != wbxml.End {
			return codec.Errorf("push", r.t.Offset, "content in sl")
		}
	}
	return r.in.Next(&r.t)
}

// nextTag reads on to what is no white space.
func (r *linkReader) nextTag() error {
	for {
		if err := r.in.Next(&r.t); err != nil {
			return err
		}
		if !isBlank(&r.t) {
			return nil
		}
	}
}

// attributes reads the attributes of the current tag.
func (r *linkReader) attributes() error {
	if !r.t.Attrs {
		return nil
	}
	t := &r.t
	for open, from := "", 0; ; {
		if err := r.in.Next(t); err != nil {
			return err
		}
		switch t.Kind {
		case wbxml.Attr, wbxml.AttrsEnd:
			if err := r.set(open, from); err != nil || t.Kind == wbxml.AttrsEnd {
				return err
			}
			from = t.Offset
			if open = r.open(); open == "" && t.Code == 0 {
				return codec.Errorf("push", from, "unknown attribute %.40q", t.Bytes)
			} else if open == "" {
				return codec.Errorf("push", from, "unknown attribute token 0x%02X on page %d", t.Code, t.Page)
			}
		case wbxml.AttrValue:
			part := domains[t.Code]
			if part == "" {
				return codec.Errorf("push", t.Offset, "unknown value token 0x%02X", t.Code)
			}
			r.value = append(r.value, part...)
		default:
			r.value = r.appendPart(r.value)
		}
		if open == "" && len(r.value) > 0 {
			return codec.Errorf("push", t.Offset, "value without an attribute")
		}
		if len(r.value) > maxLinkText {
			return codec.Errorf("push", t.Offset, "value of more than %d bytes", maxLinkText)
		}
	}
}

// appendPart appends what the current token, which is one of content, says in UTF-8.
func (r *linkReader) appendPart(dst []byte) []byte {
	switch t := &r.t; t.Kind {
	case wbxml.Entity:
		return append(dst, string(t.Rune)...)
	case wbxml.Opaque:
		return append(dst, t.Bytes...)
	default:
		return append(dst, r.in.Header.UTF8(t.Bytes)...)
	}
}

// open begins the attribute of the current token, whose value the token may begin. Its name is empty where it is
// unknown. A literal of a name is as good as a token.
func (r *linkReader) open() (name string) {
	t := &r.t
	r.value = r.value[:0]
	if t.Code == 0 {
		if slices.Contains(r.table.names, string(t.Bytes)) {
			return string(t.Bytes)
		}
		return ""
	}
	if t.Page != 0 {
		return ""
	}
	if action, ok := r.table.actions[t.Code]; ok {
		r.value = append(r.value, action...)
		return "action"
	}
	for _, p := range r.table.hrefs {
		if p.code == t.Code {
			r.value = append(r.value, p.text...)
			return "href"
		}
	}
	return r.table.attrs[t.Code]
}

// set sets the attribute called name, which begins at offset at, to the value that was read.
func (r *linkReader) set(name string, at int) error {
	s := &r.link
	switch name {
	case "href":
		return r.setText(&s.Href, at)
	case "si-id":
		return r.setText(&s.ID, at)
	case "class":
		return r.setText(&s.Class, at)
	case "created":
		return r.setDate(&s.Created, at)
	case "si-expires":
		return r.setDate(&s.Expires, at)
	case "action":
		if !r.table.hasAction(string(r.value)) {
			return codec.Errorf("push", at, "unknown action %.40q", r.value)
		}
		return r.setText(&s.Action, at)
	}
	return nil // no attribute was open
}

func (r *linkReader) setText(field *string, at int) error {
	switch {
	case *field != "":
		return codec.Errorf("push", at, "the same attribute twice")
	case !xmldoc.IsAttr(string(r.value)):
		return codec.Errorf("push", at, "control character or broken UTF-8 in %.40q", r.value)
	}
	*field = string(r.value)
	return nil
}

// setDate takes a date in octets, or in text as XML has it.
func (r *linkReader) setDate(field *time.Time, at int) (err error) {
	if !field.IsZero() {
		return codec.Errorf("push", at, "the same attribute twice")
	}
	if *field, err = time.Parse(xmlDate, string(r.value)); err != nil {
		*field, err = parseDate(r.value, at)
	}
	return err
}

// text reads the content of an indication.
func (r *linkReader) text() error {
	var s []byte
	for {
		if err := r.in.Next(&r.t); err != nil {
			return err
		}
		switch r.t.Kind {
		case wbxml.End:
			if !xmldoc.IsText(string(s)) {
				return codec.Errorf("push", r.t.Offset, "control character or broken UTF-8 in %.40q", s)
			}
			r.link.Text = string(s)
			return nil
		case wbxml.Start:
			return codec.Errorf("push", r.t.Offset, "something else than text in an indication")
		}
		if s = r.appendPart(s); len(s) > maxLinkText {
			return codec.Errorf("push", r.t.Offset, "more than %d bytes of text", maxLinkText)
		}
	}
}

// isBlank says whether t is white space, as stands between elements.
func isBlank(t *wbxml.Token) bool {
	return t.Kind == wbxml.Text && strings.TrimSpace(string(t.Bytes)) == "" ||
		t.Kind == wbxml.Entity && strings.ContainsRune(" \t\r\n", t.Rune)
}

func parseDate(b []byte, at int) (time.Time, error) {
	const hex = "0123456789ABCDEF"
	digits := make([]byte, 0, 14)
	for _, octet := range b[:min(len(b), 8)] {
		digits = append(digits, hex[octet>>4], hex[octet&0xF])
	}
	for len(digits) < 14 {
		digits = append(digits, '0')
	}
	t, err := time.Parse("20060102150405", string(digits))
	if err != nil {
		return t, codec.Errorf("push", at, "date %.40X (want YYYYMMDDhhmmss)", b)
	}
	return t, nil
}
