// Package storagetest is the one suite of tests that every engine of storage.Store has to pass. Each test opens a
// store of its own and checks one promise of the interface.
package storagetest

import (
	"errors"
	"testing"
	"time"

	"dmgate/storage"
)

// Run tests the stores that open makes. Each has to be empty; open sees to it that they are closed in the end, those
// that the test has closed aside.
func Run(t *testing.T, open func(t *testing.T) storage.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s storage.Store)
	}{
		{"not found", testNotFound},
		{"records come back", testRecords},
		{"records are copies", testCopies},
		{"commit of another device's records", testForeign},
		{"edit abandons", testAbandon},
		{"edit is not lost", testConcurrentEdit},
		{"edit of a new device", testEditNew},
		{"edit of no device", testEditNothing},
		{"views may be reused", testViews},
		{"state entry", testStateEntry},
		{"unique names", testUnique},
		{"unique names under contention", testUniqueRace},
		{"names move", testRename},
		{"an order ends once", testOrderEnd},
		{"devices by cursor", testDevices},
		{"device IDs of any bytes", testOddIDs},
		{"devices due", testDevicesDue},
		{"orders", testOrders},
		{"open tasks", testOpenTasks},
		{"large data", testLargeData},
		{"results", testResults},
		{"pushes of a device", testPushes},
		{"pushes due", testPushesDue},
		{"flows", testPushFlows},
		{"pushes overdue", testPushesOverdue},
		{"pushes awaiting", testPushesAwaiting},
		{"edit of a push", testPushEdit},
		{"campaigns", testCampaigns},
		{"campaigns come back", testFullCampaign},
		{"targets", testTargets},
		{"documents", testDocuments},
		{"document edits are not lost", testConcurrentDocument},
		{"nodes", testNodes},
		{"jobs", testJobs},
		{"jobs due", testJobsDue},
		{"news of no device", testFeedOnly},
		{"feed", testFeed},
		{"feed without gaps", testFeedConcurrent},
		{"timeline", testTimeline},
		{"grown", testGrown},
		{"no wake-up is lost", testGrownRace},
		{"closed", testClosed},
		{"close waits", testCloseWaits},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
	t.Run("model", func(t *testing.T) { testModel(t, open) })
}

// RunReopen tests that what was committed is there when a store is opened again. open opens the store in dir, which
// is empty at first, and leaves closing it to the caller.
func RunReopen(t *testing.T, open func(t *testing.T, dir string) storage.Store) {
	t.Run("all is kept", func(t *testing.T) { testReopen(t, open) })
	t.Run("offsets go on", func(t *testing.T) { testReopenOffsets(t, open) })
	t.Run("results keep their order", func(t *testing.T) { testReopenResults(t, open) })
}

// at is a moment n seconds into the tests.
func at(n int) time.Time { return time.Date(2024, 5, 1, 12, 0, n, 123456789, time.UTC) }

// device is a registered device.
func device(id storage.DeviceID) *storage.Device {
	return &storage.Device{ID: id, MSISDN: "+49171" + string(id), Created: at(0), State: storage.Registered, Since: at(0)}
}

func commit(t *testing.T, s storage.Store, c *storage.Commit) {
	t.Helper()
	if err := s.Commit(c); err != nil {
		t.Fatalf("commit for %q: %v", c.Device, err)
	}
}

// register commits new devices.
func register(t *testing.T, s storage.Store, ids ...storage.DeviceID) {
	t.Helper()
	for _, id := range ids {
		commit(t, s, &storage.Commit{Device: id, Time: at(0), New: device(id)})
	}
}

// edit commits a change of a device's record.
func edit(t *testing.T, s storage.Store, id storage.DeviceID, change func(*storage.Device)) {
	t.Helper()
	commit(t, s, &storage.Commit{Device: id, Time: at(1), Edit: func(d *storage.Device) error {
		change(d)
		return nil
	}})
}

// must is for reads that have to succeed: must(s.Device(id))(t).
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v, want %v", what, got, want)
	}
}

// each maps a list, so that tests can compare what they are about.
func each[T, R any](list []T, f func(T) R) []R {
	out := make([]R, 0, len(list))
	for _, v := range list {
		out = append(out, f(v))
	}
	return out
}
