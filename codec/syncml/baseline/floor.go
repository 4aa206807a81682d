package baseline

import "bytes"

// Tokens of WBXML that are no tags.
const (
	switchPage = 0x00
	end        = 0x01
	entity     = 0x02
	inline     = 0x03 // STR_I
	fromTable  = 0x83 // STR_T
	opaque     = 0xC3
)

// WalkWBXML passes over a document and returns how many tokens it has, page switches included. It is the floor of
// reading: every byte that must be looked at is, nothing is kept, and nothing is checked. A document that is cut short
// or has attributes, literals or processing instructions is not for it.
func WalkWBXML(doc []byte) (tokens int) {
	public, i := number(doc, 1)
	if public == 0 {
		_, i = number(doc, i) // where the string table has its text
	}
	_, i = number(doc, i) // charset
	n, i := number(doc, i)
	for i += n; i < len(doc); tokens++ {
		c := doc[i]
		i++
		switch c {
		case switchPage:
			i++
		case inline:
			i += bytes.IndexByte(doc[i:], 0) + 1
		case fromTable, entity:
			_, i = number(doc, i)
		case opaque:
			n, i = number(doc, i)
			i += n
		case end:
		default: // a tag
		}
	}
	return tokens
}

// number is the mb_u_int32 at offset i of doc, and the offset behind it.
func number(doc []byte, i int) (n, next int) {
	for ; ; i++ {
		n = n<<7 | int(doc[i]&0x7F)
		if doc[i] < 0x80 {
			return n, i + 1
		}
	}
}

// WalkXML passes over a document and returns how many tags it has: the floor of reading XML. Tags stand so close to
// each other that a plain loop is faster than IndexByte.
func WalkXML(doc []byte) (tags int) {
	for i := 0; i < len(doc); i++ {
		if doc[i] != '<' {
			continue
		}
		for tags++; i < len(doc) && doc[i] != '>'; i++ {
		}
	}
	return tags
}
