package syncml

import (
	"fmt"
	"math"

	"dmgate/codec"
	"dmgate/codec/wbxml"
)

// reader is the grammar of a message, one for both encodings. It asks four things of an encoding: child, value,
// itemData and skip. They are in childwbxml.go and readwbxml.go, and those for XML, to which they hand on, in readxml.go.
//
// Every element that child announces is taken by exactly one of value, itemData, skip or a loop of child that ends
// with noTag.
type reader struct {
	m   *Message
	enc Encoding
	lim Limits

	tag       tag    // of the element that child announced
	name      []byte // its name, where tag is 0, in the document's charset
	leaf      bool   // it was taken whole: its content is text, or it has none
	from, end int    // and where that text is

	latin1 bool // text is ISO-8859-1 and goes to the scratch as UTF-8
	binary bool // of the node being rendered: its Format is bin

	w wbxml.Reader
	t wbxml.Token
	x scanner
}

var defaultLimits = Limits{}.WithDefaults()

func (m *Message) read(doc []byte, enc Encoding, lim *Limits) error {
	m.Reset()
	in := reader{m: m, enc: enc, lim: defaultLimits}
	if lim != nil {
		in.lim = lim.WithDefaults()
	}
	in.lim.Depth = min(in.lim.Depth, math.MaxUint8) // what Command.Depth can count
	if enc == WBXML {
		return in.readWBXML(doc)
	}
	in.x = scanner{doc: doc, open: m.open[:0]}
	err := in.readXML()
	m.open = in.x.open
	return err
}

// emptyData is the Data of an Item whose Data element is there but empty.
var emptyData = []byte{}

// message reads the content of the root element.
func (in *reader) message() error {
	header, body := false, false
	for {
		t, err := in.child()
		if err != nil {
			return err
		}
		if t == noTag {
			break
		}
		switch t {
		case tagSyncHdr:
			if header {
				return in.errorf(in.at(), "second SyncHdr")
			}
			header = true
			err = in.header(&in.m.Header)
		case tagSyncBody:
			if body {
				return in.errorf(in.at(), "second SyncBody")
			}
			body = true
			err = in.body()
		default:
			err = in.skip()
		}
		if err != nil {
			return err
		}
	}
	switch {
	case !header:
		return in.errorf(in.offset(), "SyncML without SyncHdr")
	case !body:
		return in.errorf(in.offset(), "SyncML without SyncBody")
	}
	return nil
}

func (in *reader) header(h *Header) error {
	for {
		t, err := in.child()
		if err != nil || t == noTag {
			return err
		}
		switch t {
		case tagVerDTD:
			h.VerDTD, err = in.word()
		case tagVerProto:
			h.VerProto, err = in.word()
		case tagSessionID:
			h.SessionID, err = in.word()
		case tagMsgID:
			h.MsgID, err = in.word()
		case tagTarget:
			err = in.location(&h.Target)
		case tagSource:
			err = in.location(&h.Source)
		case tagRespURI:
			h.RespURI, err = in.word()
		case tagNoResp:
			h.NoResp = true
			err = in.skip()
		case tagCred:
			err = in.cred(&h.Cred)
		case tagMeta:
			err = in.meta(&h.Meta)
		default:
			err = in.skip()
		}
		if err != nil {
			return err
		}
	}
}

func (in *reader) body() error {
	for {
		t, err := in.child()
		if err != nil || t == noTag {
			return err
		}
		switch k := t.kind(); {
		case k != None:
			err = in.command(k, 0)
		case t == tagFinal:
			in.m.Final = true
			err = in.skip()
		default:
			err = in.errorf(in.at(), "%s in SyncBody is no command of OMA DM", in.tagName())
		}
		if err != nil {
			return err
		}
	}
}

// command reads a command and, where it is an Atomic or Sequence, its members, which follow it in the list.
func (in *reader) command(k Kind, depth uint8) error {
	m := in.m
	if len(m.Commands) >= in.lim.Commands {
		return in.errorf(in.at(), "more than %d commands (limit Commands)", in.lim.Commands)
	}
	i := len(m.Commands)
	c := m.AddCommand(k)
	c.Depth = depth
	for {
		t, err := in.child()
		if err != nil || t == noTag {
			return err
		}
		switch t {
		case tagCmdID:
			c.CmdID, err = in.word()
		case tagMsgRef:
			c.MsgRef, err = in.word()
		case tagCmdRef:
			c.CmdRef, err = in.word()
		case tagCmd:
			c.Cmd, err = in.word()
		case tagTargetRef:
			err = in.ref(c, &c.TargetRef, false)
		case tagSourceRef:
			err = in.ref(c, &c.SourceRef, true)
		case tagData:
			c.Data, err = in.word()
		case tagItem:
			err = in.item(k)
		case tagMeta:
			err = in.meta(&c.Meta)
		case tagChal:
			err = in.chal(&c.Chal)
		case tagCred:
			err = in.cred(&c.Cred)
		case tagCorrelator:
			c.Correlator, err = in.value()
		case tagNoResp:
			c.NoResp = true
			err = in.skip()
		default:
			err = in.member(k, depth+1)
			c = &m.Commands[i] // members may have moved the list
		}
		if err != nil {
			return err
		}
	}
}

// member reads the announced element as a member of a command of kind k, or skips it where it is no command.
func (in *reader) member(k Kind, depth uint8) error {
	mk := in.tag.kind()
	switch {
	case mk == None && in.tag.foreign():
		return in.errorf(in.at(), "%s in %s is no command of OMA DM", in.tagName(), k)
	case mk == None:
		return in.skip()
	case k != Atomic && k != Sequence:
		return in.errorf(in.at(), "%s inside %s", mk, k)
	}
	return in.command(mk, depth)
}

