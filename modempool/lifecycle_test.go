package modempool

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/codec/push"
	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// A push found sending at start is in doubt and not sent again; one found sent gets its reports.
func TestRestart(t *testing.T) {
	t.Parallel()
	n := newNetwork()
	sim := bank(t, modemsim.Options{Network: n})
	jobs := pushes(4)
	now := time.Now()
	jobs[0].State, jobs[0].Modem, jobs[0].Changed = storage.PushSending, modem0, now
	jobs[0].Segments = make([]storage.Segment, 2)
	jobs[1].State, jobs[1].Modem, jobs[1].Until = storage.PushSent, modem0, now.Add(time.Hour)
	jobs[1].Segments = []storage.Segment{{Reference: 7, Sent: true}, {Reference: 8, Sent: true, Reported: true}}
	jobs[2].State, jobs[2].Modem, jobs[2].Until = storage.PushSent, "modem9", now.Add(time.Hour) // of another modem
	jobs[2].Segments = []storage.Segment{{Reference: 9, Sent: true}}
	jobs[3].State, jobs[3].Modem = storage.PushSent, modem0 // not waited for any more
	jobs[3].Segments = []storage.Segment{{Reference: 10, Sent: true}}
	q := newQueue(jobs...)
	r := &rig{t: t, bank: sim, queue: q, net: n}
	o := quick()
	o.Ports = ports(sim)
	r.run(o)
	r.awaitModem(0, "service", func(s Status) bool { return s.State == Ready })
	if job := q.get(1); job.State != storage.PushDoubtful || !strings.Contains(job.Error, "the gateway stopped") {
		t.Errorf("push 1 is %s %q", job.State, job.Error)
	}

	// The report of one that was sent names its reference; the doubt of the other goes by number alone.
	sim.Say(0, cds(7, jobs[1].MSISDN, 0))
	q.await(t, "push 2 delivered", func(j map[uint64]*storage.PushJob) bool {
		return j[2].State == storage.PushDelivered
	})
	sim.Say(0, cds(100, jobs[0].MSISDN, 0))
	r.awaitModem(0, "a report", func(s Status) bool { return s.Reports == 2 })
	if job := q.get(1); job.State != storage.PushDoubtful {
		t.Errorf("push 1 is %s after one of two reports", job.State)
	}
	sim.Say(0, cds(101, "0"+strings.TrimPrefix(jobs[0].MSISDN, "+49"), 0)) // a national number
	q.await(t, "push 1 delivered", func(j map[uint64]*storage.PushJob) bool {
		return j[1].State == storage.PushDelivered
	})
	sim.Say(0, cds(10, jobs[3].MSISDN, 0)+cds(7, jobs[1].MSISDN, 0x46))
	sim.Say(0, "\r\n+CDS: 25\r\n00zz\r\n\r\n+CDS: 3\r\n00010203\r\n")
	r.awaitModem(0, "reports that are nobody's", func(s Status) bool { return s.Unknown == 3 })
	if n.segments != 0 {
		t.Errorf("%d segments sent", n.segments)
	}
	for i := range jobs {
		if s := q.get(uint64(i + 1)).State; i >= 2 && s != storage.PushSent {
			t.Errorf("push %d is %s", i+1, s)
		}
	}
}

// cds is a status report as a modem says it.
func cds(mr uint8, number string, status uint8) string {
	at := time.Now().Truncate(time.Second)
	tpdu := (&push.StatusReport{Reference: mr, Recipient: number, SCTS: at, Discharge: at, Status: status}).Append(nil)
	return fmt.Sprintf("\r\n+CDS: %d\r\n00%X\r\n", len(tpdu), tpdu)
}

// The process dies while a push is on the air: the record says sending, and so the next start knows.
func TestCrash(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(1)...), newNetwork()
	air, land := make(chan struct{}), make(chan struct{})
	n.fate = func(k, _ int, _ *push.Submit) modemsim.Fate {
		if k == 1 {
			close(air)
			<-land
		}
		return modemsim.Fate{Report: true}
	}
	start(t, quick(), q, n)
	<-air
	if job := q.get(1); job.State != storage.PushSending || job.Attempts != 1 || job.Modem != modem0 {
		t.Errorf("on the air the record says %+v", job)
	}
	close(land)
	q.awaitState(t, storage.PushDelivered)
}

