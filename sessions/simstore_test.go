package sessions_test

import (
	"errors"
	"maps"
	"slices"

	"dmgate/storage"
)

// errStore is a store that could not do what it was asked. Whether a commit with this error is kept, nobody knows.
var errStore = errors.New("simulation: the store failed")

// memory is the store of a simulated gateway: what is in it outlives every crash. It reads and writes checkpoints in their
// real encoding, and looks at every commit that it keeps.
type memory struct {
	w    *world
	rows map[storage.DeviceID]*row
	imei map[string]storage.DeviceID
}

// row is what is kept of one device.
type row struct {
	handset    *handset
	device     storage.Device
	account    storage.Account
	checkpoint []byte
	open       []storage.Task // by ID
	tasks      []history      // of task N at N-1
	body       []byte         // the message that the checkpoint is of
	reply      []byte         // what it was answered with
}

// history is what has become of a task, for the checks.
type history struct {
	storage.Task
	kept     bool
	answered []bool // by command: the store has an answer to it
	unknown  []bool // by command: nobody knows what became of it
}

func (m *memory) add(h *handset) *row {
	r := &row{handset: h}
	r.device = storage.Device{ID: h.id, State: storage.Delivered, DevID: h.imei, Facts: map[string]string{}}
	r.account = storage.Account{
		Device: h.id, ServerID: "gw", Password: h.password, ServerPassword: "secret",
		ClientNonce: slices.Clone(h.nonce), ServerNonce: slices.Clone(h.serverNonce),
	}
	m.rows[h.id], m.imei[h.imei] = r, h.id
	return r
}

// nextID is a new task's. One whose commit fails leaves a gap.
func (r *row) nextID() uint64 {
	r.tasks = append(r.tasks, history{})
	return uint64(len(r.tasks))
}

func (m *memory) fails() bool { return m.w.chance(m.w.odds.readFails) }

// known is a device and its account, as copies that belong to the caller.
func (m *memory) known(id storage.DeviceID) (*storage.Device, *storage.Account, error) {
	r := m.rows[id]
	switch {
	case r == nil:
		return nil, nil, storage.ErrNotFound
	case m.fails():
		return nil, nil, errStore
	}
	dev, account := r.device, r.account
	dev.Facts = maps.Clone(dev.Facts)
	account.ClientNonce, account.ServerNonce = slices.Clone(account.ClientNonce), slices.Clone(account.ServerNonce)
	return &dev, &account, nil
}

func (m *memory) find(imei string) (storage.DeviceID, error) {
	if id, ok := m.imei[imei]; ok {
		return id, nil
	}
	return "", storage.ErrNotFound
}

func (m *memory) openTasks(id storage.DeviceID, limit int) ([]storage.Task, error) {
	if m.fails() {
		return nil, errStore
	}
	open := m.rows[id].open
	return slices.Clone(open[:min(limit, len(open))]), nil
}

func (m *memory) task(id storage.DeviceID, n uint64) (storage.Task, error) {
	if m.fails() {
		return storage.Task{}, errStore
	}
	return m.rows[id].tasks[n-1].Task, nil
}

// restored is the device's checkpoint; nil where there is none.
func (m *memory) restored(id storage.DeviceID) (*storage.Checkpoint, error) {
	r := m.rows[id]
	switch {
	case r == nil || r.checkpoint == nil:
		return nil, nil
	case m.fails():
		return nil, errStore
	}
	cp := new(storage.Checkpoint)
	return cp, storage.ReadRecord(r.checkpoint, cp)
}

