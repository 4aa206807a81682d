package sessions

import (
	"slices"
	"strconv"

	"dmgate/codec/syncml"
	"dmgate/storage"
)

// put is the Kind of a command that is sent as an Add, and, where the node is there already, as a Replace (trap 13).
const put = "Put"

// task is an open task and how far the device is with it. A command of the list and its members, if it is an Atomic or
// Sequence, are a group: what has to go out in one message.
type task struct {
	storage.Task
	storage.Open      // the progress; its ID is the task's
	dirty        bool // has changed since it was last committed
}

// newTask is t as it stands in the store. One that is under way although no session knows how far may have run its
// Execs: they are asked for first, and all the rest is said again.
func newTask(t *storage.Task) task {
	n := task{Task: *t, Open: storage.Open{ID: t.ID}}
	switch t.State {
	case storage.TaskWaiting:
		n.Next, n.Answered = len(t.Commands), len(t.Commands)
		for i := range t.Commands {
			if t.Commands[i].Kind == "Exec" {
				n.Accepted = append(n.Accepted, i)
			}
		}
	case storage.TaskSent:
		for i := range t.Commands {
			n.sayAgain(i)
		}
		n.Next = len(t.Commands)
	}
	return n
}

// id is the task's ID, which both its parts have.
func (t *task) id() uint64 { return t.Task.ID }

// begun says whether a command of t has been sent.
func (t *task) begun() bool { return t.Next > 0 || t.Chunk > 0 || t.Attempts > 0 }

// groupEnd is the index behind the group of command i, which is at the top.
func (t *task) groupEnd(i int) int {
	for i++; i < len(t.Commands) && t.Commands[i].Depth > 0; i++ {
	}
	return i
}

// top is the first command of the group that command i is of.
func (t *task) top(i int) int {
	for i > 0 && t.Commands[i].Depth > 0 {
		i--
	}
	return i
}

func (t *task) hasExec(i int) bool {
	for end := t.groupEnd(i); i < end; i++ {
		if t.Commands[i].Kind == "Exec" {
			return true
		}
	}
	return false
}

// next is the command at the top that goes out next; probe says that it is asked for whether it has run. ok is false
// where there is nothing to say.
func (t *task) next() (i int, probe, ok bool) {
	switch {
	case len(t.Doubtful) > 0:
		return t.Doubtful[0], true, true
	case len(t.Again) > 0:
		return t.Again[0], false, true
	case t.Next < len(t.Commands):
		return t.Next, false, true
	}
	return 0, false, false
}

// isComplete says whether t has all the answers of its commands and does not say so yet.
func (t *task) isComplete() bool {
	return t.Answered >= len(t.Commands) && (t.State == storage.TaskQueued || t.State == storage.TaskSent ||
		t.State == storage.TaskWaiting && len(t.Accepted) == 0)
}

// said takes what next has named off the list.
func (t *task) said(i int, probe bool) {
	switch {
	case probe:
		t.Doubtful = slices.Delete(t.Doubtful, 0, 1)
	case len(t.Again) > 0:
		t.Again = slices.Delete(t.Again, 0, 1)
	default:
		t.Next = t.groupEnd(i)
	}
	t.Chunk = 0
}

// known takes command i off the list of those that nobody knows of.
func (t *task) known(i int) {
	t.Doubtful = slices.DeleteFunc(t.Doubtful, func(d int) bool { return d == i })
}

// again puts the group of command i on the list of what has to be said again, in the order of the commands.
func (t *task) again(i int) { t.Again = insert(t.Again, t.top(i)) }

// sayAgain is again for a command of which nobody knows whether the device has carried it out. To do so twice does no
// harm, unless there is an Exec in its group.
func (t *task) sayAgain(i int) {
	if t.hasExec(t.top(i)) {
		t.Doubtful = insert(t.Doubtful, i)
	} else {
		t.again(i)
	}
}

// isSaidAgain says whether command i gets another answer than the one it has.
func (t *task) isSaidAgain(i int) bool {
	return slices.Contains(t.Again, t.top(i)) || slices.Contains(t.Doubtful, i)
}

// canBeAsked says whether the device can tell what became of command i, an Exec.
func (t *task) canBeAsked(i int) bool {
	return t.Commands[i].Probe != "" && t.top(i) == i && t.groupEnd(i) == i+1
}

// insert puts i into list, which is in order and has nothing twice.
func insert(list []int, i int) []int {
	if at, there := slices.BinarySearch(list, i); !there {
		list = slices.Insert(list, at, i)
	}
	return list
}

// isPut says whether command i is a Put that can be said again by itself. In a group it is an Add: the device has
// answered for the group.
func (t *task) isPut(i int) bool {
	return t.Commands[i].Kind == put && t.groupEnd(i) == i+1 && t.Commands[i].Depth == 0
}

// isReplace says whether command i, a Put, goes out as a Replace.
func (t *task) isReplace(i int) bool { return slices.Contains(t.Replace, i) }

// correlator is what ties a late result to command i, an Exec.
func (t *task) correlator(dst []byte, i int) []byte {
	if c := t.Commands[i].Correlator; c != "" {
		return append(dst, c...)
	}
	dst = strconv.AppendUint(dst, t.id(), 36)
	dst = append(dst, '.')
	return strconv.AppendInt(dst, int64(i), 10)
}

// kind is how command i is called in a message.
func (t *task) kind(i int) syncml.Kind {
	switch c := &t.Commands[i]; {
	case c.Kind != put:
		return syncml.KindOf([]byte(c.Kind))
	case t.isReplace(i):
		return syncml.Replace
	default:
		return syncml.Add
	}
}
