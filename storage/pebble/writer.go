package pebble

import (
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/tinylib/msgp/msgp"

	"dmgate/storage"
)

// writer is the memory that a commit needs, kept for the next one.
type writer struct {
	s     *Store
	batch *pebble.Batch
	err   error // of the first set or delete that failed: a batch that has grown past Pebble's limit of 4 GiB

	key, val []byte // scratch
	feed     []byte // encoded feed entries, back to back
	ends     []int  // where each ends in feed
	entry    storage.FeedEntry
	was, now storage.Device    // the device's record before and after Edit
	pushed   []storage.PushJob // pushes written so far
}

var writers = sync.Pool{New: func() any { return new(writer) }}

func (w *writer) reset(s *Store) {
	w.s, w.batch, w.err = s, s.db.NewBatch(), nil
	w.feed, w.ends = w.feed[:0], w.ends[:0]
}

// release gives all back. The batch is either in the log, synced or given up, or was never applied.
func (w *writer) release() {
	w.batch.Close() // fails where it was closed before, which it was not
	w.s, w.batch = nil, nil
	w.entry, w.was, w.now = storage.FeedEntry{}, storage.Device{}, storage.Device{} // they hold on to the caller's
	clear(w.pushed)
	w.pushed = w.pushed[:0]
	const keep = 64 << 10
	if cap(w.val) > keep || cap(w.feed) > keep {
		w.val, w.feed = nil, nil
	}
	writers.Put(w)
}

func (w *writer) set(key, value []byte) {
	if err := w.batch.Set(key, value, nil); err != nil && w.err == nil {
		w.err = fmt.Errorf("storage: %w", err)
	}
}

func (w *writer) delete(key []byte) {
	if err := w.batch.Delete(key, nil); err != nil && w.err == nil {
		w.err = fmt.Errorf("storage: %w", err)
	}
}

// put writes a record under key.
func (w *writer) put(key []byte, r msgp.Marshaler) error {
	val, err := storage.AppendRecord(w.val[:0], r)
	if err != nil {
		return fmt.Errorf("storage: writing %s: %w", describe(key), err)
	}
	w.val = val
	w.set(key, val)
	return nil
}

// index moves an index entry from where it was to where it is: set and deleted keys are nil where there is none.
func (w *writer) index(was, is []byte) {
	if string(was) == string(is) {
		return
	}
	if was != nil {
		w.delete(was)
	}
	if is != nil {
		w.set(is, nil)
	}
}

// records writes all but the device's own record, its pushes, its jobs and the feed.
func (w *writer) records(c *storage.Commit) error {
	if c.Account != nil {
		w.key = appendDeviceKey(w.key[:0], tableAccount, c.Device)
		if err := w.put(w.key, c.Account); err != nil {
			return err
		}
	}
	for i := range c.Orders {
		w.key = appendOrderKey(w.key[:0], c.Device, c.Orders[i].ID)
		if err := w.put(w.key, &c.Orders[i]); err != nil {
			return err
		}
	}
	for i := range c.Ends {
		if err := w.orderEnd(c, i); err != nil {
			return err
		}
	}
	for i := range c.Tasks {
		if err := w.task(&c.Tasks[i]); err != nil {
			return err
		}
	}
	for i := range c.Results {
		r := &c.Results[i]
		w.key = appendResultsKey(w.key[:0], r, w.s.epoch, w.s.arrival.Add(1))
		if err := w.put(w.key, r); err != nil {
			return err
		}
	}
	if c.Checkpoint != nil {
		w.key = appendDeviceKey(w.key[:0], tableCheckpoint, c.Device)
		if err := w.put(w.key, c.Checkpoint); err != nil {
			return err
		}
	}
	return w.nodes(c)
}

// task writes t. Its place in the index does not depend on what it was before, so that is not read.
func (w *writer) task(t *storage.Task) error {
	w.key = appendNumberedKey(w.key[:0], tableTask, t.Device, t.ID)
	if err := w.put(w.key, t); err != nil {
		return err
	}
	w.key[0] = tableOpenTask
	if t.Open() {
		w.set(w.key, nil)
	} else {
		w.delete(w.key)
	}
	return nil
}

// entries encodes the commit's own feed entries.
func (w *writer) entries(c *storage.Commit) error {
	for i := range c.Feed {
		w.entry = c.Feed[i]
		w.entry.Time, w.entry.Device = c.Time, c.Device
		if err := w.append(); err != nil {
			return err
		}
	}
	return nil
}

// append encodes w.entry behind the feed entries so far. Its offset is left to the key: it is not known yet.
func (w *writer) append() error {
	w.entry.Offset = 0
	feed, err := storage.AppendRecord(w.feed, &w.entry)
	if err != nil {
		return fmt.Errorf("storage: writing a feed entry of device %q: %w", w.entry.Device, err)
	}
	w.feed = feed
	w.ends = append(w.ends, len(feed))
	return nil
}
