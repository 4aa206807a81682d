package storagetest

import (
	"testing"
	"time"

	"dmgate/storage"
)

// campaign commits a new campaign with its first targets.
func campaign(t *testing.T, s storage.Store, id string, targets ...storage.Target) {
	t.Helper()
	for i := range targets {
		targets[i].Campaign, targets[i].Number = id, uint64(i+1)
	}
	commitCampaign(t, s, &storage.CampaignCommit{
		Campaign: id, Time: at(1), New: &storage.Campaign{ID: id, State: storage.CampaignDraft, Last: uint64(len(targets))},
		Targets: targets,
	})
}

func commitCampaign(t *testing.T, s storage.Store, c *storage.CampaignCommit) {
	t.Helper()
	if err := s.CommitCampaign(c); err != nil {
		t.Fatalf("commit for campaign %q: %v", c.Campaign, err)
	}
}

func campaignID(c storage.Campaign) string { return c.ID }
func targetNumber(t storage.Target) uint64 { return t.Number }
func pending(msisdn string, n int) storage.Target {
	return storage.Target{MSISDN: msisdn, State: storage.TargetPending, NotBefore: at(n)}
}

func testCampaigns(t *testing.T, s storage.Store) {
	head := s.Head()
	campaign(t, s, "k2")
	campaign(t, s, "k1")
	campaign(t, s, "k1\x00")
	wantSame(t, "campaigns", each(must(s.Campaigns("", 9))(t), campaignID), []string{"k1", "k1\x00", "k2"})
	wantSame(t, "campaigns", each(must(s.Campaigns("k1", 1))(t), campaignID), []string{"k1\x00"})
	wantSame(t, "campaigns", len(must(s.Campaigns("", 0))(t)), 0)
	again := &storage.CampaignCommit{Campaign: "k1", New: &storage.Campaign{ID: "k1"}}
	wantError(t, "a second time", s.CommitCampaign(again), storage.ErrExists)
	wantError(t, "of none", s.CommitCampaign(&storage.CampaignCommit{Campaign: "k9"}), storage.ErrNotFound)
	_, err := s.Campaign("k9")
	wantError(t, "none", err, storage.ErrNotFound)

	commitCampaign(t, s, &storage.CampaignCommit{
		Campaign: "k1", Time: at(4), Edit: func(c *storage.Campaign) error {
			c.State, c.Reason, c.Counts = storage.CampaignHeld, "too many failed", map[string]int{"done": 3}
			return nil
		},
		Feed: []storage.FeedEntry{{Kind: "campaign", Text: "noted", Device: "not this one"}},
	})
	wantSame(t, "edited", must(s.Campaign("k1"))(t).Counts, map[string]int{"done": 3})
	wantSame(t, "feed", must(s.Feed(head, 9))(t), []storage.FeedEntry{
		{Offset: head + 1, Time: at(1), Kind: "campaign", Campaign: "k2", Status: "draft"},
		{Offset: head + 2, Time: at(1), Kind: "campaign", Campaign: "k1", Status: "draft"},
		{Offset: head + 3, Time: at(1), Kind: "campaign", Campaign: "k1\x00", Status: "draft"},
		{Offset: head + 4, Time: at(4), Kind: "campaign", Campaign: "k1", Status: "held", Text: "too many failed"},
		{Offset: head + 5, Time: at(4), Kind: "campaign", Campaign: "k1", Text: "noted"},
	})
	two := func(c *storage.Campaign) error { c.Last = 2; return nil }
	for what, c := range map[string]*storage.CampaignCommit{
		"without an ID":          {New: &storage.Campaign{}},
		"of another one":         {Campaign: "k1", New: &storage.Campaign{ID: "k3"}},
		"with another's target":  {Campaign: "k1", Targets: []storage.Target{{Campaign: "k2", Number: 1}}, Edit: two},
		"changing its ID":        {Campaign: "k1", Edit: func(c *storage.Campaign) error { c.ID = "k3"; return nil }},
		"with a target 0":        {Campaign: "k1", Targets: numbered("k1", 0), Edit: two},
		"with a target twice":    {Campaign: "k1", Targets: numbered("k1", 2, 2), Edit: two},
		"with targets backwards": {Campaign: "k1", Targets: numbered("k1", 2, 1), Edit: two},
		"beyond its last target": {Campaign: "k1", Targets: numbered("k1", 2, 3), Edit: two},
	} {
		if err := s.CommitCampaign(c); err == nil {
			t.Errorf("a commit %s: no error", what)
		}
	}
	wantSame(t, "last after those", must(s.Campaign("k1"))(t).Last, uint64(0))
	wantError(t, "abandoned", s.CommitCampaign(&storage.CampaignCommit{
		Campaign: "k1", Targets: []storage.Target{{Campaign: "k1", Number: 1}},
		Edit: func(*storage.Campaign) error { return errAbandoned },
	}), errAbandoned)
	wantSame(t, "targets after it", len(must(s.Targets("k1", 0, 9))(t)), 0)
}

