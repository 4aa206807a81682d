package fleet

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"dmgate/bench/handset"
	"dmgate/storage"
)

// Upstream cancels while the device is in session and the engine is at work: each job ends once, with its order, and one
// that is cancelled stays so, whatever the device answers.
func TestJobsOvertaken(t *testing.T) {
	w := newJobWorld(t, handset.RedBend)
	placed, err := w.PlaceJob(JobOrder{Device: w.dev, Kind: kindNotify})
	w.must(err)
	w.pin = placed.PIN
	w.pass(10*time.Minute, 10*time.Minute)
	for round := range 40 {
		ids := make([]string, 4)
		for n := range ids {
			ids[n] = fmt.Sprintf("%d-%d", round, n)
			_, err := w.PlaceJob(JobOrder{
				Device: w.dev, Kind: kindTask, ID: ids[n], Version: ids[n], // so that no two are the same
				Commands: []storage.Command{get("./DevInfo/Man"), get("./DevInfo/Mod")},
			})
			w.must(err)
		}
		cancelled := w.cancelInSession(ids)
		for i, id := range ids {
			j, err := w.store.Job(w.dev, id)
			w.must(err)
			if cancelled[i] != (j.State == storage.JobCancelled) {
				t.Errorf("%s is %s, cancelled %v", id, j.State, cancelled[i])
			}
		}
	}
	w.pass(24*time.Hour, time.Hour)
	jobs, err := w.store.Jobs(w.dev)
	w.must(err)
	ends := w.ends()
	done := 0
	for i := range jobs {
		j := &jobs[i]
		if j.State == storage.JobDone {
			done++
		}
		o, err := w.store.Order(w.dev, j.ID)
		w.must(err)
		if j.State.Open() || ends[j.ID] != 1 || o.State == storage.OrderOpen ||
			(o.State == storage.OrderDone) != (j.State == storage.JobDone) {
			t.Errorf("%s is %s, and has ended %d times; its order is %s", j.ID, j.State, ends[j.ID], o.State)
		}
	}
	if done < 81 { // the notify and those that nobody has cancelled
		t.Errorf("%d of %d jobs are done, want 81 at least", done, len(jobs))
	}
}

// cancelInSession cancels two of four jobs while the device is in session and the engine looks at it, and says which were.
func (w *jobWorld) cancelInSession(ids []string) []bool {
	cancelled := make([]bool, len(ids))
	var all sync.WaitGroup
	all.Go(func() {
		w.phone.Want()
		if err := w.phone.Session(w.t.Context()); err != nil {
			w.t.Error(err)
		}
	})
	for i, id := range ids[:2] {
		all.Go(func() {
			_, err := w.CancelJob(w.dev, id)
			var over *JobError
			if cancelled[i] = err == nil; err != nil && !errors.As(err, &over) {
				w.t.Error(err)
			}
		})
	}
	all.Go(func() {
		for range 3 {
			if _, err := w.carryOn(w.dev); err != nil {
				w.t.Error(err)
			}
		}
	})
	all.Wait()
	return cancelled
}

// ends is how often the feed tells of the end of each job.
func (w *jobWorld) ends() map[string]int {
	w.t.Helper()
	ends := make(map[string]int)
	for after := uint64(0); ; {
		page, err := w.store.Feed(after, 1000)
		w.must(err)
		if len(page) == 0 {
			return ends
		}
		for i := range page {
			after = page[i].Offset
			if page[i].Kind == "job" && !storage.JobState(page[i].Status).Open() {
				ends[page[i].Order]++
			}
		}
	}
}
