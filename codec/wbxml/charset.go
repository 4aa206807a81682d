package wbxml

// ISO-8859-1, the one charset besides UTF-8 and its subset US-ASCII that devices are known to name.

import (
	"slices"
	"unicode/utf8"
)

// Latin1 says whether the strings of the document are ISO-8859-1. OPAQUE is bytes in any document.
func (h *Header) Latin1() bool { return h.Charset == CharsetLatin1 }

// UTF8 is the bytes of a Text or literal token of h's document in UTF-8. Where they are that already it is a view of
// them; else it is a copy.
func (h *Header) UTF8(text []byte) []byte {
	if !h.Latin1() || IsASCII(text) {
		return text
	}
	return AppendLatin1(nil, text)
}

// LenLatin1 is the length of s, which is ISO-8859-1, in UTF-8.
func LenLatin1(s []byte) int {
	n := len(s)
	for _, c := range s {
		n += int(c >> 7)
	}
	return n
}

// AppendLatin1 appends s, which is ISO-8859-1, in UTF-8.
func AppendLatin1(dst, s []byte) []byte {
	dst = slices.Grow(dst, LenLatin1(s))
	for _, c := range s {
		if c < utf8.RuneSelf {
			dst = append(dst, c)
		} else {
			dst = append(dst, 0xC0|c>>6, 0x80|c&0x3F)
		}
	}
	return dst
}

// IsASCII says whether no byte of s is beyond US-ASCII.
func IsASCII(s []byte) bool {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// latin1 writes s, which is UTF-8, in ISO-8859-1: as strings, and as ENTITY what that charset lacks. What is not UTF-8
// goes as OPAQUE, like any bytes that are no text.
func (w *Writer) latin1(s []byte) {
	if !utf8.Valid(s) {
		w.Opaque(s)
		return
	}
	letters := 0
	for _, c := range s {
		if utf8.RuneStart(c) {
			letters++
		}
	}
	w.Buf = slices.Grow(w.Buf, letters+len("\x03\x00")) // all there is to it as a rule
	open := false
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		s = s[n:]
		if (r <= 0xFF) != open {
			if open {
				w.Buf = append(w.Buf, 0)
			} else {
				w.Buf = append(w.Buf, TokStrI)
			}
			open = !open
		}
		if open {
			w.Buf = append(w.Buf, byte(r))
		} else {
			w.Buf = append(w.Buf, tokEntity)
			w.Buf = AppendNumber(w.Buf, uint32(r))
		}
	}
	if open {
		w.Buf = append(w.Buf, 0)
	}
}
