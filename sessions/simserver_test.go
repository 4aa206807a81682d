package sessions_test

import (
	"bytes"
	"errors"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/sessions"
	"dmgate/storage"
)

const (
	address      = "http://gw.test/dm"
	offeredTasks = 64
)

// server drives the package as the device endpoint does, call by call: whoever changes the one changes the other. What
// lies between two calls may take its time here, and the process may die there.
type server struct {
	w       *world
	store   *memory
	table   *sessions.Table
	opt     sessions.Options
	expired time.Duration
	life    int // counts the processes: what one has begun ends with it
	idle    []*worker
}

// worker is the memory that one message needs.
type worker struct {
	in    syncml.Message
	out   sessions.Outcome
	req   sessions.Request
	reply []byte
	user  [256]byte
}

func newServer(w *world, store *memory) *server {
	v := &server{w: w, store: store}
	v.opt = sessions.Options{Address: address, Planner: planner{w}, Random: w.random, MaxObj: 4000, Messages: w.odds.messages}
	v.opt = v.opt.WithDefaults()
	v.start()
	return v
}

// start is a new process: it knows what is in the store, and nothing else.
func (v *server) start() {
	v.life++
	// One shard: which slot gives way must not hang on a random seed.
	v.table = sessions.NewTable(sessions.TableOptions{Shards: 1, Sessions: v.w.odds.slots})
}

func (v *server) now() time.Time { return v.w.start.Add(v.w.now + v.w.skew) }

func (v *server) worker() *worker {
	if n := len(v.idle); n > 0 {
		k := v.idle[n-1]
		v.idle = v.idle[:n-1]
		return k
	}
	return new(worker)
}

// take answers one message, or does not: then the device gets a 503, and nothing has been done.
func (v *server) take(e *envelope) {
	k := v.worker()
	if err := k.in.Read(e.body, e.enc, nil); err != nil {
		v.w.fail(e.handset, "the server can not read what the device sent: %v", err)
	}
	k.req = sessions.Request{Message: &k.in, Encoding: e.enc, Body: e.body}
	v.expire()
	slot, err := v.enter(e, k)
	if err == nil {
		err = v.step(e, slot, k)
	}
	if errors.Is(err, storage.ErrNotFound) {
		sessions.Stranger(&v.opt, &k.req, &k.out)
		v.w.toDevice(e, k.out.Reply.Append(nil, e.enc))
	}
	if err != nil {
		v.w.count.unavailable++
		v.idle = append(v.idle, k)
	}
}

// expire lets go of silent sessions, every second or so.
func (v *server) expire() {
	if v.w.now-v.expired >= time.Second {
		v.expired = v.w.now
		v.table.Expire(v.now())
	}
}

// enter takes the slot of the device that the address names, or else the message.
func (v *server) enter(e *envelope, k *worker) (slot *sessions.Slot, err error) {
	if e.query != "" {
		slot, err = v.table.Enter([]byte(e.query), sessions.Exempt, true)
	} else if err = v.table.Admit(sessions.Exempt); err == nil {
		var name []byte
		if name, k.req.Guessed, err = v.identify(k); err == nil {
			slot, err = v.table.Enter(name, sessions.Exempt, false)
		}
	}
	if errors.Is(err, sessions.ErrBusy) {
		v.w.count.busy++
	}
	return slot, err
}

func (v *server) step(e *envelope, slot *sessions.Slot, k *worker) error {
	id := slot.Device
	s, err := v.session(id, slot, &k.req)
	if err == nil && s.Hungry() {
		var tasks []storage.Task
		if tasks, err = v.store.openTasks(id, s.Open()+offeredTasks); err == nil {
			s.Offer(tasks)
		}
	}
	if err != nil {
		e.handset.note("  = error %v", err)
		slot.Session, slot.Guest = nil, nil
		v.table.Leave(slot, v.now())
		return err
	}
	r := v.store.rows[id]
	repeated := r.body != nil && s == slot.Session && bytes.Equal(r.body, e.body)
	d := driven{v: v, e: e, k: k, s: s, r: r, slot: slot, own: slot.Session, guest: slot.Guest}
	slot.Session, slot.Guest = nil, nil
	v.w.count.steps++
	proved := d.own != nil && d.own.Running(v.now())
	s.Step(v.now(), &k.req, &k.out)
	if v.w.traced {
		e.handset.note("  = step %d: message %s/%s own=%v guest=%v kept=%v repeat=%v", v.w.count.steps, k.in.Header.SessionID,
			k.in.Header.MsgID, s == d.own, s == d.guest, k.out.Kept, k.out.Repeat != nil)
	}
	if k.out.Repeat != nil {
		v.w.count.repeats++
		d.repeat()
		return nil
	}
	if repeated {
		v.w.fail(e.handset, "message %s came twice and was carried out twice", k.in.Header.MsgID)
	}
	if e.impostor {
		v.w.isHarmless(&d, proved)
	}
	if s == d.guest && s.Proved() {
		d.own, d.guest = s, nil
	}
	k.reply = k.out.Reply.Append(k.reply[:0], e.enc)
	if k.out.Kept {
		s.Seal(&k.out, k.reply)
		if s == d.guest {
			k.out.Commit.Checkpoint = nil
		}
	}
	if v.w.chance(v.w.odds.slowCommit) {
		life := v.life
		v.w.after(v.w.between(time.Millisecond, 3*time.Second), func() {
			if v.life == life {
				d.finish()
			}
		})
		return nil
	}
	d.finish()
	return nil
}

