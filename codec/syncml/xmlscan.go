package syncml

import "bytes"

// scanner walks over an XML document without copying any of it. Namespaces are not resolved: the local part of a name
// decides. Nothing a DOCTYPE declares is expanded.
type scanner struct {
	doc   []byte
	pos   int
	tagAt int    // where the start tag taken last begins
	open  []span // names of the open elements, prefix and all, as they stand in doc
}

type span struct{ start, end int }

// Classes of bytes in names.
const (
	nameByte  = 1
	nameColon = 2
)

// nameBytes says which bytes names are made of. Those above 0x7F are taken as they come.
var nameBytes = func() (t [256]uint8) {
	for c := range t {
		b := byte(c)
		if b|0x20 >= 'a' && b|0x20 <= 'z' || b >= '0' && b <= '9' || b == '_' || b == '-' || b == '.' || b >= 0x80 {
			t[c] = nameByte
		}
	}
	t[':'] = nameColon
	return t
}()

func nameStart(c byte) bool { return nameBytes[c] == nameByte && (c < '-' || c > '9') }

// has says whether s stands at the scanner's position.
func (x *scanner) has(s string) bool {
	return len(x.doc)-x.pos >= len(s) && string(x.doc[x.pos:x.pos+len(s)]) == s
}

// space passes over white space.
func (x *scanner) space() {
	for x.pos < len(x.doc) && isSpace(x.doc[x.pos]) {
		x.pos++
	}
}

// until passes over everything up to and including end; false where it does not come.
func (x *scanner) until(end string) bool {
	for from := x.pos; ; {
		i := bytes.IndexByte(x.doc[from:], end[0])
		if i < 0 {
			return false
		}
		from += i
		if len(x.doc)-from < len(end) {
			return false
		}
		if string(x.doc[from:from+len(end)]) == end {
			x.pos = from + len(end)
			return true
		}
		from++
	}
}

// pass passes over the comment or processing instruction at the scanner's position. done is false where there is
// none.
func (in *reader) pass() (done bool, err error) {
	x := &in.x
	switch {
	case x.has("<!--"):
		x.pos += len("<!--")
		if !x.until("-->") {
			return false, in.truncated("a comment")
		}
	case x.has("<?"):
		if !x.until("?>") {
			return false, in.truncated("a processing instruction")
		}
	default:
		return false, nil
	}
	return true, nil
}

// startXML announces the element whose start tag is at the scanner's position, and passes over the tag.
func (in *reader) startXML() error {
	x := &in.x
	doc, first := x.doc, x.pos+1
	i, local := first, first
	for ; i < len(doc); i++ {
		k := nameBytes[doc[i]]
		if k == nameByte {
			continue
		}
		if k != nameColon {
			break
		}
		local = i + 1
	}
	switch {
	case i >= len(doc):
		return in.truncated("a tag")
	case i == local || !nameStart(doc[first]):
		return in.errorf(x.pos, "'<' that starts no tag")
	}
	x.tagAt, in.name = x.pos, doc[local:i]
	in.tag = tagOf(in.name)
	if doc[i] == '>' {
		x.pos, in.leaf = i+1, false
	} else {
		x.pos = i
		if err := in.attributes(len(x.open) == 0); err != nil {
			return err
		}
		if in.leaf {
			return nil
		}
	}
	if len(x.open) >= in.lim.Depth {
		return in.errorf(in.at(), "elements nested deeper than %d", in.lim.Depth)
	}
	x.open = append(x.open, span{first, i})
	return nil
}

// attributes passes over the rest of a start tag behind the name. Of the root it notes the version that its namespace
// names.
func (in *reader) attributes(root bool) error {
	x := &in.x
	prefix := x.doc[x.tagAt+1 : x.pos-len(in.name)]
	for {
		from := x.pos
		x.space()
		if x.pos+1 >= len(x.doc) {
			return in.truncated("a tag")
		}
		switch c := x.doc[x.pos]; {
		case c == '>':
			x.pos++
			in.leaf = false
			return nil
		case c == '/' && x.doc[x.pos+1] == '>':
			x.pos += 2
			in.leaf = true
			return nil
		case x.pos == from || !nameStart(c):
			return in.errorf(x.pos, "%q inside a tag", c)
		}
		start := x.pos
		for x.pos < len(x.doc) && nameBytes[x.doc[x.pos]] != 0 {
			x.pos++
		}
		name := x.doc[start:x.pos]
		x.space()
		if !x.has("=") {
			return in.errorf(x.pos, "attribute without a value")
		}
		x.pos++
		x.space()
		value, err := in.quoted()
		if err != nil {
			return err
		}
		if bytes.IndexByte(value, '<') >= 0 {
			return in.errorf(x.pos-len(value)-1, "'<' inside an attribute")
		}
		if root && declares(name, prefix) {
			in.versionXML(value)
		}
	}
}

