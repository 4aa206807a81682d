package handset

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"dmgate/codec/push"
	"dmgate/modempool/modemsim"
)

// order bootstraps handset i of f, as a gateway would: segments to the modems, the PIN to the admin.
func order(t *testing.T, s *testServer, f *Fleet, msisdn, pin string) []modemsim.Fate {
	t.Helper()
	var fates []modemsim.Fate
	for _, ud := range segmentsOf(t, bootstrapPDU(t, s.document(), push.UserPIN, push.Key{PIN: pin})) {
		fates = append(fates, f.Submit(0, &push.Submit{Destination: msisdn, UD: ud, HasUDH: true, Report: true}))
	}
	f.Tell(msisdn, pin)
	return fates
}

func TestFleet(t *testing.T) {
	s := newTestServer(t, "Get ./DevDetail/FwV", "Get ./DevInfo")
	s.device.Nonce, s.serverNonce = "", nil
	var mu sync.Mutex
	var later []func()
	const count = 100
	settled := make(chan struct{}, count)
	f := NewFleet(Options{
		Count: count, Seed: 3, Mistyping: 0.2, Refusing: 0.1, Off: 0.1, Late: 0.1, Concurrency: 8, Reorder: true,
		After: func(_ time.Duration, f func()) {
			mu.Lock()
			defer mu.Unlock()
			later = append(later, f)
		},
		Settings: Settings{
			Losing: 0.2,
			Wait:   func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
			Observe: func(e Event) {
				e.Handset.Result() // an observer may look
				if e.Kind == SessionClosed || e.Kind == SessionFailed {
					settled <- struct{}{}
				}
			},
		},
	})
	running := make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { running <- f.Run(ctx) }()

	tempers := map[string]int{}
	for _, h := range f.Handsets() {
		tempers[h.Temper.String()]++
		for _, fate := range order(t, s, f, h.MSISDN, "4711") {
			want := modemsim.Fate{Report: true}
			switch {
			case h.Temper.Off:
				want = modemsim.Fate{Report: true, Status: 0x46, After: 5 * time.Second}
			case h.Temper.Late:
				want.After = 2 * time.Second
			}
			if fate != want {
				t.Fatalf("%s: fate %+v (want %+v)", h.Temper, fate, want)
			}
		}
	}
	if got, want := fmt.Sprint(tempers), "map[late:10 mistypes:20 off:10 refuses:10 steady:50]"; got != want {
		t.Errorf("tempers %s (want %s)", got, want)
	}
	mu.Lock()
	wake := later
	mu.Unlock()
	if len(wake) != 10 {
		t.Errorf("%d handsets to come on (want 10)", len(wake))
	}
	for _, f := range wake {
		f()
	}
	for range 80 {
		<-settled
	}
	cancel()
	if err := <-running; err != context.Canceled {
		t.Errorf("Run: %v", err)
	}

	for _, v := range f.Violations() {
		t.Errorf("violation: %s", v.String())
	}
	c := f.Counts()
	if c.Handsets != count || c.Reachable != 80 || c.States[Managed] != 80 || c.States[Refused] != 10 ||
		c.States[Unmanaged] != 10 || c.Closed != 80 || c.Repeats == 0 {
		t.Errorf("counts %+v", c)
	}
}

// TestFleetIsItsSeed: the same options grow the same fleet, another seed another one.
func TestFleetIsItsSeed(t *testing.T) {
	describe := func(seed uint64) (all []string) {
		f := NewFleet(Options{Count: 60, Seed: seed, Mistyping: 0.3, Off: 0.2})
		defer f.Close()
		for _, h := range f.Handsets() {
			man, mod, fwv := h.Model()
			all = append(all, fmt.Sprint(h.Identity, h.Make.Name, h.Temper, man, mod, fwv))
		}
		return all
	}
	if !slices.Equal(describe(1), describe(1)) {
		t.Error("one seed, two fleets")
	}
	if slices.Equal(describe(1), describe(2)) {
		t.Error("two seeds, one fleet")
	}
}

