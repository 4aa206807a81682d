package modempool

import (
	"cmp"
	"fmt"
	"sync"
	"time"
)

// meter holds what was sent against Limits: it says until when something has to wait, and why. It knows no clock and
// has no goroutine; whoever waits asks again then, or when the limits have changed. Safe for concurrent use.
//
// flow, number and modem tell what may be begun; take asks all of that and counts it in one step, so that of many
// modems that ask at once no more begin than there is room for. Waits that the store is at fault for are short.
type meter struct {
	store settings

	mu       sync.Mutex
	limits   Limits // checked
	pool     bucket
	prefixes map[string]*bucket
	modems   map[string]*modemBucket
	sims     map[string]*simDay
	numbers  hourly
}

// modemBucket is the bucket of one modem.
type modemBucket struct {
	bucket
	own float64 // its own rate; 0: that of all modems
}

// through is what a push goes through: a modem and its SIM.
type through struct {
	modem string      // what PushJob.Modem says
	sim   string      // its ICCID or IMSI; empty where the modem tells neither
	own   ModemLimits // of the modem
}

// card is the name under which the SIM's segments are counted.
func (t *through) card() string {
	if t.sim == "" {
		return t.modem
	}
	return t.sim
}

func newMeter(l Limits, s settings) (*meter, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	return &meter{
		store: s, limits: l, prefixes: make(map[string]*bucket), modems: make(map[string]*modemBucket),
		sims: make(map[string]*simDay),
	}, nil
}

