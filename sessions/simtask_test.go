package sessions_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dmgate/codec/syncml"
	"dmgate/storage"
)

// Every command of a simulated task names itself, "TASK.COMMAND", in its URI or its text: so the handset knows what it
// answers, whatever the session believes, and a check finds an answer that is filed under another command.

func tag(task uint64, command int) string { return fmt.Sprintf("%d.%d", task, command) }

// tagOf is what a command says of itself. That of an Atomic or Sequence is one before its first member.
func tagOf(cs []syncml.Command, i int) (task uint64, command int) {
	c := &cs[i]
	var text []byte
	switch {
	case c.Kind == syncml.Atomic || c.Kind == syncml.Sequence:
		if i+1 >= len(cs) || cs[i+1].Depth == 0 {
			return 0, 0
		}
		task, command = tagOf(cs, i+1)
		return task, command - 1
	case c.Kind == syncml.Alert && len(c.Items) > 1:
		text = c.Items[1].Data
	case len(c.Items) > 0:
		if parts := bytes.SplitN(c.Items[0].Target.URI, []byte("/"), 4); len(parts) >= 3 {
			text = parts[2]
		}
	}
	t, n, _ := strings.Cut(string(text), ".")
	task, _ = strconv.ParseUint(t, 10, 64)
	command, _ = strconv.Atoi(n)
	return task, command
}

// order puts a task of upstream's, or a few, into the store.
func (w *world) order(r *row) {
	if len(r.open) > 40 {
		return
	}
	n := 1
	if w.chance(0.01) {
		n = 80 // more than a session is offered at once
	}
	for range n {
		t := w.task(r, w.server.now())
		w.store.commit(&storage.Commit{Device: r.device.ID, Time: w.server.now(), Tasks: []storage.Task{t}}, nil, nil)
	}
}

func (w *world) discovery(dev storage.DeviceID, now time.Time) storage.Task {
	r := w.store.rows[dev]
	w.count.tasks++
	t := storage.Task{ID: r.nextID(), Device: dev, Purpose: "discovery", Created: now}
	for i := range 1 + w.rng.IntN(3) {
		t.Commands = append(t.Commands, storage.Command{Kind: "Get", URI: "./g/" + tag(t.ID, i)})
	}
	return t
}

// task makes a task of any kind.
func (w *world) task(r *row, now time.Time) storage.Task {
	w.count.tasks++
	t := storage.Task{ID: r.nextID(), Device: r.device.ID, Purpose: "api", Created: now}
	if w.chance(0.2) {
		t.Priority = uint8(w.rng.IntN(3))
	}
	if w.chance(0.1) {
		t.Key = "key" + strconv.Itoa(w.rng.IntN(2))
	}
	if w.chance(0.05) {
		t.Expires = now.Add(w.between(time.Second, 10*time.Hour))
	}
	if w.chance(0.05) {
		t.Deadline = now.Add(w.between(time.Second, 40*time.Hour))
	}
	for n := 1 + w.rng.IntN(5); n > 0; n-- {
		if w.chance(0.12) {
			w.group(&t)
		} else {
			t.Commands = append(t.Commands, w.command(t.ID, len(t.Commands), 0))
		}
	}
	for i := range t.Commands {
		if t.Commands[i].Kind == "Exec" && w.chance(0.9) { // some never report
			t.Deadline = now.Add(w.between(time.Hour, 40*time.Hour))
		}
	}
	return t
}

// group adds an Atomic or a Sequence and its members.
func (w *world) group(t *storage.Task) {
	kind := [...]string{"Atomic", "Sequence"}[w.rng.IntN(2)]
	t.Commands = append(t.Commands, storage.Command{Kind: kind})
	for range 1 + w.rng.IntN(3) {
		t.Commands = append(t.Commands, w.command(t.ID, len(t.Commands), 1))
	}
}

func (w *world) command(task uint64, i int, depth uint8) storage.Command {
	name := tag(task, i)
	node := "./n/" + name + "/" + strconv.Itoa(w.rng.IntN(6))
	c := storage.Command{URI: node, Depth: depth}
	switch w.rng.IntN(9) {
	case 0, 1:
		c.Kind, c.URI = "Get", "./g/"+name
		if w.chance(0.05) {
			c.URI = "./b/" + name // a large object
		}
	case 2:
		c.Kind, c.Format, c.Data = "Add", "chr", w.data()
	case 3:
		c.Kind, c.Format, c.Data = "Replace", "chr", w.data()
	case 4:
		c.Kind, c.Format, c.Data = "Put", "bin", w.data()
	case 5:
		c.Kind = "Delete"
	case 6:
		c.Kind, c.Source = "Copy", "./n/"+name+"/"+strconv.Itoa(w.rng.IntN(6))
	case 7:
		c.Kind, c.URI = "Exec", "./x/"+name
		if depth == 0 && !w.chance(0.2) {
			c.Probe, c.Idle = "./p/"+name, []string{"idle"}
		}
		if w.chance(0.2) {
			c.Correlator = "c" + name
		}
	case 8:
		c.Kind, c.URI, c.Code = "Alert", "", 1100+w.rng.IntN(5)
		c.Items = []string{"MINDT=1", name, "a", "b"}
	}
	return c
}

func (w *world) data() []byte {
	n := w.rng.IntN(60)
	if w.chance(0.06) {
		n = 500 + w.rng.IntN(5000)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(w.rng.IntN(26))
	}
	return b
}

// serialOf is the number of the answer that data is of, -1 where it has none.
func serialOf(data []byte) int {
	if len(data) < 2 || data[0] != '#' {
		return -1
	}
	n := 0
	for _, d := range data[1:] {
		if d < '0' || d > '9' {
			break
		}
		n = n*10 + int(d-'0')
	}
	return n
}