// commit keeps c, all of it. body and reply are the message that it is of and its answer.
func (m *memory) commit(c *storage.Commit, body, reply []byte) {
	r := m.rows[c.Device]
	if c.Edit != nil {
		if err := c.Edit(&r.device); err != nil {
			m.w.fail(r.handset, "an edit of the device: %v", err)
		}
	}
	if a := c.Account; a != nil {
		r.account = *a
		r.account.ClientNonce, r.account.ServerNonce = slices.Clone(a.ClientNonce), slices.Clone(a.ServerNonce)
	}
	for i := range c.Tasks { // the planner's new ones may be answered in the very commit that brings them
		if h := &r.tasks[c.Tasks[i].ID-1]; !h.kept {
			n := len(c.Tasks[i].Commands)
			*h = history{Task: c.Tasks[i], kept: true, answered: make([]bool, n), unknown: make([]bool, n)}
			h.State = storage.TaskQueued
		}
	}
	for i := range c.Results {
		m.keepResults(r, &c.Results[i])
	}
	for i := range c.Tasks {
		m.keepTask(r, c.Tasks[i])
	}
	if c.Checkpoint != nil {
		cp, err := storage.AppendRecord(r.checkpoint[:0], c.Checkpoint)
		if err != nil {
			m.w.fail(r.handset, "the checkpoint: %v", err)
		}
		r.checkpoint = cp
		r.body, r.reply = append(r.body[:0], body...), append(r.reply[:0], reply...)
		m.w.isBounded(r, c.Checkpoint)
	}
}

// keepResults looks at answers before they are kept: each is one that the device gave, to that command, once.
func (m *memory) keepResults(r *row, res *storage.Results) {
	h := r.handset
	if res.Task == 0 || res.Task > uint64(len(r.tasks)) || !r.tasks[res.Task-1].kept {
		m.w.fail(h, "answers to task %d, which is not in the store", res.Task)
	}
	t := &r.tasks[res.Task-1]
	for i := range res.Answers {
		a := &res.Answers[i]
		if a.Command < 0 || a.Command >= len(t.Commands) {
			m.w.fail(h, "an answer to command %d of task %d, which has %d", a.Command, res.Task, len(t.Commands))
		}
		if !a.Late {
			t.answered[a.Command] = true
			t.unknown[a.Command] = t.unknown[a.Command] || a.Code == 0
		}
		serial := serialOf(a.Data)
		if serial < 0 {
			continue
		}
		if serial >= len(h.given) {
			m.w.fail(h, "answer #%d was never given", serial)
		}
		g := &h.given[serial]
		switch {
		case g.task != res.Task || g.command != a.Command:
			m.w.fail(h, "answer #%d to command %d of task %d is filed under command %d of task %d", serial, g.command, g.task,
				a.Command, res.Task)
		case g.kept:
			m.w.fail(h, "answer #%d to command %d of task %d is kept twice", serial, g.command, g.task)
		case g.code != a.Code && a.Code != 0 && a.Part == 0:
			m.w.fail(h, "answer #%d has code %d, the device said %d", serial, a.Code, g.code)
		}
		g.kept = true
		m.w.count.answers++
	}
}

func (m *memory) keepTask(r *row, t storage.Task) {
	t.Broken = slices.Clone(t.Broken)
	h := &r.tasks[t.ID-1]
	if !h.Open() {
		m.w.fail(r.handset, "task %d is %d and becomes %d: %+v", t.ID, h.State, t.State, t)
	}
	h.Task = t
	at, there := slices.BinarySearchFunc(r.open, t.ID, func(o storage.Task, id uint64) int { return int(o.ID) - int(id) })
	switch {
	case t.Open() && there:
		r.open[at] = t
	case t.Open():
		r.open = slices.Insert(r.open, at, t)
	case there:
		r.open = slices.Delete(r.open, at, at+1)
	}
	switch t.State {
	case storage.TaskDone:
		m.w.count.done++
		for i, ok := range h.answered {
			if !ok {
				m.w.fail(r.handset, "task %d is done, and has no answer to command %d (%s)", t.ID, i, t.Commands[i].Kind)
			}
		}
	case storage.TaskFailed:
		m.w.count.failed++
		if t.Reason == "" {
			m.w.fail(r.handset, "task %d has failed without a reason", t.ID)
		}
	case storage.TaskWaiting:
		if t.Reason == "" {
			m.w.fail(r.handset, "task %d waits without a reason", t.ID)
		}
	}
}
