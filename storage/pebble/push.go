package pebble

import (
	"errors"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"dmgate/storage"
)

// isQueued and isOnWay say which index a push is in.
func isQueued(p *storage.PushJob) bool { return p.State == storage.PushQueued }

func isOnWay(p *storage.PushJob) bool {
	return p.State == storage.PushSending || p.State == storage.PushSent
}

// Pushes lists all pushes of a device, oldest first.
func (s *Store) Pushes(dev storage.DeviceID) ([]storage.PushJob, error) {
	prefix := appendDeviceKey(nil, tablePush, dev)
	return rows[storage.PushJob](s, prefix, after(prefix), math.MaxInt)
}

// PushesDue lists queued pushes whose NotBefore is not after now: by priority, within a priority the longest due
// first, and those due since the same time by creation.
func (s *Store) PushesDue(now time.Time, limit int) (list []storage.PushJob, err error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if limit < 1 {
		return nil, nil
	}
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: []byte{tablePushDue}, UpperBound: []byte{tablePushDue + 1},
	})
	if err != nil {
		return nil, s.readError([]byte{tablePushDue}, err)
	}
	defer closeIter(it, &err)
	latest := string(appendTime(nil, now))
	for ok := it.First(); ok; {
		key := it.Key()
		if len(key) < 1+1+lenTime {
			return nil, damagedKey(key)
		}
		priority := key[1]
		if string(key[2:2+lenTime]) > latest { // no more of this priority are due
			if priority == math.MaxUint8 {
				break
			}
			ok = it.SeekGE([]byte{tablePushDue, priority + 1})
			continue
		}
		p, err := s.push(key, 1+1+lenTime)
		if err != nil {
			return nil, err
		}
		if isQueued(p) && !p.NotBefore.After(now) { // else it changed between the index and the record
			list = append(list, *p)
		}
		if len(list) == limit {
			break
		}
		ok = it.Next()
	}
	if err := it.Error(); err != nil {
		return nil, s.readError([]byte{tablePushDue}, err)
	}
	return list, nil
}

// PushesUnderWay lists pushes in states sending and sent, by ID.
func (s *Store) PushesUnderWay(afterPush uint64, limit int) ([]storage.PushJob, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if limit < 1 || afterPush == math.MaxUint64 {
		return nil, nil
	}
	var list []storage.PushJob
	lower := appendUint([]byte{tablePushOnWay}, afterPush+1)
	err := s.scan(lower, []byte{tablePushOnWay + 1}, func(key, _ []byte) (bool, error) {
		p, err := s.push(key, 1)
		if err != nil {
			return false, err
		}
		if isOnWay(p) {
			list = append(list, *p)
		}
		return len(list) < limit, nil
	})
	return list, err
}

// push reads the push that an index entry leads to. head is the length of what stands before the reference.
func (s *Store) push(key []byte, head int) (*storage.PushJob, error) {
	ref, ok := cutPushRef(key[head:])
	if !ok {
		return nil, damagedKey(key)
	}
	p := &storage.PushJob{}
	if err := s.get(appendNumberedKey(nil, tablePush, ref.device, ref.id), p); err != nil {
		return nil, dangling(key, err)
	}
	return p, nil
}

// push writes p and moves it in the indexes. before are the pushes written earlier in this commit: of several
// records with one ID the last one counts.
func (w *writer) push(p *storage.PushJob, before []storage.PushJob) error {
	w.key = appendNumberedKey(w.key[:0], tablePush, p.Device, p.ID)
	var was storage.PushJob
	if err := w.s.get(w.key, &was); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	for i := range before {
		if before[i].ID == p.ID {
			was = before[i]
		}
	}
	if err := w.put(w.key, p); err != nil {
		return err
	}
	w.index(queueKey(&was), queueKey(p))
	w.index(wayKey(&was), wayKey(p))
	return nil
}

// queueKey is the entry of p among the pushes that wait for a modem, nil where it does not.
func queueKey(p *storage.PushJob) []byte {
	if !isQueued(p) {
		return nil
	}
	return appendPushDueKey(nil, p)
}

// wayKey is the entry of p among the pushes under way, nil where it is not.
func wayKey(p *storage.PushJob) []byte {
	if !isOnWay(p) {
		return nil
	}
	return appendPushOnWayKey(nil, p)
}
