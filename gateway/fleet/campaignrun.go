package fleet

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"dmgate/storage"
)

// How the engine works.
const (
	engineTick    = time.Second // how often it looks what has become due, when nothing else wakes it
	engineSettle  = 50 * time.Millisecond
	accountPage   = 1000   // feed entries at a time
	accountBehind = 10_000 // feed entries by which a campaign that has none in them may stay behind
	campaignPage  = 100
)

// RunCampaigns carries out the campaigns that run, until ctx ends. All that it knows is in the store: one that was
// killed goes on where it was. It is a reader of the feed, which tells it what has become of its orders, and begins
// nothing before it has read all there is.
func (f *Fleet) RunCampaigns(ctx context.Context) error {
	tick := time.NewTicker(engineTick)
	defer tick.Stop()
	for ctx.Err() == nil {
		err := f.newEngine().run(ctx, tick.C)
		if err == nil || errors.Is(err, storage.ErrClosed) {
			return nil
		}
		// Nobody knows what of the last commit is kept: a new engine finds out.
		if !errors.Is(err, storage.ErrFailed) {
			f.opt.Log.Error("campaigns stand still, to be tried again", zap.Error(err))
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

// engine carries out campaigns. What it keeps in memory is true as long as none of its commits has failed.
type engine struct {
	*Fleet
	active map[string]*running
	at     uint64 // the feed is read up to there
}

// running is a campaign that is not over, as the engine sees it.
type running struct {
	storage.Campaign // as it was last committed
	bucket           bucket
	sweep            sweep
	looked           time.Time // when it was last looked for what is overdue
	scanned          time.Time // when its canary group was last looked through
}

func (f *Fleet) newEngine() *engine { return &engine{Fleet: f, active: make(map[string]*running)} }

// run loads what there is to do and works, until ctx ends or something fails.
func (e *engine) run(ctx context.Context, tick <-chan time.Time) error {
	if err := e.load(); err != nil {
		return err
	}
	for ctx.Err() == nil {
		grown := e.store.Grown()
		worked, err := e.round(e.opt.Clock())
		if err != nil {
			return err
		}
		if worked {
			continue
		}
		select {
		case <-ctx.Done():
		case <-grown:
			e.settle(ctx)
		case <-e.campaigns.wake:
		case <-tick:
		}
	}
	return nil
}

// settle lets a moment pass: what happens in it is accounted for in one commit.
func (e *engine) settle(ctx context.Context) {
	moment := time.NewTimer(engineSettle)
	defer moment.Stop()
	select {
	case <-ctx.Done():
	case <-e.campaigns.wake:
	case <-moment.C:
	}
}

// load finds the campaigns that are not over.
func (e *engine) load() error {
	e.campaigns.taken()
	e.at = e.store.Head()
	after := ""
	for {
		page, err := e.store.Campaigns(after, campaignPage)
		if err != nil {
			return err
		}
		for i := range page {
			e.take(&page[i])
		}
		if len(page) < campaignPage {
			break
		}
		after = page[len(page)-1].ID
	}
	for id, r := range e.active {
		r.sweep.release = r.Counts[string(storage.TargetHeld)] > 0
		if r.Started.IsZero() {
			continue
		}
		e.at = min(e.at, r.Offset)
		now := e.opt.Clock()
		err := e.store.CommitCampaign(&storage.CampaignCommit{Campaign: id, Time: now, Edit: func(c *storage.Campaign) error {
			c.Clocked = now // nobody was there to see it run
			return nil
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// take has the engine look after a campaign, as long as there is something to do.
func (e *engine) take(c *storage.Campaign) {
	r := e.active[c.ID]
	switch {
	case c.State == storage.CampaignDone,
		c.State == storage.CampaignDraft && !c.Selecting,
		c.State == storage.CampaignCancelled && left(c) == 0:
		delete(e.active, c.ID)
		return
	case r == nil:
		r = &running{}
		e.active[c.ID] = r
	}
	r.Campaign = *c
}

// round does a little for each campaign. It says whether there is more to do at once.
func (e *engine) round(now time.Time) (worked bool, err error) {
	touched, released := e.campaigns.taken()
	for id := range touched {
		if err := e.reload(id); err != nil {
			return false, err
		}
		if r := e.active[id]; r != nil && released[id] {
			r.sweep.release = true
		}
	}
	if err := e.catchUp(now); err != nil {
		return false, err
	}
	for _, id := range slices.Sorted(maps.Keys(e.active)) {
		r := e.active[id]
		steps := [...]func(*running, time.Time) (bool, error){e.selectTargets, e.sweepTargets, e.lookAfter, e.launch}
		for _, step := range steps {
			moved, err := step(r, now)
			if err != nil {
				return false, err
			}
			worked = worked || moved
		}
		if r.State == storage.CampaignRunning && left(&r.Campaign) == 0 && !r.Selecting {
			if err := e.commit(newTally(&r.Campaign), now); err != nil { // it is over
				return false, err
			}
		}
		e.take(&r.Campaign)
	}
	return worked, nil
}

// reload reads a campaign's record anew.
func (e *engine) reload(id string) error {
	c, err := e.store.Campaign(id)
	if err != nil {
		return err
	}
	e.take(c)
	return nil
}

// catchUp takes in what the feed has brought.
func (e *engine) catchUp(now time.Time) error {
	for head := e.store.Head(); e.at < head; {
		if len(e.active) == 0 {
			e.at = head
			return nil
		}
		entries, err := e.store.Feed(e.at, accountPage)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return nil
		}
		if err := e.takeIn(entries, now); err != nil {
			return err
		}
	}
	return nil
}

// takeIn accounts for a page of the feed, with one commit for each campaign that it concerns, or that would stay too far
// behind.
func (e *engine) takeIn(entries []storage.FeedEntry, now time.Time) error {
	tallies := make(map[string]*tally)
	for i := range entries {
		if entries[i].Kind == "push" { // that of the bootstrap of an install is a stage of the install
			entries[i].Order = strings.TrimSuffix(entries[i].Order, bootstrapSuffix)
		}
		id, number, attempt, ok := cutOrderName(entries[i].Order)
		r := e.active[id]
		if !ok || r == nil || entries[i].Offset <= r.Offset {
			continue
		}
		y := tallies[id]
		if y == nil {
			y = newTally(&r.Campaign)
			tallies[id] = y
		}
		if err := e.account(y, &entries[i], number, attempt); err != nil {
			return err
		}
	}
	at := entries[len(entries)-1].Offset
	for _, id := range slices.Sorted(maps.Keys(e.active)) {
		r := e.active[id]
		if tallies[id] == nil && !r.Started.IsZero() && at-min(at, r.Offset) > accountBehind {
			tallies[id] = newTally(&r.Campaign)
		}
		if y := tallies[id]; y != nil {
			y.offset = at
			if err := e.commit(y, now); err != nil {
				return err
			}
		}
	}
	e.at = at
	return nil
}

// commit makes y durable.
func (e *engine) commit(y *tally, now time.Time) error {
	r := e.active[y.was.ID]
	was := y.was.State
	var after storage.Campaign
	if err := e.store.CommitCampaign(y.commit(now, &after)); err != nil {
		return err
	}
	r.Campaign = after
	e.campaigns.seen(after.ID, now, y.begun, y.ended)
	if after.State != was {
		e.campaigns.moved(after.ID)
	}
	return nil
}

// skip lets pass what can not be read or written of one target: one bad item never sinks the rest. A store that has
// failed is no such thing.
func (e *engine) skip(what, order string, err error) error {
	if err == nil || errors.Is(err, storage.ErrFailed) || errors.Is(err, storage.ErrClosed) {
		return err
	}
	e.opt.Log.Error(what, zap.String("order", order), zap.Error(err))
	return nil
}
