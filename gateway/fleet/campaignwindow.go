package fleet

import (
	"fmt"
	"slices"
	"time"

	"dmgate/storage"
)

var days = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // as time.Weekday counts

// checkWindow says what is wrong with a window, empty for a sound one.
func checkWindow(w *storage.Window) string {
	for _, d := range w.Days {
		if !slices.Contains(days, d) {
			return fmt.Sprintf("%.20q is no day: want mon to sun", d)
		}
	}
	from, ok := clockTime(w.From)
	if !ok {
		return fmt.Sprintf("from %.20q is no time of the day: want 00:00 to 23:59", w.From)
	}
	to, ok := clockTime(w.To)
	if !ok && w.To != "24:00" {
		return fmt.Sprintf("to %.20q is no time of the day: want 00:00 to 24:00", w.To)
	}
	if from == to {
		return fmt.Sprintf("is empty: from %s to %s", w.From, w.To)
	}
	if _, err := time.LoadLocation(w.Zone); err != nil {
		return fmt.Sprintf("zone %.40q is not known", w.Zone)
	}
	return ""
}

// clockTime is the time of the day that "15:04" says, in minutes.
func clockTime(s string) (minutes int, ok bool) {
	if s == "24:00" {
		return 24 * 60, false
	}
	t, err := time.Parse("15:04", s)
	return t.Hour()*60 + t.Minute(), err == nil
}

// closedUntil says whether no window is open for a destination at a time, and when the next one opens. zone is the
// destination's, empty where it is not known; it counts for windows that name none. Without windows it is always open.
//
// A window stands on the wall clock: on a day on which the clock is put forward over its beginning it opens then.
func closedUntil(windows []storage.Window, zone string, now time.Time) (next time.Time, closed bool) {
	if len(windows) == 0 {
		return time.Time{}, false
	}
	for i := range windows {
		w := &windows[i]
		at := now.In(location(w, zone))
		from, _ := clockTime(w.From)
		to, _ := clockTime(w.To)
		if to <= from {
			to += 24 * 60
		}
		for day := -1; day <= 7; day++ { // one that began yesterday may be open still
			midnight := time.Date(at.Year(), at.Month(), at.Day()+day, 0, 0, 0, 0, at.Location())
			if len(w.Days) > 0 && !slices.Contains(w.Days, days[midnight.Weekday()]) {
				continue
			}
			y, m, d := midnight.Date()
			opens := time.Date(y, m, d, 0, from, 0, 0, at.Location())
			closes := time.Date(y, m, d, 0, to, 0, 0, at.Location())
			if !now.Before(opens) && now.Before(closes) {
				return time.Time{}, false
			}
			if opens.After(now) {
				if next.IsZero() || opens.Before(next) {
					next = opens
				}
				break
			}
		}
	}
	return next.UTC(), true
}

// location is the place by whose clock a window stands.
func location(w *storage.Window, zone string) *time.Location {
	if w.Zone != "" {
		zone = w.Zone
	}
	l, err := time.LoadLocation(zone) // "" is UTC
	if err != nil {
		return time.UTC
	}
	return l
}

// byDestination says whether it depends on the destination whether a window is open.
func byDestination(windows []storage.Window) bool {
	return slices.ContainsFunc(windows, func(w storage.Window) bool { return w.Zone == "" })
}
