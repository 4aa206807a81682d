package handset

import (
	"slices"
	"strings"
	"testing"

	"dmgate/codec/cp"
	"dmgate/codec/push"
)

// permutations calls f with every order of parts.
func permutations(parts [][]byte, f func([][]byte)) {
	var permute func(k int)
	permute = func(k int) {
		if k == len(parts) {
			f(parts)
			return
		}
		for i := k; i < len(parts); i++ {
			parts[k], parts[i] = parts[i], parts[k]
			permute(k + 1)
			parts[k], parts[i] = parts[i], parts[k]
		}
	}
	permute(0)
}

func TestSegmentsInEveryOrder(t *testing.T) {
	s := newTestServer(t)
	doc := s.document()
	doc.Accounts[0].Name = strings.Repeat("x", 90)
	parts := segmentsOf(t, bootstrapPDU(t, doc, push.UserPIN, push.Key{PIN: "1234"}))
	if len(parts) < 4 {
		t.Fatalf("%d segments", len(parts))
	}
	w := quick(t)
	permutations(parts, func(order [][]byte) {
		h := New(RedBend, NewIdentity(7, 1), Temper{}, w)
		h.Tell("1234") // before the document, this time
		for i, ud := range order {
			h.Receive(ud)
			h.Receive(slices.Clone(ud)) // twice, as networks do
			if got := h.Result().State == HasAccount; got != (i == len(order)-1) {
				t.Fatalf("bootstrapped %v after %d of %d segments", got, i+1, len(order))
			}
		}
		clean(t, h)
	})
}

func TestPIN(t *testing.T) {
	s := newTestServer(t)
	for _, test := range []struct {
		name   string
		temper Temper
		sec    push.SEC
		pins   []string // told one after the other; the document is keyed with 1234
		state  State
		tries  int
		blamed bool
	}{
		{"right", Temper{}, push.UserPIN, []string{"1234"}, HasAccount, 1, false},
		{"not told", Temper{}, push.UserPIN, nil, AwaitsPIN, 0, false},
		{"mistyped once", Temper{Mistypes: 1}, push.UserPIN, []string{"1234"}, HasAccount, 2, false},
		{"mistyped twice", Temper{Mistypes: 2}, push.UserPIN, []string{"1234"}, HasAccount, 3, false},
		{"no tries left", Temper{Mistypes: 3}, push.UserPIN, []string{"1234"}, Lost, 3, false},
		{"told too late", Temper{Mistypes: 3}, push.UserPIN, []string{"1234", "1234"}, Lost, 3, false},
		{"refused", Temper{Refuses: true}, push.UserPIN, []string{"1234"}, Refused, 0, false},
		{"wrong MAC", Temper{}, push.UserPIN, []string{"9999"}, AwaitsPIN, 1, true},
		{"told again", Temper{}, push.UserPIN, []string{"9999", "1234"}, HasAccount, 2, true},
		{"told wrong thrice", Temper{}, push.UserPIN, []string{"9", "9", "9"}, Lost, 3, true},
		{"IMSI", Temper{Refuses: true}, push.NetwPIN, nil, HasAccount, 0, false},
		{"IMSI and PIN", Temper{}, push.UserNetwPIN, []string{"1234"}, HasAccount, 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := New(RedBend, NewIdentity(7, 1), test.temper, quick(t))
			pdu := bootstrapPDU(t, s.document(), test.sec, push.Key{IMSI: h.IMSI, PIN: "1234"})
			for _, ud := range segmentsOf(t, pdu) {
				h.Receive(ud)
			}
			for _, pin := range test.pins {
				h.Tell(pin)
			}
			r := h.Result()
			if r.State != test.state || r.PINTries != test.tries {
				t.Errorf("state %v after %d tries (want %v, %d)", r.State, r.PINTries, test.state, test.tries)
			}
			if violated(h, RuleMAC) != test.blamed {
				t.Errorf("violations: %v", h.Violations())
			}
		})
	}
}

