package modempool

import (
	"sync"
	"time"
)

// State says what a modem is doing.
type State string

// States of a modem.
const (
	Opening      State = "opening"        // its port is being opened
	Starting     State = "starting"       // bring-up
	Searching    State = "searching"      // waits for the network
	Ready        State = "ready"          // waits for work
	Sending      State = "sending"        // sends a push
	Resting      State = "resting"        // keeps to its rate
	OutOfService State = "out of service" // see Reason; tried again at Until
	Stopped      State = "stopped"        // the pool has ended
	Drained      State = "drained"        // takes no pushes, see Pool.Drain
)

// Status is one modem as it stands.
type Status struct {
	ID       string // what PushJob.Modem says: its IMEI, or Name where it has told none
	Name     string // of its port
	Port     string
	Identity Identity
	Operator string // the network that serves it: a name, or a number; empty where it does not tell
	Tags     []string
	Limits   ModemLimits // its own
	State    State
	Since    time.Time
	Reason   string    // of OutOfService and Resting
	Until    time.Time // of OutOfService: the next try; of Resting: when its limit has room; zero elsewhere
	Draining bool      // it takes no more pushes
	Trial    bool      // after a fault, until a push has gone through

	Counters
	PerMinute   int // segments sent within the last minute
	Signal      int // 0 to 31 (-113 to -51 dBm); 99 unknown
	LastError   string
	LastErrorAt time.Time

	Ring []Exchange // the last AT exchanges, oldest first, PINs and PDUs masked
}

// Counters count from the start of the pool, whatever port the modem is behind.
type Counters struct {
	Sent     uint64 // segments the network took
	Failed   uint64 // segments it, or the modem, did not
	Doubtful uint64 // segments whose fate the modem did not tell
	Pushes   uint64 // pushes sent whole
	Reports  uint64 // delivery reports that belonged to a push of ours
	Unknown  uint64 // delivery reports that did not: too late, repeated, or not ours
	Inbound  uint64 // incoming SMS
	Reopened uint64 // times the port was opened anew
}

// board is where a worker shows its status. No lock of it is held for longer than a copy.
type board struct {
	mu   sync.Mutex
	s    Status
	pace pace
}

// set notes a new state.
func (b *board) set(state State, reason string, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.s.State != state || b.s.Reason != reason {
		b.s.State, b.s.Reason, b.s.Since = state, reason, time.Now()
	}
	b.s.Until = until
}

// note changes the status by fn.
func (b *board) note(fn func(s *Status)) {
	b.mu.Lock()
	fn(&b.s)
	b.mu.Unlock()
}

// failed notes an error.
func (b *board) failed(err error) {
	b.note(func(s *Status) { s.LastError, s.LastErrorAt = err.Error(), time.Now() })
}

// accepted counts a segment the network took.
func (b *board) accepted() {
	b.mu.Lock()
	b.s.Sent++
	b.pace.add(time.Now())
	b.mu.Unlock()
}

func (b *board) status() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.s
	s.PerMinute = b.pace.lastMinute(time.Now())
	return s
}

// pace counts events in the last minute, to the second.
type pace struct {
	counts [60]int
	second int64 // Unix time of the newest count
}

func (p *pace) advance(now time.Time) {
	second := now.Unix()
	for s := max(p.second+1, second-59); s <= second; s++ {
		p.counts[s%60] = 0
	}
	p.second = max(p.second, second)
}

func (p *pace) add(now time.Time) {
	p.advance(now)
	p.counts[p.second%60]++
}

func (p *pace) lastMinute(now time.Time) int {
	p.advance(now)
	n := 0
	for _, c := range p.counts {
		n += c
	}
	return n
}
