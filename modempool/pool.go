package modempool

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"dmgate/storage"
)

// Queue is where pushes come from and where their fate is written. The gateway's fleet implements it. It is called
// from several goroutines, never for one push at the same time, and keeps no job it was given.
type Queue interface {
	// Due returns queued pushes whose NotBefore has come, by priority, then age.
	Due(now time.Time, limit int) ([]storage.PushJob, error)

	// UnderWay returns pushes in state sending or sent with an ID above after, ascending. It is asked at start only.
	UnderWay(after uint64, limit int) ([]storage.PushJob, error)

	// PDU renders the WSP push to be sent, for port 2948. Its error fails the push.
	PDU(job *storage.PushJob) ([]byte, error)

	// Save writes State, NotBefore, Attempts, Modem, Segments, Total, Changed and Error, durable when it returns. An
	// error for a push that is to be sent keeps it from being sent; others are tried again, as the SMS are out. It is
	// ErrWithdrawn where the push is not wanted any more, and not due again.
	Save(job *storage.PushJob) error
}

// ErrWithdrawn is the error of saving a push that was withdrawn after it was found due.
var ErrWithdrawn = errors.New("modempool: the push was withdrawn")

// Pool sends the pushes of a queue through its modems.
type Pool struct {
	options Options
	queue   Queue
	log     *zap.Logger
	workers []*worker

	jobs chan *storage.PushJob // to whichever worker is ready
	back chan returned         // from workers, when they are done with one
	wake chan struct{}

	references references
	trails     trails
}

// New makes a pool that does nothing until Run.
func New(o Options, q Queue) (*Pool, error) {
	if q == nil {
		return nil, errors.New("modempool: no queue")
	}
	o.Ports = append([]string(nil), o.Ports...)
	if err := o.complete(); err != nil {
		return nil, err
	}
	p := &Pool{
		options: o,
		queue:   q,
		log:     o.Log,
		jobs:    make(chan *storage.PushJob),
		back:    make(chan returned),
		wake:    make(chan struct{}, 1),
	}
	for i, name := range names(o.Ports) {
		p.workers = append(p.workers, newWorker(p, name, o.Ports[i]))
	}
	return p, nil
}

// names gives each port a name: its last element, or all of it where two end alike.
func names(ports []string) []string {
	count := make(map[string]int)
	for _, port := range ports {
		count[filepath.Base(port)]++
	}
	out := make([]string, len(ports))
	for i, port := range ports {
		if out[i] = filepath.Base(port); count[out[i]] > 1 {
			out[i] = port
		}
	}
	return out
}

// Run sends until ctx ends. A push under way then is finished, within Options.Drain, and what became of it recorded.
// It must be called once. The error is that of a queue that can't be read at start; later ones are logged and retried.
func (p *Pool) Run(ctx context.Context) error {
	if err := p.restore(time.Now()); err != nil {
		return err
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		_ = pause(work, p.options.Drain) // either way it is over
		stop()
	}()

	var wg sync.WaitGroup
	wg.Go(func() { p.dispatch(ctx) })
	for _, w := range p.workers {
		wg.Go(func() { w.run(ctx, work) })
	}
	wg.Wait() // until ctx has ended, as dispatch does not before
	stop()
	<-ended
	return nil
}

// Wake says that work was added, or that its order has changed.
func (p *Pool) Wake() {
	select {
	case p.wake <- struct{}{}:
	default: // already told
	}
}

// Modems returns the modems as they stand, in the order of Options.Ports.
func (p *Pool) Modems() []Status {
	out := make([]Status, len(p.workers))
	for i, w := range p.workers {
		out[i] = w.board.status()
		out[i].Ring = w.ring.exchanges()
	}
	return out
}

// restorePage is the number of pushes read at a time at start.
const restorePage = 512

// restore takes up what the last run left: nobody knows how far the pushes found sending have come, so they are in
// doubt, and a delivery report is the only thing that can clear them. Those found sent are waited for again.
func (p *Pool) restore(now time.Time) error {
	byName := make(map[string]*worker, len(p.workers))
	for _, w := range p.workers {
		byName[w.name] = w
	}
	var after uint64
	for {
		jobs, err := p.queue.UnderWay(after, restorePage)
		if err != nil {
			return fmt.Errorf("modempool: reading pushes under way: %w", err)
		}
		for i := range jobs {
			job := &jobs[i]
			after = max(after, job.ID)
			sent := job.Changed
			if job.State == storage.PushSending {
				job.State, job.Changed = storage.PushDoubtful, now
				job.Error = "the gateway stopped while it was being sent: perhaps sent"
				if err := p.queue.Save(job); err != nil {
					return fmt.Errorf("modempool: push %d: %w", job.ID, err)
				}
			}
			if w := byName[job.Modem]; w != nil && now.Before(sent.Add(p.options.ReportWindow)) {
				w.resume(job, sent.Add(p.options.ReportWindow))
			}
		}
		if len(jobs) < restorePage {
			return nil
		}
	}
}
