package modempool

import (
	"fmt"
	"math"
	"regexp"
	"slices"
)

// Limits says how fast pushes may go, when and which way. The zero value of each field is no limit. A push is never
// cut: it begins while there is room, may run ahead with its later segments, and what follows waits until that is paid.
type Limits struct {
	Modem           float64       `json:"modem" yaml:"modem"`                      // segments a minute through one modem
	Pool            float64       `json:"pool" yaml:"pool"`                        // segments a minute through all of them
	SIMDay          int           `json:"sim_day" yaml:"simDay"`                   // segments a day (UTC) through one SIM
	DestinationHour int           `json:"destination_hour" yaml:"destinationHour"` // pushes within any hour to one number
	Quiet           Quiet         `json:"quiet" yaml:"quiet"`
	Destinations    []Destination `json:"destinations" yaml:"destinations"` // the longest prefix counts

	index map[string]int // Destinations by prefix, made by Check
}

// Destination is what holds for the numbers with a prefix.
type Destination struct {
	Prefix   string   `json:"prefix" yaml:"prefix"`                         // "+49171": what E.164 numbers begin with
	Operator string   `json:"operator,omitempty" yaml:"operator,omitempty"` // its name
	Zone     string   `json:"zone,omitempty" yaml:"zone,omitempty"`         // IANA name, for Quiet
	Rate     float64  `json:"rate,omitempty" yaml:"rate,omitempty"`         // segments a minute to all of its numbers
	Modems   []string `json:"modems,omitempty" yaml:"modems,omitempty"`     // tags: only modems with one; empty: any
}

// ModemLimits are a modem's own, in place of those in Limits. Zero: as Limits says.
type ModemLimits struct {
	Rate   float64 // segments a minute
	SIMDay int     // segments a day (UTC)
}

// LimitError is a limit that can not be.
type LimitError struct {
	Field  string // as JSON names it: "destinations[2].zone"
	Reason string
}

func (e *LimitError) Error() string { return e.Field + ": " + e.Reason }

var prefixForm = regexp.MustCompile(`^\+[1-9][0-9]{0,14}$`)

// Check says what can not be, by a *LimitError, and makes l ready for Destination.
func (l *Limits) Check() error {
	for _, f := range []struct {
		name string
		rate float64
	}{{"modem", l.Modem}, {"pool", l.Pool}} {
		if !rateOK(f.rate) {
			return &LimitError{f.name, fmt.Sprintf(badRate, f.rate)}
		}
	}
	for _, f := range []struct {
		name  string
		count int
	}{{"sim_day", l.SIMDay}, {"destination_hour", l.DestinationHour}} {
		if f.count < 0 {
			return &LimitError{f.name, fmt.Sprintf("%d, want 0 for no limit, or more", f.count)}
		}
	}
	if err := l.Quiet.check(); err != nil {
		return err
	}
	l.index = make(map[string]int, len(l.Destinations))
	for i := range l.Destinations {
		d := &l.Destinations[i]
		if field, reason := d.check(); reason != "" {
			return &LimitError{fmt.Sprintf("destinations[%d].%s", i, field), reason}
		}
		if at, ok := l.index[d.Prefix]; ok {
			return &LimitError{
				fmt.Sprintf("destinations[%d].prefix", i), fmt.Sprintf("%s is that of destinations[%d] as well", d.Prefix, at),
			}
		}
		l.index[d.Prefix] = i
	}
	return nil
}

const badRate = "%v, want 0 for no limit, or more"

func rateOK(rate float64) bool { return rate >= 0 && !math.IsInf(rate, 1) }

// check names the field that can not be; reason is empty where all can.
func (d *Destination) check() (field, reason string) {
	switch {
	case !prefixForm.MatchString(d.Prefix):
		return "prefix", fmt.Sprintf(`%.40q is no prefix of E.164 numbers ("+", then 1 to 15 digits)`, d.Prefix)
	case !rateOK(d.Rate):
		return "rate", fmt.Sprintf(badRate, d.Rate)
	case len(d.Operator) > maxWord:
		return "operator", fmt.Sprintf("%d characters, want at most %d", len(d.Operator), maxWord)
	}
	if d.Zone != "" {
		if _, err := zone(d.Zone); err != nil {
			return "zone", err.Error()
		}
	}
	for i, tag := range d.Modems {
		if err := CheckTag(tag); err != nil {
			return fmt.Sprintf("modems[%d]", i), err.Error()
		}
	}
	return "", ""
}

const maxWord = 64 // characters of an operator or tag

var tagForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]*$`)

// CheckTag says why tag can not be one of a modem.
func CheckTag(tag string) error {
	if len(tag) > maxWord || !tagForm.MatchString(tag) {
		return fmt.Errorf("%.40q is no tag (1 to %d letters, digits, dots, dashes and underscores)", tag, maxWord)
	}
	return nil
}

// Check says what can not be, by a *LimitError with the field as JSON names it: "rate" or "sim_day".
func (m *ModemLimits) Check() error {
	switch {
	case !rateOK(m.Rate):
		return &LimitError{"rate", fmt.Sprintf("%v, want 0 for that of all modems, or more", m.Rate)}
	case m.SIMDay < 0:
		return &LimitError{"sim_day", fmt.Sprintf("%d, want 0 for that of all modems, or more", m.SIMDay)}
	}
	return nil
}

// Destination is the one with the longest prefix that number begins with; the zero value where there is none. l must
// have been checked since its Destinations were changed.
func (l *Limits) Destination(number string) Destination {
	for n := min(len(number), len("+")+15); n > 0 && len(l.index) > 0; n-- {
		if i, ok := l.index[number[:n]]; ok {
			return l.Destinations[i]
		}
	}
	return Destination{}
}

// allows says whether pushes to d may go through a modem with these tags.
func (d *Destination) allows(tags []string) bool {
	return len(d.Modems) == 0 || slices.ContainsFunc(d.Modems, func(t string) bool { return slices.Contains(tags, t) })
}
