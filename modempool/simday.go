package modempool

import (
	"encoding/json"
	"errors"
	"sync"
	"time"

	"dmgate/storage"
)

// simDay counts the segments through one SIM in a day (UTC). What a push runs ahead of the limit is the next day's. The
// store says at every moment at least as much, so that a crash never makes room: segments are reserved there in blocks
// before they are used, and a process that starts takes those reserved for used.
type simDay struct {
	day      int64 // since 1970
	used     int
	ahead    int // of used, what was beyond the limit
	reserved int // what the store says of day; 0 where it says nothing

	writing sync.Mutex
}

// simBlock is how many segments are reserved at a time: what a crash may cost of the day's.
const simBlock = 16

// simRecord is the setting "sim/ICCID".
type simRecord struct {
	Day      string `json:"day"` // "2026-11-25"
	Segments int    `json:"segments"`
}

// settings is the part of a Queue that keeps what has to outlive the process.
type settings interface {
	Setting(name string) ([]byte, error)
	PutSetting(name string, value []byte) error
}

const daySeconds = 24 * 60 * 60

func loadSIM(s settings, sim string) (*simDay, error) {
	text, err := s.Setting(simSetting(sim))
	if errors.Is(err, storage.ErrNotFound) || err == nil && len(text) == 0 {
		return &simDay{}, nil
	}
	if err != nil {
		return nil, err
	}
	var r simRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, err
	}
	t, err := time.Parse(time.DateOnly, r.Day)
	if err != nil {
		return nil, err
	}
	return &simDay{day: t.Unix() / daySeconds, used: r.Segments, reserved: r.Segments}, nil
}

func simSetting(sim string) string { return "sim/" + sim }

// roll begins a new day where there is one. A clock put back a little does not; one that was years ahead does.
func (s *simDay) roll(limit int, now time.Time) {
	day := now.Unix() / daySeconds
	if day == s.day || day == s.day-1 {
		return
	}
	for ; s.day < day && s.ahead > 0 && limit > 0; s.day++ {
		s.used = s.ahead
		s.ahead = max(0, s.used-limit)
	}
	if s.day != day {
		s.used, s.ahead = 0, 0
	}
	s.day, s.reserved = day, 0
}

// add counts segments.
func (s *simDay) add(segments, limit int) {
	s.used += segments
	if limit > 0 {
		s.ahead += min(segments, max(0, s.used-limit))
	}
}

// remove takes segments back.
func (s *simDay) remove(segments int) {
	s.used = max(0, s.used-segments)
	s.ahead = max(0, s.ahead-segments)
}

// end is when the day is over.
func (s *simDay) end() time.Time { return time.Unix((s.day+1)*daySeconds, 0).UTC() }

// put writes how many segments are reserved for a day.
func (s *simDay) put(to settings, sim string, day int64, segments int) error {
	text, err := json.Marshal(simRecord{time.Unix(day*daySeconds, 0).UTC().Format(time.DateOnly), segments})
	if err != nil {
		return err
	}
	return to.PutSetting(simSetting(sim), text)
}
