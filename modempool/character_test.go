package modempool

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/codec/push"
	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// What a modem does, and what must come of three pushes of three segments sent through it. In every case but those
// that say otherwise each push arrives once and is told delivered.
func TestCharacters(t *testing.T) {
	t.Parallel()
	once := func(send int, f modemsim.Fault) func(int) modemsim.Fault {
		return modemsim.At(map[int]modemsim.Fault{send: f})
	}
	always := func(w modemsim.ReportWays) func(int) modemsim.ReportWays {
		return func(int) modemsim.ReportWays { return w }
	}
	type expectation struct {
		accepted int  // segments; 9 where none is sent twice
		twice    bool // a push may arrive twice: nobody can know
		state    storage.PushState
	}
	fine := expectation{accepted: 9}
	tests := []struct {
		does string
		c    modemsim.Character
		o    func(*Options)
		want expectation
	}{
		// Manners.
		{"nothing unusual", modemsim.Character{}, nil, fine},
		{"starts with echo off", modemsim.Character{Silent: true}, nil, fine},
		{"echoes whatever ATE0 says", modemsim.Character{StubbornEcho: true}, nil, fine},
		{"starts with digits for results", modemsim.Character{Terse: true}, nil, fine},
		{"prompts with > alone", modemsim.Character{Prompt: ">"}, nil, fine},
		{"prompts on a line of its own", modemsim.Character{Prompt: "\r\n>\r\n"}, nil, fine},
		{"prompts behind the echo, without a line end", modemsim.Character{Prompt: "> ", NoLead: true}, nil, fine},
		{"says OK before it prompts", modemsim.Character{OKFirst: true}, nil, fine},
		{"answers +CMGS:12", modemsim.Character{Reference: "+CMGS:%d"}, nil, fine},
		{"answers +CMGS with a time", modemsim.Character{Reference: `+CMGS: %d,"26/01/01,10:00:00+04"`}, nil, fine},
		{"ends lines with CR", modemsim.Character{LineEnd: "\r"}, nil, fine},
		{"ends lines with LF", modemsim.Character{LineEnd: "\n"}, nil, fine},
		{"puts no line end before answers", modemsim.Character{NoLead: true}, nil, fine},
		{"writes byte by byte", modemsim.Character{Chunk: 1, Gap: 10 * time.Microsecond}, nil, fine},
		{"writes in threes", modemsim.Character{Chunk: 3}, nil, fine},
		{"takes its time", modemsim.Character{Delay: 5 * time.Millisecond}, nil, fine},
		{"speaks unasked at every point", modemsim.Character{Noise: 1}, nil, fine},
		{"speaks unasked, byte by byte, CR only", modemsim.Character{Noise: 0.5, Chunk: 1, LineEnd: "\r"}, nil, fine},
		{"has a noisy line", modemsim.Character{Garbage: 1}, nil, fine},
		{"says long lines of junk", modemsim.Character{Noise: 1, Lines: []string{strings.Repeat("junk", 2000)}}, nil, fine},
		{"says what looks like a header", modemsim.Character{Noise: 1, Lines: []string{"+CDS: 26", "+CMT: x"}}, nil, fine},
		{"knows little", modemsim.Character{Refuses: []string{
			"AT+CNMI=1", "AT+CMMS", "AT+CSQ", "AT+CREG", "AT+CSCA"}}, nil, fine},
		{"is of phase 2: no AT+CNMA", modemsim.Character{Refuses: []string{"AT+CSMS"}}, nil, fine},
		{"can't route reports", modemsim.Character{Refuses: []string{"AT+CNMI"}}, nil,
			expectation{accepted: 9, state: storage.PushSent}},
		{"finds its network late", modemsim.Character{RegisterAfter: 7}, nil, fine},
		{"wants its PIN", modemsim.Character{PIN: "4711"}, func(o *Options) { o.Ports = []Port{{PIN: "4711"}} }, fine},

		// Faults in one send. Two segments are sent again where the third of a push fails.
		{"error in place of the prompt", modemsim.Character{Fault: once(0, modemsim.Fault{
			Kind: modemsim.ErrorForPrompt, CMS: 500})}, nil, fine},
		{"bare ERROR in place of the prompt", modemsim.Character{Fault: once(3, modemsim.Fault{
			Kind: modemsim.ErrorForPrompt})}, nil, fine},
		{"error in the middle of a push", modemsim.Character{Fault: once(1, modemsim.Fault{
			Kind: modemsim.RefusePDU, CMS: 42})}, nil, expectation{accepted: 10}},
		{"error on the last segment", modemsim.Character{Fault: once(2, modemsim.Fault{
			Kind: modemsim.RefusePDU, CMS: 38})}, nil, expectation{accepted: 11}},
		{"no prompt", modemsim.Character{Fault: once(0, modemsim.Fault{Kind: modemsim.NoPrompt})},
			func(o *Options) { o.PromptTimeout = 200 * time.Millisecond }, fine},
		{"deaf for a while at AT+CMGS", modemsim.Character{Fault: once(0, modemsim.Fault{
			Kind: modemsim.HangBefore, For: 700 * time.Millisecond})}, impatient, fine},
		{"restarts unnoticed, in text mode", modemsim.Character{Fault: once(3, modemsim.Fault{
			Kind: modemsim.RebootBefore})}, nil, fine},

		// The answer just after the time-out is that of its own send.
		{"answers the last segment late", modemsim.Character{Fault: once(2, modemsim.Fault{
			Kind: modemsim.LateAnswer, For: 600 * time.Millisecond})}, impatient, fine},
		{"answers a middle segment late", modemsim.Character{Fault: once(1, modemsim.Fault{
			Kind: modemsim.LateAnswer, For: 600 * time.Millisecond})}, impatient, fine},
		{"refuses late", modemsim.Character{Fault: once(2, modemsim.Fault{
			Kind: modemsim.LateRefusal, CMS: 42, For: 600 * time.Millisecond})}, impatient,
			expectation{accepted: 11}},
		{"answers AT before the send it is busy with", modemsim.Character{Fault: once(2, modemsim.Fault{
			Kind: modemsim.EagerLate, For: 550 * time.Millisecond})}, impatient, fine},

		// In doubt: the report tells, or the push goes out once more.
		{"sends the last segment, answers nothing, reports", modemsim.Character{Fault: once(2, modemsim.Fault{
			Kind: modemsim.NoAnswer})}, impatient, fine},
		{"sends the last segment and hangs for a while", modemsim.Character{Fault: once(2, modemsim.Fault{
			Kind: modemsim.HangAfter, For: 700 * time.Millisecond})}, impatient, fine},
		{"loses the last segment", modemsim.Character{Fault: once(2, modemsim.Fault{
			Kind: modemsim.LosePDU})}, doubting, expectation{accepted: 11}},
		{"loses the first segment", modemsim.Character{Fault: once(0, modemsim.Fault{
			Kind: modemsim.LosePDU})}, impatient, expectation{accepted: 9}},
		{"sends a middle segment, answers nothing", modemsim.Character{Fault: once(1, modemsim.Fault{
			Kind: modemsim.NoAnswer})}, impatient, expectation{accepted: 11}},

		// Reports.
		{"reports before it answers", modemsim.Character{Report: always(modemsim.ReportWays{Early: true})}, nil, fine},
		{"reports twice", modemsim.Character{Report: always(modemsim.ReportWays{Twice: true})}, nil, fine},
		{"reports late", modemsim.Character{Report: always(modemsim.ReportWays{Late: 100 * time.Millisecond})}, nil, fine},
		{"reports under a wrong reference", modemsim.Character{Report: always(modemsim.ReportWays{WrongReference: true})},
			nil, expectation{accepted: 9, state: storage.PushSent}},
		{"loses reports", modemsim.Character{Report: always(modemsim.ReportWays{Lost: true})}, nil,
			expectation{accepted: 9, state: storage.PushSent}},
		{"loses the last segment's answer and its report", modemsim.Character{
			Fault:  once(2, modemsim.Fault{Kind: modemsim.NoAnswer}),
			Report: func(n int) modemsim.ReportWays { return modemsim.ReportWays{Lost: n == 2} },
		}, doubting, expectation{accepted: 12, twice: true}},
	}
	for _, test := range tests {
		t.Run(test.does, func(t *testing.T) {
			t.Parallel()
			o := quick()
			if test.o != nil {
				test.o(&o)
			}
			q, n := newQueue(pushes(3)...), newNetwork()
			r := start(t, o, q, n, test.c)
			state := test.want.state
			if state == "" {
				state = storage.PushDelivered
			}
			q.awaitState(t, state)
			r.stop()
			c := r.bank.Counts()[0]
			if c.Accepted != test.want.accepted {
				t.Errorf("%d segments accepted, want %d", c.Accepted, test.want.accepted)
			}
			if c.Violations > 0 || c.Misdialled > 0 {
				t.Errorf("written where nothing must be: %+v", c)
			}
			if !test.want.twice {
				n.arrived(t, q)
			}
			if t.Failed() {
				t.Logf("%+v", c)
				for _, e := range r.pool.Modems()[0].Ring {
					t.Logf("%s %q", e.Sent, e.Lines)
				}
			}
		})
	}
}

