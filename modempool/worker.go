package modempool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"dmgate/storage"
)

// worker drives the modem behind one port through all its lives: opens it, brings it up, serves, and rests after a
// fault.
type worker struct {
	pool    *Pool
	name    string
	port    Port
	found   bool // by a pattern
	log     *zap.Logger
	removed context.Context
	remove  func()

	board     board
	ring      ring
	drained   atomic.Bool
	wantReset atomic.Bool
	poked     chan struct{} // drained or wantReset has changed

	parcels chan parcel   // from the dispatcher, after asking; room for one
	left    chan struct{} // the dispatcher has heard that nothing is asked for any more

	// What follows belongs to run, but for through, which the dispatcher reads while the worker asks.
	through  through
	known    *acquaintance
	sending  *storage.PushJob // the push whose segments are being sent
	failures int              // pushes failed in a row
	hangs    int              // lives in a row that ended with a modem that does not answer
	accepted bool             // the network took something since the port was opened
	trial    bool             // after a fault: the first push decides
	noted    bool             // the feed knows that it is out of service
}

func newWorker(p *Pool, name string, port Port, found bool) *worker {
	w := &worker{
		pool: p, name: name, port: port, found: found, log: p.log.With(zap.String("modem", name)),
		ring: ring{now: time.Now}, poked: make(chan struct{}, 1), parcels: make(chan parcel, 1), left: make(chan struct{}),
	}
	w.removed, w.remove = context.WithCancel(context.Background())
	w.board.s = Status{
		ID: name, Name: name, Port: port.Path, Tags: port.Tags, Limits: port.Limits, State: Stopped, Since: time.Now(),
		Signal: 99,
	}
	return w
}

// poke has the worker look at what is wanted of it.
func (w *worker) poke() { nudge(w.poked) }

// drain says whether the modem is to take no more pushes.
func (w *worker) drain(drained bool) {
	if w.drained.Swap(drained) != drained {
		w.board.note(func(s *Status) { s.Draining = drained })
		w.poke()
	}
}

const (
	missingPort = plugEvery       // bounds the wait for a port that is not there: looking for it costs nothing
	silentPort  = 5 * time.Minute // and is the least for one that has never answered: it may be no AT port at all
	parkedPort  = 2 * time.Second // between looks at a modem that is behind another port as well
	hangsReset  = 2               // lives that end with a hang until the next begins with a reset
)

// errResetAsked ends a life because an operator wants it.
var errResetAsked = errors.New("reset by hand")

// parkedError is a modem that another port leads to as well.
type parkedError struct{ id, other string }

func (e *parkedError) Error() string { return "same modem as " + e.other }

// run keeps the modem in service until ctx ends. work ends later, when what is under way must stop.
func (w *worker) run(ctx, work context.Context) {
	defer w.board.set(Stopped, "", time.Time{})
	wait := w.pool.options.ReopenMin
	answered := false // since the port was there
	for {
		began := time.Now()
		w.accepted = false
		up, err := w.life(ctx, work)
		if ctx.Err() != nil {
			return
		}
		answered = (answered || up) && !errors.Is(err, fs.ErrNotExist)
		if answered && hung(err) {
			w.hangs++
		} else {
			w.hangs = 0
		}
		if w.accepted || time.Since(began) > 2*w.pool.options.ReopenMax {
			wait = w.pool.options.ReopenMin
		}
		// A tenth more or less keeps modems that failed together from coming back together.
		d := time.Duration(float64(wait) * (0.9 + 0.2*rand.Float64()))
		var parked *parkedError
		switch {
		case errors.Is(err, fs.ErrNotExist):
			d, wait = min(d, missingPort), w.pool.options.ReopenMin // it is another one that comes back
		case errors.As(err, &parked):
			d = parkedPort
		case errors.Is(err, errResetAsked):
			d, wait = w.pool.options.ReopenMin, w.pool.options.ReopenMin
		case !answered && errors.Is(err, ErrSilent) && wait >= w.pool.options.ReopenMax:
			d = max(d, silentPort)
		}
		w.out(err, d)
		if w.rest(ctx, d, parked) != nil {
			return
		}
		wait = min(2*wait, w.pool.options.ReopenMax)
	}
}

