package pebble

import (
	"errors"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"dmgate/storage"
	"dmgate/storage/storagetest"
)

// TestFormat1 opens a store of the first format, in which the queue had no flows and nobody knew what a push waited
// for.
func TestFormat1(t *testing.T) {
	fs := vfs.NewMem()
	s, err := Open("db", Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	changed := time.Unix(1_700_000_000, 0).UTC()
	pushes := []storage.PushJob{
		{ID: 1, Device: "a", State: storage.PushQueued, Priority: 2, NotBefore: changed},
		{ID: 2, Device: "a", State: storage.PushSent, Modem: "m", MSISDN: "+491701234567", Changed: changed,
			Segments: []storage.Segment{{Sent: true, Reference: 9}}},
		{ID: 3, Device: "a", State: storage.PushDoubtful, Modem: "m", MSISDN: "+491701234567", Changed: changed,
			Segments: []storage.Segment{{}}},
		{ID: 4, Device: "a", State: storage.PushSending},
		{ID: 5, Device: "a", State: storage.PushDelivered},
	}
	b := s.db.NewBatch()
	errs := []error{setNumber(b, storeFormat, 1)}
	for i := range pushes {
		p := &pushes[i]
		record, err := storage.AppendRecord(nil, p)
		errs = append(errs, err, b.Set(appendNumberedKey(nil, tablePush, "a", p.ID), record, nil))
	}
	due := appendPushRef(appendTime([]byte{tablePushDue, 2}, changed), &pushes[0]) // as it was: without a flow
	way := appendPushRef([]byte{tablePushOnWay}, &pushes[1])                       // and without a time
	errs = append(errs, b.Set(due, nil, nil), b.Set(way, nil, nil), b.Commit(pebble.Sync), s.Close())
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}

	for range 3 { // what was brought to this format stays as it is
		if s, err = Open("db", Options{FS: fs}); err != nil {
			t.Fatal(err)
		}
		if report, err := s.Check(); err != nil || !report.OK() {
			t.Errorf("check: %v, %v", report, err)
		}
		flows, err := s.PushFlows(changed, storage.Flow{}, 9)
		if d := storagetest.Difference(flows, []storage.Flow{{Priority: 2}}); err != nil || d != "" {
			t.Errorf("flows: %v, differ at%s", err, d)
		}
		wantPushes(t, "overdue at once")(s.PushesOverdue(changed, 9))(4, 3)
		wantPushes(t, "overdue after the window")(s.PushesOverdue(changed.Add(50*time.Hour), 9))(4, 3, 2)
		wantPushes(t, "awaiting")(s.PushesAwaiting("m", "+491701234567", 9))(2, 3)
		// As if it had broken off before the end: it begins anew.
		b := s.db.NewBatch()
		if err := errors.Join(setNumber(b, storeFormat, 1), b.Commit(pebble.Sync), s.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func wantPushes(t *testing.T, what string) func(list []storage.PushJob, err error) func(ids ...uint64) {
	return func(list []storage.PushJob, err error) func(ids ...uint64) {
		return func(ids ...uint64) {
			t.Helper()
			var got []uint64
			for i := range list {
				got = append(got, list[i].ID)
			}
			if d := storagetest.Difference(got, ids); err != nil || d != "" {
				t.Errorf("%s: %v, differ at%s", what, err, d)
			}
		}
	}
}
