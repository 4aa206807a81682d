package handset

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
)

// hmacServer is a server that asks for HMAC, with a handset that has been challenged for it once: its next session is
// under HMAC from its first message.
func hmacServer(t *testing.T, m *Make, script ...string) (*testServer, *Handset) {
	t.Helper()
	s := newTestServer(t, script...)
	s.auth = auth.TypeMAC
	h := New(m, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean(t, h)
	return s, h
}

// TestHMAC: a challenge for a mac is answered by one, and each message has its own, over the nonce of the last answer.
func TestHMAC(t *testing.T) {
	for _, m := range []*Make{RedBend, LDM} {
		t.Run(m.Name, func(t *testing.T) {
			s, h := hmacServer(t, m, "Get ./DevInfo/Man", "Get ./DevInfo/Mod")
			first := len(s.heard)
			if !s.heard[0].Header.Cred.Present() {
				t.Error("no MD5 credential before the challenge")
			}
			if err := h.Session(t.Context()); err != nil {
				t.Fatal(err)
			}
			clean(t, h)
			if got := len(s.heard) - first; got != 3 {
				t.Errorf("%d messages in the second session (want 3: the scheme and the nonces are kept)", got)
			}
			for _, in := range s.heard[1:] {
				if in.Header.Cred.Present() {
					t.Errorf("message %s with a Cred under HMAC", in.Header.MsgID)
				}
			}
			if n := strings.Count(strings.Join(s.statuses, "\n"), " 200"); n != 4 || len(s.statuses) != 4 {
				t.Errorf("statuses %q (want 200 for each of 4)", s.statuses)
			}
		})
	}
}

// TestHMACUnknown: a make that does not know HMAC gives up.
func TestHMACUnknown(t *testing.T) {
	s := newTestServer(t)
	s.auth = auth.TypeMAC
	h := New(S60, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	if err := h.Session(t.Context()); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("error %v (want %v)", err, ErrUnauthorized)
	}
}

// TestHMACViolations: what a server does wrong under HMAC is reported, and nothing else is.
func TestHMACViolations(t *testing.T) {
	header := func(alter func(h http.Header, out []byte)) func(*testServer, int) {
		return func(s *testServer, turn int) {
			answerTo(s, turn, func(w http.ResponseWriter, out []byte) {
				alter(w.Header(), out)
				w.Write(out)
			})
		}
	}
	message := func(alter func(m *syncml.Message)) func(*testServer, int) {
		return func(s *testServer, turn int) {
			s.tamper = func(n int, out *syncml.Message) {
				if n == turn {
					alter(out)
				}
			}
		}
	}
	for _, test := range []struct {
		name   string
		rule   Rule
		reason string
		setup  func(s *testServer, turn int)
	}{
		{"no header", RuleHMAC, "no x-syncml-hmac", header(func(h http.Header, _ []byte) { h.Del(auth.HeaderHMAC) })},
		{"no mac in it", RuleHMAC, "x-syncml-hmac: offset 21: no mac", header(func(h http.Header, _ []byte) {
			h.Set(auth.HeaderHMAC, `username="dm.example"`)
		})},
		{"another algorithm", RuleHMAC, `algorithm "SHA"`, header(func(h http.Header, _ []byte) {
			h.Set(auth.HeaderHMAC, strings.Replace(h.Get(auth.HeaderHMAC), "MD5", "SHA", 1))
		})},
		{"another user", RuleHMAC, `username "dm.exampl" (want "dm.example")`, header(func(h http.Header, _ []byte) {
			h.Set(auth.HeaderHMAC, strings.Replace(h.Get(auth.HeaderHMAC), "example", "exampl", 1))
		})},
		{"mac over another nonce", RuleHMAC, `the mac does not prove "dm.example"`, header(func(h http.Header, out []byte) {
			secret := auth.NewSecret([]byte("dm.example"), []byte("server-secret"))
			mac := secret.MAC([]byte("another"), out)
			h.Set(auth.HeaderHMAC, string(auth.AppendHMAC(nil, "dm.example", mac[:])))
		})},
		{"Cred besides", RuleHMAC, "a Cred under HMAC", message(func(m *syncml.Message) {
			m.Header.Cred.Meta.Type, m.Header.Cred.Data = []byte(auth.TypeMD5), []byte("x")
		})},
		{"212", RuleHMAC, "212 for a mac, which proves one message (want 200)", message(func(m *syncml.Message) {
			m.Commands[0].Data = []byte("212")
		})},
		{"nonce for MD5", RuleHMAC, `the next nonce comes with a challenge of type "syncml:auth-md5"`,
			message(func(m *syncml.Message) { m.Commands[0].Chal.Type = []byte(auth.TypeMD5) })},
		{"no nonce", RuleNonce, "status 200 for a digest without NextNonce",
			message(func(m *syncml.Message) { m.Commands[0].Chal = syncml.Meta{} })},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, h := hmacServer(t, RedBend, "Get ./DevInfo/Man", "Get ./DevInfo/Mod")
			test.setup(s, s.turn+2)
			h.Session(t.Context()) // whether it gets on with it is its own affair
			if len(h.Violations()) == 0 {
				t.Fatal("no violation")
			}
			for i, v := range h.Violations() {
				if v.Rule != test.rule || i == 0 && v.Reason != test.reason {
					t.Errorf("violation %s (want %s: %s)", v.String(), test.rule, test.reason)
				}
			}
		})
	}
}

// TestHMACServerAlone: a server that proves itself by macs to a handset that does so by MD5.
func TestHMACServerAlone(t *testing.T) {
	s := newTestServer(t, "Get ./DevInfo/Man")
	s.noCred = true
	secret := auth.NewSecret([]byte(s.name), []byte(s.secret))
	s.tamper = func(_ int, out *syncml.Message) { out.Header.Cred = syncml.Cred{} }
	s.send = func(_ int, w http.ResponseWriter, body []byte) bool {
		out := s.answer(w, "application/vnd.syncml.dm+wbxml", body)
		nonce := s.serverNonce
		for _, n := range s.nonces {
			nonce = n.server
		}
		mac := secret.MAC(nonce, out)
		w.Header().Set(auth.HeaderHMAC, string(auth.AppendHMAC(nil, s.name, mac[:])))
		w.Write(out)
		return true
	}
	h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean(t, h)
	if !slices.Equal(s.statuses, []string{"Get ./DevInfo/Man 200"}) {
		t.Errorf("statuses %q", s.statuses)
	}
	status := s.heard[1].Commands[0]
	if string(status.Data) != "200" || string(status.Chal.Type) != auth.TypeMAC || len(status.Chal.NextNonce) == 0 {
		t.Errorf("status %s, challenge %+v (want 200 and the next nonce)", status.Data, status.Chal)
	}
}
