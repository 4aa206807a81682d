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
	a := newAir(1)
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
	if len(got.lost) != 2 || got.pushes != 1 || got.segments != 5 || got.everything != 16 ||
		!slices.Equal(got.twice, []string{"+3", "+4"}) {
		t.Errorf("%+v", got)
	}
	if a.arrived() != 3 {
		t.Errorf("%d have arrived", a.arrived())
	}
}

// A modem that sent all the time counts by the SMS between its first one and its last; one that did not by all it sent.
func TestRate(t *testing.T) {
	at := func(seconds float64) time.Time { return time.Unix(0, int64(seconds*1e9)) }
	a := newAir(2)
	for _, s := range []float64{1, 2.5, 4.5, 5.5, 6.5, 9} {
		a.taken[0] = append(a.taken[0], at(s))
	}
	a.taken[1] = []time.Time{at(2.5), at(3), at(4)}
	for modem, want := range []float64{3 / (6.5 - 2.5), 3 / 6.0} {
		if got := a.rate(modem, at(2), at(8), time.Second); got != want {
			t.Errorf("modem %d: %v SMS a second, want %v", modem, got, want)
		}
	}
}
