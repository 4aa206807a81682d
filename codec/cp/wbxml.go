package cp

// Trees to WBXML and back.

import (
	"bytes"
	"errors"
	"strings"

	"dmgate/codec"
	"dmgate/codec/internal/xmldoc"
	"dmgate/codec/wbxml"
)

const publicText = "-//WAPFORUM//DTD PROV 1.0//EN"

// AppendWBXML appends t as WBXML 1.3: public identifier 0x0B, UTF-8, no string table.
func (t *Tree) AppendWBXML(dst []byte) []byte {
	var w treeWriter
	w.Init(dst, &wbxml.Header{Version: 0x03, PublicID: wbxml.PublicProv10, Charset: wbxml.CharsetUTF8})
	w.StartAttrs(0, tagDocument, len(t.Roots) > 0)
	if t.Version == "" || t.Version == defaultVersion {
		w.attr(0, attrV10)
	} else {
		w.attr(0, attrVersion)
		w.Text([]byte(t.Version))
	}
	w.EndAttrs()
	if len(t.Roots) > 0 {
		w.characteristics(t.Roots)
		w.End()
	}
	return w.Buf
}

// treeWriter writes tokens where there are any and knows the attribute page that it is on: what both pages have is
// written from the current one.
type treeWriter struct {
	wbxml.Writer
	page uint8
}

func (w *treeWriter) attr(page, code uint8) {
	w.Attr(page, code)
	w.page = page
}

// pageOf is the page to write name from, the current one where possible.
func (w *treeWriter) pageOf(codes *[2]map[string]uint8, name string) (page, code uint8, ok bool) {
	for _, page := range [2]uint8{w.page, 1 - w.page} {
		if code, ok := codes[page][name]; ok {
			return page, code, true
		}
	}
	return 0, 0, false
}

func (w *treeWriter) characteristics(cs []Characteristic) {
	for i := range cs {
		c := &cs[i]
		content := len(c.Parms)+len(c.Children)+len(c.Tail) > 0
		w.StartAttrs(0, tagCharacteristic, content)
		if page, code, ok := w.pageOf(&typeCodes, c.Type); ok {
			w.attr(page, code)
		} else {
			w.attr(0, attrType) // S60 reads a type in text from this page alone
			w.Text([]byte(c.Type))
		}
		w.EndAttrs()
		if content {
			w.parms(c.Parms)
			w.characteristics(c.Children)
			w.parms(c.Tail)
			w.End()
		}
	}
}

func (w *treeWriter) parms(ps []Parm) {
	for _, p := range ps {
		w.StartAttrs(0, tagParm, false)
		if page, code, ok := w.pageOf(&parmCodes, p.Name); ok {
			w.attr(page, code)
		} else {
			w.attr(w.page, attrName)
			w.Text([]byte(p.Name))
		}
		if p.HasValue {
			w.attr(w.page, attrValue)
			w.value(p.Name, p.Value)
		}
		w.EndAttrs()
	}
}

// value writes a value as tokens of the current page, or as text.
func (w *treeWriter) value(name, value string) {
	if enumerated[name] {
		if tokens := split(value, w.page); tokens != nil {
			for _, code := range tokens {
				w.AttrValue(w.page, 0x80|code)
			}
			return
		}
	}
	w.Text([]byte(value))
}

// split is value in tokens of page, nil where it can not be said in tokens alone.
func split(value string, page uint8) []uint8 {
	if code, ok := valueCodes[page][value]; ok {
		return []uint8{code}
	}
	if page == 0 {
		return nil
	}
	var tokens []uint8
next:
	for value != "" {
		for _, code := range [...]uint8{0x10, 0x11, 0x12, 0x13} {
			if after, ok := strings.CutPrefix(value, valueNames[1][code]); ok {
				tokens, value = append(tokens, code), after
				continue next
			}
		}
		return nil
	}
	return tokens
}

// ReadTree reads a WBXML document. Parms and types may come as tokens of either page, from the string table, in line,
// or as a literal; what they are called is all that counts. Elements may be nested 8 deep, and names and values come to
// 256 KiB at most. The error is a *codec.SyntaxError.
func ReadTree(doc []byte) (*Tree, error) {
	r := treeReader{left: maxText}
	if err := r.in.Init(doc, maxDepth+1); err != nil {
		return nil, err
	}
	h := &r.in.Header
	switch {
	case h.PublicID == wbxml.PublicProv10, h.PublicID == wbxml.PublicUnknown:
	case h.PublicID == 0 && string(h.PublicText) == publicText:
	case h.PublicID == 0:
		return nil, codec.Errorf("cp", 1, "public identifier %.40q (want %q)", h.PublicText, publicText)
	default:
		return nil, codec.Errorf("cp", 1, "public identifier 0x%X (want 0x0B)", h.PublicID)
	}
	return r.document()
}

