package pebble

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"dmgate/storage"
	"dmgate/storage/storagetest"
)

// openFull opens a store with one device of everything, and with a campaign.
func openFull(t *testing.T) *Store {
	t.Helper()
	s, err := Open("db", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c := storagetest.FullCommit("alpha")
	c.Pushes = append(c.Pushes, storage.PushJob{ID: 12, Device: "alpha", State: storage.PushQueued})
	if err := errors.Join(s.Commit(c), s.CommitCampaign(storagetest.FullCampaign("k"))); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDamagedRecords overwrites each record in turn: every read that meets it names it, and so does Check.
func TestDamagedRecords(t *testing.T) {
	numbered := func(table byte, n uint64) []byte { return appendNumberedKey(nil, table, "alpha", n) }
	device := func(table byte) []byte { return appendDeviceKey(nil, table, "alpha") }
	now := time.Now()
	for name, c := range map[string]struct {
		key   []byte
		reads map[string]func(s *Store) error
	}{
		`device "alpha"`: {device(tableDevice), map[string]func(*Store) error{
			"Device":  func(s *Store) error { _, err := s.Device("alpha"); return err },
			"Devices": func(s *Store) error { _, err := s.Devices("", 9); return err },
			"Commit": func(s *Store) error {
				return s.Commit(&storage.Commit{Device: "alpha", Edit: func(*storage.Device) error { return nil }})
			},
		}},
		`account of device "alpha"`: {device(tableAccount), map[string]func(*Store) error{
			"Account": func(s *Store) error { _, err := s.Account("alpha"); return err },
		}},
		`order "order-1" of device "alpha"`: {appendOrderKey(nil, "alpha", "order-1"), map[string]func(*Store) error{
			"Order":  func(s *Store) error { _, err := s.Order("alpha", "order-1"); return err },
			"Orders": func(s *Store) error { _, err := s.Orders("alpha"); return err },
		}},
		`task 7 of device "alpha"`: {numbered(tableTask, 7), map[string]func(*Store) error{
			"Task":      func(s *Store) error { _, err := s.Task("alpha", 7); return err },
			"OpenTasks": func(s *Store) error { _, err := s.OpenTasks("alpha", 0, 9); return err },
		}},
		`push 11 of device "alpha"`: {numbered(tablePush, 11), map[string]func(*Store) error{
			"Pushes":        func(s *Store) error { _, err := s.Pushes("alpha"); return err },
			"PushesOverdue": func(s *Store) error { _, err := s.PushesOverdue(now, 9); return err },
			"PushesAwaiting": func(s *Store) error {
				_, err := s.PushesAwaiting("modem-1", "+49171alpha", 0)
				return err
			},
			"Commit": func(s *Store) error {
				return s.Commit(&storage.Commit{Device: "alpha", PushEdits: []storage.PushEdit{{ID: 11}}})
			},
		}},
		`push 12 of device "alpha"`: {numbered(tablePush, 12), map[string]func(*Store) error{
			"PushesDue": func(s *Store) error { _, err := s.PushesDue(storage.Flow{}, now, 9); return err },
		}},
		`checkpoint of device "alpha"`: {device(tableCheckpoint), map[string]func(*Store) error{
			"Checkpoint": func(s *Store) error { _, err := s.Checkpoint("alpha"); return err },
		}},
		`node "./FUMO" of device "alpha"`: {appendNamedKey(nil, tableNode, "alpha", "./FUMO"), map[string]func(*Store) error{
			"Nodes": func(s *Store) error { _, err := s.Nodes("alpha", "", 9); return err },
		}},
		`job "job-1" of device "alpha"`: {appendNamedKey(nil, tableJob, "alpha", "job-1"), map[string]func(*Store) error{
			"Job":  func(s *Store) error { _, err := s.Job("alpha", "job-1"); return err },
			"Jobs": func(s *Store) error { _, err := s.Jobs("alpha"); return err },
			"Commit": func(s *Store) error {
				return s.Commit(&storage.Commit{Device: "alpha", JobEdits: []storage.JobEdit{{ID: "job-1"}}})
			},
		}},
		`campaign "k"`: {appendText([]byte{tableCampaign}, "k"), map[string]func(*Store) error{
			"Campaign":       func(s *Store) error { _, err := s.Campaign("k"); return err },
			"Campaigns":      func(s *Store) error { _, err := s.Campaigns("", 9); return err },
			"CommitCampaign": func(s *Store) error { return s.CommitCampaign(&storage.CampaignCommit{Campaign: "k"}) },
		}},
		`target 1 of campaign "k"`: {appendTargetKey(nil, "k", 1), map[string]func(*Store) error{
			"Target":    func(s *Store) error { _, err := s.Target("k", 1); return err },
			"Targets":   func(s *Store) error { _, err := s.Targets("k", 0, 9); return err },
			"TargetsIn": func(s *Store) error { _, err := s.TargetsIn("k", storage.TargetPending, now, 9); return err },
			"CommitCampaign": func(s *Store) error {
				return s.CommitCampaign(&storage.CampaignCommit{
					Campaign: "k", Targets: []storage.Target{{Campaign: "k", Number: 1}},
				})
			},
		}},
		`feed entry 2`: {appendFeedKey(nil, 2), map[string]func(*Store) error{
			"Feed":     func(s *Store) error { _, err := s.Feed(0, 9); return err },
			"Timeline": func(s *Store) error { _, err := s.Timeline("alpha", 0, 9); return err },
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := openFull(t)
			if err := s.db.Set(c.key, []byte("no record"), pebble.Sync); err != nil {
				t.Fatal(err)
			}
			for call, read := range c.reads {
				err := read(s)
				if !errors.Is(err, storage.ErrDamaged) || !strings.Contains(err.Error(), name) {
					t.Errorf("%s: error %v, want ErrDamaged of %s", call, err, name)
				}
			}
			wantProblem(t, s, name)
		})
	}
}

// wantProblem checks that Check finds a problem and names it.
func wantProblem(t *testing.T, s *Store, name string) {
	t.Helper()
	report, err := s.Check()
	if err != nil {
		t.Fatal(err)
	}
	if report.OK() || !strings.Contains(strings.Join(report.Problems, "\n"), name) {
		t.Errorf("problems %q, want one that names %s", report.Problems, name)
	}
}

// TestCheck puts records and indexes at odds.
func TestCheck(t *testing.T) {
	s := openFull(t)
	report, err := s.Check()
	if err != nil || !report.OK() {
		t.Fatalf("a sound store: %v, %v", report, err)
	}
	want := "1 devices, 1 accounts, 1 orders, 1 tasks, 1 results, 2 pushes, 1 checkpoints, 1 nodes, 1 jobs, " +
		"1 campaigns, 7 targets, 5 feed entries"
	if got := report.String(); got != want {
		t.Errorf("report %q, want %q", got, want)
	}

	full := storagetest.FullCommit("alpha")
	queued := &storage.PushJob{ID: 12, Device: "alpha", State: storage.PushQueued}
	sentAsQueued := full.Pushes[0]
	sentAsQueued.State = storage.PushQueued
	targets := storagetest.FullCampaign("k").Targets
	done := targets[3]
	done.State = storage.TargetPending
	refused := targets[5]
	refused.State = storage.TargetDone
	for want, row := range map[string]struct {
		key, value []byte
		missing    bool
	}{
		"its open entry of task 7":             {key: appendNumberedKey(nil, tableOpenTask, "alpha", 7), missing: true},
		"its due entry of device":              {key: appendDeviceDueKey(nil, full.New), missing: true},
		"its due entry of push 12":             {key: queueKey(queued), missing: true},
		"its awaiting entry of push 11":        {key: awaitingKeys(&full.Pushes[0])[0], missing: true},
		"its under-way entry of push 11":       {key: wayKey(&full.Pushes[0]), missing: true},
		"its due entry of job \"job-1\"":       {key: jobDueKey(&full.Jobs[0]), missing: true},
		"its timeline entry 1":                 {key: appendNumberedKey(nil, tableTimeline, "alpha", 1), missing: true},
		"the index gives its name \"+49171al":  {key: appendNameKey(nil, tableMSISDN, full.New.MSISDN), missing: true},
		"the index gives its name \"IMEI:":     {key: appendNameKey(nil, tableDevID, full.New.DevID), value: []byte("other")},
		"its entry of target 1 of campaign":    {key: targetInKey(&targets[0]), missing: true},
		"its index entry of MSISDN \"text ":    {key: targetNameKey(&targets[3]), missing: true},
		"4 of campaign \"k\": the record does": {key: targetInKey(&done)},
		"in campaign \"k\": the record does":   {key: targetNameKey(&refused), value: appendUint(nil, 6)},
		"in campaign \"k\" leads nowhere":      {key: appendTargetName(nil, "k", "+1"), value: appendUint(nil, 9)},
		"entry of target 9 of campaign \"l\" leads nowhere": {
			key: targetInKey(&storage.Target{Campaign: "l", Number: 9, State: storage.TargetHeld}),
		},
		"feed entry 2 follows 0":             {key: appendFeedKey(nil, 1), missing: true},
		"MSISDN \"+1\": the record does not": {key: appendNameKey(nil, tableMSISDN, "+1"), value: []byte("alpha")},
		"DevID \"X\" leads nowhere":          {key: appendNameKey(nil, tableDevID, "X"), value: []byte("nobody")},
		"open entry of task 8":               {key: appendNumberedKey(nil, tableOpenTask, "alpha", 8)},
		"due entry of push 11":               {key: queueKey(&sentAsQueued)},
		"timeline entry 9":                   {key: appendNumberedKey(nil, tableTimeline, "alpha", 9)},
		"due entry of job \"job-2\"":         {key: jobDueKey(&storage.Job{ID: "job-2", Device: "alpha"})},
		"due entry of job \"job-1\"":         {key: jobDueKey(&storage.Job{ID: "job-1", Device: "alpha"})},
		"unknown key":                        {key: []byte("?")},
	} {
		t.Run(want, func(t *testing.T) {
			s := openFull(t)
			var err error
			if row.missing {
				err = s.db.Delete(row.key, pebble.Sync)
			} else {
				err = s.db.Set(row.key, row.value, pebble.Sync)
			}
			if err != nil {
				t.Fatal(err)
			}
			wantProblem(t, s, want)
		})
	}
}

// TestNewerFormat opens a store that a newer program has written.
func TestNewerFormat(t *testing.T) {
	fs := vfs.NewMem()
	s, err := Open("db", Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	b := s.db.NewBatch()
	if err := errors.Join(setNumber(b, storeFormat, Format+1), b.Commit(pebble.Sync), s.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the refusal lets the directory go
		_, err = Open("db", Options{FS: fs})
		if err == nil || !strings.Contains(err.Error(), "newer dmgate") {
			t.Errorf("error %v, want one that says that the store is of a newer program", err)
		}
	}
}