// out says that the modem is out of service, and why.
func (w *worker) out(err error, d time.Duration) {
	w.log.Warn("modem out of service", zap.Error(err), zap.Duration("retry_in", d))
	w.board.failed(err)
	w.board.set(OutOfService, err.Error(), time.Now().Add(d))
	w.board.note(func(s *Status) { s.Reopened++ })
	if !w.noted {
		w.noted = true
		w.notice("out of service: " + err.Error())
	}
}

// rest waits. It ends early when a port that leads to a modem as well lets go of it, and when an operator wants a reset.
func (w *worker) rest(ctx context.Context, d time.Duration, parked *parkedError) error {
	end := time.NewTimer(d)
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.poked:
			if w.wantReset.Load() {
				return nil // the next life begins with it
			}
		case <-end.C:
			if parked == nil || w.pool.holder(parked.id) == "" {
				return nil
			}
			end.Reset(d)
		}
	}
}

// forgive lets a PIN be tried again.
func (w *worker) forgive() {
	s := w.board.status()
	for _, card := range []string{s.Identity.ICCID, s.ID} {
		if card == "" {
			continue
		}
		if err := (&pinGuard{w.pool.queue, card}).clear(); err != nil {
			w.log.Error("PIN not freed", zap.Error(err))
		}
	}
}

// life is one life of the modem, from the opening of its port to its closing. The error says why it ended; up that the
// modem has answered.
func (w *worker) life(ctx, work context.Context) (up bool, err error) {
	w.board.set(Opening, "", time.Time{})
	port, err := w.pool.options.Open(w.port.Path)
	if err != nil {
		return false, fmt.Errorf("opening: %w", err)
	}
	o := &w.pool.options
	at := newEngine(port, timing{command: o.CommandTimeout, prompt: o.PromptTimeout, send: o.SendTimeout}, &w.ring)
	defer func() { _ = at.close() }() // the port is done with either way
	m := newModem(at, o.RegisterPoll, w.pool.queue)
	if w.wantReset.Swap(false) {
		w.forgive()
		w.hangs = hangsReset
	}
	if w.hangs >= hangsReset {
		w.hangs = 0
		at.shake()
	}
	progress := func(s State) {
		up = up || s != Starting
		w.board.set(s, "", time.Time{})
	}
	err = m.bringUp(ctx, w.name, w.port.PIN, progress, func() error { up = true; return w.meet(m) })
	if w.known != nil {
		defer w.part()
	}
	switch {
	case err != nil && !up:
		return false, fmt.Errorf("bring-up: %w", err)
	case err != nil:
		return true, fmt.Errorf("bring-up: %w", err)
	}
	w.recognise(m)
	w.log.Info("modem in service", zap.Bool("reports", m.cnmi != ""), zap.Int("signal", m.signal))
	err = w.serve(ctx, work, m)
	// What came before the end counts, though it can't be acknowledged any more: the network may repeat it.
	w.keepReports(work, m)
	switch {
	case w.removed.Err() != nil:
		m.unroute(work) // another of its ports may take its place
	case ctx.Err() != nil:
	case errors.Is(err, errResetAsked):
		w.wantReset.Store(false)
		w.forgive()
		_ = m.reset(ctx) // what it says does not matter: the port is opened anew
	default:
		w.trial = true
	}
	return true, err
}

// meet makes the acquaintance of a modem that has said who it is.
func (w *worker) meet(m *modem) error {
	known, other := w.pool.meet(w, m.identity)
	if known == nil {
		return &parkedError{m.identity.ID(w.name), other}
	}
	w.known = known
	w.through = through{modem: m.identity.ID(w.name), own: w.port.Limits}
	w.board.note(func(s *Status) {
		if s.ID != w.through.modem { // it was behind another port, or another one is behind this one
			s.Counters = known.counters
		}
		s.ID, s.Identity = w.through.modem, m.identity
	})
	w.drain(w.pool.drained(w))
	return nil
}

