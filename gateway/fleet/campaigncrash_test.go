package fleet

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dmgate/storage"
)

// The engine killed at any one of its commits, kept or not: each target is sent to as often as without, and all is
// accounted for once.
func TestCampaignKilledAnywhere(t *testing.T) {
	truth := killedAt(t, 0, false)
	const want = "held 3, done, pending 0 held 0 begun 0 done 9 failed 3 refused 0 cancelled 0, " +
		"canary {Begun:2 From:0 Good:2 Bad:0 Passed:true}, operator:op1 9 good 2 bad, operator:op2 0 good 3 bad, " +
		"+9991001000 sent 1 times, +9991001005 sent 2 times, +9992000000 sent 2 times"
	if truth != want {
		t.Fatalf("without a crash: %s, want %s", truth, want)
	}
	commits := 0
	for _, kept := range []bool{false, true} {
		for n, ended := 1, false; !ended; n++ {
			w := &world{}
			got := killedIn(t, n, kept, w)
			ended = w.store.failAt > 0
			if got != truth {
				t.Fatalf("killed at commit %d (kept: %v): %s, want %s", n, kept, got, truth)
			}
			commits++
		}
	}
	t.Logf("killed %d times", commits)
}

func killedAt(t *testing.T, n int, kept bool) string { return killedIn(t, n, kept, &world{}) }

// killedIn lives through a campaign with all that can happen, and tells how it has ended.
func killedIn(t *testing.T, n int, kept bool, into *world) string {
	w := newWorld(t)
	defer func() { *into = *w }()
	w.store.failAt, w.store.kept = n, kept
	w.modems = 4
	w.behaviour = append(w.behaviour,
		behaviour{prefix: "+9991001001", push: storage.PushFailed, answer: 5 * time.Minute, once: true},
		behaviour{prefix: "+9991001005", push: storage.PushFailed, answer: 5 * time.Minute, once: true},
		behaviour{prefix: "+9991001008", push: storage.PushSent, answer: 5 * time.Minute},
		behaviour{prefix: "+99920", push: storage.PushFailed})
	c, err := w.CreateCampaign(NewCampaign{
		What: storage.Action{Kind: kindBootstrap, PIN: "1234"},
		How: storage.Pacing{
			Canary: 2, CanaryGood: 0.5, Attempts: 2, RetryAfter: 10 * time.Minute, Success: "delivered",
			HoldAbove: 0.7, HoldOver: 4,
		},
	})
	w.must(err)
	w.fillUp(c.ID, 9, 9991001000)
	w.fillUp(c.ID, 3, 9992000000)
	w.must(w.StartCampaign(c.ID))
	w.pass(20 * time.Minute)
	w.must(w.PauseCampaign(c.ID))
	w.pass(5 * time.Minute)
	w.must(w.ResumeCampaign(c.ID))
	w.pass(30 * time.Minute)
	before := fmt.Sprintf("held %d, ", w.campaign(c.ID).Counts["held"])
	w.released = true
	w.must(w.ReleaseGroup(c.ID, "operator:op2"))
	w.pass(2 * time.Hour)
	return before + w.result(c.ID)
}

// result is what has become of a campaign.
func (w *world) result(id string) string {
	w.t.Helper()
	w.check(id)
	s := w.campaign(id)
	out := fmt.Sprintf("%s, %v, canary %+v", s.State, counts(s), s.Canary)
	for _, name := range []string{"operator:op1", "operator:op2"} {
		g := s.Groups[name]
		out += fmt.Sprintf(", %s %d good %d bad", name, g.Good, g.Bad)
	}
	for _, number := range []string{"+9991001000", "+9991001005", "+9992000000"} {
		out += fmt.Sprintf(", %s sent %d times", number, w.sent[number])
	}
	return out
}

func counts(c *storage.Campaign) string {
	var b strings.Builder
	for _, s := range []string{"pending", "held", "begun", "done", "failed", "refused", "cancelled"} {
		fmt.Fprintf(&b, "%s %d ", s, c.Counts[s])
	}
	return strings.TrimSpace(b.String())
}

func (w *world) campaign(id string) *storage.Campaign {
	w.t.Helper()
	c, err := w.store.Campaign(id)
	w.must(err)
	return c
}

// fillUp adds n targets from a number on.
func (w *world) fillUp(id string, n int, first uint64) {
	w.t.Helper()
	_, err := w.AddTargets(id, func(yield func(Line, error) bool) {
		for i := range uint64(n) {
			if !yield(Line{Number: i + 1, MSISDN: fmt.Sprintf("+%d", first+i), PIN: "4321"}, nil) {
				return
			}
		}
	})
	w.must(err)
}

