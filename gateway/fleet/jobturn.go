package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"dmgate/sessions"
	"dmgate/storage"
)

// jobTurn is one look at the jobs of a device, and what follows from it: gathered in one commit.
type jobTurn struct {
	*Fleet
	now    time.Time
	dev    *storage.Device
	jobs   []storage.Job // all of the device, with what this turn has changed
	seen   map[string]uint64
	commit *storage.Commit

	out   *sessions.Outcome // of the session; nil outside of one
	fresh bool
	tasks []storage.Task // for the session
	heard *heardOf

	orders []string // jobs whose bootstrap is to be ordered after the commit
}

// heardOf is what a session has heard of a job's task.
type heardOf struct {
	task *storage.Task
	done bool
}

// maxMoves bounds what one turn does for a job: a rule that goes round in circles is stopped.
const maxMoves = 32

// advance does all that there is to do for a job now. It says whether anything was changed.
func (t *jobTurn) advance(j *storage.Job) (changed bool, err error) {
	s, err := t.situation(j)
	if err != nil {
		return false, err
	}
	for range maxMoves {
		d := s.decide()
		moved, again, err := t.carryOut(s, &d)
		if err != nil {
			return changed, err
		}
		changed = changed || moved
		if !again {
			return changed, nil
		}
		s.Ahead = ahead(t.jobs, j)
	}
	return changed, fmt.Errorf("fleet: job %s goes round in circles: %s (%s)", j.ID, j.State, j.Reason)
}

// carryOut makes d of the job come true in the turn's commit. again says that it is to be decided anew.
func (t *jobTurn) carryOut(s *jobSituation, d *decision) (changed, again bool, err error) {
	j := s.Job
	s.Verdict, s.More = nil, false // it was taken into account
	switch d.Move {
	case stay:
		return t.wait(j, d), false, nil
	case await:
		if j.State == storage.JobAwaitsSession {
			return t.wait(j, d), false, nil
		}
		j.Enter(storage.JobAwaitsSession, t.now, d.Why, d.Wait)
		return true, false, nil
	case inQueue:
		if j.State == storage.JobQueued && j.Wait.For == d.Wait.For {
			return false, false, nil
		}
		j.Enter(storage.JobQueued, t.now, d.Why, d.Wait)
	case order:
		changed = j.State != storage.JobAwaitsBootstrap || j.Bootstrap == ""
		if changed {
			j.Bootstrap = jobBootstrap(j.ID)
			j.Enter(storage.JobAwaitsBootstrap, t.now, d.Why, d.Wait)
		}
		t.orders = append(t.orders, j.ID)
		return changed, false, nil
	case adopt:
		j.Bootstrap = s.Waits
		j.Enter(storage.JobAwaitsBootstrap, t.now, d.Why, d.Wait)
	case notifying:
		t.notify(s, d)
	case lookUp:
		return t.lookUp(s)
	case send, stage, poll, verify, more:
		return t.step(s, d)
	case next, retry:
		t.wayFailed(s, d)
		return true, true, nil
	case link:
		return true, true, t.link(s, d)
	case fetched:
		j.Enter(storage.JobDownloaded, t.now, d.Why, d.Wait)
	case mark:
		t.leave(j, d)
		j.Fallback = len(j.What.Fallback)
		t.end(j, storage.JobMarked, d.Why)
	case finish:
		t.outcome(j, outcomeWorked, "")
		t.end(j, storage.JobDone, d.Why)
	case fail:
		t.leave(j, d)
		t.end(j, storage.JobFailed, d.Why)
	}
	return true, false, nil
}

// wait changes what a job waits for. One that is found overdue with nothing to be done is looked at again in a while.
func (t *jobTurn) wait(j *storage.Job, d *decision) (changed bool) {
	if !j.State.Open() {
		return false
	}
	w := d.Wait
	if w.For == "" {
		if t.now.Before(j.Wait.Until) {
			return false
		}
		w = j.Wait
	}
	if !t.now.Before(w.Until) {
		w.Until = t.now.Add(lookJobAgain)
		if j.What.Deadline.Before(w.Until) {
			w.Until = j.What.Deadline
		}
	}
	was := j.Wait
	if w.For == was.For && w.Until.Equal(was.Until) && w.Next == was.Next {
		return false
	}
	w.Since = was.Since
	if w.For != was.For {
		w.Since = t.now
	}
	j.Wait = w
	if d.Why != "" && d.Why != j.Reason {
		j.Reason = d.Why
		if !noted(j, d.Why) {
			j.Note(t.now, d.Why)
		}
	}
	return true
}

// lookJobAgain is how long a job is left alone that is overdue and for which there is nothing to be done.
const lookJobAgain = time.Hour

// notify asks the device for a session.
func (t *jobTurn) notify(s *jobSituation, d *decision) {
	j := s.Job
	j.Sessions++
	state := j.State
	if state != storage.JobInstalling && state != storage.JobVerifying {
		state = storage.JobAwaitsSession
	}
	j.Enter(state, t.now, d.Why, d.Wait)
	t.push(storage.PushJob{ // its digest is made when it is sent: until then the nonce may change
		Kind: notification, Order: j.ID, MSISDN: t.dev.MSISDN, Priority: j.What.Priority,
		Flow: t.flow(campaignOf(j), t.dev.MSISDN),
	})
	s.Push, s.Moved = storage.PushQueued, t.now
}

// push queues a push of a job.
func (t *jobTurn) push(p storage.PushJob) {
	p.ID, p.Device, p.State = t.newID(t.now), t.dev.ID, storage.PushQueued
	p.NotBefore, p.Created, p.Changed = t.now, t.now, t.now
	t.commit.Pushes = append(t.commit.Pushes, p)
}

