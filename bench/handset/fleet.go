package handset

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// Options say what a fleet is like. The zero value of a field stands for its default.
type Options struct {
	Count int     // handsets; 0
	Seed  uint64  // the same seed grows the same fleet
	Makes []*Make // taken in turn, one that is there twice more often; Makes()

	// Shares of handsets, from 0 to 1, whose user or radio is difficult. Nobody is difficult in two ways.
	Mistyping float64 // the PIN goes wrong Mistypes times first
	Refusing  float64
	Off       float64
	Late      float64
	Ignoring  float64 // opens no links

	Hesitating float64 // answers late when he is asked for a session
	Declining  float64 // wants none

	Mistypes int // 3 or more cost the document; 0 stands for once or twice, as the seed will have it

	Concurrency int           // sessions open at once; 64
	Reorder     bool          // segments of a message arrive in another order than they were sent
	ReportAfter time.Duration // delivery reports take up to this long; 0
	OffAfter    time.Duration // until a message to a handset that is off expires; 5 s
	LateAfter   time.Duration // until a late handset comes on, counted from the first message to it; 2 s
	AgreeAfter  time.Duration // until a user who hesitates agrees; 2 s
	Reopen      int           // how often a handset opens a session again when one has failed; 0

	// After calls f once d has passed; nil stands for time.AfterFunc.
	After func(d time.Duration, f func())

	Settings
}

// Fleet is many handsets behind a modem bank: Submit takes what the modems send, Run holds the sessions and opens the
// links.
type Fleet struct {
	opt      Options
	world    *World
	handsets []Handset
	queue    chan *Handset // has room for all, and each is in it at most once

	done   chan struct{}
	close  sync.Once
	reopen sync.Map // *Handset to the number of sessions that were opened again

	mu    sync.Mutex
	held  map[segments][][]byte         // with Reorder: segments of messages that are incomplete
	texts map[segments]map[uint8]string // texts that are incomplete, by segment
	off   map[*Handset][]message        // late handsets: what waits for them
	on    map[*Handset]bool             // late handsets that have come on
}

// NewFleet makes a fleet. It does nothing until it is told to or a message arrives.
func NewFleet(opt Options) *Fleet {
	setDefault(&opt.Concurrency, 64)
	setDefault(&opt.OffAfter, 5*time.Second)
	setDefault(&opt.LateAfter, 2*time.Second)
	setDefault(&opt.AgreeAfter, 2*time.Second)
	if len(opt.Makes) == 0 {
		opt.Makes = Makes()
	}
	if opt.After == nil {
		opt.After = func(d time.Duration, f func()) { time.AfterFunc(d, f) }
	}
	f := &Fleet{
		opt:      opt,
		world:    NewWorld(opt.Settings),
		handsets: make([]Handset, opt.Count),
		queue:    make(chan *Handset, opt.Count),
		done:     make(chan struct{}),
		held:     make(map[segments][][]byte),
		texts:    make(map[segments]map[uint8]string),
		off:      make(map[*Handset][]message),
		on:       make(map[*Handset]bool),
	}
	tempers := opt.tempers()
	for i := range f.handsets {
		f.handsets[i].init(opt.Makes[i%len(opt.Makes)], NewIdentity(i, opt.Seed), tempers[i], f.world)
	}
	return f
}

// tempers deals out the difficult tempers by the seed, as many of each as its share of the fleet comes to.
func (o *Options) tempers() []Temper {
	r := rand.New(rand.NewPCG(o.Seed, 2))
	all := make([]Temper, o.Count)
	order := r.Perm(o.Count)
	deal := func(share float64, temper func() Temper) {
		n := min(int(math.Round(share*float64(o.Count))), len(order))
		for _, i := range order[:n] {
			all[i] = temper()
		}
		order = order[n:]
	}
	deal(o.Mistyping, func() Temper {
		if o.Mistypes > 0 {
			return Temper{Mistypes: o.Mistypes}
		}
		return Temper{Mistypes: 1 + r.IntN(2)}
	})
	deal(o.Refusing, func() Temper { return Temper{Refuses: true} })
	deal(o.Off, func() Temper { return Temper{Off: true} })
	deal(o.Late, func() Temper { return Temper{Late: true} })
	deal(o.Ignoring, func() Temper { return Temper{IgnoresLinks: true} })
	deal(o.Hesitating, func() Temper { return Temper{Hesitates: true} })
	deal(o.Declining, func() Temper { return Temper{Declines: true} })
	return all
}

// Handsets are all handsets, in the order of their numbers.
func (f *Fleet) Handsets() []*Handset {
	all := make([]*Handset, len(f.handsets))
	for i := range f.handsets {
		all[i] = &f.handsets[i]
	}
	return all
}

// Handset is the one with a number; nil where there is none.
func (f *Fleet) Handset(msisdn string) *Handset {
	if i := index(msisdn); i >= 0 && i < len(f.handsets) {
		return &f.handsets[i]
	}
	return nil
}

// Tell is the admin telling a user his PIN. A number that is not of the fleet is ignored.
func (f *Fleet) Tell(msisdn, pin string) {
	if h := f.Handset(msisdn); h != nil {
		h.Tell(pin)
		f.wake(h)
	}
}

// Connect is a user who looks for updates: his handset opens a session if it is bootstrapped.
func (f *Fleet) Connect(msisdn string) {
	if h := f.Handset(msisdn); h != nil {
		h.Want()
		f.wake(h)
	}
}

// wake queues h if it wants to open a session.
func (f *Fleet) wake(h *Handset) {
	if h.claim() {
		f.queue <- h
	}
}

// Run holds the sessions that handsets want, until ctx ends or Close is called. What is open then is cut off.
func (f *Fleet) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var workers sync.WaitGroup
	for range f.opt.Concurrency {
		workers.Go(func() { f.work(ctx) })
	}
	select {
	case <-ctx.Done():
	case <-f.done:
	}
	err := ctx.Err()
	f.Close()
	cancel()
	workers.Wait()
	return err
}

// Close ends Run and whatever is still to come.
func (f *Fleet) Close() {
	f.close.Do(func() {
		close(f.done)
		f.world.Close()
	})
}

func (f *Fleet) closed() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

func (f *Fleet) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case h := <-f.queue:
			_ = h.OpenLinks(ctx) // where it is busy it comes again afterwards
			if h.due() {
				if err := h.Session(ctx); err != nil {
					f.again(h)
				}
			}
			f.wake(h)
		}
	}
}

// again lets h want another session after one that failed, as often as the options allow.
func (f *Fleet) again(h *Handset) {
	var n int
	if v, ok := f.reopen.Load(h); ok {
		n = v.(int)
	}
	if n >= f.opt.Reopen {
		return
	}
	f.reopen.Store(h, n+1)
	h.Want()
}

// Violations are all that handsets have kept, handset by handset.
func (f *Fleet) Violations() []Violation {
	var all []Violation
	for i := range f.handsets {
		all = append(all, f.handsets[i].Violations()...)
	}
	return all
}

// Counts sum up a fleet.
type Counts struct {
	Handsets  int
	Reachable int         // of these: neither off nor refusing
	States    [states]int // by State
	Result                // sums; State and Err are empty
}

// Counts sums up what became of the handsets so far.
func (f *Fleet) Counts() Counts {
	c := Counts{Handsets: len(f.handsets)}
	for i := range f.handsets {
		h := &f.handsets[i]
		if !h.Temper.Off && !h.Temper.Refuses {
			c.Reachable++
		}
		r := h.Result()
		c.States[r.State]++
		c.add(&r)
	}
	return c
}
