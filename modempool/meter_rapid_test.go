package modempool

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// took is a push that the meter let go.
type took struct {
	at       time.Time
	modem    string
	number   string
	prefix   string // that it was counted for
	segments int
	counted  bool // for the number
}

// epoch is a time in which the same limits hold.
type epoch struct {
	from   time.Time
	limits Limits
}

// history is what a meter let go since it was made, and under which limits.
type history struct {
	pushes []took
	epochs []epoch
}

// allowance is what a rate allows from one time to another: the sum over the epochs. ok is false where one of them has
// no limit.
func (h *history) allowance(rate func(*Limits) float64, from, to time.Time) (segments float64, ok bool) {
	for i := range h.epochs {
		begin, end := h.epochs[i].from, to
		if i+1 < len(h.epochs) {
			end = h.epochs[i+1].from
		}
		if begin.Before(from) {
			begin = from
		}
		if end.After(to) {
			end = to
		}
		if end.Before(begin) {
			continue
		}
		r := rate(&h.epochs[i].limits)
		if r == 0 {
			return 0, false
		}
		segments += r * end.Sub(begin).Minutes()
	}
	return segments, true
}

// check says which window holds more than the rate allows and one push.
func (h *history) check(t *rapid.T, what string, rate func(*Limits) float64, counts func(took) bool) {
	for i := range h.pushes {
		if !counts(h.pushes[i]) {
			continue
		}
		sum := 0
		for k := i; k < len(h.pushes); k++ {
			if !counts(h.pushes[k]) {
				continue
			}
			allowed, ok := h.allowance(rate, h.pushes[i].at, h.pushes[k].at)
			if !ok {
				break
			}
			// All but the last one are paid when it begins.
			if float64(sum) > allowed+1e-3 {
				t.Fatalf("%s: %d segments in %v before another push, %v allowed", what, sum,
					h.pushes[k].at.Sub(h.pushes[i].at), allowed)
			}
			sum += h.pushes[k].segments
		}
	}
}

// Under random times, changes and restarts no window holds more than its limit and what one push runs ahead; and what
// has to wait may go when it was told to.
func TestMeterKeepsEveryWindow(t *testing.T) {
	rates := rapid.SampledFrom([]float64{0, 0.5, 2, 6, 30, 600})
	counts := rapid.SampledFrom([]int{0, 1, 3, 10, 40})
	numbers := rapid.SampledFrom([]string{"+49171", "+49172", "+4930", "+331", "+332"})
	limits := rapid.Custom(func(t *rapid.T) Limits {
		l := Limits{
			Modem: rates.Draw(t, "modem"), Pool: rates.Draw(t, "pool"), SIMDay: counts.Draw(t, "sim_day"),
			DestinationHour: counts.Draw(t, "destination_hour"),
		}
		for _, prefix := range []string{"+4917", "+49", "+33"} {
			if rapid.Bool().Draw(t, prefix) {
				l.Destinations = append(l.Destinations, Destination{Prefix: prefix, Rate: rates.Draw(t, "rate")})
			}
		}
		if rapid.Bool().Draw(t, "quiet") {
			l.Quiet = Quiet{From: "22:00", To: "06:30", Zone: "Europe/Berlin"}
		}
		return l
	})
	rapid.Check(t, func(t *rapid.T) {
		store := newSettings()
		now := noon
		l := limits.Draw(t, "limits")
		m, err := newMeter(l, store)
		if err != nil {
			t.Fatal(err)
		}
		h := history{epochs: []epoch{{now, m.current()}}}
		type simDate struct{ sim, date string }
		day := make(map[simDate]int)     // over all restarts
		unsaved := make(map[simDate]int) // of day: taken since there is no limit, so that the store does not know
		restart := func(t *rapid.T) {
			if m, err = newMeter(m.current(), store); err != nil {
				t.Fatal(err)
			}
			for k, n := range unsaved {
				day[k] -= n
			}
			clear(unsaved)
			h = history{epochs: []epoch{{now, m.current()}}} // the SIMs' days alone outlive it
		}
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				modem := fmt.Sprint(rapid.IntRange(1, 3).Draw(t, "modem"))
				number, segments := numbers.Draw(t, "number"), rapid.IntRange(1, 4).Draw(t, "segments")
				hold := m.current()
				until, why := m.take(through{modem: modem}, number, segments, now)
				for tries := 0; !until.IsZero() && rapid.Bool().Draw(t, "wait for it"); tries++ {
					if !until.After(now) || tries > 4 {
						t.Fatalf("at %v: try %d: until %v: %s", now, tries, until, why)
					}
					now = until
					until, why = m.take(through{modem: modem}, number, segments, now)
				}
				if !until.IsZero() {
					return
				}
				today := simDate{modem, now.Format(time.DateOnly)}
				if limit := hold.SIMDay; limit > 0 && day[today] >= limit {
					t.Fatalf("SIM %s: %d segments on %s before another push, the limit is %d", modem, day[today], today.date, limit)
				}
				day[today] += segments
				if unsaved[today] += segments; hold.SIMDay > 0 {
					delete(unsaved, today)
				}
				if limit := hold.DestinationHour; limit > 0 {
					n := 0
					for _, p := range h.pushes {
						if p.number == number && p.counted && p.at.After(now.Add(-time.Hour)) {
							n++
						}
					}
					if n >= limit {
						t.Fatalf("%s: %d pushes within an hour before another one, the limit is %d", number, n, limit)
					}
				}
				if end := hold.Quiet.until("", now); !end.IsZero() {
					t.Fatalf("sent at %v, in quiet hours", now)
				}
				h.pushes = append(h.pushes, took{
					now, modem, number, hold.Destination(number).Prefix, segments, hold.DestinationHour > 0,
				})
			},
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(rapid.SampledFrom([]time.Duration{
					time.Second, time.Minute, time.Hour, 30 * time.Hour,
				}).Draw(t, "up to"))).Draw(t, "passes")))
			},
			"other limits": func(t *rapid.T) {
				if err := m.set(limits.Draw(t, "limits"), now); err != nil {
					t.Fatal(err)
				}
				h.epochs = append(h.epochs, epoch{now, m.current()})
			},
			"crash": restart,
			"end and start": func(t *rapid.T) {
				if err := m.close(); err != nil {
					t.Fatal(err)
				}
				restart(t)
			},
			"": func(t *rapid.T) {
				h.check(t, "pool", func(l *Limits) float64 { return l.Pool }, func(took) bool { return true })
				for modem := range 3 {
					name := fmt.Sprint(modem + 1)
					h.check(t, "modem "+name, func(l *Limits) float64 { return l.Modem },
						func(p took) bool { return p.modem == name })
				}
				for _, prefix := range []string{"+4917", "+49", "+33"} {
					h.check(t, prefix, func(l *Limits) float64 {
						for _, d := range l.Destinations {
							if d.Prefix == prefix {
								return d.Rate
							}
						}
						return 0
					}, func(p took) bool { return p.prefix == prefix })
				}
			},
		})
	})
}
