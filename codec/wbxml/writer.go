package wbxml

import "bytes"

// Writer appends one document to Buf, switching code pages as tags and attributes ask for them.
type Writer struct {
	Buf      []byte
	charset  uint32
	tagPage  uint8
	attrPage uint8
}

// Init makes w append to dst a document with header h.
func (w *Writer) Init(dst []byte, h *Header) {
	w.Buf = AppendHeader(dst, h)
	w.charset, w.tagPage, w.attrPage = h.Charset, 0, 0
}

// AppendHeader appends h. A textual public identifier is the whole string table, without a NUL, as with the phones
// that use this style.
func AppendHeader(dst []byte, h *Header) []byte {
	dst = append(dst, h.Version)
	dst = AppendNumber(dst, h.PublicID)
	table := h.Strings
	if h.PublicID == 0 {
		dst = append(dst, 0) // index of the text in the string table
		table = h.PublicText
	}
	dst = AppendNumber(dst, h.Charset)
	dst = AppendNumber(dst, uint32(len(table)))
	return append(dst, table...)
}

// AppendNumber appends n as an mb_u_int32.
func AppendNumber(dst []byte, n uint32) []byte {
	switch {
	case n < 1<<7:
		return append(dst, byte(n))
	case n < 1<<14:
		return append(dst, byte(n>>7)|0x80, byte(n)&0x7F)
	case n < 1<<21:
		return append(dst, byte(n>>14)|0x80, byte(n>>7)|0x80, byte(n)&0x7F)
	case n < 1<<28:
		return append(dst, byte(n>>21)|0x80, byte(n>>14)|0x80, byte(n>>7)|0x80, byte(n)&0x7F)
	}
	return append(dst, byte(n>>28)|0x80, byte(n>>21)|0x80, byte(n>>14)|0x80, byte(n>>7)|0x80, byte(n)&0x7F)
}

func (w *Writer) toTagPage(page uint8) {
	if page != w.tagPage {
		w.Buf = append(w.Buf, TokSwitchPage, page)
		w.tagPage = page
	}
}

func (w *Writer) toAttrPage(page uint8) {
	if page != w.attrPage {
		w.Buf = append(w.Buf, TokSwitchPage, page)
		w.attrPage = page
	}
}

// Start opens an element that has content; End closes it.
func (w *Writer) Start(page, tag uint8) {
	w.toTagPage(page)
	w.Buf = append(w.Buf, tag|TagContent)
}

// Empty writes an element without content.
func (w *Writer) Empty(page, tag uint8) {
	w.toTagPage(page)
	w.Buf = append(w.Buf, tag)
}

// StartAttrs opens an element with attributes. EndAttrs ends the attributes; End, where there is content, the element.
func (w *Writer) StartAttrs(page, tag uint8, content bool) {
	w.toTagPage(page)
	tag |= bitAttrs
	if content {
		tag |= TagContent
	}
	w.Buf = append(w.Buf, tag)
}

// Attr writes an attribute start.
func (w *Writer) Attr(page, code uint8) {
	w.toAttrPage(page)
	w.Buf = append(w.Buf, code)
}

// AttrValue writes an attribute value token.
func (w *Writer) AttrValue(page, code uint8) { w.Attr(page, code) }

// EndAttrs ends an attribute list.
func (w *Writer) EndAttrs() { w.End() }

// End closes the innermost open element.
func (w *Writer) End() { w.Buf = append(w.Buf, TokEnd) }

// Text writes s as an inline string, or as OPAQUE where it holds a NUL, which an inline string can not.
func (w *Writer) Text(s []byte) {
	if bytes.IndexByte(s, 0) >= 0 {
		w.Opaque(s)
		return
	}
	if w.charset == CharsetLatin1 && !IsASCII(s) {
		w.latin1(s)
		return
	}
	w.Buf = append(w.Buf, TokStrI)
	w.Buf = append(w.Buf, s...)
	w.Buf = append(w.Buf, 0)
}

// Opaque writes b as OPAQUE.
func (w *Writer) Opaque(b []byte) {
	w.Buf = append(w.Buf, TokOpaque)
	w.Buf = AppendNumber(w.Buf, uint32(len(b)))
	w.Buf = append(w.Buf, b...)
}

// Element writes a whole element whose content is the text s; an empty s makes an element without content.
func (w *Writer) Element(page, tag uint8, s []byte) {
	if len(s) == 0 {
		w.Empty(page, tag)
		return
	}
	w.Start(page, tag)
	w.Text(s)
	w.End()
}
