package modempool

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"dmgate/storage"
)

// returned is a push that a worker has done with, for now or for good. Its record is saved.
type returned struct {
	id   uint64
	hold time.Duration // it is not handed out again for so long; for records that could not be saved
}

// dispatch hands due pushes to whichever worker asks first. It is the only one to read Due, and knows what is out:
// between Due and Save a push is still queued in the store, and must not go to two modems.
func (p *Pool) dispatch(ctx context.Context) {
	var (
		ready []storage.PushJob            // due, in order
		out   = make(map[uint64]time.Time) // handed out; with a time: held back until then
		batch = max(16, 2*len(p.workers))
		empty bool // the last look found nothing that is not out
	)
	tick := time.NewTicker(p.options.Poll)
	defer tick.Stop()
	look := func() {
		now := time.Now()
		for id, until := range out {
			if !until.IsZero() && now.After(until) {
				delete(out, id)
			}
		}
		due, err := p.queue.Due(now, batch+len(out))
		if err != nil {
			if !errors.Is(err, storage.ErrFailed) { // the store has said so, once
				p.log.Error("queue", zap.Error(err))
			}
			empty = true
			return
		}
		ready = ready[:0]
		for _, job := range due {
			if _, ok := out[job.ID]; !ok {
				ready = append(ready, job)
			}
		}
		empty = len(ready) == 0
	}
	look()
	for {
		if len(ready) == 0 && !empty {
			look()
		}
		var jobs chan<- *storage.PushJob
		var next *storage.PushJob
		if len(ready) > 0 {
			job := ready[0]
			jobs, next = p.jobs, &job
		}
		select {
		case <-ctx.Done():
			return
		case jobs <- next:
			out[next.ID] = time.Time{}
			ready = ready[1:]
		case r := <-p.back:
			delete(out, r.id)
			if r.hold > 0 {
				out[r.id] = time.Now().Add(r.hold)
			}
			empty = false // it may be due again at once, for another modem
		case <-p.wake:
			look() // what was added may go before what was found
		case <-tick.C:
			look() // what was found may have been withdrawn meanwhile
		}
	}
}

// giveBack tells the dispatcher that a worker has done with a push.
func (p *Pool) giveBack(ctx context.Context, job *storage.PushJob, hold time.Duration) {
	select {
	case p.back <- returned{job.ID, hold}:
	case <-ctx.Done(): // nothing is handed out any more
	}
}
