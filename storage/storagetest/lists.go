package storagetest

import (
	"slices"
	"testing"
	"time"

	"dmgate/storage"
)

// pages walks a list by its cursor, a few at a time, and checks that no page is longer than it may be.
func pages[T any, C any](t *testing.T, first C, limit int, page func(after C) ([]T, error), cursor func(T) C) []T {
	t.Helper()
	var all []T
	for after := first; ; {
		list := must(page(after))(t)
		if len(list) > limit {
			t.Fatalf("a page of %d, limit %d", len(list), limit)
		}
		if len(list) == 0 {
			return all
		}
		all = append(all, list...)
		after = cursor(list[len(list)-1])
	}
}

func deviceID(d storage.Device) storage.DeviceID { return d.ID }

func testDevices(t *testing.T, s storage.Store) {
	want := []storage.DeviceID{"a", "aa", "ab", "b", "ba", "c", "d"}
	register(t, s, "d", "ba", "ab", "a", "c", "aa", "b")
	for limit := 1; limit <= len(want)+1; limit++ {
		list := pages(t, "", limit, func(after storage.DeviceID) ([]storage.Device, error) {
			return s.Devices(after, limit)
		}, deviceID)
		wantSame(t, "devices", each(list, deviceID), want)
	}
	wantSame(t, "after one that is not there", each(must(s.Devices("az", 2))(t), deviceID), []storage.DeviceID{"b", "ba"})
	wantSame(t, "limit 0", len(must(s.Devices("", 0))(t)), 0)
	wantSame(t, "limit below 0", len(must(s.Devices("", -1))(t)), 0)
}

// testOddIDs has devices whose IDs are beginnings of each other, with and without zero bytes: what belongs to one
// must not show up with another.
func testOddIDs(t *testing.T, s storage.Store) {
	ids := []storage.DeviceID{"a", "a\x00", "a\x00\x00", "a\x00\x01", "a\x00\xff", "a\x01", "aa", "a\xff", "\x00", "\xff"}
	register(t, s, ids...)
	for i, id := range ids {
		n := uint64(i + 1)
		commit(t, s, &storage.Commit{
			Device:     id,
			Edit:       func(d *storage.Device) error { d.Wait = storage.Wait{For: "it", Until: at(5)}; return nil },
			Orders:     []storage.Order{{ID: "o", Device: id, Batch: string(id)}},
			Tasks:      []storage.Task{{ID: n, Device: id}},
			Results:    []storage.Results{{Device: id, Task: n}},
			Pushes:     []storage.PushJob{{ID: n, Device: id, State: storage.PushQueued}},
			Checkpoint: &storage.Checkpoint{Device: id, MsgID: uint32(n)},
			Feed:       []storage.FeedEntry{{Kind: "device", Text: string(id)}},
		})
	}
	for i, id := range ids {
		n := uint64(i + 1)
		wantSame(t, "device", must(s.Device(id))(t).ID, id)
		orders := must(s.Orders(id))(t)
		wantSame(t, "orders", each(orders, func(o storage.Order) string { return o.Batch }), []string{string(id)})
		wantSame(t, "tasks", each(must(s.OpenTasks(id, 0, 9))(t), taskID), []uint64{n})
		wantSame(t, "results", each(must(s.Results(id, 0, 9))(t), resultTask), []uint64{n})
		wantSame(t, "pushes", each(must(s.Pushes(id))(t), pushID), []uint64{n})
		wantSame(t, "checkpoint", must(s.Checkpoint(id))(t).MsgID, uint32(n))
		timeline := must(s.Timeline(id, 0, 9))(t)
		wantSame(t, "timeline", timeline[len(timeline)-1].Text, string(id))
	}
	sorted := slices.Sorted(slices.Values(ids))
	wantSame(t, "devices", each(must(s.Devices("", 99))(t), deviceID), sorted)
	wantSame(t, "due", must(s.DevicesDue(at(5), 99))(t), sorted)
	wantSame(t, "pushes due", len(due(t, s, at(5), 99)), len(ids))
}

func testDevicesDue(t *testing.T, s storage.Store) {
	register(t, s, "a", "b", "c", "d", "e")
	wait := func(id storage.DeviceID, forWhat string, until time.Time) {
		edit(t, s, id, func(d *storage.Device) { d.Wait = storage.Wait{For: forWhat, Until: until} })
	}
	due := func(now time.Time, limit int, want ...storage.DeviceID) {
		t.Helper()
		wantSame(t, "due", must(s.DevicesDue(now, limit))(t), want)
	}
	wait("a", "a modem", at(30))
	wait("b", "a session", at(10))
	wait("c", "a modem", at(20))
	wait("d", "", at(5)) // waits for nothing
	due(at(10).Add(-1), 9)
	due(at(10), 9, "b")
	due(at(30), 9, "b", "c", "a")
	due(at(30), 2, "b", "c")
	due(at(30), 0)
	wait("b", "a session", at(40)) // later
	due(at(30), 9, "c", "a")
	wait("c", "", at(20)) // no more
	due(at(30), 9, "a")
	wait("e", "an answer", time.Time{}) // without a deadline: at once
	due(at(0), 9, "e")
	due(at(40), 9, "e", "a", "b")
	edit(t, s, "a", func(d *storage.Device) { d.Reason = "else" })
	due(at(40), 9, "e", "a", "b")
}

