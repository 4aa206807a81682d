package device

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/storage"
)

// lockOut has somebody else fail so often in the name of d that its account is locked.
func (r *rig) lockOut(d *storage.Device) {
	r.t.Helper()
	stranger := r.phone(d)
	stranger.password, stranger.session = "a guess", "L"
	for range 3 {
		stranger.package1(stranger.md5)
		stranger.post()
		stranger.expect(401)
	}
}

// The device's own session goes on through a lock, which costs it no more than the time until its next one.
func TestLockOut(t *testing.T) {
	for name, open := range map[string]func(p *phone){
		"md5":   func(p *phone) { p.open(p.md5) },
		"basic": func(p *phone) { p.open(p.basic) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			d := r.register(1)
			p := r.phone(d)
			open(p)
			r.lockOut(d)
			p.goOn()
			r.restart()
			p.line = r.dial()
			p.goOn()

			next := r.phone(d)
			next.session = "2"
			next.package1(next.md5) // right, and refused
			next.post()
			next.expect(401)
			p.goOn()
			r.later(time.Minute)
			next.session, next.turn = "3", 0
			next.open(next.md5)
			next.goOn()
			want := []string{
				"opened by " + name + " over DM/1.2", "no new session for 1m0s: 3 credentials refused",
				"ended: credential refused", "opened by md5 over DM/1.2",
			}
			if got := r.sessionEntries(d.ID); !slices.Equal(got, want) {
				t.Errorf("the feed says %q, want %q", got, want)
			}
			if a, err := r.disk.Account(d.ID); err != nil || a.Failures != 0 || !a.LockedUntil.IsZero() {
				t.Errorf("%d failures, locked until %v, %v", a.Failures, a.LockedUntil, err)
			}
		})
	}
}

// What others fail at in a device's name is kept beside its nonces, which move on with each message under HMAC: neither
// undoes the other.
func TestLockOutKeepsNonces(t *testing.T) {
	r := newRig(t, Options{})
	d := r.register(1)
	account := r.account(d.ID, func(a *storage.Account) { a.Scheme = "hmac" })
	p := r.phone(d)
	p.package1(nil)
	p.postMAC(account, account.ServerNonce)
	stranger := r.phone(d)
	stranger.password, stranger.session = "a guess", "L"
	for n := range 3 {
		stranger.package1(stranger.md5)
		stranger.post()
		p.answers()
		p.postMAC(account, account.ServerNonce)
		p.expect(200)
		a := r.account(d.ID, func(*storage.Account) {})
		if a.Failures != n+1 || string(a.ClientNonce) != string(p.nonce) {
			t.Fatalf("after %d: %d failures, nonce %x (want %x)", n+1, a.Failures, a.ClientNonce, p.nonce)
		}
	}
}

// While an account is locked nothing is written for whoever knocks, and he sees what he would see of a device that is
// not known, also with the right credential.
func TestLockedLooksLikeStranger(t *testing.T) {
	for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
		for name, cred := range map[string]func(p *phone) func(*syncml.Message){
			"right": (*phone).withMD5, "nonsense": (*phone).withNonsense,
			"none": func(*phone) func(*syncml.Message) { return func(*syncml.Message) {} },
		} {
			t.Run(fmt.Sprintf("%s/%v", name, enc), func(t *testing.T) {
				r := newRig(t, Options{})
				d := r.register(1)
				r.lockOut(d)
				known, unknown := r.phone(d), r.phone(r.register(1000))
				unknown.devID, unknown.user = "IMEI:9", "nobody"
				commits := 0
				r.faults.on(func(_ *storage.Commit, commit func() error) error {
					commits++
					return commit()
				})
				for _, session := range []string{"1", "2"} {
					known.turn, unknown.turn = 0, 0
					for turn := 1; turn <= 5; turn++ {
						var says [2]answer
						for i, p := range []*phone{known, unknown} {
							p.enc, p.session = enc, session
							p.package1(cred(p))
							p.post()
							says[i] = p.got
						}
						compare(t, turn, says, enc)
					}
				}
				if commits > 0 {
					t.Errorf("%d commits", commits)
				}
			})
		}
	}
}

// A connection's certificate opens a session by itself, for the device that it is mapped to, and for no other.
func TestTransport(t *testing.T) {
	var proved storage.DeviceID
	r := newRig(t, Options{Transport: func(*fasthttp.RequestCtx) storage.DeviceID { return proved }})
	d, other := r.register(1), r.register(2)
	p := r.phone(d)
	p.devID = "IMEI:unheard-of"
	proved = d.ID
	p.open(nil)
	p.goOn()

	proved = "" // the same words over another connection
	p.path = Path + "?d=" + p.user
	p.answers()
	p.post()
	p.expect(407)
	if p.in.Commands[0].Chal.Type != nil || p.got.header.Get(auth.HeaderHMAC) != "" {
		t.Error("whoever has no certificate is told how to go on")
	}
	proved = d.ID
	p.path = Path
	p.post()
	p.expect(200)
	p.goOn()

	proved = other.ID // which goes before the address
	p.path = Path + "?d=" + p.user
	p.answers()
	p.post()
	p.expect(212)
	if n := r.results(d); n != 3 || r.results(other) != 0 {
		t.Errorf("%d answers of the one device are kept, %d of the other: want 3 and 0", n, r.results(other))
	}
}
