package files

import (
	"sync"
	"time"

	"dmgate/sessions"
)

// misses counts the tokens that each source has asked for and that there are not, in the minute that runs. It is safe
// for concurrent use.
type misses struct {
	limit int

	mu     sync.Mutex
	since  time.Time
	counts map[sessions.Source]int
}

// maxSources bounds how many sources are counted in a minute. Where there are more, new ones are not told apart.
const maxSources = 1 << 16

// add counts a miss.
func (m *misses) add(s sessions.Source, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	if _, known := m.counts[s]; !known && len(m.counts) >= maxSources {
		s = sessions.Exempt
	}
	m.counts[s]++
}

// wait is how long a source has to wait before it may ask again; 0 where it may.
func (m *misses) wait(s sessions.Source, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	if s == sessions.Exempt || m.counts[s] < m.limit {
		return 0
	}
	return m.since.Add(time.Minute).Sub(now)
}

// turn begins another minute where the last one is over.
func (m *misses) turn(now time.Time) {
	if m.counts == nil || now.Sub(m.since) >= time.Minute || now.Before(m.since) {
		m.since, m.counts = now, make(map[sessions.Source]int)
	}
}