// driven is a step that waits for its commit.
type driven struct {
	v          *server
	e          *envelope
	k          *worker
	s          *sessions.Session
	r          *row
	slot       *sessions.Slot
	own, guest *sessions.Session
}

// repeat sends the stored reply.
func (d *driven) repeat() {
	if d.s == d.own && !bytes.Equal(d.k.out.Repeat, d.r.reply) {
		d.v.w.fail(d.e.handset, "the reply to a repeated message is not the one that was kept")
	}
	d.slot.Session, d.slot.Guest = d.own, d.guest
	d.leave()
	d.v.w.toDevice(d.e, bytes.Clone(d.k.out.Repeat))
}

func (d *driven) leave() {
	d.v.table.Leave(d.slot, d.v.now())
	d.v.idle = append(d.v.idle, d.k)
}

// finish commits the step and sends the reply. The process may die before the commit, and after it.
func (d *driven) finish() {
	w := d.v.w
	if w.chance(w.odds.crash) {
		d.e.handset.note("  = crash before the commit")
		w.crash()
		return
	}
	if d.k.out.Kept {
		fails := w.chance(w.odds.commitFails)
		if fails && w.traced {
			d.e.handset.note("  = commit fails")
		}
		if !fails || w.chance(0.3) {
			d.v.store.commit(&d.k.out.Commit, d.e.body, d.k.reply)
			w.count.commits++
		}
		if fails {
			w.count.commitErrors++
			d.leave()
			return
		}
	}
	if w.chance(w.odds.crash) {
		w.crash()
		return
	}
	if d.k.out.Kept {
		d.slot.Session, d.slot.Guest = d.own, d.guest
	}
	d.leave()
	w.toDevice(d.e, bytes.Clone(d.k.reply))
}

// session is the session that a message belongs to: the device's own, or one that begins with it.
func (v *server) session(id storage.DeviceID, slot *sessions.Slot, req *sessions.Request) (*sessions.Session, error) {
	if slot.Session == nil {
		var err error
		if slot.Session, err = v.restore(id); err != nil {
			return nil, err
		}
	}
	if s := slot.Takes(v.now(), req); s != nil {
		return s, nil
	}
	dev, account, err := v.store.known(id)
	if err != nil {
		return nil, err
	}
	s := sessions.New(&v.opt, dev, account, req.Message.Header.SessionID, v.now(), slot.Session)
	v.w.count.sessions++
	if v.w.traced {
		v.store.rows[id].handset.note("  = new session, earlier %v", slot.Session != nil)
	}
	if own := slot.Session; own != nil && own.Running(v.now()) {
		slot.Guest = s
	} else {
		slot.Session, slot.Guest = s, nil // which knows no guest, and what it has to take over from
	}
	return s, nil
}

func (v *server) restore(id storage.DeviceID) (*sessions.Session, error) {
	cp, err := v.store.restored(id)
	if cp == nil || err != nil {
		return nil, err
	}
	dev, account, err := v.store.known(id)
	if err != nil {
		return nil, err
	}
	tasks, err := v.store.openTasks(id, offeredTasks)
	if err != nil {
		return nil, err
	}
	for _, begun := range cp.Tasks {
		t, err := v.store.task(id, begun.ID)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, t)
	}
	v.w.count.restored++
	return sessions.Restore(&v.opt, dev, account, cp, tasks, v.now()), nil
}

func (v *server) identify(k *worker) (name []byte, guessed bool, err error) {
	h := &k.in.Header
	if string(h.Cred.Meta.Type) == auth.TypeBasic {
		name, _, _ = auth.SplitBasic(k.user[:], h.Cred.Data)
	}
	if len(name) == 0 {
		name = h.Source.Name
	}
	if len(name) > 0 {
		return name, false, nil
	}
	id, err := v.store.find(string(h.Source.URI))
	return []byte(id), true, err
}

// planner asks a device for something when it is proved, now and then, and goes on asking when that is answered.
type planner struct{ w *world }

// Proved implements sessions.Planner.
func (p planner) Proved(now time.Time, dev *storage.Device, out *sessions.Outcome) []storage.Task {
	if out.Open("discovery") || len(dev.ID)%2 == 0 || p.w.healing {
		return nil
	}
	return []storage.Task{p.w.discovery(dev.ID, now)}
}

// Answered implements sessions.Planner.
func (p planner) Answered(now time.Time, dev *storage.Device, task *storage.Task, answers []storage.Answer, done bool,
	out *sessions.Outcome) []storage.Task {
	if !done || task.Purpose != "discovery" || task.ID%3 != 0 || p.w.healing {
		return nil
	}
	return []storage.Task{p.w.discovery(dev.ID, now)}
}

// GivenUp implements sessions.Planner.
func (p planner) GivenUp(*storage.Task, string, *sessions.Outcome) {}
