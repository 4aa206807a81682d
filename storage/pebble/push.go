package pebble

import (
	"bytes"
	"errors"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"dmgate/storage"
)

// Pushes lists all pushes of a device, oldest first.
func (s *Store) Pushes(dev storage.DeviceID) ([]storage.PushJob, error) {
	prefix := appendDeviceKey(nil, tablePush, dev)
	return rows[storage.PushJob](s, prefix, after(prefix), math.MaxInt)
}

// Push reads a push.
func (s *Store) Push(dev storage.DeviceID, id uint64) (*storage.PushJob, error) {
	return one[storage.PushJob](s, appendNumberedKey(nil, tablePush, dev, id))
}

// PushFlows lists the flows in which a push is due. It looks at the first entry of each flow only.
func (s *Store) PushFlows(now time.Time, from storage.Flow, limit int) (list []storage.Flow, err error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if limit < 1 {
		return nil, nil
	}
	lower := appendFlowKey(nil, from)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: []byte{tablePushDue + 1}})
	if err != nil {
		return nil, s.readError(lower, err)
	}
	defer closeIter(it, &err)
	latest := appendTime(nil, now)
	for ok := it.First(); ok && len(list) < limit; {
		flow, rest, ok2 := cutFlow(it.Key())
		if !ok2 {
			return nil, damagedKey(it.Key())
		}
		if bytes.Compare(rest[:lenTime], latest) <= 0 {
			list = append(list, flow)
		}
		ok = it.SeekGE(after(appendFlowKey(nil, flow)))
	}
	if err := it.Error(); err != nil {
		return nil, s.readError(lower, err)
	}
	return list, nil
}

// PushesDue lists the pushes of a flow whose NotBefore is not after now: the longest due first, and those due since the
// same time by creation.
func (s *Store) PushesDue(flow storage.Flow, now time.Time, limit int) ([]storage.PushJob, error) {
	lower := appendFlowKey(nil, flow)
	head := len(lower) + lenTime
	return s.pushes(lower, after(appendTime(bytes.Clone(lower), now)), head, limit, func(p *storage.PushJob) bool {
		return p.State == storage.PushQueued && !p.NotBefore.After(now)
	})
}

// PushesOverdue lists the pushes in state sending, then those whose Until is not after now, the longest overdue first.
func (s *Store) PushesOverdue(now time.Time, limit int) ([]storage.PushJob, error) {
	lower := []byte{tablePushOnWay}
	upper := after(appendTime([]byte{tablePushOnWay}, now))
	return s.pushes(lower, upper, 1+lenTime, limit, func(p *storage.PushJob) bool {
		return p.State == storage.PushSending || p.Awaits() && !p.Until.After(now)
	})
}

// awaitingLimit bounds the pushes to one number that a report may be for: references wrap at 256.
const awaitingLimit = 256

// PushesAwaiting lists the pushes that a delivery report may be for: by its reference, the newest first, then those
// that have a segment whose reference is unknown.
func (s *Store) PushesAwaiting(modem, number string, reference uint8) ([]storage.PushJob, error) {
	same := func(p *storage.PushJob) bool {
		return p.Awaits() && p.Modem == modem && storage.SameNumber(p.MSISDN, number)
	}
	lower := append(appendAwaitingKey(nil, modem, number), awaitsKnown, reference)
	known, err := s.pushes(lower, after(lower), len(lower), awaitingLimit, func(p *storage.PushJob) bool {
		return same(p) && hasSegment(p, func(g *storage.Segment) bool {
			return g.Sent && !g.Reported && g.Reference == reference
		})
	})
	if err != nil {
		return nil, err
	}
	for i, k := 0, len(known)-1; i < k; i, k = i+1, k-1 {
		known[i], known[k] = known[k], known[i]
	}
	lower = append(appendAwaitingKey(nil, modem, number), awaitsUnknown, 0)
	unknown, err := s.pushes(lower, after(lower), len(lower), awaitingLimit, func(p *storage.PushJob) bool {
		return same(p) && hasSegment(p, p.AwaitsUnknown)
	})
	for i := range unknown {
		if !containsPush(known, &unknown[i]) {
			known = append(known, unknown[i])
		}
	}
	return known, err
}

func containsPush(list []storage.PushJob, p *storage.PushJob) bool {
	for i := range list {
		if list[i].ID == p.ID && list[i].Device == p.Device {
			return true
		}
	}
	return false
}

func hasSegment(p *storage.PushJob, is func(*storage.Segment) bool) bool {
	for i := range p.Segments {
		if is(&p.Segments[i]) {
			return true
		}
	}
	return false
}

