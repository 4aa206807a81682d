package sessions

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/storage"
)

// The scripts in testdata are conversations between a device and the server. Their commands:
//
//	device [scheme=S] [server=S]   a fresh device with its account; the client nonce is #1, the server's is #2. What the
//	                               device has to use at least, and what we prove ourselves with: basic, md5, hmac
//	plan                           one command a line: the task that the planner hands out when the device is proved
//	task [priority=N] [key=K]      the same, but it stands in the store and waits for the device; also: expires=, deadline=,
//	                               which are durations from now
//	fact NAME VALUE                what is known of the device
//	send [alert=N] [cred=...]      a message of the device; each line of the input is a command in it.
//	                               cred: basic, md5 with the nonce the device holds, #N, raw:#N, zero, wrong
//	                               hmac: held for the nonce the device holds, #N, raw:#N, zero, wrong; with hex in front
//	                               a mac of 44 characters; user= is its user name, and alg= its algorithm
//	                               transport: the device whose certificate the connection has proved
//	                               also: session=, msg=, proto=, dtd=, maxmsg=, maxobj=, final=no, xml, noresp
//	repeat                         the last message again, to the byte
//	restart                        the process dies; the session is restored from its checkpoint
//	resync DURATION                a notification with the zero nonce has gone out; it may be used for so long
//	fail N                         somebody else has shown N wrong credentials in the device's name
//	later DURATION                 nothing happens for so long
//
// A Status is written "Status MSG.CMD Name Code", a result "Results MSG.CMD URI Data", and "part=more" or "part=last" with
// "size=N" make it a chunk of a large object. Members of an Atomic or Sequence have a "> " in front of them. Commands for
// the device are "Get URI", "Add URI Data" and so on, "Copy FROM TO", "Exec URI [probe=URI idle=A,B]", and "Alert CODE
// OPTIONS|TEXT|CHOICE"; "fill=N" stands for N bytes of data.
// Nonces are written #N: the Nth that was made.

const (
	testUser     = "dev1"
	testPassword = "OhBehave"
	testServer   = "http://gw.test/dm"
)

func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		c := &conversation{t: t}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			c.t = t
			return c.run(d)
		})
	})
}

// conversation is one device, its side of the wire, and the session at the other end.
type conversation struct {
	t       *testing.T
	opt     Options
	now     time.Time
	nonces  uint64
	device  *storage.Device
	account *storage.Account
	session *Session
	plan    []storage.Command
	tasks   map[uint64]storage.Task
	cp      *storage.Checkpoint
	held    []byte // the nonce that the device holds
	msg     int
	last    []byte
	hmac    auth.HMAC        // of the last message
	tls     storage.DeviceID // that the last message's connection has proved
	shown   storage.Account  // as commit has told it
	enc     syncml.Encoding
	req     Request
	in      syncml.Message
	out     Outcome
}

func nonce(n uint64) []byte {
	b := make([]byte, nonceSize)
	binary.BigEndian.PutUint64(b[8:], n)
	return b
}

func nonceName(b []byte) string {
	if len(b) != nonceSize {
		return fmt.Sprintf("%q", b)
	}
	return "#" + strconv.FormatUint(binary.BigEndian.Uint64(b[8:]), 10)
}

