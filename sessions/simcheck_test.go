package sessions_test

import (
	"bytes"
	"fmt"
	"strings"

	"dmgate/codec/syncml"
	"dmgate/sessions"
	"dmgate/storage"
)

// What has to hold, whatever happens. Each check is named for what it says.

// violation is a promise that does not hold; it ends the run.
type violation struct{ text string }

func (w *world) fail(h *handset, format string, args ...any) {
	var b strings.Builder
	fmt.Fprintf(&b, "step %d: ", w.count.steps)
	fmt.Fprintf(&b, format, args...)
	if h != nil {
		fmt.Fprintf(&b, "\n%s, its last messages:", h.id)
		for i := max(0, h.traced-len(h.trace)); i < h.traced; i++ {
			fmt.Fprintf(&b, "\n  %s", h.trace[i%len(h.trace)])
		}
	}
	panic(violation{b.String()})
}

// isKept: an answer that the server has acknowledged is in the store. One to a task that is given up is of no use, and what
// comes late of an Exec that nobody waits for is in the feed alone.
func (w *world) isKept(h *handset, serial int, late bool) {
	g := &h.given[serial]
	t := &h.row.tasks[g.task-1]
	if !g.kept && t.State != storage.TaskFailed && !(late && t.unknown[g.command]) {
		cp, _ := w.store.restored(h.id)
		w.fail(h, "answer #%d to command %d of task %d was acknowledged, and is not kept: state %d, broken %v, session %+v", serial,
			g.command, g.task, t.State, t.Broken, cp.Tasks)
	}
}

// isSound: a reply is well-formed, has no commands beside a challenge, and no more bytes than the handset takes.
func (w *world) isSound(h *handset, m *syncml.Message, size int) {
	commands, challenged := 0, false
	for i := range m.Commands {
		c := &m.Commands[i]
		if string(c.CmdID) == "0" || len(c.CmdID) == 0 {
			w.fail(h, "a command with CmdID %q", c.CmdID)
		}
		for k := range i {
			if bytes.Equal(m.Commands[k].CmdID, c.CmdID) {
				w.fail(h, "two commands with CmdID %s", c.CmdID)
			}
		}
		if c.Kind != syncml.Status {
			commands++
		} else if code := c.Code(); string(c.CmdRef) == "0" && code >= 400 {
			challenged = true
		}
	}
	switch {
	case challenged && commands > 0:
		w.fail(h, "commands beside a challenge: %s", listed(m))
	case isChallenge(m) && strings.Contains(string(m.Header.RespURI), "?d="):
		w.fail(h, "a challenge names the device: %s", m.Header.RespURI)
	case commands > 0 && h.maxMsg >= 512 && size > h.maxMsg && !isAlone(m):
		w.fail(h, "a reply of %d bytes, the handset takes %d: %s", size, h.maxMsg, listed(m))
	}
	if h.getting != nil && h.row.tasks[h.getting.task-1].State == storage.TaskFailed {
		h.getting = nil // its deadline has passed
	}
	if h.getting != nil && commands > 0 {
		for i := range m.Commands {
			c := &m.Commands[i]
			if c.Kind != syncml.Status && !(c.Kind == syncml.Alert && c.Code() >= 1222) &&
				(commands != 1 || string(c.Items[0].Target.URI) != h.getting.uri) {
				w.fail(h, "a large object is not gone on with: %s", listed(m))
			}
		}
	}
}

// isChallenge says that m is an answer to somebody who has not proved who he is.
func isChallenge(m *syncml.Message) bool {
	code, _ := headerOf(m)
	return code == 401 || code == 407
}

// isAlone says that m has nothing but statuses and Alert 1222 or 1225: what has to be said has to be said.
func isAlone(m *syncml.Message) bool {
	for i := range m.Commands {
		if c := &m.Commands[i]; c.Kind != syncml.Status && c.Kind != syncml.Alert {
			return false
		}
	}
	return true
}

// isOrdered: a command is one of a task in the store that is open, or has been open when it was sent.
func (w *world) isOrdered(h *handset, m *syncml.Message, i int) {
	c := &m.Commands[i]
	task, command := tagOf(m.Commands, i)
	if task == 0 || task > uint64(len(h.row.tasks)) || !h.row.tasks[task-1].kept || command >= len(h.row.tasks[task-1].Commands) {
		w.fail(h, "command %s is of no task: %s", c.CmdID, listed(m))
	}
	cmd := &h.row.tasks[task-1].Commands[command]
	probe := c.Kind == syncml.Get && cmd.Kind == "Exec"
	if !probe && c.Kind.String() != cmd.Kind && !(cmd.Kind == "Put" && (c.Kind == syncml.Add || c.Kind == syncml.Replace)) {
		w.fail(h, "command %d of task %d is a %s and came as a %s", command, task, cmd.Kind, c.Kind)
	}
	members := 0
	for k := i + 1; k < len(m.Commands) && m.Commands[k].Depth > c.Depth; k++ {
		members++
	}
	wanted := 0
	for k := command + 1; k < len(h.row.tasks[task-1].Commands) && h.row.tasks[task-1].Commands[k].Depth > cmd.Depth; k++ {
		wanted++
	}
	if members != wanted {
		w.fail(h, "command %d of task %d has %d members and came with %d", command, task, wanted, members)
	}
}

