package storagetest

import (
	"errors"
	"testing"
	"time"

	"dmgate/storage"
)

func testNodes(t *testing.T, s storage.Store) {
	node := func(uri string, code int) storage.Node {
		return storage.Node{Device: "d1", URI: uri, Code: code, Session: "1", Task: 7, MsgID: 2, Time: at(1)}
	}
	root := node(".", 200)
	root.Format, root.Children = "node", []string{"SCOMO", "FUMO"}
	commit(t, s, &storage.Commit{Device: "d1", Time: at(1), Nodes: []storage.Node{node("./SCOMO", 500), root}})
	scomo := node("./SCOMO", 200)
	scomo.Type = "urn:oma:mo:oma-scomo:1.0"
	commit(t, s, &storage.Commit{Device: "d1", Time: at(2), Nodes: []storage.Node{scomo}})
	commit(t, s, &storage.Commit{Device: "d2", Time: at(2), Nodes: []storage.Node{{Device: "d2", URI: "./X", Time: at(2)}}})

	wantSame(t, "all", must(s.Nodes("d1", "", 9))(t), []storage.Node{root, scomo})
	wantSame(t, "a page", must(s.Nodes("d1", "", 1))(t), []storage.Node{root})
	wantSame(t, "the next", must(s.Nodes("d1", ".", 9))(t), []storage.Node{scomo})
	wantSame(t, "none", len(must(s.Nodes("d3", "", 9))(t)), 0)
	commit(t, s, &storage.Commit{Device: "d1", Time: at(3), Nodes: []storage.Node{{Device: "d1", URI: "."}, {Device: "d1", URI: "./Y"}}})
	wantSame(t, "what is not forgotten", must(s.Nodes("d1", "", 9))(t), []storage.Node{scomo})
	err := s.Commit(&storage.Commit{Device: "d1", Time: at(3), Nodes: []storage.Node{{Device: "d2", URI: "./X", Time: at(3)}}})
	if err == nil {
		t.Error("a node of another device was taken")
	}
}

// job is a job that waits until a moment.
func job(dev storage.DeviceID, id string, number uint64, until int) storage.Job {
	return storage.Job{
		ID: id, Device: dev, Kind: "install", Number: number, State: storage.JobAwaitsSession, Since: at(0), Created: at(0),
		Wait: storage.Wait{For: "a session", Since: at(0), Until: at(until)},
	}
}

func testJobs(t *testing.T, s storage.Store) {
	_, err := s.Job("d1", "j1")
	wantError(t, "no job", err, storage.ErrNotFound)
	first, second := job("d1", "j2", 1, 5), job("d1", "j1", 2, 5)
	first.Reason = "the device was notified"
	commit(t, s, &storage.Commit{Device: "d1", Time: at(1), Jobs: []storage.Job{second, first}})
	wantSame(t, "jobs", must(s.Jobs("d1"))(t), []storage.Job{first, second})

	err = s.Commit(&storage.Commit{Device: "d1", Time: at(2), Jobs: []storage.Job{job("d1", "j1", 3, 1)}})
	wantError(t, "twice", err, storage.ErrExists)
	edit := func(id string, change func(*storage.Job) error) error {
		return s.Commit(&storage.Commit{Device: "d1", Time: at(2), JobEdits: []storage.JobEdit{{ID: id, Edit: change}}})
	}
	wantError(t, "edit of none", edit("j9", func(*storage.Job) error { return nil }), storage.ErrNotFound)
	stop := errors.New("stop")
	wantError(t, "abandoned", edit("j1", func(j *storage.Job) error { j.Kind = "lock"; return stop }), stop)
	if err := edit("j1", func(j *storage.Job) error { j.Device = "d2"; return nil }); err == nil {
		t.Error("a job has changed its device")
	}
	wantSame(t, "not changed", must(s.Job("d1", "j1"))(t), &second)

	commit(t, s, &storage.Commit{Device: "d1", Time: at(3), JobEdits: []storage.JobEdit{
		{ID: "j2", Edit: func(j *storage.Job) error { j.Note(at(3), "noted"); return nil }},
		{ID: "j2", Edit: func(j *storage.Job) error { // builds on the one before
			j.Enter(storage.JobFailed, at(3), "after "+j.Steps[0].Text, storage.Wait{For: "nothing"})
			return nil
		}},
	}})
	ended := must(s.Job("d1", "j2"))(t)
	wantSame(t, "reason", ended.Reason, "after noted")
	wantSame(t, "wait", ended.Wait, storage.Wait{})
	wantSame(t, "changes", ended.Changed, uint64(2))
	var news []string
	for _, e := range must(s.Timeline("d1", 0, 99))(t) {
		news = append(news, e.Kind+" "+e.Order+" "+e.Status+": "+e.Text)
	}
	wantSame(t, "timeline", news, []string{
		"job j1 waiting-for-session: ", "job j2 waiting-for-session: the device was notified", "job j2 failed: after noted",
	})
}

func testJobsDue(t *testing.T, s storage.Store) {
	commit(t, s, &storage.Commit{Device: "d1", Time: at(1), Jobs: []storage.Job{job("d1", "j1", 1, 5), job("d1", "j2", 2, 3)}})
	commit(t, s, &storage.Commit{Device: "d2", Time: at(1), Jobs: []storage.Job{job("d2", "j1", 1, 4)}})
	ref := func(dev storage.DeviceID, id string, until int) storage.JobRef {
		return storage.JobRef{Until: at(until), Device: dev, ID: id}
	}
	due := func(now time.Time, behind storage.JobRef, limit int, want ...storage.JobRef) {
		t.Helper()
		wantSame(t, "due", must(s.JobsDue(now, behind, limit))(t), want)
	}
	none := storage.JobRef{}
	due(at(2), none, 9)
	due(at(4), none, 9, ref("d1", "j2", 3), ref("d2", "j1", 4))
	due(at(9), none, 2, ref("d1", "j2", 3), ref("d2", "j1", 4))
	due(at(9), ref("d2", "j1", 4), 2, ref("d1", "j1", 5))
	due(at(9), ref("d1", "j1", 5), 2)
	due(at(9), none, 0)
	commit(t, s, &storage.Commit{Device: "d1", Time: at(6), JobEdits: []storage.JobEdit{
		{ID: "j1", Edit: func(j *storage.Job) error { j.Wait.Until = at(8); return nil }},
		{ID: "j2", Edit: func(j *storage.Job) error { j.State = storage.JobDone; return nil }},
	}})
	due(at(7), none, 9, ref("d2", "j1", 4))
	due(at(8), none, 9, ref("d2", "j1", 4), ref("d1", "j1", 8))
}
