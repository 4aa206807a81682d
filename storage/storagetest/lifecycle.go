package storagetest

import (
	"sync"
	"testing"

	"dmgate/storage"
)

// testClosed calls everything on a closed store.
func testClosed(t *testing.T, s storage.Store) {
	commit(t, s, FullCommit("alpha"))
	grown := s.Grown()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"Commit":         func() error { return s.Commit(FullCommit("beta")) },
		"Device":         func() error { _, err := s.Device("alpha"); return err },
		"FindDevice":     func() error { _, err := s.FindDevice(storage.ByMSISDN, "+1"); return err },
		"Devices":        func() error { _, err := s.Devices("", 1); return err },
		"DevicesDue":     func() error { _, err := s.DevicesDue(at(1), 1); return err },
		"Account":        func() error { _, err := s.Account("alpha"); return err },
		"Order":          func() error { _, err := s.Order("alpha", "order-1"); return err },
		"Orders":         func() error { _, err := s.Orders("alpha"); return err },
		"OpenTasks":      func() error { _, err := s.OpenTasks("alpha", 0, 1); return err },
		"Task":           func() error { _, err := s.Task("alpha", 7); return err },
		"Results":        func() error { _, err := s.Results("alpha", 0, 1); return err },
		"Pushes":         func() error { _, err := s.Pushes("alpha"); return err },
		"Push":           func() error { _, err := s.Push("a", 1); return err },
		"PushFlows":      func() error { _, err := s.PushFlows(at(1), storage.Flow{}, 1); return err },
		"PushesDue":      func() error { _, err := s.PushesDue(storage.Flow{}, at(1), 1); return err },
		"PushesOverdue":  func() error { _, err := s.PushesOverdue(at(1), 1); return err },
		"PushesAwaiting": func() error { _, err := s.PushesAwaiting("m", "+1", 1); return err },
		"CommitCampaign": func() error { return s.CommitCampaign(&storage.CampaignCommit{Campaign: "k"}) },
		"Campaign":       func() error { _, err := s.Campaign("k"); return err },
		"Campaigns":      func() error { _, err := s.Campaigns("", 1); return err },
		"Target":         func() error { _, err := s.Target("k", 1); return err },
		"FindTarget":     func() error { _, err := s.FindTarget("k", "+1"); return err },
		"Targets":        func() error { _, err := s.Targets("k", 0, 1); return err },
		"TargetsIn":      func() error { _, err := s.TargetsIn("k", storage.TargetPending, at(1), 1); return err },
		"Document":       func() error { _, err := s.Document("n"); return err },
		"PutDocument":    func() error { return s.PutDocument("n", nil) },
		"EditDocument": func() error {
			return s.EditDocument("n", func([]byte) ([]byte, error) { return nil, nil })
		},
		"Documents":  func() error { _, err := s.Documents("", "", 1); return err },
		"Nodes":      func() error { _, err := s.Nodes("a", "", 1); return err },
		"Job":        func() error { _, err := s.Job("a", "j"); return err },
		"Jobs":       func() error { _, err := s.Jobs("a"); return err },
		"JobsDue":    func() error { _, err := s.JobsDue(at(1), storage.JobRef{}, 1); return err },
		"Checkpoint": func() error { _, err := s.Checkpoint("alpha"); return err },
		"Feed":       func() error { _, err := s.Feed(0, 1); return err },
		"Timeline":   func() error { _, err := s.Timeline("alpha", 0, 1); return err },
		"Close":      s.Close,
	} {
		wantError(t, name, call(), storage.ErrClosed)
	}
	if !isClosed(grown) || !isClosed(s.Grown()) {
		t.Error("Grown is open: who waits on a closed store waits forever")
	}
}

// testCloseWaits closes a store while commits run: each either returns nil or ErrClosed, and one that is inside when
// Close is called gets through.
func testCloseWaits(t *testing.T, s storage.Store) {
	register(t, s, "a")
	inside, goOn := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := s.Commit(&storage.Commit{Device: "a", Edit: func(d *storage.Device) error {
			close(inside)
			<-goOn
			if _, err := s.Device("a"); err != nil && err != storage.ErrClosed {
				t.Error("a read inside Edit:", err)
			}
			d.Reason = "edited"
			return nil
		}})
		if err != nil {
			t.Error("a commit that was running:", err)
		}
	})
	<-inside
	for range 4 {
		wg.Go(func() {
			for {
				if err := s.Commit(FullUpdate("b")); err != nil {
					wantError(t, "Commit", err, storage.ErrClosed)
					return
				}
			}
		})
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	select {
	case <-closed:
		t.Error("Close returned while a commit was running")
	default:
	}
	close(goOn)
	wg.Wait()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func testReopen(t *testing.T, open func(*testing.T, string) storage.Store) {
	dir := t.TempDir()
	s := open(t, dir)
	commitCampaign(t, s, FullCampaign("k"))
	commit(t, s, FullCommit("alpha"))
	if err := s.PutDocument("limits", []byte("a few")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
		WantFullCommit(t, s, "alpha")
		WantFullCampaign(t, s, "k")
		wantSame(t, "document", string(must(s.Document("limits"))(t)), "a few")
	}
	wantError(t, "the device again", s.Commit(FullCommit("alpha")), storage.ErrExists)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func testReopenOffsets(t *testing.T, open func(*testing.T, string) storage.Store) {
	dir := t.TempDir()
	var want []uint64
	for i := range 4 {
		s := open(t, dir)
		wantSame(t, "Head", s.Head(), uint64(3*i))
		happen(t, s, "a", "1", "2")
		happen(t, s, "b", "3")
		want = append(want, uint64(3*i+1), uint64(3*i+2), uint64(3*i+3))
		wantSame(t, "offsets", each(must(s.Feed(0, 99))(t), offset), want)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func testReopenResults(t *testing.T, open func(*testing.T, string) storage.Store) {
	dir := t.TempDir()
	var want []uint32
	for i := range uint32(6) {
		s := open(t, dir)
		commit(t, s, &storage.Commit{Device: "a", Results: []storage.Results{{Device: "a", Task: 1, MsgID: i}}})
		want = append(want, i)
		got := each(must(s.Results("a", 0, 99))(t), func(r storage.Results) uint32 { return r.MsgID })
		wantSame(t, "messages", got, want)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