// isWhole: a large object arrives as it was ordered.
func (w *world) isWhole(h *handset, m *syncml.Message, i int, g *getting) {
	task, command := tagOf(m.Commands, i)
	if want := h.row.tasks[task-1].Commands[command].Data; !bytes.Equal(g.data, want) {
		w.fail(h, "a large object of %d bytes arrived as one of %d", len(want), len(g.data))
	}
}

// isBounded: what a session holds does not grow.
func (w *world) isBounded(r *row, cp *storage.Checkpoint) {
	if len(cp.Commands) > 2000 || len(cp.Tasks) > len(r.open)+1 {
		w.fail(r.handset, "a session with %d tasks and %d commands out; %d tasks are open", len(cp.Tasks), len(cp.Commands), len(r.open))
	}
	for i := range cp.Tasks {
		t := &cp.Tasks[i]
		n := len(r.tasks[t.ID-1].Commands)
		if len(t.Again) > n || len(t.Doubtful) > n || len(t.Accepted) > n || len(t.Replace) > n || t.Answered > n {
			w.fail(r.handset, "task %d has %d commands and %+v", t.ID, n, *t)
		}
	}
}

// isHarmless: whoever only knows the name, or the DevId, changes nothing of a proved session and gets nothing.
func (w *world) isHarmless(d *driven, proved bool) {
	out := &d.k.out
	nonces := false // that its failures are counted in the account is as it should be
	if a := out.Commit.Account; a != nil {
		nonces = !bytes.Equal(a.ClientNonce, d.r.account.ClientNonce) || !bytes.Equal(a.ServerNonce, d.r.account.ServerNonce)
	}
	switch {
	case d.s.Proved() && out.Kept:
		w.fail(d.e.handset, "an impostor is taken for the device")
	case len(out.Commit.Results) > 0:
		w.fail(d.e.handset, "an impostor brings results")
	case proved && d.s == d.own && out.Kept:
		w.fail(d.e.handset, "an impostor is heard in the device's session")
	case proved && (len(out.Commit.Tasks) > 0 || nonces || out.Commit.Edit != nil):
		w.fail(d.e.handset, "an impostor changes what the device is asked")
	}
}

// isBare: an impostor is told nothing but that it has to prove itself.
func (w *world) isBare(e *envelope, reply []byte) {
	var m syncml.Message
	if err := m.Read(reply, e.enc, nil); err != nil {
		w.fail(e.handset, "reply to an impostor: %v", err)
	}
	code, _ := headerOf(&m)
	for i := range m.Commands {
		if m.Commands[i].Kind != syncml.Status {
			w.fail(e.handset, "an impostor gets %s", listed(&m))
		}
	}
	if code < 400 || strings.Contains(string(m.Header.RespURI), "?d=") {
		w.fail(e.handset, "an impostor gets status %d and address %s", code, m.Header.RespURI)
	}
}

// isStill: at the end every session is over or idle, and every task is done, has failed or says what it waits for.
func (w *world) isStill() {
	for _, h := range w.fleet {
		if h.open {
			w.fail(h, "the handset is in a session that does not end")
		}
		for i := range h.row.open {
			if t := &h.row.open[i]; t.State == storage.TaskWaiting {
				w.count.waiting++
			} else {
				w.fail(h, "task %d (%s, %d commands, broken off %d times) does not end", t.ID, t.Purpose, len(t.Commands), len(t.Broken))
			}
		}
		if len(h.late) > 0 {
			w.fail(h, "%d late results were never taken", len(h.late))
		}
		if cp, _ := w.store.restored(h.id); cp != nil && !cp.Ended && len(cp.Commands) > 0 && sessions.Proof(cp.Proved) != sessions.Unproved {
			w.fail(h, "a session with %d commands out is left", len(cp.Commands))
		}
	}
}

// impostor sends a message in a handset's name: with its DevId in the middle of its session, or with its name and a guessed
// password at the beginning of one.
func (w *world) impostor(of *envelope) {
	w.count.impostors++
	h := of.handset
	var m syncml.Message
	d := &m.Header
	d.VerDTD, d.VerProto, d.SessionID = m.Text("1.2"), m.Text("DM/1.2"), m.Text(h.session)
	d.Target.URI, d.Source.URI = m.Text(address), m.Text(h.imei)
	d.RespURI = m.Text("forged")
	if w.chance(0.5) {
		d.SessionID = m.Text("forged")
	}
	d.MsgID = m.Number(1)
	if w.chance(0.5) {
		d.Source.Name = m.Text(string(h.id))
	} else {
		d.MsgID = m.Number(h.msg + w.rng.IntN(3))
		if string(d.MsgID) == "0" {
			d.MsgID = m.Number(1)
		}
	}
	switch w.rng.IntN(3) {
	case 0:
		d.Cred.Meta.Type, d.Cred.Data = m.Text("syncml:auth-md5"), m.Text("AAAAAAAAAAAAAAAAAAAAAA==")
	case 1:
		d.Cred.Meta.Type, d.Cred.Data = m.Text("syncml:auth-basic"), m.Text("bm9ib2R5Ong=")
	}
	h.add(&m, syncml.Alert).Data = m.Text("1201")
	st := h.add(&m, syncml.Status)
	st.MsgRef, st.CmdRef, st.Cmd, st.Data = m.Number(h.msg), m.Text("4"), m.Text("Get"), m.Text("200")
	m.Final = true
	e := &envelope{handset: h, enc: h.enc, body: m.Append(nil, h.enc), impostor: true}
	w.travel(func() { w.server.take(e) })
}