// treeReader builds a Tree from tokens.
type treeReader struct {
	in   wbxml.Reader
	t    wbxml.Token
	left int    // bytes of text that may still be read
	text []byte // of the attribute being read
}

func (r *treeReader) document() (*Tree, error) {
	if err := r.in.Next(&r.t); err != nil {
		return nil, err
	}
	if !r.isTag(tagDocument) {
		return nil, codec.Errorf("cp", r.t.Offset, "root element is not wap-provisioningdoc")
	}
	root, err := r.start()
	if err != nil {
		return nil, err
	}
	tree := &Tree{Version: root.version}
	if root.name != nil || root.value != nil || root.kind != nil {
		return nil, codec.Errorf("cp", root.offset, "attribute of another element in wap-provisioningdoc")
	}
	if root.content {
		var doc Characteristic
		if err := r.content(&doc, 1); err != nil {
			return nil, err
		}
		if len(doc.Parms)+len(doc.Tail) > 0 {
			return nil, codec.Errorf("cp", root.offset, "parm outside a characteristic")
		}
		tree.Roots = doc.Children
	}
	if err := r.in.Next(&r.t); err != nil { // anything but the end
		return nil, err
	}
	return tree, nil
}

func (r *treeReader) isTag(code uint8) bool {
	return r.t.Kind == wbxml.Start && r.t.Code == code && r.t.Page <= 1
}

// isBlank says whether the token is white space, as stands between elements.
func (r *treeReader) isBlank() bool {
	return r.t.Kind == wbxml.Text && len(bytes.TrimSpace(r.t.Bytes)) == 0 ||
		r.t.Kind == wbxml.Entity && r.t.Rune <= ' ' && strings.ContainsRune(" \t\n\r", r.t.Rune)
}

// content reads what stands in c, whose depth is given, up to its end.
func (r *treeReader) content(c *Characteristic, depth int) error {
	for {
		if err := r.in.Next(&r.t); err != nil {
			return err
		}
		switch {
		case r.t.Kind == wbxml.End:
			return nil
		case r.isTag(tagCharacteristic):
			if depth == maxDepth {
				return codec.Errorf("cp", r.t.Offset, "elements nested deeper than %d", maxDepth)
			}
			e, err := r.start()
			if err != nil {
				return err
			}
			if e.kind == nil || e.name != nil || e.value != nil || e.version != "" {
				return codec.Errorf("cp", e.offset, "characteristic needs a type, and only that")
			}
			child := Characteristic{Type: *e.kind}
			if e.content {
				if err := r.content(&child, depth+1); err != nil {
					return err
				}
			}
			c.Children = append(c.Children, child)
		case r.isTag(tagParm):
			e, err := r.start()
			if err != nil {
				return err
			}
			if e.name == nil || e.kind != nil || e.version != "" {
				return codec.Errorf("cp", e.offset, "parm needs a name, and may have a value")
			}
			if err := r.empty(e); err != nil {
				return err
			}
			c.addParm(*e.name, e.value)
		case r.isBlank():
		case r.t.Kind == wbxml.Start:
			return codec.Errorf("cp", r.t.Offset, "element is neither characteristic nor parm")
		default:
			return codec.Errorf("cp", r.t.Offset, "text outside an attribute")
		}
	}
}

// addParm puts a parm before or after the children, by whether there are any yet.
func (c *Characteristic) addParm(name string, value *string) {
	p := Flag(name)
	if value != nil {
		p = Value(name, *value)
	}
	if len(c.Children) > 0 {
		c.Tail = append(c.Tail, p)
	} else {
		c.Parms = append(c.Parms, p)
	}
}

// empty reads up to the end of an element that has no content to speak of.
func (r *treeReader) empty(e element) error {
	for e.content {
		if err := r.in.Next(&r.t); err != nil {
			return err
		}
		switch {
		case r.t.Kind == wbxml.End:
			return nil
		case !r.isBlank():
			return codec.Errorf("cp", r.t.Offset, "content in a parm")
		}
	}
	return nil
}

// element is a tag with its attributes; nil is one that is not there.
type element struct {
	offset            int
	content           bool
	name, value, kind *string
	version           string
}

