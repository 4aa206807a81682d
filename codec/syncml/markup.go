package syncml

import (
	"encoding/base64"
	"unicode/utf8"

	"dmgate/codec/wbxml"
)

// noPage is the page of what stands around the elements of a Data: unlike that of any of them.
const noPage = 0xFF

// render writes the content of an Item's Data that holds elements as XML text. before is the text in front of the
// first element, whose tag was just read; at is where the content begins.
func (in *reader) render(before []byte, at int) ([]byte, error) {
	m := in.m
	start := len(m.scratch)
	m.scratch = appendText(m.scratch, before)
	for in.t.Kind != wbxml.End {
		if err := in.renderToken(noPage, false, start, at); err != nil {
			return nil, err
		}
		if err := in.w.Next(&in.t); err != nil {
			return nil, err
		}
	}
	return m.scratch[start:len(m.scratch):len(m.scratch)], nil
}

// renderToken writes the text token just read, or the whole element whose tag it is. An element names its namespace
// where that is not the one of the element around it, on page parent. binary says that OPAQUE holds bytes, even such as
// could be text: the Value of a node with Format bin is base64 in XML.
func (in *reader) renderToken(parent uint8, binary bool, start, at int) error {
	m, t := in.m, &in.t
	switch t.Kind {
	case wbxml.Start:
		return in.renderElement(parent, start, at)
	case wbxml.Entity:
		var b [4]byte
		m.scratch = appendText(m.scratch, append(b[:0], string(t.Rune)...))
	default:
		switch {
		case t.Kind == wbxml.Opaque && (binary || !isText(t.Bytes)):
			m.scratch = base64.StdEncoding.AppendEncode(m.scratch, t.Bytes)
		case t.Kind == wbxml.Text && in.latin1:
			m.scratch = appendLatin1(m.scratch, t.Bytes)
		default:
			m.scratch = appendText(m.scratch, t.Bytes)
		}
	}
	return in.rendered(start, at)
}

// rendered makes sure that what was written since start is within the limit: tags are longer in XML than their tokens.
func (in *reader) rendered(start, at int) error {
	if len(in.m.scratch)-start > in.lim.Data {
		return in.tooLong(at, in.lim.Data, "Data")
	}
	return nil
}

func (in *reader) renderElement(parent uint8, start, at int) error {
	page := in.t.Page
	if err := in.startWBXML(); err != nil {
		return err
	}
	m, tag, literal := in.m, in.tag, in.name
	if tag == tagBin {
		in.binary = true
	}
	m.scratch = append(m.scratch, '<')
	name := len(m.scratch)
	switch {
	case tag.name() != "":
		m.scratch = append(m.scratch, tag.name()...)
	case tag == 0 && in.latin1 && isName(literal):
		page = parent
		m.scratch = wbxml.AppendLatin1(m.scratch, literal)
	case tag == 0 && isName(literal) && utf8.Valid(literal):
		page = parent
		m.scratch = append(m.scratch, literal...)
	default:
		return in.errorf(in.at(), "%q is no element of a Data", in.tagName())
	}
	end := len(m.scratch)
	if page != parent {
		m.scratch = append(m.scratch, ` xmlns="`...)
		m.scratch = append(m.scratch, namespace(page, m.Style.Version)...)
		m.scratch = append(m.scratch, '"')
	}
	if in.leaf {
		in.leaf = false
		m.scratch = append(m.scratch, "/>"...)
		return in.rendered(start, at)
	}
	m.scratch = append(m.scratch, '>')
	if err := in.rendered(start, at); err != nil {
		return err
	}
	switch tag {
	case tagNode, tagRTProperties:
		in.binary = false
	}
	binary := tag == tagValue && in.binary
	for {
		if err := in.w.Next(&in.t); err != nil {
			return err
		}
		if in.t.Kind == wbxml.End {
			m.scratch = append(m.scratch, "</"...)
			m.scratch = append(m.scratch, m.scratch[name:end]...)
			m.scratch = append(m.scratch, '>')
			return in.rendered(start, at)
		}
		if err := in.renderToken(page, binary, start, at); err != nil {
			return err
		}
	}
}

// isName says whether b can be the name of an element. A prefix would need a namespace that WBXML has no place for.
func isName(b []byte) bool {
	if len(b) == 0 || !nameStart(b[0]) {
		return false
	}
	for _, c := range b {
		if nameBytes[c] != nameByte {
			return false
		}
	}
	return true
}
