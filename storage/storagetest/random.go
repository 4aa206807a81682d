package storagetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dmgate/storage"
)

// testModel makes random commits to a store and to the model, and asks both random questions.
func testModel(t *testing.T, open func(t *testing.T) storage.Store) {
	rapid.Check(t, func(rt *rapid.T) {
		s, m := open(t), newModel()
		defer s.Close() // a test that runs many stores does not wait for its end
		for range rapid.IntRange(1, 25).Draw(rt, "commits") {
			randomStep(rt, s, m)
		}
		for _, id := range modelDevices {
			compareDevice(rt, s, m, id)
		}
		for range 5 {
			compareLists(rt, s, m)
			compareCampaigns(rt, s, m)
			compareJobs(rt, s, m)
		}
	})
}

// randomStep does one thing to both.
func randomStep(t *rapid.T, s storage.Store, m *model) {
	switch rapid.SampledFrom([]string{"device", "device", "device", "campaign", "campaign", "news", "document"}).Draw(t, "of") {
	case "device":
		c := randomCommit(t)
		if got, want := s.Commit(c), m.commit(c); !sameError(got, want) {
			t.Fatalf("commit %+v: error %v, want %v", c, got, want)
		}
	case "campaign":
		c := randomCampaignCommit(t, m)
		if got, want := s.CommitCampaign(c), m.commitCampaign(c); !sameError(got, want) {
			t.Fatalf("commit %+v: error %v, want %v", c, got, want)
		}
	case "news":
		c := &storage.Commit{Time: drawTime(t), Feed: []storage.FeedEntry{{Kind: "modem", Text: drawName(t)}}}
		if got, want := s.Commit(c), m.commit(c); !sameError(got, want) {
			t.Fatalf("commit %+v: error %v, want %v", c, got, want)
		}
	case "document":
		randomDocument(t, s, m)
	}
}

var (
	modelDevices = []storage.DeviceID{"a", "a\x00", "aa", "b"}
	errAbandoned = errors.New("abandoned")
)

// Few values each, so that commits meet.
func drawDevice(t *rapid.T) storage.DeviceID {
	return rapid.SampledFrom(modelDevices).Draw(t, "device")
}
func drawTime(t *rapid.T) time.Time { return at(rapid.IntRange(0, 5).Draw(t, "seconds")) }
func drawLimit(t *rapid.T) int      { return rapid.IntRange(0, 6).Draw(t, "limit") }
func drawID(t *rapid.T) uint64      { return rapid.Uint64Range(0, 5).Draw(t, "id") }
func drawPriority(t *rapid.T) uint8 { return rapid.SampledFrom([]uint8{0, 1, 255}).Draw(t, "priority") }
func drawFlow(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "k/", "k/+49"}).Draw(t, "flow")
}
func drawReference(t *rapid.T) uint8 {
	return rapid.SampledFrom([]uint8{0, 7, 255}).Draw(t, "reference")
}
func drawNumber(t *rapid.T) string {
	return rapid.SampledFrom([]string{"+491701234567", "01701234567", "+431701234567", "+1"}).Draw(t, "number")
}
func drawUntil(t *rapid.T) time.Time {
	return rapid.SampledFrom([]time.Time{{}, at(2), at(4)}).Draw(t, "until")
}
func drawPushState(t *rapid.T) storage.PushState {
	return rapid.SampledFrom([]storage.PushState{
		storage.PushQueued, storage.PushSending, storage.PushSent, storage.PushDoubtful, storage.PushFailed,
	}).Draw(t, "push state")
}
func drawSegment(t *rapid.T) storage.Segment {
	return storage.Segment{
		Reference: drawReference(t), Sent: rapid.Bool().Draw(t, "sent"), Reported: rapid.Bool().Draw(t, "reported"),
	}
}
func drawName(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "n1", "n2", "n3", "n4"}).Draw(t, "name")
}

// drawSome draws a few values, most often none.
func drawSome[T any](t *rapid.T, what string, draw func(t *rapid.T) T) []T {
	n := max(0, rapid.IntRange(-2, 2).Draw(t, what))
	list := make([]T, n)
	for i := range list {
		list[i] = draw(t)
	}
	return list
}

