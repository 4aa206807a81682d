package syncml

import (
	"bytes"

	"dmgate/codec/wbxml"
)

// readXML reads the document that the scanner is set to. The namespace of the root element says the version, else
// VerDTD does.
func (in *reader) readXML() error {
	in.m.Style.Version = versionUnknown
	if err := in.prolog(); err != nil {
		return err
	}
	if err := in.startXML(); err != nil {
		return err
	}
	if in.tag != tagSyncML {
		return in.errorf(in.at(), "root element is %s, not SyncML", in.tagName())
	}
	if err := in.message(); err != nil {
		return err
	}
	if st := &in.m.Style; st.Version == versionUnknown {
		st.Version = V12
		if string(in.m.Header.VerDTD) == "1.1" {
			st.Version = V11
		}
	}
	return in.epilog()
}

// versionUnknown is the version of an XML document whose root names no namespace that we know.
const versionUnknown = 0xFF

var namespacePrefix = []byte("SYNCML:SYNCML1.")

// versionXML notes the version if value, the namespace of the root, is one of SyncML.
func (in *reader) versionXML(value []byte) {
	n := len(namespacePrefix)
	if len(value) != n+1 || !bytes.EqualFold(value[:n], namespacePrefix) {
		return
	}
	in.m.Style.Version = V12
	if value[n] < '2' {
		in.m.Style.Version = V11
	}
}

// prolog passes over what stands in front of the root element.
func (in *reader) prolog() error {
	x := &in.x
	switch {
	case x.has("\xEF\xBB\xBF"):
		x.pos = 3
	case x.has("\xFE\xFF"), x.has("\xFF\xFE"):
		return in.errorf(0, "UTF-16 (want UTF-8)")
	}
	if err := in.declaration(); err != nil {
		return err
	}
	for doctype := false; ; {
		x.space()
		switch done, err := in.pass(); {
		case err != nil:
			return err
		case done:
		case x.has("<!DOCTYPE") && !doctype:
			doctype = true
			if err := in.doctype(); err != nil {
				return err
			}
		case x.pos >= len(x.doc):
			return in.errorf(x.pos, "document without a root element")
		case x.doc[x.pos] != '<':
			return in.errorf(x.pos, "text %q in front of the root element", clip(x.doc[x.pos:]))
		default:
			return nil
		}
	}
}

// declaration makes sure that an XML declaration names no encoding but UTF-8, US-ASCII and ISO-8859-1.
func (in *reader) declaration() error {
	x := &in.x
	start := x.pos
	if !x.has("<?xml") || len(x.doc)-start <= len("<?xml") || !isSpace(x.doc[start+len("<?xml")]) {
		return nil
	}
	if !x.until("?>") {
		return in.truncated("the XML declaration")
	}
	decl := x.doc[start : x.pos-len("?>")]
	i := bytes.Index(decl, encodingName)
	if i < 0 {
		return nil
	}
	value := bytes.Trim(decl[i+len(encodingName):], "= \t\r\n")
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') {
		if end := bytes.IndexByte(value[1:], value[0]); end >= 0 {
			value = value[1 : 1+end]
		}
	}
	in.latin1 = bytes.EqualFold(value, latin1Name)
	if !in.latin1 && !bytes.EqualFold(value, utf8Name) && !bytes.EqualFold(value, asciiName) {
		return in.errorf(start+i, "encoding %q (want UTF-8, US-ASCII or ISO-8859-1)", clip(value))
	}
	return nil
}

var (
	encodingName = []byte("encoding")
	utf8Name     = []byte("UTF-8")
	asciiName    = []byte("US-ASCII")
	latin1Name   = []byte("ISO-8859-1")
)

// maxSubset bounds a DOCTYPE, which we read only to find its end.
const maxSubset = 16 << 10

