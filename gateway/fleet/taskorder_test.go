package fleet

import (
	"errors"
	"strings"
	"testing"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/push"
	"dmgate/codec/syncml"
	"dmgate/modempool"
	"dmgate/sessions"
	"dmgate/storage"
)

// bootstrapped is a device with an account of ours.
func (r *rig) bootstrapped(msisdn string) *storage.Device {
	r.t.Helper()
	d := r.register(msisdn)
	err := r.store.Commit(&storage.Commit{Device: d.ID, Time: r.now, Edit: func(d *storage.Device) error {
		d.Enter(storage.Discovered, r.now, "", storage.Wait{})
		return nil
	}})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.device(d.ID)
}

// talk takes a device through a session in which each command is answered by code.
func (r *rig) talk(id storage.DeviceID, code int) {
	r.t.Helper()
	account, err := r.store.Account(id)
	if err != nil {
		r.t.Fatal(err)
	}
	opt := sessions.Options{Address: "http://gw.test/dm", Planner: r.Fleet, Random: Random}.WithDefaults()
	var s *sessions.Session
	var out sessions.Outcome
	for n := 1; n < 10 && !out.Ended; n++ {
		var m syncml.Message
		h := &m.Header
		h.VerDTD, h.VerProto, h.SessionID, h.MsgID = m.Text("1.2"), m.Text("DM/1.2"), m.Text("7"), m.Number(n)
		h.Source.URI, h.Cred.Meta.Type = m.Text("IMEI:1"), m.Text(auth.TypeBasic)
		h.Cred.Data = auth.AppendBasic(nil, []byte(id), []byte(account.Password))
		m.Final = true
		if s == nil {
			s = sessions.New(&opt, r.device(id), account, h.SessionID, r.now, nil)
		}
		r.answer(&m, &out, code)
		open, err := r.store.OpenTasks(id, 0, 10)
		if err != nil {
			r.t.Fatal(err)
		}
		s.Offer(open)
		out = sessions.Outcome{}
		s.Step(r.now, &sessions.Request{Message: &m}, &out)
		if err := r.store.Commit(&out.Commit); err != nil {
			r.t.Fatal(err)
		}
	}
	if !out.Ended {
		r.t.Fatal("the session does not end")
	}
}

// answer puts the statuses for our last message into the device's next one.
func (r *rig) answer(m *syncml.Message, out *sessions.Outcome, code int) {
	for i := range out.Reply.Commands {
		c := &out.Reply.Commands[i]
		if c.Kind == syncml.Status {
			continue
		}
		s := m.AddCommand(syncml.Status)
		s.CmdID, s.MsgRef, s.CmdRef = m.Number(i+1), out.Reply.Header.MsgID, c.CmdID
		s.Cmd, s.Data = m.Text(c.Kind.String()), m.Number(code)
	}
}

// What becomes of an order of kind notify or task, and the reason that upstream is told.
func TestTaskOrders(t *testing.T) {
	get := []storage.Command{{Kind: "Replace", URI: "./X"}, {Kind: "Get", URI: "./Y"}}
	for _, c := range []struct {
		name     string
		commands []storage.Command
		happens  func(r *rig, d *storage.Device)
		state    storage.OrderState
		reason   string
	}{
		{"a notify waits", nil, func(r *rig, d *storage.Device) {}, storage.OrderOpen, ""},
		{"a notify is done by a session", nil, func(r *rig, d *storage.Device) { r.talk(d.ID, 200) }, storage.OrderDone, ""},
		{"a task is done by its answers", get, func(r *rig, d *storage.Device) { r.talk(d.ID, 200) }, storage.OrderDone, ""},
		{"a task is refused", get, func(r *rig, d *storage.Device) { r.talk(d.ID, 405) }, storage.OrderFailed,
			"command 0 (Replace ./X): status 405"},
		{"a task is rolled back", get, func(r *rig, d *storage.Device) { r.talk(d.ID, 216) }, storage.OrderFailed,
			"command 0 (Replace ./X): status 216"},
		{"a task is too late", get, func(r *rig, d *storage.Device) {
			r.now = r.now.Add(2 * time.Hour)
			r.talk(d.ID, 200)
		}, storage.OrderFailed, "its deadline has passed"},
		{"the notification can not be sent", get, func(r *rig, d *storage.Device) {
			job := r.queued(d)
			job.State, job.Error = storage.PushFailed, "no such number"
			if err := r.Save(job); err != nil {
				r.t.Fatal(err)
			}
			r.talk(d.ID, 200)
		}, storage.OrderFailed, "no such number"},
		{"it is given up", nil, func(r *rig, d *storage.Device) {
			if err := r.giveUp(d.ID, "o", "enough", false); err != nil {
				r.t.Fatal(err)
			}
			if job := r.queued(d); job.State != storage.PushFailed || job.Error != "enough" {
				r.t.Errorf("its push is %s: %s", job.State, job.Error)
			}
			r.talk(d.ID, 200)
		}, storage.OrderFailed, "enough"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			d := r.bootstrapped("+9990001")
			kind := kindNotify
			if c.commands != nil {
				kind = kindTask
			}
			err := r.orderTask(&taskOrder{name: "o", kind: kind, commands: c.commands, deadline: r.now.Add(time.Hour)}, d)
			if err != nil {
				t.Fatal(err)
			}
			c.happens(r, d)
			o, err := r.store.Order(d.ID, "o")
			if err != nil || o.State != c.state || o.Reason != c.reason || o.Kind != kind {
				t.Errorf("order %+v: %v, want it %s: %s", o, err, c.state, c.reason)
			}
			if open, _ := r.store.OpenTasks(d.ID, 0, 10); (len(open) > 0) != (c.state == storage.OrderOpen) {
				t.Errorf("%d tasks are open", len(open))
			}
		})
	}
}