// impatient has time-outs that a modem's fault can exceed in a test.
func impatient(o *Options) {
	o.CommandTimeout = 500 * time.Millisecond
	o.PromptTimeout = 500 * time.Millisecond
	o.SendTimeout = 500 * time.Millisecond
}

// doubting has a window that is over before a report comes.
func doubting(o *Options) {
	impatient(o)
	o.DoubtWindow = 50 * time.Millisecond
}

// Every modem of the bank has some fault every now and then. Nothing is lost, and twice comes only what was in doubt.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	faults := []modemsim.Fault{
		{Kind: modemsim.ErrorForPrompt, CMS: 500},
		{Kind: modemsim.ErrorForPrompt},
		{Kind: modemsim.RefusePDU, CMS: 42},
		{Kind: modemsim.RefusePDU, CMS: 330},
		{Kind: modemsim.LateAnswer, For: 600 * time.Millisecond},
		{Kind: modemsim.RebootBefore},
	}
	prompts := []string{"\r\n> ", ">", "\r\n>\r\n"}
	q, n := newQueue(pushes(40)...), newNetwork()
	o := quick()
	impatient(&o)
	o.Attempts = 100
	r := startBank(t, o, q, n, modemsim.Options{
		Modems: 6,
		Character: func(i int) modemsim.Character {
			return modemsim.Character{
				Prompt: prompts[i%3],
				Chunk:  i % 4,
				Noise:  0.3,
				Fault:  modemsim.Rarely(uint64(i), 0.08, faults...),
				Report: func(n int) modemsim.ReportWays {
					return modemsim.ReportWays{Twice: n%7 == 0, Early: n%5 == 0}
				},
			}
		},
	})
	q.awaitState(t, storage.PushDelivered)
	r.stop()
	n.arrived(t, q)
	for i, c := range r.bank.Counts() {
		if c.Violations+c.Misdialled > 0 {
			t.Errorf("modem %d: %+v", i, c)
		}
	}
}

