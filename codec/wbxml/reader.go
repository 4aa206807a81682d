// Package wbxml reads and writes the binary XML that phones speak: a pull tokenizer and an appender. It knows tokens,
// code pages and the string table, and nothing of what the tags mean; syncml and cp bring their own tables.
//
// Source: WAP Binary XML 1.1 to 1.3; section 1 of the fact sheet.
package wbxml

import (
	"bytes"

	"dmgate/codec"
)

// Global tokens.
const (
	TokSwitchPage = 0x00
	TokEnd        = 0x01
	tokEntity     = 0x02
	TokStrI       = 0x03
	tokLiteral    = 0x04
	tokExtI0      = 0x40 // and two more; so with the others
	tokPI         = 0x43
	tokLiteralC   = 0x44
	tokExtT0      = 0x80
	tokStrT       = 0x83
	tokLiteralA   = 0x84
	tokExt0       = 0xC0
	TokOpaque     = 0xC3
	tokLiteralAC  = 0xC4

	TagContent = 0x40
	bitAttrs   = 0x80
	TagMask    = 0x3F

	FirstTag = 0x05 // of those that have a code
	LastTag  = 0x3F
)

// Kind says what a Token is.
type Kind uint8

// Kinds of token.
const (
	EOF       Kind = iota // the root element is closed and nothing follows
	Start                 // a tag. Attrs: attribute tokens follow up to AttrsEnd; Content: content follows up to End
	End                   // the end of an element's content
	Text                  // Bytes: STR_I or STR_T, in content or in an attribute value, in the document's charset
	Opaque                // Bytes: OPAQUE, in content or in an attribute value
	Entity                // Rune: a character by its code point
	Attr                  // an attribute start: Page and Code, or Bytes for a literal name
	AttrValue             // an attribute value token: Page and Code
	AttrsEnd              // the end of an attribute list
	Ext                   // an extension token, 0xC0 or the like, in content or in an attribute value; see Reader.Skipping
)

// Token is one step of a Reader. Which fields are set depends on Kind. Bytes is a view into the document.
type Token struct {
	Kind    Kind
	Page    uint8  // code page that Code belongs to
	Code    uint8  // tag (6 bits), attribute start or attribute value; 0 for a literal, whose name is in Bytes
	Content bool   // of Start
	Attrs   bool   // of Start
	Rune    rune   // of Entity
	Bytes   []byte // of Text and Opaque; of Start and Attr for literals, whose Code is 0
	Offset  int    // where the token begins in the document
}

// Public identifiers by number. Zero means that the document names its type in text.
const (
	PublicSI         = 0x05
	PublicSL         = 0x06
	PublicProv10     = 0x0B
	PublicSyncML10   = 0x0FD1
	PublicDevInf10   = 0x0FD2
	PublicSyncML11   = 0x0FD3
	PublicDevInf11   = 0x0FD4
	PublicSyncML12   = 0x1201
	PublicMetInf12   = 0x1202
	PublicDevInf12   = 0x1203
	PublicUnknown    = 0x01
	CharsetUTF8      = 106 // MIBenum
	CharsetASCII     = 3
	CharsetLatin1    = 4 // ISO-8859-1
	charsetUndefined = 0 // "unknown"; read as UTF-8
)

// Header is what stands before the body.
type Header struct {
	Version    uint8  // 0x01 for 1.1, 0x02 for 1.2, 0x03 for 1.3
	PublicID   uint32 // numeric public identifier; 0 when PublicText holds it
	PublicText []byte // textual public identifier, "-//SYNCML//DTD SyncML 1.2//EN"
	Charset    uint32 // MIBenum
	Strings    []byte // the string table
}

// Reader walks over the tokens of one document. Init makes it ready; the same Reader serves any number of documents
// one after the other and allocates nothing unless it returns an error.
//
// The tag page and the attribute page are separate and both last until the next switch in their own space, also over
// the ends of elements.
type Reader struct {
	Header Header

	// Skipping has Next hand out extension tokens, operand and all. No document type here gives them a meaning, so they
	// are an error where something is read, but none in what is passed over.
	Skipping bool

	Cursor
	attrPage uint8
	room     int // bytes that the string table may still be told for
	state    state
	content  bool // the tag whose attributes are being read has content
}

