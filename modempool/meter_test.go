package modempool

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"dmgate/storage"
)

// memSettings keeps settings as a store does.
type memSettings struct {
	mu     sync.Mutex
	values map[string]string
	puts   int
	err    error // of both calls
}

func newSettings() *memSettings { return &memSettings{values: make(map[string]string)} }

func (s *memSettings) Setting(name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.values[name]
	if s.err == nil && !ok {
		return nil, storage.ErrNotFound
	}
	return []byte(value), s.err
}

func (s *memSettings) PutSetting(name string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.values[name] = string(value)
		s.puts++
	}
	return s.err
}

// gone is a push of so many segments at a second after noon, to be taken; want is the answer: "" where it goes.
type gone struct {
	second   int
	modem    string
	number   string
	segments int
	want     string
}

// reserved is what the store says of a SIM that has so many segments reserved for the day of the tests.
func reserved(segments int) string {
	return fmt.Sprintf(`{"day":"2026-11-25","segments":%d}`, segments)
}

// say is an answer of the meter's, with the time as seconds after noon.
func say(until time.Time, why string) string {
	if until.IsZero() {
		return why
	}
	return fmt.Sprintf("%g: %s", until.Sub(noon).Seconds(), why)
}

func TestTake(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits Limits
		own    ModemLimits
		pushes []gone
	}{
		{
			"no limits: at once", Limits{}, ModemLimits{},
			[]gone{{0, "a", "+491", 255, ""}, {0, "a", "+491", 255, ""}},
		},
		{
			"a push is not cut: it runs ahead, and the next one pays", Limits{Modem: 6}, ModemLimits{},
			[]gone{
				{0, "a", "+491", 3, ""}, {1, "a", "+492", 1, "30: the modem: 6 segments a minute"},
				{30, "a", "+492", 1, ""}, {31, "b", "+493", 1, ""},
				{31, "a", "+493", 1, "40: the modem: 6 segments a minute"},
			},
		},
		{
			"what was not used is not saved up", Limits{Modem: 6}, ModemLimits{},
			[]gone{
				{0, "a", "+491", 1, ""}, {3600, "a", "+491", 1, ""},
				{3600, "a", "+491", 1, "3610: the modem: 6 segments a minute"},
			},
		},
		{
			"a modem's own rate", Limits{Modem: 6}, ModemLimits{Rate: 60},
			[]gone{{0, "a", "+491", 3, ""}, {2, "a", "+492", 1, "3: the modem: 60 segments a minute"}, {3, "a", "+491", 1, ""}},
		},
		{
			"all modems together", Limits{Pool: 60}, ModemLimits{},
			[]gone{{0, "a", "+491", 2, ""}, {0, "b", "+492", 2, "2: all modems: 60 segments a minute"}, {2, "b", "+492", 2, ""}},
		},
		{
			"the longest prefix",
			Limits{Destinations: []Destination{{Prefix: "+49", Rate: 6}, {Prefix: "+491", Rate: 60}, {Prefix: "+492"}}},
			ModemLimits{},
			[]gone{
				{0, "a", "+4915", 2, ""}, {0, "a", "+4916", 1, "2: +491: 60 segments a minute"},
				{0, "a", "+4930", 2, ""}, {0, "a", "+4940", 1, "20: +49: 6 segments a minute"},
				{0, "a", "+4921", 2, ""}, {0, "a", "+4922", 2, ""}, {0, "a", "+33", 2, ""}, {0, "a", "+33", 2, ""},
			},
		},
		{
			"one number, within any hour", Limits{DestinationHour: 2}, ModemLimits{},
			[]gone{
				{0, "a", "+491", 3, ""}, {1800, "b", "+491", 3, ""}, {1801, "a", "+491", 1, "3600: this number: 2 pushes an hour"},
				{1801, "a", "+492", 1, ""}, {3600, "a", "+491", 1, ""},
				{3601, "a", "+491", 1, "5400: this number: 2 pushes an hour"},
			},
		},
		{
			"a SIM's day: what runs ahead is of the next day's", Limits{SIMDay: 5}, ModemLimits{},
			[]gone{
				{0, "a", "+491", 3, ""}, {1, "a", "+491", 3, ""}, {2, "a", "+491", 1, "43200: the SIM: 5 segments a day"},
				{3, "b", "+491", 1, ""}, {43200, "a", "+491", 3, ""}, {43201, "a", "+491", 1, ""},
				{43202, "a", "+491", 1, "129600: the SIM: 5 segments a day"}, {129600, "a", "+491", 1, ""},
			},
		},
		{
			"a modem's own for its SIM", Limits{SIMDay: 5}, ModemLimits{SIMDay: 1},
			[]gone{{0, "a", "+491", 1, ""}, {1, "a", "+491", 1, "43200: the SIM: 1 segments a day"}},
		},
		{
			"quiet hours", Limits{Quiet: Quiet{From: "12:00", To: "12:01", Zone: "UTC"}}, ModemLimits{},
			[]gone{{0, "a", "+491", 1, "60: quiet hours, 12:00 to 12:01"}, {60, "a", "+491", 1, ""}},
		},
		{
			"the longest wait is told", Limits{Modem: 6, Pool: 1, DestinationHour: 1}, ModemLimits{},
			[]gone{
				{0, "a", "+491", 1, ""}, {1, "a", "+492", 1, "60: all modems: 1 segments a minute"},
				{1, "a", "+491", 1, "3600: this number: 1 pushes an hour"},
			},
		},
		{
			"a rate near nothing", Limits{Modem: 1e-300}, ModemLimits{},
			[]gone{{0, "a", "+491", 1, ""}, {0, "a", "+491", 1, "3.1536e+07: the modem: 1e-300 segments a minute"}},
		},
	} {
		m := meterOf(t, c.limits, newSettings())
		for i, p := range c.pushes {
			now := noon.Add(time.Duration(p.second) * time.Second)
			if got := say(m.take(through{p.modem, "", c.own}, p.number, p.segments, now)); got != p.want {
				t.Errorf("%s: push %d: %q, want %q", c.name, i, got, p.want)
			}
		}
	}
}

