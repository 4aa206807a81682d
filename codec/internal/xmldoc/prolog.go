package xmldoc

import (
	"bytes"

	"dmgate/codec"
)

// prolog finds where what stands in front of the root element ends: a byte order mark, the XML declaration, comments,
// processing instructions, and a DOCTYPE with its internal subset. It ends where one of them does not.
func prolog(doc []byte) (end int, latin1 bool, err error) {
	if starts(doc, "\xFE\xFF") || starts(doc, "\xFF\xFE") {
		return 0, false, codec.Errorf("xml", 0, "UTF-16 (want UTF-8)")
	}
	if starts(doc, "\xEF\xBB\xBF") {
		end = 3
	}
	declaration, doctype := true, true // may still come
	for {
		for end < len(doc) && isSpace(doc[end]) {
			end++
		}
		rest, n := doc[end:], 0
		switch {
		case starts(rest, "<?"):
			n = through(rest, "?>")
			if declaration && n > 0 && starts(rest, "<?xml") && isSpace(rest[len("<?xml")]) {
				if latin1, err = isLatin1(rest[:n], end); err != nil {
					return end, false, err
				}
			}
		case starts(rest, "<!--"):
			n = through(rest, "-->")
		case doctype && starts(rest, "<!DOCTYPE"):
			doctype, n = false, pastDoctype(rest)
		}
		if n == 0 {
			return end, latin1, nil
		}
		end, declaration = end+n, false
	}
}

func starts(b []byte, s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// through is how much of b it takes up to and including end, behind the opening that is as long; 0 where it does not
// come.
func through(b []byte, end string) int {
	from := min(len(end), len(b))
	if n := bytes.Index(b[from:], []byte(end)); n >= 0 {
		return from + n + len(end)
	}
	return 0
}

// pastDoctype is the length of the DOCTYPE that b begins with; 0 where it does not end.
func pastDoctype(b []byte) int {
	subset := false
	for i := 1; i < len(b); {
		n := 1
		switch c := b[i]; {
		case c == '"' || c == '\'':
			n = through(b[i:], string(c))
		case starts(b[i:], "<!--"):
			n = through(b[i:], "-->")
		case starts(b[i:], "<?"):
			n = through(b[i:], "?>")
		case c == '[':
			subset = true
		case c == ']':
			subset = false
		case c == '>' && !subset:
			return i + 1
		}
		if n == 0 {
			return 0
		}
		i += n
	}
	return 0
}

// isLatin1 tells what an XML declaration, which stands at offset at, says of the encoding.
func isLatin1(declaration []byte, at int) (bool, error) {
	const name = "encoding"
	i := bytes.Index(declaration, []byte(name))
	if i < 0 {
		return false, nil
	}
	value := bytes.TrimLeft(declaration[i+len(name):], "= \t\r\n")
	if n := bytes.IndexAny(value[1:], `"'`); n >= 0 {
		value = value[1 : 1+n]
	}
	for _, known := range [...]string{"UTF-8", "US-ASCII", latin1Name} {
		if bytes.EqualFold(value, []byte(known)) {
			return known == latin1Name, nil
		}
	}
	return false, codec.Errorf("xml", at+i, "encoding %.40q (want UTF-8, US-ASCII or ISO-8859-1)", value)
}

const latin1Name = "ISO-8859-1"
