package modemsim

import (
	"math"
	"math/rand/v2"
	"time"
)

// Span is a distribution of durations: log-normal around Mean, or always Mean where Spread is 0, kept between Min and
// Max. The zero value is always 0.
type Span struct {
	Mean     time.Duration
	Spread   float64       // standard deviation of the logarithm: 0.3 is mild, 1 wild
	Min, Max time.Duration // no bound where 0
}

// draw takes one of the durations.
func (s Span) draw(r *rand.Rand) time.Duration {
	d := s.Mean
	if s.Spread > 0 {
		d = time.Duration(float64(d) * math.Exp(s.Spread*r.NormFloat64()-s.Spread*s.Spread/2))
	}
	if s.Max > 0 {
		d = min(d, s.Max)
	}
	return max(d, s.Min, 0)
}
