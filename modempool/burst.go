package modempool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"dmgate/codec/push"
	"dmgate/storage"
)

// A burst is all segments of one push, one after the other through one modem.
//
// What its record says afterwards:
//
//   - every segment taken: sent.
//   - a segment refused: queued, later, with all its segments, under a reference that keeps the new ones apart from
//     those that went out; failed where the error or the attempts say so. The segments after it are not sent.
//   - no answer for the last segment: doubtful. All others went out, so this one decides whether the phone has the
//     push. Its report clears the doubt; without one it is sent once more when DoubtWindow is over
//     (Options.Resends), and stays doubtful after that.
//   - no answer for any other segment: queued. Whether that one went out does not matter, the push can't be complete.
//   - the modem at fault: queued at once, for another modem; the attempt does not count the first times.

// unsavedHold is the pause of a push that could not be saved.
const unsavedHold = time.Second

// render makes the TPDUs of a push, or of a text.
func (p *Pool) render(job *storage.PushJob) ([][]byte, error) {
	submits, err := p.submits(job)
	if err != nil {
		return nil, err
	}
	tpdus := make([][]byte, len(submits))
	for i := range submits {
		s := &submits[i]
		s.Destination, s.Report, s.Validity, s.HasValidity = job.MSISDN, true, validity, true
		if err := s.Validate(); err != nil {
			return nil, err
		}
		tpdus[i] = s.Append(nil)
	}
	return tpdus, nil
}

// submits are the SMS of a push or of a text, each with what it says.
func (p *Pool) submits(job *storage.PushJob) ([]push.Submit, error) {
	if job.Text != "" {
		segments, dcs, err := push.SplitText(job.Text, p.references.next(job.MSISDN))
		if err != nil {
			return nil, err
		}
		out := make([]push.Submit, len(segments))
		for i, s := range segments {
			out[i] = push.Submit{DCS: dcs, UD: s.UD, Septets: s.Septets, HasUDH: s.HasUDH}
		}
		return out, nil
	}
	pdu, err := p.queue.PDU(job)
	if err != nil {
		return nil, err
	}
	uds, err := push.Split(pdu, push.Ports{Dst: push.PortPush, Src: push.PortWSP}, p.references.next(job.MSISDN))
	if err != nil {
		return nil, err
	}
	out := make([]push.Submit, len(uds))
	for i, ud := range uds {
		out[i] = push.Submit{DCS: push.DCSClass1, UD: ud, HasUDH: true}
	}
	return out, nil
}

// validity is how long the network tries: 2 days. Options.ReportWindow must be longer to hear of its end.
const validity = 0xA8

// send sends a push and records what became of it. hold keeps it from being handed out at once again; the error says
// why the modem must leave service.
func (w *worker) send(work context.Context, m *modem, p parcel) (hold time.Duration, err error) {
	job := p.job
	unsent := len(p.tpdus)
	defer func() {
		w.pool.meter.untake(w.through, job.MSISDN, unsent, unsent == len(p.tpdus), time.Now())
	}()
	if err := m.prepare(work); err != nil {
		return 0, err // the push is as it was
	}
	was := *job
	job.State, job.Modem, job.Error, job.Until = storage.PushSending, w.through.modem, "", time.Time{}
	job.Attempts++
	job.Segments = make([]storage.Segment, len(p.tpdus))
	job.Changed = time.Now()
	if err := w.pool.queue.Save(job); errors.Is(err, ErrWithdrawn) {
		w.log.Info("push withdrawn", zap.Uint64("push", job.ID))
		return 0, nil
	} else if err != nil {
		// Not a byte of it has left: the record decides, and it says queued, or that it was withdrawn. Where the store
		// has failed it may say sending as well, and nobody would come back to it.
		w.log.Error("saving push", zap.Uint64("push", job.ID), zap.Error(err))
		if errors.Is(err, storage.ErrFailed) {
			*job = was
			job.Error = "the store could not be written"
			w.save(work, job)
		}
		return unsavedHold, nil
	}
	w.board.set(Sending, "", time.Time{})
	w.sending = job
	defer func() { w.sending = nil }()
	for i, tpdu := range p.tpdus {
		mr, err := m.send(work, tpdu)
		w.spent(err)
		unsent = len(p.tpdus) - i - 1
		if err != nil {
			return 0, w.stopped(work, m, job, i, err)
		}
		job.Segments[i].Sent, job.Segments[i].Reference = true, mr
		job.Total++
		// The network waits for each acknowledgement, and between two segments nothing is in the modem's way.
		if err := w.takeReports(work, m); err != nil && i+1 < len(p.tpdus) {
			return 0, w.stopped(work, m, job, i+1, err)
		}
	}
	w.failures, w.trial = 0, false
	w.board.note(func(s *Status) { s.Pushes++ })
	job.State, job.Until = storage.PushSent, time.Now().Add(w.pool.options.ReportWindow)
	settle(job, job.Until)
	w.save(work, job)
	return 0, m.at.dead
}

