package sessions_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/storage"
)

// handset is a device: a tree, a DM client with its habits, and a user. What it knows of a session is gone when it dies.
type handset struct {
	w        *world
	id       storage.DeviceID
	imei     string
	password string
	row      *row

	// Habits.
	enc         syncml.Encoding
	version     syncml.Version
	basic       bool
	rawNonce    bool // does not decode the nonce
	noName      bool // says who it is by its DevId alone
	maxMsg      int
	maxObj      int
	sameSession bool // names all sessions alike
	uncorrelate bool // forgets the correlator
	checks      bool // wants the server to prove itself
	splits      float64
	shuffles    float64
	guesses     float64 // wrong passwords
	slow        float64 // users who take their time
	chunk       int     // bytes of a part of a large object
	noProbe     bool    // has no node that tells whether an Exec has run

	// What outlives its death.
	nonce       []byte // of its own digest
	serverNonce []byte // of the server's
	tree        map[string]string
	runs        map[string]int // how often each Exec ran
	given       []given        // answers, by serial
	late        []late
	sessions    int
	counter     int // messages

	// The session.
	dialog   int // counts sessions: events of an earlier one are void
	open     bool
	session  string
	query    string
	msg      int
	waiting  bool // for the reply to msg
	tries    int
	sent     *envelope
	opening  bool // package 1 is not accepted
	proved   bool
	retries  int // of package 1
	verified bool
	queue    []element
	serials  []int // answers in the message that is out
	lateOut  []lateOut
	serverOn bool // the server's package goes on
	getting  *getting
	parting  bool // the server has ended the session
	trouble  int  // sessions left, in healing
	out, in  syncml.Message
	trace    [16]string
	traced   int
}

// given is an answer that the handset gave to a command.
type given struct {
	task    uint64
	command int
	code    int
	kept    bool // the store has it
}

// late is a result that comes by Alert 1226.
type late struct {
	serial     int
	at         time.Duration
	correlator string
	uri        string
}

type lateOut struct {
	serial int
	cmdID  string
}

// element is a Status or Results that is still to be sent.
type element struct {
	kind           syncml.Kind
	msgRef, cmdRef string
	name           string
	code           int
	uri            string
	serial         int // -1 for none
	size, off      int // of a large object
	task           uint64
	command        int
	chal           bool
	value          string // of a probe
}

// getting is a large object that the server is sending.
type getting struct {
	task uint64
	uri  string
	size int
	data []byte
}

func newHandset(w *world, n int) *handset {
	h := &handset{w: w, id: storage.DeviceID(fmt.Sprintf("dev%d", n)), imei: fmt.Sprintf("IMEI:%d", n), password: "secret of it"}
	h.nonce, h.serverNonce = []byte("nonce of a device"), []byte("nonce of a server")
	h.tree, h.runs = make(map[string]string), make(map[string]int)
	if w.chance(0.2) {
		h.enc = syncml.XML
	}
	if w.chance(0.2) {
		h.version = syncml.V11
	}
	h.basic, h.rawNonce, h.noName = w.chance(0.3), w.chance(0.2), w.chance(0.2)
	h.maxMsg = [...]int{0, 0, 300, 700, 1500, 4000, 10000}[w.rng.IntN(7)]
	h.maxObj = [...]int{0, 0, 3000}[w.rng.IntN(3)]
	h.sameSession, h.uncorrelate, h.checks, h.noProbe = w.chance(0.3), w.chance(0.2), w.chance(0.5), w.chance(0.1)
	if w.chance(0.4) {
		h.splits = 0.3
	}
	if w.chance(0.4) {
		h.shuffles = 0.3
	}
	if w.chance(0.2) {
		h.guesses = 0.1
	}
	h.slow = 0.02
	h.chunk = 200 + w.rng.IntN(800)
	return h
}

func (h *handset) note(format string, args ...any) {
	if !h.w.traced {
		return
	}
	h.trace[h.traced%len(h.trace)] = fmt.Sprintf("%v ", h.w.now) + fmt.Sprintf(format, args...)
	h.traced++
}

// begin opens a session.
func (h *handset) begin() {
	if h.open {
		return
	}
	h.dialog++
	h.sessions++
	h.open, h.opening, h.proved, h.verified, h.serverOn, h.parting = true, true, false, false, false, false
	h.query, h.msg, h.retries, h.queue, h.getting = "", 0, 0, h.queue[:0], nil
	if h.session = "1"; !h.sameSession {
		h.session = fmt.Sprintf("%X", h.sessions&0xFFFF)
	}
	h.send()
}

