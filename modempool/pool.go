package modempool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"dmgate/storage"
)

// Pool sends the pushes of a queue through its modems.
type Pool struct {
	options Options
	queue   Queue
	log     *zap.Logger
	meter   *meter

	asks   chan *worker  // from workers that have nothing to do
	leaves chan *worker  // from workers that asked and do not want any more
	back   chan returned // from workers, when they are done with a push
	wake   chan struct{}
	look   chan struct{} // ports are to be looked for

	references references
	waits      atomic.Pointer[[]FlowWait]
	over       <-chan struct{} // closed when Run is to end: nothing is handed out any more

	keeping sync.Mutex // serialises changes of kept
	mu      sync.Mutex
	kept    kept
	ports   []Port // as configured, without those removed, and added
	workers []*worker
	known   map[string]*acquaintance // by modem ID
	set     bool                     // limits were set at run time
	unblock atomic.Bool              // limits have changed: whatever waits for one asks anew
}

// New makes a pool that does nothing until Run.
func New(o Options, q Queue) (*Pool, error) {
	if q == nil {
		return nil, errors.New("modempool: no queue")
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	p := &Pool{
		options: o, queue: q, log: o.Log, ports: slices.Clone(o.Ports),
		asks: make(chan *worker), leaves: make(chan *worker), back: make(chan returned), wake: make(chan struct{}, 1),
		look: make(chan struct{}, 1), known: make(map[string]*acquaintance),
	}
	limits := o.Limits
	switch stored, err := p.storedLimits(); {
	case err != nil:
		return nil, fmt.Errorf("modempool: reading the limits that were set: %w", err)
	case stored != nil:
		limits, p.set = *stored, true
	}
	var err error
	if p.meter, err = newMeter(limits, q); err != nil {
		return nil, fmt.Errorf("modempool: limits: %w", err)
	}
	if err := p.recall(); err != nil {
		return nil, err
	}
	p.match() // so that who asks before Run sees what there is
	return p, nil
}

// Run sends until ctx ends. A push under way then is finished, within Options.Drain, and what became of it recorded.
// It must be called once. The error is that of a queue that can't be read at start; later ones are logged and retried.
func (p *Pool) Run(ctx context.Context) error {
	p.over = ctx.Done()
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
	wg.Go(func() { p.watch(ctx) })
	wg.Go(func() { p.plug(ctx, work) })
	wg.Wait() // until ctx has ended, as dispatch does not before
	stop()
	<-ended
	return p.meter.close()
}

// Wake says that work was added, or that its order has changed.
func (p *Pool) Wake() { nudge(p.wake) }

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // already told
	}
}

// Modems returns the modems as they stand, in the order in which their ports were configured, added and found.
func (p *Pool) Modems() []Status {
	p.mu.Lock()
	workers := slices.Clone(p.workers)
	p.mu.Unlock()
	out := make([]Status, len(workers))
	for i, w := range workers {
		out[i] = w.board.status()
		out[i].Ring = w.ring.exchanges()
	}
	return out
}

func (p *Pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.workers)
}

// settingLimits is where limits set at run time are kept.
const settingLimits = "limits"

func (p *Pool) storedLimits() (*Limits, error) {
	text, err := p.queue.Setting(settingLimits)
	if errors.Is(err, storage.ErrNotFound) || err == nil && len(text) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var l Limits
	return &l, json.Unmarshal(text, &l)
}

// Limits are those that hold.
func (p *Pool) Limits() Limits { return p.meter.current() }

// LimitsSet says whether the limits were set at run time, and are not those of Options.
func (p *Pool) LimitsSet() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.set
}

// SetLimits has other limits hold from now on, also after a restart. The error is a *LimitError, or that of the store;
// nothing has changed then.
func (p *Pool) SetLimits(l Limits) error {
	if err := l.Check(); err != nil {
		return err
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return p.changeLimits(l, text, true)
}

// UnsetLimits goes back to the limits of Options.
func (p *Pool) UnsetLimits() error { return p.changeLimits(p.options.Limits, nil, false) }

func (p *Pool) changeLimits(l Limits, text []byte, set bool) error {
	p.keeping.Lock()
	defer p.keeping.Unlock()
	if err := p.queue.PutSetting(settingLimits, text); err != nil {
		return err
	}
	if err := p.meter.set(l, time.Now()); err != nil {
		return err
	}
	p.mu.Lock()
	p.set = set
	p.mu.Unlock()
	p.unblock.Store(true)
	p.Wake()
	return nil
}
