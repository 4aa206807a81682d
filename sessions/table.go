package sessions

import (
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"dmgate/storage"
)

// Errors of Table.Enter and Table.Admit: what stands in the way. All are answered with 503 and Retry-After, before any
// work.
var (
	ErrBusy     = errors.New("sessions: a message of this device is being worked on")
	ErrFull     = errors.New("sessions: as many sessions as allowed are open")
	ErrSource   = errors.New("sessions: this source has as many sessions open as one may have")
	ErrDraining = errors.New("sessions: no session begins any more")
)

// TableOptions bounds a Table. The zero value of a field stands for its default.
type TableOptions struct {
	Shards    int           // rounded up to a power of two; 64
	Sessions  int           // open at once; 100,000
	PerSource int           // of them begun by one Source; 1000
	Keep      time.Duration // since its last message, after which a session is left to its checkpoint; 10 s
	Prove     time.Duration // since its last message, after which one not proved, or parting, is forgotten; 1 min
	Idle      time.Duration // since its last message, after which a session is forgotten; 10 min
	Lifetime  time.Duration // since its first message, after which a session is forgotten; 24 h
}

// WithDefaults fills the zero fields of o.
func (o TableOptions) WithDefaults() TableOptions {
	if o.Shards == 0 {
		o.Shards = 64
	}
	if o.Sessions == 0 {
		o.Sessions = 100_000
	}
	if o.PerSource == 0 {
		o.PerSource = 1000
	}
	if o.Keep == 0 {
		o.Keep = 10 * time.Second
	}
	if o.Prove == 0 {
		o.Prove = time.Minute
	}
	if o.Idle == 0 {
		o.Idle = 10 * time.Minute
	}
	if o.Lifetime == 0 {
		o.Lifetime = 24 * time.Hour
	}
	return o
}

// Table holds the open sessions. It is a cache: a session that is not in it is restored from its checkpoint.
//
// Its key is the device, which has one session at a time: the newer one wins. Beside it a device has room for one
// Guest. Whose message is whose, within a device, SessionID and MsgID tell (Session.Takes).
//
// A session is in memory while messages come: Keep after the last one its Session is dropped, and what is left of it is
// a Slot that counts for the limits. Nothing is written for that, as each step was durable before its answer left. A
// phone that is answered at once never sees it; one whose user takes minutes costs some 200 bytes meanwhile, and a few
// reads when it comes back. A session that is forgotten goes on from its checkpoint as well, but has to find a place.
type Table struct {
	opt      TableOptions
	seed     maphash.Seed
	shards   []shard
	mask     uint64
	sources  sources
	open     atomic.Int64 // slots of all shards
	draining atomic.Bool
}

type shard struct {
	mu     sync.Mutex
	slots  map[storage.DeviceID]*Slot
	wheel  wheel
	active int // slots with a session in memory, or entered
}

// NewTable makes an empty table.
func NewTable(o TableOptions) *Table {
	o = o.WithDefaults()
	n := 1
	for n < o.Shards {
		n *= 2
	}
	t := &Table{opt: o, seed: maphash.MakeSeed(), shards: make([]shard, n), mask: uint64(n - 1)}
	for i := range t.shards {
		t.shards[i].slots = make(map[storage.DeviceID]*Slot)
		t.shards[i].wheel.at = 1
	}
	t.sources.init(n)
	return t
}

// Admit says whether a message from a source that does not name its device is worth decoding. Where no session can
// begin it is so only if a session of the same source has not been named by address yet: it may be the answer to our
// challenge.
func (t *Table) Admit(from Source) error {
	open, unnamed := t.sources.of(from)
	var err error
	switch {
	case t.draining.Load():
		err = ErrDraining
	case t.open.Load() >= int64(t.opt.Sessions):
		err = ErrFull
	case from != Exempt && open >= t.opt.PerSource:
		err = ErrSource
	}
	if unnamed > 0 {
		return nil
	}
	return err
}

// Enter takes the slot of a device for one step. named says that the message's address names the device. Enter never
// waits: where another message of the device is being worked on it fails with ErrBusy. A device that has no session
// open needs a place for one, which the other errors refuse. name is not kept.
func (t *Table) Enter(name []byte, from Source, named bool) (*Slot, error) {
	sh := &t.shards[maphash.Bytes(t.seed, name)&t.mask]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := sh.slots[storage.DeviceID(name)]
	switch {
	case s == nil:
		if err := t.take(from, named); err != nil {
			return nil, err
		}
		s = &Slot{Device: storage.DeviceID(name), from: from, named: named}
		sh.slots[s.Device] = s
	case s.occupied:
		return nil, ErrBusy
	case s.named != named:
		s.named = named
		t.sources.rename(s.from, named)
	}
	s.occupied = true
	sh.activate(s, true)
	return s, nil
}

