package fleet

import (
	"strings"
	"sync"
	"time"

	"dmgate/storage"
)

// campaigns is what is known of campaigns in memory. All of it can be found again.
type campaigns struct {
	adding sync.Map // of *sync.Mutex by campaign ID: numbers are given to targets by one at a time

	mu       sync.Mutex
	open     map[string]bool // whether pushes of a campaign may go to a modem; see flowOpen
	changes  uint64          // counts what may have changed that
	touched  map[string]bool // campaigns that were changed from outside since the engine has looked
	released map[string]bool // those of which a group was released
	pace     map[string]*pace
	waits    map[string]waiting
	wake     chan struct{}
}

// waiting is what a campaign waits for, and until when, where that is known.
type waiting struct {
	what  string
	until time.Time
}

func (c *campaigns) init() {
	c.open, c.touched, c.released = make(map[string]bool), make(map[string]bool), make(map[string]bool)
	c.pace, c.waits = make(map[string]*pace), make(map[string]waiting)
	c.wake = make(chan struct{}, 1)
}

// touch tells the engine that a campaign's record has changed.
func (c *campaigns) touch(id string) {
	c.moved(id)
	c.mu.Lock()
	c.touched[id] = true
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// release tells the engine that targets of a campaign that were held may go on.
func (c *campaigns) release(id string) {
	c.mu.Lock()
	c.released[id] = true
	c.mu.Unlock()
	c.touch(id)
}

// moved forgets whether the campaign runs.
func (c *campaigns) moved(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, id)
	c.changes++
}

// taken are the campaigns that were touched, and those released, since it was last called.
func (c *campaigns) taken() (touched, released map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	touched, released = c.touched, c.released
	c.touched, c.released = make(map[string]bool), make(map[string]bool)
	return touched, released
}

// wait keeps what a campaign waits for.
func (c *campaigns) wait(id, what string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits[id] = waiting{what, until}
}

// seen counts targets that were begun, and that came to their end.
func (c *campaigns) seen(id string, now time.Time, begun, ended int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pace[id]
	if p == nil {
		p = &pace{since: now}
		c.pace[id] = p
	}
	p.count(now, begun, ended)
}

// flowOpen says whether pushes of a flow may go to a modem: those of a campaign may while it runs, and what is left over
// of one that is done.
func (f *Fleet) flowOpen(name string) bool {
	id, _, _ := strings.Cut(name, "/")
	if id == "" {
		return true
	}
	c := &f.campaigns
	c.mu.Lock()
	open, known := c.open[id]
	changes := c.changes
	c.mu.Unlock()
	if known {
		return open
	}
	campaign, err := f.store.Campaign(id)
	if err != nil {
		return false // the queue is asked again
	}
	open = campaign.State == storage.CampaignRunning || campaign.State == storage.CampaignDone
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes == changes { // else it may have changed since it was read
		c.open[id] = open
	}
	return open
}