// leave ends the session from the handset's side; another follows after a while.
func (h *handset) leave() {
	h.open, h.waiting = false, false
	h.dialog++
	if !h.w.healing {
		h.w.after(h.w.between(time.Second, 2*time.Hour), h.begin)
		return
	}
	if wait, more := h.unfinished(); more && h.trouble > 0 {
		h.trouble--
		h.w.after(wait, h.begin)
	}
}

// unfinished says whether there is something left to do in another session, and when.
func (h *handset) unfinished() (time.Duration, bool) {
	wait := max(5*time.Second, h.row.account.LockedUntil.Sub(h.w.server.now()))
	for i := range h.late {
		wait = max(wait, h.late[i].at-h.w.now)
	}
	for i := range h.row.open {
		if h.row.open[i].State != storage.TaskWaiting {
			return wait, true
		}
	}
	return wait, len(h.late) > 0
}

func (h *handset) heal() {
	h.guesses, h.slow, h.trouble = 0, 0, 500
	if !h.open {
		h.w.after(time.Minute, h.begin)
	}
}

// send puts what is to be said into a message and sends it.
func (h *handset) send() {
	h.msg++
	h.counter++
	m := &h.out
	h.header(m)
	h.serials, h.lateOut = h.serials[:0], h.lateOut[:0]
	if h.opening {
		alert := h.add(m, syncml.Alert)
		alert.Data = m.Text("1201")
		h.add(m, syncml.Replace)
		it := m.AddItem()
		it.Source.URI, it.Data = m.Text("./DevInfo/Mod"), m.Text("AX-9")
	}
	m.Final = h.answers(m)
	if !m.Final && len(h.queue) == 0 {
		h.add(m, syncml.Alert).Data = m.Text("1222")
	}
	h.tellLate(m)
	body := m.Append(nil, h.enc)
	h.sent = &envelope{handset: h, dialog: h.dialog, msg: h.msg, enc: h.enc, query: h.query, body: body}
	if h.w.traced {
		h.note("> session %s %s", h.session, listed(m))
	}
	h.waiting, h.tries = true, 0
	h.transmit()
}

func (h *handset) add(m *syncml.Message, k syncml.Kind) *syncml.Command {
	c := m.AddCommand(k)
	c.CmdID = m.Number(len(m.Commands))
	return c
}

func (h *handset) header(m *syncml.Message) {
	m.Reset()
	m.Style.Version = h.version
	d := &m.Header
	d.VerDTD, d.VerProto = m.Text("1.2"), m.Text("DM/1.2")
	if h.version == syncml.V11 {
		d.VerDTD, d.VerProto = m.Text("1.1"), m.Text("DM/1.1")
	}
	d.SessionID, d.MsgID = m.Text(h.session), m.Number(h.msg)
	d.Target.URI, d.Source.URI = m.Text(address), m.Text(h.imei)
	d.RespURI = m.Number(h.counter) // so that only a retransmission is the same to the byte
	d.Meta.MaxMsgSize, d.Meta.MaxObjSize = h.maxMsg, h.maxObj
	if h.proved {
		return
	}
	if !h.noName {
		d.Source.Name = m.Text(string(h.id))
	}
	password := h.password
	if h.w.chance(h.guesses) {
		password = "a guess"
	}
	if h.basic {
		d.Cred.Meta.Type = m.Text(auth.TypeBasic)
		d.Cred.Data = auth.AppendBasic(nil, []byte(h.id), []byte(password))
		return
	}
	secret := auth.NewSecret([]byte(h.id), []byte(password))
	nonce := h.nonce
	if h.rawNonce {
		nonce = base64.StdEncoding.AppendEncode(nil, nonce)
	}
	digest := secret.MD5(nonce)
	d.Cred.Meta.Type, d.Cred.Meta.Format, d.Cred.Data = m.Text(auth.TypeMD5), m.Text("b64"), m.Text(string(digest[:]))
}