// TestBootstrapAfterLoss: a user who lost one document may do better with the next.
func TestBootstrapAfterLoss(t *testing.T) {
	s := newTestServer(t)
	h := New(S60, NewIdentity(7, 1), Temper{Mistypes: 4}, quick(t))
	for _, want := range []struct {
		pin   string
		state State
	}{{"1111", Lost}, {"2222", HasAccount}} {
		for _, ud := range segmentsOf(t, bootstrapPDU(t, s.document(), push.UserPIN, push.Key{PIN: want.pin})) {
			h.Receive(ud)
		}
		h.Tell(want.pin)
		if got := h.Result().State; got != want.state {
			t.Errorf("PIN %s: state %v (want %v)", want.pin, got, want.state)
		}
	}
	clean(t, h)
}

// TestAsksAgain: a user is asked once when the document comes, and again after each PIN that does not fit.
func TestAsksAgain(t *testing.T) {
	var kinds []EventKind
	w := NewWorld(Settings{Observe: func(e Event) { kinds = append(kinds, e.Kind) }})
	defer w.Close()
	s := newTestServer(t)
	h := New(RedBend, NewIdentity(7, 1), Temper{Mistypes: 1}, w)
	pdu := bootstrapPDU(t, s.document(), push.UserPIN, push.Key{PIN: "1234"})
	for _, ud := range segmentsOf(t, pdu) {
		h.Receive(ud)
	}
	h.Tell("1234")
	kinds = slices.DeleteFunc(kinds, func(k EventKind) bool { return k == GotSMS })
	if want := []EventKind{GotDocument, AskedPIN, WrongPIN, AskedPIN, Bootstrapped}; !slices.Equal(kinds, want) {
		t.Errorf("events %v (want %v)", kinds, want)
	}
}

func TestUserPINMAC(t *testing.T) {
	s := newTestServer(t)
	body := s.document().AppendWBXML(nil)
	pin := push.UserPINMACPin("4711", body)
	p := push.Push{ContentType: push.TypeConnectivityWBXML, Signed: true, SEC: push.UserPINMAC, Body: body}
	h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
	for _, ud := range segmentsOf(t, p.Append(nil)) {
		h.Receive(ud)
	}
	h.Tell(pin)
	if r := h.Result(); r.State != HasAccount {
		t.Errorf("state %v", r.State)
	}
	clean(t, h)
}

// TestPushViolations: what is wrong with a push is reported, and the push dropped.
func TestPushViolations(t *testing.T) {
	s := newTestServer(t)
	for _, test := range []struct {
		name string
		rule Rule
		make func(t *testing.T) [][]byte
	}{
		{"port", RuleSMS, func(t *testing.T) [][]byte {
			pdu := bootstrapPDU(t, s.document(), push.UserPIN, push.Key{PIN: "1234"})
			parts, err := push.Split(pdu, push.Ports{Dst: push.PortNokiaOTA, Src: push.PortWSP}, 1)
			if err != nil {
				t.Fatal(err)
			}
			return parts
		}},
		{"header", RuleSMS, func(*testing.T) [][]byte { return [][]byte{{9, 1, 2}} }},
		{"push", RulePush, func(t *testing.T) [][]byte { return segmentsOf(t, []byte{1, 6, 200}) }},
		{"unsigned", RulePush, func(t *testing.T) [][]byte {
			p := push.Push{ContentType: push.TypeConnectivityWBXML, Body: s.document().AppendWBXML(nil)}
			return segmentsOf(t, p.Append(nil))
		}},
		{"lower-case MAC", RuleMAC, func(t *testing.T) [][]byte {
			body := s.document().AppendWBXML(nil)
			mac, _ := push.MAC(push.UserPIN, push.Key{PIN: "1234"}, body)
			p := push.Push{
				ContentType: push.TypeConnectivityWBXML, Signed: true, SEC: push.UserPIN, MAC: strings.ToLower(mac), Body: body,
			}
			return segmentsOf(t, p.Append(nil))
		}},
		{"IMSI of another", RuleMAC, func(t *testing.T) [][]byte {
			return segmentsOf(t, bootstrapPDU(t, s.document(), push.NetwPIN, push.Key{IMSI: "999700000000008"}))
		}},
		{"no document", RuleDocument, func(t *testing.T) [][]byte {
			body := []byte{3, 11, 106}
			mac, _ := push.MAC(push.UserPIN, push.Key{PIN: "1234"}, body)
			p := push.Push{ContentType: push.TypeConnectivityWBXML, Signed: true, SEC: push.UserPIN, MAC: mac, Body: body}
			return segmentsOf(t, p.Append(nil))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
			h.Tell("1234")
			for _, ud := range test.make(t) {
				h.Receive(ud)
			}
			if !violated(h, test.rule) {
				t.Errorf("violations %v (want one of %q)", h.Violations(), test.rule)
			}
			if got := h.Result().State; (got == HasAccount) != (test.name == "lower-case MAC") {
				t.Errorf("state %v", got)
			}
		})
	}
}

