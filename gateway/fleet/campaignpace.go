package fleet

import (
	"math"
	"time"

	"dmgate/storage"
)

// rateAfter is how many targets an hour may be begun when a campaign has been running for so long; infinite where there
// is no limit.
func rateAfter(p *storage.Pacing, ran time.Duration) float64 {
	rate := p.Rate
	if rate == 0 {
		return math.Inf(1)
	}
	if p.Growth > 0 {
		rate *= math.Pow(p.Growth, ran.Hours())
	}
	if p.RateMax > 0 {
		rate = min(rate, p.RateMax)
	}
	return rate
}

// bucket holds what a campaign may begin at once: never more than a minute's worth or two targets, so that a campaign that
// was idle does not make up for it. The zero bucket holds one target.
type bucket struct {
	level float64
	at    time.Time
}

// fill brings the bucket up to now at a rate of targets an hour, and says how many may be begun.
func (b *bucket) fill(rate float64, now time.Time) int {
	if math.IsInf(rate, 1) {
		*b = bucket{at: now}
		return math.MaxInt
	}
	if b.at.IsZero() {
		b.level = 1
	} else {
		b.level += rate * now.Sub(b.at).Hours()
	}
	b.level = max(0, min(b.level, max(2, rate/60)))
	b.at = now
	return int(b.level + 1e-9)
}

// take counts targets that were begun.
func (b *bucket) take(n int) { b.level = max(0, b.level-float64(n)) }

// next is when the bucket will hold a whole target.
func (b *bucket) next(rate float64) time.Time {
	if rate <= 0 {
		return time.Time{}
	}
	return b.at.Add(time.Duration((1 - b.level) / rate * float64(time.Hour)))
}

// paceMinutes is how many minutes a pace is seen over.
const paceMinutes = 10

// pace counts what has happened in the last minutes.
type pace struct {
	since   time.Time
	minutes [paceMinutes]struct{ of, begun, ended int64 }
}

func (p *pace) count(now time.Time, begun, ended int) {
	of := now.Unix() / 60
	m := &p.minutes[of%paceMinutes]
	if m.of != of {
		m.of, m.begun, m.ended = of, 0, 0
	}
	m.begun += int64(begun)
	m.ended += int64(ended)
}

// perMinute is how many targets were begun and how many ended a minute, over the minutes seen.
func (p *pace) perMinute(now time.Time) (begun, ended float64) {
	of := now.Unix() / 60
	for i := range p.minutes {
		if m := &p.minutes[i]; m.of > of-paceMinutes {
			begun += float64(m.begun)
			ended += float64(m.ended)
		}
	}
	over := min(max(1, now.Sub(p.since).Minutes()), paceMinutes)
	return begun / over, ended / over
}
