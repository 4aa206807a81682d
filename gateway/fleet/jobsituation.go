package fleet

import (
	"errors"
	"slices"
	"time"

	"dmgate/storage"
)

// How long a job waits for what, where neither its order nor its recipe says.
const (
	notifyAgain   = time.Hour
	notifyAtMost  = 24 * time.Hour
	notifications = 6 // one, and again after 1, 2, 4, 8 and 16 hours
	answersWithin = time.Hour
	looks         = 4 // for what was done to be seen
	shortestLook  = 5 * time.Minute
	discoveryIn   = 5 * time.Minute  // of a session that has begun
	comesWithin   = 10 * time.Minute // a device that was notified for something else
)

// situation gathers what there is to know of a job.
func (t *jobTurn) situation(j *storage.Job) (*jobSituation, error) {
	s := &jobSituation{
		Now: t.now, Job: j, Kind: jobKinds[j.Kind], Account: t.dev.State.Bootstrapped(), Session: t.out != nil, Fresh: t.fresh,
		Patience: t.patience(),
	}
	switch j.State {
	case storage.JobQueued:
		s.Ahead = ahead(t.jobs, j)
	case storage.JobDone, storage.JobFailed, storage.JobCancelled:
		return s, nil
	}
	s.Found, s.Known = t.discovered(j)
	if t.dev.State == storage.Connected {
		s.Talks = t.dev.Seen.Add(discoveryIn)
	}
	if err := t.bootstrapOf(s); err != nil {
		return nil, err
	}
	if err := t.pushOf(s); err != nil {
		return nil, err
	}
	if j.Way.Recipe != "" {
		t.look(s)
	}
	return s, t.taskOf(s)
}

func (t *jobTurn) patience() patience {
	return patience{
		Notify: notifyAgain, NotifyAt: notifyAtMost, Notified: notifications, Answer: answersWithin, Send: t.opt.SendWithin,
		Download: t.opt.AnswerIn, Report: t.opt.AnswerIn,
	}
}

// discovered says whether the device has said what it is since a job was placed, and whether it has ever.
func (t *jobTurn) discovered(j *storage.Job) (found, known bool) {
	known = t.dev.State == storage.Discovered
	return known && !t.dev.Walk.Ended.Before(j.Created), known
}

// bootstrapOf is how the bootstrap of a device without an account stands.
func (t *jobTurn) bootstrapOf(s *jobSituation) error {
	if s.Account {
		return nil
	}
	if waitsForPush(t.dev) {
		s.Waits = t.dev.Order
	} else if s.Waits = t.promised(s.Job); s.Waits == s.Job.Bootstrap && s.Waits != "" {
		s.Bootstrap = storage.OrderOpen // so to speak: it is still to be ordered
		return nil
	}
	s.BootstrapWait, s.BootstrapFault = t.dev.Wait, t.dev.Reason
	if s.Job.Bootstrap == "" {
		return nil
	}
	o, err := t.store.Order(t.dev.ID, s.Job.Bootstrap)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err == nil {
		s.Bootstrap = o.State
		if o.State == storage.OrderFailed {
			s.BootstrapFault = o.Reason
		}
	}
	return err
}

// promised is the bootstrap that another job of the device is about to order; empty for none. One is enough, and the user
// was told the PIN of that one.
func (t *jobTurn) promised(j *storage.Job) string {
	for i := range t.jobs {
		o := &t.jobs[i]
		if o.ID != j.ID && o.State == storage.JobAwaitsBootstrap && o.Bootstrap == jobBootstrap(o.ID) && o.Number < j.Number {
			if there, err := t.hasOrder(t.dev.ID, o.Bootstrap); err == nil && !there {
				return o.Bootstrap
			}
		}
	}
	return ""
}

// pushOf is how the job's last push stands.
func (t *jobTurn) pushOf(s *jobSituation) error {
	kind := notification
	switch s.Job.State {
	case storage.JobAwaitsDownload:
		kind = kindLink
		if s.Settles = s.Job.What.Fallback[s.Job.Fallback-1] == wayPush; s.Settles {
			kind = s.Job.Kind
		}
	case storage.JobDownloaded, storage.JobMarked:
		return nil
	}
	pushes, err := t.store.Pushes(t.dev.ID)
	for i := range slices.Backward(pushes) {
		switch p := &pushes[i]; {
		case p.Kind == kind && p.Order == s.Job.ID && s.Push == "":
			s.Push, s.Moved, s.Fault = p.State, p.Changed, p.Error
		case p.Kind == notification && p.Order != s.Job.ID:
			if until := t.calledUntil(p); until.After(s.Called) {
				s.Called = until
			}
		}
	}
	return err
}

// calledUntil is how long a device that a push has notified is taken to be about to come.
func (t *jobTurn) calledUntil(p *storage.PushJob) time.Time {
	switch {
	case p.State == storage.PushQueued || p.State == storage.PushSending:
		return p.Created.Add(t.opt.SendWithin)
	case p.State == storage.PushFailed || t.dev.Seen.After(p.Changed):
		return time.Time{}
	}
	return p.Changed.Add(comesWithin)
}

// taskOf is the job's last task, as the session has it or else the store, and what was heard of it.
func (t *jobTurn) taskOf(s *jobSituation) error {
	way := &s.Job.Way
	if way.Task == 0 {
		return nil
	}
	heard := t.heard
	if heard != nil && heard.task.Order == s.Job.ID {
		if heard.task.ID == way.Send && way.Task != way.Send { // its result has come after all
			t.closeTask(way.Task, "the result has come")
			way.Step, way.Task, way.Asked = stepSend, way.Send, nil
		}
		if heard.task.ID == way.Task {
			s.Task = heard.task
			return t.judge(s, heard.done)
		}
	}
	task, err := t.task(way.Task)
	if s.Task = task; err == nil && task.State == storage.TaskDone && t.fresh && way.Step == stepLocate {
		return t.judge(s, true) // a fault of ours has kept the job from it
	}
	return err
}

// task is a task as it stands: as the session has it, or else the store.
func (t *jobTurn) task(id uint64) (*storage.Task, error) {
	for i := range t.tasks {
		if t.tasks[i].ID == id {
			return &t.tasks[i], nil
		}
	}
	if t.out != nil {
		if task := t.out.Task(id); task != nil {
			return task, nil
		}
	}
	return t.store.Task(t.dev.ID, id)
}
