package sessions

import (
	"bytes"
	"slices"
	"time"

	"dmgate/codec/syncml"
)

// Results that come late: an Exec was answered with 202, and Alert 1226 brings what came of it, in this session or
// another (section 2.3). It names the Exec by its Correlator. Some clients forget that: then the Source does.

// late files the result that an item of a generic alert brings. It reports whether there is an Exec that waits for it.
func (s *Session) late(now time.Time, c *syncml.Command, it *syncml.Item, out *Outcome) bool {
	t, i := s.waitingFor(c, it)
	if t == nil {
		return false
	}
	t.Accepted = slices.DeleteFunc(t.Accepted, func(k int) bool { return k == i })
	a := s.newAnswer(now, t, i, resultCode(it.Data), out)
	fill(a, c, it)
	a.Late = true
	return true
}

// waitingFor is the Exec whose result an item brings; nil where none waits for it.
func (s *Session) waitingFor(c *syncml.Command, it *syncml.Item) (*task, int) {
	var buf [64]byte
	for k := range s.tasks {
		t := &s.tasks[k]
		for _, i := range t.Accepted {
			if len(c.Correlator) > 0 && string(t.correlator(buf[:0], i)) == string(c.Correlator) {
				return t, i
			}
		}
	}
	if len(c.Correlator) > 0 || len(it.Source.URI) == 0 {
		return nil, 0
	}
	for k := range s.tasks {
		t := &s.tasks[k]
		for _, i := range t.Accepted {
			if t.Commands[i].URI == string(it.Source.URI) {
				return t, i
			}
		}
	}
	return nil, 0
}

// resultCode is the number in the Data of a generic alert: a number, or XML with a ResultCode (trap 18). It is 0 where
// there is none.
func resultCode(data []byte) int {
	if _, rest, ok := bytes.Cut(data, []byte("<ResultCode>")); ok {
		data, _, _ = bytes.Cut(rest, []byte("</"))
	}
	return int(number(bytes.TrimSpace(data)))
}
