package syncml

import (
	"encoding/base64"
	"strconv"

	"dmgate/codec/wbxml"
)

// writer is the grammar of a message in the order of its DTD, one for both encodings. What it asks of an encoding is
// below: start, end, element; writewbxml.go and writexml.go have them. Elements that the DTD demands are written even
// where they are empty, others only where there is something in them.
type writer struct {
	wbxml.Writer // its Buf takes XML as well
	enc          Encoding
	version      Version
}

func (out *writer) start(t tag) {
	if out.enc == XML {
		out.startXML(t)
		return
	}
	out.Start(t.page(), t.code())
}

func (out *writer) end(t tag) {
	if out.enc == XML {
		out.endXML(t)
		return
	}
	out.End()
}

// element writes a whole element that holds the text v.
func (out *writer) element(t tag, v []byte) {
	if out.enc == XML {
		out.elementXML(t, v)
		return
	}
	out.Element(t.page(), t.code(), v)
}

// optional writes an element unless its text is empty.
func (out *writer) optional(t tag, v []byte) {
	if len(v) > 0 {
		out.element(t, v)
	}
}

// flag writes an element that says yes by being there.
func (out *writer) flag(t tag, v bool) {
	if v {
		out.element(t, nil)
	}
}

// count writes an element that holds a number, unless that is 0.
func (out *writer) count(t tag, n int) {
	if n > 0 {
		var b [20]byte
		out.element(t, strconv.AppendInt(b[:0], int64(n), 10))
	}
}

func (out *writer) message(m *Message) {
	if out.enc == XML {
		out.beginXML()
	} else {
		out.beginWBXML(&m.Style)
	}
	out.header(&m.Header)
	out.start(tagSyncBody)
	out.commands(m.Commands, 0)
	out.flag(tagFinal, m.Final)
	out.end(tagSyncBody)
	out.end(tagSyncML)
}

func (out *writer) header(h *Header) {
	out.start(tagSyncHdr)
	out.element(tagVerDTD, h.VerDTD)
	out.element(tagVerProto, h.VerProto)
	out.element(tagSessionID, h.SessionID)
	out.element(tagMsgID, h.MsgID)
	out.location(tagTarget, &h.Target)
	out.location(tagSource, &h.Source)
	out.optional(tagRespURI, h.RespURI)
	out.flag(tagNoResp, h.NoResp)
	out.cred(&h.Cred)
	out.meta(&h.Meta)
	out.end(tagSyncHdr)
}

// commands writes the leading commands of cs that are not above depth and returns the rest. A member without an
// Atomic or Sequence in front of it is written where it stands.
func (out *writer) commands(cs []Command, depth int) []Command {
	for len(cs) > 0 && int(cs[0].Depth) >= depth {
		c := &cs[0]
		cs = cs[1:]
		if c.Kind == None || int(c.Kind) >= len(kindTags) {
			continue
		}
		t := kindTags[c.Kind]
		out.start(t)
		out.command(c)
		if c.Kind == Atomic || c.Kind == Sequence {
			cs = out.commands(cs, int(c.Depth)+1)
		}
		out.end(t)
	}
	return cs
}

// command writes the content of c. The DTDs of all commands fit one order; only Results has its Meta earlier.
func (out *writer) command(c *Command) {
	out.element(tagCmdID, c.CmdID)
	out.flag(tagNoResp, c.NoResp)
	out.optional(tagMsgRef, c.MsgRef)
	out.optional(tagCmdRef, c.CmdRef)
	out.optional(tagCmd, c.Cmd)
	if c.Kind == Results {
		out.meta(&c.Meta)
	}
	out.optional(tagTargetRef, c.TargetRef)
	if len(c.MoreRefs) > 0 {
		out.refs(tagTargetRef, c.MoreRefs, false)
	}
	out.optional(tagSourceRef, c.SourceRef)
	if len(c.MoreRefs) > 0 {
		out.refs(tagSourceRef, c.MoreRefs, true)
	}
	out.cred(&c.Cred)
	if !c.Chal.Empty() {
		out.start(tagChal)
		out.meta(&c.Chal)
		out.end(tagChal)
	}
	if c.Kind != Results {
		out.meta(&c.Meta)
	}
	out.optional(tagData, c.Data)
	out.optional(tagCorrelator, c.Correlator)
	for i := range c.Items {
		out.item(&c.Items[i], c.Format(&c.Items[i]))
	}
}

func (out *writer) refs(t tag, refs []Ref, source bool) {
	for _, r := range refs {
		if r.Source == source {
			out.optional(t, r.URI)
		}
	}
}

func (out *writer) item(it *Item, format []byte) {
	out.start(tagItem)
	if !it.Target.empty() {
		out.location(tagTarget, &it.Target)
	}
	if !it.Source.empty() {
		out.location(tagSource, &it.Source)
	}
	if it.Markup {
		out.meta(&it.Meta)
		out.markup(it.Data)
	} else {
		out.content(&it.Meta, format, it.Data, it.Data != nil)
	}
	out.flag(tagMoreData, it.MoreData)
	out.end(tagItem)
}

func (out *writer) location(t tag, l *Location) {
	out.start(t)
	out.element(tagLocURI, l.URI)
	out.optional(tagLocName, l.Name)
	out.end(t)
}

func (out *writer) cred(c *Cred) {
	if !c.Present() {
		return
	}
	out.start(tagCred)
	out.content(&c.Meta, c.Meta.Format, c.Data, true)
	out.end(tagCred)
}

// content writes Meta and Data, which has the given format. XML has no form for bytes that are no text: they go as
// base64, and so does what is said to be bin, with a Meta that says b64 and the Size that travels.
func (out *writer) content(mt *Meta, format, data []byte, present bool) {
	bin := string(format) == "bin"
	if out.enc == XML && len(data) > 0 && (bin || !isText(data)) {
		b64 := *mt
		b64.Format = formatB64
		if mt.Size == len(data) {
			b64.Size = base64.StdEncoding.EncodedLen(len(data))
		}
		out.meta(&b64)
		out.base64XML(data)
		return
	}
	out.meta(mt)
	switch {
	case !present:
	case bin && len(data) > 0: // so out.enc is WBXML
		out.start(tagData)
		out.Opaque(data)
		out.end(tagData)
	default:
		out.element(tagData, data)
	}
}

var formatB64 = []byte("b64")

// markup writes Data that holds elements. WBXML carries it as their XML text.
func (out *writer) markup(data []byte) {
	if out.enc == XML {
		out.markupXML(data)
		return
	}
	out.element(tagData, data)
}

func (out *writer) meta(mt *Meta) {
	if mt.Empty() {
		return
	}
	out.start(tagMeta)
	out.optional(tagFormat, mt.Format)
	out.optional(tagType, mt.Type)
	out.optional(tagMark, mt.Mark)
	out.count(tagSize, mt.Size)
	out.optional(tagVersion, mt.Version)
	out.optional(tagNextNonce, mt.NextNonce)
	out.count(tagMaxMsgSize, mt.MaxMsgSize)
	out.count(tagMaxObjSize, mt.MaxObjSize)
	out.end(tagMeta)
}

func (l *Location) empty() bool { return len(l.URI) == 0 && len(l.Name) == 0 }