// flow, number and modem tell each of their own, and count nothing.
func TestAsk(t *testing.T) {
	m := meterOf(t, Limits{
		Modem: 6, Pool: 60, SIMDay: 100, DestinationHour: 1, Quiet: Quiet{From: "12:00", To: "12:01"},
		Destinations: []Destination{{Prefix: "+49", Rate: 30}, {Prefix: "+44", Zone: "Europe/London"}},
	}, newSettings())
	a := through{modem: "a"}
	if got := say(m.take(a, "+491", 3, noon)); got != "" {
		t.Fatal(got)
	}
	for range 2 {
		for _, c := range []struct{ name, got, want string }{
			{"flow", say(m.flow("+492", noon)), "6: +49: 30 segments a minute"},
			{"flow of another prefix", say(m.flow("+1", noon)), "3: all modems: 60 segments a minute"},
			{"flow where it is quiet", say(m.flow("+441", noon)), "60: quiet hours, 12:00 to 12:01"},
			{"number", say(m.number("+491", noon)), "3600: this number: 1 pushes an hour"},
			{"another number", say(m.number("+492", noon)), ""},
			{"modem", say(m.modem(a, noon)), "30: the modem: 6 segments a minute"},
			{"another modem", say(m.modem(through{modem: "b"}, noon)), ""},
		} {
			if c.got != c.want {
				t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
			}
		}
	}
}

// What did not leave is taken back.
func TestUntake(t *testing.T) {
	limits := Limits{
		Modem: 60, Pool: 60, SIMDay: 6, DestinationHour: 1, Destinations: []Destination{{Prefix: "+49", Rate: 60}},
	}
	a := through{modem: "a", sim: "8949"}
	for _, c := range []struct {
		name     string
		unsent   int
		whole    bool
		want     string
		segments int // used of the SIM's day
	}{
		{"all of it", 4, true, "", 0},
		{"what followed its first segment", 3, false, "3600: this number: 1 pushes an hour", 1},
		{"nothing", 0, false, "3600: this number: 1 pushes an hour", 4},
	} {
		m := meterOf(t, limits, newSettings())
		if got := say(m.take(a, "+491", 4, noon)); got != "" {
			t.Fatal(got)
		}
		m.untake(a, "+491", c.unsent, c.whole, noon)
		if got := say(m.number("+491", noon)); got != c.want {
			t.Errorf("%s: number: %q, want %q", c.name, got, c.want)
		}
		want := ""
		if c.segments > 0 {
			want = fmt.Sprintf("%d: +49: 60 segments a minute", c.segments)
		}
		if got := say(m.flow("+492", noon)); got != want {
			t.Errorf("%s: flow: %q, want %q", c.name, got, want)
		}
		if want != "" {
			want = fmt.Sprintf("%d: the modem: 60 segments a minute", c.segments)
		}
		if got := say(m.modem(a, noon)); got != want {
			t.Errorf("%s: modem: %q, want %q", c.name, got, want)
		}
		if got := m.sims["8949"].used; got != c.segments {
			t.Errorf("%s: the SIM has used %d, want %d", c.name, got, c.segments)
		}
	}
}