func (c *conversation) run(d *datadriven.TestData) string {
	switch d.Cmd {
	case "device":
		*c = conversation{t: c.t, now: epoch, nonces: 2, held: nonce(1), tasks: make(map[uint64]storage.Task)}
		c.opt = Options{Address: testServer, Planner: c, Random: c.random, Failures: 3}.WithDefaults()
		d.MaybeScanArgs(c.t, "messages", &c.opt.Messages)
		c.device = &storage.Device{ID: testUser, State: storage.Delivered}
		c.account = &storage.Account{
			Device: testUser, ServerID: "gw", Password: testPassword, ServerPassword: "secret",
			ClientNonce: nonce(1), ServerNonce: nonce(2),
		}
		d.MaybeScanArgs(c.t, "scheme", &c.account.Scheme)
		d.MaybeScanArgs(c.t, "server", &c.account.ServerScheme)
		c.shown = account(c.account)
		return ""
	case "plan":
		for line := range strings.Lines(d.Input) {
			c.plan = append(c.plan, command(line))
		}
		return ""
	case "task":
		c.addTask(d)
		return ""
	case "fact":
		c.device.Facts = map[string]string{d.CmdArgs[0].Key: d.CmdArgs[1].Key}
		return ""
	case "send":
		c.compose(d)
		return c.deliver()
	case "repeat":
		return c.deliver()
	case "later":
		c.now = c.now.Add(c.duration(d))
		return ""
	case "fail":
		n, _ := strconv.Atoi(d.CmdArgs[0].Key)
		for range n {
			stranger := New(&c.opt, c.device, c.account, []byte("X"), c.now, nil)
			stranger.refused(c.now, &c.out)
		}
		return c.keepAccount(c.account)
	case "resync":
		c.account.ZeroNonceUntil = c.now.Add(c.duration(d))
		c.shown = account(c.account)
		return ""
	case "restart":
		c.session = Restore(&c.opt, c.device, c.account, c.cp, c.open(), c.now)
		return ""
	}
	return "no such command: " + d.Cmd
}

func (c *conversation) duration(d *datadriven.TestData) time.Duration {
	duration, err := time.ParseDuration(d.CmdArgs[0].Key)
	if err != nil {
		c.t.Fatal(err)
	}
	return duration
}

// command is the command that a line of a plan stands for.
func command(line string) storage.Command {
	f := strings.Fields(line)
	cmd := storage.Command{Kind: f[0]}
	if cmd.Kind == ">" {
		cmd = command(strings.Join(f[1:], " "))
		cmd.Depth++
		return cmd
	}
	if len(f) == 1 {
		return cmd // an Atomic or Sequence
	}
	cmd.URI, f = f[1], f[2:]
	switch cmd.Kind {
	case "Copy":
		cmd.Source, cmd.URI = cmd.URI, f[0]
		return cmd
	case "Alert":
		cmd.Code, _ = strconv.Atoi(cmd.URI)
		cmd.URI, cmd.Items = "", strings.Split(strings.Join(f, " "), "|")
		return cmd
	}
	for len(f) > 0 {
		switch name, value, _ := strings.Cut(f[0], "="); name {
		case "probe":
			cmd.Probe = value
		case "idle":
			cmd.Idle = strings.Split(value, ",")
		case "bin":
			cmd.Format = "bin"
		case "fill":
			n, _ := strconv.Atoi(value)
			cmd.Data = []byte(strings.Repeat("0123456789", n/10+1)[:n])
		default:
			cmd.Format, cmd.Data = "chr", []byte(strings.Join(f, " "))
			return cmd
		}
		f = f[1:]
	}
	return cmd
}

// addTask puts a task into the store.
func (c *conversation) addTask(d *datadriven.TestData) {
	t := storage.Task{ID: uint64(len(c.tasks)) + 1, Device: c.device.ID, Purpose: "test", Created: c.now}
	var expires, deadline string
	var priority int
	d.MaybeScanArgs(c.t, "priority", &priority)
	d.MaybeScanArgs(c.t, "key", &t.Key)
	d.MaybeScanArgs(c.t, "expires", &expires)
	d.MaybeScanArgs(c.t, "deadline", &deadline)
	t.Priority = uint8(priority)
	t.Expires, t.Deadline = c.after(expires), c.after(deadline)
	for line := range strings.Lines(d.Input) {
		t.Commands = append(t.Commands, command(line))
	}
	c.tasks[t.ID] = t
}

// after is the time a duration from now; zero for none.
func (c *conversation) after(duration string) (t time.Time) {
	if d, err := time.ParseDuration(duration); err == nil {
		t = c.now.Add(d)
	}
	return t
}

func (c *conversation) random(b []byte) {
	c.nonces++
	copy(b, nonce(c.nonces))
}