// A feed that is read once more from its beginning changes nothing.
func TestCampaignReadsTheFeedTwice(t *testing.T) {
	w := &world{}
	want := killedIn(t, 0, false, w)
	campaigns, err := w.store.Campaigns("", 1)
	w.must(err)
	c := campaigns[0]
	c.Offset = 0
	w.engine.active[c.ID] = &running{Campaign: c}
	w.engine.at = 0
	w.must(w.store.CommitCampaign(&storage.CampaignCommit{Campaign: c.ID, Edit: func(c *storage.Campaign) error {
		c.Offset = 0
		return nil
	}}))
	w.must(w.engine.catchUp(w.now))
	if got := "held 3, " + w.result(c.ID); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if c := w.campaign(c.ID); c.Offset == 0 {
		t.Error("it was not read")
	}
}

// Whatever becomes of the pushes and the devices, whenever the engine is killed and whatever upstream does meanwhile:
// the counts are those of the targets, every attempt is one order and one outcome, and all comes to its end.
func TestCampaignAccounting(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		defer w.store.Close()
		fates := []storage.PushState{storage.PushSent, storage.PushDelivered, storage.PushFailed, storage.PushDoubtful}
		for _, prefix := range []string{"+", "+9991", "+9991000003", "+99910001", "+99920", "+9992000002"} {
			w.behaviour = append(w.behaviour, behaviour{
				prefix: prefix, push: rapid.SampledFrom(fates).Draw(rt, "push"),
				answer: time.Duration(rapid.SampledFrom([]int{0, 3, 30}).Draw(rt, "answer")) * time.Minute,
				once:   rapid.Bool().Draw(rt, "once"), code: 200,
			})
		}
		w.modems = rapid.IntRange(1, 30).Draw(rt, "modems")
		var ids []string
		for i := range uint64(2) { // two: the one is behind the other in the feed
			c, err := w.CreateCampaign(NewCampaign{What: storage.Action{Kind: kindBootstrap, PIN: "1234"}, How: pacings(rt)})
			w.must(err)
			w.fillUp(c.ID, rapid.IntRange(1, 8).Draw(rt, "first"), 9991000000+100*i)
			w.fillUp(c.ID, rapid.IntRange(0, 8).Draw(rt, "second"), 9992000000+100*i)
			w.must(w.StartCampaign(c.ID))
			ids = append(ids, c.ID)
		}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			w.store.failAt = rapid.IntRange(0, 40).Draw(rt, "failAt")
			w.store.kept = rapid.Bool().Draw(rt, "kept")
			w.meddle(rt, rapid.SampledFrom(ids).Draw(rt, "campaign"))
			w.pass(time.Duration(rapid.IntRange(1, 40).Draw(rt, "minutes")) * time.Minute)
			for _, id := range ids {
				w.check(id)
			}
		}
		w.store.failAt = 0
		for _, id := range ids {
			w.finish(rt, id)
		}
	})
}

func pacings(rt *rapid.T) storage.Pacing {
	return storage.Pacing{
		Rate:       float64(rapid.SampledFrom([]int{0, 30, 600}).Draw(rt, "rate")),
		Canary:     rapid.IntRange(0, 5).Draw(rt, "canary"),
		Attempts:   rapid.IntRange(1, 3).Draw(rt, "attempts"),
		Success:    rapid.SampledFrom([]string{"sent", "delivered", "done"}).Draw(rt, "success"),
		HoldAbove:  rapid.SampledFrom([]float64{0, 0.3, 0.7}).Draw(rt, "hold"),
		HoldOver:   rapid.IntRange(1, 12).Draw(rt, "over"),
		RetryAfter: time.Duration(rapid.SampledFrom([]int{1, 20}).Draw(rt, "retry")) * time.Minute,
	}
}

// meddle does what upstream may do. What the campaign can not do now it refuses.
func (w *world) meddle(rt *rapid.T, id string) {
	w.t.Helper()
	switch rapid.IntRange(0, 7).Draw(rt, "upstream") {
	case 0:
		w.PauseCampaign(id)
	case 1, 2:
		w.ResumeCampaign(id)
	case 3:
		w.released = true
		w.ReleaseGroup(id, "operator:op1")
		w.ReleaseGroup(id, "operator:op2")
	case 4:
		how := pacings(rt)
		w.EditCampaign(id, func(c *storage.Campaign) error { c.How = how; return nil })
	case 5:
		if rapid.IntRange(0, 3).Draw(rt, "really") == 0 {
			w.CancelCampaign(id)
		}
	}
}

// finish lets all go on until everything has come to its end.
func (w *world) finish(rt *rapid.T, id string) {
	w.t.Helper()
	w.modems, w.step = 1000, time.Hour
	for range 100 {
		c := w.campaign(id)
		w.check(id)
		if ended(c) && left(c) == 0 {
			return
		}
		w.ResumeCampaign(id)
		w.EditCampaign(id, func(c *storage.Campaign) error { c.How = storage.Pacing{Attempts: 1}; return nil })
		w.released = true
		w.ReleaseGroup(id, "operator:op1")
		w.ReleaseGroup(id, "operator:op2")
		w.pass(time.Hour)
	}
	c := w.campaign(id)
	rt.Fatalf("not over after 100 h: %s, %v", c.State, c.Counts)
}
