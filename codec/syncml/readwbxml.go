package syncml

import (
	"bytes"

	"dmgate/codec/wbxml"
)

// readWBXML reads doc. Its public identifier says the version; it is not compared to VerDTD, from which that of a few
// phones differs.
func (in *reader) readWBXML(doc []byte) error {
	if err := in.w.Init(doc, in.lim.Depth); err != nil {
		return err
	}
	if err := in.styleWBXML(); err != nil {
		return err
	}
	if _, err := in.child(); err != nil {
		return err
	}
	if in.tag != tagSyncML {
		return in.errorf(in.at, "root element is %s, not SyncML", in.tagName())
	}
	if err := in.message(); err != nil {
		return err
	}
	return in.w.Next(&in.t) // refuses what follows the root
}

var publicPrefix = []byte("-//SYNCML//DTD SyncML 1.")

func (in *reader) styleWBXML() error {
	h, st := &in.w.Header, &in.m.Style
	st.WBXML, st.Latin1 = h.Version, h.Latin1()
	in.latin1 = st.Latin1
	switch h.PublicID {
	case wbxml.PublicSyncML12, wbxml.PublicUnknown:
		st.Version = V12
	case wbxml.PublicSyncML10, wbxml.PublicSyncML11:
		st.Version = V11
	case 0:
		st.TextPublic = true
		n := len(publicPrefix)
		if len(h.PublicText) <= n || !bytes.EqualFold(h.PublicText[:n], publicPrefix) {
			return in.errorf(1, "document type %q is not SyncML", clip(h.PublicText))
		}
		if h.PublicText[n] < '2' {
			st.Version = V11
		}
	default:
		return in.errorf(1, "public identifier 0x%02X is not SyncML", h.PublicID)
	}
	return nil
}

// child goes to the next element inside the one that is open and announces it; false at the end of the open one.
func (in *reader) child() (bool, error) {
	switch {
	case in.empty:
		in.empty = false
		return false, nil
	case in.enc == XML:
		return in.childXML()
	}
	for {
		if code, content, ok := in.w.Tag(); ok {
			in.tag, in.at, in.empty = tag(in.w.Page())<<8|tag(code), in.w.Offset()-1, !content
			if in.w.Page() > pageDDF {
				return false, in.unknownPage(in.w.Page(), in.at)
			}
			return true, nil
		}
		if in.w.End() {
			return false, nil
		}
		if !in.w.SwitchPage() {
			return in.oddChild()
		}
	}
}

// oddChild is child where something else than a plain tag comes next.
func (in *reader) oddChild() (bool, error) {
	for {
		if err := in.w.Next(&in.t); err != nil {
			return false, err
		}
		switch in.t.Kind {
		case wbxml.Start:
			return true, in.startWBXML()
		case wbxml.End:
			return false, nil
		}
		if err := in.blankWBXML(); err != nil {
			return false, err
		}
	}
}

// startWBXML announces the element whose tag was just read.
func (in *reader) startWBXML() error {
	t := &in.t
	if t.Page > pageDDF {
		return in.unknownPage(t.Page, t.Offset)
	}
	in.tag, in.at, in.empty = tag(t.Page)<<8|tag(t.Code), t.Offset, !t.Content
	if t.Code == 0 { // a literal: how a writer names what is not in the tables of its version
		in.tag, in.name = tagOf(t.Bytes), in.w.Header.UTF8(t.Bytes)
	}
	if !t.Attrs {
		return nil
	}
	for { // DM has no attributes
		if err := in.w.Next(t); err != nil {
			return err
		}
		switch t.Kind {
		case wbxml.AttrsEnd:
			return nil
		case wbxml.Text, wbxml.Opaque:
			if !in.spend(len(t.Bytes)) {
				return in.overspent(t.Offset)
			}
		}
	}
}

func (in *reader) unknownPage(page uint8, at int) error {
	return in.errorf(at, "code page %d (want 0 to %d)", page, pageDDF)
}

// blankWBXML makes sure that text between elements is white space, which some writers keep.
func (in *reader) blankWBXML() error {
	t := &in.t
	if t.Kind == wbxml.Entity {
		if t.Rune < 0x80 && isSpace(byte(t.Rune)) {
			return nil
		}
		return in.errorf(t.Offset, "character %q where an element was expected", t.Rune)
	}
	if !in.spend(len(t.Bytes)) {
		return in.overspent(t.Offset)
	}
	if len(trim(t.Bytes)) > 0 {
		return in.errorf(t.Offset, "text %q where an element was expected", clip(t.Bytes))
	}
	return nil
}