func (c *conversation) open() []storage.Task {
	var open []storage.Task
	for id := range uint64(len(c.tasks)) {
		if t := c.tasks[id+1]; t.Open() {
			open = append(open, t)
		}
	}
	return open
}

// Proved implements Planner.
func (c *conversation) Proved(now time.Time, dev *storage.Device, out *Outcome) []storage.Task {
	if dev.State != storage.Connected {
		out.Change(dev, func(d *storage.Device) { d.Enter(storage.Connected, now, "", storage.Wait{}) })
	}
	if c.plan == nil {
		return nil
	}
	t := storage.Task{ID: uint64(len(c.tasks)) + 1, Device: dev.ID, Commands: c.plan}
	c.plan = nil
	return []storage.Task{t}
}

// GivenUp implements Planner: the task's order fails with it.
func (c *conversation) GivenUp(task *storage.Task, why string, out *Outcome) {
	if task.Order != "" {
		out.Commit.Ends = append(out.Commit.Ends, storage.OrderEnd{ID: task.Order, State: storage.OrderFailed, Reason: why})
	}
}

// Answered implements Planner: a device that says what it has at its root is asked for that.
func (c *conversation) Answered(now time.Time, dev *storage.Device, task *storage.Task, answers []storage.Answer, done bool, out *Outcome) []storage.Task {
	var next []storage.Command
	for _, a := range answers {
		if task.Commands[a.Command].URI == "." && a.Code == 200 {
			for name := range strings.SplitSeq(string(a.Data), "/") {
				next = append(next, storage.Command{Kind: "Get", URI: "./" + name})
			}
		}
	}
	if next == nil {
		return nil
	}
	return []storage.Task{{ID: task.ID + 1, Device: dev.ID, Commands: next}}
}

// compose makes the device's next message.
func (c *conversation) compose(d *datadriven.TestData) {
	var m syncml.Message
	session, proto, dtd, alert, cred, final := "1", "DM/1.2", "1.2", "", "", "yes"
	c.msg++
	d.MaybeScanArgs(c.t, "session", &session)
	d.MaybeScanArgs(c.t, "msg", &c.msg)
	d.MaybeScanArgs(c.t, "proto", &proto)
	d.MaybeScanArgs(c.t, "dtd", &dtd)
	d.MaybeScanArgs(c.t, "alert", &alert)
	d.MaybeScanArgs(c.t, "cred", &cred)
	d.MaybeScanArgs(c.t, "final", &final)
	d.MaybeScanArgs(c.t, "maxmsg", &m.Header.Meta.MaxMsgSize)
	d.MaybeScanArgs(c.t, "maxobj", &m.Header.Meta.MaxObjSize)
	d.MaybeScanArgs(c.t, "maxobj", &c.opt.MaxObj)
	c.enc = syncml.WBXML
	if d.HasArg("xml") {
		c.enc = syncml.XML
	}
	h := &m.Header
	h.VerDTD, h.VerProto, h.SessionID, h.MsgID = []byte(dtd), []byte(proto), []byte(session), m.Number(c.msg)
	h.Target.URI, h.Source.URI = []byte(testServer), []byte("IMEI:490154203237518")
	h.NoResp = d.HasArg("noresp")
	c.credential(&m, cred)
	if alert != "" {
		a := c.add(&m, syncml.Alert)
		a.Data = []byte(alert)
	}
	for line := range strings.Lines(d.Input) {
		c.addLine(&m, strings.Fields(line))
	}
	m.Final = final == "yes"
	c.last = m.Append(nil, c.enc)
	c.beside(d)
}

func (c *conversation) add(m *syncml.Message, k syncml.Kind) *syncml.Command {
	cmd := m.AddCommand(k)
	cmd.CmdID = m.Number(len(m.Commands))
	return cmd
}

