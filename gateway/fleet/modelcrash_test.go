package fleet

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"dmgate/storage"
)

// lifeOfMany is what happens to devices of several models, in the order of the feed.
func lifeOfMany(s *school) {
	for i := range 12 {
		facts := maps.Clone(e71)
		facts["FwV"] = fmt.Sprintf("%d", i%3)
		d := s.pupil([]string{"userpin", "netwpin"}[i%2])
		s.enters(d, storage.Sent)
		switch i % 4 {
		case 1:
			s.enters(d, storage.Unanswered)
			continue
		case 2:
			s.enters(d, storage.Unanswered)
			s.enters(d, storage.Connected)
		default:
			s.enters(d, storage.Connected)
		}
		s.walked(d, facts, "", storage.Node{URI: "./SCOMO", Code: 200, Format: "node", Children: []string{"Download"}})
		s.tried(d, "scomo", []string{outcomeWorked, outcomeFailed}[i/4%2], "no memory")
	}
}

// all is what was learnt of all models, in words.
func (s *school) all() string {
	s.t.Helper()
	list, _, err := s.Models("", "", 100)
	if err != nil {
		s.t.Fatal(err)
	}
	var b strings.Builder
	for _, v := range list {
		fmt.Fprintf(&b, "%s: %s\n", v.Key, tellModel(v))
	}
	return b.String()
}

const allOfMany = `Nokia|E71|0: seen 3, scomo 2/1/0/0 no memory*1, userpin 2/0/0, netwpin 1/0/0, 1 nodes 2/0
Nokia|E71|1: seen 3, scomo 1/2/0/0 no memory*2, userpin 2/0/0, netwpin 1/0/0, 1 nodes 2/0
Nokia|E71|2: seen 3, scomo 3/0/0/0, userpin 2/0/0, netwpin 1/0/0, 1 nodes 2/0
tac:35824201: seen 9, userpin 6/0/0, netwpin 3/3/0, is Nokia|E71|2, is Nokia|E71|1, is Nokia|E71|0
`

// crashing is a store that fails at one of the edits of documents, as in a crash: the edit is kept or it is not, and
// nothing more is written.
type crashing struct {
	storage.Store
	failAt int // edits from now; 0 for never
	kept   bool
	down   bool
}

func (c *crashing) EditDocument(name string, edit func([]byte) ([]byte, error)) error {
	if c.down {
		return storage.ErrFailed
	}
	if c.failAt--; c.failAt == 0 {
		c.down = true
		if c.kept {
			if err := c.Store.EditDocument(name, edit); err != nil {
				return err
			}
		}
		return storage.ErrFailed
	}
	return c.Store.EditDocument(name, edit)
}

// Killed at any one of its writes, kept or not, the learner counts all that has happened, once.
func TestLearnerKilledAnywhere(t *testing.T) {
	crashes := 0
	for _, kept := range []bool{false, true} {
		for n := 0; ; n++ {
			s := newSchool(t)
			lifeOfMany(s)
			store := &crashing{Store: s.store, failAt: n, kept: kept}
			s.Fleet.store = store
			err := learnAll(s.Fleet)
			if n > 0 && !store.down {
				break // it has fewer writes
			}
			if n > 0 && !errors.Is(err, storage.ErrFailed) || n == 0 && err != nil {
				t.Fatalf("killed at write %d (kept: %v): %v", n, kept, err)
			}
			s.Fleet.store, s.Fleet.models = s.store, models{rules: s.Fleet.models.rules}
			s.learn()
			if got := s.all(); got != allOfMany {
				t.Fatalf("killed at write %d (kept: %v):\n%s\nwant\n%s", n, kept, got, allOfMany)
			}
			crashes++
		}
	}
	t.Logf("killed %d times", crashes-2)
}

// Two processes that read one feed count all of it, once.
func TestTwoFleetsLearn(t *testing.T) {
	s := newSchool(t)
	other := New(s.opt, s.store, func() {})
	var both sync.WaitGroup
	errs := make([]error, 2)
	stop := make(chan struct{})
	for i, f := range []*Fleet{s.Fleet, other} {
		both.Go(func() {
			for ended := false; !ended && errs[i] == nil; {
				select {
				case <-stop:
					ended = true
				default:
				}
				errs[i] = learnAll(f)
			}
		})
	}
	lifeOfMany(s)
	close(stop)
	both.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := s.all(); got != allOfMany {
		t.Errorf("two:\n%s\nwant\n%s", got, allOfMany)
	}
}

// A feed that is read once more from its beginning changes nothing.
func TestLearnerReadsTheFeedTwice(t *testing.T) {
	s := newSchool(t)
	lifeOfMany(s)
	s.learn()
	if _, err := s.modelReader(func(r *storage.ModelReader) { r.Offset = 0 }); err != nil {
		t.Fatal(err)
	}
	s.learn()
	if got := s.all(); got != allOfMany {
		t.Errorf("read twice:\n%s\nwant\n%s", got, allOfMany)
	}
	r, err := s.modelReader(nil)
	if err != nil || r.Offset != s.store.Head() || r.Kept != strings.Count(allOfMany, "\n") {
		t.Errorf("the reader stands at %+v, the feed at %d: %v", r, s.store.Head(), err)
	}
}
