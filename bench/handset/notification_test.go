package handset

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/push"
	"dmgate/modempool/modemsim"
)

// notificationPDU is a push of n by s, with the digest over nonce.
func notificationPDU(s *testServer, n push.Notification, nonce []byte) []byte {
	secret := auth.NewSecret([]byte(s.name), []byte(s.secret))
	n.ServerInitiated = true
	if n.ServerID == "" {
		n.ServerID = s.name
	}
	p := push.Push{
		TID: 1, ContentType: push.TypeNotification, HasAppID: true, AppID: push.AppDM, Body: n.Append(nil, &secret, nonce),
	}
	return p.Append(nil)
}

// watched is a quick world, and what has happened in it since one asked last, as far as notifications lead to it.
func watched(t *testing.T) (*World, func() []string) {
	var all []string
	w := quick(t)
	w.Observe = func(e Event) {
		switch e.Kind {
		case Notified, AskedSession, UserRefused, DroppedPush, Violated:
			all = append(all, strings.TrimSuffix(fmt.Sprintf("%v: %s", e.Kind, e.Detail), ": "))
		}
	}
	return w, func() []string {
		told := all
		all = nil
		return told
	}
}

// TestNotification: each make opens the session that a notification asks for, with the id of that, as the make writes
// it. The next session is its own again.
func TestNotification(t *testing.T) {
	for _, m := range AllMakes() {
		t.Run(m.Name, func(t *testing.T) {
			s := newTestServer(t, "Get ./DevInfo/Man")
			if m.Auth == Basic {
				s.auth = auth.TypeBasic
			}
			w, told := watched(t)
			h := New(m, NewIdentity(7, 1), Temper{}, w)
			s.bootstrap(h)
			if err := h.Session(t.Context()); err != nil {
				t.Fatal(err)
			}
			if h.Ready() {
				t.Fatal("ready before the notification")
			}
			n := push.Notification{SessionID: 0x12AB, UIMode: push.UIBackground}
			receive(t, h, notificationPDU(s, n, s.nonces["IMEI:"+h.IMEI].server))
			if !h.Ready() {
				t.Fatalf("not ready after it: %q", told())
			}
			for range 2 {
				if err := h.Session(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			var opened []string
			for _, in := range s.heard {
				if string(in.Header.MsgID) == "1" {
					opened = append(opened, string(in.Header.SessionID))
				}
			}
			want := map[SessionIDForm]string{Hex: "12AB", Decimal: "4779", Swapped: "AB12"}[m.SessionID]
			if len(opened) != 3 || opened[1] != want || opened[2] == want {
				t.Errorf("sessions %q (want the second %s)", opened, want)
			}
			by := slices.DeleteFunc(s.alerts, func(a string) bool { return a != "1200" && a != "1201" })
			if by = slices.Compact(by); !slices.Equal(by, []string{"1201", "1200", "1201"}) {
				t.Errorf("alerts %q", by)
			}
			events := told()
			if m.AsksUser {
				if len(events) != 2 || events[1] != "asked for session" {
					t.Errorf("events %q", events)
				}
				events = events[:1]
			}
			if !slices.Equal(events, []string{"notified: session 12AB, background"}) {
				t.Errorf("events %q", events)
			}
			if r := h.Result(); r.Notifications != 1 || r.Unheeded != 0 || r.Triggered != 1 || r.Sessions != 3 {
				t.Errorf("result %+v", r)
			}
		})
	}
}

// TestNotificationChecked: what makes take for good and what they throw away (traps 9 and 10). The first nonce came as
// AAUTHDATA "c2Vjb25k".
func TestNotificationChecked(t *testing.T) {
	const good = "notified: session 1, not specified"
	for _, test := range []struct {
		name  string
		make  *Make
		nonce string
		n     push.Notification
		event string
	}{
		{"decoded nonce", RedBend, "second", push.Notification{}, good},
		{"text of the nonce", RedBend, "c2Vjb25k", push.Notification{}, good + ", over the other reading of the nonce"},
		{"decoded, where the make takes the text", BasicOnly, "second", push.Notification{},
			good + ", over the other reading of the nonce"},
		{"zero nonce", RedBend, "\x00\x00\x00\x00", push.Notification{}, good + ", over the zero nonce"},
		{"wrong nonce", RedBend, "third", push.Notification{}, "dropped: notification with a wrong digest"},
		{"wrong nonce", LDM, "third", push.Notification{}, "dropped: notification with a wrong digest"},
		{"wrong nonce", S60, "third", push.Notification{}, good},
		{"other server", RedBend, "second", push.Notification{ServerID: "dm.example.org"},
			`dropped: notification of "dm.example.org", the account is of "dm.example"`},
		{"other server", S60, "second", push.Notification{ServerID: "DM.example"},
			`dropped: notification of "DM.example", the account is of "dm.example"`},
	} {
		t.Run(test.name+", "+test.make.Name, func(t *testing.T) {
			s := newTestServer(t)
			w, told := watched(t)
			h := New(test.make, NewIdentity(7, 1), Temper{}, w)
			s.bootstrap(h)
			h.ready = false // INIT
			test.n.SessionID = 1
			receive(t, h, notificationPDU(s, test.n, []byte(test.nonce)))
			if events := told(); len(events) == 0 || events[0] != test.event {
				t.Errorf("events %q (want %q)", events, test.event)
			}
			heeded := strings.HasPrefix(test.event, good)
			if r := h.Result(); h.Ready() != heeded || (r.Unheeded == 0) != heeded || r.Notifications != 1 {
				t.Errorf("ready %v, result %+v", h.Ready(), r)
			}
		})
	}
}

// TestNotificationAgain: S60 goes by the digest of the last notification, the others by the nonce (trap 9).
func TestNotificationAgain(t *testing.T) {
	for _, m := range []*Make{S60, RedBend} {
		s := newTestServer(t)
		s.noCred = true // the nonce stays
		w, told := watched(t)
		h := New(m, NewIdentity(7, 1), Temper{}, w)
		s.bootstrap(h)
		one := notificationPDU(s, push.Notification{SessionID: 1}, s.serverNonce)
		two := notificationPDU(s, push.Notification{SessionID: 2}, s.serverNonce)
		for i, c := range []struct {
			pdu   []byte
			taken bool
		}{{one, true}, {one, m == RedBend}, {two, true}, {one, true}} {
			receive(t, h, c.pdu)
			if h.Ready() != c.taken {
				t.Errorf("%s: notification %d: ready %v: %q", m.Name, i+1, h.Ready(), told())
			}
			if !c.taken && !slices.Contains(told(), "dropped: the digest of the last notification") {
				t.Errorf("%s: no reason why it was dropped", m.Name)
			}
			if c.taken {
				if err := h.Session(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestNotificationUseless: without an account, or unreadable, it changes nothing; one without an application id is
// taken, but it is a violation.
func TestNotificationUseless(t *testing.T) {
	s := newTestServer(t)
	w, told := watched(t)
	h := New(RedBend, NewIdentity(7, 1), Temper{}, w)
	receive(t, h, notificationPDU(s, push.Notification{SessionID: 1}, s.serverNonce))
	if got := told(); !slices.Equal(got, []string{"dropped: notification, and no account"}) || h.Ready() {
		t.Errorf("events %q", got)
	}
	s.bootstrap(h)
	h.ready = false // INIT
	p := push.Push{TID: 1, ContentType: push.TypeNotification, HasAppID: true, AppID: push.AppDM, Body: []byte("short")}
	receive(t, h, p.Append(nil))
	got := told()
	if len(got) != 2 || got[1] != "dropped: unreadable notification" || !violated(h, RulePush) || h.Ready() {
		t.Errorf("events %q", got)
	}
	pdu := notificationPDU(s, push.Notification{SessionID: 1}, s.serverNonce)
	good, err := push.ReadPush(pdu)
	if err != nil {
		t.Fatal(err)
	}
	good.HasAppID = false
	receive(t, h, good.Append(nil))
	if !h.Ready() || h.Result().Violations != 2 {
		t.Errorf("events %q", told())
	}
}

// TestNotificationAsks: who is asked, and what becomes of it (trap 26).
func TestNotificationAsks(t *testing.T) {
	const asked, refused = "asked for session", "refused: session"
	for _, test := range []struct {
		make   *Make
		mode   push.UIMode
		temper Temper
		event  string // after that of the notification
		ready  bool
	}{
		{RedBend, push.UIBackground, Temper{Declines: true}, "", true},
		{RedBend, push.UINotSpecified, Temper{Hesitates: true}, "", true},
		{RedBend, push.UIInformative, Temper{}, asked, true},
		{RedBend, push.UIInteraction, Temper{Hesitates: true}, asked, false},
		{RedBend, push.UIInteraction, Temper{Declines: true}, refused, false},
		{S60, push.UIBackground, Temper{}, asked, true},
		{S60, push.UIBackground, Temper{Hesitates: true}, asked, false},
		{S60, push.UIBackground, Temper{Declines: true}, refused, false},
		{Modem, push.UIInteraction, Temper{Declines: true}, "", true},
	} {
		t.Run(fmt.Sprintf("%s, %v, %v", test.make.Name, test.mode, test.temper), func(t *testing.T) {
			s := newTestServer(t)
			w, told := watched(t)
			h := New(test.make, NewIdentity(7, 1), test.temper, w)
			s.bootstrap(h)
			h.ready = false // INIT
			for id := range uint16(2) {
				receive(t, h, notificationPDU(s, push.Notification{SessionID: id + 1, UIMode: test.mode}, s.serverNonce))
			}
			events := slices.DeleteFunc(told(), func(e string) bool { return strings.HasPrefix(e, "notified") })
			var want []string
			switch {
			case test.event == refused:
				want = []string{refused, refused}
			case test.event != "":
				want = []string{asked} // the second is the same job
			}
			if !slices.Equal(events, want) || h.Ready() != test.ready {
				t.Errorf("ready %v, events %q (want %q)", h.Ready(), events, want)
			}
			h.Agree()
			if h.Ready() != (test.event != refused) || h.Asked() {
				t.Errorf("ready %v once he agrees", h.Ready())
			}
		})
	}
}

// TestNotificationsMeet: those that come while a session is open lead to one more, and so does one for a handset that
// wants a session anyway.
func TestNotificationsMeet(t *testing.T) {
	s := newTestServer(t, "Get ./DevInfo/Man")
	h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	receive(t, h, notificationPDU(s, push.Notification{SessionID: 0xA1}, s.serverNonce)) // INIT wants one too
	turn := 0
	s.send = func(int, http.ResponseWriter, []byte) bool {
		if turn++; turn == 2 { // the nonce has not moved yet as far as the handset knows
			for id := range uint16(3) {
				receive(t, h, notificationPDU(s, push.Notification{SessionID: 0xB1 + id}, []byte("second")))
			}
		}
		return false
	}
	n := 0
	for ; h.Ready(); n++ {
		if err := h.Session(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	clean(t, h)
	var opened []string
	for _, in := range s.heard {
		opened = append(opened, string(in.Header.SessionID))
	}
	if opened = slices.Compact(opened); n != 2 || !slices.Equal(opened, []string{"A1", "B1"}) {
		t.Errorf("%d sessions, %q", n, opened)
	}
	if r := h.Result(); r.Notifications != 4 || r.Unheeded != 0 || r.Triggered != 2 {
		t.Errorf("result %+v", r)
	}
}

// TestFleetNotified: in a fleet the session comes by itself, that of a user who hesitates once he agrees.
func TestFleetNotified(t *testing.T) {
	s := newTestServer(t, "Get ./DevInfo/Man")
	s.device.Nonce, s.serverNonce = "", nil
	closed := make(chan string, 16)
	agree := make(chan func(), 16)
	f := NewFleet(Options{
		Count: 4, Makes: []*Make{S60}, Hesitating: 0.25, Declining: 0.25, AgreeAfter: 7 * time.Second,
		After: func(d time.Duration, f func()) {
			if d != 7*time.Second {
				t.Errorf("after %v", d)
			}
			agree <- f
		},
		Settings: Settings{Observe: func(e Event) {
			if e.Kind == SessionClosed {
				closed <- e.Handset.Temper.String() + " " + e.Detail
			}
		}},
	})
	running := make(chan error)
	go func() { running <- f.Run(context.Background()) }()
	t.Cleanup(func() { f.Close(); <-running })
	for _, h := range f.Handsets() {
		order(t, s, f, h.MSISDN, "1")
		<-closed
	}
	for _, h := range f.Handsets() {
		for _, ud := range segmentsOf(t, notificationPDU(s, push.Notification{SessionID: 10}, nil)) {
			if fate := f.Submit(0, &push.Submit{Destination: h.MSISDN, UD: ud, HasUDH: true}); fate != (modemsim.Fate{}) {
				t.Errorf("fate %+v", fate)
			}
		}
	}
	for range 2 {
		if got := <-closed; got != "steady 10" {
			t.Errorf("closed: %s", got)
		}
	}
	(<-agree)()
	if got := <-closed; got != "hesitates 10" {
		t.Errorf("closed: %s", got)
	}
	c := f.Counts()
	if c.Notifications != 4 || c.Triggered != 3 || c.Unheeded != 1 || c.Sessions != 7 || len(agree) != 0 {
		t.Errorf("counts %+v", c)
	}
}