// set changes the limits. What was spent stays spent: a debt is paid at the old rates until now, at the new ones from
// then on. The error is that of Limits.Check; nothing has changed then.
func (m *meter) set(l Limits, now time.Time) error {
	if err := l.Check(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limits = l
	m.pool.settle(l.Pool, now)
	for _, b := range m.modems {
		b.settle(cmp.Or(b.own, l.Modem), now)
	}
	rates := make(map[string]float64, len(l.Destinations))
	for i := range l.Destinations {
		rates[l.Destinations[i].Prefix] = l.Destinations[i].Rate
	}
	for prefix, b := range m.prefixes {
		if b.settle(rates[prefix], now); b.until().IsZero() {
			delete(m.prefixes, prefix)
		}
	}
	return nil
}

// current is the limits that hold.
func (m *meter) current() Limits {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.limits
}

// allows says whether pushes to number may go through a modem with these tags.
func (m *meter) allows(number string, tags []string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.limits.Destination(number)
	return d.allows(tags)
}

// wait is until when something has to wait, and why. The zero value: not at all.
type wait struct {
	until time.Time
	why   string
}

// longer keeps the longer one of two waits.
func (w *wait) longer(until time.Time, why string, args ...any) {
	if until.After(w.until) {
		w.until, w.why = until, fmt.Sprintf(why, args...)
	}
}

// flow asks what all numbers with the prefix of this one have in common: quiet hours, the prefix' rate, the pool's.
func (m *meter) flow(number string, now time.Time) (until time.Time, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var w wait
	m.askFlow(&w, number, now)
	return w.until, w.why
}

// number asks for the pushes an hour to one number.
func (m *meter) number(number string, now time.Time) (until time.Time, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var w wait
	m.askNumber(&w, number, now)
	return w.until, w.why
}

// modem asks for a modem's rate and its SIM's day.
func (m *meter) modem(t through, now time.Time) (until time.Time, why string) {
	if err := m.meet(&t); err != nil {
		return now.Add(storeAgain), fmt.Sprintf("the SIM's count can not be read: %v", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var w wait
	m.askModem(&w, &t, now)
	return w.until, w.why
}

// storeAgain is the wait after the store could not be read or written.
const storeAgain = time.Second

// take counts a push to number of so many segments, if it may go now. Otherwise it counts nothing and says until when
// it may not.
func (m *meter) take(t through, number string, segments int, now time.Time) (until time.Time, why string) {
	if err := m.meet(&t); err != nil {
		return now.Add(storeAgain), fmt.Sprintf("the SIM's count can not be read: %v", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		var w wait
		m.askFlow(&w, number, now)
		m.askNumber(&w, number, now)
		s := m.askModem(&w, &t, now)
		if !w.until.IsZero() {
			return w.until, w.why
		}
		limit := m.simLimit(&t)
		if limit == 0 || s.used+segments <= s.reserved {
			m.count(&t, s, number, segments, now)
			return time.Time{}, ""
		}
		if err := m.reserve(s, t.card(), segments, limit); err != nil {
			return now.Add(storeAgain), fmt.Sprintf("the SIM's count can not be written: %v", err)
		}
	}
}

// reserve makes room for so many segments in the SIM's record. The store is written without m.mu, so that everything
// has to be asked again afterwards.
func (m *meter) reserve(s *simDay, sim string, segments, limit int) error {
	m.mu.Unlock()
	defer m.mu.Lock()
	s.writing.Lock()
	defer s.writing.Unlock()
	m.mu.Lock()
	day, want, have := s.day, s.used+segments, s.reserved
	m.mu.Unlock()
	if want <= have {
		return nil
	}
	want = max(want, min(limit, (want+simBlock-1)/simBlock*simBlock))
	if err := s.put(m.store, sim, day, want); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.day == day {
		s.reserved = want
	}
	return nil
}

// untake takes back what take has counted of a push and what then did not leave: so many of its segments; whole where
// none has left, so that it was no push to the number.
func (m *meter) untake(t through, number string, segments int, whole bool, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	buckets := []*bucket{&m.pool, m.prefixes[m.limits.Destination(number).Prefix], nil}
	if b := m.modems[t.modem]; b != nil {
		buckets[2] = &b.bucket
	}
	for _, b := range buckets {
		if b != nil {
			b.settle(0, now)
			b.owed = max(0, b.owed-float64(segments))
		}
	}
	if s := m.sims[t.card()]; s != nil {
		s.remove(segments)
	}
	if whole {
		m.numbers.remove(number)
	}
}

// close writes what the SIMs have used in place of what is reserved for them, so that an orderly end costs nothing.
func (m *meter) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for sim, s := range m.sims {
		if s.used < s.reserved {
			if err := s.put(m.store, sim, s.day, s.used); err != nil {
				return err
			}
			s.reserved = s.used
		}
	}
	return nil
}

// meet reads what is known of a SIM that was not seen before.
func (m *meter) meet(t *through) error {
	m.mu.Lock()
	_, met := m.sims[t.card()]
	m.mu.Unlock()
	if met {
		return nil
	}
	s, err := loadSIM(m.store, t.card())
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sims[t.card()] == nil {
		m.sims[t.card()] = s
	}
	return nil
}

func (m *meter) askFlow(w *wait, number string, now time.Time) {
	d := m.limits.Destination(number)
	w.longer(m.limits.Quiet.until(d.Zone, now), "quiet hours, %s to %s", m.limits.Quiet.From, m.limits.Quiet.To)
	if b := m.prefixes[d.Prefix]; b != nil && d.Rate > 0 {
		b.settle(d.Rate, now)
		w.longer(b.until(), "%s: %v segments a minute", d.Prefix, d.Rate)
	}
	if m.limits.Pool > 0 {
		m.pool.settle(m.limits.Pool, now)
		w.longer(m.pool.until(), "all modems: %v segments a minute", m.limits.Pool)
	}
}

func (m *meter) askNumber(w *wait, number string, now time.Time) {
	m.numbers.forget(now)
	if limit := m.limits.DestinationHour; limit > 0 {
		w.longer(m.numbers.until(number, limit), "this number: %d pushes an hour", limit)
	}
}

func (m *meter) askModem(w *wait, t *through, now time.Time) *simDay {
	if rate := cmp.Or(t.own.Rate, m.limits.Modem); rate > 0 {
		b := m.bucketOf(t)
		b.settle(rate, now)
		w.longer(b.until(), "the modem: %v segments a minute", rate)
	}
	s, limit := m.sims[t.card()], m.simLimit(t)
	s.roll(limit, now)
	if limit > 0 && s.used >= limit {
		w.longer(s.end(), "the SIM: %d segments a day", limit)
	}
	return s
}

func (m *meter) simLimit(t *through) int { return cmp.Or(t.own.SIMDay, m.limits.SIMDay) }

func (m *meter) bucketOf(t *through) *modemBucket {
	b := m.modems[t.modem]
	if b == nil {
		b = &modemBucket{}
		m.modems[t.modem] = b
	}
	b.own = t.own.Rate
	return b
}

// count adds a push to all that it counts for. What has no limit is not kept.
func (m *meter) count(t *through, s *simDay, number string, segments int, now time.Time) {
	if m.limits.Pool > 0 {
		m.pool.owed += float64(segments)
	}
	if d := m.limits.Destination(number); d.Rate > 0 {
		b := m.prefixes[d.Prefix]
		if b == nil {
			b = &bucket{}
			b.settle(d.Rate, now)
			m.prefixes[d.Prefix] = b
		}
		b.owed += float64(segments)
	}
	if cmp.Or(t.own.Rate, m.limits.Modem) > 0 {
		m.bucketOf(t).owed += float64(segments)
	}
	s.add(segments, m.simLimit(t))
	if m.limits.DestinationHour > 0 {
		m.numbers.add(number, now)
	}
}