// Pulled out in the middle of a send, before and after the network took it, and plugged in again under another pty.
func TestUnplug(t *testing.T) {
	t.Parallel()
	tests := []struct {
		when     string
		send     int
		kind     modemsim.FaultKind
		accepted int
		attempts int // the modem's fault is not the push's, but a doubt is
		window   time.Duration
	}{
		{"before the first segment", 0, modemsim.UnplugBefore, 3, 1, 0},
		{"after the first segment", 0, modemsim.UnplugAfter, 4, 1, 0},
		{"before the last segment", 2, modemsim.UnplugBefore, 5, 2, 50 * time.Millisecond},
		{"after the last segment", 2, modemsim.UnplugAfter, 3, 1, time.Minute}, // its report clears the doubt
	}
	for _, test := range tests {
		t.Run(test.when, func(t *testing.T) {
			t.Parallel()
			q, n := newQueue(pushes(1)...), newNetwork()
			o := quick()
			o.DoubtWindow = test.window
			r := start(t, o, q, n, modemsim.Character{
				Fault: modemsim.At(map[int]modemsim.Fault{test.send: {Kind: test.kind}}),
			})
			r.awaitModem(0, "its end", func(s Status) bool { return s.State == OutOfService && s.Reason != "" })
			if err := r.bank.Replug(0); err != nil {
				t.Fatal(err)
			}
			q.awaitState(t, storage.PushDelivered)
			r.stop()
			if c := r.bank.Counts()[0]; c.Accepted != test.accepted {
				t.Errorf("%d segments accepted, want %d", c.Accepted, test.accepted)
			}
			n.arrived(t, q)
			if job := q.get(1); job.Attempts != test.attempts {
				t.Errorf("%d attempts, want %d", job.Attempts, test.attempts)
			}
		})
	}
}

// The end of the context ends every goroutine, whatever the modems are doing.
func TestEndsWithContext(t *testing.T) {
	for _, test := range []struct {
		does string
		c    modemsim.Character
	}{
		{"idle or sending", modemsim.Character{}},
		{"hung", modemsim.Character{Fault: func(int) modemsim.Fault {
			return modemsim.Fault{Kind: modemsim.HangBefore}
		}}},
		{"hung after the PDU", modemsim.Character{Fault: func(int) modemsim.Fault {
			return modemsim.Fault{Kind: modemsim.HangAfter}
		}}},
		{"searching", modemsim.Character{RegisterAfter: 1 << 30}},
		{"locked", modemsim.Character{PIN: "1234"}},
	} {
		t.Run(test.does, func(t *testing.T) {
			before := runtime.NumGoroutine()
			q, n := newQueue(pushes(20)...), newNetwork()
			o := quick()
			o.SendTimeout, o.PromptTimeout = time.Hour, time.Hour
			o.Drain = 20 * time.Millisecond
			r := start(t, o, q, n, test.c, test.c)
			r.awaitModem(1, "a start", func(s Status) bool { return s.State != Stopped && s.State != Opening })
			r.stop()
			for id := range q.jobs {
				if s := q.get(id).State; s == storage.PushSending {
					t.Errorf("push %d is left %s", id, s)
				}
			}
			if err := r.bank.Close(); err != nil {
				t.Error(err)
			}
			deadline := time.Now().Add(patience)
			for runtime.NumGoroutine() > before {
				if time.Now().After(deadline) {
					buf := make([]byte, 1<<16)
					t.Fatalf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(),
						buf[:runtime.Stack(buf, true)])
				}
				runtime.Gosched()
			}
		})
	}
}