// take takes the place of one more session.
func (t *Table) take(from Source, named bool) error {
	if t.draining.Load() {
		return ErrDraining
	}
	if t.open.Add(1) > int64(t.opt.Sessions) {
		t.open.Add(-1)
		return ErrFull
	}
	limit := t.opt.PerSource
	if from == Exempt {
		limit = t.opt.Sessions
	}
	if !t.sources.take(from, named, limit) {
		t.open.Add(-1)
		return ErrSource
	}
	return nil
}

// Leave gives the slot back. One whose session takes no message any more is forgotten, and so is one that never had
// any. Where the session was not restored, or its step was not kept, its checkpoint still has it. One that has ended stays
// as long as it has a guest, which may be anybody: the device may still ask for its last reply again.
func (t *Table) Leave(s *Slot, now time.Time) {
	sh := &t.shards[maphash.String(t.seed, string(s.Device))&t.mask]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s.occupied = false
	if s.Session != nil && !s.Session.isOpen() && (s.Guest == nil || !s.Guest.isOpen()) {
		s.Session, s.Guest, s.open = nil, nil, false
	}
	switch live := s.live(); {
	case live != nil:
		s.open, s.used, s.started = true, now.UnixNano(), live.started.UnixNano()
		s.patient = live.Proved() && !live.ended
	case s.Session == nil && s.open:
		sh.activate(s, false)
	default:
		t.forget(sh, s)
		return
	}
	sh.wheel.file(s, t.due(s))
}

func (t *Table) forget(sh *shard, s *Slot) {
	sh.wheel.unlink(s)
	sh.activate(s, false)
	delete(sh.slots, s.Device)
	t.sources.release(s.from, s.named)
	t.open.Add(-1)
}

func (sh *shard) activate(s *Slot, active bool) {
	if s.active != active {
		s.active = active
		if active {
			sh.active++
		} else {
			sh.active--
		}
	}
}

// end is when s is forgotten if no message comes.
func (t *Table) end(s *Slot) int64 {
	patience := t.opt.Idle
	if !s.patient {
		patience = min(patience, t.opt.Prove)
	}
	return min(s.used+int64(patience), s.started+int64(t.opt.Lifetime))
}

// due is when something has to be done about s if no message comes.
func (t *Table) due(s *Slot) int64 {
	switch {
	case s.Guest != nil:
		return min(t.end(s), s.used+int64(t.opt.Prove))
	case s.Session != nil:
		return min(t.end(s), s.used+int64(t.opt.Keep))
	}
	return t.end(s)
}

// Expire drops the sessions from memory whose devices are silent, and forgets those that have been silent for too long
// or have lasted too long. It says how many it has forgotten. Their checkpoints stay. It is to be called every second
// or so, and touches what is due and nothing else.
func (t *Table) Expire(now time.Time) int {
	n := 0
	at := now.UnixNano()
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		sh.wheel.turn(at, func(s *Slot) {
			switch {
			case s.occupied: // Leave files it again
			case t.end(s) <= at:
				t.forget(sh, s)
				n++
			default:
				t.rest(sh, s, at)
			}
		})
		sh.mu.Unlock()
	}
	return n
}

// rest drops from memory what a silent session does not need there, and files its slot again.
func (t *Table) rest(sh *shard, s *Slot, at int64) {
	if s.Guest != nil && s.used+int64(t.opt.Prove) <= at {
		s.Guest = nil
	}
	if s.Guest == nil && s.used+int64(t.opt.Keep) <= at {
		s.Session = nil
		sh.activate(s, false)
	}
	sh.wheel.file(s, t.due(s))
}

// Drain lets no session begin from now on.
func (t *Table) Drain() { t.draining.Store(true) }

// Draining says whether Drain was called.
func (t *Table) Draining() bool { return t.draining.Load() }

// Len is the number of open sessions.
func (t *Table) Len() int { return int(t.open.Load()) }

// Active is the number of sessions in memory: those of devices that have sent a message a moment ago.
func (t *Table) Active() int {
	n := 0
	for i := range t.shards {
		t.shards[i].mu.Lock()
		n += t.shards[i].active
		t.shards[i].mu.Unlock()
	}
	return n
}

// Sources is how many sources have sessions open, the exempt ones together as one, and how many the one with the most
// of them has. It looks at each.
func (t *Table) Sources() (n, most int) { return t.sources.count() }
