package storagetest

import (
	"testing"

	"dmgate/storage"
)

// push commits a push of device "a".
func push(t *testing.T, s storage.Store, id uint64, priority uint8, state storage.PushState, notBefore int) {
	t.Helper()
	commit(t, s, &storage.Commit{Device: "a", Pushes: []storage.PushJob{
		{ID: id, Device: "a", Priority: priority, State: state, NotBefore: at(notBefore)},
	}})
}

func testPushes(t *testing.T, s storage.Store) {
	register(t, s, "a", "b")
	for _, id := range []uint64{300, 1, 256} {
		push(t, s, id, 0, storage.PushFailed, 0)
	}
	commit(t, s, &storage.Commit{Device: "b", Pushes: []storage.PushJob{{ID: 2, Device: "b"}}})
	wantSame(t, "pushes", each(must(s.Pushes("a"))(t), pushID), []uint64{1, 256, 300})
}

func testPushesDue(t *testing.T, s storage.Store) {
	register(t, s, "a")
	due := func(now, limit int, want ...uint64) {
		t.Helper()
		wantSame(t, "due", each(must(s.PushesDue(at(now), limit))(t), pushID), want)
	}
	push(t, s, 1, 5, storage.PushQueued, 10)
	push(t, s, 2, 0, storage.PushQueued, 20)
	push(t, s, 3, 5, storage.PushQueued, 5)
	push(t, s, 4, 255, storage.PushQueued, 0)
	push(t, s, 5, 5, storage.PushQueued, 5)
	push(t, s, 6, 255, storage.PushQueued, 30)
	due(4, 9, 4)
	due(10, 9, 3, 5, 1, 4) // by priority, then the longest due, then the oldest
	due(20, 9, 2, 3, 5, 1, 4)
	due(99, 9, 2, 3, 5, 1, 4, 6)
	due(20, 2, 2, 3)
	due(20, 0)

	push(t, s, 3, 5, storage.PushSending, 5)
	due(20, 9, 2, 5, 1, 4)
	push(t, s, 3, 5, storage.PushQueued, 15) // back, for later
	due(20, 9, 2, 5, 1, 3, 4)
	push(t, s, 4, 1, storage.PushQueued, 0) // more urgent
	due(20, 9, 2, 4, 5, 1, 3)
	for id := uint64(1); id <= 6; id++ {
		push(t, s, id, 5, storage.PushDelivered, 0)
	}
	due(99, 9)

	commit(t, s, &storage.Commit{Device: "a", Pushes: []storage.PushJob{ // of two records the last one counts
		{ID: 9, Device: "a", State: storage.PushQueued, NotBefore: at(1)},
		{ID: 9, Device: "a", State: storage.PushQueued, NotBefore: at(2)},
	}})
	due(1, 9)
	due(2, 9, 9)
}

func testPushesUnderWay(t *testing.T, s storage.Store) {
	register(t, s, "a", "b")
	states := []storage.PushState{
		storage.PushQueued, storage.PushSending, storage.PushSent, storage.PushDelivered, storage.PushFailed,
		storage.PushDoubtful, storage.PushSending,
	}
	for i, state := range states {
		push(t, s, uint64(i), 0, state, 0)
	}
	commit(t, s, &storage.Commit{Device: "b", Pushes: []storage.PushJob{{ID: 300, Device: "b", State: storage.PushSent}}})
	list := pages(t, 0, 1, func(after uint64) ([]storage.PushJob, error) { return s.PushesUnderWay(after, 1) }, pushID)
	wantSame(t, "under way", each(list, pushID), []uint64{1, 2, 6, 300})
	push(t, s, 1, 0, storage.PushSent, 0)
	push(t, s, 2, 0, storage.PushDelivered, 0)
	push(t, s, 6, 0, storage.PushDoubtful, 0)
	wantSame(t, "under way", each(must(s.PushesUnderWay(0, 9))(t), pushID), []uint64{1, 300})
	wantSame(t, "after the last", len(must(s.PushesUnderWay(1<<64-1, 9))(t)), 0)
}
