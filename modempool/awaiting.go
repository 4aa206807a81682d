package modempool

import (
	"slices"
	"strings"
	"time"

	"dmgate/codec/push"
	"dmgate/storage"
)

// awaiting holds the pushes that went through one modem and whose delivery reports are still to come. It belongs to
// the modem's worker.
//
// A report names its SMS by message reference and recipient. References wrap at 256, so a key may stand for two
// segments of one number; the newer one wins, since the older had its time.
type awaiting struct {
	known   map[reportKey]awaited
	unknown map[string][]awaited // by tail: segments in doubt, whose reference the modem did not tell
	pushes  map[uint64]*sentPush
	order   []*sentPush // as added, with those removed since; for expire

	recent [recentReports]reportKey // reports that came last: a repeated one must not clear a doubt
	latest int
}

// recentReports is well under 256, after which a reference is a new one.
const recentReports = 64

type reportKey struct {
	mr   uint8
	tail string
}

// awaited is one segment.
type awaited struct {
	p       *sentPush
	segment int
}

// sentPush is a push of which at least one segment is with the network, or may be.
type sentPush struct {
	job   *storage.PushJob
	until time.Time // reports are waited for until then
	doubt time.Time // when it is in doubt: decided then
	gone  bool
}

func newAwaiting() awaiting {
	return awaiting{
		known:   make(map[reportKey]awaited),
		unknown: make(map[string][]awaited),
		pushes:  make(map[uint64]*sentPush),
	}
}

// tail is the part of a number that is the same however it is written: national, international, with or without "+".
func tail(number string) string {
	n := strings.TrimLeft(number, "+0")
	return n[max(0, len(n)-7):]
}

// sameNumber says whether two numbers are the same as far as their shorter form tells.
func sameNumber(a, b string) bool {
	a, b = strings.TrimLeft(a, "+0"), strings.TrimLeft(b, "+0")
	if len(a) < len(b) {
		a, b = b, a
	}
	return a == b || len(b) >= 7 && strings.HasSuffix(a, b)
}

// add begins to wait for a push.
func (a *awaiting) add(job *storage.PushJob, until time.Time) *sentPush {
	if old := a.pushes[job.ID]; old != nil {
		a.remove(old)
	}
	p := &sentPush{job: job, until: until}
	a.pushes[job.ID] = p
	a.order = append(a.order, p)
	return p
}

// expect waits for the report of a segment. Without a reference any report for its number will do.
func (a *awaiting) expect(p *sentPush, segment int) {
	t := tail(p.job.MSISDN)
	if s := p.job.Segments[segment]; s.Sent {
		a.known[reportKey{s.Reference, t}] = awaited{p, segment}
		return
	}
	a.unknown[t] = append(a.unknown[t], awaited{p, segment})
}

// match finds the segment that r reports on.
//
// A segment in doubt takes any report for its number, but for one that is known to belong elsewhere: networks repeat
// what was not acknowledged, and a repeated report of another segment says nothing about this one.
func (a *awaiting) match(r *push.StatusReport) (awaited, bool) {
	key := reportKey{r.Reference, tail(r.Recipient)}
	repeated := slices.Contains(a.recent[:], key)
	if !repeated {
		a.recent[a.latest] = key
		a.latest = (a.latest + 1) % recentReports
	}
	if w, ok := a.known[key]; ok && sameNumber(w.p.job.MSISDN, r.Recipient) {
		return w, true
	}
	if repeated {
		return awaited{}, false
	}
	for _, w := range a.unknown[key.tail] {
		of := func(s storage.Segment) bool { return s.Sent && s.Reference == r.Reference }
		if sameNumber(w.p.job.MSISDN, r.Recipient) && !slices.ContainsFunc(w.p.job.Segments, of) {
			return w, true
		}
	}
	return awaited{}, false
}

// reported ends the wait for one segment. It must be called before the segment's record changes.
func (a *awaiting) reported(w awaited) {
	t := tail(w.p.job.MSISDN)
	if s := w.p.job.Segments[w.segment]; s.Sent {
		key := reportKey{s.Reference, t}
		if a.known[key] == w {
			delete(a.known, key)
		}
		return
	}
	list := a.unknown[t]
	for i := range list {
		if list[i] == w {
			list = append(list[:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(a.unknown, t)
	} else {
		a.unknown[t] = list
	}
}

// remove ends the wait for a push.
func (a *awaiting) remove(p *sentPush) {
	if p.gone {
		return
	}
	for i := range p.job.Segments {
		a.reported(awaited{p, i})
	}
	delete(a.pushes, p.job.ID)
	p.gone = true
	if len(a.order) > 64 && len(a.order) > 4*len(a.pushes) {
		kept := a.order[:0]
		for _, p := range a.order {
			if !p.gone {
				kept = append(kept, p)
			}
		}
		clear(a.order[len(kept):])
		a.order = kept
	}
}

// expire ends the wait for pushes whose window is over. They are in the order of their windows but for those of a
// start, which may stay a little longer.
func (a *awaiting) expire(now time.Time) {
	for len(a.order) > 0 && (a.order[0].gone || now.After(a.order[0].until)) {
		p := a.order[0]
		a.order[0] = nil
		a.order = a.order[1:]
		a.remove(p)
	}
}

// doubtsDue returns the pushes whose doubt is to be decided.
func (a *awaiting) doubtsDue(now time.Time) []*sentPush {
	var due []*sentPush
	for _, list := range a.unknown {
		for _, w := range list {
			if !w.p.doubt.IsZero() && !now.Before(w.p.doubt) && (len(due) == 0 || due[len(due)-1] != w.p) {
				due = append(due, w.p)
			}
		}
	}
	return due
}
