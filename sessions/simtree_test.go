package sessions_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
)

// carryOut does what a message of the server asks for, and queues the answers. answered says that there is anything to
// be said to it; ok is false where the handset died over it.
func (h *handset) carryOut(m *syncml.Message) (answered, ok bool) {
	h.serverOn = !m.Final
	nothing := len(h.queue) == 0
	refused := h.verify(m)
	dies := h.w.chance(h.w.odds.handsetDies)
	for i := 0; i < len(m.Commands); {
		end := i + 1
		for end < len(m.Commands) && m.Commands[end].Depth > 0 {
			end++
		}
		c := &m.Commands[i]
		switch {
		case c.Kind == syncml.Status:
		case c.Kind == syncml.Alert && c.Code() == 1222:
			answered = true
			if nothing {
				h.serverOn = false // it has nothing more to say, whatever the server waits for
			}
		case c.Kind == syncml.Alert && c.Code() == 1223: // the server has ended the session: a Status for that is all
			h.queue = h.queue[:0]
			h.status(m, i, 200, -1)
			h.parting, h.serverOn = true, false
			return true, true
		case c.Kind == syncml.Alert && c.Code() == 1225:
			if len(h.queue) > 0 && h.queue[0].off > 0 && h.queue[0].uri == string(c.Items[0].Target.URI) {
				h.queue = slices.Delete(h.queue, 0, 1)
			}
		default:
			answered = true
			if refused {
				for ; i < end; i++ {
					h.status(m, i, 401, -1)
				}
				continue
			}
			h.perform(m, i, end)
			if dies && h.w.chance(0.5) {
				h.die("in the middle of its commands")
				return true, false
			}
		}
		i = end
	}
	if dies {
		h.die("before its answer")
		return true, false
	}
	return answered || h.serverOn, true
}

// verify checks the server's credential and answers its SyncHdr. It reports whether its commands are refused.
func (h *handset) verify(m *syncml.Message) (refused bool) {
	e := element{kind: syncml.Status, msgRef: string(m.Header.MsgID), cmdRef: "0", name: "SyncHdr", code: 200, serial: -1}
	if h.checks && !h.verified {
		secret := auth.NewSecret([]byte("gw"), []byte("secret"))
		digest := secret.MD5(h.serverNonce)
		switch cred := &m.Header.Cred; {
		case !cred.Present():
			e.code, e.chal, refused = 407, true, true
		case string(cred.Data) != string(digest[:]):
			e.code, e.chal, refused = 401, true, true
		default:
			e.code, h.verified = 212, true
			e.chal = h.w.chance(0.5)
		}
	}
	if refused || h.commands(m) {
		h.queue = append(h.queue, e)
	}
	return refused && h.commands(m)
}

func (h *handset) commands(m *syncml.Message) bool {
	for i := range m.Commands {
		if m.Commands[i].Kind != syncml.Status {
			return true
		}
	}
	return false
}

// status queues the Status of a command.
func (h *handset) status(m *syncml.Message, i, code, serial int) {
	c := &m.Commands[i]
	h.queue = append(h.queue, element{
		kind: syncml.Status, msgRef: string(m.Header.MsgID), cmdRef: string(c.CmdID), name: c.Kind.String(), code: code,
		serial: serial,
	})
}

// told queues the Status of a command as an answer of its own, unless the handset forgets it.
func (h *handset) told(m *syncml.Message, i, code int) {
	task, command := tagOf(m.Commands, i)
	if h.w.chance(h.w.odds.silent) {
		// Without a Status nobody waits for what comes later of an Exec: that goes to the feed alone.
		h.unlate(m, i)
		return
	}
	serial := -1
	// To an Add of kind Put that is no answer yet: a Replace follows.
	if code != 418 || m.Commands[i].Depth > 0 || h.row.tasks[task-1].Commands[command].Kind != "Put" {
		serial = h.answer(task, command, code)
	}
	h.status(m, i, code, serial)
}

// unlate takes it back that an Exec is going to report.
func (h *handset) unlate(m *syncml.Message, i int) {
	task, command := tagOf(m.Commands, i)
	h.late = slices.DeleteFunc(h.late, func(l late) bool {
		return h.given[l.serial].task == task && h.given[l.serial].command == command
	})
}

// perform carries out a group.
func (h *handset) perform(m *syncml.Message, i, end int) {
	for k := i; k < end; k++ {
		h.w.isOrdered(h, m, k)
	}
	c := &m.Commands[i]
	switch {
	case c.Kind == syncml.Atomic:
		h.atomic(m, i, end)
	case c.Kind == syncml.Sequence:
		h.told(m, i, 200)
		skip := false
		for k := i + 1; k < end; k++ {
			code := 215
			if !skip {
				code = h.do(m, k)
				skip = code >= 400 && h.w.chance(0.5)
			}
			h.reply(m, k, code)
		}
	case len(c.Items) > 0 && (c.Items[0].MoreData || h.getting != nil):
		h.part(m, i)
	default:
		h.reply(m, i, h.do(m, i))
	}
}

