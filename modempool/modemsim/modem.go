package modemsim

import (
	"math/rand/v2"
	"sync"
	"time"
)

// modem is one simulated modem: what its ports have in common.
type modem struct {
	bank  *Bank
	i     int
	c     Character
	ports []*port

	plug sync.Mutex // one Replug at a time

	mu       sync.Mutex // guards what follows, and the line and the says of each port
	counts   Counts
	sim      *sim
	sims     int // SIMs it has had
	reports  []arrival
	incoming []arrival
	hang     func(*port)         // what Hang has asked for
	held     map[Point][]arrival // reports that wait for a point of a send
	usage    Usage
	doing    activity
	since    time.Time // it is doing that

	// work is held by the port that carries out a command: the rest belongs to it.
	work     sync.Mutex
	boots    int
	mr       uint8
	sends    int // AT+CMGS taken, over all boots
	reported int // status reports made
	polls    int // questions for registration since the start
	fun      int // AT+CFUN
	smsc     string
}

// arrival is what has come over the air: a TPDU, of a status report or of an SMS.
type arrival struct {
	report bool
	tpdu   []byte
}

// maxArrivals bounds the reports, and the SMS, that wait to be routed.
const maxArrivals = 4096

func newModem(b *Bank, i int) *modem {
	m := &modem{bank: b, i: i, c: b.options.Character(i), held: make(map[Point][]arrival), doing: gone}
	m.c.defaults()
	m.since, m.usage.Since = b.start, b.start
	m.insertSIM(m.c.Inbox)
	roles := m.c.Ports
	if len(roles) == 0 {
		roles = []Role{Answers}
	}
	for k, role := range roles {
		m.ports = append(m.ports, &port{
			modem:   m,
			role:    role,
			prodded: make(chan struct{}, 1),
			rng:     m.draw(noises, k),
		})
	}
	m.mr = uint8(m.ports[0].rng.Uint32())
	return m
}

// lines returns the lines of its ports, hung up or not.
func (m *modem) lines() []*line {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*line
	for _, p := range m.ports {
		if p.line != nil {
			out = append(out, p.line)
		}
	}
	return out
}

func (m *modem) count(fn func(*Counts)) {
	m.mu.Lock()
	fn(&m.counts)
	m.mu.Unlock()
}

// prod says that there is something to be said.
func (m *modem) prod() {
	for _, p := range m.ports {
		p.prod()
	}
}

// boot is the start of a modem. Each port starts when it next does something.
func (m *modem) boot() {
	m.boots++
	m.polls, m.fun = 0, 1
	m.smsc = "+491710760000"
	if m.c.NoSMSC {
		m.smsc = ""
	}
	m.mu.Lock()
	m.hang = nil
	m.sim.unlocked = m.sim.pin == ""
	m.mu.Unlock()
}

// arrive takes what comes over the air, times over. It is passed on when and as AT+CNMI says.
func (m *modem) arrive(a arrival, times int) {
	m.mu.Lock()
	q := &m.incoming
	if a.report {
		q = &m.reports
	}
	for range times {
		if len(*q) >= maxArrivals {
			m.counts.Dropped++
			continue
		}
		*q = append(*q, a)
	}
	m.mu.Unlock()
	m.prod()
}

// decision names what is left to chance. Each has a sequence of its own, so that one does not disturb the other.
type decision uint64

const (
	noises decision = iota
	airTimes
	errorsByRate
	reportDelays
	reportsByRate
)

// draw is the source of chance for the nth decision of a kind.
func (m *modem) draw(d decision, n int) *rand.Rand {
	return rand.New(rand.NewPCG(m.bank.options.Seed^uint64(d)<<56, uint64(m.i)<<40|uint64(n)))
}
