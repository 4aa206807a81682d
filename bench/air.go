package main

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"dmgate/codec/push"
	"dmgate/modempool/modemsim"
)

// air is the network that modems send into: it writes down what came from whom, and what each phone has got.
type air struct {
	mu     sync.Mutex
	taken  [][]time.Time // when an SMS was taken, by modem, in their order
	phones map[string]*phone
	whole  int // phones that have got a push
}

// phone is what one number has got.
type phone struct {
	box      push.Reassembler
	whole    int            // times a push was complete
	segments map[uint64]int // times each segment came, by what it carries
}

func newAir(modems int) *air {
	return &air{taken: make([][]time.Time, modems), phones: make(map[string]*phone)}
}

var segmentSeed = maphash.MakeSeed()

// Submit implements modemsim.Network.
func (a *air) Submit(modem int, s *push.Submit) modemsim.Fate {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.taken[modem] = append(a.taken[modem], time.Now())
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
	return modemsim.Fate{Report: true}
}

// arrived is the number of phones that have got a push.
func (a *air) arrived() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.whole
}

// sending is the number of modems that something was taken from.
func (a *air) sending() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, times := range a.taken {
		if len(times) > 0 {
			n++
		}
	}
	return n
}

// lastOf is when the last SMS of a modem was taken; zero where none was.
func (a *air) lastOf(modem int) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.taken[modem]); n > 0 {
		return a.taken[modem][n-1]
	}
	return time.Time{}
}

// rate is how many SMS a second were taken from a modem between two times. Where it sent all of that time, which a gap
// of more than three times what one SMS takes says it did not, the ends are left out, so that a few SMS give no coarse
// figure.
func (a *air) rate(modem int, from, to time.Time, each time.Duration) float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	var in []time.Time
	for _, t := range a.taken[modem] {
		if !t.Before(from) && !t.After(to) {
			in = append(in, t)
		}
	}
	n := len(in)
	if n >= 2 && in[0].Sub(from) < 3*each && to.Sub(in[n-1]) < 3*each {
		return float64(n-1) / in[n-1].Sub(in[0]).Seconds()
	}
	return float64(n) / to.Sub(from).Seconds()
}

// tally is what reached the phones, of those that were to get one push each.
type tally struct {
	lost       []string // phones that got none
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
			t.lost = append(t.lost, number)
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
