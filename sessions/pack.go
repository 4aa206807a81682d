package sessions

import (
	"encoding/base64"
	"time"
	"unicode/utf8"

	"dmgate/codec/syncml"
	"dmgate/storage"
)

// pack adds as many commands of open tasks to the reply as the device can take in one message. A command never spans
// messages. It reports whether there was anything to say; if not, the session is over.
func (s *Session) pack(now time.Time, enc syncml.Encoding, out *Outcome) bool {
	m := &out.Reply
	room := s.room() - replySize(m, enc, len(m.Commands))
	whole := s.room() - replySize(m, enc, min(len(m.Commands), 2)) // in answer to an Alert 1222, at least
	said := false
	for i := 0; i < len(s.tasks); i++ {
		for s.tasks[i].next < len(s.tasks[i].Commands) {
			t := &s.tasks[i]
			cmd := &t.Commands[t.next]
			size := commandSize(cmd, enc)
			switch {
			case size <= room:
				room -= size
				said = true
				s.send(t, cmd, out)
			case said:
				return true
			case size <= whole:
				m.Final = false // the statuses fill this message: the device asks for the next with Alert 1222
				return true
			default:
				s.tooLarge(now, t, out)
			}
		}
	}
	return said
}

// tooLarge answers a command in the device's place: it is larger than the device's MaxMsgSize.
func (s *Session) tooLarge(now time.Time, t *task, out *Outcome) {
	s.begin(t)
	s.newAnswer(now, t, t.next, 413, out)
	t.next++
	t.answered++
	answers := out.Commit.Results[out.resultsOf(t.ID)].Answers
	s.conclude(now, t, answers[len(answers)-1:], true, out)
}

// begin notes that t is under way.
func (s *Session) begin(t *task) {
	if t.next == 0 {
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

func (s *Session) send(t *task, cmd *storage.Command, out *Outcome) {
	r := &out.Reply
	c := r.AddCommand(syncml.KindOf([]byte(cmd.Kind)))
	id := len(r.Commands)
	c.CmdID = r.Number(id)
	it := r.AddItem()
	it.Target.URI = r.Text(cmd.URI)
	it.Meta.Format, it.Meta.Type = r.Text(cmd.Format), r.Text(cmd.Type)
	it.Data = cmd.Data
	s.pending = append(s.pending, storage.Pending{MsgID: s.sent, CmdID: uint32(id), Task: t.ID, Command: t.next})
	s.begin(t)
	t.next++
}

// Upper bounds of what markup adds to the values of a message and of a command, in bytes.
const (
	wbxmlHeader, wbxmlCommand = 160, 64
	xmlHeader, xmlCommand     = 480, 320
)

// commandSize is an upper bound of what a command takes.
func commandSize(c *storage.Command, enc syncml.Encoding) int {
	text := textSize(c.URI, enc) + textSize(c.Format, enc) + textSize(c.Type, enc)
	if enc == syncml.XML {
		// Data that is no text goes as base64, under a Format that says so.
		return xmlCommand + text + max(textSize(c.Data, enc), base64.StdEncoding.EncodedLen(len(c.Data))+len("b64"))
	}
	return wbxmlCommand + text + len(c.Data)
}

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
