package storagetest

import (
	"testing"
	"time"

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
		wantSame(t, "due", each(due(t, s, at(now), limit), pushID), want)
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
	due(20, 1, 2, 3, 4) // of each flow
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

// due lists what is due flow by flow, of each at most limit.
func due(t *testing.T, s storage.Store, now time.Time, limit int) (list []storage.PushJob) {
	t.Helper()
	var from storage.Flow
	for {
		flows := must(s.PushFlows(now, from, 2))(t)
		if len(flows) == 0 {
			return list
		}
		for _, f := range flows {
			list = append(list, must(s.PushesDue(f, now, limit))(t)...)
		}
		from = flows[len(flows)-1].Next()
	}
}

func testPushFlows(t *testing.T, s storage.Store) {
	register(t, s, "a")
	queue := func(id uint64, priority uint8, flow string, notBefore int) {
		t.Helper()
		commit(t, s, &storage.Commit{Device: "a", Pushes: []storage.PushJob{
			{ID: id, Device: "a", Priority: priority, Flow: flow, State: storage.PushQueued, NotBefore: at(notBefore)},
		}})
	}
	queue(1, 5, "k/+49", 10)
	queue(2, 5, "k/+49", 20)
	queue(3, 5, "k/", 10)
	queue(4, 5, "", 0)
	queue(5, 0, "z\x00", 30)
	queue(6, 0, "z", 5)
	flows := func(now int, want ...storage.Flow) {
		t.Helper()
		wantSame(t, "flows", must(s.PushFlows(at(now), storage.Flow{}, 9))(t), want)
	}
	flows(0, storage.Flow{Priority: 5})
	flows(10, storage.Flow{Name: "z"}, storage.Flow{Priority: 5},
		storage.Flow{Priority: 5, Name: "k/"}, storage.Flow{Priority: 5, Name: "k/+49"})
	flows(99, storage.Flow{Name: "z"}, storage.Flow{Name: "z\x00"}, storage.Flow{Priority: 5},
		storage.Flow{Priority: 5, Name: "k/"}, storage.Flow{Priority: 5, Name: "k/+49"})
	next := must(s.PushFlows(at(99), storage.Flow{Priority: 5}.Next(), 1))(t)
	wantSame(t, "after one", next, []storage.Flow{{Priority: 5, Name: "k/"}})
	wantSame(t, "none", len(must(s.PushFlows(at(99), storage.Flow{}, 0))(t)), 0)
	of := func(flow storage.Flow, now int, want ...uint64) {
		t.Helper()
		wantSame(t, "due in a flow", each(must(s.PushesDue(flow, at(now), 9))(t), pushID), want)
	}
	of(storage.Flow{Priority: 5, Name: "k/+49"}, 10, 1)
	of(storage.Flow{Priority: 5, Name: "k/+49"}, 20, 1, 2)
	of(storage.Flow{Priority: 5, Name: "k"}, 99)
	of(storage.Flow{Priority: 0, Name: "z"}, 99, 6)
}

func testPushesOverdue(t *testing.T, s storage.Store) {
	register(t, s, "a", "b")
	put := func(dev storage.DeviceID, id uint64, state storage.PushState, until time.Time) {
		t.Helper()
		commit(t, s, &storage.Commit{Device: dev, Pushes: []storage.PushJob{
			{ID: id, Device: dev, State: state, Until: until},
		}})
	}
	put("a", 1, storage.PushSent, at(10))
	put("a", 2, storage.PushDoubtful, at(5))
	put("a", 3, storage.PushSending, at(50)) // whatever it says: who finds it sending comes after a crash
	put("a", 4, storage.PushSent, time.Time{})
	put("a", 5, storage.PushDelivered, at(1))
	put("b", 6, storage.PushQueued, at(1))
	put("b", 7, storage.PushSending, time.Time{})
	overdue := func(now, limit int, want ...uint64) {
		t.Helper()
		wantSame(t, "overdue", each(must(s.PushesOverdue(at(now), limit))(t), pushID), want)
	}
	overdue(0, 9, 3, 7)
	overdue(5, 9, 3, 7, 2)
	overdue(10, 9, 3, 7, 2, 1)
	overdue(10, 3, 3, 7, 2)
	overdue(10, 0)
	put("a", 3, storage.PushSent, at(7))
	put("a", 2, storage.PushDoubtful, time.Time{})
	overdue(10, 9, 7, 3, 1)
}

// testPushesAwaiting finds the pushes that a delivery report may be for.
func testPushesAwaiting(t *testing.T, s storage.Store) {
	register(t, s, "a")
	put := func(id uint64, modem, number string, state storage.PushState, segments ...storage.Segment) {
		t.Helper()
		commit(t, s, &storage.Commit{Device: "a", Pushes: []storage.PushJob{{
			ID: id, Device: "a", MSISDN: number, Modem: modem, State: state, Until: at(50), Segments: segments,
		}}})
	}
	awaiting := func(modem, number string, reference uint8, want ...uint64) {
		t.Helper()
		wantSame(t, "awaiting", each(must(s.PushesAwaiting(modem, number, reference))(t), pushID), want)
	}
	sent := func(mr uint8) storage.Segment { return storage.Segment{Sent: true, Reference: mr} }
	put(1, "m1", "+491701234567", storage.PushSent, sent(255), sent(0))
	put(2, "m1", "+491701234567", storage.PushSent, sent(255)) // the references have come round
	put(3, "m2", "+491701234567", storage.PushSent, sent(255))
	put(4, "m1", "+491709999999", storage.PushSent, sent(255))
	put(5, "m1", "+491701234567", storage.PushDoubtful, sent(7), storage.Segment{})
	put(6, "m1", "+431701234567", storage.PushSent, sent(255)) // the same last digits, another number
	awaiting("m1", "+491701234567", 255, 2, 1, 5)
	awaiting("m1", "01701234567", 255, 6, 2, 1, 5) // a national form may be either
	awaiting("m1", "491701234567", 0, 1, 5)
	awaiting("m1", "+491701234567", 7, 5)
	awaiting("m2", "+491701234567", 255, 3)
	awaiting("m3", "+491701234567", 255)

	put(1, "m1", "+491701234567", storage.PushSent, storage.Segment{Sent: true, Reported: true, Reference: 255}, sent(0))
	put(5, "m1", "+491701234567", storage.PushSent, sent(7), sent(8))
	awaiting("m1", "+491701234567", 255, 2)
	awaiting("m1", "+491701234567", 0, 1)
	awaiting("m1", "+491701234567", 8, 5)
	for id := uint64(1); id <= 6; id++ {
		put(id, "m1", "+491701234567", storage.PushDelivered, sent(0), sent(255))
	}
	awaiting("m1", "+491701234567", 255)
	awaiting("m1", "+491701234567", 0)
}

// testPushEdit changes pushes as they stand.
func testPushEdit(t *testing.T, s storage.Store) {
	register(t, s, "a")
	push(t, s, 1, 0, storage.PushSending, 0)
	set := func(state storage.PushState, why string) storage.PushEdit {
		return storage.PushEdit{ID: 1, Edit: func(p *storage.PushJob) error {
			p.State, p.Error = state, p.Error+why
			return nil
		}}
	}
	head := s.Head()
	var seen string
	commit(t, s, &storage.Commit{
		Device: "a", Time: at(3), PushEdits: []storage.PushEdit{set(storage.PushDoubtful, "x"), set(storage.PushQueued, "y")},
		Edit: func(d *storage.Device) error { seen = "edits come before this one"; return nil },
		Feed: []storage.FeedEntry{{Kind: "session"}},
	})
	wantSame(t, "order of edits", seen, "edits come before this one")
	p := must(s.Pushes("a"))(t)[0]
	wantSame(t, "state", p.State, storage.PushQueued)
	wantSame(t, "error", p.Error, "xy")
	wantSame(t, "feed", must(s.Feed(head, 9))(t), []storage.FeedEntry{
		{Offset: head + 1, Time: at(3), Device: "a", Kind: "push", Status: "doubtful", Text: "perhaps sent: x"},
		{Offset: head + 2, Time: at(3), Device: "a", Kind: "push", Status: "queued", Text: "to be tried again: xy"},
		{Offset: head + 3, Time: at(3), Device: "a", Kind: "session"},
	})
	wantError(t, "abandoned", s.Commit(&storage.Commit{Device: "a", PushEdits: []storage.PushEdit{
		set(storage.PushFailed, ""), {ID: 1, Edit: func(*storage.PushJob) error { return errAbandoned }},
	}}), errAbandoned)
	wantError(t, "of none", s.Commit(&storage.Commit{Device: "a", PushEdits: []storage.PushEdit{{
		ID: 2, Edit: func(*storage.PushJob) error { return nil },
	}}}), storage.ErrNotFound)
	wantSame(t, "state after both", must(s.Pushes("a"))(t)[0].State, storage.PushQueued)
	if err := s.Commit(&storage.Commit{Device: "a", PushEdits: []storage.PushEdit{{
		ID: 1, Edit: func(p *storage.PushJob) error { p.ID = 7; return nil },
	}}}); err == nil {
		t.Error("an edit that changes the ID: no error")
	}

	const writers, each = 8, 20 // edits of one push are not lost
	done := make(chan error, writers)
	for range writers {
		go func() {
			var err error
			for range each {
				err = cmpOr(err, s.Commit(&storage.Commit{Device: "a", PushEdits: []storage.PushEdit{{
					ID: 1, Edit: func(p *storage.PushJob) error { p.Attempts++; return nil },
				}}}))
			}
			done <- err
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	wantSame(t, "attempts", must(s.Pushes("a"))(t)[0].Attempts, writers*each)
}

func cmpOr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// testFeedOnly commits news of no device.
func testFeedOnly(t *testing.T, s storage.Store) {
	register(t, s, "a")
	head := s.Head()
	commit(t, s, &storage.Commit{Time: at(2), Feed: []storage.FeedEntry{{Kind: "modem", Text: "out of service"}}})
	wantSame(t, "feed", must(s.Feed(head, 9))(t), []storage.FeedEntry{
		{Offset: head + 1, Time: at(2), Kind: "modem", Text: "out of service"},
	})
	wantSame(t, "timeline of nobody", len(must(s.Timeline("", 0, 9))(t)), 0)
	if err := s.Commit(&storage.Commit{Orders: []storage.Order{{ID: "o"}}}); err == nil {
		t.Error("an order of no device: no error")
	}
}