func (c *conversation) addLine(m *syncml.Message, f []string) {
	if f[0] == ">" {
		c.addLine(m, f[1:])
		m.Commands[len(m.Commands)-1].Depth = 1
		return
	}
	cmd := c.add(m, syncml.KindOf([]byte(f[0])))
	switch cmd.Kind {
	case syncml.Status:
		msg, ref, _ := strings.Cut(f[1], ".")
		cmd.MsgRef, cmd.CmdRef, cmd.Cmd, cmd.Data = []byte(msg), []byte(ref), []byte(f[2]), []byte(f[3])
		for _, more := range f[4:] { // chal=#N, or what the user typed or chose
			if chal, ok := strings.CutPrefix(more, "chal=#"); ok {
				n, _ := strconv.ParseUint(chal, 10, 64)
				cmd.Chal.Type, cmd.Chal.Format, cmd.Chal.NextNonce = []byte(auth.TypeMD5), []byte("b64"), m.Base64(nonce(n))
			} else {
				m.AddItem().Data = []byte(more)
			}
		}
	case syncml.Results:
		msg, ref, _ := strings.Cut(f[1], ".")
		cmd.MsgRef, cmd.CmdRef = []byte(msg), []byte(ref)
		it := m.AddItem()
		it.Source.URI, it.Meta.Format = []byte(f[2]), []byte("chr")
		f = f[3:]
		for len(f) > 0 {
			if size, ok := strings.CutPrefix(f[0], "size="); ok {
				it.Meta.Size, _ = strconv.Atoi(size)
			} else if part, ok := strings.CutPrefix(f[0], "part="); ok {
				it.MoreData = part == "more"
			} else {
				break
			}
			f = f[1:]
		}
		it.Data = []byte(strings.Join(f, " "))
	case syncml.Alert:
		cmd.Data = []byte(f[1])
		if len(f) > 2 && strings.HasPrefix(f[2], "cor=") {
			cmd.Correlator = []byte(strings.TrimPrefix(f[2], "cor="))
			f = append(f[:2:2], f[3:]...)
		}
		if len(f) > 2 {
			it := m.AddItem()
			it.Source.URI, it.Meta.Type, it.Data = []byte(f[2]), []byte(f[3]), []byte(strings.Join(f[4:], " "))
		}
	case syncml.Atomic, syncml.Sequence:
	default:
		it := m.AddItem()
		it.Source.URI, it.Data = []byte(f[1]), []byte(strings.Join(f[2:], " "))
	}
}

// deliver brings the last message to the server as its driver would, and tells what came of it.
func (c *conversation) deliver() string {
	if err := c.in.Read(c.last, c.enc, nil); err != nil {
		c.t.Fatal(err)
	}
	c.req = Request{Message: &c.in, Encoding: c.enc, Body: c.last, HMAC: c.hmac, Transport: c.tls}
	if c.session == nil || !c.session.Takes(c.now, &c.req) {
		c.session = New(&c.opt, c.device, c.account, c.in.Header.SessionID, c.now, c.session)
		c.session.Offer(c.open())
	}
	c.now = c.now.Add(time.Second)
	c.session.Step(c.now, &c.req, &c.out)
	if c.out.Repeat != nil {
		return "(the stored reply)\n" + c.listReply(c.out.Repeat)
	}
	reply := c.out.Reply.Append(nil, c.enc)
	if room := c.session.room(); len(reply) > room {
		c.t.Errorf("a reply of %d bytes, the device takes %d", len(reply), room)
	}
	if !c.out.Kept {
		return c.listReply(reply) + "(nothing kept)\n"
	}
	c.session.Seal(&c.out, reply)
	return c.listReply(reply) + c.commit()
}