// A change counts from its moment on: what was spent stays spent, and is paid at the new rate.
func TestSet(t *testing.T) {
	a := through{modem: "a"}
	second := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }
	m := meterOf(t, Limits{Modem: 6, Pool: 6, Destinations: []Destination{{Prefix: "+49", Rate: 6}}}, newSettings())
	set := func(l Limits, now time.Time) {
		t.Helper()
		if err := m.set(l, now); err != nil {
			t.Fatal(err)
		}
	}
	m.take(a, "+491", 6, noon) // a minute's worth
	set(Limits{Modem: 60, Pool: 1, Destinations: []Destination{{Prefix: "+49", Rate: 3}}}, second(30))
	for _, c := range []struct{ name, got, want string }{
		{"faster", say(m.modem(a, second(30))), "33: the modem: 60 segments a minute"},
		{"slower", say(m.flow("+33", second(30))), "210: all modems: 1 segments a minute"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
	set(Limits{Destinations: []Destination{{Prefix: "+49", Rate: 3}}}, second(31))
	if got, want := say(m.flow("+492", second(31))), "90: +49: 3 segments a minute"; got != want {
		t.Errorf("the prefix alone: %q, want %q", got, want)
	}
	set(Limits{}, second(31))
	if got := say(m.take(a, "+492", 1, second(31))); got != "" {
		t.Errorf("no limits: %q", got)
	}
	set(Limits{Destinations: []Destination{{Prefix: "+49", Rate: 3}}}, second(50))
	if got, want := say(m.flow("+492", second(51))), "90: +49: 3 segments a minute"; got != want {
		t.Errorf("the limit is back: %q, want %q: a limit taken away and put back forgives nothing", got, want)
	}
	if err := m.set(Limits{Pool: -1}, second(51)); err == nil || m.current().Pool != 0 {
		t.Errorf("a limit that can not be: %v, and %v holds", err, m.current().Pool)
	}
	set(Limits{}, second(100))
	if len(m.prefixes) != 0 {
		t.Errorf("what is paid is kept: %v", m.prefixes)
	}
}

// A number is forgotten when its hour is over.
func TestNumbersAreForgotten(t *testing.T) {
	m := meterOf(t, Limits{DestinationHour: 3}, newSettings())
	for i := range 10_000 {
		now := noon.Add(time.Duration(i) * time.Second)
		if got := say(m.take(through{modem: "a"}, fmt.Sprintf("+49%d", i), 1, now)); got != "" {
			t.Fatal(got)
		}
		if n := len(m.numbers.times); n > 3600 || n != len(m.numbers.order) {
			t.Fatalf("after %d s: %d numbers, %d pushes, want those of an hour", i, n, len(m.numbers.order))
		}
	}
	if m.number("+1", noon.Add(5*time.Hour)); len(m.numbers.times)+len(m.numbers.order) != 0 {
		t.Errorf("%d numbers are left", len(m.numbers.times))
	}
}

// Segments of a SIM's day are reserved in the store before they are used, in blocks; what a crash leaves reserved
// counts as used, what an orderly end leaves does not.
func TestSIMDayAcrossRestarts(t *testing.T) {
	store := newSettings()
	a := through{modem: "a", sim: "8949001"}
	limits := Limits{SIMDay: 40}
	m := meterOf(t, limits, store)
	for range 7 {
		if got := say(m.take(a, "+491", 2, noon)); got != "" {
			t.Fatal(got)
		}
	}
	want := map[string]string{"sim/8949001": reserved(16)}
	if !maps.Equal(store.values, want) || store.puts != 1 {
		t.Errorf("%d writes: %v, want one: %v", store.puts, store.values, want)
	}
	if err := m.close(); err != nil || store.values["sim/8949001"] != reserved(14) {
		t.Errorf("an orderly end: %v %v", err, store.values)
	}
	m = meterOf(t, limits, store)
	if got := say(m.take(a, "+491", 2, noon)); got != "" || m.sims["8949001"].used != 16 {
		t.Errorf("after it: %q, %d used, want 16", got, m.sims["8949001"].used)
	}
	if got := say(m.take(a, "+491", 3, noon)); got != "" || store.values["sim/8949001"] != reserved(32) {
		t.Errorf("the next block: %q %v", got, store.values)
	}
	m = meterOf(t, limits, store) // a crash: 19 were used, 32 reserved
	if got := say(m.take(a, "+491", 7, noon)); got != "" || store.values["sim/8949001"] != reserved(40) {
		t.Errorf("after a crash: %q %v, want no more reserved than there is", got, store.values)
	}
	m = meterOf(t, limits, store)
	if got, want := say(m.take(a, "+491", 1, noon)), "43200: the SIM: 40 segments a day"; got != want {
		t.Errorf("nothing is left: %q, want %q", got, want)
	}
	if got := say(m.take(through{modem: "a", sim: "8949002"}, "+491", 1, noon)); got != "" {
		t.Errorf("another SIM in the same modem: %q", got)
	}
	if got := say(m.take(a, "+491", 1, noon.Add(12*time.Hour))); got != "" {
		t.Errorf("the next day: %q", got)
	}
	if got := store.values["sim/8949001"]; got != `{"day":"2026-11-26","segments":16}` {
		t.Errorf("the next day: %s", got)
	}
}

// A clock put back a little begins no new day; one that was years ahead for a while does not stop the SIM for years.
func TestSIMDayAndClock(t *testing.T) {
	m := meterOf(t, Limits{SIMDay: 2}, newSettings())
	a := through{modem: "a"}
	midnight := noon.Add(12 * time.Hour)
	m.take(a, "+491", 2, midnight)
	got, want := say(m.take(a, "+491", 1, midnight.Add(-time.Second))), "129600: the SIM: 2 segments a day"
	if got != want {
		t.Errorf("put back over midnight: %q, want %q", got, want)
	}
	m.take(a, "+491", 2, noon.AddDate(9, 0, 0))
	if got := say(m.take(a, "+491", 1, noon.AddDate(0, 0, 2))); got != "" {
		t.Errorf("put right: %q", got)
	}
}

// While the store can not be read or written nothing is taken that would have to be counted there.
func TestSIMDayWithoutStore(t *testing.T) {
	store := newSettings()
	a := through{modem: "a", sim: "8949"}
	store.err = errors.New("disk full")
	m := meterOf(t, Limits{SIMDay: 40}, store)
	for _, got := range []string{say(m.take(a, "+491", 1, noon)), say(m.modem(a, noon))} {
		if want := "1: the SIM's count can not be read: disk full"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	store.err = nil
	if got := say(m.take(a, "+491", 16, noon)); got != "" {
		t.Fatal(got)
	}
	store.err = errors.New("disk full")
	if got, want := say(m.take(a, "+491", 1, noon)), "1: the SIM's count can not be written: disk full"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if used := m.sims["8949"].used; used != 16 {
		t.Errorf("%d used, want 16", used)
	}
}

// Of many that ask at once no more begin than there is room for.
func TestTakeAtOnce(t *testing.T) {
	store := newSettings()
	m := meterOf(t, Limits{Pool: 1, DestinationHour: 7, SIMDay: 1000}, store)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var took []string
	for i := range 64 {
		wg.Go(func() {
			if until, _ := m.take(through{modem: fmt.Sprint(i)}, "+491", 3, noon); until.IsZero() {
				mu.Lock()
				took = append(took, fmt.Sprint(i))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(took) != 1 {
		t.Errorf("%v began, want one", took)
	}
	if err := m.set(Limits{SIMDay: 1000}, noon); err != nil {
		t.Fatal(err)
	}
	one := through{modem: "one", sim: "8949"}
	for range 64 {
		wg.Go(func() {
			if until, why := m.take(one, "+491", 3, noon); !until.IsZero() {
				t.Error(why)
			}
		})
	}
	wg.Wait()
	if s := m.sims["8949"]; s.used != 192 || s.reserved != 192 || store.values["sim/8949"] != reserved(192) {
		t.Errorf("used %d, reserved %d, store %v; want 192", s.used, s.reserved, slices.Sorted(maps.Values(store.values)))
	}
}
