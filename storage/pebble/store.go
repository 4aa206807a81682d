// Package pebble is the embedded engine of storage.Store, on CockroachDB's Pebble.
//
// Commits of one device go one after the other; commits of different devices share an fsync. What Commit does is read
// top to bottom in commit.go, where everything lies in keys.go, and what happens when the disk fails in fence.go and
// lasting.go.
package pebble

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"go.uber.org/zap"

	"dmgate/storage"
)

// Format is the version of the store's layout. A program opens stores of its own version and of all before.
const Format = 2

// Store is a storage.Store in a directory.
type Store struct {
	db     *pebble.DB
	dir    string
	fence  *fence
	gate   *gate
	log    *zap.Logger
	noSync bool

	ended  sync.Once
	gone   chan struct{} // closed when db is closed and the directory let go
	endErr error         // of closing db; read after gone
	closed atomic.Bool   // Close was called

	// Lock order: devices, names, order. None is held across an fsync.
	//
	// devices keeps the commits of one device apart, from the moment its record is read until the batch is applied.
	devices [256]sync.Mutex
	seed    maphash.Seed
	// names keeps apart the commits that give or change a unique name: MSISDN or DevID.
	names sync.Mutex
	// order gives offsets away. The batch is applied under it, so that the log holds offsets in their order.
	order sync.Mutex
	next  uint64 // offset of the next feed entry; under order

	epoch   uint32        // counts openings
	arrival atomic.Uint64 // counts results in this epoch
	feed    feed
	commits atomic.Uint64 // that have returned without an error
}

var _ storage.Store = (*Store)(nil)

// Open opens the store in dir and makes it where there is none. Only one process can have it open.
func Open(dir string, o Options) (*Store, error) {
	s := &Store{
		dir:    dir,
		gate:   newGate(),
		log:    o.Log,
		noSync: o.NoSync,
		seed:   maphash.MakeSeed(),
		gone:   make(chan struct{}),
	}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	p := o.engine()
	p.FS = privateFS{p.FS}
	ready := make(chan struct{}) // s is complete, or will never be
	s.fence = newFence(p.FS, dir, func() {
		<-ready
		if s.db != nil {
			s.log.Error("store: closed after a failed write", zap.String("dir", s.dir), zap.Error(s.fence.err()))
			s.end()
		}
	})
	p.FS, p.Logger = s.fence, engineLog{s.log.Sugar(), s.fence.raise}

	db, err := pebble.Open(dir, p)
	if err == nil {
		s.db = db
		if err = s.begin(); err != nil {
			s.db = nil
			err = errors.Join(err, db.Close())
		}
	}
	if cause := s.fence.err(); cause != nil && s.db == nil {
		err = cause // what came after it follows from it
	}
	close(ready)
	if s.db == nil {
		return nil, fmt.Errorf("storage: opening %s: %w", dir, err)
	}
	return s, nil
}

// begin checks the store's format, counts this opening, and finds the end of the feed.
func (s *Store) begin() error {
	format, err := s.number(storeFormat)
	if err != nil {
		return err
	}
	if format > Format {
		return fmt.Errorf("its format is %d, written by a newer dmgate; this one reads up to %d", format, Format)
	}
	if err := s.migrate(format); err != nil {
		return fmt.Errorf("bringing it from format %d to %d: %w", format, Format, err)
	}
	epoch, err := s.number(storeEpoch)
	if err != nil {
		return err
	}
	s.epoch = uint32(epoch) + 1

	// Pebble has written out and synced what it found in the log, so all that is here is durable.
	last, err := s.lastOffset()
	if err != nil {
		return err
	}
	s.next = last + 1
	s.feed.start(last)

	b := s.db.NewBatch()
	defer b.Close()
	if err := setNumber(b, storeFormat, Format); err != nil {
		return err
	}
	if err := setNumber(b, storeEpoch, uint64(s.epoch)); err != nil {
		return err
	}
	if err := s.db.Apply(b, pebble.Sync); err != nil {
		return err
	}
	return s.fence.err()
}

// number reads one of the store's own numbers, 0 where it was never written.
func (s *Store) number(name string) (uint64, error) {
	key := appendNameKey(nil, tableStore, name)
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer closer.Close()
	n, size := binary.Uvarint(value)
	if size != len(value) || size == 0 {
		return 0, fmt.Errorf("%w: %s", storage.ErrDamaged, describe(key))
	}
	return n, nil
}

func setNumber(b *pebble.Batch, name string, n uint64) error {
	return b.Set(appendNameKey(nil, tableStore, name), binary.AppendUvarint(nil, n), nil)
}

// enter lets a call into the store; who was let in has to call s.gate.leave.
func (s *Store) enter() error {
	if s.gate.enter() {
		if !s.fence.isUp() {
			return nil
		}
		s.gate.leave()
	}
	if cause := s.fence.err(); cause != nil && !s.closed.Load() {
		return failed(cause)
	}
	return storage.ErrClosed
}

func failed(cause error) error { return fmt.Errorf("%w: %w", storage.ErrFailed, cause) }

// Failed is closed when a write has failed: from then on every call returns storage.ErrFailed, until Open.
func (s *Store) Failed() <-chan struct{} { return s.fence.up }

// Counts are what a store has done since it was opened.
type Counts struct {
	Commits uint64
	Syncs   uint64 // of the log: concurrent commits share them
}

func (c Counts) plus(o Counts) Counts { return Counts{c.Commits + o.Commits, c.Syncs + o.Syncs} }

// Counts are those of this store so far.
func (s *Store) Counts() Counts {
	return Counts{Commits: s.commits.Load(), Syncs: s.fence.syncs.Load()}
}

// Close waits for the calls that are running, closes the store and lets the directory go. Where the store has failed
// before, it returns why.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return storage.ErrClosed
	}
	s.end()
	if cause := s.fence.err(); cause != nil {
		return failed(cause)
	}
	return s.endErr
}

// end closes the store once, for Close or after a failure, and returns when that is done.
func (s *Store) end() {
	s.ended.Do(func() {
		s.gate.shut()
		s.endErr = s.db.Close()
		s.feed.end()
		close(s.gone)
	})
	<-s.gone
}

// Backup writes the store as it is at this moment, with every commit that has returned, to dir, which must not exist.
// It does not hold up commits. What it writes is a store; to restore, put it in place and open it.
func (s *Store) Backup(dir string) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	if rel, err := filepath.Rel(s.dir, dir); err == nil && filepath.IsLocal(rel) {
		return fmt.Errorf("storage: backup to %s: that is inside the store", dir)
	}
	if err := s.db.Checkpoint(dir, pebble.WithFlushedWAL()); err != nil {
		return fmt.Errorf("storage: backup to %s: %w", dir, err)
	}
	if cause := s.fence.err(); cause != nil {
		return failed(cause)
	}
	return nil
}
