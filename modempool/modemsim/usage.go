package modemsim

import "time"

// Usage is how a modem has spent its time since the bank was started. The busy share of a stretch of time is that of
// the differences between two of them: Usage.Busy.
type Usage struct {
	Since time.Time     // the bank was started
	At    time.Time     // of this account
	OnAir time.Duration // from Ctrl-Z to the answer
	Typed time.Duration // from AT+CMGS to Ctrl-Z or ESC: the modem is not free, and sends nothing
	Idle  time.Duration // plugged in, and no send under way: it waits for work
	Gone  time.Duration // unplugged
}

// Busy is the share of the time between an earlier account and this one that the modem was on the air: 0 to 1.
func (u Usage) Busy(earlier Usage) float64 {
	d := u.At.Sub(earlier.At)
	if d <= 0 {
		return 0
	}
	return float64(u.OnAir-earlier.OnAir) / float64(d)
}

// Usage returns how modem i has spent its time, what it is about now included.
func (b *Bank) Usage(i int) Usage {
	m := b.modems[i]
	m.mu.Lock()
	defer m.mu.Unlock()
	m.account(time.Now())
	return m.usage
}

// activity is what a modem is about.
type activity uint8

const (
	idle activity = iota
	typed
	onAir
	gone
)

// enter begins an activity.
func (m *modem) enter(a activity) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.account(time.Now())
	m.doing = a
}

func (m *modem) account(now time.Time) {
	d := now.Sub(m.since)
	switch m.doing {
	case idle:
		m.usage.Idle += d
	case typed:
		m.usage.Typed += d
	case onAir:
		m.usage.OnAir += d
	case gone:
		m.usage.Gone += d
	}
	m.since, m.usage.At = now, now
}
