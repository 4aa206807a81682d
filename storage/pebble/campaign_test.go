package pebble_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"dmgate/storage"
	"dmgate/storage/pebble"
)

// chunk is how many targets grow adds.
const chunk = 100

// grow is the n-th commit of a campaign: it adds a chunk of targets, and changes the first target of the chunk before.
func grow(id string, n int) *storage.CampaignCommit {
	first := uint64(n-1)*chunk + 1
	target := func(number uint64, state storage.TargetState) storage.Target {
		return storage.Target{Campaign: id, Number: number, MSISDN: fmt.Sprintf("+4917%08d", number), State: state}
	}
	c := &storage.CampaignCommit{Campaign: id, Edit: func(c *storage.Campaign) error { c.Last += chunk; return nil }}
	if n == 1 {
		c.New = &storage.Campaign{ID: id, State: storage.CampaignDraft}
	} else {
		c.Targets = append(c.Targets, target(first-chunk, storage.TargetDone))
	}
	for i := range uint64(chunk) {
		c.Targets = append(c.Targets, target(first+i, storage.TargetPending))
	}
	return c
}

// TestCampaignCrash cuts the power while targets are added: what was acknowledged is there, every commit whole.
func TestCampaignCrash(t *testing.T) {
	const commits, crashes = 60, 10
	rng := rand.New(rand.NewPCG(1, 2))
	d := newDisk()
	s := open(t, "db", pebble.Options{FS: d, MemTableSize: small})
	type crash struct {
		disk *vfs.MemFS
		told int // commits acknowledged before the power went
	}
	var all []crash
	for n := 1; n <= commits; n++ {
		done := make(chan error, 1)
		go func() { done <- s.CommitCampaign(grow("k", n)) }()
		if n%(commits/crashes) == 0 {
			all = append(all, crash{d.cut(50, rng), n - 1}) // in the midst of it
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := s.PutDocument("commits", []byte(fmt.Sprint(n))); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range append(all, crash{d.cut(0, nil), commits}) {
		s := open(t, "db", pebble.Options{FS: c.disk})
		newLedger().check(t, s)
		k, err := s.Campaign("k")
		if err != nil {
			t.Fatal(err)
		}
		n := int(k.Last / chunk)
		if n != c.told && n != c.told+1 {
			t.Errorf("crash %d: %d commits after %d were acknowledged", i, n, c.told)
		}
		if set, err := s.Document("commits"); err != nil || string(set) != fmt.Sprint(c.told) {
			t.Errorf("crash %d: setting %q, %v, want %d", i, set, err, c.told)
		}
		targets, err := s.Targets("k", 0, math.MaxInt)
		if err != nil || len(targets) != n*chunk {
			t.Errorf("crash %d: %d targets after %d commits, %v", i, len(targets), n, err)
		}
		pending, err := s.TargetsIn("k", storage.TargetPending, time.Time{}, math.MaxInt)
		if err != nil || len(pending) != n*chunk-(n-1) {
			t.Errorf("crash %d: %d pending targets after %d commits, %v", i, len(pending), n, err)
		}
	}
}
