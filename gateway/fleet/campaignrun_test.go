package fleet

import (
	"context"
	"fmt"
	"testing"
	"time"

	"dmgate/storage"
)

// The engine as it runs: it is woken by what upstream does and by what happens, and ends when it is told to. A store
// that fails meanwhile is waited for.
func TestRunCampaigns(t *testing.T) {
	w := newWorld(t)
	w.store.failAt, w.store.armed = 4, true
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- w.RunCampaigns(ctx) }()
	c, err := w.CreateCampaign(NewCampaign{What: storage.Action{Kind: kindBootstrap, PIN: "1234"}})
	w.must(err)
	w.fillUp(c.ID, 300, 9991000000)
	if err := w.StartCampaign(c.ID); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for begun := 0; begun < 300; begun = w.campaign(c.ID).Counts["begun"] {
		select {
		case <-tick.C:
			w.store.mend()
		case <-ctx.Done():
			t.Fatalf("%d targets were begun", begun)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	w.check(c.ID)
}

// queued is a campaign that runs, while no modem takes any of its pushes.
func (w *world) queued(targets int, first uint64) string {
	w.t.Helper()
	w.modems = 0
	c, err := w.CreateCampaign(NewCampaign{What: storage.Action{Kind: kindBootstrap, PIN: "1234"}})
	w.must(err)
	w.fillUp(c.ID, targets, first)
	w.must(w.StartCampaign(c.ID))
	return c.ID
}

// Campaigns take turns.
func TestCampaignsTakeTurns(t *testing.T) {
	w := newWorld(t)
	ids := []string{w.queued(2*launchBatch+1, 9991000000), w.queued(2*launchBatch+1, 9992000000)}
	for range 2 {
		_, err := w.engine.round(w.now)
		w.must(err)
	}
	for _, id := range ids {
		if n := w.campaign(id).Counts["begun"]; n != launchBatch { // the second batch is not accounted for yet
			t.Errorf("%d targets of %s begun in two rounds, want %d", n, id, launchBatch)
		}
	}
}

// What a campaign has queued ahead of the modems is bounded.
func TestCampaignBacklog(t *testing.T) {
	w := newWorld(t)
	id := w.queued(launchBacklog+1, 9991000000)
	w.work()
	if n := w.campaign(id).Counts["queued"]; n != launchBacklog {
		t.Errorf("%d pushes are queued, want %d", n, launchBacklog)
	}
	p, err := w.Progress(id)
	w.must(err)
	if want := fmt.Sprintf("modems: %d pushes are queued", launchBacklog); p.Waits != want {
		t.Errorf("it waits for %q, want %q", p.Waits, want)
	}
}

// A campaign tells its pace as it is seen, and from that its end.
func TestCampaignProgress(t *testing.T) {
	w := newWorld(t)
	c, err := w.CreateCampaign(NewCampaign{
		What: storage.Action{Kind: kindBootstrap, PIN: "1234"}, How: storage.Pacing{Rate: 300},
	})
	w.must(err)
	w.fillUp(c.ID, 500, 9991000000)
	w.must(w.StartCampaign(c.ID))
	w.pass(40 * time.Minute)
	p, err := w.Progress(c.ID)
	w.must(err)
	if p.BegunMinute != 5 || p.EndedMinute != 5 || p.Targets != 500 {
		t.Errorf("%g begun and %g ended a minute of %d, want 5 and 5 of 500", p.BegunMinute, p.EndedMinute, p.Targets)
	}
	rest := left(&p.Campaign)
	if want := w.now.Add(time.Duration(rest) * time.Minute / 5); !p.End.Equal(want) {
		t.Errorf("the end is expected at %v, want %v", p.End, want)
	}
	if p.What.PIN != "" {
		t.Error("it tells the PIN")
	}
}
