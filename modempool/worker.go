package modempool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"dmgate/storage"
)

// worker drives one modem through all its lives: opens it, brings it up, serves, and rests after a fault. Its
// goroutine owns the pushes that went through the modem until their last report.
type worker struct {
	pool *Pool
	name string
	port string
	log  *zap.Logger

	board    board
	ring     ring
	limit    *rate.Limiter // nil: none
	waiting  awaiting
	pinSpent bool
	failures int  // pushes failed in a row
	accepted bool // the network took something since the port was opened
}

func newWorker(p *Pool, name, port string) *worker {
	w := &worker{
		pool:    p,
		name:    name,
		port:    port,
		log:     p.log.With(zap.String("modem", name)),
		ring:    ring{now: time.Now},
		waiting: newAwaiting(),
	}
	if p.options.Rate > 0 {
		w.limit = rate.NewLimiter(rate.Limit(p.options.Rate/60), 1)
	}
	w.board.s = Status{Name: name, Port: port, State: Stopped, Since: time.Now(), Signal: 99}
	return w
}

// resume waits for the reports of a push of an earlier run.
func (w *worker) resume(job *storage.PushJob, until time.Time) {
	p := w.waiting.add(job, until)
	for i := range job.Segments {
		if !job.Segments[i].Reported {
			w.waiting.expect(p, i)
		}
	}
	w.board.note(func(s *Status) { s.Awaiting = len(w.waiting.pushes) })
}

// missingPort bounds the wait for a port that is not there: looking for it costs nothing.
const missingPort = 2 * time.Second

// run keeps the modem in service until ctx ends. work ends later, when what is under way must stop.
func (w *worker) run(ctx, work context.Context) {
	defer w.board.set(Stopped, "", time.Time{})
	wait := w.pool.options.ReopenMin
	for {
		began := time.Now()
		w.accepted = false
		err := w.life(ctx, work)
		if ctx.Err() != nil {
			return
		}
		if w.accepted || time.Since(began) > 2*w.pool.options.ReopenMax {
			wait = w.pool.options.ReopenMin
		}
		// A tenth more or less keeps modems that failed together from coming back together.
		d := time.Duration(float64(wait) * (0.9 + 0.2*rand.Float64()))
		if errors.Is(err, fs.ErrNotExist) {
			d = min(d, missingPort)
		}
		w.log.Warn("modem out of service", zap.Error(err), zap.Duration("retry_in", d))
		w.board.failed(err)
		w.board.set(OutOfService, err.Error(), time.Now().Add(d))
		w.board.note(func(s *Status) { s.Reopened++ })
		if w.rest(ctx, work, d) != nil {
			return
		}
		wait = min(2*wait, w.pool.options.ReopenMax)
	}
}

// rest waits, and looks around meanwhile.
func (w *worker) rest(ctx, work context.Context, d time.Duration) error {
	end := time.NewTimer(d)
	defer end.Stop()
	tick := time.NewTicker(w.tick())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return nil
		case now := <-tick.C:
			w.lookAround(work, now)
		}
	}
}

// lookAround sees to the pushes whose time has come.
func (w *worker) lookAround(work context.Context, now time.Time) {
	w.decideDoubts(work, now)
	w.waiting.expire(now)
}

// tick is the time between looks at the clocks of pushes.
func (w *worker) tick() time.Duration {
	return min(max(w.pool.options.DoubtWindow/8, 5*time.Millisecond), time.Second)
}

// life is one life of the modem, from the opening of its port to its closing. The error says why it ended.
func (w *worker) life(ctx, work context.Context) error {
	w.board.set(Opening, "", time.Time{})
	port, err := w.pool.options.Open(w.port)
	if err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	o := &w.pool.options
	at := newEngine(port, timing{command: o.CommandTimeout, prompt: o.PromptTimeout, send: o.SendTimeout}, &w.ring)
	defer func() { _ = at.close() }() // the port is done with either way
	m := newModem(at, o.RegisterPoll, &w.pinSpent)
	progress := func(s State) { w.board.set(s, "", time.Time{}) }
	if err := m.bringUp(ctx, o.pin(w.port), progress); err != nil {
		return fmt.Errorf("bring-up: %w", err)
	}
	w.log.Info("modem in service", zap.Bool("reports", m.cnmi != ""), zap.Int("signal", m.signal))
	err = w.serve(ctx, work, m)
	// What came before the end counts, though it can't be acknowledged any more: the network may repeat it.
	w.keepReports(work, m)
	return err
}

// serve sends until ctx ends, which is no error, or the modem is at fault.
func (w *worker) serve(ctx, work context.Context, m *modem) error {
	w.failures = 0
	health := time.NewTicker(w.pool.options.HealthPoll)
	defer health.Stop()
	tick := time.NewTicker(w.tick())
	defer tick.Stop()
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		if err := w.takeReports(work, m); err != nil {
			return err
		}
		if m.restart {
			return errReset
		}
		if ctx.Err() != nil {
			return nil
		}
		jobs := w.pool.jobs
		state := Ready
		if d := w.debt(time.Now()); d > 0 {
			// A push taken now could not leave, and another modem may have room for it.
			jobs, state = nil, Resting
			due.Reset(d)
		}
		w.board.set(state, "", time.Time{})
		w.board.note(func(s *Status) { s.Signal, s.Awaiting = m.signal, len(w.waiting.pushes) })
		select {
		case <-ctx.Done():
		case chunk, open := <-m.at.chunks:
			if err := m.at.heard(chunk, open); err != nil {
				return err
			}
		case job := <-jobs:
			hold, err := w.send(work, m, job)
			w.pool.giveBack(ctx, job, hold)
			if err != nil {
				return err
			}
		case <-due.C:
		case now := <-tick.C:
			w.lookAround(work, now)
		case <-health.C:
			if err := m.checkSignal(ctx); err != nil {
				return err
			}
		}
	}
}

// debt is the time until the modem may take a push: segments are paid for after they were sent.
func (w *worker) debt(now time.Time) time.Duration {
	if w.limit == nil {
		return 0
	}
	missing := 1 - w.limit.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing/float64(w.limit.Limit())*float64(time.Second)) + time.Millisecond
}

// save writes a push whose SMS are out: it is tried until it works, since nothing else is safe. Only the end of work
// ends it; the record then says what it said before, and the next start finds the push in doubt.
func (w *worker) save(work context.Context, job *storage.PushJob) {
	job.Changed = time.Now()
	wait := 50 * time.Millisecond
	for {
		err := w.pool.queue.Save(job)
		if err == nil {
			return
		}
		w.log.Error("saving push", zap.Uint64("push", job.ID), zap.String("state", string(job.State)), zap.Error(err))
		if pause(work, wait) != nil {
			return
		}
		wait = min(2*wait, 10*time.Second)
	}
}
