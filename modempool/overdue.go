package modempool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"dmgate/storage"
)

// overduePage is how many pushes are looked at at a time, beyond those that modems have: these come first.
const overduePage = 256

// errMovedOn abandons an edit: the push has moved on since it was found.
var errMovedOn = errors.New("modempool: the push has moved on")

// restore takes up what the last run left: nobody knows how far the pushes found sending have come, so they are in
// doubt, and a delivery report is the only thing that can clear them.
func (p *Pool) restore(now time.Time) error {
	for {
		jobs, err := p.queue.Overdue(now, overduePage)
		if err != nil {
			return fmt.Errorf("modempool: reading pushes under way: %w", err)
		}
		left := 0
		for i := range jobs {
			if jobs[i].State != storage.PushSending {
				continue
			}
			left++
			err := p.queue.Edit(jobs[i].Device, jobs[i].ID, func(job *storage.PushJob) error {
				job.State, job.Changed, job.Until = storage.PushDoubtful, now, now.Add(p.options.DoubtWindow)
				job.Error = "the gateway stopped while it was being sent"
				settle(job, now.Add(p.options.ReportWindow))
				return nil
			})
			if err != nil {
				return fmt.Errorf("modempool: push %d: %w", jobs[i].ID, err)
			}
		}
		if left == 0 {
			return nil
		}
	}
}

// watch decides the pushes whose time is up, until ctx ends.
func (p *Pool) watch(ctx context.Context) {
	tick := time.NewTicker(min(max(p.options.DoubtWindow/8, 5*time.Millisecond), time.Second))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if err := p.endWaits(now); err != nil && !errors.Is(err, storage.ErrFailed) { // the store has said so, once
				p.log.Error("pushes under way not looked at", zap.Error(err))
			}
		}
	}
}

// endWaits decides the pushes whose time is up. One that can not be written does not hold up the others.
func (p *Pool) endWaits(now time.Time) error {
	for {
		limit := overduePage + p.size()
		jobs, err := p.queue.Overdue(now, limit)
		if err != nil {
			return err
		}
		decided, failed := 0, 0
		for i := range jobs {
			if jobs[i].State == storage.PushSending { // a modem has it
				continue
			}
			requeued := false
			err := p.queue.Edit(jobs[i].Device, jobs[i].ID, func(job *storage.PushJob) error {
				if !job.Awaits() || job.Until.After(now) {
					return errMovedOn
				}
				p.decide(job, now)
				requeued = job.State == storage.PushQueued
				return nil
			})
			switch {
			case requeued && err == nil:
				p.Wake()
				decided++
			case err != nil && !errors.Is(err, errMovedOn):
				p.log.Error("push not decided", zap.Uint64("push", jobs[i].ID), zap.Error(err))
				failed++
			default:
				decided++
			}
		}
		if len(jobs) < limit || decided == 0 || failed > 0 {
			return nil
		}
	}
}

// decide ends the wait for delivery reports. A push in doubt is sent once more, as often as Options.Resends allows: its
// record and the feed say so. It is never sent again silently.
func (p *Pool) decide(job *storage.PushJob, now time.Time) {
	job.Until, job.Changed = time.Time{}, now
	switch {
	case job.State != storage.PushDoubtful: // it stays sent
	case job.Repeats >= p.options.Resends:
		job.Error += "; no delivery report came, and it was sent again before"
	case job.Attempts >= p.options.Attempts:
		job.Error += "; no delivery report came, and its attempts are used up"
	default:
		job.State, job.NotBefore = storage.PushQueued, now
		job.Repeats++
		job.Error = "perhaps sent: " + job.Error + "; no delivery report came: sent once more"
	}
}
