package handset

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/codec/syncml"
)

// TestRepeats: after 503 and after a lost answer the same bytes go out again, and no more often than allowed.
func TestRepeats(t *testing.T) {
	var pauses []time.Duration
	world := func(attempts int) *World {
		pauses = nil
		w := NewWorld(Settings{
			Attempts: attempts, BackOff: time.Second, MaxBackOff: 10 * time.Second,
			Wait: func(_ context.Context, d time.Duration) error {
				pauses = append(pauses, d)
				return nil
			},
		})
		t.Cleanup(w.Close)
		return w
	}
	s := newTestServer(t, "Get ./DevInfo/Man")
	s.send = func(turn int, w http.ResponseWriter, body []byte) bool {
		switch turn {
		case 1, 2:
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		case 3, 4:
			// The server has understood, but the answer does not get through.
			s.answer(discard{make(http.Header)}, "application/vnd.syncml.dm+wbxml", body)
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		default:
			return false
		}
		return true
	}
	h := New(RedBend, NewIdentity(7, 1), Temper{}, world(6))
	s.bootstrap(h)
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean(t, h)
	for i := range 5 {
		if !bytes.Equal(s.requests[i], s.requests[0]) {
			t.Errorf("request %d differs from the first", i+1)
		}
	}
	if len(s.requests) != 6 || h.Result().Repeats != 4 {
		t.Errorf("%d requests, %d repeats (want 6, 4)", len(s.requests), h.Result().Repeats)
	}
	if pauses[0] != 7*time.Second || pauses[1] != 7*time.Second {
		t.Errorf("pauses %v (want 7s twice first)", pauses)
	}
	if pauses[2] < 4*time.Second || pauses[2] > 5*time.Second || pauses[3] < 8*time.Second || pauses[3] > 10*time.Second {
		t.Errorf("pauses %v (want 4s and 8s with at most a quarter more)", pauses)
	}

	s = newTestServer(t)
	s.send = func(_ int, w http.ResponseWriter, _ []byte) bool {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	h = New(RedBend, NewIdentity(7, 1), Temper{}, world(4))
	s.bootstrap(h)
	if err := h.Session(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("error %v (want %v)", err, ErrUnreachable)
	}
	if len(s.requests) != 4 || !slices.Equal(pauses, slices.Repeat([]time.Duration{10 * time.Second}, 3)) {
		t.Errorf("%d requests, pauses %v (want 4, 10s thrice)", len(s.requests), pauses)
	}
	if r := h.Result(); r.State != Failed || !errors.Is(r.Err, ErrUnreachable) {
		t.Errorf("result %+v", r)
	}
}

// TestLosing: a message whose answer got lost must be answered the same way again.
func TestLosing(t *testing.T) {
	world := NewWorld(Settings{Losing: 1})
	defer world.Close()
	s := newTestServer(t, "Get ./DevInfo/Man", "Get ./DevInfo/Mod")
	h := New(S60, NewIdentity(7, 1), Temper{}, world)
	s.bootstrap(h)
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean(t, h)
	if len(s.requests) != 6 || h.Result().Repeats != 3 {
		t.Errorf("%d requests, %d repeats (want 6, 3)", len(s.requests), h.Result().Repeats)
	}

	s.send = func(int, http.ResponseWriter, []byte) bool {
		clear(s.stored) // a forgetful server takes it for a new message
		return false
	}
	_ = h.Session(t.Context())
	if !violated(h, RuleRepeat) {
		t.Error("two answers to one message are no violation")
	}
}

func TestSessionCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newTestServer(t)
	s.send = func(_ int, w http.ResponseWriter, _ []byte) bool {
		w.Header().Set("Retry-After", "1000")
		w.WriteHeader(http.StatusServiceUnavailable)
		cancel()
		return true
	}
	world := NewWorld(Settings{MaxBackOff: time.Hour})
	defer world.Close()
	h := New(RedBend, NewIdentity(7, 1), Temper{}, world)
	s.bootstrap(h)
	if err := h.Session(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v (want %v)", err, context.Canceled)
	}
}

// TestSpread: answers that do not fit in one message go on in the next, with Final in the last only, and none of them
// is longer than the server takes.
func TestSpread(t *testing.T) {
	for _, m := range []*Make{RedBend, BasicOnly} {
		for _, room := range []int{1200, 2000, 5000} {
			s := newTestServer(t, strings.Repeat("Get ./DevDetail/FwV\nGet ./DevInfo\n", 40), "Get ./DevInfo/Man")
			s.room = room
			if m.Auth == Basic {
				s.auth = "syncml:auth-basic"
			}
			h := New(m, NewIdentity(7, 1), Temper{}, quick(t))
			s.bootstrap(h)
			if err := h.Session(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, v := range h.Violations() {
				if v.Rule != RuleSize { // the script is longer than the basic make takes
					t.Errorf("violation: %s", v.String())
				}
			}
			finals := 0
			for i, body := range s.requests[1:] {
				if len(body) > room {
					t.Errorf("message %d of %d bytes (MaxMsgSize %d)", i+2, len(body), room)
				}
				if s.heard[i+1].Final {
					finals++
				}
			}
			if finals != 2 || len(s.requests) < 4 {
				t.Errorf("%d messages, %d with Final (want many, 2)", len(s.requests), finals)
			}
			if len(s.statuses) != 81 {
				t.Errorf("%d statuses (want 81)", len(s.statuses))
			}
			if got := strings.Count(s.results["./DevInfo"], "DevId/Man/Mod/DmV/Lang/Ext"); got != 40 {
				t.Errorf("%d whole results (want 40)", got)
			}
		}
	}
}

// TestLargeResult: a value that no message has room for comes in chunks, with Size in the first only (section 2.2).
func TestLargeResult(t *testing.T) {
	s := newTestServer(t, "Get ./FUMO/PkgName\nGet ./DevInfo/Man")
	s.room = 2000
	h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	tr := h.tree()
	want := strings.Repeat("0123456789", 700)
	tr.set([]string{"FUMO", "PkgName"}, want)
	h.root = tr.root
	if err := h.Session(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean(t, h)
	if got := s.results["./FUMO/PkgName"]; got != want {
		t.Errorf("%d bytes (want %d)", len(got), len(want))
	}
	var sizes []int
	var more []bool
	for _, m := range s.heard {
		for i := range m.Commands {
			if c := &m.Commands[i]; c.Kind == syncml.Results && string(c.Items[0].Source.URI) == "./FUMO/PkgName" {
				sizes = append(sizes, c.Items[0].Meta.Size+c.Meta.Size)
				more = append(more, c.Items[0].MoreData)
			}
		}
	}
	if len(sizes) < 4 || sizes[0] != 7000 || slices.Max(sizes[1:]) != 0 {
		t.Errorf("sizes %v (want 7000 in the first of several)", sizes)
	}
	if n := len(more); more[n-1] || slices.Contains(more[:n-1], false) {
		t.Errorf("MoreData %v", more)
	}
}
