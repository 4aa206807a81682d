package sessions

import (
	"encoding/base64"
	"time"
	"unicode/utf8"

	"dmgate/codec/syncml"
	"dmgate/storage"
)

// pack adds as many commands of open tasks to the reply as the device can take in one message. A command never spans
// messages, nor does an Atomic or Sequence; only the data of a large object does. It reports whether there was anything
// to say; if not, the session is over.
func (s *Session) pack(now time.Time, enc syncml.Encoding, out *Outcome) bool {
	p := packing{s: s, now: now, enc: enc, out: out}
	m := &out.Reply
	p.room = s.room() - replySize(m, enc, len(m.Commands))
	p.whole = s.room() - replySize(m, enc, min(len(m.Commands), 2)) // in answer to an Alert 1222, at least
	// A large object goes on before anything else.
	if t := s.unfinished(); t != nil && !p.task(t) {
		return p.said
	}
	for i := 0; i < len(s.tasks) && !p.full; i++ {
		t := &s.tasks[i]
		suspect := len(t.Broken) > 0 // it goes alone, so that the next break tells whether it is poison
		if suspect && p.said {
			break
		}
		if moved := p.task(t); moved {
			i = -1
		}
		p.full = p.full || suspect && p.said
	}
	return p.said
}

// unfinished is the task of which a large object is on its way.
func (s *Session) unfinished() *task {
	for i := range s.tasks {
		if t := &s.tasks[i]; t.Chunk > 0 && t.Task.Open() {
			return t
		}
	}
	return nil
}

// packing is a reply being filled.
type packing struct {
	s           *Session
	now         time.Time
	enc         syncml.Encoding
	out         *Outcome
	room, whole int  // bytes left in this message, and in one with nothing in it
	said        bool // there is a command in it, or the device is to ask for the next
	full        bool // nothing more goes into it
}

// task adds what can be said of t. It reports whether the queue has moved meanwhile, and t with it.
func (p *packing) task(t *task) (moved bool) {
	for !p.full && t.Task.Open() && !p.s.isProbed(t) {
		i, probe, ok := t.next()
		if !ok {
			break
		}
		size := groupSize(t, i, probe, p.enc)
		switch {
		case size <= p.room && t.Chunk == 0:
			p.room -= size
			p.said = true
			p.s.send(t, i, probe, p.out)
		case p.said:
			p.full = true
		case t.Chunk == 0 && size <= p.whole:
			p.out.Reply.Final = false // the statuses fill this message: the device asks for the next with Alert 1222
			p.said, p.full = true, true
		case !p.chunk(t, i):
			p.s.tooLarge(p.now, t, i, p.out)
			return true
		}
	}
	return false
}

// isProbed says whether the device is being asked what became of an Exec of t. The rest of t waits for that.
func (s *Session) isProbed(t *task) bool {
	for k := range s.pending {
		if p := &s.pending[k]; p.Probe && p.Task == t.id() {
			return true
		}
	}
	return false
}

// tooLarge answers the commands of a group in the device's place: they are larger than the device takes.
func (s *Session) tooLarge(now time.Time, t *task, i int, out *Outcome) {
	s.begin(t)
	t.said(i, false)
	before := len(out.Commit.Results[out.resultsOf(t.id())].Answers)
	s.answerGroup(now, t, i, 413, out)
	s.conclude(now, t, out.Commit.Results[out.resultsOf(t.id())].Answers[before:], true, out)
}

// begin notes that t is under way.
func (s *Session) begin(t *task) {
	if t.State == storage.TaskQueued {
		t.State, t.dirty = storage.TaskSent, true
		t.Attempts++
	}
}

// leastMaxMsg is the smallest MaxMsgSize that is believed, in bytes. Not one command goes into less, and a device that
// says so would have all of its tasks answered with 413.
const leastMaxMsg = 512

func (s *Session) room() int {
	if s.maxMsg > 0 {
		return min(s.maxMsg, s.opt.MaxMsg)
	}
	return s.opt.MaxMsg
}

// Upper bounds of what markup adds to the values of a message and of a command, in bytes.
const (
	wbxmlHeader, wbxmlCommand = 160, 64
	xmlHeader, xmlCommand     = 480, 320
)

// groupSize is an upper bound of what command i of t takes, with its members.
func groupSize(t *task, i int, probe bool, enc syncml.Encoding) int {
	if probe {
		return commandSize(&storage.Command{URI: t.Commands[i].Probe}, enc)
	}
	n := 0
	for end := t.groupEnd(i); i < end; i++ {
		n += commandSize(&t.Commands[i], enc)
	}
	return n
}

// commandSize is an upper bound of what a command takes.
func commandSize(c *storage.Command, enc syncml.Encoding) int {
	n := commandFrame(c, enc)
	if enc == syncml.XML {
		// Data that is no text goes as base64, under a Format that says so.
		return n + max(textSize(c.Data, enc), base64.StdEncoding.EncodedLen(len(c.Data))+len("b64"))
	}
	return n + len(c.Data)
}

// commandFrame is an upper bound of what a command takes besides its data.
func commandFrame(c *storage.Command, enc syncml.Encoding) int {
	n, item := wbxmlCommand, wbxmlCommand
	if enc == syncml.XML {
		n, item = xmlCommand, xmlCommand
	}
	n += textSize(c.URI, enc) + textSize(c.Source, enc) + textSize(c.Format, enc) + textSize(c.Type, enc)
	if c.Kind == "Exec" {
		n += max(textSize(c.Correlator, enc), maxCorrelator) + item/4
	}
	for i := range c.Items {
		n += item/4 + textSize(c.Items[i], enc)
	}
	return n
}

// maxCorrelator is the length of a correlator that we make, at most: two numbers.
const maxCorrelator = 26

// textSize is an upper bound of what a value takes: XML writes some characters as entities, and U+FFFD for those that
// it can not hold.
func textSize[T string | []byte](v T, enc syncml.Encoding) int {
	n := len(v)
	for i := 0; enc == syncml.XML && i < len(v); i++ {
		switch c := v[i]; {
		case c == '&' || c == '<' || c == '>':
			n += len("&amp;") - 1
		case c < ' ' || c >= utf8.RuneSelf:
			n += len("\uFFFD") - 1
		}
	}
	return n
}

// replySize is an upper bound of a reply with the first n of its statuses and no command.
func replySize(m *syncml.Message, enc syncml.Encoding, n int) int {
	h := &m.Header
	text := 0
	for _, v := range [...][]byte{
		h.VerDTD, h.VerProto, h.SessionID, h.MsgID, h.Target.URI, h.Source.URI, h.Source.Name, h.RespURI, h.Cred.Data,
		h.Cred.Meta.Type,
	} {
		text += textSize(v, enc)
	}
	for i := range n {
		c := &m.Commands[i]
		for _, v := range [...][]byte{c.CmdRef, c.TargetRef, c.SourceRef, c.Chal.Type, c.Chal.NextNonce, c.Data} {
			text += textSize(v, enc)
		}
	}
	if enc == syncml.XML {
		return xmlHeader + xmlCommand*n + text
	}
	return wbxmlHeader + wbxmlCommand*n + text
}