// reply answers a command, a Get with its value.
func (h *handset) reply(m *syncml.Message, i, code int) {
	c := &m.Commands[i]
	uri := ""
	if c.Kind == syncml.Get {
		uri = string(c.Items[0].Target.URI)
	}
	probe := strings.HasPrefix(uri, "./p/")
	switch {
	case probe && code >= 300:
		h.status(m, i, code, -1)
		return
	case c.Kind != syncml.Get || code >= 300:
		h.told(m, i, code)
		return
	}
	silent := h.w.chance(h.w.odds.silent)
	if !silent {
		h.status(m, i, code, -1)
	}
	task, command := tagOf(m.Commands, i)
	e := element{kind: syncml.Results, msgRef: string(m.Header.MsgID), cmdRef: string(c.CmdID), uri: uri, code: code, task: task,
		command: command, serial: -1}
	switch {
	case probe && h.runs[tag(task, command)] > 0:
		e.value = "ran"
	case probe:
		e.value = "idle"
	case strings.HasPrefix(uri, "./b/"):
		e.size = 500 + h.w.rng.IntN(5000)
		if rest := e.size % h.chunk; rest < 12 { // room for a serial
			e.size += 12 - rest
		}
	default:
		e.serial = h.answer(task, command, code)
	}
	h.queue = append(h.queue, e)
}

// do carries out one command and returns its status.
func (h *handset) do(m *syncml.Message, i int) int {
	c := &m.Commands[i]
	if h.w.chance(0.05) && c.Kind != syncml.Get {
		return [...]int{500, 405, 403, 425}[h.w.rng.IntN(4)]
	}
	if c.Kind == syncml.Alert {
		return [...]int{200, 304, 214, 406}[h.w.rng.IntN(4)]
	}
	it := &c.Items[0]
	uri := string(it.Target.URI)
	node := uri[strings.LastIndexByte(uri, '/')+1:]
	_, there := h.tree[node]
	switch c.Kind {
	case syncml.Get:
		task, command := tagOf(m.Commands, i)
		if strings.HasPrefix(uri, "./p/") && h.noProbe && h.runs[tag(task, command)] == 0 || h.w.chance(0.05) && uri[2] == 'g' {
			return 404
		}
		return 200
	case syncml.Add:
		if there {
			return 418
		}
		h.tree[node] = string(it.Data)
	case syncml.Replace:
		if !there {
			return 404
		}
		h.tree[node] = string(it.Data)
	case syncml.Delete:
		if !there {
			return 404
		}
		delete(h.tree, node)
	case syncml.Copy:
		from := string(it.Source.URI)
		value, ok := h.tree[from[strings.LastIndexByte(from, '/')+1:]]
		if !ok {
			return 404
		}
		h.tree[node] = value
	case syncml.Exec:
		return h.exec(m, i)
	}
	return 200
}

// exec runs an Exec. Some run on, and report later, or never.
func (h *handset) exec(m *syncml.Message, i int) int {
	c := &m.Commands[i]
	task, command := tagOf(m.Commands, i)
	name := tag(task, command)
	h.runs[name]++
	h.w.count.execs++
	if h.runs[name] > 1 {
		h.w.fail(h, "Exec %s ran twice", name)
	}
	switch h.w.rng.IntN(5) {
	case 0, 1:
		return 200
	case 2:
		return 202 // and never a word of it
	}
	h.late = append(h.late, late{
		serial: h.answer(task, command, 200), at: h.w.now + h.w.between(0, 5*time.Hour),
		correlator: string(c.Correlator), uri: string(c.Items[0].Target.URI),
	})
	return 202
}

// atomic carries out all members of an Atomic or none. What an Exec has done can not be undone.
func (h *handset) atomic(m *syncml.Message, i, end int) {
	before := make(map[string]string, len(h.tree))
	for k, v := range h.tree {
		before[k] = v
	}
	codes := make([]int, end)
	failed := -1
	for k := i + 1; k < end; k++ {
		codes[k] = 215
		if failed < 0 {
			if codes[k] = h.do(m, k); codes[k] >= 300 {
				failed = k
			}
		}
	}
	code := 200
	if failed >= 0 {
		h.tree, code = before, 507
		for k := i + 1; k < failed; k++ {
			if codes[k] = 216; m.Commands[k].Kind == syncml.Exec {
				codes[k] = 516
			}
		}
	}
	h.told(m, i, code)
	for k := i + 1; k < end; k++ {
		if m.Commands[k].Kind == syncml.Exec && codes[k] == 516 {
			h.unlate(m, k)
		}
		h.reply(m, k, codes[k])
	}
}

// part takes a part of a large object.
func (h *handset) part(m *syncml.Message, i int) {
	c := &m.Commands[i]
	it := &c.Items[0]
	uri := string(it.Target.URI)
	switch g := h.getting; {
	case g == nil && it.Meta.Size == 0:
		h.w.fail(h, "the first part of %s has no Size", uri)
	case g == nil:
		task, _ := tagOf(m.Commands, i)
		h.getting = &getting{task: task, uri: uri, size: it.Meta.Size}
	case g.uri != uri:
		h.w.fail(h, "%s comes in the middle of %s", uri, g.uri)
	}
	g := h.getting
	data := it.Data
	if h.enc == syncml.XML && string(it.Meta.Format) == "b64" {
		var err error
		if data, err = base64.StdEncoding.DecodeString(string(data)); err != nil {
			h.w.fail(h, "a part of %s: %v", uri, err)
		}
	}
	g.data = append(g.data, data...)
	if it.MoreData {
		if h.w.chance(0.03) {
			h.getting = nil
			h.told(m, i, 413)
			return
		}
		h.status(m, i, 213, -1)
		return
	}
	h.getting = nil
	h.w.isWhole(h, m, i, g)
	it.Data = g.data
	h.reply(m, i, h.do(m, i))
}
