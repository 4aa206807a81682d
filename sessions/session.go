// Package sessions is the server side of the OMA DM protocol as a pure state machine, and the table of live sessions.
//
// A message and a time go in; a reply and what must be durable before it leaves come out. There is no I/O, no clock
// and no goroutine in a Session. Whoever drives it does this, and crash safety can be read off it:
//
//	s.Step(now, &req, &out)              // what to answer, what to keep
//	reply = out.Reply.Append(reply, enc) // bytes
//	s.Seal(&out, reply)                  // the checkpoint, with the reply in it
//	store.Commit(&out.Commit)            // durable
//	write(reply)                         // only now may the device hear of it
//
// What is said to a device are its tasks, lists of commands. They are carried out by priority, then by age, as many
// commands in a message as the device takes; an Atomic or Sequence goes out whole, and data that is too large goes in
// chunks. A session that breaks off leaves its tasks to the next one, which says again what may be said twice. An Exec is
// not among that: whether it has run is asked for first, and one that can not be asked for is answered with code 0 for
// upstream to decide. A task over which a device has broken off three sessions is poison and given up.
//
// Source: OMA-TS-DM-Protocol 1.1.2 and 1.2.1; sections 2 and 3 of the fact sheet.
package sessions

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/storage"
)

// Planner knows the device beyond one message: it reads answers and decides what is asked next. The gateway's fleet
// implements it; tests use a script. It may read what is kept, and
// writes nothing: it changes dev's record only by out.Change, and adds
// orders and feed entries to out.Commit.
type Planner interface {
	// Proved is called once a session, when the device has proved who it is. The tasks it returns go to the end of
	// the queue, and into the commit.
	Proved(now time.Time, dev *storage.Device, out *Outcome) []storage.Task
	// Answered is called when answers for a task have come. done says that none is missing any more; the last may have
	// been shown before.
	Answered(now time.Time, dev *storage.Device, task *storage.Task, answers []storage.Answer, done bool, out *Outcome) []storage.Task
	// GivenUp is called when the session gives a task up that was not carried out, or not all of it: what that means for
	// the task's order is the planner's to say.
	GivenUp(task *storage.Task, why string, out *Outcome)
}

// ErrOvertaken is the error of an edit that a planner has put into a commit, where what it has decided upon has changed
// meanwhile. Nothing of the step is kept, and it is to be taken again, from what is kept.
var ErrOvertaken = errors.New("sessions: the step was overtaken by another change of the device")

// Options are the same for all sessions of a gateway. The zero value of a field stands for its default.
type Options struct {
	Address  string        // absolute URL of the device endpoint: Source of our messages and base of RespURI
	Planner  Planner       // what devices are asked; required
	Random   func([]byte)  // fills a nonce; required
	MaxMsg   int           // bytes of the largest message we send to a device that does not say; 32 KiB
	MaxBody  int           // bytes of the largest message we take, which devices are told; 256 KiB
	MaxObj   int           // bytes of the largest object that a device may send in parts; 1 MiB
	Failures int           // credentials refused before the session is ended, and the account locked; 3
	Scheme   string        // what devices whose account does not say must use at least, and strangers are challenged for
	Messages int           // messages in one session; 1000
	Lifetime time.Duration // from its first message; 24 h, as a user may take hours to answer an alert
}

// WithDefaults fills the zero fields of o.
func (o Options) WithDefaults() Options {
	if o.MaxMsg == 0 {
		o.MaxMsg = 32 << 10
	}
	if o.MaxBody == 0 {
		o.MaxBody = 256 << 10
	}
	if o.MaxObj == 0 {
		o.MaxObj = 1 << 20
	}
	if o.Failures == 0 {
		o.Failures = 3
	}
	if o.Messages == 0 {
		o.Messages = 1000
	}
	if o.Lifetime == 0 {
		o.Lifetime = 24 * time.Hour
	}
	return o
}

// Session is one DM session of one device. It is not safe for concurrent use.
type Session struct {
	opt     *Options
	device  *storage.Device
	account *storage.Account

	id       string
	started  time.Time
	updated  time.Time // when its last message came
	ended    bool
	parting  bool   // we have ended it by Alert 1223, and the device is to answer that
	received uint32 // MsgID of the last message taken
	sent     uint32 // MsgID of our last message
	digest   [16]byte
	opening  [16]byte // digest of its first message
	reply    []byte   // the answer to message received
	mac      []byte   // of reply, where it goes with one

	proof    Proof
	failures int    // credentials of the device refused in this session
	nonce    []byte // client nonce of a challenge in this session; nil where there was none
	serverOK bool   // the device has accepted our credential for the session
	refusals int    // credentials of ours refused in this session
	planned  bool   // the planner was asked for the first tasks
	maxMsg   int    // the device's MaxMsgSize; 0 where it did not say
	maxObj   int    // the device's MaxObjSize; 0 where it did not say
	tasks    []task // open tasks, in the order in which they are carried out
	pending  []storage.Pending
	incoming *storage.Incoming // the large object that the device is sending
	earlier  *Session          // a session that this one takes over from once it is proved
}

