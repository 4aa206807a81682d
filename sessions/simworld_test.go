package sessions_test

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"dmgate/codec/syncml"
	"dmgate/storage"
)

// world is one run of the simulation: a fleet, a network, a gateway and a clock, all of one seed. There is no other clock
// in it, no goroutine and no order that hangs on a map, so that a seed always runs the same way.
type world struct {
	rng    *rand.Rand
	seed   uint64
	start  time.Time
	now    time.Duration // since start
	skew   time.Duration // of the server's clock
	events events
	last   uint64 // counts events
	odds   odds
	fleet  []*handset
	store  *memory
	server *server
	// healing is the end of a run: nothing fails any more, and all that is open has to come to its end.
	healing bool
	limit   int // steps until then
	traced  bool
	count   counts
}

// counts tells what has happened in a run, or in many.
type counts struct {
	steps, sessions, commits, answers                  int
	crashes, restored, drops, repeats, busy            int
	commitErrors, unavailable, jumps, impostors, resat int
	tasks, done, failed, waiting, execs                int
}

func (c *counts) add(o *counts) {
	for _, f := range [...]struct{ v, more *int }{
		{&c.steps, &o.steps}, {&c.sessions, &o.sessions}, {&c.commits, &o.commits}, {&c.answers, &o.answers},
		{&c.crashes, &o.crashes}, {&c.restored, &o.restored}, {&c.drops, &o.drops}, {&c.repeats, &o.repeats},
		{&c.busy, &o.busy}, {&c.commitErrors, &o.commitErrors}, {&c.unavailable, &o.unavailable}, {&c.jumps, &o.jumps},
		{&c.impostors, &o.impostors}, {&c.resat, &o.resat}, {&c.tasks, &o.tasks}, {&c.done, &o.done},
		{&c.failed, &o.failed}, {&c.waiting, &o.waiting}, {&c.execs, &o.execs},
	} {
		*f.v += *f.more
	}
}

func (c *counts) String() string {
	return fmt.Sprintf("%d steps, %d sessions, %d commits, %d answers kept, %d Execs run\n"+
		"%d crashes, %d sessions restored, %d messages lost, %d repeated, %d refused (%d of them busy), %d commits failed\n"+
		"%d jumps of the clock, %d messages of impostors, %d handsets restarted\n"+
		"%d tasks: %d done, %d failed, %d wait",
		c.steps, c.sessions, c.commits, c.answers, c.execs,
		c.crashes, c.restored, c.drops, c.repeats, c.unavailable, c.busy, c.commitErrors,
		c.jumps, c.impostors, c.resat, c.tasks, c.done, c.failed, c.waiting)
}

// odds are what can go wrong in a run, and how often. A run has some of the faults and not the others, so that each is seen
// alone as well.
type odds struct {
	drop, repeat, slow        float64 // of a message on its way, either way
	crash                     float64 // of the server, before and after a commit
	commitFails, slowCommit   float64
	readFails                 float64
	handsetDies               float64 // at a message
	leavesOff                 float64 // the handset breaks the session off
	silent                    float64 // a command without Status
	jump, impostor, orderMore float64 // at a message of a handset
	slots                     int     // of the table
	messages                  int     // in one session
}

func (w *world) draw() odds {
	rate := func(most float64) float64 {
		if w.chance(0.45) {
			return 0
		}
		return w.rng.Float64() * most
	}
	o := odds{
		drop: rate(0.15), repeat: rate(0.15), slow: rate(0.1), crash: rate(0.01), commitFails: rate(0.05),
		slowCommit: rate(0.3), readFails: rate(0.02), handsetDies: rate(0.03), leavesOff: rate(0.02), silent: rate(0.03),
		jump: rate(0.001), impostor: rate(0.05), orderMore: 0.05 + rate(0.4),
	}
	o.slots, o.messages = 100_000, 1000
	if w.chance(0.2) {
		o.slots = 5 + w.rng.IntN(20)
	}
	if w.chance(0.2) {
		o.messages = 3 + w.rng.IntN(20)
	}
	return o
}