// A push on the air when the context ends is finished, and no other is begun.
func TestDrain(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(3)...), newNetwork()
	air, land := make(chan struct{}), make(chan struct{})
	n.fate = func(k, _ int, _ *push.Submit) modemsim.Fate {
		if k == 0 {
			close(air)
			<-land
		}
		return modemsim.Fate{}
	}
	r := start(t, quick(), q, n)
	<-air
	ended := make(chan struct{})
	go func() { r.stop(); close(ended) }()
	close(land)
	<-ended
	if got := n.times(q.get(1).MSISDN); got != 1 || q.get(1).State != storage.PushSent {
		t.Errorf("the push under way arrived %d times and is %s", got, q.get(1).State)
	}
}

// One of three modems hangs at its first send. It holds one push for its time-out; the others do the rest.
func TestHungModem(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(60)...), newNetwork()
	o := quick()
	impatient(&o)
	hung := modemsim.Character{Fault: func(int) modemsim.Fault { return modemsim.Fault{Kind: modemsim.HangBefore} }}
	r := start(t, o, q, n, hung, modemsim.Character{}, modemsim.Character{})
	q.awaitState(t, storage.PushDelivered)
	r.stop()
	n.arrived(t, q)
	if s := r.pool.Modems()[0]; s.LastError == "" || s.Sent != 0 {
		t.Errorf("hung modem: %+v", s)
	}
}

// A modem that takes nothing any more rests, so that it does not spoil the queue for the others.
func TestBlackHole(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(60)...), newNetwork()
	n.fate = func(_, modem int, _ *push.Submit) modemsim.Fate {
		if modem == 0 {
			return modemsim.Fate{CMS: 8} // barred, it says of every number
		}
		return modemsim.Fate{Report: true}
	}
	o := quick()
	o.ReopenMin, o.ReopenMax = time.Hour, time.Hour
	r := start(t, o, q, n, modemsim.Character{}, modemsim.Character{})
	q.await(t, "the end of all pushes", func(jobs map[uint64]*storage.PushJob) bool {
		for _, j := range jobs {
			if j.State != storage.PushDelivered && j.State != storage.PushFailed {
				return false
			}
		}
		return true
	})
	failed := 0
	for id := range q.jobs {
		if q.get(id).State == storage.PushFailed {
			failed++
		}
	}
	if failed > 5 {
		t.Errorf("%d pushes spoiled", failed)
	}
	r.awaitModem(0, "a rest", func(s Status) bool {
		return s.State == OutOfService && strings.Contains(s.Reason, "5 pushes in a row") || s.Failed < 5
	})
}

// A wrong PIN is typed once in the life of a pool, however often the modem is opened; a right one again after replug.
func TestPIN(t *testing.T) {
	t.Parallel()
	wrong := quick()
	wrong.Ports = []Port{{PIN: "9999"}}
	r := start(t, wrong, newQueue(pushes(1)...), newNetwork(), modemsim.Character{PIN: "4711"})
	r.awaitModem(0, "several tries", func(s Status) bool { return s.Reopened > 3 })
	if s := r.pool.Modems()[0]; !strings.Contains(s.LastError, "refused the configured PIN") {
		t.Errorf("last error %q", s.LastError)
	}
	if c := r.bank.Counts()[0]; c.PINs != 1 {
		t.Errorf("%d PINs typed", c.PINs)
	}
	secret(t, r, "9999")

	none := start(t, quick(), newQueue(), newNetwork(), modemsim.Character{PIN: "4711"})
	none.awaitModem(0, "a try", func(s Status) bool { return strings.Contains(s.LastError, errNoPIN.Error()) })

	spent := start(t, wrong, newQueue(), newNetwork(), modemsim.Character{PIN: "9999", PINTries: 2})
	spent.awaitModem(0, "a try", func(s Status) bool { return strings.Contains(s.LastError, errPINLeft.Error()) })
	puk := start(t, wrong, newQueue(), newNetwork(), modemsim.Character{PIN: "9999", PINTries: -1})
	puk.awaitModem(0, "a try", func(s Status) bool { return strings.Contains(s.LastError, errPINLeft.Error()) })

	right := quick()
	q := newQueue(pushes(1)...)
	sim := bank(t, modemsim.Options{Character: func(int) modemsim.Character {
		return modemsim.Character{PIN: "4711", StubbornEcho: true, Noise: 0.3, Chunk: 3}
	}})
	right.Ports = ports(sim, Port{PIN: "4711"})
	r = &rig{t: t, bank: sim, queue: q}
	r.run(right)
	q.awaitState(t, storage.PushDelivered)
	sim.Unplug(0)
	if err := sim.Replug(0); err != nil {
		t.Fatal(err)
	}
	for _, job := range pushes(2)[1:] {
		q.add(job)
	}
	r.pool.Wake()
	q.awaitState(t, storage.PushDelivered)
	if c := sim.Counts()[0]; c.PINs != 2 {
		t.Errorf("%d PINs typed", c.PINs)
	}
	secret(t, r, "4711")
}