// Request is one message of a device.
type Request struct {
	Message  *syncml.Message
	Encoding syncml.Encoding
	Body     []byte // as received: a retransmission repeats it to the byte
	Guessed  bool   // the device was found by its DevId alone, which is no secret

	HMAC      auth.HMAC        // its x-syncml-hmac header, where it has one
	Transport storage.DeviceID // the device that the connection's certificate has proved (mutual TLS); empty for none
}

// Outcome is what a step results in. It is reused from step to step.
type Outcome struct {
	Reply  syncml.Message
	Repeat []byte         // a repeated message: send this again; Reply is empty
	HMAC   []byte         // the x-syncml-hmac header that goes with Repeat, or, after Seal, with Reply; empty for none
	Commit storage.Commit // what must be durable before Reply leaves
	Kept   bool           // there is something to commit; false where the message has changed nothing
	Ended  bool           // Reply ends the session

	// For the planner that is asked what comes first: what the device has said with package 1.
	Called bool // by Alert 1200: a notification has led to this session
	MaxMsg int  // its MaxMsgSize, in bytes; 0 where it did not say
	MaxObj int  // its MaxObjSize, in bytes; 0 where it did not say

	changes    []func(*storage.Device)
	open       []task  // the session's tasks while the planner is asked
	places     []place // of each pending command: where its answer of this message stands
	sign       bool    // Reply goes with a mac
	checkpoint storage.Checkpoint
}

// place is where in Commit.Results an answer stands: counted from 1, 0 for none.
type place struct{ results, answer int }

// Change adds an edit of the device's record to the commit and applies it to dev, the session's own copy. edit may run
// more than once and must not depend on what else is in the record.
func (o *Outcome) Change(dev *storage.Device, edit func(*storage.Device)) {
	edit(dev)
	o.changes = append(o.changes, edit)
	if o.Commit.Edit == nil {
		o.Commit.Edit = o.edit
	}
}

// Open says whether the device has a task for this purpose that is not at its end. A planner that is asked again asks
// no device for the same thing twice.
func (o *Outcome) Open(purpose string) bool {
	for i := range o.open {
		if t := &o.open[i]; t.Purpose == purpose && t.Task.Open() {
			return true
		}
	}
	return false
}

// Task is a task as the session has it; nil where it has none of this ID.
func (o *Outcome) Task(id uint64) *storage.Task {
	for i := range o.open {
		if o.open[i].id() == id {
			return &o.open[i].Task
		}
	}
	return nil
}

// Close ends a task of the session in the planner's name: nothing more is said of it, and no result of it waited for. One
// that the session does not hold is not known here: it is false then.
func (o *Outcome) Close(task uint64, state storage.TaskState, reason string) bool {
	for i := range o.open {
		if t := &o.open[i]; t.id() == task && t.Task.Open() {
			t.State, t.Reason, t.dirty = state, reason, true
			t.Next, t.Again, t.Doubtful, t.Accepted = len(t.Commands), nil, nil, nil
			return true
		}
	}
	return false
}

// Busy says whether the session has anything to say to the device: tasks that are not at their end.
func (o *Outcome) Busy() bool {
	for i := range o.open {
		if o.open[i].Task.Open() {
			return true
		}
	}
	return false
}

func (o *Outcome) edit(d *storage.Device) error {
	for _, change := range o.changes {
		change(d)
	}
	return nil
}

func (o *Outcome) reset(dev storage.DeviceID, now time.Time) {
	o.Reply.Reset()
	o.Repeat, o.HMAC, o.Kept, o.Ended, o.sign = nil, o.HMAC[:0], false, false, false
	o.Called, o.MaxMsg, o.MaxObj = false, 0, 0
	o.Commit.Reset()
	o.Commit.Device, o.Commit.Time = dev, now
	o.changes, o.places, o.open = o.changes[:0], o.places[:0], nil
}

// New begins a session that the device opens with SessionID id. dev and account become the session's own. earlier is the
// device's session before this one, nil where there was none: what it has left undone is this one's to do. One that is
// still running is left alone until this one is proved, for it may be anybody's. Both go on from one account then: what
// the one commits of nonces and counts must not undo what the other has.
func New(opt *Options, dev *storage.Device, account *storage.Account, id []byte, now time.Time, earlier *Session) *Session {
	s := &Session{opt: opt, device: dev, account: account, id: string(id), started: now}
	switch {
	case earlier == nil:
	case earlier.Running(now):
		s.earlier, earlier.account = earlier, account
	default:
		s.inherit(earlier)
	}
	return s
}

