package device

import (
	"testing"

	"dmgate/sessions"
	"dmgate/storage"
)

// queue gives a device n tasks, older than any that a planner adds.
func (r *rig) queue(d *storage.Device, n int) {
	r.t.Helper()
	c := storage.Commit{Device: d.ID}
	for i := range n {
		c.Tasks = append(c.Tasks, storage.Task{
			ID: uint64(i + 1), Device: d.ID, Commands: []storage.Command{{Kind: "Get", URI: "./DevInfo/Mod"}},
		})
	}
	if err := r.disk.Commit(&c); err != nil {
		r.t.Fatal(err)
	}
}

// A device has more tasks than are read at a time: one session gets them all.
func TestManyTasks(t *testing.T) {
	const n = 2*offeredTasks + 5
	r := newRig(t, Options{Sessions: sessions.Options{Planner: idle{}}})
	d := r.register(1)
	r.queue(d, n)
	p := r.phone(d)
	p.open(p.basic)
	for range n / offeredTasks {
		p.goOn()
	}
	p.answers()
	p.post()
	if got := r.results(d); got != n {
		t.Errorf("%d answers are kept, want %d", got, n)
	}
}

// A task that is under way and not among the oldest: a new process takes its answers all the same.
func TestManyTasksAndRestart(t *testing.T) {
	r := newRig(t, Options{})
	d := r.register(1)
	r.queue(d, 2*offeredTasks)
	p := r.phone(d)
	p.open(p.basic)
	asked := len(p.in.Commands) - 2 // Status for SyncHdr and for Alert
	r.restart()
	p.line = r.dial()
	p.goOn()
	if got := r.results(d); got != asked {
		t.Errorf("%d answers are kept, want %d", got, asked)
	}
}
