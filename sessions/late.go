package sessions

import (
	"bytes"
	"slices"
	"time"

	"dmgate/codec/syncml"
	"dmgate/storage"
)

// Results that come late: an Exec was answered with 202, and Alert 1226 brings what came of it, in this session or
// another (section 2.3). It names the Exec by its Correlator. Some clients forget that: then the Source does.

// late files the result that an item of a generic alert brings, where an Exec waits for it.
func (s *Session) late(now time.Time, c *syncml.Command, it *syncml.Item, out *Outcome) {
	t, i := s.waitingFor(c, it)
	if t == nil {
		return
	}
	s.ran(now, t, i, out)
	t.Accepted = slices.DeleteFunc(t.Accepted, func(k int) bool { return k == i })
	a := s.newAnswer(now, t, i, resultCode(it.Data), out)
	fill(a, c, it)
	a.Late = true
}

// ran settles an Exec that nobody knew of, or that was asked for: there is a result of it.
func (s *Session) ran(now time.Time, t *task, i int, out *Outcome) {
	if slices.Contains(t.Accepted, i) {
		return
	}
	t.known(i)
	s.pending = slices.DeleteFunc(s.pending, func(p storage.Pending) bool { return p.Probe && p.Task == t.id() && p.Command == i })
	t.Answered++
	s.newAnswer(now, t, i, 202, out)
}

// waitingFor is the Exec whose result an item brings; nil where none waits for it.
func (s *Session) waitingFor(c *syncml.Command, it *syncml.Item) (*task, int) {
	var buf [64]byte
	for k := range s.tasks {
		t := &s.tasks[k]
		for i := range t.Commands {
			switch {
			case t.Commands[i].Kind != "Exec" || !s.waits(t, i):
			case len(c.Correlator) > 0:
				if string(t.correlator(buf[:0], i)) == string(c.Correlator) {
					return t, i
				}
			case len(it.Source.URI) > 0 && t.Commands[i].URI == string(it.Source.URI):
				return t, i
			}
		}
	}
	return nil, 0
}

// waits says whether a result of Exec i of t is of use: it was answered by 202, or nobody knows whether it has run.
func (s *Session) waits(t *task, i int) bool {
	if slices.Contains(t.Accepted, i) || slices.Contains(t.Doubtful, i) {
		return true
	}
	return slices.ContainsFunc(s.pending, func(p storage.Pending) bool {
		return p.Probe && p.Task == t.id() && p.Command == i
	})
}

// resultCode is the number in the Data of a generic alert: a number, or XML with a ResultCode (trap 18). It is 0 where
// there is none.
func resultCode(data []byte) int {
	if _, rest, ok := bytes.Cut(data, []byte("<ResultCode>")); ok {
		data, _, _ = bytes.Cut(rest, []byte("</"))
	}
	return int(number(bytes.TrimSpace(data)))
}
