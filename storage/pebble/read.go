package pebble

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/tinylib/msgp/msgp"

	"dmgate/storage"
)

// read reads a record and names it where that fails.
func read(key, value []byte, r msgp.Unmarshaler) error {
	if err := storage.ReadRecord(value, r); err != nil {
		return fmt.Errorf("%w (%s)", err, describe(key))
	}
	return nil
}

func damagedKey(key []byte) error { return fmt.Errorf("%w: %s", storage.ErrDamaged, describe(key)) }

// dangling is the error of following the index entry under key: nothing is ever deleted, so what an index entry leads
// to has to be there.
func dangling(key []byte, err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("%w: %s leads nowhere", storage.ErrDamaged, describe(key))
	}
	return err
}

// get reads the record under key into r.
func (s *Store) get(key []byte, r msgp.Unmarshaler) (err error) {
	value, closer, err := s.db.Get(key)
	if err != nil {
		return s.readError(key, err)
	}
	defer closeRead(closer, &err)
	return read(key, value, r)
}

// readError is what a caller gets to see of an engine's error.
func (s *Store) readError(key []byte, err error) error {
	if errors.Is(err, pebble.ErrNotFound) {
		return storage.ErrNotFound
	}
	if cause := s.fence.err(); cause != nil {
		return failed(cause)
	}
	return fmt.Errorf("storage: reading %s: %w", describe(key), err)
}

// scan shows visit all rows from lower up to, not including, upper, until it says that it wants no more. Key and
// value are good during the call only.
func (s *Store) scan(lower, upper []byte, visit func(key, value []byte) (more bool, err error)) (err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return s.readError(lower, err)
	}
	defer closeIter(it, &err)
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return s.readError(it.Key(), err)
		}
		if more, err := visit(it.Key(), value); err != nil || !more {
			return err
		}
	}
	if err := it.Error(); err != nil {
		return s.readError(lower, err)
	}
	return nil
}

func closeIter(it *pebble.Iterator, err *error) { closeRead(it, err) }

// closeRead closes what a read held and reports its error where there is no other.
func closeRead(c io.Closer, err *error) {
	if e := c.Close(); e != nil && *err == nil {
		*err = fmt.Errorf("storage: %w", e)
	}
}

// record is a pointer to a record of type T.
type record[T any] interface {
	*T
	msgp.Unmarshaler
}

// one reads the record under key.
func one[T any, P record[T]](s *Store, key []byte) (*T, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	r := new(T)
	if err := s.get(key, P(r)); err != nil {
		return nil, err
	}
	return r, nil
}

// rows reads at most limit records of one table.
func rows[T any, P record[T]](s *Store, lower, upper []byte, limit int) ([]T, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if limit < 1 {
		return nil, nil
	}
	var list []T
	err := s.scan(lower, upper, func(key, value []byte) (bool, error) {
		var r T
		if err := read(key, value, P(&r)); err != nil {
			return false, err
		}
		list = append(list, r)
		return len(list) < limit, nil
	})
	return list, err
}

// Device reads a device's record.
func (s *Store) Device(id storage.DeviceID) (*storage.Device, error) {
	return one[storage.Device](s, appendDeviceKey(nil, tableDevice, id))
}

// FindDevice looks a device up by a unique field.
func (s *Store) FindDevice(by storage.Index, value string) (storage.DeviceID, error) {
	if err := s.enter(); err != nil {
		return "", err
	}
	defer s.gate.leave()
	switch by {
	case storage.ByMSISDN:
		return s.owner(appendNameKey(nil, tableMSISDN, value))
	case storage.ByDevID:
		return s.owner(appendNameKey(nil, tableDevID, value))
	}
	return "", fmt.Errorf("storage: no index %q", by)
}

// owner reads the device that an index of unique names holds under key.
func (s *Store) owner(key []byte) (id storage.DeviceID, err error) {
	value, closer, err := s.db.Get(key)
	if err != nil {
		return "", s.readError(key, err)
	}
	defer closeRead(closer, &err)
	return storage.DeviceID(value), nil
}

// Devices lists devices by ID.
func (s *Store) Devices(after storage.DeviceID, limit int) ([]storage.Device, error) {
	lower := append(appendDeviceKey(nil, tableDevice, after), 0) // the key behind that of after
	if after == "" {
		lower = []byte{tableDevice}
	}
	return rows[storage.Device](s, lower, []byte{tableDevice + 1}, limit)
}

