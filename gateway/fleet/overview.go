package fleet

import (
	"context"
	"errors"
	"sync"

	"dmgate/storage"
)

// Overview is how many devices stand where. It is a reader of the feed like any other.
type Overview struct {
	Offset  uint64                // of the last feed entry counted
	Devices int                   // all
	States  map[storage.State]int // by state
}

type overview struct {
	mu sync.Mutex
	Overview
}

const overviewPage = 1000

// Load counts the devices in the store, and looks where an earlier process has come to with its numbers. It must have
// returned before the first order or session.
func (f *Fleet) Load() error {
	o := &f.overview
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Overview = Overview{Offset: f.store.Head(), States: make(map[storage.State]int)}
	last, err := f.store.Feed(o.Offset-min(o.Offset, 1), 1)
	if err != nil {
		return err
	}
	for i := range last {
		f.lastID.Store(uint64(max(0, last[i].Time.UnixMicro())))
	}
	var after storage.DeviceID
	for {
		page, err := f.store.Devices(after, overviewPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			o.States[page[i].State]++
			o.Devices++
		}
		after = page[len(page)-1].ID
	}
}

// Follow keeps the overview up to date with the feed, until ctx ends.
func (f *Fleet) Follow(ctx context.Context) error {
	for {
		grown := f.store.Grown()
		entries, err := f.store.Feed(f.Overview().Offset, overviewPage)
		if err != nil && !errors.Is(err, storage.ErrFailed) { // a store that has failed is open again when it has grown
			return err
		}
		f.overview.count(entries)
		if len(entries) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-grown:
		}
	}
}

func (o *overview) count(entries []storage.FeedEntry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range entries {
		e := &entries[i]
		o.Offset = e.Offset
		if e.Kind != "state" {
			continue
		}
		o.States[e.To]++
		if e.From == "" {
			o.Devices++
		} else {
			o.States[e.From]--
		}
	}
}

// Overview is the overview as it stands now.
func (f *Fleet) Overview() Overview {
	o := &f.overview
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.Overview
	now.States = make(map[storage.State]int, len(o.States))
	for s, n := range o.States {
		now.States[s] = n
	}
	return now
}