// state is where in the document a Reader stands.
type state uint8

const (
	inProlog  state = iota // in front of the root element
	inContent              // in the content of an element
	inAttrs                // in an attribute list
	inEpilog               // behind the root element
)

// MaxExpansion bounds what the strings of the table come to, by the size of the document: a document can say the same
// thousand bytes over and over, two bytes a time. What real string tables save is far below it.
const MaxExpansion = 16

// Init reads the header of doc and makes r ready for its first Next. maxDepth bounds the nesting of elements.
// r keeps views into doc.
func (r *Reader) Init(doc []byte, maxDepth int) error {
	*r = Reader{Cursor: Cursor{Doc: doc, MaxDepth: maxDepth}, room: MaxExpansion * len(doc)}
	if len(doc) == 0 {
		return codec.Errorf("wbxml", 0, "empty document")
	}
	r.Header.Version = doc[0]
	if doc[0] < 0x01 || doc[0] > 0x03 {
		return codec.Errorf("wbxml", 0, "version byte 0x%02X (want 0x01 to 0x03)", doc[0])
	}
	r.Pos = 1
	id, err := r.number("public identifier")
	if err != nil {
		return err
	}
	r.Header.PublicID = id
	textAt, textIndex := r.Pos, uint32(0)
	if id == 0 {
		if textIndex, err = r.number("public identifier's string table index"); err != nil {
			return err
		}
	}
	at := r.Pos
	if r.Header.Charset, err = r.number("charset"); err != nil {
		return err
	}
	switch r.Header.Charset {
	case CharsetUTF8, CharsetASCII, CharsetLatin1, charsetUndefined:
	default:
		return codec.Errorf("wbxml", at, "charset %d (want 106 for UTF-8, 3 for US-ASCII or 4 for ISO-8859-1)",
			r.Header.Charset)
	}
	at = r.Pos
	n, err := r.number("string table length")
	if err != nil {
		return err
	}
	if int(n) > len(doc)-r.Pos {
		return codec.Errorf("wbxml", at, "string table of %d bytes, only %d left", n, len(doc)-r.Pos)
	}
	r.Header.Strings = doc[r.Pos : r.Pos+int(n)]
	r.Pos += int(n)
	if id == 0 {
		if r.Header.PublicText, err = r.tableString(textIndex, textAt); err != nil {
			return err
		}
	}
	return nil
}

// Next reads one token into t. After the root element is closed it sets Kind to EOF; bytes after it are an error.
func (r *Reader) Next(t *Token) error {
	for r.state <= inContent && r.Pos < len(r.Doc) {
		c := r.Doc[r.Pos]
		t.Offset = r.Pos
		r.Pos++
		switch c {
		case TokSwitchPage:
			if r.Pos >= len(r.Doc) {
				return codec.Errorf("wbxml", r.Pos, "document ends in a page switch")
			}
			r.Page = r.Doc[r.Pos]
			r.Pos++
		case TokEnd:
			if r.Depth == 0 {
				return codec.Errorf("wbxml", t.Offset, "END without an open element")
			}
			t.Kind = End
			r.close()
			return nil
		case tokPI:
			if err := r.skipPI(); err != nil {
				return err
			}
		default:
			return r.other(t, c)
		}
	}
	switch r.state {
	case inAttrs:
		return r.nextAttr(t)
	case inEpilog:
		return r.epilog(t)
	}
	return codec.Errorf("wbxml", r.Pos, "document ends inside an element (depth %d)", r.Depth)
}

// close leaves the content of the innermost element.
func (r *Reader) close() {
	if r.Depth--; r.Depth == 0 {
		r.state = inEpilog
	}
}