func (w *worker) part() {
	w.pool.part(w, w.known)
	w.known = nil
}

// recognise takes up who the modem is, its SIM included, and tells what has changed.
func (w *worker) recognise(m *modem) {
	was := w.known.identity
	w.known.identity = m.identity
	w.through.sim = m.identity.SIM()
	w.board.note(func(s *Status) {
		s.Identity, s.Operator, s.Signal, s.Trial = m.identity, m.operator, m.signal, w.trial
	})
	if was.SIM() != "" && m.identity.SIM() != "" && was.ICCID != m.identity.ICCID {
		w.notice("its SIM was changed")
	}
	if w.noted {
		w.noted = false
		w.notice("in service again")
	}
}

// hung says whether a life has ended because the modem did not answer.
func hung(err error) bool {
	var timeout *TimeoutError
	return errors.As(err, &timeout) || errors.Is(err, errDeaf) || errors.Is(err, ErrSilent)
}

// serve sends until ctx ends, which is no error, or the modem is at fault.
func (w *worker) serve(ctx, work context.Context, m *modem) error {
	w.failures = 0
	health := time.NewTicker(w.pool.options.HealthPoll)
	defer health.Stop()
	asked := false
	defer func() {
		if asked {
			w.leave()
		}
	}()
	for {
		if err := w.takeReports(work, m); err != nil {
			return err
		}
		if err := w.emptyStore(work, m); err != nil {
			return err
		}
		switch {
		case m.restart:
			return errReset
		case ctx.Err() != nil:
			return nil
		case w.wantReset.Load():
			return errResetAsked
		case w.drained.Load():
			if asked {
				asked = false
				w.leave()
				continue
			}
			w.board.set(Drained, "", time.Time{})
		case !asked:
			w.board.set(Ready, "", time.Time{})
			select {
			case w.pool.asks <- w:
				asked = true
			case <-ctx.Done():
				return nil
			}
		}
		select {
		case <-ctx.Done():
		case <-w.poked:
		case chunk, open := <-m.at.chunks:
			if err := m.at.heard(chunk, open); err != nil {
				return err
			}
		case p := <-w.parcels:
			asked = false
			hold, err := w.send(work, m, p)
			w.board.note(func(s *Status) { s.Trial = w.trial })
			w.pool.giveBack(p.job, hold)
			if err != nil {
				return err
			}
		case <-health.C:
			if err := m.checkSignal(ctx); err != nil {
				return err
			}
			w.board.note(func(s *Status) { s.Signal = m.signal })
			m.lookAtStore()
		}
	}
}

// leave tells the dispatcher that nothing is asked for any more, and gives back what it has sent meanwhile.
func (w *worker) leave() {
	select {
	case w.pool.leaves <- w:
		<-w.left
	case <-w.pool.over:
	}
	select {
	case p := <-w.parcels:
		w.pool.meter.untake(w.through, p.job.MSISDN, len(p.tpdus), true, time.Now())
		w.pool.giveBack(p.job, 0)
	default:
	}
}

// save writes a push whose SMS are out: it is tried until it works, since nothing else is safe. Only the end of work
// ends it; the record then says what it said before, and the next start finds the push in doubt.
func (w *worker) save(work context.Context, job *storage.PushJob) {
	job.Changed = time.Now()
	_ = w.until(work, "push "+string(job.State), func() error { return w.pool.queue.Save(job) })
}

// until tries write until it works or work ends, whose error it returns.
func (w *worker) until(work context.Context, what string, write func() error) error {
	wait := 50 * time.Millisecond
	for {
		err := write()
		if err == nil {
			return nil
		}
		w.log.Error("not saved", zap.String("what", what), zap.Error(err))
		if err := pause(work, wait); err != nil {
			return err
		}
		wait = min(2*wait, 10*time.Second)
	}
}
