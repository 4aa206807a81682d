package pebble

import (
	"errors"
	"math"
	"slices"
	"time"

	"dmgate/storage"
)

// Job reads one job of a device.
func (s *Store) Job(dev storage.DeviceID, id string) (*storage.Job, error) {
	return one[storage.Job](s, appendNamedKey(nil, tableJob, dev, id))
}

// Jobs lists all jobs of a device, the oldest first.
func (s *Store) Jobs(dev storage.DeviceID) ([]storage.Job, error) {
	prefix := appendDeviceKey(nil, tableJob, dev)
	list, err := rows[storage.Job](s, prefix, after(prefix), math.MaxInt)
	slices.SortStableFunc(list, func(a, b storage.Job) int { return int(min(max(int64(a.Number-b.Number), -1), 1)) })
	return list, err
}

// JobsDue lists open jobs whose wait is over, the longest overdue first.
func (s *Store) JobsDue(now time.Time, behind storage.JobRef, limit int) ([]storage.JobRef, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	lower := []byte{tableJobDue}
	if behind.ID != "" {
		lower = append(appendJobDueKey(nil, behind), 0)
	}
	upper := appendTime([]byte{tableJobDue}, now.Add(1)) // one nanosecond on: now is due
	if limit < 1 || string(lower) >= string(upper) {
		return nil, nil
	}
	var list []storage.JobRef
	err := s.scan(lower, upper, func(key, _ []byte) (bool, error) {
		ref, ok := cutJobDue(key)
		if !ok {
			return false, damagedKey(key)
		}
		list = append(list, ref)
		return len(list) < limit, nil
	})
	return list, err
}

// Nodes lists what is known of a device's tree, by URI.
func (s *Store) Nodes(dev storage.DeviceID, behind string, limit int) ([]storage.Node, error) {
	prefix := appendDeviceKey(nil, tableNode, dev)
	lower := prefix
	if behind != "" {
		lower = append(appendNamedKey(nil, tableNode, dev, behind), 0)
	}
	return rows[storage.Node](s, lower, after(prefix), limit)
}

// nodes writes what c says of the device's tree.
func (w *writer) nodes(c *storage.Commit) error {
	for i := range c.Nodes {
		w.key = appendNamedKey(w.key[:0], tableNode, c.Device, c.Nodes[i].URI)
		if c.Nodes[i].Time.IsZero() {
			w.delete(w.key)
			continue
		}
		if err := w.put(w.key, &c.Nodes[i]); err != nil {
			return err
		}
	}
	return nil
}

// jobs writes the jobs of c and carries out its edits. Several of one ID build on each other.
func (w *writer) jobs(c *storage.Commit) error {
	written := make([]storage.Job, 0, len(c.Jobs)+len(c.JobEdits))
	for i := range c.Jobs {
		var was storage.Job
		w.key = appendNamedKey(w.key[:0], tableJob, c.Device, c.Jobs[i].ID)
		switch err := w.s.get(w.key, &was); {
		case err == nil:
			return storage.ErrExists
		case !errors.Is(err, storage.ErrNotFound):
			return err
		}
		if err := w.job(c, &was, &c.Jobs[i]); err != nil {
			return err
		}
		written = append(written, c.Jobs[i])
	}
	for _, e := range c.JobEdits {
		was, err := w.jobWas(written, c.Device, e.ID)
		if err != nil {
			return err
		}
		is := was
		is.Steps, is.Tried = slices.Clone(was.Steps), slices.Clone(was.Tried)
		if err := e.Edit(&is); err != nil {
			return err
		}
		if is.ID != e.ID || is.Device != c.Device {
			return errors.New("storage: a job may not change its ID or its device")
		}
		is.Changed = was.Changed + 1
		if err := w.job(c, &was, &is); err != nil {
			return err
		}
		written = append(written, is)
	}
	return nil
}

// jobWas is a job as it stands, with what this commit has made of it so far.
func (w *writer) jobWas(written []storage.Job, dev storage.DeviceID, id string) (storage.Job, error) {
	for _, j := range slices.Backward(written) {
		if j.ID == id {
			return j, nil
		}
	}
	var j storage.Job
	w.key = appendNamedKey(w.key[:0], tableJob, dev, id)
	return j, w.s.get(w.key, &j)
}

// job writes a job, moves it in the index, and tells the feed where its state is another one.
func (w *writer) job(c *storage.Commit, was, is *storage.Job) error {
	w.key = appendNamedKey(w.key[:0], tableJob, c.Device, is.ID)
	if err := w.put(w.key, is); err != nil {
		return err
	}
	w.index(jobDueKey(was), jobDueKey(is))
	if was.State == is.State {
		return nil
	}
	w.entry = storage.FeedEntry{
		Time: c.Time, Device: c.Device, Kind: "job", Order: is.ID, Status: string(is.State), Text: is.Reason,
	}
	return w.append()
}

// jobDueKey is the entry of j among the jobs that wait, nil where it has come to its end.
func jobDueKey(j *storage.Job) []byte {
	if j.ID == "" || !j.State.Open() {
		return nil
	}
	return appendJobDueKey(nil, storage.JobRef{Until: j.Wait.Until, Device: j.Device, ID: j.ID})
}
