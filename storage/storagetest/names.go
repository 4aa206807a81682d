package storagetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"dmgate/storage"
)

// testUnique gives a second device what a first one has.
func testUnique(t *testing.T, s storage.Store) {
	first := device("a")
	first.DevID = "IMEI:1"
	commit(t, s, &storage.Commit{Device: "a", New: first})
	register(t, s, "b")
	head := s.Head()

	with := func(id storage.DeviceID, change func(*storage.Device)) *storage.Commit {
		d := device(id)
		change(d)
		return &storage.Commit{Device: id, New: d, Feed: []storage.FeedEntry{{Kind: "device"}}}
	}
	edited := func(change func(*storage.Device)) *storage.Commit {
		return &storage.Commit{Device: "b", Edit: func(d *storage.Device) error { change(d); return nil }}
	}
	for name, c := range map[string]*storage.Commit{
		"new with the same ID":      with("a", func(d *storage.Device) { d.MSISDN = "+1" }),
		"new with the same MSISDN":  with("c", func(d *storage.Device) { d.MSISDN = first.MSISDN }),
		"new with the same DevID":   with("c", func(d *storage.Device) { d.DevID = first.DevID }),
		"edit to the same MSISDN":   edited(func(d *storage.Device) { d.MSISDN = first.MSISDN }),
		"edit to the same DevID":    edited(func(d *storage.Device) { d.DevID = first.DevID }),
		"edit of both, one refused": edited(func(d *storage.Device) { d.MSISDN, d.DevID = "+9", first.DevID }),
	} {
		wantError(t, name, s.Commit(c), storage.ErrExists)
	}
	wantSame(t, "Head", s.Head(), head)
	wantSame(t, "a", must(s.Device("a"))(t), first)
	wantSame(t, "b", must(s.Device("b"))(t), device("b"))
	_, err := s.Device("c")
	wantError(t, "c", err, storage.ErrNotFound)
	_, err = s.FindDevice(storage.ByMSISDN, "+9")
	wantError(t, "the name of a refused commit", err, storage.ErrNotFound)

	for _, id := range []storage.DeviceID{"x", "y"} { // names that are empty are nobody's
		commit(t, s, with(id, func(d *storage.Device) { d.MSISDN, d.DevID = "", "" }))
	}
}

// testUniqueRace has many devices want one DevID at once, and many new ones want one MSISDN, again and again.
func testUniqueRace(t *testing.T, s storage.Store) {
	const devices, rounds = 16, 10
	var ids []storage.DeviceID
	for i := range devices {
		ids = append(ids, storage.DeviceID(fmt.Sprintf("d%02d", i)))
	}
	register(t, s, ids...)
	long := make([]storage.FeedEntry, 100) // a commit that takes its time, for others to come in between
	for round := range rounds {
		var taken, made atomic.Int32
		var wg sync.WaitGroup
		start := make(chan struct{})
		try := func(won *atomic.Int32, c *storage.Commit) {
			c.Feed = long
			wg.Go(func() {
				<-start
				switch err := s.Commit(c); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, storage.ErrExists):
					t.Error(err)
				}
			})
		}
		name := fmt.Sprint("name ", round)
		for _, id := range ids {
			try(&taken, &storage.Commit{Device: id, Edit: func(d *storage.Device) error { d.DevID = name; return nil }})
			d := device(storage.DeviceID(fmt.Sprint(id, " ", round)))
			d.MSISDN = name
			try(&made, &storage.Commit{Device: d.ID, New: d})
		}
		close(start)
		wg.Wait()
		wantSame(t, "devices with the DevID", taken.Load(), int32(1))
		wantSame(t, "devices with the MSISDN", made.Load(), int32(1))
		owner := must(s.FindDevice(storage.ByDevID, name))(t)
		wantSame(t, "DevID of its owner", must(s.Device(owner))(t).DevID, name)
	}
}

// testRename gives up names and has others take them.
func testRename(t *testing.T, s storage.Store) {
	register(t, s, "a", "b")
	owns := func(id storage.DeviceID, by storage.Index, value string) {
		t.Helper()
		wantSame(t, fmt.Sprintf("owner of %s", value), must(s.FindDevice(by, value))(t), id)
	}
	nobody := func(by storage.Index, value string) {
		t.Helper()
		_, err := s.FindDevice(by, value)
		wantError(t, value, err, storage.ErrNotFound)
	}
	edit(t, s, "a", func(d *storage.Device) { d.DevID = "IMEI:1" })
	owns("a", storage.ByDevID, "IMEI:1")
	edit(t, s, "a", func(d *storage.Device) { d.DevID, d.MSISDN = "IMEI:2", "+2" })
	owns("a", storage.ByDevID, "IMEI:2")
	owns("a", storage.ByMSISDN, "+2")
	nobody(storage.ByDevID, "IMEI:1")
	nobody(storage.ByMSISDN, "+49171a")
	edit(t, s, "b", func(d *storage.Device) { d.DevID, d.MSISDN = "IMEI:1", "+49171a" })
	owns("b", storage.ByDevID, "IMEI:1")
	owns("b", storage.ByMSISDN, "+49171a")
	edit(t, s, "a", func(d *storage.Device) { d.DevID = "" })
	nobody(storage.ByDevID, "IMEI:2")
	edit(t, s, "b", func(d *storage.Device) { d.DevID = "IMEI:2" })
	owns("b", storage.ByDevID, "IMEI:2")
}
