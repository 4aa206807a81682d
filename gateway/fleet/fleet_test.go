package fleet

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dmgate/codec/cp"
	"dmgate/codec/push"
	"dmgate/storage"
	"dmgate/storage/pebble"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// rig is a fleet over a real store, with a clock that the test sets.
type rig struct {
	*Fleet
	t      *testing.T
	store  *pebble.Store
	now    time.Time
	pushed int
}

func newRig(t *testing.T) *rig {
	t.Helper()
	store, err := pebble.Open(t.TempDir(), pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	r := &rig{t: t, store: store, now: epoch}
	r.Fleet = New(Options{
		Address: "http://gw.test:8080/dm", SendWithin: time.Hour, AnswerIn: 2 * time.Hour, Clock: func() time.Time { return r.now },
	}, store, func() { r.pushed++ })
	if err := r.Load(); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) register(msisdn string) *storage.Device {
	r.t.Helper()
	d, err := r.Register(NewDevice{MSISDN: msisdn, IMSI: "262011234567890"})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// ordered registers a device and orders its bootstrap.
func (r *rig) ordered() (*storage.Device, *storage.PushJob) {
	r.t.Helper()
	d := r.register("+9990001")
	if _, err := r.Bootstrap(Bootstrap{Device: d.ID}); err != nil {
		r.t.Fatal(err)
	}
	jobs, err := r.allDue(r.now, 10)
	if err != nil || len(jobs) != 1 {
		r.t.Fatalf("%d pushes due: %v", len(jobs), err)
	}
	return r.device(d.ID), &jobs[0]
}

func (r *rig) device(id storage.DeviceID) *storage.Device {
	r.t.Helper()
	d, err := r.store.Device(id)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *rig) order(d *storage.Device) *storage.Order {
	r.t.Helper()
	o, err := r.store.Order(d.ID, d.Order)
	if err != nil {
		r.t.Fatal(err)
	}
	return o
}

func TestRegisterChecksWhatItIsTold(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		in    NewDevice
		field string
	}{
		{NewDevice{}, "msisdn"},
		{NewDevice{MSISDN: "017012345"}, "msisdn"},
		{NewDevice{MSISDN: "+49 170 1234567"}, "msisdn"},
		{NewDevice{MSISDN: "+123456"}, "msisdn"},
		{NewDevice{MSISDN: "+1234567890123456"}, "msisdn"},
		{NewDevice{MSISDN: "+9990001", IMSI: "26201x"}, "imsi"},
		{NewDevice{MSISDN: "+9990001", IMSI: "1234567890123456"}, "imsi"},
		{NewDevice{MSISDN: "+9990001", DevID: "IMEI: 1"}, "dev_id"},
	} {
		_, err := r.Register(c.in)
		var field *FieldError
		if !errors.As(err, &field) || field.Field != c.field || !strings.Contains(field.Reason, "is no") {
			t.Errorf("%+v: %v, want a fault of %s that says why", c.in, err, c.field)
		}
	}
	r.register("+9990001")
	if _, err := r.Register(NewDevice{MSISDN: "+9990001"}); !errors.Is(err, storage.ErrExists) {
		t.Errorf("the same number again: %v", err)
	}
}

// The document that a push carries: signed by the key that was ordered, and with it all that the device needs to connect.
func TestBootstrapDocument(t *testing.T) {
	for _, sec := range []push.SEC{push.NetwPIN, push.UserPIN, push.UserNetwPIN, push.UserPINMAC} {
		t.Run(sec.String(), func(t *testing.T) {
			r := newRig(t)
			d := r.register("+9990001")
			placed, err := r.Bootstrap(Bootstrap{Device: d.ID, Sec: sec.String(), APN: "internet"})
			if err != nil {
				t.Fatal(err)
			}
			jobs, _ := r.allDue(r.now, 1)
			p, err := push.ReadPush(jobs[0].PDU)
			if err != nil {
				t.Fatal(err)
			}
			if p.SEC != sec || !push.Verify(sec, p.MAC, push.Key{IMSI: d.IMSI, PIN: placed.PIN}, p.Body) {
				t.Errorf("the PIN that was told does not open the document")
			}
			if (placed.PIN == "") != (sec == push.NetwPIN) {
				t.Errorf("PIN %q with %s", placed.PIN, sec)
			}
			doc, err := cp.Read(p.Body)
			if err != nil || len(doc.Accounts) != 1 || len(doc.NAPDefs) != 1 {
				t.Fatalf("%+v: %v", doc, err)
			}
			account, _ := r.store.Account(d.ID)
			want := cp.DMAccount{
				ServerID: "dmgate", Name: "Device management", Addr: "http://gw.test:8080/dm", Port: 8080, ToNAPID: "N1", Init: true,
				Device: cp.Login{Name: string(d.ID), Secret: account.Password, Nonce: nonceText(account.ClientNonce)},
				Server: cp.Login{Name: "dmgate", Secret: account.ServerPassword, Nonce: nonceText(account.ServerNonce)},
			}
			got := doc.Accounts[0]
			if got.ServerID != want.ServerID || got.Addr != want.Addr || got.Port != want.Port || got.ToNAPID != want.ToNAPID ||
				!got.Init || got.Device != want.Device || got.Server != want.Server {
				t.Errorf("account\n%+v, want\n%+v", got, want)
			}
		})
	}
}

func TestBootstrapRefusals(t *testing.T) {
	r := newRig(t)
	known := r.register("+9990001")
	bare, err := r.Register(NewDevice{MSISDN: "+9990002"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in    Bootstrap
		field string
	}{
		{Bootstrap{Device: known.ID, Sec: "magic"}, "sec"},
		{Bootstrap{Device: known.ID, PIN: "12"}, "pin"},
		{Bootstrap{Device: known.ID, PIN: "1234567890123"}, "pin"},
		{Bootstrap{Device: bare.ID, Sec: "netwpin"}, "sec"},
		{Bootstrap{Device: bare.ID, Sec: "usernetwpin"}, "sec"},
	} {
		_, err := r.Bootstrap(c.in)
		var field *FieldError
		if !errors.As(err, &field) || field.Field != c.field {
			t.Errorf("%+v: %v, want a fault of %s", c.in, err, c.field)
		}
		if err != nil && c.in.PIN != "" && strings.Contains(err.Error(), c.in.PIN) {
			t.Errorf("the error tells the PIN: %v", err)
		}
	}
	if _, err := r.Bootstrap(Bootstrap{Device: "nobody"}); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("unknown device: %v", err)
	}
	if r.pushed != 0 {
		t.Errorf("%d pushes for orders that were refused", r.pushed)
	}
	if _, err := r.Bootstrap(Bootstrap{Device: known.ID}); err != nil || r.pushed != 1 {
		t.Fatalf("%d pushes: %v", r.pushed, err)
	}
	if _, err := r.Bootstrap(Bootstrap{Device: known.ID}); err == nil {
		t.Error("a second order while the first waits for a modem")
	}
}

// What becomes of a device as its push goes its way.
func TestDeviceFollowsItsPush(t *testing.T) {
	for _, c := range []struct {
		before storage.State
		push   storage.PushState
		after  storage.State
		order  storage.OrderState
	}{
		{storage.Ordered, storage.PushSending, storage.Ordered, storage.OrderOpen},
		{storage.Ordered, storage.PushQueued, storage.Ordered, storage.OrderOpen},
		{storage.Ordered, storage.PushSent, storage.Sent, storage.OrderOpen},
		{storage.Ordered, storage.PushDoubtful, storage.Sent, storage.OrderOpen},
		{storage.Ordered, storage.PushFailed, storage.Unreachable, storage.OrderFailed},
		{storage.Sent, storage.PushDelivered, storage.Delivered, storage.OrderOpen},
		{storage.Sent, storage.PushFailed, storage.Unreachable, storage.OrderFailed},
		{storage.Connected, storage.PushSent, storage.Connected, storage.OrderOpen},
		{storage.Discovered, storage.PushDelivered, storage.Discovered, storage.OrderOpen},
		{storage.Unanswered, storage.PushDelivered, storage.Unanswered, storage.OrderOpen},
	} {
		t.Run(string(c.before)+", push "+string(c.push), func(t *testing.T) {
			r := newRig(t)
			d, job := r.ordered()
			err := r.store.Commit(&storage.Commit{Device: d.ID, Time: r.now, Edit: func(d *storage.Device) error {
				d.Enter(c.before, r.now, "", d.Wait)
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			job.State, job.Modem, job.Error = c.push, "m1", "as the test has it"
			if err := r.Save(job); err != nil {
				t.Fatal(err)
			}
			now := r.device(d.ID)
			if now.State != c.after {
				t.Errorf("device %s, want %s", now.State, c.after)
			}
			if o := r.order(d); o.State != c.order {
				t.Errorf("order %s, want %s", o.State, c.order)
			}
			if waits := now.Wait.For != ""; waits && (now.Wait.Until.IsZero() || now.Wait.Next == "" || now.Wait.Since.IsZero()) {
				t.Errorf("it just waits: %+v", now.Wait)
			}
			if now.State == storage.Unreachable && now.Reason == "" {
				t.Error("unreachable without a reason")
			}
		})
	}
}

// A push of an order that another one has replaced does not move the device.
func TestOldPushDoesNotCount(t *testing.T) {
	r := newRig(t)
	d, first := r.ordered()
	first.State = storage.PushSent
	if err := r.Save(first); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Bootstrap(Bootstrap{Device: d.ID}); err != nil {
		t.Fatal(err)
	}
	first.State = storage.PushFailed
	if err := r.Save(first); err != nil {
		t.Fatal(err)
	}
	if now := r.device(d.ID); now.State != storage.Ordered {
		t.Errorf("device %s, want it to wait for its new push", now.State)
	}
}

// Every wait has an end, and what was said to come next comes.
func TestDeadlines(t *testing.T) {
	for _, c := range []struct {
		push  storage.PushState // what the push has come to
		after time.Duration
		state storage.State
		order storage.OrderState
	}{
		{storage.PushQueued, 59 * time.Minute, storage.Ordered, storage.OrderOpen},
		{storage.PushQueued, time.Hour, storage.Failed, storage.OrderFailed},
		{storage.PushSent, time.Hour, storage.Sent, storage.OrderOpen},
		{storage.PushSent, 2 * time.Hour, storage.Unanswered, storage.OrderFailed},
		{storage.PushDelivered, 2 * time.Hour, storage.Unanswered, storage.OrderFailed},
	} {
		t.Run(string(c.push)+" for "+c.after.String(), func(t *testing.T) {
			r := newRig(t)
			d, job := r.ordered()
			job.State = c.push
			if err := r.Save(job); err != nil {
				t.Fatal(err)
			}
			if err := r.EndWaits(r.now.Add(c.after)); err != nil {
				t.Fatal(err)
			}
			now := r.device(d.ID)
			if now.State != c.state || r.order(d).State != c.order {
				t.Errorf("device %s, order %s, want %s and %s", now.State, r.order(d).State, c.state, c.order)
			}
			due, err := r.allDue(r.now.Add(c.after), 1)
			if err != nil || (len(due) > 0) != (c.state == storage.Ordered) {
				t.Errorf("%d pushes wait for a modem: %v", len(due), err)
			}
		})
	}
}

// The overview counted while things happen is the one counted from the store.
func TestOverviewFollowsTheFeed(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Follow(ctx) }()
	for i := range 50 {
		d := r.register("+999000" + string(rune('0'+i/10)) + string(rune('0'+i%10)))
		if i%2 == 0 {
			if _, err := r.Bootstrap(Bootstrap{Device: d.ID}); err != nil {
				t.Fatal(err)
			}
		}
	}
	jobs, _ := r.allDue(r.now, 10)
	for i := range jobs {
		jobs[i].State = storage.PushSent
		if err := r.Save(&jobs[i]); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); r.Overview().Offset < r.store.Head(); {
		if time.Now().After(deadline) {
			t.Fatalf("the overview stands at %d of %d", r.Overview().Offset, r.store.Head())
		}
	}
	followed := r.Overview()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := r.Load(); err != nil {
		t.Fatal(err)
	}
	loaded := r.Overview()
	for _, s := range storage.States {
		if followed.States[s] != loaded.States[s] {
			t.Errorf("%s: %d followed, %d counted", s, followed.States[s], loaded.States[s])
		}
	}
	if followed.Devices != 50 || loaded.Devices != 50 || loaded.States[storage.Sent] != 10 || loaded.States[storage.Ordered] != 15 {
		t.Errorf("followed %+v, counted %+v", followed, loaded)
	}
}
