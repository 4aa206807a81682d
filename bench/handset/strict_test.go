package handset

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
)

// answerTo makes a send function that lets alter write answer number turn by hand.
func answerTo(s *testServer, turn int, alter func(w http.ResponseWriter, out []byte)) {
	s.send = func(n int, w http.ResponseWriter, body []byte) bool {
		if n != turn {
			return false
		}
		h := make(http.Header)
		out := s.answer(discard{h}, "application/vnd.syncml.dm+wbxml", body)
		for k, v := range h {
			w.Header()[k] = v
		}
		alter(w, out)
		return true
	}
}

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// TestViolations: whatever a server does wrong is reported, and nothing else is.
func TestViolations(t *testing.T) {
	// on makes a tamper function for one answer.
	on := func(turn int, f func(*syncml.Message)) func(*testServer) {
		return func(s *testServer) {
			s.tamper = func(n int, out *syncml.Message) {
				if n == turn {
					f(out)
				}
			}
		}
	}
	for _, test := range []struct {
		name  string
		rule  Rule
		also  []Rule // that can not be helped
		setup func(*testServer)
		fails bool // the session does not come to its regular end
	}{
		{name: "Content-Type with parameters", rule: RuleContentType, setup: func(s *testServer) {
			answerTo(s, 1, func(w http.ResponseWriter, out []byte) {
				w.Header().Set("Content-Type", "application/vnd.syncml.dm+wbxml; charset=utf-8")
				w.Write(out)
			})
		}},
		{name: "other encoding", rule: RuleContentType, fails: true, setup: func(s *testServer) {
			answerTo(s, 1, func(w http.ResponseWriter, out []byte) {
				w.Header().Set("Content-Type", "application/vnd.syncml.dm+xml")
				w.Write(out)
			})
		}},
		{name: "chunked", rule: RuleLength, setup: func(s *testServer) {
			answerTo(s, 1, func(w http.ResponseWriter, out []byte) {
				w.Header().Del("Content-Length")
				w.Write(out)
				w.(http.Flusher).Flush()
			})
		}},
		{name: "no Content-Length at all", rule: RuleLength, setup: func(s *testServer) {
			answerTo(s, 1, func(w http.ResponseWriter, out []byte) {
				conn, buf, _ := w.(http.Hijacker).Hijack()
				fmt.Fprint(buf, "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.syncml.dm+wbxml\r\nConnection: close\r\n\r\n")
				buf.Write(out)
				buf.Flush()
				conn.Close()
			})
		}},
		{name: "compressed", rule: RuleLength, fails: true, setup: func(s *testServer) {
			answerTo(s, 1, func(w http.ResponseWriter, out []byte) {
				w.Header().Set("Content-Encoding", "gzip")
				w.Write(out)
			})
		}},
		{name: "503 without Retry-After", rule: RuleHTTP, setup: func(s *testServer) {
			s.send = func(n int, w http.ResponseWriter, _ []byte) bool {
				if n == 1 {
					w.WriteHeader(503)
				}
				return n == 1
			}
		}},
		{name: "500", rule: RuleHTTP, setup: func(s *testServer) {
			s.send = func(n int, w http.ResponseWriter, _ []byte) bool {
				if n == 1 {
					w.WriteHeader(500)
				}
				return n == 1
			}
		}},
		{name: "too big", rule: RuleSize, setup: on(1, func(m *syncml.Message) {
			m.AddCommand(syncml.Replace).CmdID = []byte("77")
			it := m.AddItem()
			it.Target.URI, it.Data = []byte("./Nowhere"), make([]byte, 11000)
		})},
		{name: "syntax", rule: RuleSyntax, fails: true, setup: func(s *testServer) {
			answerTo(s, 1, func(w http.ResponseWriter, out []byte) {
				w.Header().Del("Content-Length")
				w.Write(out[:len(out)-9])
			})
		}},
		{name: "header style", rule: RuleStyle, setup: on(1, func(m *syncml.Message) { m.Style.TextPublic = false })},
		{name: "VerDTD", rule: RuleStyle, setup: on(1, func(m *syncml.Message) { m.Header.VerDTD = []byte("1.1") })},
		{name: "SessionID", rule: RuleSessionID, setup: on(1, func(m *syncml.Message) {
			m.Header.SessionID = []byte("0" + string(m.Header.SessionID))
		})},
		{name: "MsgID", rule: RuleMsgID, setup: on(2, func(m *syncml.Message) { m.Header.MsgID = []byte("1") })},
		{name: "Target", rule: RuleTarget, setup: on(1, func(m *syncml.Message) { m.Header.Target.URI = []byte("IMEI:1") })},
		{name: "no Source", rule: RuleTarget, setup: on(1, func(m *syncml.Message) { m.Header.Source.URI = nil })},
		{name: "no RespURI", rule: RuleRespURI, setup: on(1, func(m *syncml.Message) { m.Header.RespURI = nil })},
		{name: "relative RespURI", rule: RuleRespURI, setup: on(1, func(m *syncml.Message) {
			m.Header.RespURI = []byte("/dm?s=1")
		})},
		{name: "NoResp", rule: RuleNoResp, setup: on(1, func(m *syncml.Message) { m.Header.NoResp = true })},
		{name: "server digest", rule: RuleCred, setup: on(1, func(m *syncml.Message) {
			m.Header.Cred.Data = []byte("Zz6EivR3yeaaENcRN6lpAQ==")
		})},
		{name: "server user", rule: RuleCred, setup: on(1, func(m *syncml.Message) {
			m.Header.Cred.Meta.Type = []byte(auth.TypeBasic)
			m.Header.Cred.Data = auth.AppendBasic(nil, []byte("someone"), []byte("server-secret"))
		})},
		{name: "challenge with commands", rule: RuleChallenge, setup: func(s *testServer) {
			s.deviceNonce = []byte("stale")
			on(1, func(m *syncml.Message) {
				m.AddCommand(syncml.Get).CmdID = []byte("77")
				m.AddItem().Target.URI = []byte("./DevInfo/Man")
			})(s)
		}},
		{name: "challenge without Chal", rule: RuleChallenge, fails: true, setup: func(s *testServer) {
			s.deviceNonce = []byte("stale")
			on(1, func(m *syncml.Message) { m.Commands[0].Chal = syncml.Meta{} })(s)
		}},
		{name: "407 for a credential", rule: RuleChallenge, setup: func(s *testServer) {
			s.deviceNonce = []byte("stale")
			on(1, func(m *syncml.Message) { m.Commands[0].Data = []byte("407") })(s)
		}},
		{name: "challenge after 212", rule: RuleChallenge, fails: true, setup: on(2, func(m *syncml.Message) {
			m.Commands[0].Data = []byte("401")
		})},
		{name: "no NextNonce", rule: RuleNonce, setup: on(1, func(m *syncml.Message) {
			m.Commands[0].Chal = syncml.Meta{}
		})},
		{name: "same nonce again", rule: RuleNonce, setup: on(1, func(m *syncml.Message) {
			m.Commands[0].Chal.NextNonce = []byte("Zmlyc3Q=")
		})},
		{name: "nonce not base64", rule: RuleNonce, setup: on(1, func(m *syncml.Message) {
			m.Commands[0].Chal.NextNonce = []byte("a b c")
		})},
		{name: "no CmdID", rule: RuleCmdID, setup: on(1, func(m *syncml.Message) { m.Commands[1].CmdID = nil })},
		{name: "CmdID 0", rule: RuleCmdID, setup: on(1, func(m *syncml.Message) { m.Commands[1].CmdID = []byte("0") })},
		{name: "CmdID twice", rule: RuleCmdID, setup: on(1, func(m *syncml.Message) {
			m.Commands[2].CmdID = m.Commands[1].CmdID
		})},
		{name: "MsgRef", rule: RuleMsgRef, also: []Rule{RuleMissing}, setup: on(1, func(m *syncml.Message) {
			m.Commands[1].MsgRef = []byte("9")
		})},
		{name: "CmdRef", rule: RuleCmdRef, also: []Rule{RuleMissing}, setup: on(1, func(m *syncml.Message) {
			m.Commands[1].CmdRef = []byte("9")
		})},
		{name: "Cmd", rule: RuleCmdRef, setup: on(1, func(m *syncml.Message) { m.Commands[1].Cmd = []byte("Replace") })},
		{name: "Status twice", rule: RuleCmdRef, setup: on(1, func(m *syncml.Message) {
			c := m.Commands[1]
			*m.AddCommand(syncml.Status) = c
			m.Commands[len(m.Commands)-1].CmdID = []byte("77")
		})},
		{name: "Status for a Status", rule: RuleCmdRef, setup: on(2, func(m *syncml.Message) {
			c := m.AddCommand(syncml.Status)
			c.CmdID, c.MsgRef, c.CmdRef = []byte("77"), []byte("2"), []byte("1")
			c.Cmd, c.Data = []byte("Status"), []byte("200")
		})},
		{name: "SyncHdr not first", rule: RuleStatus, setup: on(1, func(m *syncml.Message) {
			m.Commands[0], m.Commands[1] = m.Commands[1], m.Commands[0]
		})},
		{name: "Status within Sequence", rule: RuleStatus, setup: on(1, func(m *syncml.Message) {
			c := m.Commands[2]
			m.Commands = m.Commands[:2]
			m.AddCommand(syncml.Sequence).CmdID = []byte("77")
			c.Depth = 1
			*m.AddCommand(syncml.Status) = c
		})},
		{name: "no Status for SyncHdr", rule: RuleMissing, also: []Rule{RuleStatus}, setup: on(2, func(m *syncml.Message) {
			m.Commands = slices.Delete(m.Commands, 0, 1)
		})},
		{name: "no Status for Alert", rule: RuleMissing, setup: on(1, func(m *syncml.Message) {
			m.Commands = slices.Delete(m.Commands, 1, 2)
		})},
		{name: "no Final", rule: RuleFinal, setup: on(3, func(m *syncml.Message) { m.Final = false })},
		{name: "Final too early", rule: RuleFinal, setup: func(s *testServer) {
			s.room = 500
			s.script = []string{strings.Repeat("Get ./DevDetail/FwV\n", 9), "", ""}
			on(2, func(m *syncml.Message) { m.Final = true })(s)
		}},
		{name: "commands too early", rule: RuleTurn, setup: func(s *testServer) {
			s.room = 500
			s.script = []string{strings.Repeat("Get ./DevDetail/FwV\n", 9)}
			on(2, func(m *syncml.Message) {
				m.AddCommand(syncml.Get).CmdID = []byte("77")
				m.AddItem().Target.URI = []byte("./DevInfo/Man")
			})(s)
		}},
		{name: "no Item", rule: RuleCommand, setup: on(1, func(m *syncml.Message) {
			m.AddCommand(syncml.Get).CmdID = []byte("77")
		})},
		{name: "slash", rule: RuleCommand, setup: on(1, func(m *syncml.Message) {
			m.AddCommand(syncml.Get).CmdID = []byte("77")
			m.AddItem().Target.URI = []byte("/DevInfo/Man")
		})},
		{name: "alert", rule: RuleCommand, setup: on(1, func(m *syncml.Message) {
			c := m.AddCommand(syncml.Alert)
			c.CmdID, c.Data = []byte("77"), []byte("1201")
		})},
		{name: "Get within Atomic", rule: RuleCommand, setup: func(s *testServer) {
			s.script = []string{"Atomic\n Get ./DevInfo/Man"}
		}},
		{name: "object without Size", rule: RuleObject, setup: func(s *testServer) {
			s.script = []string{"Replace ./FUMO/PkgName chr abc\n...", "Replace ./FUMO/PkgName chr def"}
			on(1, func(m *syncml.Message) { m.Commands[3].Items[0].MoreData = true })(s)
		}},
		{name: "object of another size", rule: RuleObject, setup: func(s *testServer) {
			s.script = []string{"Replace ./FUMO/PkgName chr abc\n...", "Replace ./FUMO/PkgName chr def"}
			on(1, func(m *syncml.Message) {
				m.Commands[3].Items[0].MoreData, m.Commands[3].Items[0].Meta.Size = true, 7
			})(s)
		}},
		{name: "object interrupted", rule: RuleObject, setup: func(s *testServer) {
			s.script = []string{"Replace ./FUMO/PkgName chr abc\n...", "Get ./DevInfo/Man"}
			on(1, func(m *syncml.Message) {
				m.Commands[3].Items[0].MoreData, m.Commands[3].Items[0].Meta.Size = true, 6
			})(s)
		}},
		{name: "endless", rule: RuleEndless, fails: true, setup: func(s *testServer) {
			s.script = slices.Repeat([]string{"Get ./DevInfo/Man"}, maxTurns)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, "Get ./DevInfo/Man", "Get ./DevInfo/Mod")
			h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
			s.bootstrap(h)
			test.setup(s)
			err := h.Session(t.Context())
			if (err != nil) != test.fails {
				t.Errorf("session: %v (want an error: %v)", err, test.fails)
			}
			if !violated(h, test.rule) {
				t.Errorf("no violation of %q", test.rule)
			}
			for _, v := range h.Violations() {
				if v.Rule != test.rule && !slices.Contains(test.also, v.Rule) {
					t.Errorf("besides: %s", v.String())
				}
				if v.MSISDN != h.MSISDN || v.Reason == "" {
					t.Errorf("violation %+v", v)
				}
			}
			if n := h.Result().Violations; n != len(h.Violations()) {
				t.Errorf("%d violations counted, %d kept", n, len(h.Violations()))
			}
		})
	}
}