// tag is a tag: c has its bits.
func (r *Reader) tag(t *Token, c byte) error {
	r.TagAt = t.Offset
	t.Kind, t.Page, t.Code, t.Content, t.Attrs = Start, r.Page, c&TagMask, c&TagContent != 0, c&bitAttrs != 0
	switch {
	case t.Content && r.Depth >= r.MaxDepth:
		return codec.Errorf("wbxml", t.Offset, "elements nested deeper than %d", r.MaxDepth)
	case t.Attrs:
		r.content, r.state = t.Content, inAttrs
	case t.Content:
		r.Depth++
		r.state = inContent
	case r.Depth == 0:
		r.state = inEpilog
	}
	return nil
}

// other is what Next does not meet in every document.
func (r *Reader) other(t *Token, c byte) error {
	switch c {
	case TokStrI, tokStrT, tokEntity, TokOpaque:
		if r.state == inProlog {
			return codec.Errorf("wbxml", t.Offset, "token 0x%02X before the root element", c)
		}
		return r.value(t, c)
	case tokLiteral, tokLiteralC, tokLiteralA, tokLiteralAC:
		at := r.Pos
		index, err := r.number("literal tag's name")
		if err != nil {
			return err
		}
		if t.Bytes, err = r.tableString(index, at); err != nil {
			return err
		}
		return r.tag(t, c&^TagMask)
	}
	if c&TagMask <= tokLiteral {
		return r.extension(t, c)
	}
	return r.tag(t, c)
}

// nextAttr reads one token of an attribute list. Codes below 0x80 start an attribute, those above are values.
func (r *Reader) nextAttr(t *Token) error {
	for {
		if r.Pos >= len(r.Doc) {
			return codec.Errorf("wbxml", r.Pos, "document ends inside an attribute list")
		}
		t.Offset = r.Pos
		c := r.Doc[r.Pos]
		r.Pos++
		switch c {
		case TokSwitchPage:
			if r.Pos >= len(r.Doc) {
				return codec.Errorf("wbxml", r.Pos, "document ends in a page switch")
			}
			r.attrPage = r.Doc[r.Pos]
			r.Pos++
			continue
		case TokEnd:
			if r.content {
				r.Depth++
			}
			r.state = inContent
			if r.Depth == 0 {
				r.state = inEpilog
			}
			t.Kind = AttrsEnd
			return nil
		case TokStrI, tokStrT, tokEntity, TokOpaque:
			return r.value(t, c)
		case tokLiteral:
			at := r.Pos
			index, err := r.number("literal attribute's name")
			if err != nil {
				return err
			}
			name, err := r.tableString(index, at)
			if err != nil {
				return err
			}
			t.Kind, t.Page, t.Code, t.Bytes = Attr, r.attrPage, 0, name
			return nil
		case tokPI, tokLiteralC, tokLiteralA, tokLiteralAC:
			return codec.Errorf("wbxml", t.Offset, "token 0x%02X inside an attribute list", c)
		case tokExtI0, tokExtI0 + 1, tokExtI0 + 2, tokExtT0, tokExtT0 + 1, tokExtT0 + 2, tokExt0, tokExt0 + 1, tokExt0 + 2:
			return r.extension(t, c)
		}
		t.Kind, t.Page, t.Code, t.Bytes = Attr, r.attrPage, c, nil
		if c >= 0x80 {
			t.Kind = AttrValue
		}
		return nil
	}
}

// extension passes over the operand of an extension token: a string of EXT_I, a number of EXT_T.
func (r *Reader) extension(t *Token, c byte) error {
	if !r.Skipping {
		return codec.Errorf("wbxml", t.Offset, "extension token 0x%02X has no meaning in this document type", c)
	}
	t.Kind = Ext
	switch c &^ 3 {
	case tokExtI0:
		_, err := r.inline(t.Offset)
		return err
	case tokExtT0:
		_, err := r.number("extension's number")
		return err
	}
	return nil
}