// answers moves what is queued into m: all of it, or a part. It reports whether this is the end of the package.
func (h *handset) answers(m *syncml.Message) (final bool) {
	if h.w.chance(h.shuffles) && !slices.ContainsFunc(h.queue, func(e element) bool { return e.off > 0 }) {
		h.w.rng.Shuffle(len(h.queue), func(i, k int) { h.queue[i], h.queue[k] = h.queue[k], h.queue[i] })
	}
	n := len(h.queue)
	if n > 1 && h.w.chance(h.splits) {
		n = 1 + h.w.rng.IntN(n-1)
	}
	for ; n > 0; n-- {
		e := &h.queue[0]
		h.say(m, e)
		if e.off < e.size { // the rest of a large object in the next message
			return false
		}
		h.queue = slices.Delete(h.queue, 0, 1)
	}
	return len(h.queue) == 0 && !h.serverOn
}

// say writes one Status or Results.
func (h *handset) say(m *syncml.Message, e *element) {
	c := h.add(m, e.kind)
	if e.off > 0 && e.off >= e.size {
		panic("simulation: nothing left of a large object")
	}
	c.MsgRef, c.CmdRef = m.Text(e.msgRef), m.Text(e.cmdRef)
	data := fmt.Sprintf("#%d", e.serial)
	if e.kind == syncml.Status {
		c.Cmd, c.Data = m.Text(e.name), m.Number(e.code)
		if e.chal {
			h.w.random(h.serverNonce)
			c.Chal.Type, c.Chal.Format, c.Chal.NextNonce = m.Text(auth.TypeMD5), m.Text("b64"), m.Base64(h.serverNonce)
		}
		if e.serial >= 0 {
			m.AddItem().Data = m.Text(data)
			h.serials = append(h.serials, e.serial)
		}
		return
	}
	it := m.AddItem()
	it.Source.URI, it.Meta.Format = m.Text(e.uri), m.Text("chr")
	if e.value != "" {
		it.Data = m.Text(e.value)
		return
	}
	if e.size == 0 {
		it.Data = m.Text(data)
		h.serials = append(h.serials, e.serial)
		return
	}
	serial := h.answer(e.task, e.command, e.code)
	if e.off == 0 {
		it.Meta.Size = e.size
	}
	n := min(h.chunk, e.size-e.off)
	e.off += n
	data = fmt.Sprintf("#%d", serial)
	it.Data = m.Text(data, strings.Repeat("x", max(0, n-len(data))))[:n]
	it.MoreData = e.off < e.size
	if e.size > h.chunk {
		h.lateOut = append(h.lateOut, lateOut{serial, string(c.CmdID)}) // it has a Status of its own
	} else {
		h.serials = append(h.serials, serial)
	}
}

// tellLate reports what has come of the Execs that ran on.
func (h *handset) tellLate(m *syncml.Message) {
	if h.parting {
		return
	}
	for i := range h.late {
		l := &h.late[i]
		unsaid := slices.ContainsFunc(h.queue, func(e element) bool { return e.serial >= 0 && h.given[e.serial].task == h.given[l.serial].task })
		if unsaid || l.at > h.w.now || !h.opening && h.w.chance(0.5) || len(h.lateOut) > 5 {
			continue
		}
		c := h.add(m, syncml.Alert)
		c.Data = m.Text("1226")
		if h.version != syncml.V11 && !h.uncorrelate {
			c.Correlator = m.Text(l.correlator)
		}
		it := m.AddItem()
		it.Source.URI, it.Meta.Type, it.Meta.Format = m.Text(l.uri), m.Text("org.test.result"), m.Text("chr")
		it.Data = m.Text(fmt.Sprintf("#%d<ResultCode>200</ResultCode>", l.serial))
		h.lateOut = append(h.lateOut, lateOut{l.serial, string(c.CmdID)})
	}
}

// transmit sends the message that is out, for the first time or again.
func (h *handset) transmit() {
	h.tries++
	e := h.sent
	h.w.toServer(e)
	h.w.after(h.w.between(20*time.Second, 90*time.Second), func() {
		if h.dialog != e.dialog || h.msg != e.msg || !h.waiting {
			return
		}
		if h.tries >= 5 && !h.w.healing {
			h.note("gives up")
			h.leave()
			return
		}
		h.transmit()
	})
}

// answer makes an answer to a command and returns its serial.
func (h *handset) answer(task uint64, command, code int) int {
	h.given = append(h.given, given{task: task, command: command, code: code})
	return len(h.given) - 1
}

