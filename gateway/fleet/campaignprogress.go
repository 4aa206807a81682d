package fleet

import (
	"time"

	"dmgate/storage"
)

// Progress is how far a campaign has come.
type Progress struct {
	storage.Campaign // as it stands: counts by state and stage, groups, canary. Its PIN is left out

	Targets     int       // all but those refused
	BegunMinute float64   // targets begun a minute, over the last minutes that this process has seen
	EndedMinute float64   // targets that came to their end a minute, the same
	End         time.Time // when the last target will have come to its end, at that pace; zero where nobody can tell
	Waits       string    // what it waits for next: "a window, which opens at 2026-01-02T08:00:00Z"; empty where for nothing
	Until       time.Time // when that comes, where that is known
}

// Progress says how far a campaign has come, and what it waits for.
func (f *Fleet) Progress(id string) (Progress, error) {
	c, err := f.store.Campaign(id)
	if err != nil {
		return Progress{}, err
	}
	c.What.PIN = ""
	p := Progress{Campaign: *c, Targets: left(c)}
	for _, s := range []storage.TargetState{storage.TargetDone, storage.TargetFailed, storage.TargetCancelled} {
		p.Targets += c.Counts[string(s)]
	}
	now := f.opt.Clock()
	m := &f.campaigns
	m.mu.Lock()
	if pace := m.pace[id]; pace != nil {
		p.BegunMinute, p.EndedMinute = pace.perMinute(now)
	}
	waits := m.waits[id]
	m.mu.Unlock()
	p.expect(now)
	switch c.State {
	case storage.CampaignDraft:
		p.Waits = "its start"
		if c.Selecting {
			p.Waits = "the search for the devices that its filter selects"
		}
	case storage.CampaignPaused, storage.CampaignHeld:
		p.Waits = "to be resumed"
	case storage.CampaignRunning:
		p.Waits, p.Until = waits.what, waits.until
	case storage.CampaignCancelled:
		if left(c) > 0 {
			p.Waits = "the end of what was begun"
		}
	}
	return p, nil
}

// expect reckons when all will have come to its end. As long as nothing has, it is when all will have been begun.
func (p *Progress) expect(now time.Time) {
	rest, pace := float64(left(&p.Campaign)), p.EndedMinute
	if pace == 0 {
		rest, pace = float64(p.Counts[string(storage.TargetPending)]), p.BegunMinute
	}
	if minutes := rest / pace; p.State == storage.CampaignRunning && rest > 0 && minutes < maxExpected.Minutes() {
		p.End = now.Add(time.Duration(minutes * float64(time.Minute)))
	}
}

// maxExpected is how far ahead an end is foretold.
const maxExpected = 10 * 365 * 24 * time.Hour