// inline reads an inline string, up to its NUL. at is where its token stood.
func (r *Reader) inline(at int) ([]byte, error) {
	n := bytes.IndexByte(r.Doc[r.Pos:], 0)
	if n < 0 {
		return nil, codec.Errorf("wbxml", at, "inline string without its NUL")
	}
	s := r.Doc[r.Pos : r.Pos+n]
	r.Pos += n + 1
	return s, nil
}

// value reads what follows a string, entity or opaque token.
func (r *Reader) value(t *Token, c byte) error {
	switch c {
	case TokStrI:
		var err error
		t.Kind = Text
		t.Bytes, err = r.inline(t.Offset)
		return err
	case tokStrT:
		at := r.Pos
		index, err := r.number("string table index")
		if err != nil {
			return err
		}
		t.Kind = Text
		t.Bytes, err = r.tableString(index, at)
		return err
	case tokEntity:
		at := r.Pos
		n, err := r.number("entity")
		if err != nil {
			return err
		}
		if n == 0 || n > 0x10FFFF || n >= 0xD800 && n <= 0xDFFF {
			return codec.Errorf("wbxml", at, "entity %d is no character", n)
		}
		t.Kind, t.Rune = Entity, rune(n)
		return nil
	default:
		at := r.Pos
		n, err := r.number("opaque length")
		if err != nil {
			return err
		}
		if int(n) > len(r.Doc)-r.Pos {
			return codec.Errorf("wbxml", at, "opaque data of %d bytes, only %d left", n, len(r.Doc)-r.Pos)
		}
		t.Kind, t.Bytes = Opaque, r.Doc[r.Pos:r.Pos+int(n)]
		r.Pos += int(n)
		return nil
	}
}

// epilog allows processing instructions after the root element, and nothing else.
func (r *Reader) epilog(t *Token) error {
	for r.Pos < len(r.Doc) {
		at := r.Pos
		if r.Doc[at] != tokPI {
			return codec.Errorf("wbxml", at, "%d bytes after the root element", len(r.Doc)-at)
		}
		r.Pos++
		if err := r.skipPI(); err != nil {
			return err
		}
	}
	t.Kind, t.Offset = EOF, r.Pos
	return nil
}

// skipPI passes over a processing instruction: an attribute up to its END.
func (r *Reader) skipPI() error {
	var t Token
	around, skipping := r.state, r.Skipping
	r.content, r.Skipping = false, true
	for t.Kind != AttrsEnd {
		if err := r.nextAttr(&t); err != nil {
			return err
		}
	}
	r.state, r.Skipping = around, skipping
	return nil
}

// number reads an mb_u_int32: seven bits a byte, the big end first, 0x80 for more to come.
func (r *Reader) number(what string) (uint32, error) {
	var n uint64
	for i := r.Pos; i < len(r.Doc) && i < r.Pos+5; i++ {
		n = n<<7 | uint64(r.Doc[i]&0x7F)
		if r.Doc[i]&0x80 == 0 {
			if n > 0x7FFFFFFF {
				return 0, codec.Errorf("wbxml", r.Pos, "%s %d is too large", what, n)
			}
			r.Pos = i + 1
			return uint32(n), nil
		}
	}
	if len(r.Doc)-r.Pos < 5 {
		return 0, codec.Errorf("wbxml", len(r.Doc), "document ends in the %s", what)
	}
	return 0, codec.Errorf("wbxml", r.Pos, "%s takes more than five bytes", what)
}

// tableString is the string at index, up to its NUL or the end of the table (trap 1). at is where the index stood.
func (r *Reader) tableString(index uint32, at int) ([]byte, error) {
	table := r.Header.Strings
	if int(index) >= len(table) {
		return nil, codec.Errorf("wbxml", at, "string table index %d past its end (%d)", index, len(table))
	}
	s := table[index:]
	if n := bytes.IndexByte(s, 0); n >= 0 {
		s = s[:n]
	}
	if r.room -= len(s); r.room < 0 {
		return nil, codec.Errorf("wbxml", at, "text comes to more than %d times the document", MaxExpansion)
	}
	return s, nil
}
