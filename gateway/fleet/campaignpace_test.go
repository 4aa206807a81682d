package fleet

import (
	"math"
	"testing"
	"time"

	"dmgate/storage"
)

func TestRateGrows(t *testing.T) {
	for _, c := range []struct {
		how  storage.Pacing
		ran  time.Duration
		want float64
	}{
		{storage.Pacing{}, time.Hour, math.Inf(1)},
		{storage.Pacing{Rate: 100}, 5 * time.Hour, 100},
		{storage.Pacing{Rate: 100, Growth: 1}, 5 * time.Hour, 100},
		{storage.Pacing{Rate: 100, Growth: 2}, 0, 100},
		{storage.Pacing{Rate: 100, Growth: 2}, 3 * time.Hour, 800},
		{storage.Pacing{Rate: 100, Growth: 2, RateMax: 500}, 3 * time.Hour, 500},
		{storage.Pacing{Rate: 100, Growth: 2}, 2000 * time.Hour, math.Inf(1)},
		{storage.Pacing{Rate: 100, Growth: 0.5}, 2 * time.Hour, 25},
	} {
		if got := rateAfter(&c.how, c.ran); got != c.want {
			t.Errorf("%+v after %v: %g, want %g", c.how, c.ran, got, c.want)
		}
	}
}

// A bucket gives its rate over time, whatever the steps, and makes up for no more than a minute.
func TestBucket(t *testing.T) {
	for _, c := range []struct {
		rate  float64
		step  time.Duration
		steps int
		want  int
	}{
		{60, time.Second, 600, 11}, // one at once, then one a minute
		{60, 7 * time.Second, 120, 14 + 1},
		{3600, time.Second, 60, 61},
		{3600, 24 * time.Hour, 1, 1 + 60},
		{1, time.Minute, 300, 1 + 5},
	} {
		var b bucket
		now, got := epoch, 0
		for range c.steps + 1 {
			n := b.fill(c.rate, now)
			b.take(n)
			got += n
			now = now.Add(c.step)
		}
		if got != c.want {
			t.Errorf("%g an hour in %d steps of %v: %d, want %d", c.rate, c.steps, c.step, got, c.want)
		}
	}
	var b bucket
	b.fill(60, epoch)
	b.take(1)
	if next := b.next(60); !next.Equal(epoch.Add(time.Minute)) {
		t.Errorf("the next one at %v, want it in a minute", next)
	}
}

func TestPaceOfTheLastMinutes(t *testing.T) {
	p := pace{since: epoch}
	for minute := range 30 {
		p.count(epoch.Add(time.Duration(minute)*time.Minute), 6, 3)
	}
	begun, ended := p.perMinute(epoch.Add(29 * time.Minute))
	if begun != 6 || ended != 3 {
		t.Errorf("%g begun and %g ended a minute, want 6 and 3", begun, ended)
	}
	if begun, _ := p.perMinute(epoch.Add(time.Hour)); begun != 0 {
		t.Errorf("%g begun a minute half an hour later", begun)
	}
	p = pace{since: epoch}
	p.count(epoch.Add(time.Minute), 8, 0)
	if begun, _ := p.perMinute(epoch.Add(2 * time.Minute)); begun != 4 {
		t.Errorf("%g begun a minute in the first two, want 4", begun)
	}
}