// listReply lists a reply as the device reads it.
func (c *conversation) listReply(reply []byte) string {
	var m syncml.Message
	if err := m.Read(reply, c.enc, nil); err != nil {
		c.t.Fatalf("our own reply: %v", err)
	}
	var b strings.Builder
	b.WriteString(c.serverProof(&m, reply))
	for i := range m.Commands {
		cmd := &m.Commands[i]
		b.WriteString(strings.Repeat("> ", int(cmd.Depth)))
		switch cmd.Kind {
		case syncml.Status:
			fmt.Fprintf(&b, "Status %s.%s %s %s", cmd.MsgRef, cmd.CmdRef, cmd.Cmd, cmd.Data)
			if kind := cmd.Chal.Type; len(kind) > 0 {
				fmt.Fprintf(&b, "  chal=%s", strings.TrimPrefix(string(kind), "syncml:auth-"))
			}
			if n := cmd.Chal.NextNonce; len(n) > 0 {
				c.held = appendNonce(nil, n)
				fmt.Fprintf(&b, " nonce=%s", nonceName(c.held))
			}
		default:
			fmt.Fprintf(&b, "%s %s.%s", cmd.Kind, m.Header.MsgID, cmd.CmdID)
			if len(cmd.Data) > 0 {
				fmt.Fprintf(&b, " %s", cmd.Data)
			}
			if len(cmd.Correlator) > 0 {
				fmt.Fprintf(&b, " cor=%s", cmd.Correlator)
			}
			for i := range cmd.Items {
				c.listItem(&b, &cmd.Items[i])
			}
		}
		b.WriteByte('\n')
	}
	if !m.Final {
		b.WriteString("(not the last message of its package)\n")
	}
	return b.String()
}

// listItem lists an item of a command of ours.
func (c *conversation) listItem(b *strings.Builder, it *syncml.Item) {
	for _, uri := range [...][]byte{it.Source.URI, it.Target.URI} {
		if len(uri) > 0 && string(uri) != testServer && string(uri) != "IMEI:490154203237518" {
			fmt.Fprintf(b, " %s", uri)
		}
	}
	if n := it.Meta.Size; n > 0 {
		fmt.Fprintf(b, " size=%d", n)
	}
	if it.MoreData {
		b.WriteString(" part=more")
	}
	switch n := len(it.Data); {
	case n > 40:
		fmt.Fprintf(b, " (%d bytes)", n)
	case it.Data != nil:
		fmt.Fprintf(b, " %s", it.Data)
	}
}

// commit does what the store would, and lists it.
func (c *conversation) commit() string {
	var b strings.Builder
	k := &c.out.Commit
	if k.Edit != nil {
		if err := k.Edit(c.device); err != nil {
			c.t.Fatal(err)
		}
		fmt.Fprintf(&b, "keep device %s\n", c.device.State)
	}
	if k.Account != nil {
		b.WriteString(c.keepAccount(k.Account))
	}
	for _, t := range k.Tasks {
		c.tasks[t.ID] = t
		state := [...]string{"queued", "sent", "done", "failed", "waiting"}[t.State]
		fmt.Fprintf(&b, "keep task %d %s", t.ID, state)
		if t.Reason != "" {
			fmt.Fprintf(&b, ": %s", t.Reason)
		}
		b.WriteByte('\n')
	}
	for _, r := range k.Results {
		for _, a := range r.Answers {
			text := fmt.Sprintf("%d %s %s", a.Code, a.URI, a.Data)
			if a.Part > 0 {
				text = fmt.Sprintf("%d %s part %d %s", a.Code, a.URI, a.Part, a.Data)
			}
			if a.Late {
				text += " (late)"
			}
			fmt.Fprintf(&b, "keep answer %d.%d %s\n", r.Task, a.Command, strings.TrimSpace(text))
		}
	}
	for _, e := range k.Feed {
		if e.Kind != "results" {
			fmt.Fprintf(&b, "feed %s %s\n", e.Kind, e.Text)
		}
	}
	cp := *k.Checkpoint
	cp.Session, cp.Reply, cp.ReplyMAC, cp.Digest = clone(cp.Session), clone(cp.Reply), clone(cp.ReplyMAC), clone(cp.Digest)
	cp.Tasks, cp.Commands = append([]storage.Open(nil), cp.Tasks...), append([]storage.Pending(nil), cp.Commands...)
	c.cp = &cp
	return b.String()
}

func clone(b []byte) []byte { return append([]byte(nil), b...) }