// pushes reads the pushes that index entries lead to, head bytes behind their beginning. Those that have changed since,
// so that they do not belong there any more, are left out.
func (s *Store) pushes(
	lower, upper []byte, head, limit int, belongs func(*storage.PushJob) bool,
) ([]storage.PushJob, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if limit < 1 {
		return nil, nil
	}
	var list []storage.PushJob
	err := s.scan(lower, upper, func(key, _ []byte) (bool, error) {
		ref, ok := cutPushRef(key[min(head, len(key)):])
		if !ok {
			return false, damagedKey(key)
		}
		var p storage.PushJob
		if err := s.get(appendNumberedKey(nil, tablePush, ref.device, ref.id), &p); err != nil {
			return false, dangling(key, err)
		}
		if belongs(&p) {
			list = append(list, p)
		}
		return len(list) < limit, nil
	})
	return list, err
}

// pushes writes the pushes of c and carries out its edits. Several of one ID build on each other.
func (w *writer) pushes(c *storage.Commit) error {
	for i := range c.Pushes {
		was, err := w.pushWas(c.Device, c.Pushes[i].ID)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if err := w.push(c, &was, &c.Pushes[i]); err != nil {
			return err
		}
	}
	for _, e := range c.PushEdits {
		was, err := w.pushWas(c.Device, e.ID)
		if err != nil {
			return err
		}
		is := was
		is.Segments = append([]storage.Segment(nil), was.Segments...)
		if err := e.Edit(&is); err != nil {
			return err
		}
		if is.ID != e.ID || is.Device != c.Device {
			return errors.New("storage: a push may not change its ID or its device")
		}
		if err := w.push(c, &was, &is); err != nil {
			return err
		}
	}
	return nil
}

// pushWas is a push as it stands, with what this commit has made of it so far.
func (w *writer) pushWas(dev storage.DeviceID, id uint64) (storage.PushJob, error) {
	for i := len(w.pushed) - 1; i >= 0; i-- {
		if w.pushed[i].ID == id {
			return w.pushed[i], nil
		}
	}
	var p storage.PushJob
	w.key = appendNumberedKey(w.key[:0], tablePush, dev, id)
	return p, w.s.get(w.key, &p)
}

// push writes a push, moves it in the indexes, and tells the feed where its state is another one.
func (w *writer) push(c *storage.Commit, was, is *storage.PushJob) error {
	w.pushed = append(w.pushed, *is)
	w.key = appendNumberedKey(w.key[:0], tablePush, is.Device, is.ID)
	if err := w.put(w.key, is); err != nil {
		return err
	}
	w.index(queueKey(was), queueKey(is))
	w.index(wayKey(was), wayKey(is))
	old, now := awaitingKeys(was), awaitingKeys(is)
	for _, key := range old {
		if !containsKey(now, key) {
			w.delete(key)
		}
	}
	for _, key := range now {
		if !containsKey(old, key) {
			w.set(key, nil)
		}
	}
	news, ok := storage.PushNews(was, is)
	if !ok {
		return nil
	}
	w.entry = news
	w.entry.Time, w.entry.Device = c.Time, c.Device
	return w.append()
}

func containsKey(keys [][]byte, key []byte) bool {
	for _, k := range keys {
		if bytes.Equal(k, key) {
			return true
		}
	}
	return false
}

// queueKey is the entry of p among the pushes that wait for a modem, nil where it does not.
func queueKey(p *storage.PushJob) []byte {
	if p.State != storage.PushQueued {
		return nil
	}
	key := appendFlowKey(nil, storage.Flow{Priority: p.Priority, Name: p.Flow})
	return appendPushRef(appendTime(key, p.NotBefore), p)
}

// wayKey is the entry of p among the pushes under way, nil where it is not. One that is being sent is overdue from the
// beginning: who finds it there has come after a crash.
func wayKey(p *storage.PushJob) []byte {
	if !p.UnderWay() {
		return nil
	}
	until := p.Until
	if p.State == storage.PushSending {
		until = time.Time{}
	}
	return appendPushRef(appendTime([]byte{tablePushOnWay}, until), p)
}

// awaitingKeys are the entries of the segments of p whose delivery reports are waited for.
func awaitingKeys(p *storage.PushJob) (keys [][]byte) {
	if !p.Awaits() {
		return nil
	}
	for i := range p.Segments {
		kind := [2]byte{awaitsUnknown, 0}
		switch g := &p.Segments[i]; {
		case g.Sent && !g.Reported:
			kind = [2]byte{awaitsKnown, g.Reference}
		case !p.AwaitsUnknown(g):
			continue
		}
		key := appendPushRef(append(appendAwaitingKey(nil, p.Modem, p.MSISDN), kind[:]...), p)
		if !containsKey(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}