// change edits the device's record in the turn's commit.
func (t *jobTurn) change(edit func(*storage.Device)) {
	if t.out != nil {
		t.out.Change(t.dev, edit)
		return
	}
	edit(t.dev)
	before := t.commit.Edit
	t.commit.Edit = func(d *storage.Device) error {
		if before != nil {
			if err := before(d); err != nil {
				return err
			}
		}
		edit(d)
		return nil
	}
}

// wayFailed puts a way with those that were tried. Nothing more is said or heard of it.
func (t *jobTurn) wayFailed(s *jobSituation, d *decision) {
	j := s.Job
	t.closeTasks(j, "its way has failed: "+d.Why)
	if d.Move != retry { // the device has not had its last word
		t.outcome(j, cmp.Or(d.As, outcomeFailed), d.Why)
	}
	t.tried(j, j.Way.Recipe, d.Why)
	text := j.Way.Recipe + " failed: " + d.Why
	j.Tried[len(j.Tried)-1].Again = d.Move == retry
	if d.Move == retry {
		text += "; it is tried once more"
	}
	j.Way, j.Sessions = storage.JobWay{}, 0
	j.Enter(storage.JobAwaitsSession, t.now, text, s.answers())
	s.Task, s.Looked, s.Way, s.NoWay = nil, false, "", ""
}

// tried puts a way that has failed with the others.
func (t *jobTurn) tried(j *storage.Job, way, why string) {
	j.Tried = append(j.Tried, storage.JobTry{Recipe: way, Time: t.now, Reason: why})
}

// leave ends what a job was at that now has to fall back, or to fail.
func (t *jobTurn) leave(j *storage.Job, d *decision) {
	why, as := d.Why, cmp.Or(d.As, outcomeFailed)
	switch j.State {
	case storage.JobAwaitsBootstrap:
		t.tried(j, kindBootstrap, why)
	case storage.JobAwaitsDownload, storage.JobDownloaded:
		t.outcome(j, as, why)
		t.tried(j, j.What.Fallback[j.Fallback-1], why)
	case storage.JobInstalling, storage.JobVerifying:
		t.closeTasks(j, why)
		t.outcome(j, as, why)
		t.tried(j, j.Way.Recipe, why)
	}
}

// outcome tells those who learn what has come of the job's way: a recipe, or a link.
func (t *jobTurn) outcome(j *storage.Job, what, why string) {
	of := j.Way.Recipe
	switch j.State {
	case storage.JobAwaitsDownload, storage.JobDownloaded:
		of = j.What.Fallback[j.Fallback-1]
	case storage.JobMarked:
		return
	}
	if of != "" && of != rawRecipe {
		t.commit.Feed = append(t.commit.Feed, outcomeOf(j.ID, of, what, why))
	}
}

// end is the end of a job, and of its order.
func (t *jobTurn) end(j *storage.Job, state storage.JobState, why string) {
	was := j.State
	if state == storage.JobDone && j.Kind == jobCertificate && j.Way.Recipe != "" && was != storage.JobAwaitsDownload {
		t.installed(j)
	}
	t.closeTasks(j, "job "+string(state)+": "+why)
	j.What.PIN = ""
	j.Enter(state, t.now, why, storage.Wait{})
	if was == storage.JobMarked { // its order has ended with that
		return
	}
	end := storage.OrderEnd{ID: j.ID, State: storage.OrderFailed, Reason: why}
	switch state {
	case storage.JobDone:
		end = storage.OrderEnd{ID: j.ID, State: storage.OrderDone}
	case storage.JobMarked:
		end.Reason = "marked for installation: " + why
	case storage.JobCancelled:
		end.Reason = "cancelled: " + why
	}
	t.commit.Ends = append(t.commit.Ends, end)
}

// closeTasks ends what tasks of a job are open: the session's own, and those in the store.
func (t *jobTurn) closeTasks(j *storage.Job, why string) {
	for _, id := range []uint64{j.Way.Task, j.Way.Send} {
		if id != 0 {
			t.closeTask(id, why)
		}
	}
}

func (t *jobTurn) closeTask(id uint64, why string) {
	if at := slices.IndexFunc(t.tasks, func(o storage.Task) bool { return o.ID == id }); at >= 0 {
		t.tasks = slices.Delete(t.tasks, at, at+1)
		return
	}
	if t.out != nil && t.out.Close(id, storage.TaskFailed, why) {
		return
	}
	task, err := t.store.Task(t.dev.ID, id)
	if err != nil || !task.Open() {
		return
	}
	task.State, task.Reason = storage.TaskFailed, why
	t.commit.Tasks = append(t.commit.Tasks, *task)
}

// keep puts a job into the turn's commit, guarded: where it was changed by somebody else since it was read,
// nothing of the commit is done.
func (t *jobTurn) keep(j *storage.Job) {
	seen, isOld := t.seen[j.ID]
	if !isOld {
		t.commit.Jobs = append(t.commit.Jobs, *j)
		return
	}
	is := *j
	is.Steps, is.Tried = slices.Clone(j.Steps), slices.Clone(j.Tried)
	t.commit.JobEdits = append(t.commit.JobEdits, storage.JobEdit{ID: j.ID, Edit: func(was *storage.Job) error {
		if was.Changed != seen {
			return sessions.ErrOvertaken
		}
		*was = is
		return nil
	}})
	t.seen[j.ID]++
	j.Changed++
}
