package modempool

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Each check names the field, what was there and what was wanted.
func TestLimitsCheck(t *testing.T) {
	for _, c := range []struct {
		limits Limits
		want   string
	}{
		{Limits{}, ""},
		{Limits{Modem: 20, Pool: 0.5, SIMDay: 1, DestinationHour: 1}, ""},
		{Limits{Modem: -1}, "modem: -1, want 0 for no limit, or more"},
		{Limits{Modem: math.NaN()}, "modem: NaN, want 0 for no limit, or more"},
		{Limits{Pool: math.Inf(1)}, "pool: +Inf, want 0 for no limit, or more"},
		{Limits{SIMDay: -2}, "sim_day: -2, want 0 for no limit, or more"},
		{Limits{DestinationHour: -3}, "destination_hour: -3, want 0 for no limit, or more"},
		{Limits{Quiet: Quiet{From: "22:00", To: "07:00"}}, ""},
		{Limits{Quiet: Quiet{From: "22:00", To: "07:00", Zone: "Asia/Kolkata"}}, ""},
		{Limits{Quiet: Quiet{From: "22:00"}}, `quiet.to: "" is no time of day such as "07:00"`},
		{Limits{Quiet: Quiet{Zone: "UTC"}}, `quiet.from: "" is no time of day such as "07:00"`},
		{Limits{Quiet: Quiet{From: "7:00", To: "08:00"}}, `quiet.from: "7:00" is no time of day such as "07:00"`},
		{Limits{Quiet: Quiet{From: "07:00", To: "24:00"}}, `quiet.to: "24:00" is no time of day such as "07:00"`},
		{
			Limits{Quiet: Quiet{From: "07:00", To: "07:00"}},
			"quiet.to: the same as quiet.from: nothing would ever be sent, or always",
		},
		{
			Limits{Quiet: Quiet{From: "22:00", To: "07:00", Zone: "Local"}},
			`quiet.zone: "Local" is no time zone such as "Europe/Berlin"`,
		},
		{
			Limits{Destinations: []Destination{{
				Prefix: "+49171", Operator: "D1", Zone: "Europe/Berlin", Rate: 3, Modems: []string{"d1", "SIM-4.b_2"},
			}}}, "",
		},
		{
			Limits{Destinations: []Destination{{Prefix: "+1"}, {Prefix: "49"}}},
			`destinations[1].prefix: "49" is no prefix of E.164 numbers ("+", then 1 to 15 digits)`,
		},
		{
			Limits{Destinations: []Destination{{Prefix: ""}}},
			`destinations[0].prefix: "" is no prefix of E.164 numbers ("+", then 1 to 15 digits)`,
		},
		{
			Limits{Destinations: []Destination{{Prefix: "+49"}, {Prefix: "+1"}, {Prefix: "+49"}}},
			"destinations[2].prefix: +49 is that of destinations[0] as well",
		},
		{
			Limits{Destinations: []Destination{{Prefix: "+1"}, {Prefix: "+2"}, {Prefix: "+3", Zone: "Mars/Base"}}},
			`destinations[2].zone: "Mars/Base" is no time zone such as "Europe/Berlin"`,
		},
		{
			Limits{Destinations: []Destination{{Prefix: "+1", Rate: -4}}},
			"destinations[0].rate: -4, want 0 for no limit, or more",
		},
		{
			Limits{Destinations: []Destination{{Prefix: "+1", Operator: strings.Repeat("o", 65)}}},
			"destinations[0].operator: 65 characters, want at most 64",
		},
		{
			Limits{Destinations: []Destination{{Prefix: "+1", Modems: []string{"a", "b c"}}}},
			`destinations[0].modems[1]: "b c" is no tag (1 to 64 letters, digits, dots, dashes and underscores)`,
		},
	} {
		got := ""
		if err := c.limits.Check(); err != nil {
			got = err.Error()
			if !errors.As(err, new(*LimitError)) {
				t.Errorf("%q is a %T", got, err)
			}
		}
		if got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}

func TestModemLimitsCheck(t *testing.T) {
	for _, c := range []struct {
		limits ModemLimits
		want   string
	}{
		{ModemLimits{}, ""},
		{ModemLimits{Rate: 0.1, SIMDay: 100}, ""},
		{ModemLimits{Rate: -1}, "rate: -1, want 0 for that of all modems, or more"},
		{ModemLimits{SIMDay: -1}, "sim_day: -1, want 0 for that of all modems, or more"},
	} {
		got := ""
		if err := c.limits.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}

// The longest prefix counts, whatever the order.
func TestDestination(t *testing.T) {
	l := Limits{Destinations: []Destination{
		{Prefix: "+49171"}, {Prefix: "+4"}, {Prefix: "+49"}, {Prefix: "+491715550001"}, {Prefix: "+491715550002345"},
	}}
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
	for number, want := range map[string]string{
		"+491715550001":     "+491715550001",
		"+4917155500019":    "+491715550001",
		"+491715550002345":  "+491715550002345",
		"+4917155500023456": "+491715550002345", // longer than any number is
		"+491715550009":     "+49171",
		"+4917":             "+49",
		"+49":               "+49",
		"+43":               "+4",
		"+1":                "",
		"49171":             "",
		"":                  "",
	} {
		if got := l.Destination(number); got.Prefix != want {
			t.Errorf("%q: %q, want %q", number, got.Prefix, want)
		}
	}
	var none Limits
	if got := none.Destination("+49171"); !reflect.DeepEqual(got, Destination{}) {
		t.Errorf("without destinations: %+v", got)
	}
}

// manyPrefixes are limits for n prefixes, one of three digits and more.
func manyPrefixes(n int) Limits {
	var l Limits
	for i := range n {
		l.Destinations = append(l.Destinations, Destination{Prefix: fmt.Sprintf("+%d", 100+i*7)})
	}
	return l
}

// The index finds what a look at every prefix finds, and costs no memory.
func TestDestinationOfMany(t *testing.T) {
	l := manyPrefixes(10_000)
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 500 {
		number := fmt.Sprintf("+%d", 100+random.Int64N(1_000_000_000))
		longest := ""
		for _, d := range l.Destinations {
			if strings.HasPrefix(number, d.Prefix) && len(d.Prefix) > len(longest) {
				longest = d.Prefix
			}
		}
		if longest != "" {
			found++
		}
		if got := l.Destination(number).Prefix; got != longest {
			t.Errorf("%s: %q, want %q", number, got, longest)
		}
	}
	if found < 100 {
		t.Errorf("only %d of the numbers have a prefix", found)
	}
	if n := testing.AllocsPerRun(100, func() { l.Destination("+4917155500012") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDestination(b *testing.B) {
	l := manyPrefixes(10_000)
	if err := l.Check(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		l.Destination("+4917155500012")
	}
}

// Only modems with one of the tags, where there are any.
func TestAllows(t *testing.T) {
	m := meterOf(t, Limits{Destinations: []Destination{
		{Prefix: "+49", Modems: []string{"d1", "d2"}}, {Prefix: "+491", Modems: nil},
	}}, newSettings())
	for _, c := range []struct {
		number string
		tags   []string
		want   bool
	}{
		{"+4930", []string{"d2"}, true},
		{"+4930", []string{"x", "d1"}, true},
		{"+4930", []string{"x"}, false},
		{"+4930", nil, false},
		{"+4917", nil, true},
		{"+1", []string{"x"}, true},
	} {
		if got := m.allows(c.number, c.tags); got != c.want {
			t.Errorf("%s by %v: %v", c.number, c.tags, got)
		}
	}
}

func meterOf(t *testing.T, l Limits, s settings) *meter {
	t.Helper()
	m, err := newMeter(l, s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// noon is when the tests of limits begin.
var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
