package pebble

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"dmgate/storage"
)

// migrateBatch bounds the bytes of one batch of a migration.
const migrateBatch = 4 << 20

// reportWindow is how long delivery reports of pushes were waited for before a push said so itself.
const reportWindow = 50 * time.Hour

// migrate brings a store of an older format to this one. Broken off, it begins anew at the next opening: the format is
// written when it is through.
func (s *Store) migrate(format uint64) error {
	if format == 1 {
		return s.migratePushes()
	}
	return nil
}

// migratePushes is format 1 to 2: what a push waits for stands in its record, and its indexes are other ones.
func (s *Store) migratePushes() error {
	b := s.db.NewBatch()
	defer b.Close()
	for _, table := range []byte{tablePushDue, tablePushOnWay, tableAwaiting} {
		if err := b.DeleteRange([]byte{table}, []byte{table + 1}, nil); err != nil {
			return err
		}
	}
	err := s.scan([]byte{tablePush}, []byte{tablePush + 1}, func(key, value []byte) (bool, error) {
		var p storage.PushJob
		if err := read(key, value, &p); err != nil {
			return false, err
		}
		switch {
		case !p.Until.IsZero():
		case p.State == storage.PushSent:
			p.Until = p.Changed.Add(reportWindow)
		case p.State == storage.PushDoubtful: // to be decided at once
			p.Until = p.Changed
		}
		record, err := storage.AppendRecord(nil, &p)
		if err != nil {
			return false, fmt.Errorf("%s: %w", describe(key), err)
		}
		if err := b.Set(key, record, nil); err != nil {
			return false, err
		}
		for _, index := range append(awaitingKeys(&p), queueKey(&p), wayKey(&p)) {
			if index == nil {
				continue
			}
			if err := b.Set(index, nil, nil); err != nil {
				return false, err
			}
		}
		if b.Len() < migrateBatch {
			return true, nil
		}
		if err := s.db.Apply(b, pebble.NoSync); err != nil {
			return false, err
		}
		b.Reset()
		return true, nil
	})
	if err != nil {
		return err
	}
	return s.db.Apply(b, pebble.Sync)
}