func randomCommit(t *rapid.T) *storage.Commit {
	id := drawDevice(t)
	c := &storage.Commit{
		Device: id,
		Time:   drawTime(t),
		Orders: drawSome(t, "orders", func(t *rapid.T) storage.Order {
			return storage.Order{
				ID: drawName(t), Device: id, Created: drawTime(t), Kind: drawName(t),
				State: rapid.SampledFrom([]storage.OrderState{storage.OrderOpen, storage.OrderDone}).Draw(t, "order state"),
			}
		}),
		Tasks: drawSome(t, "tasks", func(t *rapid.T) storage.Task {
			state := rapid.Uint8Range(uint8(storage.TaskQueued), uint8(storage.TaskWaiting)).Draw(t, "task state")
			return storage.Task{ID: drawID(t), Device: id, State: storage.TaskState(state), Reason: drawName(t)}
		}),
		Results: drawSome(t, "results", func(t *rapid.T) storage.Results {
			return storage.Results{Device: id, Task: drawID(t), Session: drawName(t), Time: drawTime(t)}
		}),
		Pushes: drawSome(t, "pushes", func(t *rapid.T) storage.PushJob {
			return storage.PushJob{
				ID:     drawID(t)*100 + uint64(slices.Index(modelDevices, id)), // unique in the store
				Device: id, State: drawPushState(t), Priority: drawPriority(t), Flow: drawFlow(t), NotBefore: drawTime(t),
				Until: drawUntil(t), Modem: drawName(t), MSISDN: drawNumber(t), Segments: drawSome(t, "segments", drawSegment),
			}
		}),
		PushEdits: drawSome(t, "push edits", func(t *rapid.T) storage.PushEdit {
			state, until, segments := drawPushState(t), drawUntil(t), drawSome(t, "segments", drawSegment)
			return storage.PushEdit{
				ID: drawID(t)*100 + uint64(slices.Index(modelDevices, id)),
				Edit: func(p *storage.PushJob) error {
					p.State, p.Until, p.Segments = state, until, append(p.Segments, segments...)
					return nil
				},
			}
		}),
		Feed: drawSome(t, "feed", func(t *rapid.T) storage.FeedEntry {
			return storage.FeedEntry{Kind: "session", Text: drawName(t)}
		}),
	}
	c.Nodes, c.Jobs = randomNodes(t, id), randomJobs(t, id)
	c.JobEdits = randomJobEdits(t, c.Jobs)
	if len(c.Orders) == 0 {
		c.Ends = drawSome(t, "ends", func(t *rapid.T) storage.OrderEnd {
			return storage.OrderEnd{ID: drawName(t), State: storage.OrderFailed, Reason: drawName(t)}
		})
	}
	if rapid.Bool().Draw(t, "with account") {
		c.Account = &storage.Account{Device: id, Password: drawName(t)}
	}
	if rapid.Bool().Draw(t, "with checkpoint") {
		c.Checkpoint = &storage.Checkpoint{Device: id, Session: []byte(drawName(t))}
	}
	next := randomDevice(t, id)
	switch rapid.SampledFrom([]string{"new", "edit", "edit", "both", "abandon", "neither"}).Draw(t, "device") {
	case "new":
		c.New = &next
	case "edit":
		c.Edit = func(d *storage.Device) error { *d = next; return nil }
	case "both":
		c.New = &next
		c.Edit = func(d *storage.Device) error { d.State, d.Facts["edited"] = storage.Failed, "yes"; return nil }
	case "abandon":
		c.Edit = func(d *storage.Device) error { *d = next; return errAbandoned }
	}
	return c
}

func randomDevice(t *rapid.T, id storage.DeviceID) storage.Device {
	return storage.Device{
		ID: id, MSISDN: drawName(t), DevID: drawName(t), Order: drawName(t), Reason: drawName(t),
		State: rapid.SampledFrom(storage.States[:3]).Draw(t, "state"),
		Wait:  storage.Wait{For: drawName(t), Until: drawTime(t)},
	}
}