func testFullCampaign(t *testing.T, s storage.Store) {
	commitCampaign(t, s, FullCampaign("k"))
	WantFullCampaign(t, s, "k")
}

func numbered(campaign string, numbers ...uint64) (list []storage.Target) {
	for _, n := range numbers {
		list = append(list, storage.Target{Campaign: campaign, Number: n, State: storage.TargetPending})
	}
	return list
}

func testTargets(t *testing.T, s storage.Store) {
	campaign(t, s, "k1", pending("+491", 5), pending("+492", 3), pending("+493", 5), storage.Target{
		Line: 4, MSISDN: "+491", State: storage.TargetRefused, Reason: "named twice",
	})
	campaign(t, s, "k", pending("+491", 0))
	in := func(state storage.TargetState, now, limit int, want ...uint64) {
		t.Helper()
		wantSame(t, string(state), each(must(s.TargetsIn("k1", state, at(now), limit))(t), targetNumber), want)
	}
	in(storage.TargetPending, 2, 9)
	in(storage.TargetPending, 5, 9, 2, 1, 3)
	in(storage.TargetPending, 5, 2, 2, 1)
	in(storage.TargetPending, 5, 0)
	in(storage.TargetRefused, 9, 9)
	in(storage.TargetBegun, 9, 9)
	wantSame(t, "by number", each(must(s.Targets("k1", 1, 2))(t), targetNumber), []uint64{2, 3})
	wantSame(t, "all", each(must(s.Targets("k1", 0, 9))(t), targetNumber), []uint64{1, 2, 3, 4})
	wantSame(t, "of the other", each(must(s.Targets("k", 0, 9))(t), targetNumber), []uint64{1})
	wantSame(t, "by MSISDN", must(s.FindTarget("k1", "+491"))(t), uint64(1))
	wantSame(t, "one", must(s.Target("k1", 4))(t).Reason, "named twice")
	_, err := s.FindTarget("k1", "+494")
	wantError(t, "no such number", err, storage.ErrNotFound)
	_, err = s.Target("k1", 5)
	wantError(t, "no such target", err, storage.ErrNotFound)

	set := func(number uint64, change func(*storage.Target)) {
		t.Helper()
		target := must(s.Target("k1", number))(t)
		change(target)
		commitCampaign(t, s, &storage.CampaignCommit{Campaign: "k1", Targets: []storage.Target{*target}})
	}
	set(1, func(t *storage.Target) { t.State, t.NotBefore = storage.TargetBegun, time.Time{} })
	set(2, func(t *storage.Target) { t.NotBefore = at(9) })
	set(3, func(t *storage.Target) { t.State = storage.TargetDone })
	in(storage.TargetPending, 8, 9)
	in(storage.TargetPending, 9, 9, 2)
	in(storage.TargetBegun, 0, 9, 1)
	in(storage.TargetDone, 9, 9)
	wantSame(t, "by MSISDN", must(s.FindTarget("k1", "+493"))(t), uint64(3))
}