func TestDocumentViolations(t *testing.T) {
	s := newTestServer(t)
	for _, test := range []struct {
		name   string
		change func(d *cp.Document, a *cp.DMAccount)
	}{
		{"server id too long", func(_ *cp.Document, a *cp.DMAccount) {
			a.ServerID = strings.Repeat("s", 24)
			a.Server.Name = a.ServerID
		}},
		{"other server name", func(_ *cp.Document, a *cp.DMAccount) { a.Server.Name = "other" }},
		{"no server secret", func(_ *cp.Document, a *cp.DMAccount) { a.Server.Secret = "" }},
		{"no device secret", func(_ *cp.Document, a *cp.DMAccount) { a.Device.Secret = "" }},
		{"no device name", func(_ *cp.Document, a *cp.DMAccount) { a.Device.Name = "" }},
		{"address", func(_ *cp.Document, a *cp.DMAccount) { a.Addr = "dm.example" }},
		{"long password", func(_ *cp.Document, a *cp.DMAccount) { a.Device.Secret = strings.Repeat("p", 51) }},
		{"unknown access point", func(_ *cp.Document, a *cp.DMAccount) { a.ToNAPID = "N9" }},
		{"two accounts", func(d *cp.Document, a *cp.DMAccount) { d.Accounts = append(d.Accounts, *a) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc := s.document()
			test.change(doc, &doc.Accounts[0])
			h := New(S60, NewIdentity(7, 1), Temper{}, quick(t))
			h.Tell("1234")
			for _, ud := range segmentsOf(t, bootstrapPDU(t, doc, push.UserPIN, push.Key{PIN: "1234"})) {
				h.Receive(ud)
			}
			if !violated(h, RuleDocument) {
				t.Errorf("violations: %v", h.Violations())
			}
		})
	}
}

// TestOtherPushes leave the handset as it is, and a document that comes again is not asked for again.
func TestOtherPushes(t *testing.T) {
	s := newTestServer(t)
	h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
	si := push.Push{ContentType: push.TypeWTLSCACert, Body: []byte{1}}
	for _, ud := range segmentsOf(t, si.Append(nil)) {
		h.Receive(ud)
	}
	pdu := bootstrapPDU(t, s.document(), push.UserPIN, push.Key{PIN: "1234"})
	for range 2 {
		for _, ud := range segmentsOf(t, pdu) {
			h.Receive(ud)
		}
	}
	h.Tell("1234")
	for _, ud := range segmentsOf(t, pdu) {
		h.Receive(ud)
	}
	clean(t, h)
	if r := h.Result(); r.State != HasAccount || r.Pushes != 4 || r.Documents != 3 || r.Duplicates != 2 {
		t.Errorf("result %+v", r)
	}
}

func TestIdentity(t *testing.T) {
	seen := map[string]bool{}
	for i := range 1000 {
		id := NewIdentity(i, 1)
		if len(id.IMSI) != 15 || len(id.IMEI) != 15 || luhn(id.IMEI[:14]) != id.IMEI[14] {
			t.Fatalf("%+v", id)
		}
		if index(id.MSISDN) != i || index(id.MSISDN[1:]) != i {
			t.Errorf("index of %s is %d (want %d)", id.MSISDN, index(id.MSISDN), i)
		}
		for _, s := range []string{id.MSISDN, id.IMSI, id.IMEI} {
			if seen[s] {
				t.Errorf("%s twice", s)
			}
			seen[s] = true
		}
	}
	if luhn("49015420323751") != '8' {
		t.Error("Luhn digit of the usual example")
	}
	for _, s := range []string{"", "+49155", "+999", "+99900000000x", "+9990000000001"} {
		if index(s) != -1 {
			t.Errorf("index of %q is %d", s, index(s))
		}
	}
}
