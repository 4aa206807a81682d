package fleet

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"dmgate/sessions"
	"dmgate/storage"
)

// Jobs in a session. Discovery goes first: what a device can do is known once it has come to its end, and the jobs go on
// in the same session. Each step is decided by what the device has just said, so that most jobs need one session.

// thenJobs is what the jobs of a device have to say once discovery asks nothing any more: in the beginning of a session,
// or when it has come to its end.
func (f *Fleet) thenJobs(now time.Time, dev *storage.Device, out *sessions.Outcome, asks []storage.Task) []storage.Task {
	if len(asks) > 0 || asked(out) || dev.State != storage.Discovered {
		return asks
	}
	return f.turnJobs(now, dev, out, true, nil)
}

// answerJob goes on with a job whose task was answered, and with those that have waited for it.
func (f *Fleet) answerJob(
	now time.Time, dev *storage.Device, task *storage.Task, done bool, out *sessions.Outcome,
) []storage.Task {
	return f.turnJobs(now, dev, out, false, &heardOf{task, done})
}

// turnJobs takes a turn with the jobs of a device in session. A fault of ours is no matter of the device's: its session
// goes on without the jobs, and the engine finds them.
func (f *Fleet) turnJobs(
	now time.Time, dev *storage.Device, out *sessions.Outcome, fresh bool, heard *heardOf,
) []storage.Task {
	t, err := f.newTurn(now, dev, &out.Commit)
	if err == nil && t != nil {
		t.out, t.fresh, t.heard = out, fresh, heard
		err = t.all()
	}
	if err != nil && !errors.Is(err, storage.ErrFailed) { // who commits what there is hears of that
		f.opt.Log.Error("jobs not carried on in a session", zap.String("device", string(dev.ID)), zap.Error(err))
	}
	if t == nil {
		return nil
	}
	return t.tasks
}

// newTurn reads the jobs of a device; nil where it has none that could go on. What a commit that is under way does to
// them is done to those that are read, too.
func (f *Fleet) newTurn(now time.Time, dev *storage.Device, c *storage.Commit) (*jobTurn, error) {
	jobs, err := f.store.Jobs(dev.ID)
	if err != nil || len(jobs) == 0 {
		return nil, err
	}
	t := &jobTurn{Fleet: f, now: now, dev: dev, jobs: jobs, seen: make(map[string]uint64, len(jobs)), commit: c}
	for i := range jobs {
		j := &jobs[i]
		for _, e := range c.JobEdits {
			if e.ID != j.ID {
				continue
			}
			seen := j.Changed
			j.Steps, j.Tried = slices.Clone(j.Steps), slices.Clone(j.Tried)
			if err := e.Edit(j); err != nil {
				return nil, err
			}
			j.Changed = seen + 1
		}
		t.seen[j.ID] = j.Changed
	}
	return t, nil
}

// all goes on with all jobs of the device, in the order in which they may begin: one that ends lets the next one begin.
func (t *jobTurn) all() (failure error) {
	order := make([]*storage.Job, len(t.jobs))
	for i := range t.jobs {
		order[i] = &t.jobs[i]
	}
	slices.SortStableFunc(order, before)
	for round := true; round; {
		round = false
		for _, j := range order {
			if !j.State.Open() && j.State != storage.JobMarked {
				continue
			}
			changed, err := t.tryAdvance(j)
			if err != nil {
				failure = errors.Join(failure, fmt.Errorf("job %s: %w", j.ID, err))
				continue
			}
			if changed {
				t.keep(j)
				round = round || !j.State.Open()
			}
		}
		t.heard, t.fresh = nil, false // each job was told
	}
	return failure
}

// tryAdvance is advance for one job of several: where it fails, nothing of it is done.
func (t *jobTurn) tryAdvance(j *storage.Job) (changed bool, err error) {
	was, c, tasks, orders := *j, *t.commit, len(t.tasks), len(t.orders)
	was.Steps, was.Tried = slices.Clone(j.Steps), slices.Clone(j.Tried)
	if changed, err = t.advance(j); err == nil {
		return changed, nil
	}
	*j, t.tasks, t.orders = was, t.tasks[:tasks], t.orders[:orders]
	t.commit.Ends, t.commit.Tasks, t.commit.Pushes = c.Ends, c.Tasks, c.Pushes
	t.commit.PushEdits, t.commit.Feed = c.PushEdits, c.Feed
	return false, err
}