// newWorld is the world of a seed, before its first step.
func newWorld(seed uint64, steps int) *world {
	w := &world{seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), limit: steps}
	w.start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w.odds = w.draw()
	w.store = &memory{w: w, rows: make(map[storage.DeviceID]*row), imei: make(map[string]storage.DeviceID)}
	w.server = newServer(w, w.store)
	for n := range [...]int{1, 3, 30, 30, 200, 1000}[w.rng.IntN(6)] {
		h := newHandset(w, n)
		w.fleet = append(w.fleet, h)
		h.row = w.store.add(h)
		w.after(w.between(0, time.Hour), h.begin)
	}
	return w
}

// run lets the world go on until it is still.
func (w *world) run() {
	for len(w.events) > 0 {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
		if w.count.steps >= w.limit && !w.healing {
			w.heal()
		}
	}
	w.isStill()
}

// heal ends all faults. Each handset comes back until there is nothing to be said to it.
func (w *world) heal() {
	w.healing = true
	w.odds = odds{slots: w.odds.slots, messages: 1000}
	w.server.opt.Messages = 1000
	for _, h := range w.fleet {
		h.heal()
	}
}

// crash is the death of the server's process, and the start of the next one.
func (w *world) crash() {
	w.count.crashes++
	w.server.start()
}

// jump puts the server's clock forward or back.
func (w *world) jump() {
	w.count.jumps++
	switch w.rng.IntN(3) {
	case 0:
		w.skew += w.between(-3*time.Minute, 3*time.Minute)
	case 1:
		w.skew += w.between(-5*time.Hour, 5*time.Hour)
	default:
		w.skew += w.between(-100*time.Hour, 100*time.Hour)
	}
}

func (w *world) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }

func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rng.Int64N(int64(most-least)+1))
}

func (w *world) random(b []byte) {
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, w.rng.Uint64())
		b = b[8:]
	}
}

// envelope is a message on its way to the server.
type envelope struct {
	handset  *handset
	dialog   int // the handset's session that it is of
	msg      int
	enc      syncml.Encoding
	query    string // "d" of the URL that it is posted to
	body     []byte
	impostor bool
}

// toServer sends a message over the network, which may lose it, hold it up and bring it twice.
func (w *world) toServer(e *envelope) {
	if w.chance(w.odds.impostor) {
		w.impostor(e)
	}
	if w.chance(w.odds.jump) {
		w.jump()
	}
	if w.chance(w.odds.orderMore) {
		w.order(e.handset.row)
	}
	sent, jumps := w.now, w.count.jumps
	w.travel(func() {
		// A client that gives a session up closes its connections, and so does one that goes on to its next message, for
		// long. What came through all the same would be a replay: a first message with a basic credential can not be told
		// from the device itself then.
		h := e.handset
		replay := h.basic && e.msg == 1 && h.msg > 1 && (w.now-sent > 50*time.Second || w.count.jumps != jumps)
		if e.dialog == h.dialog && !replay {
			w.server.take(e)
		}
	})
}

// toDevice sends a reply back.
func (w *world) toDevice(e *envelope, reply []byte) {
	if e.impostor {
		w.isBare(e, reply)
		return
	}
	w.travel(func() { e.handset.hear(e, reply) })
}

func (w *world) travel(arrive func()) {
	for {
		delay := w.between(5*time.Millisecond, 200*time.Millisecond)
		if w.chance(w.odds.slow) {
			delay = w.between(time.Second, 20*time.Minute)
		}
		if w.chance(w.odds.drop) {
			w.count.drops++
		} else {
			w.after(delay, arrive)
		}
		if !w.chance(w.odds.repeat) {
			return
		}
	}
}

// event is something that is going to happen.
type event struct {
	at  time.Duration
	seq uint64 // of two at the same time the one goes first that was planned first
	do  func()
}

func (w *world) after(d time.Duration, do func()) {
	w.last++
	heap.Push(&w.events, event{w.now + d, w.last, do})
}

// events is a heap, what happens next in front.
type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	old[len(old)-1] = event{}
	*e = old[:len(old)-1]
	return last
}