// hear takes a reply, where it is one to the message that is out.
func (h *handset) hear(e *envelope, reply []byte) {
	if e.dialog != h.dialog || e.msg != h.msg || !h.waiting {
		return
	}
	if h.w.chance(h.w.odds.handsetDies / 2) {
		h.die("before the reply")
		return
	}
	h.waiting = false
	m := &h.in
	if err := m.Read(reply, h.enc, nil); err != nil {
		h.w.fail(h, "the handset can not read the reply: %v", err)
	}
	if h.w.traced {
		h.note("< %s", listed(m))
	}
	h.w.isSound(h, m, len(reply))
	status, chal := headerOf(m)
	if len(m.Header.RespURI) > 0 {
		_, d, _ := strings.Cut(string(m.Header.RespURI), "?d=")
		h.query = d
	}
	switch {
	case status == 401 || status == 407:
		if h.retries++; len(chal) == 0 || h.retries > 5 {
			h.leave()
			return
		}
		h.learnNonce(chal)
		h.opening, h.proved, h.getting = true, false, nil
		h.queue = h.queue[:0]
		h.send()
	case status >= 300 || status == 0:
		h.leave()
	default:
		h.accepted(m, status, chal)
	}
}

func (h *handset) learnNonce(chal []byte) {
	n, err := base64.StdEncoding.DecodeString(string(chal))
	if err != nil {
		h.w.fail(h, "a nonce that is no base64: %q", chal)
	}
	h.nonce = n
}

// accepted goes on after a reply that took what the handset has said.
func (h *handset) accepted(m *syncml.Message, status int, chal []byte) {
	h.opening, h.proved = false, true
	if len(chal) > 0 {
		h.learnNonce(chal)
	}
	for _, serial := range h.serials {
		h.w.isKept(h, serial, false)
	}
	refused := false
	for _, l := range h.lateOut {
		code := statusOf(m, h.msg, l.cmdID)
		switch {
		case code == 0:
			h.w.fail(h, "no status for command %s of message %d", l.cmdID, h.msg)
		case code >= 300:
			refused = true
			continue
		}
		h.w.isKept(h, l.serial, true)
		h.late = slices.DeleteFunc(h.late, func(o late) bool { return o.serial == l.serial })
	}
	if len(h.queue) > 0 && h.queue[0].off > 0 && refused {
		h.queue = slices.Delete(h.queue, 0, 1)
	}
	if h.w.chance(h.w.odds.leavesOff) {
		h.note("breaks off")
		h.leave()
		return
	}
	answered, ok := h.carryOut(m)
	if !ok {
		return // it died over it
	}
	if !answered && m.Final && len(h.queue) == 0 {
		h.leave() // nothing more to be said
		return
	}
	dialog, msg := h.dialog, h.msg
	if h.w.chance(h.slow) { // a user who is asked
		h.w.after(h.w.between(time.Minute, 9*time.Hour), func() {
			if h.dialog == dialog && h.msg == msg && h.open {
				h.send()
			}
		})
		return
	}
	h.send()
}

// die is a reset of the handset: of the session nothing is left.
func (h *handset) die(where string) {
	h.note("dies %s", where)
	h.w.count.resat++
	h.leave()
}

// headerOf is the status of our SyncHdr and the challenge with it.
func headerOf(m *syncml.Message) (code int, chal []byte) {
	for i := range m.Commands {
		if c := &m.Commands[i]; c.Kind == syncml.Status && string(c.CmdRef) == "0" {
			return c.Code(), c.Chal.NextNonce
		}
	}
	return 0, nil
}

// statusOf is the status of one of our commands.
func statusOf(m *syncml.Message, msg int, cmdID string) int {
	for i := range m.Commands {
		c := &m.Commands[i]
		if c.Kind == syncml.Status && string(c.CmdRef) == cmdID && string(c.MsgRef) == fmt.Sprint(msg) {
			return c.Code()
		}
	}
	return 0
}

// listed is a message in one line.
func listed(m *syncml.Message) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s:", m.Header.MsgID)
	for i := range m.Commands {
		c := &m.Commands[i]
		fmt.Fprintf(&b, " %s", c.Kind)
		if c.Kind == syncml.Status || c.Kind == syncml.Results {
			fmt.Fprintf(&b, " %s.%s %s", c.MsgRef, c.CmdRef, c.Cmd)
		}
		fmt.Fprintf(&b, " %s%s", c.Data, c.Correlator)
		for k := range c.Items {
			it := &c.Items[k]
			fmt.Fprintf(&b, " %s%s %.40s", it.Target.URI, it.Source.URI, it.Data)
			if it.MoreData {
				b.WriteString("...")
			}
		}
		b.WriteByte(';')
	}
	if m.Final {
		b.WriteString(" Final")
	}
	return b.String()
}