// doctype passes over a DOCTYPE and its internal subset.
func (in *reader) doctype() error {
	x := &in.x
	start, subset := x.pos, false
	for x.pos += len("<!DOCTYPE"); x.pos < len(x.doc); {
		if x.pos-start > maxSubset {
			return in.errorf(start, "DOCTYPE longer than %d bytes", maxSubset)
		}
		if done, err := in.pass(); err != nil {
			return err
		} else if done {
			continue
		}
		switch c := x.doc[x.pos]; {
		case c == '"' || c == '\'':
			if _, err := in.quoted(); err != nil {
				return err
			}
			continue
		case c == '[':
			subset = true
		case c == ']':
			subset = false
		case c == '>' && !subset:
			x.pos++
			return nil
		}
		x.pos++
	}
	return in.truncated("the DOCTYPE")
}

// epilog makes sure that nothing but comments and processing instructions follows the root element.
func (in *reader) epilog() error {
	x := &in.x
	for {
		x.space()
		if done, err := in.pass(); err != nil {
			return err
		} else if !done {
			break
		}
	}
	if x.pos < len(x.doc) {
		return in.errorf(x.pos, "%d bytes after the root element", len(x.doc)-x.pos)
	}
	return nil
}

func (in *reader) childXML() (tag, error) {
	x := &in.x
	for {
		x.space()
		switch {
		case x.pos+1 >= len(x.doc):
			return noTag, in.truncatedElement()
		case x.doc[x.pos] != '<':
			return noTag, in.errorf(x.pos, "text %q where an element was expected", clip(x.doc[x.pos:]))
		}
		switch x.doc[x.pos+1] {
		case '/':
			return noTag, in.endXML()
		case '!', '?':
			done, err := in.pass()
			if err != nil {
				return noTag, err
			}
			if !done {
				return noTag, in.errorf(x.pos, "%q where an element was expected", clip(x.doc[x.pos:]))
			}
		default:
			err := in.startXML()
			return in.tag, err
		}
	}
}

func (in *reader) valueXML() ([]byte, error) {
	if v, ok, err := in.plainXML(in.lim.String, "String"); ok || err != nil {
		return v, err
	}
	p := pieces{m: in.m, at: in.x.pos, limit: in.lim.String}
	end, err := in.pieceXML(&p)
	switch {
	case err != nil:
		return nil, err
	case p.len() > p.limit:
		return nil, in.tooLong(p.at, p.limit, "String")
	case end:
		return p.bytes(), in.endXML()
	}
	if err := in.startXML(); err != nil {
		return nil, err
	}
	return nil, in.nested()
}

// plainXML takes text that has no references, and the end tag behind it; ok is false where the content is not as
// simple as that.
func (in *reader) plainXML(limit int, name string) (v []byte, ok bool, err error) {
	x := &in.x
	n := bytes.IndexByte(x.doc[x.pos:], '<')
	if n < 0 {
		return nil, false, in.truncatedElement()
	}
	v = x.doc[x.pos : x.pos+n]
	if x.pos+n+1 >= len(x.doc) || x.doc[x.pos+n+1] != '/' || bytes.IndexByte(v, '&') >= 0 {
		return nil, false, nil
	}
	if n > limit {
		return nil, false, in.tooLong(x.pos, limit, name)
	}
	if in.latin1 && !wbxml.IsASCII(v) {
		return nil, false, nil
	}
	x.pos += n
	return v, true, in.endXML()
}

// pieceXML adds to p what character data there is up to the next tag: text, references, CDATA. end says that the tag
// is an end tag.
func (in *reader) pieceXML(p *pieces) (end bool, err error) {
	x := &in.x
	for {
		n := bytes.IndexByte(x.doc[x.pos:], '<')
		if n < 0 || x.pos+n+1 >= len(x.doc) {
			return false, in.truncatedElement()
		}
		if err := in.textXML(p, x.pos+n); err != nil {
			return false, err
		}
		if c := x.doc[x.pos+1]; c != '!' && c != '?' {
			return c == '/', nil
		}
		switch done, err := in.pass(); {
		case err != nil:
			return false, err
		case done:
		case !x.has("<![CDATA["):
			return false, in.errorf(x.pos, "%q inside an element", clip(x.doc[x.pos:]))
		default:
			x.pos += len("<![CDATA[")
			from := x.pos
			if !x.until("]]>") {
				return false, in.truncated("a CDATA section")
			}
			in.addXML(p, x.doc[from:x.pos-len("]]>")])
		}
	}
}

