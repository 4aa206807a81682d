package fleet

import (
	"errors"
	"fmt"
	"strings"

	"dmgate/sessions"
	"dmgate/storage"
)

// CancelJob ends a job that is not over, at whatever step it is, and says in its Reason what could not be undone. The
// error is a *JobError where it is over, or storage.ErrNotFound.
func (f *Fleet) CancelJob(dev storage.DeviceID, id string) (*storage.Job, error) {
	for {
		j, err := f.cancelJob(dev, id)
		if !errors.Is(err, sessions.ErrOvertaken) && !errors.Is(err, errTaken) {
			return j, err
		}
	}
}

// JobError is a step that a job can not take as it stands.
type JobError struct {
	State  storage.JobState
	Reason string
}

func (e *JobError) Error() string { return "the job is " + string(e.State) + ": " + e.Reason }

func (f *Fleet) cancelJob(id storage.DeviceID, name string) (*storage.Job, error) {
	t, j, err := f.turnOf(id, name)
	if err != nil {
		return nil, err
	}
	if !j.State.Open() {
		return nil, &JobError{j.State, "it is over"}
	}
	left, err := t.recall(j)
	if err != nil {
		return nil, err
	}
	why := "by upstream"
	if len(left) > 0 {
		why += "; not undone: " + strings.Join(left, "; ")
	}
	t.end(j, storage.JobCancelled, why)
	t.keep(j)
	if err := f.store.Commit(t.commit); err != nil {
		return nil, err
	}
	if j.Bootstrap == jobBootstrap(j.ID) {
		err := f.giveUp(id, j.Bootstrap, "its job was cancelled", true)
		if err != nil && !errors.Is(err, errTaken) && !errors.Is(err, storage.ErrNotFound) {
			return nil, err
		}
	}
	return f.store.Job(id, name)
}

// turnOf begins a turn with one job of a device.
func (f *Fleet) turnOf(id storage.DeviceID, name string) (*jobTurn, *storage.Job, error) {
	dev, err := f.store.Device(id)
	if err != nil {
		return nil, nil, err
	}
	now := f.opt.Clock()
	t, err := f.newTurn(now, dev, &storage.Commit{Device: id, Time: now})
	if err != nil {
		return nil, nil, err
	}
	if t != nil {
		for i := range t.jobs {
			if t.jobs[i].ID == name {
				return t, &t.jobs[i], nil
			}
		}
	}
	return nil, nil, storage.ErrNotFound
}

// recall takes back what of a job has not left, and says what has.
func (t *jobTurn) recall(j *storage.Job) (left []string, err error) {
	pushes, err := t.store.Pushes(t.dev.ID)
	if err != nil {
		return nil, err
	}
	const reason = "its job was cancelled"
	for i := range pushes {
		p := &pushes[i]
		if p.Order != j.ID && p.Order != jobBootstrap(j.ID) {
			continue
		}
		switch p.State {
		case storage.PushQueued:
			if p.Order != j.ID {
				continue // it goes with its order
			}
			t.commit.PushEdits = append(t.commit.PushEdits, storage.PushEdit{ID: p.ID, Edit: func(p *storage.PushJob) error {
				if p.State != storage.PushQueued {
					return errTaken
				}
				p.State, p.Error, p.Changed = storage.PushFailed, reason, t.now
				return nil
			}})
		case storage.PushFailed:
		default:
			left = append(left, fmt.Sprintf("a %s that is %s", p.Kind, p.State))
		}
	}
	tasks := []uint64{j.Way.Send}
	if j.Way.Task != j.Way.Send {
		tasks = append(tasks, j.Way.Task)
	}
	for _, id := range tasks {
		task, err := t.store.Task(t.dev.ID, id)
		switch {
		case errors.Is(err, storage.ErrNotFound):
		case err != nil:
			return nil, err
		case task.State == storage.TaskSent || task.State == storage.TaskWaiting:
			left = append(left, fmt.Sprintf("what the device has begun: %s", tell(task.Commands)))
		}
	}
	if r := t.opt.Rules.Find(j.Way.Recipe); r != nil && r.Undo != "" && j.Way.Send != 0 {
		left = append(left, r.Undo)
	}
	if !j.Fetched.IsZero() {
		left = append(left, "what the user has downloaded")
	} else if !j.Opened.IsZero() {
		left = append(left, "a link that was opened: it opens no more")
	}
	return left, nil
}

// ReportJob takes in that a version of what a job installs is on the device, as upstream has heard from elsewhere. It
// ends a job that is open or marked, where it is the version that was ordered. The error is a *FieldError, a *JobError
// where the job has come to another end, or storage.ErrNotFound.
func (f *Fleet) ReportJob(dev storage.DeviceID, id, version string) (*storage.Job, error) {
	if version == "" || len(version) > maxJobName {
		return nil, &FieldError{"version", fmt.Sprintf("%d bytes, want 1 to %d", len(version), maxJobName)}
	}
	for {
		t, j, err := f.turnOf(dev, id)
		if err != nil {
			return nil, err
		}
		switch j.State {
		case storage.JobDone:
			return j, nil
		case storage.JobFailed, storage.JobCancelled:
			return nil, &JobError{j.State, "it is over"}
		}
		if err := t.wanted(j); err != nil {
			return nil, err
		}
		j.Reported = version
		if !reportSettles(j) {
			j.Note(t.now, "version "+version+" was reported, which is not the one that is wanted: "+j.What.Version)
		}
		if _, err := t.advance(j); err != nil {
			return nil, err
		}
		t.keep(j)
		err = f.store.Commit(t.commit)
		if errors.Is(err, sessions.ErrOvertaken) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return f.store.Job(dev, id)
	}
}

// wanted fills in the version that a job is to bring, where that hangs on the package that was chosen.
func (t *jobTurn) wanted(j *storage.Job) error {
	if j.What.Version != "" || j.What.Chosen == "" {
		return nil
	}
	pkg, err := t.Package(j.What.Chosen)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err == nil {
		j.What.Version = pkg.Version
	}
	return err
}
