package modemsim

import (
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// modem is one simulated modem. Its goroutine, live, is there while it is plugged in.
type modem struct {
	bank *Bank
	i    int
	c    Character

	plug    sync.Mutex // one Replug at a time
	mu      sync.Mutex
	line    *line // the last one, hung up or not
	counts  Counts
	reports []string // headers and PDUs of +CDS to be sent
	says    []string

	prodded chan struct{} // reports or says have grown

	// What follows belongs to live, of which there is one at a time.
	rng      *rand.Rand
	mr       uint8
	sends    int // AT+CMGS taken, over all lives
	reported int // status reports made
	tries    int // PINs left
	state
}

// state is what a modem forgets when it restarts.
type state struct {
	echo     bool
	verbose  bool // ATV1
	cmee     int
	unlocked bool
	polls    int // questions for registration
	csms     int
	text     bool // AT+CMGF=1
	route    bool // AT+CNMI=...,1,...: status reports as +CDS
	cmms     int

	typed  []byte // the command being typed
	owed   string // the report that is not acknowledged; empty: none
	ackDue time.Time
}

func newModem(b *Bank, i int) *modem {
	m := &modem{bank: b, i: i, c: b.options.Character(i), prodded: make(chan struct{}, 1)}
	m.c.defaults()
	m.rng = rand.New(rand.NewPCG(b.options.Seed, uint64(i)))
	m.mr = uint8(m.rng.Uint32())
	m.tries = m.c.PINTries
	return m
}

func (m *modem) count(fn func(*Counts)) {
	m.mu.Lock()
	fn(&m.counts)
	m.mu.Unlock()
}

// prod says that there is something to be said.
func (m *modem) prod() {
	select {
	case m.prodded <- struct{}{}:
	default:
	}
}

// repeat has the report that was not acknowledged sent again, as networks do.
func (m *modem) repeat() {
	if m.owed == "" {
		return
	}
	m.mu.Lock()
	m.reports = append([]string{m.owed}, m.reports...)
	m.mu.Unlock()
	m.owed = ""
}

// boot is the start of a modem.
func (m *modem) boot() {
	m.repeat()
	m.state = state{echo: !m.c.Silent, verbose: !m.c.Terse, text: true, unlocked: m.c.PIN == ""}
}

// live is a modem's life on one line.
func (m *modem) live(l *line) {
	defer close(l.done)
	m.boot()
	m.prod() // what came while it was unplugged
	for {
		var ack <-chan time.Time
		var timer *time.Timer
		if m.owed != "" && !time.Now().Before(m.ackDue) {
			// Nobody acknowledges: reports are no longer routed (27.005, AT+CNMA).
			m.repeat()
			m.route = false
		}
		if m.owed != "" {
			timer = time.NewTimer(time.Until(m.ackDue))
			ack = timer.C
		}
		select {
		case b, ok := <-l.in:
			if !ok {
				return
			}
			m.take(l, b)
		case <-m.prodded:
			m.speak(l)
		case <-ack:
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

// wait lets d pass. Reports go out meanwhile, and what is typed waits.
func (m *modem) wait(l *line, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case <-l.closed:
			return false
		case <-m.prodded:
			m.speak(l)
		}
	}
}

// deaf drops what is typed for d, or for ever.
func (m *modem) deaf(l *line, d time.Duration) {
	var timer <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	for {
		select {
		case <-timer:
			m.typed = nil
			return
		case _, ok := <-l.in:
			if !ok {
				return
			}
		}
	}
}

// gone takes the modem off its line from inside.
func (m *modem) gone(l *line) {
	go m.bank.Unplug(m.i)
	<-l.closed
}

// say puts out lines, each an answer of its own.
func (m *modem) say(l *line, lines ...string) {
	for _, text := range lines {
		if !m.c.NoLead {
			text = m.c.LineEnd + text
		}
		m.put(l, text+m.c.LineEnd)
	}
}

func (m *modem) put(l *line, text string) { l.write(text, m.c.Chunk, m.c.Gap) }

// result puts out a final result code, in words or, after ATV0, as a digit.
func (m *modem) result(l *line, text string) {
	if !m.verbose {
		switch text {
		case "OK":
			m.put(l, "0\r")
			return
		case "ERROR":
			m.put(l, "4\r")
			return
		}
	}
	m.say(l, text)
}

// noise is a point where an unsolicited line may come.
func (m *modem) noise(l *line) {
	if m.c.Garbage > 0 && m.rng.Float64() < m.c.Garbage {
		b := make([]byte, 1+m.rng.IntN(200))
		for i := range b {
			b[i] = byte(m.rng.Uint32()) | 0x80
		}
		m.put(l, string(b))
	}
	if m.c.Noise > 0 && m.rng.Float64() < m.c.Noise {
		m.say(l, m.c.Lines[m.rng.IntN(len(m.c.Lines))])
	}
	m.speak(l)
}

// speak puts out what waits to be said: one report if none is unacknowledged, and what Say has left.
func (m *modem) speak(l *line) {
	for {
		m.mu.Lock()
		var text, report string
		switch {
		case len(m.says) > 0:
			text, m.says = m.says[0], m.says[1:]
		case len(m.reports) > 0 && m.route && m.owed == "":
			report, m.reports = m.reports[0], m.reports[1:]
			m.counts.Reports++
		}
		m.mu.Unlock()
		switch {
		case text != "":
			m.put(l, text)
		case report != "":
			header, pdu, _ := strings.Cut(report, "\n")
			m.say(l, header)
			m.put(l, pdu+m.c.LineEnd)
			if m.csms > 0 {
				m.owed, m.ackDue = report, time.Now().Add(m.bank.options.Ack)
			}
		default:
			return
		}
	}
}
