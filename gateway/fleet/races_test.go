package fleet

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/modempool"
	"dmgate/sessions"
	"dmgate/storage"
)

// A push whose order came to its end after the pool has read it is not sent, and is not due again.
func TestPushIsWithdrawn(t *testing.T) {
	for name, over := range map[string]func(r *rig, d *storage.Device) error{
		"too late": func(r *rig, d *storage.Device) error { return r.EndWaits(r.now.Add(time.Hour)) },
		"replaced": func(r *rig, d *storage.Device) error {
			err := r.store.Commit(&storage.Commit{Device: d.ID, Edit: func(d *storage.Device) error {
				d.Enter(storage.Sent, r.now, "", storage.Wait{})
				return nil
			}})
			if err == nil {
				_, err = r.Bootstrap(Bootstrap{Device: d.ID})
			}
			return err
		},
		"connected": func(r *rig, d *storage.Device) error {
			return r.store.Commit(&storage.Commit{Device: d.ID, Edit: func(d *storage.Device) error {
				d.Enter(storage.Connected, r.now, "", storage.Wait{})
				return nil
			}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			d, job := r.ordered()
			if err := over(r, d); err != nil {
				t.Fatal(err)
			}
			job.State, job.Segments = storage.PushSending, make([]storage.Segment, 2)
			if err := r.Save(job); !errors.Is(err, modempool.ErrWithdrawn) {
				t.Errorf("the pool is told %v", err)
			}
			due, err := r.allDue(r.now.Add(24*time.Hour), 10)
			if err != nil || slices.ContainsFunc(due, func(p storage.PushJob) bool { return p.ID == job.ID }) {
				t.Errorf("it is due again: %v", err)
			}
			if o := r.order(d); o.State == storage.OrderOpen {
				t.Error("its order stays open for ever")
			}
		})
	}
}

// What a modem has taken in time is not given up while it is being sent.
func TestDeadlineWhileSending(t *testing.T) {
	r := newRig(t)
	d, job := r.ordered()
	r.now = epoch.Add(59 * time.Minute)
	job.State, job.Segments = storage.PushSending, make([]storage.Segment, 2)
	if err := r.Save(job); err != nil {
		t.Fatal(err)
	}
	if err := r.EndWaits(epoch.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	job.State = storage.PushQueued // the modem could not
	if err := r.Save(job); err != nil {
		t.Fatal(err)
	}
	if now := r.device(d.ID); now.State != storage.Ordered || !now.Wait.Until.Equal(epoch.Add(time.Hour)) {
		t.Errorf("device %s, waiting until %v", now.State, now.Wait.Until)
	}
	if err := r.EndWaits(epoch.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if now := r.device(d.ID); now.State != storage.Failed {
		t.Errorf("device %s, and its time is up", now.State)
	}
}

// A push that had to go out twice: while the second is with the user, the device waits for the user again.
func TestWaitAfterResend(t *testing.T) {
	r := newRig(t)
	d, job := r.ordered()
	again := []storage.PushState{storage.PushDoubtful, storage.PushQueued, storage.PushSending, storage.PushSent}
	for _, job.State = range again {
		if err := r.Save(job); err != nil {
			t.Fatal(err)
		}
	}
	if now := r.device(d.ID); now.State != storage.Sent || !strings.Contains(now.Wait.For, "the user") {
		t.Errorf("device %s, waits for %s", now.State, now.Wait.For)
	}
}

// A bootstrap that is ordered in the middle of a session stays ordered, whatever the session brings.
func TestOrderInTheMiddleOfASession(t *testing.T) {
	r := newRig(t)
	found := r.register("+9990001")
	if _, err := r.Bootstrap(Bootstrap{Device: found.ID}); err != nil {
		t.Fatal(err)
	}
	var out sessions.Outcome
	for _, step := range []func(){
		func() { r.Proved(r.now, found, &out) },
		func() { found.State = storage.Connected; discovered(r.now, found, &out) },
	} {
		out = sessions.Outcome{Commit: storage.Commit{Device: found.ID}}
		if step(); r.store.Commit(&out.Commit) != nil || r.device(found.ID).State != storage.Ordered {
			t.Errorf("device %s, want what was ordered meanwhile", r.device(found.ID).State)
		}
	}
}

// Numbers of tasks and pushes go on where an earlier process has stopped, also where the clock was set back.
func TestNumbersAfterRestart(t *testing.T) {
	r := newRig(t)
	_, job := r.ordered()
	next := New(Options{Clock: func() time.Time { return epoch.Add(-time.Hour) }}, r.store, func() {})
	if err := next.Load(); err != nil {
		t.Fatal(err)
	}
	if id := next.newID(next.opt.Clock()); id <= job.ID {
		t.Errorf("number %d after %d", id, job.ID)
	}
}

// Discovery that was broken off goes on in the next session, and does not begin once more beside itself.
func TestBrokenOffDiscovery(t *testing.T) {
	r := newRig(t)
	d := r.register("+9990001")
	account, err := r.store.Account(d.ID)
	if err != nil {
		t.Fatal(err)
	}
	opt := sessions.Options{Address: "http://gw.test/dm", Planner: r.Fleet, Random: Random}.WithDefaults()
	for n := range 3 {
		var m syncml.Message
		h := &m.Header
		h.VerDTD, h.VerProto, h.SessionID, h.MsgID = m.Text("1.2"), m.Text("DM/1.2"), m.Number(n), m.Text("1")
		h.Source.URI, h.Cred.Meta.Type = m.Text("IMEI:1"), m.Text(auth.TypeBasic)
		h.Cred.Data = auth.AppendBasic(nil, []byte(d.ID), []byte(account.Password))
		m.Final = true
		open, err := r.store.OpenTasks(d.ID, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		s := sessions.New(&opt, r.device(d.ID), account, h.SessionID, r.now, nil)
		s.Offer(open)
		var out sessions.Outcome
		s.Step(r.now, &sessions.Request{Message: &m}, &out)
		if err := r.store.Commit(&out.Commit); err != nil {
			t.Fatal(err)
		}
		if open, _ = r.store.OpenTasks(d.ID, 0, 10); len(open) != 1 {
			t.Errorf("%d tasks are open in session %d, want 1", len(open), n+1)
		}
	}
}
