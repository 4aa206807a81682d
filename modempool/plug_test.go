package modempool

import (
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dmgate/codec/push"
	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// ttys is a pattern for the names that change on replug.
func ttys(b *modemsim.Bank) Port {
	return Port{Path: filepath.Join(filepath.Dir(b.TTYs(0)[0]), "ttyUSB*"), Tags: []string{"d1"}}
}

// runOn runs a pool on a bank that is there.
func runOn(t *testing.T, o Options, q *memQueue, n *network, sim *modemsim.Bank) *rig {
	t.Helper()
	r := &rig{t: t, bank: sim, queue: q, net: n}
	r.run(o)
	return r
}

// awaitModems waits until the modems are as wanted.
func (r *rig) awaitModems(what string, cond func([]Status) bool) {
	r.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for !cond(r.pool.Modems()) {
		select {
		case <-look.C:
		case <-deadline.C:
			r.t.Fatalf("modems are %+v; waited for %s", r.pool.Modems(), what)
		}
	}
}

// at is the modem whose port has a path; nil where there is none.
func at(modems []Status, path string) *Status {
	if i := slices.IndexFunc(modems, func(s Status) bool { return s.Port == path }); i >= 0 {
		return &modems[i]
	}
	return nil
}

func (q *memQueue) notices(t *testing.T, want string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, text := range q.noticed {
		if strings.Contains(text, want) {
			n++
		}
	}
	return n
}

// Pulled out while its last segment was on the air, for longer than its back-off, and plugged in under another pty and
// another name: a push goes out within 5 s of the port's return, with the times of a pool in service. The one that was on
// the air is in doubt until its report comes.
func TestReplugUnderAnotherName(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(2)...), newNetwork()
	sim := bank(t, modemsim.Options{Network: n, Character: func(int) modemsim.Character {
		return modemsim.Character{Fault: modemsim.At(map[int]modemsim.Fault{2: {Kind: modemsim.UnplugAfter}})}
	}})
	was := sim.TTYs(0)[0]
	r := runOn(t, Options{Ports: []Port{ttys(sim)}}, q, n, sim)
	r.awaitModem(0, "three looks for its port", func(s Status) bool { return s.State == OutOfService && s.Reopened >= 3 })
	if job := q.get(1); job.State != storage.PushDoubtful || job.Until.IsZero() || job.Error == "" {
		t.Errorf("the push on the air is %s until %v: %q", job.State, job.Until, job.Error)
	}
	if err := sim.ReplugAs(0, "ttyUSB7"); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	q.awaitState(t, storage.PushDelivered)
	if took := time.Since(back); took > 5*time.Second {
		t.Errorf("a push went out %v after the port's return", took)
	}
	n.arrived(t, q)
	now := sim.TTYs(0)[0]
	r.awaitModems("the new name alone", func(all []Status) bool { return at(all, was) == nil && at(all, now) != nil })
	if s := at(r.pool.Modems(), now); s.ID != modem0 || s.Sent != 5 || s.Doubtful != 1 || s.Reports != 6 ||
		!slices.Equal(s.Tags, []string{"d1"}) {
		t.Errorf("%+v", s)
	}
	if out, in := q.notices(t, "out of service"), q.notices(t, "in service again"); out != 1 || in > 1 {
		t.Errorf("the feed says %q", q.noticed)
	}
}

// A stick with two ports that answer is one modem: the second port is parked, and takes over when the first is removed.
func TestTwoPortsOfOneModem(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(5)...), newNetwork()
	sim := bank(t, modemsim.Options{Network: n, Character: func(int) modemsim.Character {
		return modemsim.Character{Ports: []modemsim.Role{modemsim.Answers, modemsim.Answers}}
	}})
	o := quick()
	o.Ports = []Port{ttys(sim)}
	r := runOn(t, o, q, n, sim)
	parked := func(s Status) bool { return strings.HasPrefix(s.Reason, "bring-up: same modem as ttyUSB") }
	q.awaitState(t, storage.PushDelivered)
	r.awaitModems("one of them parked", func(all []Status) bool { return len(all) == 2 && parked(all[0]) != parked(all[1]) })
	n.arrived(t, q)
	first := r.pool.Modems()[0]
	if parked(first) {
		first = r.pool.Modems()[1]
	}
	if err := r.pool.Remove(first.Name); err != nil {
		t.Fatal(err)
	}
	r.awaitModems("the other in its place", func(all []Status) bool { return len(all) == 1 && all[0].State == Ready })
	q.add(pushes(6)[5])
	q.awaitState(t, storage.PushDelivered)
	if s := r.pool.Modems()[0]; s.Port == first.Port || s.ID != modem0 || s.Sent != first.Sent+3 {
		t.Errorf("%+v in place of %+v", s, first)
	}
}

