package pebble

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"dmgate/storage"
)

// feed knows how far the feed is durable. Entries beyond are in the engine already, but a power cut could remove them
// and give their offsets to others, so no reader gets to see them.
type feed struct {
	head atomic.Uint64

	mu    sync.Mutex
	grown chan struct{} // what Grown hands out; nil while nobody asked since the feed last grew
	over  bool
}

func (f *feed) start(head uint64) { f.head.Store(head) }

// advance says that all up to offset is durable. The log is written in the order of offsets, so a commit that is
// durable vouches for all before it, and the highest one wins.
func (f *feed) advance(offset uint64) {
	if offset <= f.head.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if offset <= f.head.Load() {
		return
	}
	f.head.Store(offset)
	f.wake()
}

// end wakes all who wait: they find the store closed.
func (f *feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	f.wake()
}

func (f *feed) wake() {
	if f.grown != nil {
		close(f.grown)
		f.grown = nil
	}
}

// wait returns a channel that is closed when the feed grows or ends.
func (f *feed) wait() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		ended := make(chan struct{})
		close(ended)
		return ended
	}
	if f.grown == nil {
		f.grown = make(chan struct{})
	}
	return f.grown
}

// Head is the offset of the last durable entry of the feed.
func (s *Store) Head() uint64 { return s.feed.head.Load() }

// Grown is closed when the feed grows, and when the store is closed.
func (s *Store) Grown() <-chan struct{} { return s.feed.wait() }

// Feed lists durable entries after the given offset.
func (s *Store) Feed(after uint64, limit int) ([]storage.FeedEntry, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	head := s.feed.head.Load()
	if after >= head || limit < 1 {
		return nil, nil
	}
	var list []storage.FeedEntry
	lower, upper := appendFeedKey(nil, after+1), appendFeedKey(nil, head+1)
	err := s.scan(lower, upper, func(key, value []byte) (bool, error) {
		e, err := readFeedEntry(key, value)
		if err != nil {
			return false, err
		}
		if want := after + uint64(len(list)) + 1; e.Offset != want {
			return false, fmt.Errorf("%w: feed entry %d is missing", storage.ErrDamaged, want)
		}
		list = append(list, e)
		return len(list) < limit, nil
	})
	return list, err
}

// Timeline lists the durable entries of one device after the given offset.
func (s *Store) Timeline(dev storage.DeviceID, after uint64, limit int) ([]storage.FeedEntry, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	head := s.feed.head.Load()
	if after >= head || limit < 1 {
		return nil, nil
	}
	var list []storage.FeedEntry
	lower := appendNumberedKey(nil, tableTimeline, dev, after+1)
	upper := appendNumberedKey(nil, tableTimeline, dev, head+1)
	err := s.scan(lower, upper, func(key, _ []byte) (bool, error) {
		_, offset, _, ok := cutNumbered(key)
		if !ok {
			return false, damagedKey(key)
		}
		e := storage.FeedEntry{}
		if err := s.get(appendFeedKey(nil, offset), &e); err != nil {
			return false, dangling(key, err)
		}
		e.Offset = offset
		list = append(list, e)
		return len(list) < limit, nil
	})
	return list, err
}

// readFeedEntry reads an entry and gives it the offset that its key holds.
func readFeedEntry(key, value []byte) (storage.FeedEntry, error) {
	e := storage.FeedEntry{}
	if err := read(key, value, &e); err != nil {
		return e, err
	}
	if len(key) != 1+lenUint {
		return e, damagedKey(key)
	}
	e.Offset = binary.BigEndian.Uint64(key[1:])
	return e, nil
}

// lastOffset is the offset of the last entry the engine holds, 0 where there is none.
func (s *Store) lastOffset() (offset uint64, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: appendFeedKey(nil, 0), UpperBound: appendFeedKey(nil, math.MaxUint64),
	})
	if err != nil {
		return 0, err
	}
	defer closeIter(it, &err)
	if !it.Last() {
		return 0, it.Error()
	}
	if key := it.Key(); len(key) != 1+lenUint {
		return 0, damagedKey(key)
	}
	return binary.BigEndian.Uint64(it.Key()[1:]), nil
}
