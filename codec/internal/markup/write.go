package markup

import (
	"encoding/base64"
	"fmt"
	"unicode/utf8"

	"dmgate/codec/internal/xmldoc"
	"dmgate/codec/wbxml"
)

// Writer writes one document. Bytes returns it.
type Writer struct {
	l       *Language
	xml     bool
	w       wbxml.Writer // its Buf takes XML as well
	open    []string
	pending bool // the innermost element's tag is not written yet: it may turn out to be empty
	err     error
}

// WriteXML makes a writer that appends XML to dst, with a declaration in front unless the document is to stand inside
// another.
func (l *Language) WriteXML(dst []byte, inside bool) *Writer {
	w := &Writer{l: l, xml: true}
	if !inside {
		dst = append(dst, xmldoc.Declaration...)
	}
	w.w.Buf = dst
	return w
}

// WriteWBXML makes a writer that appends WBXML to dst.
func (l *Language) WriteWBXML(dst []byte) *Writer {
	w := &Writer{l: l}
	w.w.Init(dst, &l.Header)
	return w
}

// Start opens an element.
func (w *Writer) Start(name string) {
	w.flush(true)
	w.open = append(w.open, name)
	w.pending = true
}

// flush writes the tag that is pending.
func (w *Writer) flush(content bool) {
	if !w.pending {
		return
	}
	w.pending = false
	name := w.open[len(w.open)-1]
	if w.xml {
		if !isName(name) && w.err == nil {
			w.err = fmt.Errorf("%.40q can not name an element in XML", name)
		}
		w.w.Buf = append(append(w.w.Buf, '<'), name...)
		if len(w.open) == 1 {
			w.w.Buf = append(w.w.Buf, ` xmlns="`+w.l.Namespace+`"`...)
		}
		if content {
			w.w.Buf = append(w.w.Buf, '>')
		} else {
			w.w.Buf = append(w.w.Buf, "/>"...)
		}
		return
	}
	code, ok := w.l.codes[name]
	switch {
	case !ok && w.err == nil:
		w.err = fmt.Errorf("element %.40q has no tag in WBXML", name)
	case content:
		w.w.Start(w.l.Page, code)
	default:
		w.w.Empty(w.l.Page, code)
	}
}

// isName says whether XML can call an element s. A literal of WBXML may be anything.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= utf8.RuneSelf
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '-' && c != '.') {
			return false
		}
	}
	return s != "" && utf8.ValidString(s)
}

// End closes the innermost element.
func (w *Writer) End() {
	empty := w.pending
	w.flush(false)
	name := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	switch {
	case empty:
	case w.xml:
		w.w.Buf = append(append(append(w.w.Buf, "</"...), name...), '>')
	default:
		w.w.End()
	}
}

// Text writes character data.
func (w *Writer) Text(b []byte) {
	if len(b) == 0 {
		return
	}
	w.flush(true)
	if !w.xml {
		w.w.Text(b)
		return
	}
	w.w.Buf = xmldoc.AppendText(w.w.Buf, b)
}

// Raw writes bytes that need be no text: OPAQUE in WBXML, base64 in XML.
func (w *Writer) Raw(b []byte) {
	if len(b) == 0 {
		return
	}
	w.flush(true)
	if w.xml {
		w.w.Buf = base64.StdEncoding.AppendEncode(w.w.Buf, b)
	} else {
		w.w.Opaque(b)
	}
}

// Element writes an element around text, or an empty one.
func (w *Writer) Element(name string, text []byte) {
	w.Start(name)
	w.Text(text)
	w.End()
}

// Optional writes an element unless its text is empty.
func (w *Writer) Optional(name, text string) {
	if text != "" {
		w.Element(name, []byte(text))
	}
}

// Bytes is the document, once its root is closed. It is an error to have written an element that the language has no
// tag for.
func (w *Writer) Bytes() ([]byte, error) { return w.w.Buf, w.err }