// Another SIM in the same modem is told, once.
func TestSIMSwap(t *testing.T) {
	t.Parallel()
	q, n := newQueue(), newNetwork()
	r := start(t, quick(), q, n)
	ready := func(s Status) bool { return s.State == Ready }
	r.awaitModem(0, "service", ready)
	for swaps := range 2 {
		r.bank.Unplug(0)
		r.awaitModem(0, "its end", func(s Status) bool { return s.State == OutOfService })
		if swaps == 0 {
			r.bank.SwapSIM(0)
		}
		if err := r.bank.Replug(0); err != nil {
			t.Fatal(err)
		}
		r.awaitModem(0, "service", ready)
		if s := r.pool.Modems()[0]; s.Identity.ICCID != r.bank.Identity(0).ICCID || s.ID != modem0 {
			t.Errorf("%+v", s.Identity)
		}
		if got := q.notices(t, "its SIM was changed"); got != 1 {
			t.Errorf("told %d times", got)
		}
	}
}

// A modem that hangs in two lives in a row is told to restart, and serves again.
func TestHangIsReset(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(2)...), newNetwork()
	o := quick()
	o.FaultAfter, o.PromptTimeout = 1, 100*time.Millisecond
	hang := modemsim.Fault{Kind: modemsim.HangBefore, For: 200 * time.Millisecond}
	r := start(t, o, q, n, modemsim.Character{Fault: modemsim.At(map[int]modemsim.Fault{0: hang, 1: hang})})
	q.awaitState(t, storage.PushDelivered)
	n.arrived(t, q)
	if got := r.bank.Counts()[0].Reboots; got != 1 {
		t.Errorf("reset %d times", got)
	}
}

// A modem that was at fault has one push to show that it is well; each trial that fails doubles the wait for the next.
func TestTrial(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(40)...), newNetwork()
	q.size = 50
	var well atomic.Bool
	tried := make(chan struct{}, 100)
	n.fate = func(int, int, *push.Submit) modemsim.Fate {
		if well.Load() {
			return modemsim.Fate{Report: true}
		}
		tried <- struct{}{}
		return modemsim.Fate{CMS: 38} // network out of order
	}
	o := quick()
	o.FaultAfter, o.Attempts, o.ReopenMin, o.ReopenMax = 3, 1000, 5*time.Millisecond, 100*time.Millisecond
	r := start(t, o, q, n)
	r.awaitModem(0, "three failed trials", func(s Status) bool {
		return s.State == OutOfService && s.Reopened == 4 && strings.Contains(s.Reason, "the trial after a fault failed") &&
			s.Until.Sub(s.Since) > 30*time.Millisecond && s.Trial
	})
	if got := len(tried); got != 3+3 {
		t.Errorf("%d pushes tried, want 3 and then one for each trial", got)
	}
	well.Store(true)
	q.awaitState(t, storage.PushDelivered)
	if s := r.pool.Modems()[0]; s.Trial {
		t.Errorf("%+v", s)
	}
}

// What operators have changed about the modems holds for the next process over the same store.
func TestChangesSurviveRestart(t *testing.T) {
	t.Parallel()
	q, n := newQueue(), newNetwork()
	sim := bank(t, modemsim.Options{Modems: 4, Network: n})
	all := ports(sim)
	all[3].Tags = []string{"d1"}
	o := quick()
	o.Ports = all[:3]
	r := runOn(t, o, q, n, sim)
	r.awaitModems("three", func(s []Status) bool {
		return !slices.ContainsFunc(s, func(s Status) bool { return s.State != Ready })
	})
	drained := r.pool.Modems()[1].ID
	for _, err := range []error{r.pool.Remove("modem0"), r.pool.Drain("modem1"), r.pool.AddPort(all[3])} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.stop()
	r = runOn(t, o, q, n, sim)
	r.awaitModems("modem 0 gone, 1 drained, 3 added", func(s []Status) bool {
		return len(s) == 3 && s[0].Name == "modem1" && s[0].State == Drained && s[0].ID == drained && s[0].Draining &&
			s[1].State == Ready && s[2].Name == "modem3" && s[2].State == Ready && slices.Equal(s[2].Tags, []string{"d1"})
	})

	// And back again.
	for _, err := range []error{r.pool.AddPort(all[0]), r.pool.Undrain("modem1"), r.pool.Remove("modem3")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.stop()
	r = runOn(t, o, q, n, sim)
	r.awaitModems("modems 0 to 2", func(s []Status) bool {
		return len(s) == 3 && !slices.ContainsFunc(s, func(s Status) bool { return s.State != Ready || s.Name == "modem3" })
	})
}

// A modem found by a pattern and removed stays away, over a restart as well, until it has been unplugged.
func TestRemovedStaysAway(t *testing.T) {
	t.Parallel()
	q, n := newQueue(), newNetwork()
	sim := bank(t, modemsim.Options{Network: n})
	o := quick()
	o.Ports = []Port{ttys(sim)}
	r := runOn(t, o, q, n, sim)
	r.awaitModem(0, "service", func(s Status) bool { return s.State == Ready })
	if err := r.pool.Remove(modem0); err != nil {
		t.Fatal(err)
	}
	r.stop()
	r = runOn(t, o, q, n, sim)
	r.pool.match()
	if got := r.pool.Modems(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	sim.Unplug(0)
	r.awaitModems("the end of its absence", func([]Status) bool {
		r.pool.mu.Lock()
		defer r.pool.mu.Unlock()
		return len(r.pool.kept.Away) == 0
	})
	if err := sim.Replug(0); err != nil {
		t.Fatal(err)
	}
	r.awaitModems("it", func(s []Status) bool { return len(s) == 1 && s[0].State == Ready })
}
