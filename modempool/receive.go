package modempool

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"dmgate/codec/push"
	"dmgate/storage"
)

// takeReports records what the modem has received and acknowledges it, in this order: the network forgets what was
// acknowledged. It must not be called inside a send.
func (w *worker) takeReports(work context.Context, m *modem) error {
	for {
		// What came with the last answer has not been looked at, and nothing else would wake us for it.
		if err := m.at.settle(); err != nil {
			return err
		}
		if len(m.inbox) == 0 {
			return nil
		}
		if err := w.take(work, m); err != nil {
			return err
		}
		if err := m.acknowledge(work); err != nil {
			return err
		}
	}
}

// emptyStore records what lies in the modem's memories, some of it at a time.
func (w *worker) emptyStore(work context.Context, m *modem) error {
	if !m.stored.waits() {
		return nil
	}
	more, err := m.sweep(work, func(in inbound) error { return w.takeIn(work, in) })
	if more {
		w.poke() // a push that waits goes first
	}
	return err
}

// keepReports records what the modem has received without acknowledging it.
func (w *worker) keepReports(work context.Context, m *modem) {
	for len(m.inbox) > 0 && w.take(work, m) == nil {
		continue
	}
}

// take records the oldest of what the modem has received. Its error is the end of work.
func (w *worker) take(work context.Context, m *modem) error {
	in := m.inbox[0]
	m.inbox = m.inbox[1:]
	return w.takeIn(work, in)
}

// takeIn records a delivery report or an incoming SMS. Its error is the end of work.
func (w *worker) takeIn(work context.Context, in inbound) error {
	if in.isReport() {
		return w.takeReport(work, in)
	}
	w.board.note(func(s *Status) { s.Inbound++ })
	sms := in.received(w.through.modem)
	return w.until(work, "incoming SMS", func() error { return w.pool.queue.Received(sms) })
}

// takeReport records one delivery report. One that can't be read or belongs to nothing is acknowledged all the same,
// or it would come for ever.
func (w *worker) takeReport(work context.Context, in inbound) error {
	r, err := in.statusReport()
	if err != nil {
		w.log.Warn("delivery report", zap.Error(err))
		w.board.note(func(s *Status) { s.Unknown++ })
		return nil
	}
	ours := false
	repeated := w.known.recent.repeated(r.Reference, storage.Tail(r.Recipient))
	if final, _ := push.StatusFinal(r.Status); final {
		err = w.until(work, "delivery report", func() (err error) {
			ours, err = w.reportOn(&r, repeated)
			return err
		})
	} else {
		ours = true // the network is still trying
	}
	w.board.note(func(s *Status) {
		if ours {
			s.Reports++
		} else {
			s.Unknown++
		}
	})
	return err
}

// reportOn notes a report where it belongs: at the push that is being sent, or at one in the store. A repeated one says
// nothing about a segment whose reference is not known.
func (w *worker) reportOn(r *push.StatusReport, repeated bool) (ours bool, err error) {
	if job := w.sending; job != nil && storage.SameNumber(job.MSISDN, r.Recipient) {
		if i := segmentOf(job, r.Reference); i >= 0 && known(job, i) {
			report(job, i, r)
			if err := w.pool.queue.Save(job); err != nil {
				job.Segments[i].Reported = false // it is tried again
				return false, err
			}
			return true, nil
		}
	}
	jobs, err := w.pool.queue.Awaiting(w.through.modem, r.Recipient, r.Reference)
	if err != nil {
		return false, err
	}
	for i := range jobs {
		err := w.pool.queue.Edit(jobs[i].Device, jobs[i].ID, func(job *storage.PushJob) error {
			segment := segmentOf(job, r.Reference)
			if !job.Awaits() || segment < 0 || repeated && !known(job, segment) {
				return errMovedOn
			}
			report(job, segment, r)
			settle(job, time.Now().Add(w.pool.options.ReportWindow))
			return nil
		})
		if !errors.Is(err, errMovedOn) {
			return err == nil, err
		}
	}
	return false, nil
}

// recentReports is well under 256, after which a reference is a new one.
const recentReports = 64

type reportKey struct {
	mr   uint8
	tail string
}

// recent is the reports of one modem that came last: networks repeat what was not acknowledged.
type recent struct {
	last [recentReports]reportKey
	n    int
}

// repeated says whether a report came before, and remembers it.
func (r *recent) repeated(mr uint8, tail string) bool {
	key := reportKey{mr, tail}
	for _, k := range r.last {
		if k == key {
			return true
		}
	}
	r.last[r.n%recentReports] = key
	r.n++
	return false
}
