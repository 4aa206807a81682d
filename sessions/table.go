package sessions

import (
	"errors"
	"hash/maphash"
	"sync"
	"time"

	"dmgate/storage"
)

// Errors of Table.Enter. Both are answered with 503 and Retry-After, before any work.
var (
	ErrFull = errors.New("sessions: as many sessions as allowed are open")
	ErrBusy = errors.New("sessions: a message of this device is being worked on")
)

// TableOptions bounds a Table. The zero value of a field stands for its default.
type TableOptions struct {
	Shards   int           // rounded up to a power of two; 64
	Sessions int           // sessions kept in memory at once; 100,000
	Idle     time.Duration // since its last message, after which a session is forgotten; 10 min
}

// WithDefaults fills the zero fields of o.
func (o TableOptions) WithDefaults() TableOptions {
	if o.Shards == 0 {
		o.Shards = 64
	}
	if o.Sessions == 0 {
		o.Sessions = 100_000
	}
	if o.Idle == 0 {
		o.Idle = 10 * time.Minute
	}
	return o
}

// Table holds the live sessions, one for each device: the newer one wins. It is a cache: a session that is not in it is
// restored from its checkpoint. Each shard keeps its sessions in the order of their last use, so that the idle ones
// are found without a timer for each.
type Table struct {
	opt    TableOptions
	seed   maphash.Seed
	shards []shard
	mask   uint64
}

type shard struct {
	mu     sync.Mutex
	slots  map[storage.DeviceID]*Slot
	limit  int
	oldest *Slot // of those at rest
	newest *Slot
}

// Slot is the place of one device's session. Between Enter and Leave it belongs to one caller alone.
type Slot struct {
	Session *Session // nil where none is in memory
	// Guest is a session that somebody has begun in the device's name while the device has Session open and proved. It
	// takes Session's place once it is proved as well: whoever only knows the name can not end a device's session.
	Guest *Session

	device   storage.DeviceID
	used     time.Time
	older    *Slot
	newer    *Slot
	occupied bool
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
		t.shards[i].limit = (o.Sessions + n - 1) / n
	}
	return t
}

func (t *Table) shard(dev storage.DeviceID) *shard {
	return &t.shards[maphash.String(t.seed, string(dev))&t.mask]
}

// Enter takes the slot of dev for one step. It never waits: where another message of the device is being worked on it
// fails with ErrBusy, where the table is full of sessions in use with ErrFull.
func (t *Table) Enter(dev storage.DeviceID) (*Slot, error) {
	sh := t.shard(dev)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := sh.slots[dev]
	switch {
	case s == nil && len(sh.slots) >= sh.limit && sh.oldest == nil:
		return nil, ErrFull
	case s == nil:
		if len(sh.slots) >= sh.limit { // the one at rest for longest gives way; its checkpoint stays
			delete(sh.slots, sh.oldest.device)
			sh.unlink(sh.oldest)
		}
		s = &Slot{device: dev}
		sh.slots[dev] = s
	case s.occupied:
		return nil, ErrBusy
	default:
		sh.unlink(s)
	}
	s.occupied = true
	return s, nil
}

// Leave gives the slot back. A slot without a session, or with one that has ended, is forgotten.
func (t *Table) Leave(s *Slot, now time.Time) {
	sh := t.shard(s.device)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s.occupied = false
	if s.Session == nil || s.Session.ended {
		s.Session, s.Guest = s.Guest, nil
	}
	if s.Session == nil || s.Session.ended {
		delete(sh.slots, s.device)
		return
	}
	s.used = now
	s.older, s.newer = sh.newest, nil
	if sh.newest != nil {
		sh.newest.newer = s
	} else {
		sh.oldest = s
	}
	sh.newest = s
}

// unlink takes a slot at rest out of its shard's order of use.
func (sh *shard) unlink(s *Slot) {
	if s.older != nil {
		s.older.newer = s.newer
	} else {
		sh.oldest = s.newer
	}
	if s.newer != nil {
		s.newer.older = s.older
	} else {
		sh.newest = s.older
	}
	s.older, s.newer = nil, nil
}

// Expire forgets the sessions that have been idle for too long and says how many. Their checkpoints stay.
func (t *Table) Expire(now time.Time) int {
	n := 0
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		for s := sh.oldest; s != nil && now.Sub(s.used) >= t.opt.Idle; s = sh.oldest {
			sh.unlink(s)
			delete(sh.slots, s.device)
			n++
		}
		sh.mu.Unlock()
	}
	return n
}

// Len is the number of sessions in memory.
func (t *Table) Len() int {
	n := 0
	for i := range t.shards {
		t.shards[i].mu.Lock()
		n += len(t.shards[i].slots)
		t.shards[i].mu.Unlock()
	}
	return n
}
