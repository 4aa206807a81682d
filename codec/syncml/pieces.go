package syncml

import (
	"unicode/utf8"

	"dmgate/codec/wbxml"
)

// pieces joins the parts of one value. A single part stays the view it is; from the second on they are copied to the
// message's scratch. Only one value is joined at a time.
type pieces struct {
	m      *Message
	view   []byte
	start  int // of the value in scratch, once copied
	copied bool
}

func (p *pieces) add(b []byte) {
	switch {
	case p.copied:
		p.m.scratch = append(p.m.scratch, b...)
	case len(p.view) == 0:
		p.view = b
	default:
		p.copy()
		p.m.scratch = append(p.m.scratch, b...)
	}
}

// addLatin1 adds text that is ISO-8859-1.
func (p *pieces) addLatin1(b []byte) {
	if wbxml.IsASCII(b) {
		p.add(b)
		return
	}
	p.copy()
	p.m.scratch = wbxml.AppendLatin1(p.m.scratch, b)
}

func (p *pieces) addRune(r rune) {
	p.copy()
	p.m.scratch = utf8.AppendRune(p.m.scratch, r)
}

// copy moves what there is to scratch.
func (p *pieces) copy() {
	if !p.copied {
		p.copied, p.start = true, len(p.m.scratch)
		p.m.scratch = append(p.m.scratch, p.view...)
	}
}

func (p *pieces) len() int {
	if p.copied {
		return len(p.m.scratch) - p.start
	}
	return len(p.view)
}

func (p *pieces) bytes() []byte {
	if p.copied {
		return p.m.scratch[p.start:len(p.m.scratch):len(p.m.scratch)]
	}
	return p.view
}

// drop forgets the value.
func (p *pieces) drop() {
	if p.copied {
		p.m.scratch = p.m.scratch[:p.start]
	}
	p.view, p.copied = nil, false
}
