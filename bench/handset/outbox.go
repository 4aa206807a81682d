package handset

import (
	"slices"

	"dmgate/codec/syncml"
)

// minChunk is the least of a large object that is worth a message, unless messages are small anyway (section 2.2).
const minChunk = 1000

// write makes the next message out of the queue: as much of it as the server takes, Final if that is all of it and the
// server's own package has come to its end (section 2.1).
func (s *session) write() {
	s.msgID++
	n := len(s.queue)
	s.encode(n)
	if len(s.body) > s.room {
		n = s.fit()
	}
	s.seal()
	s.remember()
	s.queue = slices.Delete(s.queue, 0, n)
}

// encode writes the message with the first n answers of the queue.
func (s *session) encode(n int) {
	m := &s.out
	m.Reset()
	s.header(m)
	for i := range n {
		s.queue[i].append(m)
	}
	if n == len(s.queue) {
		m.Final = s.serverFinal
		if !s.serverFinal {
			(&answer{kind: syncml.Alert, code: alertNextMessage}).append(m)
		}
	}
	s.body = m.Append(s.body[:0], s.make.Encoding)
}

// fit encodes the longest beginning of the queue that the server takes, and says how many answers that is. A value
// that no message has room for is cut where it would begin.
func (s *session) fit() int {
	low, high := 0, len(s.queue)-1 // low fits, high+1 does not
	for low < high {
		mid := (low + high + 1) / 2
		if s.encode(mid); len(s.body) <= s.room {
			low = mid
		} else {
			high = mid - 1
		}
	}
	least := s.least()
	if at := max(low, least-1); at < len(s.queue) && s.cut(at) {
		low = at + 1
	}
	low = max(low, min(least, len(s.queue))) // one that fits nowhere goes as it is: the session must get on
	s.encode(low)
	return low
}

// least is how much of the queue a message has to hold to be of any use: more than the Status for SyncHdr.
func (s *session) least() int {
	if s.queue[0].isSyncHdr() {
		return 2
	}
	return 1
}

func (a *answer) isSyncHdr() bool { return a.kind == syncml.Status && a.cmdRef == "0" }

// cut makes a large object of answer i if it is too big for any message, and there is room for a chunk in this one: the
// chunk stays at i, the rest follows it and goes with the next message (section 2.2).
func (s *session) cut(i int) bool {
	whole := s.queue[i]
	if len(whole.items) != 1 || len(whole.items[0].data) < s.room/2 {
		return false
	}
	chunk, rest := whole.items[0], whole.items[0]
	data := chunk.data
	chunk.data, chunk.more = "", true
	if !whole.continued {
		chunk.size = len(data)
	}
	s.queue[i].items = []answerItem{chunk}
	s.encode(i + 1)
	n := min(s.room-len(s.body)-chunkMargin, len(data)-1)
	if n < min(minChunk, s.room/4) {
		s.queue[i] = whole
		return false
	}
	chunk.data, rest.data = data[:n], data[n:]
	s.queue[i].items = []answerItem{chunk}
	whole.items, whole.continued = []answerItem{rest}, true
	s.queue = slices.Insert(s.queue, i+1, whole)
	return true
}

// chunkMargin is for what grows with the data: its length, and the Size.
const chunkMargin = 16

// remember keeps what the server has to give a Status for.
func (s *session) remember() {
	const kept = 16
	if len(s.sent) == kept {
		s.sent = slices.Delete(s.sent, 0, 1)
	}
	sent := sentMessage{id: s.msgID, commands: make([]sentCommand, 1, len(s.out.Commands)+1)}
	sent.commands[0].due = owed
	for i := range s.out.Commands {
		c := sentCommand{kind: s.out.Commands[i].Kind}
		switch c.kind {
		case syncml.Status:
		case syncml.Results:
			c.due = optional
		default:
			c.due = owed
		}
		if i < len(s.queue) {
			c.finding = s.queue[i].finding
		}
		sent.commands = append(sent.commands, c)
	}
	s.sent = append(s.sent, sent)
}

// header fills SyncHdr. Target is what the server asked to be called last (trap 33).
func (s *session) header(m *syncml.Message) {
	k := s.make
	m.Style = k.Style
	h := &m.Header
	h.VerDTD, h.VerProto = m.Text(k.VerDTD), m.Text(k.VerProto)
	h.SessionID, h.MsgID = m.Text(s.id), m.Number(s.msgID)
	h.Target.URI, h.Source.URI = m.Text(s.url), m.Text(s.h.DevID())
	switch {
	case k.LocName == LocNameAlways,
		k.LocName == LocNameUntilAuthentication && s.account.scheme == schemeMD5 && !s.authenticated:
		h.Source.Name = m.Text(s.account.user)
	}
	s.credSent = s.account.scheme == schemeHMAC
	if kind, data := s.account.credential(s.nonce); kind != "" && !s.authenticated {
		s.credSent = true
		h.Cred.Data = data
		h.Cred.Meta.Type = m.Text(kind)
		if k.LocName != LocNameUntilAuthentication || s.account.scheme == schemeMD5 {
			h.Cred.Meta.Format = m.Text("b64") // S60 leaves it out with basic (section 3)
		}
	}
	if !k.SilentMeta {
		h.Meta.MaxMsgSize, h.Meta.MaxObjSize = k.MaxMsgSize, k.MaxObjSize
	}
}