// compare reports where an engine's answer is not the model's.
func compare[T any](t *rapid.T, what string) func(got T, gotErr error) func(want T, wantErr error) {
	return func(got T, gotErr error) func(want T, wantErr error) {
		return func(want T, wantErr error) {
			if !sameError(gotErr, wantErr) {
				t.Errorf("%s: error %v, want %v", what, gotErr, wantErr)
				return
			}
			if d := Difference(got, want); wantErr == nil && d != "" {
				t.Errorf("%s: got and want differ at%s", what, d)
			}
		}
	}
}

func compareDevice(t *rapid.T, s storage.Store, m *model, id storage.DeviceID) {
	compare[*storage.Device](t, "Device")(s.Device(id))(find(m.devices, id))
	compare[*storage.Account](t, "Account")(s.Account(id))(find(m.accounts, id))
	compare[*storage.Checkpoint](t, "Checkpoint")(s.Checkpoint(id))(find(m.checkpoints, id))
	compare[[]storage.Order](t, "Orders")(s.Orders(id))(m.ordersOf(id), nil)
	compare[[]storage.PushJob](t, "Pushes")(s.Pushes(id))(m.pushesOf(id), nil)
	name, n := drawName(t), drawID(t)
	push := n*100 + uint64(slices.Index(modelDevices, id))
	compare[*storage.PushJob](t, "Push")(s.Push(id, push))(find(m.pushes, row[uint64]{id, push}))
	compare[*storage.Order](t, "Order")(s.Order(id, name))(find(m.orders, row[string]{id, name}))
	compare[*storage.Task](t, "Task")(s.Task(id, n))(find(m.tasks, row[uint64]{id, n}))
}

func compareLists(t *rapid.T, s storage.Store, m *model) {
	id, after, limit, now, name := drawDevice(t), drawID(t), drawLimit(t), drawTime(t), drawName(t)
	compare[storage.DeviceID](t, "by MSISDN")(s.FindDevice(storage.ByMSISDN, name))(m.findDevice(storage.ByMSISDN, name))
	compare[storage.DeviceID](t, "by DevID")(s.FindDevice(storage.ByDevID, name))(m.findDevice(storage.ByDevID, name))
	compare[[]storage.Device](t, "Devices")(s.Devices(id, limit))(m.devicesAfter(id, limit), nil)
	compare[[]storage.DeviceID](t, "DevicesDue")(s.DevicesDue(now, limit))(m.devicesDue(now, limit), nil)
	compare[[]storage.Task](t, "OpenTasks")(s.OpenTasks(id, after, limit))(m.openTasks(id, after, limit), nil)
	compare[[]storage.Results](t, "Results")(s.Results(id, after, limit))(m.resultsOf(id, after, limit), nil)
	flow := storage.Flow{Priority: drawPriority(t), Name: drawFlow(t)}
	compare[[]storage.Flow](t, "PushFlows")(s.PushFlows(now, flow, limit))(m.pushFlows(now, flow, limit), nil)
	compare[[]storage.PushJob](t, "PushesDue")(s.PushesDue(flow, now, limit))(m.pushesDue(flow, now, limit), nil)
	compare[[]storage.PushJob](t, "PushesOverdue")(s.PushesOverdue(now, limit))(m.pushesOverdue(now, limit), nil)
	number, mr := drawNumber(t), drawReference(t)
	awaiting := m.pushesAwaiting(name, number, mr)
	compare[[]storage.PushJob](t, "PushesAwaiting")(s.PushesAwaiting(name, number, mr))(awaiting, nil)
	compare[[]storage.FeedEntry](t, "Feed")(s.Feed(after, limit))(m.feedAfter(after, limit), nil)
	compare[[]storage.FeedEntry](t, "Timeline")(s.Timeline(id, after, limit))(m.timeline(id, after, limit), nil)
	compare[uint64](t, "Head")(s.Head(), nil)(uint64(len(m.feed)), nil)
}
