package main

import (
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"dmgate/codec/push"
	"dmgate/modempool/modemsim"
)

// air is the network that modems send into. It says for how long each SMS is on the air and when its delivery report
// follows, and writes down what came from whom, and what each phone has got. The same seed gives the same times.
type air struct {
	time    time.Duration // that an SMS is on the air, on average
	reports time.Duration // until a delivery report, at most; evenly from nothing on
	seed    uint64

	mu     sync.Mutex
	modems []flights
	phones map[string]*phone
	whole  int // phones that have got a push
}

// spread is by how much the time of an SMS on the air differs from the average, at most; evenly.
const spread = 0.3

// flights are the SMS that one modem has sent, in their order.
type flights []flight

// flight is one SMS on the air.
type flight struct{ begin, end time.Time }

// phone is what one number has got.
type phone struct {
	box      push.Reassembler
	whole    int            // times a push was complete
	segments map[uint64]int // times each segment came, by what it carries
}

func newAir(modems int, mean time.Duration, seed uint64) *air {
	return &air{
		time: mean, reports: 2 * mean, seed: seed,
		modems: make([]flights, modems), phones: make(map[string]*phone),
	}
}

// least is the time that every SMS is on the air. Modems take it before Submit: reports go out meanwhile.
func (a *air) least() time.Duration { return time.Duration(float64(a.time) * (1 - spread)) }

// Submit implements modemsim.Network.
func (a *air) Submit(modem int, s *push.Submit) modemsim.Fate {
	begin := time.Now().Add(-a.least())
	a.mu.Lock()
	r := rand.New(rand.NewPCG(a.seed, uint64(modem)<<32|uint64(len(a.modems[modem]))))
	more := time.Duration(2 * spread * r.Float64() * float64(a.time))
	a.modems[modem] = append(a.modems[modem], flight{begin, begin.Add(a.least() + more)})
	a.mu.Unlock()

	<-time.After(more)
	a.mu.Lock()
	a.arrive(s)
	a.mu.Unlock()
	return modemsim.Fate{Report: true, After: time.Duration(r.Float64() * float64(a.reports))}
}

var segmentSeed = maphash.MakeSeed()

// arrive is an SMS that has reached its phone.
func (a *air) arrive(s *push.Submit) {
	p := a.phones[s.Destination]
	if p == nil {
		p = &phone{segments: make(map[uint64]int)}
		a.phones[s.Destination] = p
	}
	if h, body, err := push.ReadUDH(s.UD); err == nil {
		p.segments[maphash.Bytes(segmentSeed, append(slices.Clone(body), h.Seq))]++
	}
	if _, _, done, err := p.box.Add("", s.UD); err == nil && done {
		if p.whole++; p.whole == 1 {
			a.whole++
		}
	}
}

// arrived is the number of phones that have got a push.
func (a *air) arrived() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.whole
}

// sending is the number of modems that have had something on the air.
func (a *air) sending() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, f := range a.modems {
		if len(f) > 0 {
			n++
		}
	}
	return n
}

// lastOf is when the last SMS of a modem has come or is to come; zero where there was none.
func (a *air) lastOf(modem int) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.modems[modem]
	if len(f) == 0 {
		return time.Time{}
	}
	return f[len(f)-1].end
}

// tally is what reached the phones, of those that were to get one push each.
type tally struct {
	lost       int      // phones that got none
	twice      []string // phones that got it more than once, in whole or in part
	pushes     int      // complete, beyond the first of each phone
	segments   int      // beyond the first of each kind
	everything int      // segments
}

func (a *air) tally(numbers []string) tally {
	a.mu.Lock()
	defer a.mu.Unlock()
	var t tally
	for _, number := range numbers {
		p := a.phones[number]
		if p == nil || p.whole == 0 {
			t.lost++
		}
		if p == nil {
			continue
		}
		more := 0
		for _, n := range p.segments {
			t.everything += n
			more += n - 1
		}
		if more > 0 {
			t.twice = append(t.twice, number)
		}
		t.segments += more
		t.pushes += max(0, p.whole-1)
	}
	return t
}

// within is how much a modem sent in a span of time: the seconds that it was on the air, and a number of SMS, of which
// one that lies in it by half counts half.
func (a *air) within(modem int, from, to time.Time) (seconds, count float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.modems[modem] {
		begin, end := f.begin, f.end
		if begin.Before(from) {
			begin = from
		}
		if end.After(to) {
			end = to
		}
		if in := end.Sub(begin).Seconds(); in > 0 {
			seconds += in
			count += in / f.end.Sub(f.begin).Seconds()
		}
	}
	return seconds, count
}