func (in *reader) item(k Kind) error {
	switch {
	case k == Atomic || k == Sequence:
		return in.errorf(in.at(), "Item inside %s", k)
	case len(in.m.items) >= in.lim.Items:
		return in.errorf(in.at(), "more than %d items (limit Items)", in.lim.Items)
	}
	it := in.m.AddItem()
	for {
		t, err := in.child()
		if err != nil || t == noTag {
			return err
		}
		switch t {
		case tagTarget:
			err = in.location(&it.Target)
		case tagSource:
			err = in.location(&it.Source)
		case tagMeta:
			err = in.meta(&it.Meta)
		case tagData:
			err = in.itemData(it)
		case tagMoreData:
			it.MoreData = true
			err = in.skip()
		default:
			err = in.skip()
		}
		if err != nil {
			return err
		}
	}
}

func (in *reader) location(l *Location) error {
	for {
		t, err := in.child()
		if err != nil || t == noTag {
			return err
		}
		switch t {
		case tagLocURI:
			l.URI, err = in.word()
		case tagLocName:
			l.Name, err = in.value()
		default:
			err = in.skip()
		}
		if err != nil {
			return err
		}
	}
}

func (in *reader) cred(c *Cred) error {
	for {
		t, err := in.child()
		if err != nil || t == noTag {
			return err
		}
		switch t {
		case tagMeta:
			err = in.meta(&c.Meta)
		case tagData:
			c.Data, err = in.value()
		default:
			err = in.skip()
		}
		if err != nil {
			return err
		}
	}
}

// chal reads a Chal, which holds nothing but Meta.
func (in *reader) chal(c *Meta) error {
	for {
		t, err := in.child()
		if err != nil || t == noTag {
			return err
		}
		if t == tagMeta {
			err = in.meta(c)
		} else {
			err = in.skip()
		}
		if err != nil {
			return err
		}
	}
}

func (in *reader) meta(mt *Meta) error {
	for {
		t, err := in.child()
		if err != nil || t == noTag {
			return err
		}
		switch t {
		case tagFormat:
			mt.Format, err = in.word()
		case tagType:
			mt.Type, err = in.word()
		case tagMark:
			mt.Mark, err = in.value()
		case tagNextNonce:
			mt.NextNonce, err = in.value()
		case tagVersion:
			mt.Version, err = in.value()
		case tagSize:
			mt.Size, err = in.size()
		case tagMaxMsgSize:
			mt.MaxMsgSize, err = in.size()
		case tagMaxObjSize:
			mt.MaxObjSize, err = in.size()
		case tagMetInf: // a wrapper that the standard allows and nobody uses
			err = in.meta(mt)
		default:
			err = in.skip()
		}
		if err != nil {
			return err
		}
	}
}

// ref takes the announced TargetRef or SourceRef of c. first is the field of the first that is not empty.
func (in *reader) ref(c *Command, first *[]byte, source bool) error {
	at := in.at()
	v, err := in.word()
	switch {
	case err != nil || len(v) == 0:
		return err
	case len(*first) == 0:
		*first = v
		return nil
	case c.Kind != Status && c.Kind != Results: // others have no such elements
		return nil
	case len(in.m.refs) >= in.lim.Items:
		return in.errorf(at, "more than %d references (limit Items)", in.lim.Items)
	}
	// The list may move. What c has of it is at its end: neither a Status nor Results have members.
	m := in.m
	m.refs = append(m.refs, Ref{URI: v, Source: source})
	c.MoreRefs = m.refs[len(m.refs)-len(c.MoreRefs)-1 : len(m.refs) : len(m.refs)]
	return nil
}

// word takes the announced element's text without the white space around it, which pretty-printers add. Values that
// could begin or end with white space, or be bytes, are taken as they are: LocName, Data, NextNonce and the like.
func (in *reader) word() ([]byte, error) {
	v, err := in.value()
	if n := len(v); n > 0 && v[0] > ' ' && v[n-1] > ' ' { // nearly always
		return v, err
	}
	return trim(v), err
}

// size takes the announced element's text as a count of bytes.
func (in *reader) size() (int, error) {
	at := in.contentAt()
	v, err := in.word()
	if err != nil || len(v) == 0 {
		return 0, err
	}
	n := 0
	for _, d := range v {
		if d < '0' || d > '9' {
			return 0, in.errorf(at, "%q is no number", clip(v))
		}
		if n > (math.MaxInt-9)/10 {
			return 0, in.errorf(at, "number %s is too large", clip(v))
		}
		n = n*10 + int(d-'0')
	}
	return n, nil
}

// at is where the announced element begins.
func (in *reader) at() int {
	if in.enc == XML {
		return in.x.tagAt
	}
	return in.w.TagAt
}

// contentAt is where the content of the announced element begins, which has no attributes.
func (in *reader) contentAt() int {
	if in.enc == XML {
		return in.x.pos
	}
	return in.w.TagAt + 1
}

// offset is where the next token begins.
func (in *reader) offset() int {
	if in.enc == XML {
		return in.x.pos
	}
	return in.w.Pos
}

// tagName is the name of the announced element, for errors.
func (in *reader) tagName() string {
	if name := in.tag.name(); name != "" {
		return name
	}
	if in.tag != 0 {
		return fmt.Sprintf("tag 0x%02X of page %d", in.tag.code(), in.tag.page())
	}
	if in.latin1 {
		return string(wbxml.AppendLatin1(nil, clip(in.name)))
	}
	return string(clip(in.name))
}

func (in *reader) errorf(at int, msg string, args ...any) error {
	return codec.Errorf(in.enc.String(), at, msg, args...)
}

// clip shortens hostile text for an error.
func clip(b []byte) []byte { return b[:min(len(b), 40)] }

func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
