package storagetest

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"dmgate/storage"
)

// testForeign commits records of one device for another one.
func testForeign(t *testing.T, s storage.Store) {
	register(t, s, "a", "b")
	head := s.Head()
	for name, c := range map[string]*storage.Commit{
		"no device":   {Ends: []storage.OrderEnd{{ID: "o"}}},
		"record":      {Device: "c", New: device("d")},
		"account":     {Device: "a", Account: &storage.Account{Device: "b"}},
		"order":       {Device: "a", Orders: []storage.Order{{ID: "o", Device: "b"}}},
		"task":        {Device: "a", Tasks: []storage.Task{{ID: 1, Device: "b"}}},
		"results":     {Device: "a", Results: []storage.Results{{Task: 1, Device: "b"}}},
		"push":        {Device: "a", Pushes: []storage.PushJob{{ID: 1, Device: "b"}}},
		"checkpoint":  {Device: "a", Checkpoint: &storage.Checkpoint{Device: "b"}},
		"edit of ID":  {Device: "a", Edit: func(d *storage.Device) error { d.ID = "b"; return nil }},
		"lost device": {Device: "a", Edit: func(d *storage.Device) error { *d = storage.Device{}; return nil }},
	} {
		c.Feed = append(c.Feed, storage.FeedEntry{Kind: "device"})
		if s.Commit(c) == nil {
			t.Errorf("%s: no error", name)
		}
	}
	wantSame(t, "Head", s.Head(), head)
	wantSame(t, "device", must(s.Device("a"))(t), device("a"))
}

// testAbandon has Edit fail in a commit that holds everything: nothing of it may happen.
func testAbandon(t *testing.T, s storage.Store) {
	register(t, s, "alpha")
	head := s.Head()
	c := FullCommit("alpha")
	c.New = nil
	refused := errors.New("refused")
	c.Edit = func(d *storage.Device) error {
		d.State, d.DevID, d.Wait = storage.Sent, "IMEI:1", storage.Wait{For: "a session"}
		return refused
	}
	wantError(t, "Commit", s.Commit(c), refused)

	wantSame(t, "device", must(s.Device("alpha"))(t), device("alpha"))
	_, err := s.FindDevice(storage.ByDevID, "IMEI:1")
	wantError(t, "by DevID", err, storage.ErrNotFound)
	_, err = s.Account("alpha")
	wantError(t, "account", err, storage.ErrNotFound)
	_, err = s.Order("alpha", "order-1")
	wantError(t, "order", err, storage.ErrNotFound)
	_, err = s.Task("alpha", 7)
	wantError(t, "task", err, storage.ErrNotFound)
	_, err = s.Checkpoint("alpha")
	wantError(t, "checkpoint", err, storage.ErrNotFound)
	wantSame(t, "open tasks", len(must(s.OpenTasks("alpha", 0, 9))(t)), 0)
	wantSame(t, "results", len(must(s.Results("alpha", 0, 9))(t)), 0)
	wantSame(t, "pushes", len(must(s.Pushes("alpha"))(t)), 0)
	wantSame(t, "under way", len(must(s.PushesOverdue(at(99), 9))(t)), 0)
	wantSame(t, "due", len(must(s.DevicesDue(at(99), 9))(t)), 0)
	wantSame(t, "Head", s.Head(), head)

	commit(t, s, &storage.Commit{Device: "alpha", Feed: []storage.FeedEntry{{Kind: "device"}}})
	wantSame(t, "Head after the next commit", s.Head(), head+1)
}

// testConcurrentEdit counts up in a few devices' records from many goroutines.
func testConcurrentEdit(t *testing.T, s storage.Store) {
	const writers, rounds = 16, 20
	ids := []storage.DeviceID{"a", "b", "c"}
	register(t, s, ids...)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				err := s.Commit(&storage.Commit{Device: ids[(w+i)%len(ids)], Edit: func(d *storage.Device) error {
					n, _ := strconv.Atoi(d.Facts["n"])
					runtime.Gosched() // let another one in, if it can get in
					d.Facts["n"] = strconv.Itoa(n + 1)
					return nil
				}})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, id := range ids {
		n, _ := strconv.Atoi(must(s.Device(id))(t).Facts["n"])
		total += n
	}
	wantSame(t, "edits", total, writers*rounds)
}

