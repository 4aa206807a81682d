package sessions

import (
	"time"

	"dmgate/codec/syncml"
	"dmgate/storage"
)

// pack adds as many commands of open tasks to the reply as the device can take in one message. A command never spans
// messages. It reports whether there was anything to say; if not, the session is over.
func (s *Session) pack(now time.Time, enc syncml.Encoding, out *Outcome) bool {
	m := &out.Reply
	room := s.room() - replySize(m, enc, len(m.Commands))
	whole := s.room() - replySize(m, enc, min(len(m.Commands), 1)) // of a message with a single Status
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
	s.conclude(now, t, answers[len(answers)-1:], out)
}

// begin notes that t is under way.
func (s *Session) begin(t *task) {
	if t.next == 0 {
		t.State, t.dirty = storage.TaskSent, true
		t.Attempts++
	}
}

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
	xmlHeader, xmlCommand     = 1400, 420
	xmlEscape                 = 6 // "&quot;" for one character
)

// commandSize is an upper bound of what a command takes.
func commandSize(c *storage.Command, enc syncml.Encoding) int {
	text := len(c.URI) + len(c.Format) + len(c.Type) + len(c.Data)
	if enc == syncml.XML {
		return xmlCommand + xmlEscape*text
	}
	return wbxmlCommand + text
}

// replySize is an upper bound of a reply with the first n of its statuses and no command.
func replySize(m *syncml.Message, enc syncml.Encoding, n int) int {
	h := &m.Header
	text := len(h.VerDTD) + len(h.VerProto) + len(h.SessionID) + len(h.MsgID) + len(h.Target.URI) + len(h.Source.URI) +
		len(h.Source.Name) + len(h.RespURI) + len(h.Cred.Data) + len(h.Cred.Meta.Type)
	for i := range n {
		c := &m.Commands[i]
		text += len(c.TargetRef) + len(c.SourceRef) + len(c.Chal.Type) + len(c.Chal.NextNonce) + len(c.Data)
	}
	if enc == syncml.XML {
		return xmlHeader + xmlCommand*n + xmlEscape*text
	}
	return wbxmlHeader + wbxmlCommand*n + text
}