// TestUnforgiving: S60 does not read what others only frown at (trap 3).
func TestUnforgiving(t *testing.T) {
	for name, setup := range map[string]func(*testServer){
		"parameters": func(s *testServer) {
			answerTo(s, 1, func(w http.ResponseWriter, out []byte) {
				w.Header().Set("Content-Type", "application/vnd.syncml.dm+wbxml; charset=utf-8")
				w.Write(out)
			})
		},
		"size": func(s *testServer) {
			s.tamper = func(_ int, m *syncml.Message) {
				m.AddCommand(syncml.Replace).CmdID = []byte("77")
				it := m.AddItem()
				it.Target.URI, it.Data = []byte("./Nowhere"), make([]byte, 10000)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestServer(t, "Get ./DevInfo/Man")
			h := New(S60, NewIdentity(7, 1), Temper{}, quick(t))
			s.bootstrap(h)
			setup(s)
			if err := h.Session(t.Context()); err == nil {
				t.Error("the session goes on")
			}
			if len(s.heard) != 1 || h.Result().State != Failed {
				t.Errorf("%d messages, state %v", len(s.heard), h.Result().State)
			}
		})
	}
}

// TestViolationsBounded: a hopeless server does not fill the memory.
func TestViolationsBounded(t *testing.T) {
	script := slices.Repeat([]string{"Get ./DevInfo/Man"}, maxViolations+8)
	s := newTestServer(t, script...)
	s.tamper = func(_ int, m *syncml.Message) { m.Header.RespURI = nil }
	h := New(LDM, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(h.Violations()); got != maxViolations {
		t.Errorf("%d violations kept (want %d)", got, maxViolations)
	}
	if got, want := h.Result().Violations, len(script)+1; got != want {
		t.Errorf("%s violations counted (want %d)", strconv.Itoa(got), want)
	}
	if v := h.Violations()[0]; len(v.Message) == 0 || v.MsgID != "1" || v.Session == "" {
		t.Errorf("violation without its message: %+v", v)
	}
}
