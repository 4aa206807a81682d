package sessions

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"dmgate/storage"
)

// poison is how many sessions a device may break off over a task before it is set aside.
const poison = 3

// add queues new tasks, which are to be kept.
func (s *Session) add(tasks []storage.Task) {
	for i := range tasks {
		s.queue(task{Task: tasks[i], Open: storage.Open{ID: tasks[i].ID}, dirty: true})
	}
}

// Offer adds open tasks to the queue, those aside that are in it already. What a session was offered that is to take over
// from another counts no more: the other may have carried it out since.
func (s *Session) Offer(open []storage.Task) {
	if s.earlier != nil {
		s.tasks = s.tasks[:0]
	}
	for i := range open {
		if s.find(open[i].ID) == nil {
			s.queue(newTask(&open[i]))
		}
	}
}

// queue puts t into the order in which tasks are carried out: by priority, then by age.
func (s *Session) queue(t task) {
	at := len(s.tasks)
	for at > 0 && (s.tasks[at-1].Priority > t.Priority || s.tasks[at-1].Priority == t.Priority && s.tasks[at-1].id() > t.id()) {
		at--
	}
	s.tasks = slices.Insert(s.tasks, at, t)
}

func (s *Session) find(id uint64) *task {
	for i := range s.tasks {
		if s.tasks[i].id() == id {
			return &s.tasks[i]
		}
	}
	return nil
}

// Hungry says that the session has nothing more to say and would like to be offered the device's open tasks.
func (s *Session) Hungry() bool {
	if s.earlier != nil {
		return true
	}
	for i := range s.tasks {
		if _, _, ok := s.tasks[i].next(); ok {
			return false
		}
	}
	return true
}

// Open is the number of tasks that the session holds.
func (s *Session) Open() int { return len(s.tasks) }

// sweep takes out of the queue what is not to be carried out any more: what is too late, and what a newer task with the
// same key has made pointless.
func (s *Session) sweep(now time.Time, out *Outcome) {
	for i := range s.tasks {
		t := &s.tasks[i]
		switch {
		case !t.Task.Open():
		case !t.Deadline.IsZero() && now.After(t.Deadline):
			s.fail(t, "its deadline has passed", out)
		case t.begun():
		case !t.Expires.IsZero() && now.After(t.Expires):
			s.fail(t, "expired before it was begun", out)
		case t.Key != "":
			if newer := s.newest(t.Key); newer != t.id() {
				s.fail(t, fmt.Sprintf("superseded by task %d", newer), out)
			}
		}
	}
}

// newest is the newest task with that key that is not begun.
func (s *Session) newest(key string) (id uint64) {
	for i := range s.tasks {
		if t := &s.tasks[i]; t.Key == key && t.Task.Open() && !t.begun() {
			id = max(id, t.id())
		}
	}
	return id
}

// fail gives t up.
func (s *Session) fail(t *task, why string, out *Outcome) {
	t.State, t.Reason, t.dirty = storage.TaskFailed, why, true
	s.opt.Planner.GivenUp(&t.Task, why, out)
	out.Commit.Feed = append(out.Commit.Feed, storage.FeedEntry{
		Kind: "task", Order: t.Order, Text: fmt.Sprintf("task %d (%s) given up: %s", t.id(), t.Purpose, why),
	})
}

// resolve settles the Execs that nobody knows of and that can not be asked for, and what stands in a group with them:
// their answer is one with code 0. They are not said again, for they may have run.
func (s *Session) resolve(now time.Time, out *Outcome) {
	for k := range s.tasks {
		t := &s.tasks[k]
		for _, i := range slices.Clone(t.Doubtful) {
			if !t.canBeAsked(i) {
				t.known(i)
				t.Answered++
				s.newAnswer(now, t, i, 0, out)
			}
		}
	}
}

// inherit takes over what an earlier session of the device has left undone. What it had sent and got no answer to is
// evidence against the tasks it was of: three sessions that broke off with commands of a task out make it poison.
func (s *Session) inherit(e *Session) {
	for k := range e.pending {
		p := &e.pending[k]
		t := e.find(p.Task)
		if t == nil || p.Code != 0 && !p.Probe { // of a probe the value counts
			continue
		}
		if n := len(t.Broken); n == 0 || t.Broken[n-1].Session != e.id || !t.Broken[n-1].Time.Equal(e.updated) {
			t.Broken = append(slices.Clip(t.Broken), storage.Break{Session: e.id, Time: e.updated, Command: p.Command})
			t.dirty = true
		}
		switch {
		case p.Probe:
			t.Doubtful = insert(t.Doubtful, p.Command)
		case !p.Chunk:
			t.sayAgain(p.Command)
		}
	}
	e.recount()
	for i := range e.tasks {
		t := &e.tasks[i]
		t.Chunk = 0
		if t.Task.Open() && (t.begun() || t.dirty) {
			s.tasks = slices.DeleteFunc(s.tasks, func(o task) bool { return o.id() == t.id() }) // as offered, it knows less
			s.queue(*t)
		}
	}
	e.tasks, e.pending = nil, nil
}

// recount takes back the answers of commands that are said again with their group, or because the value that belongs to
// their Status never came.
func (s *Session) recount() {
	for k := range s.pending {
		p := &s.pending[k]
		if t := s.find(p.Task); t != nil && p.Code == 200 && !p.Probe && !p.Valued && t.Commands[p.Command].Kind == "Get" {
			t.sayAgain(p.Command)
		}
	}
	for k := range s.pending {
		p := &s.pending[k]
		if t := s.find(p.Task); t != nil && p.Code != 0 && !p.Probe && t.isSaidAgain(p.Command) {
			t.Answered--
		}
	}
}

// setAside fails the tasks that have shown to be poison.
func (s *Session) setAside(out *Outcome) {
	for i := range s.tasks {
		t := &s.tasks[i]
		if t.Task.Open() && len(t.Broken) >= poison {
			last := slices.MaxFunc(t.Broken, func(a, b storage.Break) int { return cmp.Compare(a.Command, b.Command) })
			s.fail(t, fmt.Sprintf("poison: the device broke off %d sessions with its commands out, up to command %d (%s %s)",
				len(t.Broken), last.Command, t.Commands[last.Command].Kind, t.Commands[last.Command].URI), out)
		}
	}
}

// keepTasks puts tasks that have changed into the commit and forgets those that have ended.
func (s *Session) keepTasks(out *Outcome) {
	open := s.tasks[:0]
	for i := range s.tasks {
		t := &s.tasks[i]
		if t.dirty {
			out.Commit.Tasks = append(out.Commit.Tasks, t.Task)
			t.dirty = false
		}
		if t.Task.Open() {
			open = append(open, *t)
		}
	}
	clear(s.tasks[len(open):])
	s.tasks = open
}
