package fleet

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/push"
	"dmgate/modempool"
	"dmgate/storage"
)

// connected registers a device that has opened a session already.
func (r *rig) connected() *storage.Device {
	r.t.Helper()
	d := r.register("+9990001")
	err := r.store.Commit(&storage.Commit{Device: d.ID, Time: r.now, Edit: func(d *storage.Device) error {
		d.Enter(storage.Connected, r.now, "", storage.Wait{})
		return nil
	}})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// notified is the push that waits for a modem.
func (r *rig) notified() *storage.PushJob {
	r.t.Helper()
	jobs, err := r.allDue(r.now, 10)
	if err != nil || len(jobs) != 1 {
		r.t.Fatalf("%d pushes are due (want 1), %v", len(jobs), err)
	}
	return &jobs[0]
}

// The notification carries the digest over four zero bytes, no other: the device has no other nonce.
func TestResync(t *testing.T) {
	r := newRig(t)
	d := r.connected()
	var last []byte
	for range 2 {
		if err := r.Resync(d.ID); err != nil {
			t.Fatal(err)
		}
		job := r.notified()
		if job.MSISDN != d.MSISDN || job.Kind != "notification" || bytes.Equal(job.PDU, last) {
			t.Errorf("push %+v (want another one than before)", job)
		}
		last = job.PDU
		p, err := push.ReadPush(job.PDU)
		if err != nil || p.ContentType != push.TypeNotification || p.AppID != push.AppDM || p.Signed {
			t.Fatalf("push %+v, %v", p, err)
		}
		n, err := push.ReadNotification(p.Body)
		if err != nil || n.ServerID != "dmgate" || n.SessionID == 0 || !n.ServerInitiated {
			t.Fatalf("notification %+v, %v", n, err)
		}
		a, err := r.store.Account(d.ID)
		if err != nil {
			t.Fatal(err)
		}
		secret := auth.NewSecret([]byte(a.ServerID), []byte(a.ServerPassword))
		if !n.Verify(&secret, []byte{0, 0, 0, 0}) || n.Verify(&secret, a.ServerNonce) {
			t.Error("the digest is not over the zero nonce")
		}
		if want := r.now.Add(24 * time.Hour); !a.ZeroNonceUntil.Equal(want) {
			t.Errorf("the zero nonce counts until %v (want %v)", a.ZeroNonceUntil, want)
		}
		// Its way through the pool moves nothing of the device.
		for _, state := range []storage.PushState{storage.PushSending, storage.PushSent, storage.PushFailed} {
			job.State = state
			if err := r.Save(job); err != nil {
				t.Errorf("%s: %v", state, err)
			}
		}
		now, err := r.store.Device(d.ID)
		if err != nil || now.State != storage.Connected || now.Wait.For != "" {
			t.Errorf("device %s, waits for %q, %v", now.State, now.Wait.For, err)
		}
	}
	if r.pushed != 2 {
		t.Errorf("the pool was woken %d times (want 2)", r.pushed)
	}
}

func TestResyncErrors(t *testing.T) {
	r := newRig(t)
	if err := r.Resync("nobody"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a device that is not known: %v", err)
	}
	err := r.Resync(r.register("+9990001").ID)
	if want := "device: has no account of ours yet: it is registered"; err == nil || err.Error() != want {
		t.Errorf("a device without an account: %v (want %s)", err, want)
	}
}

// A notification that no modem has taken while the zero nonce counted is of no use any more.
func TestResyncTooLate(t *testing.T) {
	r := newRig(t)
	d := r.connected()
	if err := r.Resync(d.ID); err != nil {
		t.Fatal(err)
	}
	job := r.notified()
	r.now = r.now.Add(24 * time.Hour)
	job.State = storage.PushSending
	if err := r.Save(job); !errors.Is(err, modempool.ErrWithdrawn) {
		t.Errorf("error %v (want %v)", err, modempool.ErrWithdrawn)
	}
	pushes, err := r.store.Pushes(d.ID)
	if err != nil || len(pushes) != 1 || pushes[0].State != storage.PushFailed {
		t.Errorf("pushes %+v, %v", pushes, err)
	}
}
