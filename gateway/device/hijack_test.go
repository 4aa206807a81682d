package device

import (
	"bytes"
	"encoding/base64"
	"testing"

	"dmgate/codec/syncml"
)

// Somebody who knows a device's IMEI or its name, and no more, can not end the session that the device has open: not in
// one try, not in many, and not around a restart.
func TestStrangerEndsSession(t *testing.T) {
	for name, alter := range map[string]func(p, stranger *phone){
		"by IMEI":            func(_, _ *phone) {},
		"by name":            func(p, stranger *phone) { stranger.locName = p.user },
		"by address":         func(p, stranger *phone) { stranger.path = p.path },
		"the same SessionID": func(p, stranger *phone) { stranger.session = p.session },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			d := r.register(1)
			p, stranger := r.phone(d), r.phone(d)
			p.open(p.basic)
			stranger.user, stranger.password, stranger.session = "nobody", "a guess", "2"
			alter(p, stranger)
			for range 2 {
				stranger.turn = 0
				for range 3 { // after which the stranger has had its tries
					p.goOn()
					stranger.package1(stranger.md5)
					stranger.post()
					stranger.expect(401)
				}
				r.restart()
				p.line, stranger.line = r.dial(), r.dial()
			}
			p.goOn()
			if n := r.results(d); n != 7 {
				t.Errorf("%d answers are kept, want 7", n)
			}
		})
	}
}

// A device that has lost its session, which we have not, begins another one: with a nonce that is good, and with one
// that is not.
func TestDeviceBeginsAnew(t *testing.T) {
	for name, nonce := range map[string]string{"good nonce": "", "stale nonce": "stale"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Options{})
			d := r.register(1)
			lost := r.phone(d)
			lost.open(lost.md5)
			lost.goOn()
			p := r.phone(d) // with the nonce of the account as it is now
			p.session = "2"
			if nonce != "" {
				p.nonce = []byte(nonce)
				p.package1(p.md5)
				p.post()
				p.expect(401)
				again := p.got.body
				if p.post(); !bytes.Equal(again, p.got.body) {
					t.Error("the message sent again is answered in another way")
				}
				p.nonce = p.challenge()
			}
			p.open(p.md5)
			p.goOn()
			r.restart()
			p.line, lost.line = r.dial(), r.dial()
			p.goOn()
			lost.answers()
			lost.post()
			lost.expect(407)
			p.goOn()
		})
	}
}

// challenge is the nonce that the server wants a digest over.
func (p *phone) challenge() []byte {
	for i := range p.in.Commands {
		if text := p.in.Commands[i].Chal.NextNonce; len(text) > 0 {
			nonce, err := base64.StdEncoding.DecodeString(string(text))
			if err != nil {
				p.rig.t.Fatal(err)
			}
			return nonce
		}
	}
	p.rig.t.Fatal("no challenge")
	return nil
}

// Somebody who knows a device's IMEI, and guesses its SessionID, can not speak in the session that the device has open.
func TestStrangerJoinsSession(t *testing.T) {
	r := newRig(t, Options{})
	d := r.register(1)
	p := r.phone(d)
	p.open(p.basic)
	p.goOn()
	stranger := r.phone(d)
	stranger.user, stranger.password, stranger.turn, stranger.session = "nobody", "a guess", p.turn, p.session
	stranger.compose(func(m *syncml.Message) {
		c := m.AddCommand(syncml.Alert)
		c.CmdID, c.Data = m.Number(1), m.Text("1222")
	})
	if stranger.post() == 200 && stranger.verdict() < 300 {
		t.Errorf("status %d for a stranger in the session", stranger.verdict())
	}
	p.goOn()
}
