package modemsim

import (
	"math/rand/v2"
	"time"
)

// Role is what a port of a modem is there for. USB modems have three or four ports, of which one or two answer AT.
type Role uint8

// Roles of a port.
const (
	Answers Role = iota // AT commands. What comes unasked goes to the one of them that has asked for it by AT+CNMI
	Mute                // takes everything and says nothing
	Diag                // answers everything with binary frames
)

// port is one tty of a modem. Its goroutine, live, is there while it is plugged in.
type port struct {
	modem *modem
	role  Role
	line  *line // the last one, hung up or not; guarded by modem.mu, and fixed for live
	says  []string

	prodded chan struct{} // reports, incoming or says have grown

	// What follows belongs to live, of which there is one at a time.
	rng *rand.Rand
	out []byte // said and not yet written
	state
}

// state is what a port forgets when its modem restarts.
type state struct {
	boots   int // the start of the modem that this is of
	echo    bool
	verbose bool // ATV1
	cmee    int
	reg     [3]int // AT+CREG, AT+CGREG and AT+CEREG
	cops    int    // format
	cscs    string
	csms    int
	text    bool      // AT+CMGF=1
	cnmi    [5]int    // mode, mt, bm, ds, bfr
	mem     [3]string // AT+CPMS
	cmms    int
	curc    bool // AT^CURC: ^RSSI and the like

	typed  []byte   // the command being typed
	owed   *arrival // what is not acknowledged; nil: nothing
	ackDue time.Time
}

// prod says that there is something to be said.
func (p *port) prod() {
	select {
	case p.prodded <- struct{}{}:
	default:
	}
}

// tell has the port say text when it has nothing else to say.
func (p *port) tell(text string) {
	p.modem.mu.Lock()
	p.says = append(p.says, text)
	p.modem.mu.Unlock()
	p.prod()
}

// start forgets what a restart makes a port forget, where there was one. work is held.
func (p *port) start() {
	m := p.modem
	if p.boots == m.boots {
		return
	}
	p.repeat()
	p.state = state{
		boots:   m.boots,
		echo:    !m.c.Silent,
		verbose: !m.c.Terse,
		text:    true,
		cscs:    "IRA",
		mem:     [3]string{"SM", "SM", "SM"},
		curc:    true,
	}
	if m.c.Greeting != "" {
		p.put(m.c.Greeting)
	}
}

// live is a port's life on one line.
func (p *port) live() {
	m := p.modem
	m.mu.Lock()
	l := p.line
	m.mu.Unlock()
	defer close(l.done)
	if p == m.ports[0] {
		defer m.enter(gone)
	}
	if p.role != Answers {
		p.idle(l)
		return
	}
	p.out = p.out[:0]
	p.typed = nil
	p.prod() // what came while it was unplugged
	for {
		var ack <-chan time.Time
		var timer *time.Timer
		if p.owed != nil {
			timer = time.NewTimer(time.Until(p.ackDue))
			ack = timer.C
		}
		select {
		case b, open := <-l.in:
			if !open {
				return
			}
			p.at(func() { p.take(b) })
		case <-p.prodded:
			p.at(p.speak)
		case <-ack:
			p.at(p.overdue)
		}
		p.flush()
		if timer != nil {
			timer.Stop()
		}
	}
}

// at does something while no other port of the modem does.
func (p *port) at(fn func()) {
	p.modem.work.Lock()
	defer p.modem.work.Unlock()
	p.start()
	p.modem.mu.Lock()
	hang := p.modem.hang
	p.modem.hang = nil
	p.modem.mu.Unlock()
	if hang != nil {
		hang(p)
		return
	}
	if p.owed != nil && !time.Now().Before(p.ackDue) {
		p.overdue()
	}
	fn()
}

// idle is the life of a port that takes no commands.
func (p *port) idle(l *line) {
	for range l.in {
		if p.role == Diag {
			frame := make([]byte, 40)
			for i := range frame {
				frame[i] = byte(p.rng.Uint32())
			}
			frame[0], frame[39] = 0x7e, 0x7e
			l.write(frame, 0, 0)
		}
	}
}

// overdue is when nobody has acknowledged: the network sends again, and nothing is routed any more (27.005, AT+CNMA).
func (p *port) overdue() {
	if p.owed == nil {
		return
	}
	p.repeat()
	p.cnmi[1], p.cnmi[3] = 0, 0
}

// repeat has what was not acknowledged sent again, as networks do.
func (p *port) repeat() {
	if p.owed == nil {
		return
	}
	m := p.modem
	m.mu.Lock()
	q := &m.incoming
	if p.owed.report {
		q = &m.reports
	}
	*q = append([]arrival{*p.owed}, *q...)
	m.mu.Unlock()
	p.owed = nil
}

// wait lets d pass; it is false if the line has hung up. What comes unasked goes out meanwhile, what is typed waits.
func (p *port) wait(d time.Duration) bool {
	p.flush()
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case <-p.line.closed:
			return false
		case <-p.prodded:
			p.speak()
			p.flush()
		}
	}
}

// deaf drops what is typed for d, or for ever. The other ports hang as well.
func (p *port) deaf(d time.Duration) {
	p.flush()
	var timer <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	for {
		select {
		case <-timer:
			p.typed = nil
			return
		case _, open := <-p.line.in:
			if !open {
				return
			}
		}
	}
}

// leave takes the modem off its lines from inside.
func (p *port) leave() {
	p.flush()
	go p.modem.bank.Unplug(p.modem.i)
	<-p.line.closed
}