// start reads the attributes of the tag that was just read.
func (r *treeReader) start() (element, error) {
	e := element{offset: r.t.Offset, content: r.t.Content}
	if !r.t.Attrs {
		return e, nil
	}
	var open *string // the attribute that values are for
	for {
		page := r.t.Page
		if err := r.in.Next(&r.t); err != nil {
			return e, r.hint(err, page)
		}
		var part string
		switch r.t.Kind {
		case wbxml.AttrsEnd:
			if open != nil {
				*open = string(r.text)
			}
			return e, e.check()
		case wbxml.Attr:
			if open != nil {
				*open = string(r.text)
			}
			var err error
			if open, part, err = r.attr(&e); err != nil {
				return e, err
			}
			r.text = r.text[:0]
		case wbxml.AttrValue:
			if r.t.Page <= 1 {
				part = valueNames[r.t.Page][r.t.Code&0x7F]
			}
			if part == "" {
				return e, codec.Errorf("cp", r.t.Offset, "unknown value token 0x%02X on page %d", r.t.Code, r.t.Page)
			}
		case wbxml.Entity:
			part = string(r.t.Rune)
		case wbxml.Text:
			part = string(r.in.Header.UTF8(r.t.Bytes))
		default: // Opaque; a Reader returns nothing else between attributes
			part = string(r.t.Bytes)
		}
		if open == nil {
			return e, codec.Errorf("cp", r.t.Offset, "value without an attribute")
		}
		if r.left -= len(part); r.left < 0 {
			return e, codec.Errorf("cp", r.t.Offset, "more than %d bytes of text", maxText)
		}
		r.text = append(r.text, part...)
	}
}

// hint says of err, which the token at hand has led to, that it is libwbxml's doing (trap 8) where it is: its values of
// page 1 are global tokens. page is that of the token before, unless a switch stands between.
func (r *treeReader) hint(err error, page uint8) error {
	const first, last = 0x80, 0x83
	var syntax *codec.SyntaxError
	doc, at := r.in.Doc, r.t.Offset
	if at >= len(doc) || doc[at] < first || doc[at] > last || !errors.As(err, &syntax) {
		return err
	}
	if doc[at-2] == wbxml.TokSwitchPage {
		page = doc[at-1]
	}
	if page != 1 {
		return err
	}
	c := doc[at]
	proper := c - first + 0x90
	return codec.Errorf(syntax.Format, syntax.Offset, "%s (libwbxml writes 0x%02X for %q; it should be 0x%02X)",
		syntax.Msg, c, valueNames[1][proper&0x7F], proper)
}

// attr opens the attribute that the current token starts and returns the part of its value that the token carries.
func (r *treeReader) attr(e *element) (open *string, part string, err error) {
	t := &r.t
	var field **string
	switch {
	case t.Page > 1:
		return nil, "", codec.Errorf("cp", t.Offset, "attribute page %d (want 0 or 1)", t.Page)
	case t.Code == 0 && string(t.Bytes) == "version", t.Code == attrVersion && t.Page == 0:
		return &e.version, "", nil
	case t.Code == attrV10 && t.Page == 0:
		return &e.version, defaultVersion, nil
	case t.Code == 0 && string(t.Bytes) == "name", t.Code == attrName:
		field = &e.name
	case t.Code == 0 && string(t.Bytes) == "value", t.Code == attrValue:
		field = &e.value
	case t.Code == 0 && string(t.Bytes) == "type", t.Code == attrType:
		field = &e.kind
	case t.Code == 0:
		return nil, "", codec.Errorf("cp", t.Offset, "unknown attribute %.40q", t.Bytes)
	case parmNames[t.Page][t.Code] != "":
		field, part = &e.name, parmNames[t.Page][t.Code]
	case typeNames[t.Page][t.Code] != "":
		field, part = &e.kind, typeNames[t.Page][t.Code]
	default:
		return nil, "", codec.Errorf("cp", t.Offset, "unknown attribute token 0x%02X on page %d", t.Code, t.Page)
	}
	if *field != nil {
		return nil, "", codec.Errorf("cp", t.Offset, "the same attribute twice")
	}
	*field = new(string)
	return *field, part, nil
}

// check refuses text that an attribute of XML can not carry, tabs and line breaks among it, so that a document means
// the same in each of its forms.
func (e *element) check() error {
	for _, s := range []*string{e.name, e.value, e.kind, &e.version} {
		if s != nil && !xmldoc.IsAttr(*s) {
			return codec.Errorf("cp", e.offset, "control character or broken UTF-8 in %.40q", *s)
		}
	}
	return nil
}
