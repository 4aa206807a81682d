package device

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"dmgate/bench/handset"
	"dmgate/codec/auth"
	"dmgate/codec/push"
	"dmgate/codec/syncml"
	"dmgate/gateway/fleet"
	"dmgate/sessions"
	"dmgate/storage"
)

// handset bootstraps handset number i of make m, which is strict about all that the endpoint does, for an account that
// alter has changed.
func (r *rig) handset(m *handset.Make, i int, world *handset.World, alter func(*storage.Account)) (*handset.Handset,
	storage.DeviceID) {
	r.t.Helper()
	h := handset.New(m, handset.NewIdentity(i, 1), handset.Temper{}, world)
	d, err := r.fleet.Register(fleet.NewDevice{MSISDN: h.MSISDN, DevID: h.DevID()})
	if err != nil {
		r.t.Fatal(err)
	}
	r.account(d.ID, alter)
	placed, err := r.fleet.Bootstrap(fleet.Bootstrap{Device: d.ID})
	if err != nil {
		r.t.Fatal(err)
	}
	pushes, err := r.disk.Pushes(d.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	segments, err := push.Split(pushes[0].PDU, push.Ports{Dst: push.PortPush}, 1)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, ud := range segments {
		h.Receive(ud)
	}
	h.Tell(placed.PIN)
	return h, d.ID
}

// account changes the account of a device.
func (r *rig) account(id storage.DeviceID, alter func(*storage.Account)) *storage.Account {
	r.t.Helper()
	a, err := r.disk.Account(id)
	if err != nil {
		r.t.Fatal(err)
	}
	alter(a)
	if err := r.disk.Commit(&storage.Commit{Device: id, Time: r.now(), Account: a}); err != nil {
		r.t.Fatal(err)
	}
	return a
}

// sessionEntries is what the feed says of a device's sessions.
func (r *rig) sessionEntries(id storage.DeviceID) (texts []string) {
	r.t.Helper()
	timeline, err := r.disk.Timeline(id, 0, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range timeline {
		if e.Kind == "session" {
			texts = append(texts, e.Text)
		}
	}
	return texts
}

// Every scheme of either side, with strict handsets, real HTTP and a discovery to carry out. Some answers get lost, so
// that messages are repeated: the same reply has to come with the same header. HMAC begins with a challenge: a
// bootstrap document has no word for it.
func TestSchemes(t *testing.T) {
	for _, c := range []struct {
		make           *handset.Make
		scheme, server string
		opened         string
	}{
		{handset.RedBend, "", "", "md5"},
		{handset.RedBend, "md5", "basic", "md5"},
		{handset.RedBend, "md5", "hmac", "md5"},
		{handset.RedBend, "hmac", "hmac", "hmac"},
		{handset.RedBend, "hmac", "", "hmac"},
		{handset.LDM, "hmac", "", "hmac"},
		{handset.S60, "md5", "md5", "md5"},
		{handset.BasicOnly, "basic", "basic", "basic"},
		{handset.BasicOnly, "", "md5", "basic"},
		{handset.BasicOnly, "md5", "", "md5"},
	} {
		t.Run(c.make.Name+" "+c.scheme+" "+c.server, func(t *testing.T) {
			planner := new(struct{ sessions.Planner })
			r := newRig(t, Options{Sessions: sessions.Options{Planner: planner}})
			planner.Planner = r.fleet
			world := handset.NewWorld(handset.Settings{Losing: 0.3})
			t.Cleanup(world.Close)
			h, id := r.handset(c.make, 1, world, func(a *storage.Account) {
				a.Scheme, a.ServerScheme = c.scheme, c.server
			})
			for n := range 3 {
				if err := h.Session(t.Context()); err != nil {
					t.Fatalf("session %d: %v", n+1, err)
				}
				a, err := r.disk.Account(id)
				if err != nil || a.Failures != 0 {
					t.Errorf("session %d: %d failures, %v", n+1, a.Failures, err)
				}
			}
			for _, v := range h.Violations() {
				t.Errorf("violation: %s", v.String())
			}
			opened := 0
			for _, text := range r.sessionEntries(id) {
				if scheme, _, ok := strings.Cut(strings.TrimPrefix(text, "opened by "), " "); ok && scheme == c.opened {
					opened++
				}
			}
			d, err := r.disk.Device(id)
			if err != nil || d.State != storage.Discovered || opened != 3 {
				t.Errorf("device %v, %d sessions opened by %s: %q, %v", d.State, opened, c.opened, r.sessionEntries(id), err)
			}
			if got := h.Result().Repeats; got == 0 {
				t.Error("no message was ever repeated")
			}
		})
	}
}

// header is the x-syncml-hmac line for the phone's last message.
func (p *phone) header() string {
	secret := auth.NewSecret([]byte(p.user), []byte(p.password))
	mac := secret.MAC(p.nonce, p.sent)
	return "X-SyncML-HMAC: " + string(auth.AppendHMAC(nil, p.user, mac[:])) + "\r\n"
}

// postMAC posts the last message with its mac, and checks that the answer has one of the server's, over nonce.
func (p *phone) postMAC(a *storage.Account, nonce []byte) {
	p.rig.t.Helper()
	p.got = p.line.request("POST", p.path, "Content-Type: "+p.contentType()+"\r\n"+p.header(), p.sent)
	if p.got.status != 200 {
		p.rig.t.Fatalf("HTTP status %d %s", p.got.status, p.got.body)
	}
	if err := p.in.Read(p.got.body, p.enc, nil); err != nil {
		p.rig.t.Fatal(err)
	}
	if _, query, ok := strings.Cut(string(p.in.Header.RespURI), "?"); ok {
		p.path = Path + "?" + query
	}
	if text := p.in.Commands[0].Chal.NextNonce; len(text) > 0 {
		var err error
		if p.nonce, err = base64.StdEncoding.DecodeString(string(text)); err != nil {
			p.rig.t.Fatal(err)
		}
	}
	secret := auth.NewSecret([]byte(a.ServerID), []byte(a.ServerPassword))
	h, err := auth.ReadHMAC([]byte(p.got.header.Get(auth.HeaderHMAC)))
	if err != nil || string(h.User) != a.ServerID || !h.Equal(secret.Digest(nonce, p.got.body)) {
		p.rig.t.Errorf("message %d: answered with x-syncml-hmac %q (%v)", p.turn, p.got.header.Get(auth.HeaderHMAC), err)
	}
	if p.in.Header.Cred.Present() {
		p.rig.t.Error("a Cred under HMAC")
	}
}

// HMAC by hand: the header's name in any case, the same answer to the same message in every detail also from another
// process, and a stranger who can do nothing to the session.
func TestHMACSession(t *testing.T) {
	r := newRig(t, Options{})
	d := r.register(1)
	account := r.account(d.ID, func(a *storage.Account) { a.Scheme = "hmac" })
	p := r.phone(d)
	p.package1(nil)
	p.postMAC(account, account.ServerNonce)
	p.expect(200)
	for range 3 {
		p.answers()
		stranger := r.phone(d)
		stranger.path, stranger.session, stranger.turn = p.path, p.session, p.turn-1
		stranger.password = "a guess"
		stranger.compose(func(m *syncml.Message) {
			c := m.AddCommand(syncml.Alert)
			c.CmdID, c.Data = m.Number(1), m.Text("1223")
		})
		for _, header := range []string{"", stranger.header()} {
			stranger.got = stranger.line.request("POST", stranger.path, "Content-Type: "+typeWBXML+"\r\n"+header, stranger.sent)
			if err := stranger.in.Read(stranger.got.body, stranger.enc, nil); err != nil {
				t.Fatal(err)
			}
			want := 401
			if header == "" {
				want = 407
			}
			if stranger.verdict() != want || stranger.got.header.Get(auth.HeaderHMAC) != "" {
				t.Errorf("a stranger's message: status %d (want %d), mac %q", stranger.verdict(), want,
					stranger.got.header.Get(auth.HeaderHMAC))
			}
		}
		nonce := p.nonce
		p.postMAC(account, account.ServerNonce)
		p.expect(200)
		first, next := p.got, p.nonce
		r.restart()
		p.line = r.dial()
		p.nonce = nonce
		p.postMAC(account, account.ServerNonce)
		if !bytes.Equal(first.body, p.got.body) || first.header.Get(auth.HeaderHMAC) != p.got.header.Get(auth.HeaderHMAC) {
			t.Errorf("message %d sent again is answered in another way", p.turn)
		}
		p.nonce = next
	}
	if n := r.results(d); n != 3 {
		t.Errorf("%d answers are kept, want 3", n)
	}
}

// A header that is none is an error of the request, whoever sends it.
func TestHMACHeaderMalformed(t *testing.T) {
	r := newRig(t, Options{})
	p := r.phone(r.register(1))
	p.package1(p.basic)
	for _, name := range []string{p.user, "nobody"} {
		got := p.line.request("POST", Path+"?d="+name, "Content-Type: "+typeWBXML+"\r\nx-syncml-hmac: mac=short\r\n", p.sent)
		const want = "x-syncml-hmac: offset 0: mac of 5 characters (want 24 or 44)\n"
		if got.status != 400 || string(got.body) != want {
			t.Errorf("%s: status %d, %q", name, got.status, got.body)
		}
	}
}