func testOrders(t *testing.T, s storage.Store) {
	order := func(id string, created int, state storage.OrderState) storage.Order {
		return storage.Order{ID: id, Device: "a", Kind: "bootstrap", State: state, Created: at(created)}
	}
	register(t, s, "a")
	commit(t, s, &storage.Commit{Device: "a", Orders: []storage.Order{
		order("z", 1, storage.OrderOpen), order("y", 2, storage.OrderOpen),
	}})
	commit(t, s, &storage.Commit{Device: "a", Orders: []storage.Order{order("x", 3, storage.OrderOpen)}})
	commit(t, s, &storage.Commit{Device: "a", Orders: []storage.Order{order("y", 2, storage.OrderDone)}})
	wantSame(t, "orders", must(s.Orders("a"))(t), []storage.Order{
		order("z", 1, storage.OrderOpen), order("y", 2, storage.OrderDone), order("x", 3, storage.OrderOpen),
	})
}

func taskID(x storage.Task) uint64        { return x.ID }
func resultTask(r storage.Results) uint64 { return r.Task }
func pushID(p storage.PushJob) uint64     { return p.ID }

func testOpenTasks(t *testing.T, s storage.Store) {
	register(t, s, "a", "b")
	set := func(id uint64, state storage.TaskState) {
		commit(t, s, &storage.Commit{Device: "a", Tasks: []storage.Task{{ID: id, Device: "a", State: state}}})
	}
	open := func(after uint64, limit int, want ...uint64) {
		t.Helper()
		wantSame(t, "open tasks", each(must(s.OpenTasks("a", after, limit))(t), taskID), want)
	}
	for _, id := range []uint64{300, 2, 1, 256} {
		set(id, storage.TaskQueued)
	}
	commit(t, s, &storage.Commit{Device: "b", Tasks: []storage.Task{{ID: 5, Device: "b"}}})
	open(0, 9, 1, 2, 256, 300)
	set(2, storage.TaskSent)
	set(1, storage.TaskDone)
	open(0, 9, 2, 256, 300)
	open(2, 1, 256)
	open(300, 9)
	open(1<<64-1, 9)
	set(256, storage.TaskFailed)
	set(1, storage.TaskQueued) // taken up again
	open(0, 9, 1, 2, 300)
	wantSame(t, "a done task", must(s.Task("a", 256))(t).State, storage.TaskFailed)
	commit(t, s, &storage.Commit{Device: "a", Tasks: []storage.Task{
		{ID: 400, Device: "a"}, {ID: 400, Device: "a", State: storage.TaskDone},
	}})
	open(0, 9, 1, 2, 300)
}

func testResults(t *testing.T, s storage.Store) {
	register(t, s, "a", "b")
	bring := func(dev storage.DeviceID, msg uint32, tasks ...uint64) {
		c := &storage.Commit{Device: dev}
		for _, task := range tasks {
			// The same time for all: arrival orders them, not the clock.
			c.Results = append(c.Results, storage.Results{Device: dev, Task: task, MsgID: msg, Time: at(1)})
		}
		commit(t, s, c)
	}
	type row struct {
		task uint64
		msg  uint32
	}
	list := func(after uint64, limit int, want ...row) {
		t.Helper()
		got := each(must(s.Results("a", after, limit))(t), func(r storage.Results) row { return row{r.Task, r.MsgID} })
		if !slices.Equal(got, want) {
			t.Errorf("results after %d, limit %d: %v, want %v", after, limit, got, want)
		}
	}
	bring("a", 9, 2, 1)
	bring("a", 8, 1, 2)
	bring("b", 1, 1)
	bring("a", 7, 3, 1)
	list(0, 99, row{1, 9}, row{1, 8}, row{1, 7}, row{2, 9}, row{2, 8}, row{3, 7})
	list(1, 99, row{2, 9}, row{2, 8}, row{3, 7})
	list(1, 2, row{2, 9}, row{2, 8})
	list(0, 1, row{1, 9}, row{1, 8}, row{1, 7}) // a page holds whole tasks
	list(0, 4, row{1, 9}, row{1, 8}, row{1, 7}, row{2, 9}, row{2, 8})
	list(0, 0)
	list(3, 99)
	list(1<<64-1, 99)
}
