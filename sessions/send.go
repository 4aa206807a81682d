package sessions

import (
	"dmgate/codec/syncml"
	"dmgate/storage"
)

// send adds a group of commands to the reply, or the question whether it has run.
func (s *Session) send(t *task, i int, probe bool, out *Outcome) {
	s.begin(t)
	if probe {
		s.command(t, i, syncml.Get, out).Probe = true
		out.Reply.AddItem().Target.URI = out.Reply.Text(t.Commands[i].Probe)
	} else {
		for k := i; k < t.groupEnd(i); k++ {
			s.command(t, k, t.kind(k), out)
			s.content(t, k, out)
		}
	}
	t.said(i, probe)
}

// command begins command i of t, under the name of kind. It waits for its Status from now on.
func (s *Session) command(t *task, i int, kind syncml.Kind, out *Outcome) *storage.Pending {
	r := &out.Reply
	c := r.AddCommand(kind)
	id := len(r.Commands)
	c.CmdID, c.Depth = r.Number(id), t.Commands[i].Depth
	s.pending = append(s.pending, storage.Pending{MsgID: s.sent, CmdID: uint32(id), Task: t.id(), Command: i})
	return &s.pending[len(s.pending)-1]
}

// content fills the command that was begun last with what command i of t says.
func (s *Session) content(t *task, i int, out *Outcome) {
	r, cmd := &out.Reply, &t.Commands[i]
	c := &r.Commands[len(r.Commands)-1]
	switch c.Kind {
	case syncml.Atomic, syncml.Sequence:
		return
	case syncml.Alert:
		c.Data = r.Number(cmd.Code)
		for _, text := range cmd.Items {
			r.AddItem().Data = r.Text(text)
		}
		return
	case syncml.Exec:
		if out.Reply.Style.Version != syncml.V11 { // which has no such element
			var buf [64]byte
			c.Correlator = r.Text(string(t.correlator(buf[:0], i)))
		}
	}
	it := r.AddItem()
	it.Target.URI = r.Text(cmd.URI)
	it.Source.URI = r.Text(cmd.Source)
	it.Meta.Format, it.Meta.Type = r.Text(cmd.Format), r.Text(cmd.Type)
	it.Data = cmd.Data
}

// leastChunk is the smallest part of a large object worth a message, in bytes.
const leastChunk = 64

// chunk adds the next part of the data of command i of t, which is too large for one message. It is the only command of
// its message. ok is false where the device takes no such object. Source: section 2.2.
func (p *packing) chunk(t *task, i int) (ok bool) {
	s, cmd := p.s, &t.Commands[i]
	size := transferSize(cmd, p.enc)
	if t.groupEnd(i) > i+1 || len(cmd.Data) == 0 || !s.takesObject(size) {
		return false
	}
	switch cmd.Kind {
	case "Add", "Replace", put:
	default:
		return false
	}
	frame := commandFrame(cmd, p.enc) + maxSize
	n := fitting(cmd, t.Chunk, p.room-frame, p.enc)
	if rest := len(cmd.Data) - t.Chunk; n < min(rest, leastChunk) {
		if p.whole <= p.room || fitting(cmd, t.Chunk, p.whole-frame, p.enc) < min(rest, leastChunk) {
			return false
		}
		p.out.Reply.Final = false
		p.said, p.full = true, true
		return true
	}
	s.begin(t)
	pending := s.command(t, i, t.kind(i), p.out)
	s.content(t, i, p.out)
	c := &p.out.Reply.Commands[len(p.out.Reply.Commands)-1]
	it := &c.Items[0]
	it.Data = cmd.Data[t.Chunk : t.Chunk+n]
	if t.Chunk == 0 {
		it.Meta.Size = size
	}
	p.said, p.full = true, true
	if t.Chunk+n == len(cmd.Data) {
		t.said(i, false)
		return true
	}
	t.Chunk += n
	it.MoreData, pending.Chunk = true, true
	p.out.Reply.Final = false
	return true
}

// maxSize is what Size and MoreData take in a message, at most.
const maxSize = 64

// takesObject says whether the device takes a large object of so many bytes.
func (s *Session) takesObject(size int) bool {
	return s.device.Facts["LrgObj"] != "false" && (s.maxObj == 0 || size <= s.maxObj)
}

// isBinary says whether the data of c goes into XML as base64.
func isBinary(c *storage.Command) bool { return c.Format == "bin" }

// transferSize is how many bytes the data of c comes to as it travels.
func transferSize(c *storage.Command, enc syncml.Encoding) int {
	if enc == syncml.XML && isBinary(c) {
		return (len(c.Data) + 2) / 3 * 4
	}
	return len(c.Data)
}

// fitting is how many bytes of c's data from offset at on fit into room bytes of a message. Base64 is cut where three
// bytes become four characters, so that the parts join to one; text between two characters.
func fitting(c *storage.Command, at, room int, enc syncml.Encoding) int {
	rest := c.Data[at:]
	switch {
	case room <= 0:
		return 0
	case isBinary(c) && enc == syncml.XML:
		if n := room / 4 * 3; n < len(rest) {
			return n
		}
		return len(rest)
	case isBinary(c):
		return min(room, len(rest))
	}
	n := min(room, len(rest))
	for enc == syncml.XML && textSize(rest[:n], enc) > room {
		n -= max(1, (textSize(rest[:n], enc)-room)/len("&amp;"))
	}
	for n > 0 && n < len(rest) && rest[n]&0xC0 == 0x80 {
		n--
	}
	return n
}