// Running says whether the device has proved itself in s and s is not over.
func (s *Session) Running(now time.Time) bool {
	return s.Proved() && !s.ended && !s.isOld(now)
}

// isOld says whether s has lasted longer than a session may.
func (s *Session) isOld(now time.Time) bool { return now.Sub(s.started) >= s.opt.Lifetime }

// Restore is the session that cp was taken of; one whose lifetime has passed meanwhile is over. open are open tasks of the
// device: those that cp names, and others.
func Restore(opt *Options, dev *storage.Device, account *storage.Account, cp *storage.Checkpoint, open []storage.Task, now time.Time) *Session {
	s := New(opt, dev, account, cp.Session, cp.Started, nil)
	s.updated, s.ended, s.received, s.sent, s.reply = cp.Updated, cp.Ended || s.isOld(now), cp.MsgID, cp.Sent, cp.Reply
	s.mac = cp.ReplyMAC
	copy(s.digest[:], cp.Digest)
	copy(s.opening[:], cp.Opening)
	s.proof, s.failures, s.nonce = Proof(cp.Proved), cp.Failures, cp.NextNonce
	s.serverOK, s.refusals, s.planned, s.maxMsg, s.maxObj = cp.ServerOK, cp.Refusals, cp.Planned, cp.MaxMsg, cp.MaxObj
	s.parting = cp.Parting
	for _, begun := range cp.Tasks {
		for i := range open {
			if open[i].ID == begun.ID && s.find(begun.ID) == nil {
				s.queue(task{Task: open[i], Open: begun})
			}
		}
	}
	s.pending, s.incoming = cp.Commands, cp.Incoming
	s.Offer(open)
	return s
}

// Proved says whether the device has proved in s who it is.
func (s *Session) Proved() bool { return s.proof != Unproved }

// isOpen says whether s takes another message.
func (s *Session) isOpen() bool { return !s.ended || s.parting }

// Ended says whether s is over.
func (s *Session) Ended() bool { return s.ended }

// Takes says whether a message with this header belongs to s. A message 1 that is no repetition begins another
// session, also under the same SessionID: some phones use the same one for ever. A proved session asks for no
// credential any more, so that its messages have to come with the name that is half of it: to our RespURI, as a rule.
//
// A copy of its own first message, which the network has held up, is not to begin another session: s takes it, and refuses
// it as out of its turn. A phone that begins again with the very same bytes has to wait for a minute.
func (s *Session) Takes(now time.Time, req *Request) bool {
	h := &req.Message.Header
	if string(h.SessionID) != s.id {
		return false
	}
	if s.repeats(req) || s.isStale(now, req) {
		return true
	}
	return s.isOpen() && string(h.MsgID) != "1" && !(s.Proved() && req.Guessed)
}

func (s *Session) repeats(req *Request) bool {
	if s.received == 0 || number(req.Message.Header.MsgID) != s.received {
		return false
	}
	d := digest(req.Body)
	return bytes.Equal(d[:], s.digest[:])
}

// stale is how long after its last message a session takes its first one for a copy.
const stale = time.Minute

func (s *Session) isStale(now time.Time, req *Request) bool {
	return s.received > 1 && now.Sub(s.updated) < stale && digest(req.Body) == s.opening
}

func digest(body []byte) (d [16]byte) {
	sum := sha256.Sum256(body)
	copy(d[:], sum[:])
	return d
}

// Seal puts the session's checkpoint, with the encoded reply in it, into the commit, and makes the reply's mac.
func (s *Session) Seal(out *Outcome, reply []byte) {
	s.reply = append(s.reply[:0], reply...)
	s.sign(out, reply)
	cp := &out.checkpoint
	*cp = storage.Checkpoint{
		Device: s.device.ID, Session: append(cp.Session[:0], s.id...), Started: s.started, Updated: out.Commit.Time,
		Ended: s.ended, Parting: s.parting, MsgID: s.received, Digest: s.digest[:], Opening: s.opening[:], Reply: s.reply,
		ReplyMAC: s.mac, Sent: s.sent, Proved: uint8(s.proof), ServerOK: s.serverOK, Refusals: s.refusals, Planned: s.planned,
		Failures: s.failures, MaxMsg: s.maxMsg, MaxObj: s.maxObj, NextNonce: s.nonce, Incoming: s.incoming,
		Tasks: cp.Tasks[:0], Commands: s.pending,
	}
	for i := range s.tasks {
		if t := &s.tasks[i]; t.begun() {
			cp.Tasks = append(cp.Tasks, t.Open)
		}
	}
	out.Commit.Checkpoint = cp
}

// number is the value of a decimal of at most nine digits; 0 where b is none.
func number(b []byte) uint32 {
	if len(b) == 0 || len(b) > 9 {
		return 0
	}
	var n uint32
	for _, d := range b {
		if d < '0' || d > '9' {
			return 0
		}
		n = n*10 + uint32(d-'0')
	}
	return n
}
