// Package modemsim is a bank of simulated GSM modems behind real ptys, for tests, the demo and bench.
//
// A modem answers AT commands as section 7.2 of the fact sheet has them and keeps the state behind them: echo, PIN,
// registration, the memories of its SIM, what is routed to whom. It takes SMS-SUBMITs in PDU mode, sends delivery
// reports as +CDS or +CDSI, and lets SMS come in. Its Character says what it does badly: the habits and faults are
// those seen in real modems, and daemons that met them.
//
// What a modem accepts it hands to a Network, once and whole, and enters into a Ledger, so that lost and repeated SMS
// can be counted. The same seed gives the same modems, and each the same decisions in the same order; what depends on
// time depends on the machine.
package modemsim

import (
	"errors"
	"os"
	"sync"
	"time"
)

// Options says what bank is wanted. Zero values stand for the defaults.
type Options struct {
	Modems  int           // 1
	AirTime time.Duration // for one SMS to be taken by the network; none. Real ones take 1 to 6 s
	Day     time.Duration // for limits of a SIM; 24 h
	Seed    uint64
	Network Network       // nil: takes everything and reports it delivered at once
	Ledger  *Ledger       // of what was accepted; nil: none is kept
	Ack     time.Duration // for AT+CNMA, after which nothing more is routed; 15 s

	// Character says how modem i behaves; nil: well, with mild variety.
	Character func(i int) Character
}

// Counts is what a modem has seen.
type Counts struct {
	Commands   int // AT commands
	Accepted   int // SMS handed to the network and taken
	Refused    int // SMS that ended with an error
	Reports    int // status reports that were passed on: +CDS and +CDSI
	Received   int // SMS that were passed on or stored: +CMT, +CMTI, or silently
	Acks       int // +CDS and +CMT acknowledged
	Dropped    int // reports and SMS that nobody asked for in time
	PINs       int // PINs entered, right or wrong
	Reboots    int // by AT+CFUN=1,1
	Violations int // bytes written between AT+CMGS and its prompt, and PDUs with something else in them
	Misdialled int // PDUs typed into a modem in text mode
}

// Bank is a number of modems. Its methods may be called at any time by any goroutine.
type Bank struct {
	options Options
	dir     string
	start   time.Time
	modems  []*modem
	minors  minors
	lives   sync.WaitGroup

	closing sync.RWMutex // guards closed, and holds Close up while a modem comes back by itself
	closed  bool
}

// Start plugs in a bank.
func Start(o Options) (*Bank, error) {
	if o.Modems <= 0 {
		o.Modems = 1
	}
	if o.Network == nil {
		o.Network = obliging{}
	}
	if o.Ack <= 0 {
		o.Ack = 15 * time.Second
	}
	if o.Day <= 0 {
		o.Day = 24 * time.Hour
	}
	if o.Character == nil {
		o.Character = variety
	}
	dir, err := os.MkdirTemp("", "modemsim-")
	if err != nil {
		return nil, err
	}
	b := &Bank{options: o, dir: dir, start: time.Now()}
	for i := range o.Modems {
		b.modems = append(b.modems, newModem(b, i))
	}
	for i := range b.modems {
		if err := b.Replug(i); err != nil {
			return nil, errors.Join(err, b.Close())
		}
	}
	return b, nil
}

// Counts returns what each modem has seen.
func (b *Bank) Counts() []Counts {
	out := make([]Counts, len(b.modems))
	for i, m := range b.modems {
		m.mu.Lock()
		out[i] = m.counts
		m.mu.Unlock()
	}
	return out
}

// Say has the first port of modem i put out text as it is, when it next has nothing else to say. It is for what no
// Character does.
func (b *Bank) Say(i int, text string) { b.modems[i].ports[0].tell(text) }

// Hang makes modem i deaf and dumb for d, or where d is 0 until it is unplugged. A send that is on the air is finished.
func (b *Bank) Hang(i int, d time.Duration) {
	m := b.modems[i]
	m.mu.Lock()
	m.hang = func(p *port) { p.deaf(d) }
	m.mu.Unlock()
	m.ports[0].prod()
}

// Close unplugs all modems.
func (b *Bank) Close() error {
	b.closing.Lock()
	b.closed = true
	b.closing.Unlock()
	var wg sync.WaitGroup
	for i := range b.modems {
		wg.Go(func() { b.Unplug(i) })
	}
	wg.Wait()
	b.lives.Wait() // also of those that went by themselves
	return os.RemoveAll(b.dir)
}
