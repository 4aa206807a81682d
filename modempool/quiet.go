package modempool

import (
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // a machine without zone files knows them all the same
)

// Quiet is the part of the day in which nothing is sent, by the clocks at the destination. With From after To it
// goes over midnight. Both empty: none.
type Quiet struct {
	From string `json:"from" yaml:"from"` // "22:00"
	To   string `json:"to" yaml:"to"`     // "07:00": the first minute in which something may be sent
	Zone string `json:"zone" yaml:"zone"` // IANA name, of destinations without one; empty: those have no quiet hours
}

func (q *Quiet) check() error {
	if *q == (Quiet{}) {
		return nil
	}
	for _, f := range []struct{ name, clock string }{{"quiet.from", q.From}, {"quiet.to", q.To}} {
		if _, ok := minutes(f.clock); !ok {
			return &LimitError{f.name, fmt.Sprintf(`%.40q is no time of day such as "07:00"`, f.clock)}
		}
	}
	if q.From == q.To {
		return &LimitError{"quiet.to", "the same as quiet.from: nothing would ever be sent, or always"}
	}
	if q.Zone != "" {
		if _, err := zone(q.Zone); err != nil {
			return &LimitError{"quiet.zone", err.Error()}
		}
	}
	return nil
}

// minutes reads a time of day, "00:00" to "23:59", as minutes since midnight.
func minutes(clock string) (m int, ok bool) {
	if len(clock) != len("15:04") {
		return 0, false
	}
	t, err := time.Parse("15:04", clock)
	return 60*t.Hour() + t.Minute(), err == nil
}

// zones are those asked for so far. Only names that exist are kept, so there are never many.
var zones sync.Map // of string to *time.Location

func zone(name string) (*time.Location, error) {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location), nil
	}
	z, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf(`%.40q is no time zone such as "Europe/Berlin"`, name)
	}
	zones.Store(name, z)
	return z, nil
}

// until is when the quiet hours at a destination end that now falls into: the first instant at which the clocks there
// show no quiet time, also where they are put forward or back meanwhile. Zero where now is not in them.
func (q *Quiet) until(zoneName string, now time.Time) time.Time {
	if zoneName == "" {
		zoneName = q.Zone
	}
	from, okFrom := minutes(q.From)
	to, okTo := minutes(q.To)
	z, err := zone(zoneName)
	if !okFrom || !okTo || err != nil {
		return time.Time{}
	}
	t := now.In(z)
	for left(from, to, t) > 0 {
		end := t.Add(left(from, to, t))
		_, change := t.ZoneBounds() // the clocks jump there
		if change.IsZero() || end.Before(change) {
			return end.In(now.Location())
		}
		t = change
	}
	if t.Equal(now) {
		return time.Time{}
	}
	return t.In(now.Location())
}

// left is how long it is from t to the end of the quiet time that the clock at t shows, as if it were never put
// forward or back; 0 where it shows none.
func left(from, to int, t time.Time) time.Duration {
	const day = 24 * time.Hour
	clock := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute +
		time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
	length := (time.Duration(to-from)*time.Minute + day) % day
	since := (clock - time.Duration(from)*time.Minute + day) % day
	return max(0, length-since)
}