// TestReorder: segments arrive in another order, and in each message all of them do, whatever is sent twice.
func TestReorder(t *testing.T) {
	s := newTestServer(t)
	f := NewFleet(Options{Count: 40, Seed: 5, Reorder: true})
	defer f.Close()
	for i, h := range f.Handsets() {
		parts := segmentsOf(t, bootstrapPDU(t, s.document(), push.UserPIN, push.Key{PIN: "1"}))
		if i%2 == 1 {
			parts = append(parts[:1], parts...) // the first twice
		}
		for _, ud := range parts {
			f.Submit(0, &push.Submit{Destination: h.MSISDN, UD: ud, HasUDH: true})
		}
		f.Tell(h.MSISDN, "1")
		if r := h.Result(); r.State != HasAccount || r.Documents != 1 {
			t.Errorf("handset %d: %+v", i, r)
		}
	}
	if v := f.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}

func TestStrangers(t *testing.T) {
	f := NewFleet(Options{Count: 1})
	defer f.Close()
	for _, number := range []string{"", "+4915550000001", "+999000000001", "+99900000000"} {
		if fate := f.Submit(0, &push.Submit{Destination: number}); fate.CMS != 1 {
			t.Errorf("%q: %+v", number, fate)
		}
		f.Tell(number, "1234")
	}
	if fate := f.Submit(0, &push.Submit{Destination: "999000000000", UD: []byte("hello")}); fate.CMS != 0 {
		t.Errorf("a number without plus: %+v", fate)
	}
	if r := f.Handset("+999000000000").Result(); r.SMS != 1 || r.Violations != 0 {
		t.Errorf("text: %+v", r)
	}
}

// TestConnect: a user can open a session at any time once there is an account, and only then.
func TestConnect(t *testing.T) {
	s := newTestServer(t, "Get ./DevInfo/Man")
	s.device.Nonce, s.serverNonce = "", nil
	closed := make(chan struct{}, 16)
	f := NewFleet(Options{Count: 2, Settings: Settings{Observe: func(e Event) {
		if e.Kind == SessionClosed {
			closed <- struct{}{}
		}
	}}})
	running := make(chan error)
	go func() { running <- f.Run(t.Context()) }()
	order(t, s, f, "+999000000000", "1")
	<-closed
	f.Connect("+999000000001") // not bootstrapped
	for range 3 {
		f.Connect("+999000000000")
		<-closed
	}
	f.Close()
	<-running
	if c := f.Counts(); c.Closed != 4 || c.Sessions != 4 || c.States[Unmanaged] != 1 || c.Violations != 0 {
		t.Errorf("counts %+v: %v", c, f.Violations())
	}
}

// TestReopen: a session that failed is opened again as often as the options say.
func TestReopen(t *testing.T) {
	s := newTestServer(t)
	s.http.Close()
	failed := make(chan struct{}, 16)
	f := NewFleet(Options{
		Count: 1, Reopen: 2,
		Settings: Settings{
			Attempts: 2,
			Wait:     func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
			Observe: func(e Event) {
				if e.Kind == SessionFailed {
					failed <- struct{}{}
				}
			},
		},
	})
	running := make(chan error)
	go func() { running <- f.Run(t.Context()) }()
	order(t, s, f, "+999000000000", "1")
	for range 3 {
		<-failed
	}
	f.Close()
	if err := <-running; err != nil {
		t.Errorf("Run: %v", err)
	}
	if c := f.Counts(); c.Sessions != 3 || c.Repeats != 3 || c.States[Failed] != 1 {
		t.Errorf("counts %+v", c)
	}
}

// TestCloseCutsSessions: a session that waits for an answer does not hold up Close.
func TestCloseCutsSessions(t *testing.T) {
	s := newTestServer(t)
	arrived := make(chan struct{})
	release := make(chan struct{})
	s.send = hang(arrived, release)
	f := NewFleet(Options{Count: 1})
	running := make(chan error)
	go func() { running <- f.Run(t.Context()) }()
	order(t, s, f, "+999000000000", "1")
	<-arrived
	f.Close()
	<-running
	close(release)
	if c := f.Counts(); c.States[Failed] != 1 {
		t.Errorf("counts %+v", c)
	}
}
