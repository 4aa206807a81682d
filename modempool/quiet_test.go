package modempool

import (
	"testing"
	"time"
)

func TestQuiet(t *testing.T) {
	night := Quiet{From: "22:00", To: "07:00"}
	for _, c := range []struct {
		name  string
		quiet Quiet
		zone  string
		now   string // RFC 3339
		want  string // when it ends; empty where it is not quiet
	}{
		{"none", Quiet{}, "Europe/Berlin", "2026-11-25T23:00:00Z", ""},
		{"no zone known", night, "", "2026-11-25T23:00:00Z", ""},
		{"zone of those without one", Quiet{"22:00", "07:00", "UTC"}, "", "2026-11-25T23:00:00Z", "2026-11-26T07:00:00Z"},
		{"its own zone first", Quiet{"22:00", "07:00", "UTC"}, "Asia/Tokyo", "2026-11-25T23:00:00Z", ""},
		{"evening", night, "Europe/Berlin", "2026-11-25T21:30:00Z", "2026-11-26T06:00:00Z"},
		{"first instant", night, "Europe/Berlin", "2026-11-25T21:00:00Z", "2026-11-26T06:00:00Z"},
		{"just before", night, "Europe/Berlin", "2026-11-25T20:59:59.999999999Z", ""},
		{"morning", night, "Europe/Berlin", "2026-11-26T05:59:59.999999999Z", "2026-11-26T06:00:00Z"},
		{"over", night, "Europe/Berlin", "2026-11-26T06:00:00Z", ""},
		{"half an hour zone", night, "Asia/Kolkata", "2026-11-25T17:00:00Z", "2026-11-26T01:30:00Z"},
		{"within a day", Quiet{"12:00", "13:30", ""}, "UTC", "2026-11-25T12:00:01Z", "2026-11-25T13:30:00Z"},
		{"before it", Quiet{"12:00", "13:30", ""}, "UTC", "2026-11-25T11:59:59Z", ""},
		// Europe put its clocks forward on 2026-03-29 at 01:00 UTC, and back on 2026-10-25 at 01:00 UTC.
		{"a short night", night, "Europe/Berlin", "2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z"},
		{"a long night", night, "Europe/Berlin", "2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z"},
		{"an end that the clocks skip", Quiet{"22:00", "02:30", ""}, "Europe/Berlin", "2026-03-29T00:00:00Z",
			"2026-03-29T01:00:00Z"},
		{"all of it skipped", Quiet{"02:00", "03:00", ""}, "Europe/Berlin", "2026-03-29T01:00:00Z", ""},
		{"an end shown twice: the first", Quiet{"22:00", "02:30", ""}, "Europe/Berlin", "2026-10-24T23:00:00Z",
			"2026-10-25T00:30:00Z"},
		{"and what is quiet again", Quiet{"22:00", "02:30", ""}, "Europe/Berlin", "2026-10-25T01:10:00Z",
			"2026-10-25T01:30:00Z"},
		{"an end where they are put back", Quiet{"22:00", "03:00", ""}, "Europe/Berlin", "2026-10-25T00:10:00Z",
			"2026-10-25T02:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339Nano, c.now)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if end := c.quiet.until(c.zone, now); !end.IsZero() {
			got = end.Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%s: until %q, want %q", c.name, got, c.want)
		}
	}
}

// Minute for minute, through the days on which the clocks jump: it is quiet where the clock on the wall shows it, and
// the end is the first minute that is not.
func TestQuietByTheClockOnTheWall(t *testing.T) {
	for _, zoneName := range []string{"Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"} {
		z, err := zone(zoneName)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []Quiet{
			{From: "22:00", To: "07:00"}, {From: "23:30", To: "02:15"}, {From: "00:00", To: "00:01"},
			{From: "02:00", To: "03:00"}, {From: "01:45", To: "01:30"},
		} {
			from, _ := minutes(q.From)
			to, _ := minutes(q.To)
			shown := func(now time.Time) bool {
				wall := now.In(z)
				m := 60*wall.Hour() + wall.Minute()
				if from < to {
					return m >= from && m < to
				}
				return m >= from || m < to
			}
			for _, day := range []string{"2026-03-08", "2026-03-29", "2026-04-04", "2026-10-03", "2026-10-24", "2026-11-01"} {
				begin, err := time.Parse(time.DateOnly, day)
				if err != nil {
					t.Fatal(err)
				}
				var end time.Time // of the quiet minutes seen last, going back
				for at := begin.Add(60 * time.Hour); !at.Before(begin); at = at.Add(-time.Minute) {
					if !shown(at) {
						end = at
					}
					want := end
					if end.Equal(at) {
						want = time.Time{}
					} else if end.IsZero() {
						continue // its end is beyond what we look at
					}
					if got := q.until(zoneName, at); !got.Equal(want) {
						t.Fatalf("%s, %s to %s, at %v: until %v, want %v", zoneName, q.From, q.To, at, got, want)
					}
				}
			}
		}
	}
}