// testEditNew has New and Edit in one commit: Edit works on New.
func testEditNew(t *testing.T, s storage.Store) {
	given := device("a")
	given.Facts = map[string]string{"Man": "Acme"}
	commit(t, s, &storage.Commit{Device: "a", New: given, Edit: func(d *storage.Device) error {
		d.State, d.Facts["Mod"] = storage.Ordered, "A1"
		return nil
	}})
	want := device("a")
	want.State, want.Facts = storage.Ordered, map[string]string{"Man": "Acme", "Mod": "A1"}
	wantSame(t, "device", must(s.Device("a"))(t), want)
	wantSame(t, "the caller's facts", given.Facts, map[string]string{"Man": "Acme"})
	feed := must(s.Feed(0, 9))(t)
	wantSame(t, "states", each(feed, func(e storage.FeedEntry) storage.State { return e.To }),
		[]storage.State{storage.Ordered})
}

func testEditNothing(t *testing.T, s storage.Store) {
	err := s.Commit(&storage.Commit{
		Device: "a",
		Edit:   func(*storage.Device) error { t.Error("Edit ran without a device"); return nil },
		Feed:   []storage.FeedEntry{{Kind: "device"}},
	})
	wantError(t, "Commit", err, storage.ErrNotFound)
	wantSame(t, "Head", s.Head(), uint64(0))
}

// testViews overwrites what a commit pointed to as soon as the commit returns.
func testViews(t *testing.T, s storage.Store) {
	buf := []byte("./DevInfo/Man chr text/plain Acme reply-3F")
	view := func(from, to int) []byte { return buf[from:to:to] }
	c := &storage.Commit{}
	register(t, s, "a")
	for i := range 3 {
		copy(buf, "./DevInfo/Man chr text/plain Acme reply-3F")
		c.Reset()
		c.Device = "a"
		c.Results = append(c.Results, storage.Results{Device: "a", Task: uint64(i + 1), Answers: []storage.Answer{{
			URI: view(0, 13), Format: view(14, 17), Type: view(18, 28), Data: view(29, 33),
		}}})
		c.Checkpoint = &storage.Checkpoint{Device: "a", Session: view(40, 42), Reply: view(34, 42)}
		c.Tasks = append(c.Tasks, storage.Task{ID: 1, Device: "a", Commands: []storage.Command{{Data: view(29, 33)}}})
		commit(t, s, c)
		for i := range buf {
			buf[i] = '*'
		}
	}
	for _, r := range must(s.Results("a", 0, 10))(t) {
		wantSame(t, fmt.Sprintf("answer of task %d", r.Task), r.Answers, []storage.Answer{{
			URI: []byte("./DevInfo/Man"), Format: []byte("chr"), Type: []byte("text/plain"), Data: []byte("Acme"),
		}})
	}
	wantSame(t, "reply", string(must(s.Checkpoint("a"))(t).Reply), "reply-3F")
	wantSame(t, "command", string(must(s.Task("a", 1))(t).Commands[0].Data), "Acme")
}

func testStateEntry(t *testing.T, s storage.Store) {
	commit(t, s, &storage.Commit{Device: "a", Time: at(1), New: device("a")})
	for _, step := range []struct {
		name string
		edit func(d *storage.Device)
		feed []storage.FeedEntry // the commit's own
		want []storage.FeedEntry // without Offset
	}{
		{"no change", func(d *storage.Device) { d.IMSI = "26201" }, nil, nil},
		{
			"waits, and the commit's own come behind",
			func(d *storage.Device) {
				d.State, d.Order, d.Wait = storage.Ordered, "o1", storage.Wait{For: "a modem", Until: at(9)}
			},
			[]storage.FeedEntry{{Kind: "order", Text: "placed", Offset: 99, Time: at(99), Device: "x"}},
			[]storage.FeedEntry{
				{Kind: "state", From: storage.Registered, To: storage.Ordered, Order: "o1", Text: "waits for a modem"},
				{Kind: "order", Text: "placed"},
			},
		},
		{
			"the reason goes before what it waits for",
			func(d *storage.Device) { d.State, d.Reason = storage.Failed, "no such number" }, nil,
			[]storage.FeedEntry{
				{Kind: "state", From: storage.Ordered, To: storage.Failed, Order: "o1", Text: "no such number"},
			},
		},
		{"the same state again", func(d *storage.Device) { d.State, d.Reason = storage.Failed, "again" }, nil, nil},
	} {
		head := s.Head()
		commit(t, s, &storage.Commit{Device: "a", Time: at(2), Feed: step.feed, Edit: func(d *storage.Device) error {
			step.edit(d)
			return nil
		}})
		for i := range step.want {
			step.want[i].Offset, step.want[i].Time, step.want[i].Device = head+1+uint64(i), at(2), "a"
		}
		wantSame(t, step.name, must(s.Feed(head, 10))(t), step.want)
	}
	wantSame(t, "of the new device", must(s.Feed(0, 1))(t), []storage.FeedEntry{
		{Offset: 1, Time: at(1), Device: "a", Kind: "state", To: storage.Registered},
	})
}