// declares says whether the attribute called name declares the namespace of elements with prefix, which ends with ':' or
// is empty.
func declares(name, prefix []byte) bool {
	rest, ok := bytes.CutPrefix(name, xmlns)
	if !ok || len(prefix) == 0 {
		return ok && len(rest) == 0
	}
	return len(rest) == len(prefix) && rest[0] == ':' && bytes.Equal(rest[1:], prefix[:len(prefix)-1])
}

var xmlns = []byte("xmlns")

// quoted takes the quoted string at the scanner's position.
func (in *reader) quoted() ([]byte, error) {
	x := &in.x
	if x.pos >= len(x.doc) {
		return nil, in.truncated("a tag")
	}
	q := x.doc[x.pos]
	if q != '"' && q != '\'' {
		return nil, in.errorf(x.pos, "%q where a quoted value was expected", q)
	}
	n := bytes.IndexByte(x.doc[x.pos+1:], q)
	if n < 0 {
		return nil, in.truncated("a quoted value")
	}
	s := x.doc[x.pos+1 : x.pos+1+n]
	x.pos += n + 2
	return s, nil
}

// endXML passes over the end tag at the scanner's position, which must be that of the innermost open element.
func (in *reader) endXML() error {
	x := &in.x
	top := len(x.open) - 1
	want := x.doc[x.open[top].start:x.open[top].end]
	from := x.pos + len("</")
	rest := x.doc[from:]
	n := len(want)
	if len(rest) <= n || string(rest[:n]) != string(want) || nameBytes[rest[n]] != 0 {
		return in.wrongEnd(rest, want)
	}
	if rest[n] != '>' {
		x.pos = from + n
		x.space()
		if !x.has(">") {
			return in.errorf(x.pos, "end tag %q without its '>'", clip(want))
		}
		from = x.pos - n
	}
	x.pos = from + n + 1
	x.open = x.open[:top]
	return nil
}

// wrongEnd is the error for an end tag, rest without its beginning, that is not the one of want.
func (in *reader) wrongEnd(rest, want []byte) error {
	n := 0
	for n < len(rest) && nameBytes[rest[n]] != 0 {
		n++
	}
	if n == len(rest) {
		return in.truncated("an end tag")
	}
	return in.errorf(in.x.pos, "end tag %q, but %q is open", clip(rest[:n]), clip(want))
}

// reference is the character that the reference at offset i of the document stands for, and where the text goes on.
// next is 0 for a reference that is none of XML's own.
func (x *scanner) reference(i int) (r rune, next int) {
	rest := x.doc[i+1:]
	n := bytes.IndexByte(rest[:min(len(rest), 12)], ';')
	if n < 0 {
		return 0, 0
	}
	next = i + n + 2
	switch name := rest[:n]; string(name) {
	case "amp":
		return '&', next
	case "lt":
		return '<', next
	case "gt":
		return '>', next
	case "quot":
		return '"', next
	case "apos":
		return '\'', next
	default:
		if r = character(name); r == 0 {
			return 0, 0
		}
		return r, next
	}
}

// character is the character that name, "#" and a decimal or "#x" and a hex number, stands for; 0 for none that XML
// allows.
func character(name []byte) rune {
	if len(name) < 2 || name[0] != '#' {
		return 0
	}
	digits, base := name[1:], rune(10)
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	var r rune
	for _, c := range digits {
		d := rune(c) - '0'
		if l := c | 0x20; base == 16 && l >= 'a' && l <= 'f' {
			d = rune(l-'a') + 10
		} else if c < '0' || c > '9' {
			return 0
		}
		if r = r*base + d; r > 0x10FFFF {
			return 0
		}
	}
	switch {
	case r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r < 0xD800 || r >= 0xE000 && r < 0xFFFE || r >= 0x10000:
		return r
	}
	return 0
}

// truncated is the error for a document that ends inside what.
func (in *reader) truncated(what string) error {
	return in.errorf(len(in.x.doc), "document ends in %s", what)
}