// spent counts a segment for the status.
func (w *worker) spent(err error) {
	var doubt *DoubtfulError
	switch {
	case err == nil:
		w.accepted = true
		w.board.accepted()
		return
	case errors.As(err, &doubt):
		w.board.note(func(s *Status) { s.Doubtful++ })
	default:
		w.board.note(func(s *Status) { s.Failed++ })
	}
	w.board.failed(err)
}

// stopped records a push that ended at segment i with err.
func (w *worker) stopped(work context.Context, m *modem, job *storage.PushJob, i int, err error) error {
	class := Classify(err)
	where := fmt.Sprintf("segment %d of %d: %v", i+1, len(job.Segments), err)
	w.log.Info("push stopped", zap.Uint64("push", job.ID), zap.Int("segment", i+1), zap.Stringer("class", class),
		zap.Error(err))
	w.failures++
	var doubt *DoubtfulError
	switch {
	case errors.As(err, &doubt) && i+1 == len(job.Segments):
		job.Total++
		job.State, job.Error, job.Until = storage.PushDoubtful, where, time.Now().Add(w.pool.options.DoubtWindow)
		settle(job, job.Until) // the others may be reported undelivered by now
		w.save(work, job)
	case work.Err() != nil && class != Never:
		job.Attempts--
		w.requeue(work, job, time.Time{}, "the gateway stopped before it was sent whole")
	case class == Never:
		w.fail(work, job, where)
	case class == ModemFault && job.Faults < freeFaults:
		job.Attempts--
		job.Faults++
		w.requeue(work, job, time.Time{}, where)
	case job.Attempts >= w.pool.options.Attempts:
		w.fail(work, job, fmt.Sprintf("attempt %d, the last: %s", job.Attempts, where))
	default:
		w.requeue(work, job, time.Now().Add(w.pool.options.backoff(class, job.Attempts)), where)
	}
	switch {
	case m.at.dead != nil:
		return m.at.dead
	case class == ModemFault:
		return err
	case w.trial:
		return fmt.Errorf("the trial after a fault failed: %w", err)
	case w.failures >= w.pool.options.FaultAfter:
		// One after the other fails: better that this modem rests than that it goes on to spoil the queue.
		return fmt.Errorf("%d pushes in a row failed, the last: %w", w.failures, err)
	}
	return nil
}

// requeue puts a push back. Its segments that went out are no longer of interest.
func (w *worker) requeue(work context.Context, job *storage.PushJob, notBefore time.Time, why string) {
	job.State, job.NotBefore, job.Error = storage.PushQueued, notBefore, why
	w.save(work, job)
}

// fail gives a push up.
func (w *worker) fail(work context.Context, job *storage.PushJob, why string) {
	w.log.Warn("push failed", zap.Uint64("push", job.ID), zap.Int("attempts", job.Attempts))
	job.State, job.Error = storage.PushFailed, why
	w.save(work, job)
}
