package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"dmgate/storage"
)

// orderName is the name of the order of one attempt at a target. By it the feed tells the campaign what has become of
// it, and an attempt that was ordered is not ordered again.
func orderName(campaign string, number uint64, attempt int) string {
	return campaign + "." + strconv.FormatUint(number, 10) + "." + strconv.Itoa(attempt)
}

// cutOrderName takes apart what orderName made; ok is false for the name of any other order.
func cutOrderName(order string) (campaign string, number uint64, attempt int, ok bool) {
	campaign, rest, ok := strings.Cut(order, ".")
	n, a, _ := strings.Cut(rest, ".")
	number, err := strconv.ParseUint(n, 10, 64)
	attempt, err2 := strconv.Atoi(a)
	return campaign, number, attempt, ok && err == nil && err2 == nil
}

// tally is what a stretch of the feed, or a step of the engine, changes in one campaign. It is committed as one.
type tally struct {
	was     *storage.Campaign // as it was when the tally was begun
	offset  uint64            // the feed is accounted for up to there; 0 where the tally is not of the feed
	targets map[uint64]*storage.Target
	counts  map[string]int // differences
	canary  storage.Canary // to be added
	results []outcome
	begun   int
	ended   int
}

// outcome is how one attempt at a target has gone, and the groups that it counts in.
type outcome struct {
	groups []string
	good   bool
}

func newTally(c *storage.Campaign) *tally {
	return &tally{was: c, targets: make(map[uint64]*storage.Target), counts: make(map[string]int)}
}

// change changes a target and counts it where it stands after that.
func (y *tally) change(t *storage.Target, now time.Time, edit func()) {
	before := t.State
	y.count(t, -1)
	edit()
	y.count(t, 1)
	if t.State != before {
		t.Since = now
		if over(t) {
			t.PIN = ""
			y.ended++
		}
	}
	y.targets[t.Number] = t
}

// over says whether a target has come to its end.
func over(t *storage.Target) bool {
	return t.State != storage.TargetPending && t.State != storage.TargetHeld && t.State != storage.TargetBegun
}

func (y *tally) count(t *storage.Target, n int) {
	y.counts[string(t.State)] += n
	if t.State == storage.TargetBegun {
		y.counts[t.Stage] += n
	}
}

// judge counts the outcome of an attempt, once. It says whether it was not counted before.
func (y *tally) judge(t *storage.Target, operator string, good bool) {
	if t.Judged {
		return
	}
	t.Judged = true
	y.results = append(y.results, outcome{groupsOf(t, operator), good})
	if good && !t.Good {
		t.Good = true
		if t.Canary {
			y.canary.Good++
		}
	}
}

// maxGroups is how many groups a campaign counts: more TACs than any fleet has. Outcomes in more than that count for
// the campaign alone.
const maxGroups = 2000

// apply brings c up to date, and moves it on where that follows. It is pure but for c.
func (y *tally) apply(c *storage.Campaign, now time.Time) error {
	if y.offset > 0 && c.Offset != y.was.Offset {
		return fmt.Errorf("fleet: campaign %s is accounted for up to %d, not %d", c.ID, c.Offset, y.was.Offset)
	}
	clock(c, now)
	c.Offset = max(c.Offset, y.offset)
	if c.Counts == nil {
		c.Counts = make(map[string]int)
	}
	for key, n := range y.counts {
		if c.Counts[key] += n; c.Counts[key] == 0 {
			delete(c.Counts, key)
		}
	}
	c.Canary.Begun += y.canary.Begun
	c.Canary.Good += y.canary.Good
	c.Canary.Bad += y.canary.Bad
	for i := range y.results {
		y.results[i].apply(c, now)
	}
	y.follow(c, now)
	return nil
}

// apply counts an outcome in the groups of c and holds those that fail too often. What happens in a TAC or operator that
// is held is found out already: it is not held against the whole campaign, nor is what has led to that.
func (o *outcome) apply(c *storage.Campaign, now time.Time) {
	if c.Groups == nil {
		c.Groups = make(map[string]storage.Group)
	}
	found := false
	for _, name := range o.groups {
		g, known := c.Groups[name]
		if !known && len(c.Groups) >= maxGroups {
			continue
		}
		why := judge(&g, &c.How, o.good)
		if why != "" && g.Held == "" {
			g.Held = why
			all := c.Groups[groupAll]
			c.Groups[groupAll] = storage.Group{Good: all.Good, Bad: all.Bad}
		}
		found = found || g.Held != ""
		c.Groups[name] = g
	}
	all := c.Groups[groupAll]
	if found {
		count(&all, o.good)
	} else if why := judge(&all, &c.How, o.good); why != "" && c.State == storage.CampaignRunning {
		enter(c, storage.CampaignHeld, now, why)
	}
	c.Groups[groupAll] = all
}

// follow moves c on: the canary group has passed or failed, or all has come to its end, be it while c was paused.
func (y *tally) follow(c *storage.Campaign, now time.Time) {
	if c.State == storage.CampaignDraft || ended(c) {
		return
	}
	if c.How.Canary > 0 && c.Canary.Begun > 0 && canaryPassed(c) {
		c.Canary.Passed = true
	}
	switch {
	case left(c) == 0 && !c.Selecting:
		enter(c, storage.CampaignDone, now, "")
	case c.State == storage.CampaignRunning && canaryFailed(c):
		enter(c, storage.CampaignHeld, now, fmt.Sprintf("the canary group failed: %d of %d did not come to %s, %d have to",
			c.Canary.Bad, canarySize(c), c.How.Success, canaryWants(c)))
	}
}

// commit is y as a commit, which leaves in after how the campaign stands then.
func (y *tally) commit(now time.Time, after *storage.Campaign) *storage.CampaignCommit {
	c := &storage.CampaignCommit{Campaign: y.was.ID, Time: now, Edit: func(c *storage.Campaign) error {
		if err := y.apply(c, now); err != nil {
			return err
		}
		*after = *c
		return nil
	}}
	for _, n := range slices.Sorted(maps.Keys(y.targets)) {
		c.Targets = append(c.Targets, *y.targets[n])
	}
	return c
}
