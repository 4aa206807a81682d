package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/bench/handset"
	"dmgate/gateway/api"
	"dmgate/storage"
)

// Every kind of task reaches a handset that keeps the standard strictly, and its answers come back: groups, a Put of what
// is there, a large object both ways, a question to the user, and an Exec whose result comes in a session of its own.
func TestTasksOnHandset(t *testing.T) {
	o := handset.Options{Count: 1, Reopen: 1, Settings: handset.Settings{NoFetch: true}}
	s := newSite(t, 1, time.Millisecond, o)
	phone := s.phones.Handsets()[0]
	ids, err := s.up.register(t.Context(), s.phones.Handsets())
	if err != nil {
		t.Fatal(err)
	}
	s.bootstrap(t, ids, s.phones.Handsets())
	s.await(t, "the device is discovered", func() bool {
		d, err := s.store.Device(ids[0])
		return err == nil && d.State == storage.Discovered && s.phones.Counts().Closed == 1
	})
	large := strings.Repeat("Grüße an alle. ", 20_000) // 340 kB: 34 messages there, 2 back
	const dp = "./SCOMO/Download/RB_DP/"
	text := func(kind, uri, data string) storage.Command {
		return storage.Command{Kind: kind, URI: uri, Format: "chr", Data: []byte(data)}
	}
	member := func(c storage.Command) storage.Command { c.Depth = 1; return c }
	tasks := []storage.Task{
		{ID: 1, Purpose: "test", Commands: []storage.Command{
			{Kind: "Atomic"}, member(text("Replace", dp+"PkgID", "com.example.app")), member(text("Replace", dp+"Name", "App")),
			{Kind: "Sequence"}, member(text("Put", dp+"PkgURL", "http://dl.test/app")), member(storage.Command{Kind: "Get", URI: dp + "Name"}),
			text("Put", dp+"PkgURL", "http://dl.test/app"),
			text("Replace", dp+"Description", large),
			{Kind: "Get", URI: dp + "Description"},
			{Kind: "Alert", Code: 1101, Items: []string{"MINDT=10", "Install App?"}},
			{Kind: "Copy", Source: dp + "Name", URI: dp + "Description"},
		}},
		{ID: 2, Purpose: "test", Commands: []storage.Command{{Kind: "Exec", URI: dp + "Operations/DownloadInstall"}}},
	}
	for i := range tasks {
		tasks[i].Device, tasks[i].Created = ids[0], time.Now()
	}
	if err := s.store.Commit(&storage.Commit{Device: ids[0], Time: time.Now(), Tasks: tasks}); err != nil {
		t.Fatal(err)
	}
	s.phones.Connect(phone.MSISDN)
	s.await(t, "both tasks are done", func() bool {
		open, err := s.store.OpenTasks(ids[0], 0, 10)
		return err == nil && len(open) == 0
	})
	got := s.answers(t, ids[0])
	for i, want := range [][]int{
		{200, 200, 200, 200, 418, 200, 200, 200, 200, 200, 406}, // in a group a Put is an Add and no more
		{202, 1200},
	} {
		codes := make([]int, 0, len(want))
		answers := got[uint64(i+1)]
		slices.SortStableFunc(answers, func(a, b api.Answer) int { return a.Command - b.Command })
		for _, a := range answers {
			codes = append(codes, a.Code)
			if a.Command == 8 && a.Data != large {
				t.Errorf("a large object of %d bytes came back as %d", len(large), len(a.Data))
			}
		}
		if !slices.Equal(codes, want) {
			t.Errorf("task %d: answers %v, want %v", i+1, codes, want)
		}
	}
	if v, _ := phone.Lookup("./SCOMO/Inventory/Deployed"); !strings.Contains(v, "/") {
		t.Errorf("nothing was installed beside what was there: %q", v)
	}
	for _, v := range s.phones.Violations() {
		t.Errorf("violation: %v", v.String())
	}
}

// answers are the answers of a device by task, and within a task by command.
func (s *site) answers(t *testing.T, id storage.DeviceID) map[uint64][]api.Answer {
	t.Helper()
	var page api.ResultPage
	if err := s.up.call(context.Background(), "GET", "devices/"+string(id)+"/results?limit=100", nil, &page); err != nil {
		t.Fatal(err)
	}
	by := make(map[uint64][]api.Answer)
	for _, a := range page.Answers {
		by[a.Task] = append(by[a.Task], a)
	}
	return by
}

// await waits until holds.
func (s *site) await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); !holds(); <-tick.C {
		if time.Now().After(end) {
			entries, _ := s.store.Feed(s.store.Head()-min(s.store.Head(), 40), 40)
			for _, e := range entries {
				t.Logf("%s %s", e.Kind, e.Text)
			}
			t.Fatalf("not within 30 s: %s; the phones: %+v", what, s.phones.Counts())
		}
	}
}
