package pebble

import (
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/cockroachdb/pebble/v2"

	"dmgate/storage"
)

// Commit makes c durable. It gathers a batch under the lock of its device, gives it its place in the feed and in the
// log under the store's, and waits for the fsync under none: all commits that are in the log by then share it.
func (s *Store) Commit(c *storage.Commit) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	if err := verify(c); err != nil {
		return err
	}
	return s.write(func(w *writer) (uint64, error) { return s.apply(w, c) })
}

// write has apply put a commit into the engine, and waits until that is durable.
func (s *Store) write(apply func(w *writer) (offset uint64, err error)) error {
	w := writers.Get().(*writer)
	w.reset(s)
	defer w.release()

	offset, err := apply(w)
	if err != nil {
		return err
	}
	if !s.noSync {
		err = w.batch.SyncWait()
	}
	// The fence knows of a failure before Pebble does; see there. A store that has failed acknowledges nothing.
	if cause := s.fence.err(); cause != nil {
		return failed(cause)
	}
	if err != nil {
		s.fence.raise(err)
		return failed(err)
	}
	s.feed.advance(offset)
	s.commits.Add(1)
	return nil
}

// verify rejects a commit whose parts are not of its device: its atomicity would be a lie on a store of many nodes.
func verify(c *storage.Commit) error {
	if c.Device == "" && !onlyFeed(c) {
		return errors.New("storage: commit without a device")
	}
	other := func(what string, dev storage.DeviceID) error {
		return fmt.Errorf("storage: commit for device %q with %s of device %q", c.Device, what, dev)
	}
	if c.New != nil && c.New.ID != c.Device {
		return other("the record", c.New.ID)
	}
	if c.Account != nil && c.Account.Device != c.Device {
		return other("the account", c.Account.Device)
	}
	for i := range c.Orders {
		if c.Orders[i].Device != c.Device {
			return other("an order", c.Orders[i].Device)
		}
	}
	for i := range c.Tasks {
		if c.Tasks[i].Device != c.Device {
			return other("a task", c.Tasks[i].Device)
		}
	}
	for i := range c.Results {
		if c.Results[i].Device != c.Device {
			return other("results", c.Results[i].Device)
		}
	}
	for i := range c.Pushes {
		if c.Pushes[i].Device != c.Device {
			return other("a push", c.Pushes[i].Device)
		}
	}
	for i := range c.Nodes {
		if c.Nodes[i].Device != c.Device {
			return other("a node", c.Nodes[i].Device)
		}
	}
	for i := range c.Jobs {
		if c.Jobs[i].Device != c.Device {
			return other("a job", c.Jobs[i].Device)
		}
	}
	if c.Checkpoint != nil && c.Checkpoint.Device != c.Device {
		return other("the checkpoint", c.Checkpoint.Device)
	}
	return nil
}

// onlyFeed says whether c has nothing that belongs to a device.
func onlyFeed(c *storage.Commit) bool {
	return c.New == nil && c.Edit == nil && c.Account == nil && c.Checkpoint == nil &&
		len(c.Orders)+len(c.Ends)+len(c.Tasks)+len(c.Results)+len(c.Pushes)+len(c.PushEdits)+
			len(c.Nodes)+len(c.Jobs)+len(c.JobEdits) == 0
}

// apply puts c into the engine and returns the offset of its last feed entry, 0 where it has none. After an error
// nothing has happened.
func (s *Store) apply(w *writer, c *storage.Commit) (uint64, error) {
	own := &s.devices[maphash.String(s.seed, string(c.Device))%uint64(len(s.devices))]
	own.Lock()
	defer own.Unlock()

	if err := w.pushes(c); err != nil {
		return 0, err
	}
	renamed, err := w.device(c)
	if err != nil {
		return 0, err
	}
	if err := w.jobs(c); err != nil {
		return 0, err
	}
	if err := w.records(c); err != nil {
		return 0, err
	}
	if err := w.entries(c); err != nil {
		return 0, err
	}
	if renamed {
		s.names.Lock()
		defer s.names.Unlock()
		if err := w.names(c.Device); err != nil {
			return 0, err
		}
	}
	return s.publish(w, c.Device)
}

// publish gives the feed entries their offsets and the batch its place in the log. This is the one lock that all
// commits take: memory only, apart from the moments when Pebble opens a new log.
func (s *Store) publish(w *writer, dev storage.DeviceID) (last uint64, err error) {
	s.order.Lock()
	defer s.order.Unlock()
	begin := 0
	for i, end := range w.ends {
		offset := s.next + uint64(i)
		w.key = appendFeedKey(w.key[:0], offset)
		w.set(w.key, w.feed[begin:end])
		if dev != "" {
			w.key = appendNumberedKey(w.key[:0], tableTimeline, dev, offset)
			w.set(w.key, nil)
		}
		begin, last = end, offset
	}
	if w.err != nil {
		return 0, w.err
	}
	if s.noSync {
		err = s.db.Apply(w.batch, pebble.NoSync)
	} else {
		err = s.db.ApplyNoSyncWait(w.batch, pebble.Sync)
	}
	if err != nil {
		return 0, fmt.Errorf("storage: %w", err)
	}
	s.next += uint64(len(w.ends)) // only now: a batch that was refused burns no offset
	return last, nil
}
