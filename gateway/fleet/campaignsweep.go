package fleet

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"dmgate/storage"
)

// sweepPage is how many targets are looked at in one step.
const sweepPage = 1000

// latest is later than any time that a target waits for.
var latest = time.Unix(1<<40, 0)

// sweep is a walk over all targets of a campaign after something that concerns them all: it was cancelled, its deadline
// has passed, or a group was released.
type sweep struct {
	on      bool
	release bool      // targets whose group is not held any more go on
	after   uint64    // the last target seen
	ended   time.Time // the last walk
}

// sweepTargets walks on by a page, where there is something to walk for.
func (e *engine) sweepTargets(r *running, now time.Time) (bool, error) {
	s := &r.sweep
	if !s.on {
		if !e.hasToSweep(r, now) {
			return false, nil
		}
		s.on, s.after = true, 0
	}
	page, err := e.store.Targets(r.ID, s.after, sweepPage)
	if err != nil {
		return false, err
	}
	y := newTally(&r.Campaign)
	var unsent []*storage.Target
	for i := range page {
		t := &page[i]
		s.after = t.Number
		if r.State == storage.CampaignCancelled && t.State == storage.TargetBegun && t.Stage == stageQueued {
			unsent = append(unsent, t)
		} else {
			e.sweepTarget(y, r, t, now)
		}
	}
	err = inParallel(unsent, func(t *storage.Target) error {
		err := e.takeBack(r, t)
		if errors.Is(err, errTaken) {
			return nil
		}
		return e.skip("order not cancelled", t.Order, err)
	})
	if err != nil {
		return false, err
	}
	if len(page) < sweepPage {
		s.on, s.release, s.ended = false, false, now
	}
	if len(y.targets) > 0 {
		return true, e.commit(y, now)
	}
	return s.on, nil
}

// takeBack ends the order of a target of which nothing has left.
func (e *engine) takeBack(r *running, t *storage.Target) error {
	if r.What.Kind != jobInstall {
		return e.giveUp(t.Device, t.Order, cancelled, true)
	}
	_, err := e.CancelJob(t.Device, t.Order)
	var over *JobError
	if errors.As(err, &over) {
		return nil
	}
	return err
}

// cancelled is the reason of what a cancelled campaign has taken back.
const cancelled = "the campaign was cancelled"

// hasToSweep says whether there is something that concerns all targets. A push that comes back into the queue after a
// walk needs another one.
func (e *engine) hasToSweep(r *running, now time.Time) bool {
	waiting := r.Counts[string(storage.TargetPending)] + r.Counts[string(storage.TargetHeld)]
	switch {
	case r.State == storage.CampaignCancelled:
		return waiting > 0 || r.Counts[stageQueued] > 0 && now.Sub(r.sweep.ended) >= engineTick
	case r.State != storage.CampaignDraft && isLate(r, now):
		return waiting > 0
	}
	return r.sweep.release
}

// isLate says whether the campaign's deadline has passed.
func isLate(r *running, now time.Time) bool {
	return !r.How.Deadline.IsZero() && !now.Before(r.How.Deadline)
}

// sweepTarget ends a target that is not to be begun any more, or lets it go on.
func (e *engine) sweepTarget(y *tally, r *running, t *storage.Target, now time.Time) {
	if t.State != storage.TargetPending && t.State != storage.TargetHeld {
		return
	}
	switch {
	case r.State == storage.CampaignCancelled:
		y.change(t, now, func() { t.State, t.Reason = storage.TargetCancelled, cancelled })
	case isLate(r, now):
		y.change(t, now, func() {
			t.State = storage.TargetFailed
			t.Reason = "not begun before the campaign's deadline, " + r.How.Deadline.UTC().Format(time.RFC3339)
			if t.Canary && !t.Good {
				y.canary.Bad++
			}
		})
	case t.State == storage.TargetHeld && e.heldGroup(r, t) == "":
		y.change(t, now, func() { t.State, t.Reason = storage.TargetPending, "" })
	}
}

// heldGroup is the name of a group that a target is in and that is held, empty where there is none.
func (e *engine) heldGroup(r *running, t *storage.Target) string {
	for _, g := range groupsOf(t, e.operator(t)) {
		if r.Groups[g].Held != "" {
			return g
		}
	}
	return ""
}

// lookAfter ends the orders of targets that have been waited for long enough. A bootstrap and a job have deadlines of their own: that
// one is still open is looked at again later.
func (e *engine) lookAfter(r *running, now time.Time) (bool, error) {
	if now.Sub(r.looked) < engineTick || r.Counts[string(storage.TargetBegun)] == 0 {
		return false, nil
	}
	r.looked = now
	due, err := e.store.TargetsIn(r.ID, storage.TargetBegun, now, sweepPage)
	if err != nil || len(due) == 0 {
		return false, err
	}
	y := newTally(&r.Campaign)
	var overdue []*storage.Target
	for i := range due {
		t := &due[i]
		if r.What.Kind != kindBootstrap && r.What.Kind != jobInstall {
			overdue = append(overdue, t)
		}
		y.change(t, now, func() { t.NotBefore = now.Add(lookAgain) })
	}
	err = inParallel(overdue, func(t *storage.Target) error {
		reason := fmt.Sprintf("the device did not connect within %v", e.opt.AnswerIn)
		return e.skip("overdue order not ended", t.Order, e.giveUp(t.Device, t.Order, reason, false))
	})
	if err != nil {
		return false, err
	}
	return true, e.commit(y, now)
}

// lookAgain is how long after it was overdue an order is looked after once more, in case that was of no use.
const lookAgain = time.Hour

// launchers is how many commits are under way at once: commits that run together share their cost.
const launchers = 64

// inParallel calls do for each target and returns its first error; after that it begins no more.
func inParallel(targets []*storage.Target, do func(*storage.Target) error) error {
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		next    int
		failure error
	)
	take := func() *storage.Target {
		mu.Lock()
		defer mu.Unlock()
		if failure != nil || next == len(targets) {
			return nil
		}
		next++
		return targets[next-1]
	}
	for range min(len(targets), launchers) {
		workers.Go(func() {
			for t := take(); t != nil; t = take() {
				if err := do(t); err != nil {
					mu.Lock()
					failure = errors.Join(failure, err)
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
	return failure
}
