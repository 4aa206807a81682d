package syncml

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"dmgate/codec/wbxml"
)

// child goes to the next element inside the one that is open and announces it; noTag at the end of the open one. It
// moves the cursor itself over what nearly all of a message is made of, and leaves the rest to the tokenizer.
func (in *reader) child() (tag, error) {
	if in.leaf {
		return in.noChild()
	}
	w := &in.w.Cursor
	doc, at := w.Doc, w.Pos
	for at+1 < len(doc) {
		c := doc[at]
		switch {
		case c-(wbxml.TagContent|wbxml.FirstTag) <= wbxml.LastTag-wbxml.FirstTag && w.Depth < w.MaxDepth:
			w.TagAt = at
			from, end := at+2, -1 // of its content, which begins with the token at at+1
			switch doc[at+1] {
			case wbxml.TokStrI:
				end = indexNUL(doc, from)
				at = end + 1
			case wbxml.TokOpaque:
				if from < len(doc) && doc[from] < 0x80 {
					end = from + 1 + int(doc[from])
					from, at = from+1, end
				}
			}
			if end >= 0 && at < len(doc) && doc[at] == wbxml.TokEnd && (!in.latin1 || wbxml.IsASCII(doc[from:end])) {
				w.Pos, in.from, in.end, in.leaf = at+1, from, end, true
			} else {
				w.Pos = w.TagAt + 1
				w.Depth++
			}
			in.tag = tag(w.Page)<<8 | tag(c&wbxml.TagMask)
			if in.tag >= endTags {
				return noTag, in.unknownPage()
			}
			return in.tag, nil
		case c == wbxml.TokEnd && w.Depth > 1:
			w.Pos = at + 1
			w.Depth--
			return noTag, nil
		case c == wbxml.TokSwitchPage:
			w.Page = doc[at+1]
			at += 2
		default:
			w.Pos = at
			return in.oddChild()
		}
	}
	w.Pos = at
	return in.oddChild()
}

// noChild is child where the announced element was taken whole: there can only be white space in it.
func (in *reader) noChild() (tag, error) {
	in.leaf = false
	return noTag, in.blank(in.content(), in.contentAt())
}

// content is that of the announced element, which was taken whole; empty where it has none.
func (in *reader) content() []byte { return in.w.Doc[in.from:in.end] }

// indexNUL is where the first NUL of doc from offset i on stands; -1 where there is none. Most strings are shorter than
// eight bytes, and found with one load.
func indexNUL(doc []byte, i int) int {
	if i+8 <= len(doc) {
		const low, high = 0x0101010101010101, 0x8080808080808080
		x := binary.LittleEndian.Uint64(doc[i:])
		if zero := (x - low) &^ x & high; zero != 0 {
			return i + bits.TrailingZeros64(zero)/8
		}
		i += 8
	}
	if n := bytes.IndexByte(doc[i:], 0); n >= 0 {
		return i + n
	}
	return -1
}
