package fleet

import (
	"testing"
	"time"

	"dmgate/storage"
)

func TestWindows(t *testing.T) {
	office := storage.Window{Days: []string{"mon", "tue"}, From: "08:00", To: "20:00", Zone: "Europe/Berlin"}
	night := storage.Window{From: "22:00", To: "06:00"}
	friday := storage.Window{Days: []string{"fri"}, From: "22:00", To: "06:00"}
	whole := storage.Window{Days: []string{"sat"}, From: "00:00", To: "24:00"}
	early := storage.Window{From: "02:30", To: "04:00", Zone: "Europe/Berlin"}
	for _, c := range []struct {
		name    string
		windows []storage.Window
		zone    string
		now     string
		next    string // empty where a window is open
	}{
		{"none", nil, "", "2026-01-05T00:00:00Z", ""},
		{"before it", []storage.Window{office}, "", "2026-01-05T06:59:59Z", "2026-01-05T07:00:00Z"},
		{"as it opens", []storage.Window{office}, "", "2026-01-05T07:00:00Z", ""},
		{"at its last moment", []storage.Window{office}, "", "2026-01-05T18:59:59Z", ""},
		{"as it closes", []storage.Window{office}, "", "2026-01-05T19:00:00Z", "2026-01-06T07:00:00Z"},
		{"its own zone before the destination's", []storage.Window{office}, "America/New_York", "2026-01-05T07:00:00Z", ""},
		{"until next week", []storage.Window{office}, "", "2026-01-06T19:00:00Z", "2026-01-12T07:00:00Z"},
		{"past midnight", []storage.Window{night}, "", "2026-01-05T03:00:00Z", ""},
		{"by day", []storage.Window{night}, "", "2026-01-05T06:00:00Z", "2026-01-05T22:00:00Z"},
		{"the destination's night", []storage.Window{night}, "Asia/Tokyo", "2026-01-05T12:59:00Z", "2026-01-05T13:00:00Z"},
		{"a zone that nobody knows is UTC", []storage.Window{night}, "Mars/Olympus", "2026-01-05T12:00:00Z", "2026-01-05T22:00:00Z"},
		{"the day on which it began counts", []storage.Window{friday}, "", "2026-01-10T05:59:00Z", ""},
		{"not the day on which it ends", []storage.Window{friday}, "", "2026-01-09T05:59:00Z", "2026-01-09T22:00:00Z"},
		{"the first of two", []storage.Window{whole, office}, "", "2026-01-07T12:00:00Z", "2026-01-10T00:00:00Z"},
		{"a whole day", []storage.Window{whole}, "", "2026-01-10T23:59:59Z", ""},
		{"an hour that the clock leaves out", []storage.Window{early}, "", "2026-03-29T00:59:00Z", "2026-03-29T01:30:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			next, closed := closedUntil(c.windows, c.zone, now)
			got := ""
			if closed {
				got = next.Format(time.RFC3339)
			}
			if got != c.next {
				t.Errorf("closed until %q, want %q", got, c.next)
			}
		})
	}
}

func TestWindowsRefused(t *testing.T) {
	for _, c := range []struct {
		w    storage.Window
		want string
	}{
		{storage.Window{From: "08:00", To: "20:00"}, ""},
		{storage.Window{From: "20:00", To: "08:00"}, ""},
		{storage.Window{From: "00:00", To: "24:00"}, ""},
		{storage.Window{From: "8", To: "20:00"}, `from "8" is no time of the day: want 00:00 to 23:59`},
		{storage.Window{From: "24:00", To: "20:00"}, `from "24:00" is no time of the day: want 00:00 to 23:59`},
		{storage.Window{From: "08:00", To: "25:00"}, `to "25:00" is no time of the day: want 00:00 to 24:00`},
		{storage.Window{From: "08:00", To: "08:00"}, `is empty: from 08:00 to 08:00`},
		{storage.Window{Days: []string{"monday"}, From: "08:00", To: "09:00"}, `"monday" is no day: want mon to sun`},
		{storage.Window{From: "08:00", To: "09:00", Zone: "Berlin"}, `zone "Berlin" is not known`},
	} {
		if got := checkWindow(&c.w); got != c.want {
			t.Errorf("%+v: %q, want %q", c.w, got, c.want)
		}
	}
}
