package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// kills is what became of pushes whose gateway was killed again and again.
type kills struct {
	modems      int
	pushes      int
	kills       int
	took        time.Duration
	untold      int      // pushes lost, of which the gateway does not say that they have failed or are in doubt
	unexplained []string // phones that got something twice, and the gateway does not say so
	tally
}

// giveUp is how long no push may arrive until those that have not are lost.
const giveUp = time.Minute

// kills has a bank send the pushes of a campaign, kills the gateway at random times, one to four seconds after it took
// work, and starts it again, until every phone has got its push.
func (c *bootstrapCmd) kills() (res result, err error) {
	air := c.Air / 3
	f, err := c.newField("kills", fieldOptions{modems: c.last(), time: air, pushes: c.Pushes, campaign: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	k := &kills{modems: c.last(), pushes: c.Pushes}
	began := time.Now()
	doubt := max(20*air, time.Second)
	window := fmt.Sprintf("doubtWindow: %v", doubt)
	if err := f.send(window); err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(c.Seed, 0))
	last, grew := 0, time.Now() // how many have arrived, and since when
	for f.waitWhole(time.Second+time.Duration(r.Int64N(int64(3*time.Second)))) != nil && time.Since(grew) < giveUp {
		if now := f.air.arrived(); now > last {
			last, grew = now, time.Now()
		}
		f.kill()
		k.kills++
		if err := f.send(window); err != nil {
			return nil, err
		}
	}
	k.took = time.Since(began)
	// What is still in doubt is decided now, and may be sent once more.
	<-time.After(2*doubt + 10*segmentsEach*air)
	k.tally = f.air.tally(f.numbers)
	if k.untold, err = f.untold(k.lost); err != nil {
		return nil, err
	}
	if k.unexplained, err = f.unexplained(k.twice); err != nil {
		return nil, err
	}
	return k, f.stop()
}

// waitWhole waits until every phone has got its push, and fails after a time.
func (f *field) waitWhole(within time.Duration) error {
	return until(within, "every phone has got its push", func() bool { return f.air.arrived() == len(f.numbers) })
}

// untold counts those of the phones whose device does not know that its push may have been lost.
func (f *field) untold(phones []string) (n int, err error) {
	for _, number := range phones {
		d, err := f.up.device(number)
		if err != nil {
			return 0, err
		}
		if last := len(d.Pushes) - 1; last < 0 || d.Pushes[last].State != "doubtful" && d.Pushes[last].State != "failed" {
			n++
		}
	}
	return n, nil
}

// explanation is what a device's timeline or the record of its push says where SMS were sent again.
const explanation = "sent once more"

// unexplained are those of the phones whose device does not tell why its push was sent again.
func (f *field) unexplained(phones []string) ([]string, error) {
	var out []string
	for _, number := range phones {
		d, err := f.up.device(number)
		if err != nil {
			return nil, err
		}
		said := false
		for _, p := range d.Pushes {
			said = said || strings.Contains(p.Error, explanation)
		}
		for _, e := range d.Timeline {
			said = said || strings.Contains(e.Text, explanation)
		}
		if !said {
			out = append(out, number)
		}
	}
	return out, nil
}
