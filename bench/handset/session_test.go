package handset

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/cp"
	"dmgate/codec/syncml"
)

// quick is a world in which waiting takes no time.
func quick(t *testing.T) *World {
	w := NewWorld(Settings{Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	t.Cleanup(w.Close)
	return w
}

// clean fails the test where h has anything to say against the server.
func clean(t *testing.T, h *Handset) {
	t.Helper()
	for _, v := range h.Violations() {
		t.Errorf("violation: %s", v.String())
	}
}

func TestSession(t *testing.T) {
	for _, m := range AllMakes() {
		t.Run(m.Name, func(t *testing.T) {
			s := newTestServer(t, "Get ./DevDetail/FwV\nGet ./Nowhere\nGet .", "Get ./DevInfo/Ext")
			if m.Auth == Basic {
				s.auth = auth.TypeBasic
			}
			h := New(m, NewIdentity(7, 1), Temper{}, quick(t))
			s.bootstrap(h)
			if !h.Ready() {
				t.Error("not ready after INIT")
			}
			for range 3 {
				if err := h.Session(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			clean(t, h)
			_, _, fwv := h.Model()
			if got := s.results["./DevDetail/FwV"]; got != strings.Repeat(fwv, 3) {
				t.Errorf("FwV %q (want %q three times)", got, fwv)
			}
			want := []string{"Get ./DevDetail/FwV 200", "Get ./Nowhere 404", "Get . 200", "Get ./DevInfo/Ext 200"}
			switch m {
			case BasicOnly:
				want[2] = "Get . 425"
			case Closed:
				want = []string{"Get ./DevDetail/FwV 200", "Get ./Nowhere 425", "Get . 425", "Get ./DevInfo/Ext 425"}
			}
			for _, want := range want {
				if !slices.Contains(s.statuses, want) {
					t.Errorf("no %q in %q", want, s.statuses)
				}
			}
			if r := h.Result(); r.State != Managed || r.Sessions != 3 || r.Closed != 3 || r.Repeats != 0 {
				t.Errorf("result %+v", r)
			}
		})
	}
}

func TestPackage1(t *testing.T) {
	for _, test := range []struct {
		make               *Make
		style              syncml.Style
		dtd, proto         string
		session            string
		name, kind, format string
		maxMsg, maxObj     int
	}{
		{
			RedBend, syncml.Style{Version: syncml.V12, TextPublic: true, WBXML: 2}, "1.2", "DM/1.2", "12AB",
			"user1", auth.TypeMD5, "b64", 10240, 1 << 20,
		},
		{S60, syncml.Style{Version: syncml.V12, WBXML: 2}, "1.2", "DM/1.2", "4779", "user1", auth.TypeMD5, "b64", 10000, 0},
		{BasicOnly, syncml.Style{Version: syncml.V11}, "1.1", "DM/1.1", "12AB", "user1", auth.TypeBasic, "b64", 5000, 0},
		{LDM, syncml.Style{Version: syncml.V12, WBXML: 2}, "1.2", "DM/1.2", "AB12", "", auth.TypeMD5, "b64", 16384, 0},
		{
			S60SCOMO, syncml.Style{Version: syncml.V12, WBXML: 2}, "1.2", "DM/1.2", "4779",
			"user1", auth.TypeMD5, "b64", 10000, 1 << 20,
		},
		{
			MediaTek, syncml.Style{Version: syncml.V12, WBXML: 2}, "1.2", "DM/1.2", "12AB",
			"user1", auth.TypeMD5, "b64", 6144, 256 << 10,
		},
		{
			Samsung, syncml.Style{Version: syncml.V12, TextPublic: true, WBXML: 2}, "1.2", "DM/1.2", "12AB",
			"user1", auth.TypeMD5, "b64", 10240, 1 << 20,
		},
		{Modem, syncml.Style{Version: syncml.V12, WBXML: 2}, "1.2", "DM/1.2", "12AB", "", auth.TypeMD5, "b64", 2048, 0},
		{Windows, syncml.Style{Version: syncml.V12}, "1.2", "DM/1.2", "4779", "user1", auth.TypeMD5, "b64", 0, 0},
	} {
		t.Run(test.make.Name, func(t *testing.T) {
			s := newTestServer(t)
			if test.make.Auth == Basic {
				s.auth = auth.TypeBasic
			}
			h := New(test.make, NewIdentity(7, 1), Temper{}, quick(t))
			s.bootstrap(h)
			h.sessionID = 0x12AA
			if err := h.Session(t.Context()); err != nil {
				t.Fatal(err)
			}
			clean(t, h)
			if len(s.heard) != 1 {
				t.Fatalf("%d messages (want 1: the server had nothing to ask)", len(s.heard))
			}
			m := s.heard[0]
			if m.Style != test.style {
				t.Errorf("style %+v (want %+v)", m.Style, test.style)
			}
			commands := 2
			if test.make == Windows {
				commands = 3 // LoginStatus
			}
			if !m.Final || len(m.Commands) != commands {
				t.Fatalf("Final %v, %d commands (want true, %d)", m.Final, len(m.Commands), commands)
			}
			hdr := &m.Header
			for _, f := range []struct{ field, got, want string }{
				{"VerDTD", string(hdr.VerDTD), test.dtd},
				{"VerProto", string(hdr.VerProto), test.proto},
				{"SessionID", string(hdr.SessionID), test.session},
				{"MsgID", string(hdr.MsgID), "1"},
				{"Target", string(hdr.Target.URI), s.http.URL + "/dm"},
				{"Source", string(hdr.Source.URI), "IMEI:" + h.IMEI},
				{"LocName", string(hdr.Source.Name), test.name},
				{"Cred type", string(hdr.Cred.Meta.Type), test.kind},
				{"Cred format", string(hdr.Cred.Meta.Format), test.format},
				{"Alert", m.Commands[0].Kind.String() + " " + string(m.Commands[0].Data), "Alert 1201"},
				{"Alert CmdID", string(m.Commands[0].CmdID), "1"},
				{"Replace", m.Commands[1].Kind.String(), "Replace"},
			} {
				if f.got != f.want {
					t.Errorf("%s %q (want %q)", f.field, f.got, f.want)
				}
			}
			if hdr.Meta.MaxMsgSize != test.maxMsg || hdr.Meta.MaxObjSize != test.maxObj {
				t.Errorf("MaxMsgSize %d, MaxObjSize %d", hdr.Meta.MaxMsgSize, hdr.Meta.MaxObjSize)
			}
			man, mod, _ := h.Model()
			want := map[string]string{
				"./DevInfo/Man": man, "./DevInfo/Mod": mod, "./DevInfo/DevId": "IMEI:" + h.IMEI,
				"./DevInfo/Lang": test.make.models[h.model].lang, "./DevInfo/DmV": "1.2",
			}
			if test.make == BasicOnly {
				want["./DevInfo/DmV"] = "1.1.2"
			}
			for _, it := range m.Commands[1].Items {
				uri := string(it.Source.URI)
				if len(it.Target.URI) > 0 || want[uri] == "" || string(it.Data) != want[uri] {
					t.Errorf("item %q = %q (want %q)", uri, it.Data, want[uri])
				}
				delete(want, uri)
			}
			if len(want) > 0 {
				t.Errorf("missing: %v", want)
			}
		})
	}
}

// TestS60Scheme: AAUTHDATA under APPSRV is what selects MD5 (trap 5), and it is the nonce as it stands there.
func TestS60Scheme(t *testing.T) {
	for _, test := range []struct{ nonce, kind string }{{"Zmlyc3Q=", auth.TypeMD5}, {"", auth.TypeBasic}} {
		s := newTestServer(t)
		s.auth, s.device.Nonce = test.kind, test.nonce
		h := New(S60, NewIdentity(7, 1), Temper{}, quick(t))
		s.bootstrap(h)
		if err := h.Session(t.Context()); err != nil {
			t.Fatal(err)
		}
		clean(t, h)
		cred := &s.heard[0].Header.Cred
		if string(cred.Meta.Type) != test.kind {
			t.Errorf("AAUTHDATA %q: credential %q (want %q)", test.nonce, cred.Meta.Type, test.kind)
		}
		if test.kind == auth.TypeBasic && (len(cred.Meta.Format) > 0 || len(s.heard[0].Header.Source.Name) > 0) {
			t.Errorf("basic: Format %q, LocName %q (want neither)", cred.Meta.Format, s.heard[0].Header.Source.Name)
		}
	}
}

// TestChallenge: package 1 again, one MsgID on, to RespURI, with the Status for the server's SyncHdr.
func TestChallenge(t *testing.T) {
	for _, kind := range []string{auth.TypeBasic, auth.TypeMD5} {
		t.Run(kind, func(t *testing.T) {
			s := newTestServer(t, "Get ./DevInfo/Man")
			s.auth = kind
			h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
			s.bootstrap(h)
			s.deviceNonce = []byte("stale") // so that the handset's first MD5 is over another one
			if err := h.Session(t.Context()); err != nil {
				t.Fatal(err)
			}
			clean(t, h)
			second := s.heard[1]
			if got := string(second.Header.Cred.Meta.Type); got != kind {
				t.Errorf("second credential %q (want %q)", got, kind)
			}
			if got := string(second.Header.MsgID); got != "2" {
				t.Errorf("MsgID %q (want 2)", got)
			}
			if got, want := string(second.Header.Target.URI), s.http.URL+"/dm?s="; !strings.HasPrefix(got, want) {
				t.Errorf("Target %q (want %q...)", got, want)
			}
			var kinds []string
			for i := range second.Commands {
				kinds = append(kinds, second.Commands[i].Kind.String())
			}
			if !slices.Equal(kinds, []string{"Status", "Alert", "Replace"}) || !second.Final {
				t.Errorf("second message %v, Final %v", kinds, second.Final)
			}
			if third := s.heard[2]; third.Header.Cred.Present() {
				t.Error("a credential after 212 (trap 11)")
			}
			// The scheme and the nonce are kept: the next session needs no challenge.
			before := len(s.heard)
			if err := h.Session(t.Context()); err != nil {
				t.Fatal(err)
			}
			clean(t, h)
			if got := len(s.heard) - before; got != 2 {
				t.Errorf("second session took %d messages (want 2)", got)
			}
		})
	}
}

// TestCredentialEachMessage: after 200 each message proves itself anew, over the new nonce.
func TestCredentialEachMessage(t *testing.T) {
	s := newTestServer(t, "Get ./DevInfo/Man", "Get ./DevInfo/Mod")
	s.session = 200
	h := New(LDM, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean(t, h)
	seen := map[string]bool{}
	for _, m := range s.heard {
		if !m.Header.Cred.Present() || seen[string(m.Header.Cred.Data)] {
			t.Errorf("message %s: credential %q", m.Header.MsgID, m.Header.Cred.Data)
		}
		seen[string(m.Header.Cred.Data)] = true
	}
}

// TestServerProof: S60 wants MD5 of the server, asks for it once with five digits, and carries out nothing before.
func TestServerProof(t *testing.T) {
	s := newTestServer(t, "Get ./DevInfo/Man")
	s.noCred = true
	h := New(S60, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean(t, h)
	header := &s.heard[1].Commands[0]
	if string(header.Data) != "407" || string(header.Chal.Type) != auth.TypeMD5 {
		t.Errorf("status %s, challenge %q (want 407, MD5)", header.Data, header.Chal.Type)
	}
	if want := []string{"Get ./DevInfo/Man 407", "Get ./DevInfo/Man 200"}; !slices.Equal(s.statuses, want) {
		t.Errorf("statuses %q (want %q)", s.statuses, want)
	}

	s.secret = "wrong"
	err := h.Session(t.Context())
	if !errors.Is(err, ErrServerProof) {
		t.Errorf("error %v (want %v)", err, ErrServerProof)
	}
	if !violated(h, RuleCred) {
		t.Error("a wrong server credential is no violation")
	}
}

func violated(h *Handset, r Rule) bool {
	return slices.ContainsFunc(h.Violations(), func(v Violation) bool { return v.Rule == r })
}

// TestNonceForms: the server's first nonce read in the other way is asked for again and held against nobody (trap 5).
func TestNonceForms(t *testing.T) {
	s := newTestServer(t, "Get ./DevInfo/Man")
	h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	s.serverNonce = []byte("c2Vjb25k") // as text, where the handset decodes it
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean(t, h)
	if want := []string{"Get ./DevInfo/Man 401", "Get ./DevInfo/Man 200"}; !slices.Equal(s.statuses, want) {
		t.Errorf("statuses %q (want %q)", s.statuses, want)
	}
}

// TestLoneStatus: LDM ends the session when its reply would be one Status (trap 20); others go on.
func TestLoneStatus(t *testing.T) {
	for _, test := range []struct {
		make *Make
		want int // messages
	}{{LDM, 1}, {RedBend, 4}} {
		s := newTestServer(t, "Alert 1222\n...", "Alert 1222\n...", "Get ./DevInfo/Man")
		h := New(test.make, NewIdentity(7, 1), Temper{}, quick(t))
		s.bootstrap(h)
		if err := h.Session(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(s.heard) != test.want {
			t.Errorf("%s: %d messages (want %d)", test.make.Name, len(s.heard), test.want)
		}
	}
}

func TestAbort(t *testing.T) {
	s := newTestServer(t, "Alert 1223")
	h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	if err := h.Session(t.Context()); !errors.Is(err, ErrAborted) {
		t.Errorf("error %v (want %v)", err, ErrAborted)
	}
	clean(t, h)
	last := s.heard[len(s.heard)-1]
	if len(s.heard) != 2 || len(last.Commands) != 2 || !last.Final {
		t.Errorf("%d messages, the last with %d commands, Final %v", len(s.heard), len(last.Commands), last.Final)
	}
}

func TestNoAccount(t *testing.T) {
	h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
	if err := h.Session(t.Context()); !errors.Is(err, ErrNoAccount) {
		t.Errorf("error %v (want %v)", err, ErrNoAccount)
	}
}

// TestAddress: the address and port are the document's; without any port it is 80, for https too (trap 6).
func TestAddress(t *testing.T) {
	for _, test := range []struct {
		addr string
		port int
		want string
	}{
		{"http://dm.example/dm", 8080, "http://dm.example:8080/dm"},
		{"https://dm.example/dm", 0, "https://dm.example:80/dm"},
		{"https://dm.example:9443/dm", 0, "https://dm.example:9443/dm"},
		{"https://dm.example:1/dm?x=1", 443, "https://dm.example:443/dm?x=1"},
	} {
		a, err := newAccount(S60, &cp.DMAccount{
			ServerID: "s", Addr: test.addr, Port: test.port, Device: cp.Login{Name: "u"},
		})
		if err != nil || a.url != test.want {
			t.Errorf("%s port %d: %v, %v (want %s)", test.addr, test.port, a, err, test.want)
		}
	}
	noURL := &cp.DMAccount{ServerID: "s", Addr: "dm.example", Device: cp.Login{Name: "u"}}
	if _, err := newAccount(S60, noURL); err == nil {
		t.Error("an address that is no URL is taken")
	}
}