// DevicesDue lists devices whose Wait.Until is not after now, the longest overdue first.
func (s *Store) DevicesDue(now time.Time, limit int) ([]storage.DeviceID, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if limit < 1 {
		return nil, nil
	}
	var list []storage.DeviceID
	upper := appendTime([]byte{tableDeviceDue}, now.Add(1)) // one nanosecond on: now is due
	err := s.scan([]byte{tableDeviceDue}, upper, func(key, _ []byte) (bool, error) {
		if len(key) < 1+lenTime {
			return false, damagedKey(key)
		}
		dev, rest, ok := cutText(key[1+lenTime:])
		if !ok || len(rest) > 0 {
			return false, damagedKey(key)
		}
		list = append(list, storage.DeviceID(dev))
		return len(list) < limit, nil
	})
	return list, err
}

// Account reads a device's credentials.
func (s *Store) Account(id storage.DeviceID) (*storage.Account, error) {
	return one[storage.Account](s, appendDeviceKey(nil, tableAccount, id))
}

// Order reads one order of a device.
func (s *Store) Order(dev storage.DeviceID, id string) (*storage.Order, error) {
	return one[storage.Order](s, appendOrderKey(nil, dev, id))
}

// Orders lists all orders of a device, the oldest first.
func (s *Store) Orders(dev storage.DeviceID) ([]storage.Order, error) {
	prefix := appendDeviceKey(nil, tableOrder, dev)
	list, err := rows[storage.Order](s, prefix, after(prefix), math.MaxInt)
	slices.SortStableFunc(list, func(a, b storage.Order) int { return a.Created.Compare(b.Created) })
	return list, err
}

// Task reads one task of a device.
func (s *Store) Task(dev storage.DeviceID, id uint64) (*storage.Task, error) {
	return one[storage.Task](s, appendNumberedKey(nil, tableTask, dev, id))
}

// OpenTasks lists tasks neither done nor failed, oldest first.
func (s *Store) OpenTasks(dev storage.DeviceID, afterTask uint64, limit int) ([]storage.Task, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if limit < 1 || afterTask == math.MaxUint64 {
		return nil, nil
	}
	var list []storage.Task
	lower := appendNumberedKey(nil, tableOpenTask, dev, afterTask+1)
	upper := after(appendDeviceKey(nil, tableOpenTask, dev))
	err := s.scan(lower, upper, func(key, _ []byte) (bool, error) {
		t := storage.Task{}
		if err := s.get(indexed(tableTask, key), &t); err != nil {
			return false, dangling(key, err)
		}
		if t.Open() { // else it ended between the index and the record
			list = append(list, t)
		}
		return len(list) < limit, nil
	})
	return list, err
}

// indexed is key in another table.
func indexed(table byte, key []byte) []byte {
	key = bytes.Clone(key)
	key[0] = table
	return key
}

// Results lists what tasks after the given one brought. A page holds whole tasks, so that the cursor misses nothing:
// it may exceed limit by what is left of its last task.
func (s *Store) Results(dev storage.DeviceID, afterTask uint64, limit int) ([]storage.Results, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if limit < 1 || afterTask == math.MaxUint64 {
		return nil, nil
	}
	var list []storage.Results
	lower := appendNumberedKey(nil, tableResults, dev, afterTask+1)
	upper := after(appendDeviceKey(nil, tableResults, dev))
	err := s.scan(lower, upper, func(key, value []byte) (bool, error) {
		_, task, _, ok := cutNumbered(key)
		if !ok {
			return false, damagedKey(key)
		}
		if n := len(list); n >= limit && list[n-1].Task != task {
			return false, nil
		}
		r := storage.Results{}
		if err := read(key, value, &r); err != nil {
			return false, err
		}
		list = append(list, r)
		return true, nil
	})
	return list, err
}

// Checkpoint reads the state of a device's session.
func (s *Store) Checkpoint(dev storage.DeviceID) (*storage.Checkpoint, error) {
	return one[storage.Checkpoint](s, appendDeviceKey(nil, tableCheckpoint, dev))
}
