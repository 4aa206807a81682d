package modempool

import (
	"context"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"dmgate/codec/push"
	"dmgate/storage"
)

// takeReports records what the modem has received and acknowledges it, in this order: the network forgets a report
// that was acknowledged. It must not be called inside a send.
func (w *worker) takeReports(work context.Context, m *modem) error {
	for {
		// What came with the last answer has not been looked at, and nothing else would wake us for it.
		if err := m.at.settle(); err != nil {
			return err
		}
		if len(m.inbox) == 0 {
			return nil
		}
		w.take(work, m)
		if err := m.acknowledge(work); err != nil {
			return err
		}
	}
}

// keepReports records what the modem has received without acknowledging it.
func (w *worker) keepReports(work context.Context, m *modem) {
	for len(m.inbox) > 0 {
		w.take(work, m)
	}
}

// take records the oldest of what the modem has received.
func (w *worker) take(work context.Context, m *modem) {
	in := m.inbox[0]
	m.inbox = m.inbox[1:]
	if strings.HasPrefix(in.header, "+CDS:") {
		w.takeReport(work, in)
	} else {
		w.board.note(func(s *Status) { s.Inbound++ })
	}
}

// takeReport records one delivery report. One that can't be read or belongs to nothing is acknowledged all the same,
// or it would come for ever.
func (w *worker) takeReport(work context.Context, in inbound) {
	r, err := in.statusReport()
	if err != nil {
		w.log.Warn("delivery report", zap.Error(err))
		w.board.note(func(s *Status) { s.Unknown++ })
		return
	}
	a, ok := w.waiting.match(&r)
	if !ok {
		w.board.note(func(s *Status) { s.Unknown++ })
		return
	}
	w.board.note(func(s *Status) { s.Reports++ })
	if final, _ := push.StatusFinal(r.Status); !final {
		return // the network is still trying
	}
	w.waiting.reported(a)
	s := &a.p.job.Segments[a.segment]
	s.Sent, s.Reference = true, r.Reference
	s.Reported, s.Status = true, r.Status
	w.settle(a.p)
	w.save(work, a.p.job)
}

// settle brings the state of a push in line with its segments' reports. While it is being sent that has to wait.
func (w *worker) settle(p *sentPush) {
	job := p.job
	if job.State != storage.PushSent && job.State != storage.PushDoubtful {
		return
	}
	sent, delivered := 0, 0
	for i, s := range job.Segments {
		if s.Sent {
			sent++
		}
		if !s.Reported {
			continue
		}
		if _, ok := push.StatusFinal(s.Status); !ok {
			job.State = storage.PushFailed
			job.Error = fmt.Sprintf("segment %d of %d: %s", i+1, len(job.Segments), push.StatusText(s.Status))
			w.finish(p)
			return
		}
		delivered++
	}
	switch {
	case delivered == len(job.Segments):
		job.State, job.Error = storage.PushDelivered, ""
		w.finish(p)
	case sent == len(job.Segments) && job.State == storage.PushDoubtful:
		job.State, job.Error = storage.PushSent, ""
		p.doubt = p.until
		w.pool.trails.drop(job)
	}
}

// finish ends the wait for a push whose fate is known.
func (w *worker) finish(p *sentPush) {
	w.waiting.remove(p)
	w.pool.trails.drop(p.job)
}