// value takes the announced element, whose content is text.
func (in *reader) value() ([]byte, error) {
	switch {
	case in.empty:
		in.empty = false
		return nil, nil
	case in.enc == XML:
		return in.valueXML()
	}
	at := in.w.Offset()
	if v, ok := in.w.Plain(); ok {
		switch {
		case len(v) > in.lim.String:
			return nil, in.tooLong(at, in.lim.String, "String")
		case !in.spend(len(v)):
			return nil, in.overspent(at)
		}
		return v, nil
	}
	return in.joined(at)
}

// joined is the value that begins at offset at and is more than one token.
func (in *reader) joined(at int) ([]byte, error) {
	p := pieces{m: in.m}
	for {
		if err := in.w.Next(&in.t); err != nil {
			return nil, err
		}
		switch in.t.Kind {
		case wbxml.End:
			return p.bytes(), nil
		case wbxml.Start:
			if err := in.startWBXML(); err != nil {
				return nil, err
			}
			return nil, in.nested()
		}
		if err := in.pieceWBXML(&p, at, in.lim.String, "String"); err != nil {
			return nil, err
		}
	}
}

// pieceWBXML adds the text token just read to p, a value that begins at offset at.
func (in *reader) pieceWBXML(p *pieces, at, limit int, name string) error {
	t := &in.t
	if t.Kind == wbxml.Entity {
		p.addRune(t.Rune)
	} else {
		if !in.spend(len(t.Bytes)) {
			return in.overspent(t.Offset)
		}
		if in.latin1 && t.Kind == wbxml.Text {
			p.addLatin1(t.Bytes)
		} else {
			p.add(t.Bytes)
		}
	}
	if p.len() > limit {
		return in.tooLong(at, limit, name)
	}
	return nil
}

// itemData takes the announced Data element of an Item, whose content is text or elements.
func (in *reader) itemData(it *Item) error {
	it.Markup = false
	switch {
	case in.empty:
		in.empty = false
		it.Data = emptyData
		return nil
	case in.enc == XML:
		return in.itemDataXML(it)
	}
	at := in.w.Offset()
	if v, ok := in.w.Plain(); ok {
		switch {
		case len(v) > in.lim.Data:
			return in.tooLong(at, in.lim.Data, "Data")
		case !in.spend(len(v)):
			return in.overspent(at)
		}
		it.Data = v
		return nil
	}
	p := pieces{m: in.m}
	for {
		if err := in.w.Next(&in.t); err != nil {
			return err
		}
		switch in.t.Kind {
		case wbxml.End:
			if it.Data = p.bytes(); it.Data == nil {
				it.Data = emptyData
			}
			return nil
		case wbxml.Start:
			it.Markup = true
			var err error
			it.Data, err = in.render(p.bytes(), at)
			return err
		}
		if err := in.pieceWBXML(&p, at, in.lim.Data, "Data"); err != nil {
			return err
		}
	}
}

// skip takes the announced element, whatever is in it.
func (in *reader) skip() error {
	switch {
	case in.empty:
		in.empty = false
		return nil
	case in.enc == XML:
		return in.skipXML()
	}
	for open := 1; open > 0; {
		if err := in.w.Next(&in.t); err != nil {
			return err
		}
		switch in.t.Kind {
		case wbxml.Start:
			if err := in.startWBXML(); err != nil {
				return err
			}
			if !in.empty {
				open++
			}
		case wbxml.End:
			open--
		case wbxml.Text, wbxml.Opaque:
			if !in.spend(len(in.t.Bytes)) {
				return in.overspent(in.t.Offset)
			}
		}
	}
	in.empty = false
	return nil
}

// nested is the error for the announced element, which stands where there can only be text.
func (in *reader) nested() error {
	return in.errorf(in.at, "element %s where text was expected", in.tagName())
}

func (in *reader) tooLong(at, limit int, name string) error {
	return in.errorf(at, "text longer than %d bytes (limit %s)", limit, name)
}
