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
	if _, err := in.oddChild(); err != nil {
		return err
	}
	if in.tag != tagSyncML {
		return in.errorf(in.at(), "root element is %s, not SyncML", in.tagName())
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

// oddChild is child where something else than a plain tag comes next.
func (in *reader) oddChild() (tag, error) {
	if in.enc == XML {
		return in.childXML()
	}
	for {
		if err := in.w.Next(&in.t); err != nil {
			return noTag, err
		}
		switch in.t.Kind {
		case wbxml.Start:
			err := in.startWBXML()
			return in.tag, err
		case wbxml.End:
			return noTag, nil
		}
		if err := in.blankWBXML(); err != nil {
			return noTag, err
		}
	}
}

// startWBXML announces the element whose tag was just read.
func (in *reader) startWBXML() error {
	t := &in.t
	in.tag, in.leaf, in.from, in.end = tag(t.Page)<<8|tag(t.Code), !t.Content, 0, 0
	if t.Code == 0 { // a literal: how a writer names what is not in the tables of its version
		in.tag, in.name = tagOf(t.Bytes), t.Bytes
	}
	if t.Page > pageDDF {
		return in.unknownPage()
	}
	if !t.Attrs {
		return nil
	}
	skipping := in.w.Skipping
	in.w.Skipping = true
	for t.Kind != wbxml.AttrsEnd { // DM has no attributes
		if err := in.w.Next(t); err != nil {
			return err
		}
	}
	in.w.Skipping = skipping
	return nil
}

// unknownPage is the error for the announced element, which is of none of our code pages.
func (in *reader) unknownPage() error {
	return in.errorf(in.at(), "code page %d (want 0 to %d)", in.tag.page(), pageDDF)
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
	return in.blank(t.Bytes, t.Offset)
}

// blank makes sure that text, which stands at offset at between elements, is white space.
func (in *reader) blank(text []byte, at int) error {
	if len(trim(text)) > 0 {
		return in.errorf(at, "text %q where an element was expected", clip(text))
	}
	return nil
}

// value takes the announced element, whose content is text.
func (in *reader) value() ([]byte, error) {
	if in.leaf {
		in.leaf = false
		if in.end-in.from > in.lim.String {
			return nil, in.tooLong(in.contentAt(), in.lim.String, "String")
		}
		return in.content(), nil
	}
	return in.oddValue()
}

// oddValue is value where the content was not taken with the tag.
func (in *reader) oddValue() ([]byte, error) {
	if in.enc == XML {
		return in.valueXML()
	}
	return in.joined()
}

// joined is the value that begins here and is more than one token.
func (in *reader) joined() ([]byte, error) {
	p := pieces{m: in.m, at: in.w.Pos, limit: in.lim.String}
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
		if err := in.pieceWBXML(&p, "String"); err != nil {
			return nil, err
		}
	}
}

// pieceWBXML adds the text token just read to p. limit is the name of p's.
func (in *reader) pieceWBXML(p *pieces, limit string) error {
	in.addWBXML(p, &in.t)
	if p.len() > p.limit {
		return in.tooLong(p.at, p.limit, limit)
	}
	return nil
}

func (in *reader) addWBXML(p *pieces, t *wbxml.Token) {
	switch {
	case t.Kind == wbxml.Entity:
		in.addRune(p, t.Rune)
	case in.latin1 && t.Kind == wbxml.Text:
		in.addLatin1(p, t.Bytes)
	default:
		in.add(p, t.Bytes)
	}
}

// sizeWBXML is what the text tokens from offset at on, in the element that is open, come to.
func (in *reader) sizeWBXML(at int) int {
	var (
		p     pieces
		t     wbxml.Token
		ahead = in.w
	)
	for ahead.Pos = at; ahead.Next(&t) == nil && t.Kind != wbxml.Start && t.Kind != wbxml.End; {
		in.addWBXML(&p, &t)
	}
	return p.len()
}

// itemData takes the announced Data element of an Item, whose content is text or elements.
func (in *reader) itemData(it *Item) error {
	it.Markup = false
	switch {
	case in.leaf:
		in.leaf = false
		if it.Data = in.content(); it.Data == nil {
			it.Data = emptyData
		}
		if len(it.Data) > in.lim.Data {
			return in.tooLong(in.contentAt(), in.lim.Data, "Data")
		}
		return nil
	case in.enc == XML:
		return in.itemDataXML(it)
	}
	p := pieces{m: in.m, at: in.w.Pos, limit: in.lim.Data}
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
			it.Data, err = in.render(p.bytes(), p.at)
			return err
		}
		if err := in.pieceWBXML(&p, "Data"); err != nil {
			return err
		}
	}
}

// skip takes the announced element, whatever is in it.
func (in *reader) skip() error {
	switch {
	case in.leaf:
		in.leaf = false
		return nil
	case in.enc == XML:
		return in.skipXML()
	}
	in.w.Skipping = true
	for open := 1; open > 0; {
		if err := in.w.Next(&in.t); err != nil {
			return err
		}
		switch in.t.Kind {
		case wbxml.Start:
			if err := in.startWBXML(); err != nil {
				return err
			}
			if !in.leaf {
				open++
			}
		case wbxml.End:
			open--
		}
	}
	in.leaf, in.w.Skipping = false, false
	return nil
}

// nested is the error for the announced element, which stands where there can only be text.
func (in *reader) nested() error {
	return in.errorf(in.at(), "element %s where text was expected", in.tagName())
}

func (in *reader) tooLong(at, limit int, name string) error {
	return in.errorf(at, "text longer than %d bytes (limit %s)", limit, name)
}
