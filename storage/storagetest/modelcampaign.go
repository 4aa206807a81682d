package storagetest

import (
	"cmp"
	"maps"
	"time"

	"pgregory.net/rapid"

	"dmgate/storage"
)

// targetRow names a target.
type targetRow struct {
	campaign string
	number   uint64
}

// commitCampaign does what c says, or returns what is wrong with it.
func (m *model) commitCampaign(c *storage.CampaignCommit) error {
	was, found := m.campaigns[c.Campaign]
	is := was
	switch {
	case found && c.New != nil:
		return storage.ErrExists
	case c.New != nil:
		is = *c.New
	case !found:
		return storage.ErrNotFound
	}
	is.Counts = maps.Clone(is.Counts)
	if c.Edit != nil {
		if err := c.Edit(&is); err != nil {
			return err
		}
	}
	if n := len(c.Targets); n > 0 && c.Targets[n-1].Number > is.Last {
		return errRefused
	}
	m.campaigns[c.Campaign] = is
	for _, t := range c.Targets {
		m.targets[targetRow{t.Campaign, t.Number}] = t
	}
	tell := func(e storage.FeedEntry) {
		e.Offset, e.Time, e.Campaign, e.Device = uint64(len(m.feed)+1), c.Time, c.Campaign, ""
		m.feed = append(m.feed, e)
	}
	if is.State != was.State {
		tell(storage.FeedEntry{Kind: "campaign", Status: string(is.State), Text: is.Reason})
	}
	for _, e := range c.Feed {
		tell(e)
	}
	return nil
}

func byNumber(a, b storage.Target) int { return cmp.Compare(a.Number, b.Number) }

func (m *model) campaignsAfter(after string, limit int) []storage.Campaign {
	return pick(m.campaigns, limit, func(c storage.Campaign) bool { return c.ID > after },
		func(a, b storage.Campaign) int { return cmp.Compare(a.ID, b.ID) })
}

func (m *model) targetsOf(campaign string, after uint64, limit int) []storage.Target {
	return pick(m.targets, limit, func(t storage.Target) bool {
		return t.Campaign == campaign && t.Number > after
	}, byNumber)
}

func (m *model) targetsIn(campaign string, state storage.TargetState, now time.Time, limit int) []storage.Target {
	return pick(m.targets, limit, func(t storage.Target) bool {
		return t.Campaign == campaign && t.State == state && !t.NotBefore.After(now)
	}, func(a, b storage.Target) int { return cmp.Or(a.NotBefore.Compare(b.NotBefore), byNumber(a, b)) })
}

func (m *model) findTarget(campaign, msisdn string) (uint64, error) {
	for _, t := range m.targets {
		if t.Campaign == campaign && t.MSISDN == msisdn && t.State != storage.TargetRefused {
			return t.Number, nil
		}
	}
	return 0, storage.ErrNotFound
}

var (
	modelCampaigns = []string{"k", "k\x00", "l"}
	indexedStates  = []storage.TargetState{storage.TargetPending, storage.TargetHeld, storage.TargetBegun}
	targetStates   = append(indexedStates[:3:3], storage.TargetDone, storage.TargetRefused)
)

func drawCampaign(t *rapid.T) string { return rapid.SampledFrom(modelCampaigns).Draw(t, "campaign") }

// randomCampaignCommit changes some targets and adds some. No two that are not refused have one MSISDN, as whoever adds
// them has to see to.
func randomCampaignCommit(t *rapid.T, m *model) *storage.CampaignCommit {
	id := drawCampaign(t)
	was, found := m.campaigns[id]
	c := &storage.CampaignCommit{
		Campaign: id, Time: drawTime(t),
		Feed: drawSome(t, "feed", func(t *rapid.T) storage.FeedEntry {
			return storage.FeedEntry{Kind: "campaign", Text: drawName(t), Device: "no device's"}
		}),
	}
	last := was.Last + rapid.Uint64Range(0, 3).Draw(t, "added")
	taken := map[string]uint64{"": 0}
	for n := range last {
		if old, ok := m.targets[targetRow{id, n + 1}]; ok && old.State != storage.TargetRefused {
			taken[old.MSISDN] = n + 1
		}
	}
	beyond := rapid.IntRange(0, 9).Draw(t, "beyond") == 0
	for n := range last + 1 {
		number := n + 1
		if number > last && !beyond || number <= was.Last && rapid.Bool().Draw(t, "untouched") {
			continue
		}
		target := storage.Target{
			Campaign: id, Number: number, MSISDN: drawName(t), NotBefore: drawTime(t), Reason: drawName(t),
			State: rapid.SampledFrom(targetStates).Draw(t, "target state"),
		}
		if owner, ok := taken[target.MSISDN]; ok && owner != number {
			target.State = storage.TargetRefused
		}
		if target.State != storage.TargetRefused {
			taken[target.MSISDN] = number
		}
		c.Targets = append(c.Targets, target)
	}
	state := rapid.SampledFrom([]storage.CampaignState{storage.CampaignDraft, storage.CampaignHeld}).Draw(t, "state")
	reason := drawName(t)
	c.Edit = func(c *storage.Campaign) error {
		c.State, c.Reason, c.Last, c.Counts = state, reason, last, map[string]int{reason: int(last)}
		return nil
	}
	switch rapid.SampledFrom([]string{"as it is", "as it is", "as it is", "other", "abandon", "targets"}).Draw(t, "how") {
	case "as it is":
		if !found {
			c.New = &storage.Campaign{ID: id}
		}
	case "other":
		if found {
			c.New = &storage.Campaign{ID: id}
		}
	case "abandon":
		c.Edit = func(c *storage.Campaign) error { c.Last = 99; return errAbandoned }
	case "targets":
		c.Edit = nil
	}
	return c
}

func compareCampaigns(t *rapid.T, s storage.Store, m *model) {
	id, number, limit, now, name := drawCampaign(t), drawID(t), drawLimit(t), drawTime(t), drawName(t)
	compare[*storage.Campaign](t, "Campaign")(s.Campaign(id))(find(m.campaigns, id))
	compare[[]storage.Campaign](t, "Campaigns")(s.Campaigns(id, limit))(m.campaignsAfter(id, limit), nil)
	compare[*storage.Target](t, "Target")(s.Target(id, number))(find(m.targets, targetRow{id, number}))
	compare[[]storage.Target](t, "Targets")(s.Targets(id, number, limit))(m.targetsOf(id, number, limit), nil)
	for _, state := range targetStates {
		want := m.targetsIn(id, state, now, limit)
		if state == storage.TargetDone || state == storage.TargetRefused {
			want = nil // they have come to their end
		}
		compare[[]storage.Target](t, "TargetsIn "+string(state))(s.TargetsIn(id, state, now, limit))(want, nil)
	}
	if name != "" {
		compare[uint64](t, "FindTarget")(s.FindTarget(id, name))(m.findTarget(id, name))
	}
}
