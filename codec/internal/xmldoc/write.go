// Package xmldoc is what the readers and writers of small XML documents share: what text looks like, and what stands
// around the root element. The DM message itself, which must cost nothing, has a scanner of its own in package syncml.
package xmldoc

import (
	"strings"
	"unicode/utf8"
)

// Declaration is what our documents begin with.
const Declaration = `<?xml version="1.0" encoding="UTF-8"?>`

// AppendText appends s as character data. Clients are known that refuse references by number, so there are none: what
// XML can not hold becomes U+FFFD, and a CR, which a reader turns into LF, becomes that at once.
func AppendText[T string | []byte](dst []byte, s T) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		i++
		switch {
		case c == '&':
			dst = append(dst, "&amp;"...)
		case c == '<':
			dst = append(dst, "&lt;"...)
		case c == '>':
			dst = append(dst, "&gt;"...)
		case c == '\r':
			if i == len(s) || s[i] != '\n' {
				dst = append(dst, '\n')
			}
		case c == '\t', c == '\n', c >= ' ' && c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRuneInString(string(s[i-1 : min(i-1+utf8.UTFMax, len(s))]))
			if !isChar(r) {
				r = utf8.RuneError
			}
			dst = utf8.AppendRune(dst, r)
			i += n - 1
		}
	}
	return dst
}

// AppendAttr appends a space and an attribute. A reader turns tabs and line breaks in a value into spaces, and only
// references by number would keep them, so they go as spaces: who minds has to refuse them by IsAttr.
func AppendAttr(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, ' '), name...), `="`...)
	for i, part := range strings.Split(value, `"`) {
		if i > 0 {
			dst = append(dst, "&quot;"...)
		}
		at := len(dst)
		dst = AppendText(dst, part)
		for ; at < len(dst); at++ {
			if dst[at] < ' ' {
				dst[at] = ' '
			}
		}
	}
	return append(dst, '"')
}

// isChar says whether XML can hold r.
func isChar(r rune) bool {
	return r >= ' ' && r != 0xFFFE && r != 0xFFFF || r == '\t' || r == '\n' || r == '\r'
}

// IsText says whether s can be character data: it is UTF-8, and of control characters it has tabs and line breaks at
// most.
func IsText(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !isChar(r) }) < 0
}

// IsAttr says whether s can be the value of an attribute and mean the same to every reader: there are no tabs or line
// breaks either.
func IsAttr(s string) bool { return IsText(s) && !strings.ContainsAny(s, "\t\n\r") }
