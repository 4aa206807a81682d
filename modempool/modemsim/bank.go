// Package modemsim is a bank of simulated GSM modems behind real ptys, for tests, the demo and bench.
//
// A modem answers AT commands as section 7.2 of the fact sheet has them, keeps the state behind them (echo, PIN,
// registration, report routing), takes SMS-SUBMITs in PDU mode, and sends delivery reports as +CDS. Its Character
// says what it does badly: the habits and faults are those seen in real modems, and daemons that met them.
//
// What a modem accepts it hands to a Network, once and whole, so that lost and repeated SMS can be counted. The same
// seed gives the same modems; what depends on time depends on the machine.
package modemsim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"dmgate/codec/push"
)

// Options says what bank is wanted. Zero values stand for the defaults.
type Options struct {
	Modems  int           // 1
	AirTime time.Duration // for one SMS to be taken by the network; none. Real ones take 1 to 6 s
	Seed    uint64
	Network Network       // nil: takes everything and reports it delivered at once
	Ack     time.Duration // for AT+CNMA, after which reports are no longer routed; 15 s

	// Character says how modem i behaves; nil: well, with mild variety.
	Character func(i int) Character
}

// Network takes what modems send over the air. It must be safe for concurrent use. A modem is on the air until
// Submit returns.
type Network interface {
	Submit(modem int, s *push.Submit) Fate
}

// Fate is what the network makes of an SMS.
type Fate struct {
	CMS    int           // code of a +CMS ERROR; 0: taken
	Report bool          // a status report follows, where the SMS asks for one
	Status uint8         // TP-Status of it
	After  time.Duration // when
}

// Counts is what a modem has seen.
type Counts struct {
	Commands   int // AT commands
	Accepted   int // SMS handed to the network and taken
	Refused    int // SMS that ended with an error
	Reports    int // +CDS sent
	Acks       int // +CDS acknowledged
	Dropped    int // reports that nobody asked for in time
	PINs       int // PINs entered, right or wrong
	Violations int // bytes written between AT+CMGS and its prompt, and PDUs with something else in them
	Misdialled int // PDUs typed into a modem in text mode
}

// Bank is a number of modems. Its methods may be called at any time by any goroutine.
type Bank struct {
	options Options
	dir     string
	modems  []*modem
	lives   sync.WaitGroup
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
	if o.Character == nil {
		o.Character = variety
	}
	dir, err := os.MkdirTemp("", "modemsim-")
	if err != nil {
		return nil, err
	}
	b := &Bank{options: o, dir: dir}
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

type obliging struct{}

func (obliging) Submit(int, *push.Submit) Fate { return Fate{Report: true} }

// Paths returns the port of each modem. As those in /dev/serial/by-id they stay the same when a modem is plugged in
// again and gets another pty.
func (b *Bank) Paths() []string {
	out := make([]string, len(b.modems))
	for i := range out {
		out[i] = b.path(i)
	}
	return out
}

func (b *Bank) path(i int) string { return filepath.Join(b.dir, fmt.Sprintf("modem%d", i)) }

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

// Unplug pulls modem i: its port hangs up and goes. What is on the air may or may not have been sent.
func (b *Bank) Unplug(i int) {
	m := b.modems[i]
	m.mu.Lock()
	l := m.line
	m.mu.Unlock()
	if l != nil {
		l.once.Do(func() {
			_ = os.Remove(b.path(i))
			l.hangUp()
		})
		<-l.done
	}
}

// Replug plugs modem i in, freshly started, under a new pty. Reports that came in between are sent when asked for.
func (b *Bank) Replug(i int) error {
	m := b.modems[i]
	m.plug.Lock()
	defer m.plug.Unlock()
	m.mu.Lock()
	last := m.line
	m.mu.Unlock()
	if last != nil {
		select {
		case <-last.closed:
			<-last.done // it may have gone by itself and not be quite through with it
		default:
			return fmt.Errorf("modemsim: modem %d is plugged in", i)
		}
	}
	l, err := newLine()
	if err != nil {
		return err
	}
	if err := os.Symlink(l.slave.Name(), b.path(i)); err != nil {
		l.hangUp()
		return err
	}
	m.mu.Lock()
	m.line = l
	m.mu.Unlock()
	b.lives.Go(func() { m.live(l) })
	return nil
}

// Say has modem i put out text as it is, when it next has nothing else to say. It is for what no Character does.
func (b *Bank) Say(i int, text string) {
	m := b.modems[i]
	m.mu.Lock()
	m.says = append(m.says, text)
	m.mu.Unlock()
	m.prod()
}

// Close unplugs all modems.
func (b *Bank) Close() error {
	var wg sync.WaitGroup
	for i := range b.modems {
		wg.Go(func() { b.Unplug(i) })
	}
	wg.Wait()
	b.lives.Wait() // also of those that went by themselves
	return os.RemoveAll(b.dir)
}
