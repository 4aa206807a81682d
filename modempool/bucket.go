package modempool

import (
	"math"
	"time"
)

// bucket is a debt that is paid at a steady rate. What is sent adds to it, and nothing begins until it is paid. So in
// any time there goes through it what the rate allows, and at most one push more.
type bucket struct {
	rate float64 // segments a minute; the last one where there is no limit any more
	owed float64 // segments, as of at
	at   time.Time
}

// settle pays what was due until now, at the rate that held, and takes a new rate. 0 is no limit: the debt that is
// there is paid as before, and counts if a limit comes back.
func (b *bucket) settle(rate float64, now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.owed, b.at = max(0, b.owed-b.rate*d.Minutes()), now
	}
	if rate > 0 {
		b.rate = rate
	}
}

// dust is a debt that only rounding has left, in segments.
const dust = 1e-6

// until is when the debt is paid: zero if it is.
func (b *bucket) until() time.Time {
	if b.owed < dust {
		return time.Time{}
	}
	wait := b.owed / b.rate * float64(time.Minute)
	return b.at.Add(time.Duration(math.Ceil(min(wait, float64(farAway)))))
}

// farAway bounds the wait for a rate near nothing.
const farAway = 365 * 24 * time.Hour