// A bootstrap that is given up before a modem has taken it leaves no trace at the device. One that a modem has goes on.
func TestGiveUpUnsent(t *testing.T) {
	r := newRig(t)
	d, job := r.ordered()
	if err := r.giveUp(d.ID, job.Order, "enough", true); err != nil {
		t.Fatal(err)
	}
	if now := r.device(d.ID); now.State != storage.Registered || now.Wait.For != "" {
		t.Errorf("the device is %s and waits for %q", now.State, now.Wait.For)
	}
	if o := r.order(d); o.State != storage.OrderFailed || o.Reason != "enough" {
		t.Errorf("the order is %s: %s", o.State, o.Reason)
	}
	job.State = storage.PushSending
	if err := r.Save(job); !errors.Is(err, modempool.ErrWithdrawn) {
		t.Errorf("a modem that comes for it now is told %v", err)
	}

	placed, err := r.Bootstrap(Bootstrap{Device: d.ID})
	if err != nil {
		t.Fatal(err)
	}
	pushes, err := r.store.Pushes(d.ID)
	if err != nil || len(pushes) != 2 {
		t.Fatalf("%d pushes: %v", len(pushes), err)
	}
	next := &pushes[1]
	next.State = storage.PushSending
	if err := r.Save(next); err != nil {
		t.Fatal(err)
	}
	if err := r.giveUp(d.ID, placed.Order, "enough", true); !errors.Is(err, errTaken) {
		t.Errorf("given up while a modem has it: %v", err)
	}
	if o, err := r.store.Order(d.ID, placed.Order); err != nil || o.State != storage.OrderOpen {
		t.Errorf("the order that a modem has is %+v, %v", o, err)
	}
}

// queued is the only push of a device.
func (r *rig) queued(d *storage.Device) *storage.PushJob {
	r.t.Helper()
	jobs, err := r.store.Pushes(d.ID)
	if err != nil || len(jobs) != 1 {
		r.t.Fatalf("%d pushes: %v", len(jobs), err)
	}
	return &jobs[0]
}

// The notification is made when it is sent: its digest is over the nonce that the device has then.
func TestNotificationIsMadeLate(t *testing.T) {
	r := newRig(t)
	d := r.bootstrapped("+9990001")
	if err := r.orderTask(&taskOrder{name: "o", kind: kindNotify, deadline: r.now.Add(time.Hour)}, d); err != nil {
		t.Fatal(err)
	}
	job := r.queued(d)
	if len(job.PDU) > 0 {
		t.Error("it is made when it is ordered")
	}
	account, _ := r.store.Account(d.ID)
	account.ServerNonce = []byte("another")
	if err := r.store.Commit(&storage.Commit{Device: d.ID, Account: account}); err != nil {
		t.Fatal(err)
	}
	pdu, err := r.PDU(job)
	if err != nil {
		t.Fatal(err)
	}
	p, err := push.ReadPush(pdu)
	if err != nil {
		t.Fatal(err)
	}
	n, err := push.ReadNotification(p.Body)
	secret := auth.NewSecret([]byte(account.ServerID), []byte(account.ServerPassword))
	if err != nil || !n.Verify(&secret, account.ServerNonce) {
		t.Errorf("notification %+v is not over the nonce of now: %v", n, err)
	}
}

// A device without an account of ours can not be told anything.
func TestTaskOrderNeedsAnAccount(t *testing.T) {
	r := newRig(t)
	d := r.register("+9990001")
	err := r.orderTask(&taskOrder{name: "o", kind: kindNotify}, d)
	if err == nil || !strings.Contains(err.Error(), "device: has no account of ours yet: it is registered") {
		t.Errorf("ordered: %v", err)
	}
}
