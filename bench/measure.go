package main

import (
	"math"
	"runtime"
	"slices"
	"time"
)

// subject is something whose cost is measured.
type subject struct {
	name string // "wbxml.read"
	op   func() // does it once

	bytes, allocs float64   // of one op
	runs          []float64 // nanoseconds an op takes, one figure for each run

	guess float64   // nanoseconds of an op, to know how many make a turn
	turns []float64 // of the run that goes on
}

// turns is in how many pieces the time of a run is cut. Subjects take turns, so that what else the machine does hits
// all of them alike.
const turns = 20

// measure adds a run of about the time each to every subject. A run's figure is the median of its turns.
func measure(subjects []*subject, each time.Duration) {
	for range turns {
		for _, s := range subjects {
			s.turn(each / turns)
		}
	}
	for _, s := range subjects {
		s.runs = append(s.runs, median(s.turns))
		s.turns = s.turns[:0]
	}
}

// warm runs s until its buffers have grown and its cost is known roughly.
func (s *subject) warm() {
	for n := 1; ; n *= 2 {
		took := timed(s.op, n)
		s.guess = max(1, float64(took)/float64(n))
		if n >= 4 && took > time.Millisecond {
			return
		}
	}
}

func (s *subject) turn(long time.Duration) {
	n := max(1, int(float64(long)/s.guess))
	s.guess = max(1, float64(timed(s.op, n))/float64(n))
	s.turns = append(s.turns, s.guess)
}

func timed(op func(), n int) time.Duration {
	start := time.Now()
	for range n {
		op()
	}
	return time.Since(start)
}

// weigh counts what an op allocates: the least of a few tries, in whole numbers, as now and then the runtime allocates
// something of its own.
func (s *subject) weigh() {
	n := uint64(max(5, min(100, 20e6/s.guess)))
	s.bytes, s.allocs = math.Inf(1), math.Inf(1)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		timed(s.op, int(n))
		runtime.ReadMemStats(&after)
		s.bytes = min(s.bytes, float64((after.TotalAlloc-before.TotalAlloc)/n))
		s.allocs = min(s.allocs, float64((after.Mallocs-before.Mallocs)/n))
	}
}

// ns is the median of the runs.
func (s *subject) ns() float64 { return median(s.runs) }

// spread is how far the runs lie apart, from the fastest to the slowest, in percent of the median.
func (s *subject) spread() float64 {
	return 100 * (slices.Max(s.runs) - slices.Min(s.runs)) / s.ns()
}

// over is how many times longer s takes than base: the median of the ratios, each within one run.
func (s *subject) over(base *subject) float64 {
	ratios := make([]float64, len(s.runs))
	for i := range ratios {
		ratios[i] = s.runs[i] / base.runs[i]
	}
	return median(ratios)
}

func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
