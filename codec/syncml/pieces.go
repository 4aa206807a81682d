package syncml

import (
	"slices"
	"unicode/utf8"

	"dmgate/codec/wbxml"
)

// pieces joins the parts of one value, which begins at offset at of the document and takes limit bytes at most. A
// single part stays the view it is; from the second on they are copied to the message's scratch. Only one value is
// joined at a time. Without a message nothing is kept, and only the length is told.
type pieces struct {
	m         *Message
	at, limit int
	view      []byte
	start     int // of the value in scratch, once copied
	copied    bool
	n         int // the length where nothing is kept
}

func (in *reader) add(p *pieces, b []byte) {
	switch {
	case p.m == nil:
		p.n += len(b)
	case !p.copied && len(p.view) == 0:
		p.view = b
	default:
		in.copy(p)
		in.m.scratch = append(in.m.scratch, b...)
	}
}

// addLatin1 adds text that is ISO-8859-1.
func (in *reader) addLatin1(p *pieces, b []byte) {
	switch {
	case p.m == nil:
		p.n += wbxml.LenLatin1(b)
	case wbxml.IsASCII(b):
		in.add(p, b)
	default:
		in.copy(p)
		in.m.scratch = wbxml.AppendLatin1(in.m.scratch, b)
	}
}

func (in *reader) addRune(p *pieces, r rune) {
	if p.m == nil {
		p.n += utf8.RuneLen(r)
		return
	}
	in.copy(p)
	in.m.scratch = utf8.AppendRune(in.m.scratch, r)
}

// copy moves what there is to scratch, once that has room for all of the value.
func (in *reader) copy(p *pieces) {
	if !p.copied {
		in.reserve(p.at, p.limit)
		p.copied, p.start = true, len(in.m.scratch)
		in.m.scratch = append(in.m.scratch, p.view...)
	}
}

func (p *pieces) len() int {
	if p.copied {
		return len(p.m.scratch) - p.start
	}
	return len(p.view) + p.n
}

func (p *pieces) bytes() []byte {
	if p.copied {
		return p.m.scratch[p.start:len(p.m.scratch):len(p.m.scratch)]
	}
	return p.view
}

// drop forgets the value, and keeps nothing of what comes.
func (p *pieces) drop() {
	if p.copied {
		p.m.scratch = p.m.scratch[:p.start]
	}
	*p = pieces{}
}

// large is the room in bytes that scratch gets without a look at how much of it a value takes.
const large = 64 << 10

// reserve makes room in scratch for the value that begins at offset at, so that a large one is copied once.
func (in *reader) reserve(at, limit int) {
	m := in.m
	room := min(len(in.x.doc)-at, limit)
	if in.enc == WBXML {
		room = min(len(in.w.Doc)-at, limit)
	}
	switch {
	case cap(m.scratch)-len(m.scratch) >= room:
		return
	case room > large && in.enc == XML:
		room = min(in.sizeXML(at), limit)
	case room > large:
		room = min(in.sizeWBXML(at), limit)
	}
	m.scratch = slices.Grow(m.scratch, room)
}
