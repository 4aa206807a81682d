package main

import (
	"slices"
	"testing"
	"time"

	"dmgate/codec/push"
)

// segments are a push for a number as SMS, under a reference.
func segments(t *testing.T, to string, ref uint8) []*push.Submit {
	t.Helper()
	uds, err := push.Split(slices.Repeat([]byte{7}, 300), push.Ports{Dst: push.PortPush, Src: push.PortWSP}, ref)
	if err != nil {
		t.Fatal(err)
	}
	var out []*push.Submit
	for _, ud := range uds {
		out = append(out, &push.Submit{Destination: to, UD: ud, HasUDH: true})
	}
	if len(out) != 3 {
		t.Fatalf("%d segments", len(out))
	}
	return out
}

// What phones got is counted by what it carries, whatever the reference under which it came.
func TestTally(t *testing.T) {
	a := newAir(1, 0, 1)
	send := func(all []*push.Submit, which ...int) {
		for _, i := range which {
			a.Submit(0, all[i])
		}
	}
	send(segments(t, "+1", 1), 0, 1, 2)
	send(segments(t, "+2", 1), 0, 1)
	send(segments(t, "+3", 1), 0, 1) // broken off, and sent anew
	send(segments(t, "+3", 2), 0, 1, 2)
	send(segments(t, "+4", 1), 0, 1, 2) // twice
	send(segments(t, "+4", 2), 2, 1, 0)

	got := a.tally([]string{"+1", "+2", "+3", "+4", "+5"})
	if got.lost != 2 || got.pushes != 1 || got.segments != 5 || got.everything != 16 ||
		!slices.Equal(got.twice, []string{"+3", "+4"}) {
		t.Errorf("%+v", got)
	}
	if a.arrived() != 3 {
		t.Errorf("%d have arrived", a.arrived())
	}
}

// A flight counts by the part of it that lies within the span.
func TestWithin(t *testing.T) {
	at := func(seconds float64) time.Time { return time.Unix(0, int64(seconds*1e9)) }
	a := newAir(1, 0, 1)
	a.modems[0] = flights{{at(0), at(1)}, {at(1.5), at(3.5)}, {at(4), at(5)}, {at(6), at(8)}, {at(9), at(10)}}
	if seconds, count := a.within(0, at(2), at(7)); seconds != 1.5+1+1 || count != 0.75+1+0.5 {
		t.Errorf("%v s, %v SMS", seconds, count)
	}
}

// The same seed gives the same times, which differ from each other within the spread, and stand for the average.
func TestAirTimes(t *testing.T) {
	times := func(seed uint64) (out []time.Duration) {
		a := newAir(2, 10*time.Microsecond, seed)
		s := segments(t, "+1", 1)[0]
		for i := range 200 {
			a.Submit(i%2, s)
		}
		for _, m := range a.modems {
			for _, f := range m {
				out = append(out, f.end.Sub(f.begin))
			}
		}
		return out
	}
	first := times(1)
	if !slices.Equal(first, times(1)) || slices.Equal(first, times(2)) {
		t.Error("the times do not follow the seed")
	}
	var sum time.Duration
	for _, d := range first {
		sum += d
	}
	if slices.Min(first) < 7*time.Microsecond || slices.Max(first) > 13*time.Microsecond || sum < 1900*time.Microsecond ||
		sum > 2100*time.Microsecond {
		t.Errorf("from %v to %v, in sum %v", slices.Min(first), slices.Max(first), sum)
	}
}