// secret fails the test if a PIN or a PDU shows in the ring, the status or the log.
func secret(t *testing.T, r *rig, pin string) {
	t.Helper()
	text := fmt.Sprintf("%+v", r.pool.Modems())
	for _, e := range r.logs.All() {
		text += fmt.Sprintf("%s %v\n", e.Message, e.ContextMap())
	}
	for _, word := range []string{`"` + pin, pin + `"`, "B05040B84"} {
		if i := strings.Index(text, word); i >= 0 {
			t.Errorf("%q shows: ...%s", word, text[max(0, i-100):min(len(text), i+100)])
		}
	}
}

// One push that can't be rendered, one to no number and one too long fail; the rest goes its way.
func TestBadPushes(t *testing.T) {
	t.Parallel()
	jobs := pushes(8)
	jobs[3].MSISDN = "nobody"
	q, n := newQueue(jobs...), newNetwork()
	q.render = func(job *storage.PushJob) ([]byte, error) {
		switch job.ID {
		case 2:
			return nil, errors.New("no such profile")
		case 6:
			return make([]byte, 40000), nil
		}
		return payload(job.ID, q.size), nil
	}
	start(t, quick(), q, n)
	q.await(t, "5 delivered, 3 failed", func(jobs map[uint64]*storage.PushJob) bool {
		count := make(map[storage.PushState]int)
		for _, j := range jobs {
			count[j.State]++
		}
		return count[storage.PushDelivered] == 5 && count[storage.PushFailed] == 3
	})
	if job := q.get(2); job.Attempts != 0 || !strings.Contains(job.Error, "no such profile") {
		t.Errorf("push 2: %+v", job)
	}
}

// A push that can't be recorded as sending is not sent; one that can't be recorded as sent is not forgotten.
func TestSaveFails(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(2)...), newNetwork()
	var sending, sent int
	q.saving = func(job *storage.PushJob) error {
		switch {
		case job.ID == 1 && job.State == storage.PushSending && job.Total == 0 && sending < 1:
			sending++
			n.mu.Lock()
			defer n.mu.Unlock()
			if n.complete[job.MSISDN] != nil {
				t.Error("sent before it was recorded")
			}
			return errDisk
		case job.ID == 2 && job.State == storage.PushSent && sent < 3:
			sent++
			return errDisk
		}
		return nil
	}
	start(t, quick(), q, n)
	q.awaitState(t, storage.PushDelivered)
	n.arrived(t, q)
}

// A store that fails while a push is recorded as sending may have the record all the same when it is open again: the
// push is put back, and sent.
func TestSaveFailsHalf(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(1)...), newNetwork()
	failures := 0
	q.saving = func(job *storage.PushJob) error {
		if failures == 4 || job.Total > 0 {
			return nil
		}
		failures++
		q.mu.Lock()
		defer q.mu.Unlock()
		if c := clone(job); failures == 1 {
			q.jobs[job.ID] = &c // as sending
		}
		return fmt.Errorf("%w: %w", storage.ErrFailed, errDisk)
	}
	start(t, quick(), q, n)
	q.awaitState(t, storage.PushDelivered)
	n.arrived(t, q)
	want := []storage.PushState{storage.PushQueued, storage.PushSending}
	if got := q.saves[1]; len(got) < 2 || !slices.Equal(got[:2], want) {
		t.Errorf("saved as %v, want first %v", got, want)
	}
	if job := q.get(1); job.Attempts != 1 {
		t.Errorf("%d attempts counted, want 1", job.Attempts)
	}
}