// Each class of error does to the push and to the modem what it says.
func TestErrorClasses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		does     string
		codes    []int // of the first sends; after that all is well
		attempts int   // allowed; 5
		want     storage.PushState
		counted  int
		reopened bool
		reason   string
	}{
		{"congestion, then fine", []int{42}, 5, storage.PushDelivered, 2, false, ""},
		{"network out of order, then fine", []int{38, 38}, 5, storage.PushDelivered, 3, false, ""},
		{"unknown subscriber", []int{30}, 5, storage.PushFailed, 1, false, "unknown subscriber"},
		{"invalid address", []int{195}, 5, storage.PushFailed, 1, false, "195"},
		{"congestion for ever", []int{42, 42, 42}, 3, storage.PushFailed, 3, false, "attempt 3"},
		{"unlisted code", []int{777}, 5, storage.PushDelivered, 2, false, ""},
		{"SMSC unknown: the modem's fault", []int{330}, 5, storage.PushDelivered, 1, true, ""},
		{"SIM failure, over and over", []int{313, 313, 313, 313, 313}, 5, storage.PushDelivered, 3, true, ""},
	}
	for _, test := range tests {
		t.Run(test.does, func(t *testing.T) {
			t.Parallel()
			o := quick()
			o.Attempts = test.attempts
			q, n := newQueue(pushes(1)...), newNetwork()
			q.size = 50
			n.fate = func(k, _ int, _ *push.Submit) modemsim.Fate {
				if k < len(test.codes) {
					return modemsim.Fate{CMS: test.codes[k]}
				}
				return modemsim.Fate{Report: true}
			}
			r := start(t, o, q, n)
			q.awaitState(t, test.want)
			r.stop()
			job := q.get(1)
			if job.Attempts != test.counted || !strings.Contains(job.Error, test.reason) {
				t.Errorf("attempts %d, error %q", job.Attempts, job.Error)
			}
			if s := r.pool.Modems()[0]; (s.Reopened > 0) != test.reopened {
				t.Errorf("reopened %d times", s.Reopened)
			}
		})
	}
}

// What the network finds out later fails the push in the words of the network.
func TestUndelivered(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(1)...), newNetwork()
	n.fate = func(k, _ int, _ *push.Submit) modemsim.Fate {
		return modemsim.Fate{Report: true, Status: []uint8{0x00, 0x46, 0x20}[k]}
	}
	start(t, quick(), q, n)
	q.awaitState(t, storage.PushFailed)
	if job := q.get(1); !strings.Contains(job.Error, "segment 2 of 3") || !strings.Contains(job.Error, "expired") {
		t.Errorf("error %q", job.Error)
	}
	if got := q.saves[1]; slices.Contains(got, storage.PushDelivered) {
		t.Errorf("saved as %v", got)
	}
}