// textXML adds to p the text up to offset end.
func (in *reader) textXML(p *pieces, end int) error {
	x := &in.x
	for x.pos < end {
		text := x.doc[x.pos:end]
		n := bytes.IndexByte(text, '&')
		if n < 0 {
			in.addXML(p, text)
			break
		}
		in.addXML(p, text[:n])
		x.pos += n
		r, next := x.reference(x.pos)
		if next == 0 {
			return in.errorf(x.pos, "reference %q is none of XML's own", clip(text[n:]))
		}
		in.addRune(p, r)
		x.pos = next
	}
	x.pos = end
	return nil
}

// addXML adds to p text as it stands in the document.
func (in *reader) addXML(p *pieces, text []byte) {
	if in.latin1 {
		in.addLatin1(p, text)
	} else {
		in.add(p, text)
	}
}

// sizeXML is what the character data from offset at on comes to, up to the next tag.
func (in *reader) sizeXML(at int) int {
	pos := in.x.pos
	in.x.pos = at
	var p pieces
	_, _ = in.pieceXML(&p) // what is wrong comes up again when it is read
	in.x.pos = pos
	return p.len()
}

// utf8 is text of the document in UTF-8, a view of it if it is that already.
func (in *reader) utf8(text []byte) []byte {
	if !in.latin1 || wbxml.IsASCII(text) {
		return text
	}
	m, start := in.m, len(in.m.scratch)
	m.scratch = wbxml.AppendLatin1(m.scratch, text)
	return m.scratch[start:len(m.scratch):len(m.scratch)]
}

// itemDataXML takes Data. Elements in it stay the text that they are in the document.
func (in *reader) itemDataXML(it *Item) error {
	v, ok, err := in.plainXML(in.lim.Data, "Data")
	if ok || err != nil {
		it.Data = v
		return err
	}
	x, at := &in.x, in.x.pos
	p := pieces{m: in.m, at: at, limit: in.lim.Data}
	for {
		end, err := in.pieceXML(&p)
		if it.Markup {
			p.drop()
		}
		switch {
		case err != nil:
			return err
		case it.Markup && x.pos-at > in.lim.Data, p.len() > in.lim.Data:
			return in.tooLong(at, in.lim.Data, "Data")
		case end && it.Markup:
			if it.Data = in.utf8(x.doc[at:x.pos]); len(it.Data) > in.lim.Data {
				return in.tooLong(at, in.lim.Data, "Data")
			}
			return in.endXML()
		case end:
			if it.Data = p.bytes(); it.Data == nil {
				it.Data = emptyData
			}
			return in.endXML()
		}
		it.Markup = true
		p.drop()
		if err := in.startXML(); err != nil {
			return err
		}
		if err := in.skip(); err != nil {
			return err
		}
	}
}

func (in *reader) skipXML() error {
	x := &in.x
	var p pieces
	for around := len(x.open) - 1; len(x.open) > around; {
		end, err := in.pieceXML(&p)
		switch {
		case err != nil:
			return err
		case end:
			err = in.endXML()
		default:
			err = in.startXML()
		}
		if err != nil {
			return err
		}
	}
	in.leaf = false
	return nil
}

func (in *reader) truncatedElement() error {
	x := &in.x
	top := x.open[len(x.open)-1]
	return in.errorf(len(x.doc), "document ends inside %q", clip(x.doc[top.start:top.end]))
}