// What was added with a higher priority goes before what waits.
func TestPriority(t *testing.T) {
	t.Parallel()
	jobs := pushes(40)
	for i := range jobs {
		jobs[i].Priority = 9
	}
	q, n := newQueue(jobs...), newNetwork()
	q.size = 50
	urgent := pushes(41)[40]
	var place int
	var r *rig
	ready := make(chan struct{})
	n.fate = func(k, _ int, s *push.Submit) modemsim.Fate {
		if k == 0 {
			<-ready
			q.add(urgent)
			r.pool.Wake()
		}
		if s.Destination == urgent.MSISDN {
			place = k
		}
		return modemsim.Fate{Report: true}
	}
	r = start(t, quick(), q, n)
	close(ready)
	q.awaitState(t, storage.PushDelivered)
	r.stop()
	if place == 0 || place > 2 {
		t.Errorf("sent as number %d", place)
	}
}

// A rate of 600 a minute is one in 100 ms: a push of three runs ahead and pays after.
func TestRate(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(3)...), newNetwork()
	o := quick()
	o.Limits.Modem = 600
	began := time.Now()
	r := start(t, o, q, n)
	q.awaitState(t, storage.PushDelivered)
	if d := time.Since(began); d < 600*time.Millisecond {
		t.Errorf("9 segments in %v", d)
	}
	if s := r.pool.Modems()[0]; s.PerMinute != 9 || s.Sent != 9 || s.Pushes != 3 {
		t.Errorf("%+v", s)
	}
}

// Options that can't be meant are refused before anything is opened.
func TestOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{
		{Ports: []Port{{}}},
		{Ports: []Port{{Path: "a"}, {Path: "a"}}},
		{Ports: []Port{{Path: "a", PIN: "12"}}},
		{Ports: []Port{{Path: "a", PIN: `1234";`}}},
		{Ports: []Port{{Path: "["}}},
		{Limits: Limits{Modem: -1}},
	} {
		if _, err := New(o, newQueue()); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	if _, err := New(Options{}, nil); err == nil {
		t.Error("a pool without a queue is made")
	}
	named, err := New(Options{Ports: []Port{{Path: "/dev/a/x"}, {Path: "/dev/b/x"}, {Path: "/dev/y"}}}, newQueue())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"x", "/dev/b/x", "y"} {
		if got := named.Modems()[i].Name; got != want {
			t.Errorf("modem %d is called %s, want %s", i, got, want)
		}
	}
	bad := newQueue()
	p, err := New(Options{}, unreadable{bad})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(context.Background()); !errors.Is(err, errDisk) {
		t.Errorf("Run on a queue that can't be read: %v", err)
	}
}

type unreadable struct{ *memQueue }

func (unreadable) Overdue(time.Time, int) ([]storage.PushJob, error) { return nil, errDisk }

// A delivery report that comes while its push is being sent, and can't be saved at once, is saved when it can, and is
// acknowledged only then.
func TestReportSaveFails(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(1)...), newNetwork()
	failures := 0
	q.saving = func(job *storage.PushJob) error {
		if job.State == storage.PushSending && len(job.Segments) > 0 && job.Segments[0].Reported && failures < 3 {
			failures++
			return errDisk
		}
		return nil
	}
	r := start(t, quick(), q, n, modemsim.Character{Report: func(int) modemsim.ReportWays {
		return modemsim.ReportWays{Early: true}
	}})
	q.awaitState(t, storage.PushDelivered)
	r.stop()
	if s := r.pool.Modems()[0]; failures != 3 || s.Reports != 3 || s.Unknown != 0 {
		t.Errorf("%d failures; %d reports of ours, %d of nobody; want 3, 3 and 0", failures, s.Reports, s.Unknown)
	}
	reported := 0
	for _, state := range q.saves[1] {
		if state == storage.PushSending {
			reported++
		}
	}
	if reported < 2 { // the claim, and what the failures had kept from it
		t.Errorf("saved as %v", q.saves[1])
	}
}
