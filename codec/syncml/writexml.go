package syncml

import (
	"encoding/base64"
	"slices"
	"unicode/utf8"

	"dmgate/codec/wbxml"
)

func (out *writer) beginXML() {
	out.Buf = append(out.Buf, `<?xml version="1.0" encoding="UTF-8"?><SyncML xmlns="`...)
	out.Buf = append(out.Buf, namespace(pageSyncML, out.version)...)
	out.Buf = append(out.Buf, `">`...)
}

// namespace is the XML namespace of the elements of page.
func namespace(page uint8, v Version) string {
	if page == pageSyncML && v == V11 {
		return "SYNCML:SYNCML1.1"
	}
	return namespaces[page]
}

// openXML writes a start tag up to its end. Each MetInf element names its namespace, as phones do and expect.
func (out *writer) openXML(t tag) {
	out.Buf = append(out.Buf, '<')
	out.Buf = append(out.Buf, t.name()...)
	if t.page() == pageMetInf {
		out.Buf = append(out.Buf, ` xmlns="syncml:metinf"`...)
	}
}

func (out *writer) startXML(t tag) {
	out.openXML(t)
	out.Buf = append(out.Buf, '>')
}

func (out *writer) endXML(t tag) {
	out.Buf = append(out.Buf, "</"...)
	out.Buf = append(out.Buf, t.name()...)
	out.Buf = append(out.Buf, '>')
}

func (out *writer) elementXML(t tag, v []byte) {
	out.openXML(t)
	if len(v) == 0 {
		out.Buf = append(out.Buf, "/>"...)
		return
	}
	out.Buf = append(out.Buf, '>')
	out.Buf = appendText(out.Buf, v)
	out.endXML(t)
}

func (out *writer) base64XML(data []byte) {
	out.startXML(tagData)
	out.Buf = base64.StdEncoding.AppendEncode(out.Buf, data)
	out.endXML(tagData)
}

// markupXML writes Data whose content is XML already.
func (out *writer) markupXML(data []byte) {
	out.startXML(tagData)
	out.Buf = append(out.Buf, data...)
	out.endXML(tagData)
}

// Classes of bytes in text.
const (
	plain     = iota
	special   // has a named entity
	forbidden // a control character, which XML 1.0 can not hold in any form
	multibyte // of a character beyond ASCII
)

var textBytes = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c == '&' || c == '<' || c == '>':
			t[c] = special
		case c < ' ' && c != '\t' && c != '\n' && c != '\r':
			t[c] = forbidden
		case c >= utf8.RuneSelf:
			t[c] = multibyte
		}
	}
	return t
}()

// appendText appends s as character data. What XML can not hold (control characters, bytes that are not UTF-8) becomes
// U+FFFD: the document stays well-formed, and a reader sees that something was there.
func appendText(dst, s []byte) []byte {
	from := 0
	for i := 0; i < len(s); {
		class := textBytes[s[i]]
		if class == plain {
			i++
			continue
		}
		n, entity := 1, "\uFFFD"
		switch class {
		case special:
			entity = entityOf(s[i])
		case multibyte:
			var ok bool
			if n, ok = character8(s[i:]); ok {
				i += n
				continue
			}
		}
		if from == 0 { // a long text with many references grows the buffer once
			size := len(s) + len(s)/4
			if len(s) > large {
				size = lenText(s)
			}
			dst = slices.Grow(dst, size)
		}
		dst = append(dst, s[from:i]...)
		dst = append(dst, entity...)
		i += n
		from = i
	}
	return append(dst, s[from:]...)
}

// lenText is the length of what appendText appends.
func lenText(s []byte) int {
	size := len(s)
	for i := 0; i < len(s); i++ {
		switch textBytes[s[i]] {
		case special:
			size += len(entityOf(s[i])) - 1
		case forbidden:
			size += len("\uFFFD") - 1
		case multibyte:
			n, ok := character8(s[i:])
			if !ok {
				size += len("\uFFFD") - n
			}
			i += n - 1
		}
	}
	return size
}

// appendLatin1 appends s, which is ISO-8859-1, as character data in UTF-8.
func appendLatin1(dst, s []byte) []byte {
	from := 0
	for i, c := range s {
		var entity string
		switch textBytes[c] {
		case special:
			entity = entityOf(c)
		case forbidden:
			entity = "\uFFFD"
		default:
			continue
		}
		dst = append(wbxml.AppendLatin1(dst, s[from:i]), entity...)
		from = i + 1
	}
	return wbxml.AppendLatin1(dst, s[from:])
}

func entityOf(c byte) string {
	switch c {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	default:
		return "&gt;"
	}
}

// isText says whether XML can hold s as character data.
func isText(s []byte) bool {
	for i := 0; i < len(s); {
		switch textBytes[s[i]] {
		case forbidden:
			return false
		case multibyte:
			n, ok := character8(s[i:])
			if !ok {
				return false
			}
			i += n
		default:
			i++
		}
	}
	return true
}

// character8 is the length of the UTF-8 character that s begins with, and whether XML can hold it.
func character8(s []byte) (n int, ok bool) {
	r, n := utf8.DecodeRune(s)
	return n, (r != utf8.RuneError || n > 1) && r != 0xFFFE && r != 0xFFFF
}
