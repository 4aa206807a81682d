package modempool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"dmgate/storage"
)

// The dispatcher gives due pushes to the modems that ask. It is the only one to read Flows and Due, and knows what is
// out: between Due and the claim a push is still queued in the store, and must not go to two modems. This is its lease:
// it is in memory only, so a crash gives the push back.
//
// Flows of the highest priority that have something to send take turns. One that has to wait (quiet hours, the rate of
// its prefix, no modem with its tag that is free) is passed by and costs no read. Of each only a few pushes are in
// memory, whatever waits in the store.

const (
	flowPage  = 512  // flows read at a time
	maxFlows  = 4096 // flows that take turns; what is beyond waits for one of them to end
	readyEach = 16   // pushes of a flow in memory
)

// turn is one flow with what of it is in memory.
type turn struct {
	storage.Flow
	ready   []storage.PushJob // due, in order
	read    bool              // since the flow was last found due; else ready empty means that there may be more
	blocked time.Time         // nothing of it may go before
	why     string
}

// parcel is a push on its way to a modem, cut into TPDUs and counted against the limits.
type parcel struct {
	job   *storage.PushJob
	tpdus [][]byte
}

// returned is a push that a worker has done with, for now or for good. Its record is saved.
type returned struct {
	id   uint64
	hold time.Duration // it is not handed out again for so long; for records that could not be saved
	due  bool          // it may be handed out again at once, to another modem
}

// dispatcher is the state of Pool.dispatch, which alone uses it.
type dispatcher struct {
	*Pool
	turns   []*turn
	next    int                  // of turns, whose turn it is within its priority
	out     map[uint64]time.Time // handed out; with a time: held back until then
	asking  []*worker            // that have nothing to do, in the order in which they asked
	blocked map[*worker]time.Time
}

// dispatch hands out pushes until ctx ends.
func (p *Pool) dispatch(ctx context.Context) {
	d := &dispatcher{Pool: p, out: make(map[uint64]time.Time), blocked: make(map[*worker]time.Time)}
	tick := time.NewTicker(p.options.Poll)
	defer tick.Stop()
	due := time.NewTimer(0)
	defer due.Stop()
	look := true
	for {
		now := time.Now()
		if p.unblock.Swap(false) {
			for _, t := range d.turns {
				t.blocked = time.Time{}
			}
			for w := range d.blocked {
				d.blocked[w] = time.Time{}
			}
		}
		if look {
			d.look(now)
		}
		look = false
		due.Reset(d.hand(now))
		select {
		case <-ctx.Done():
			return
		case w := <-p.asks:
			d.asking = append(d.asking, w)
		case w := <-p.leaves:
			d.asking = slices.DeleteFunc(d.asking, func(a *worker) bool { return a == w })
			delete(d.blocked, w)
			w.left <- struct{}{}
		case r := <-p.back:
			delete(d.out, r.id)
			if r.hold > 0 {
				d.out[r.id] = now.Add(r.hold)
			}
			look = r.due // else nothing is due that was not before, and what is in memory goes on
		case <-p.wake:
			look = true
		case <-tick.C:
			look = true
		case <-due.C:
		}
	}
}

// look finds out which flows have something to send. What of them is in memory stays, unless the flow is gone.
func (d *dispatcher) look(now time.Time) {
	for id, until := range d.out {
		if !until.IsZero() && now.After(until) {
			delete(d.out, id)
		}
	}
	known := make(map[storage.Flow]*turn, len(d.turns))
	for _, t := range d.turns {
		known[t.Flow] = t
	}
	var turns []*turn
	var from storage.Flow
	for len(turns) < maxFlows {
		flows, err := d.queue.Flows(now, from, flowPage)
		if err != nil {
			if !errors.Is(err, storage.ErrFailed) { // the store has said so, once
				d.log.Error("queue", zap.Error(err))
			}
			return
		}
		for _, flow := range flows {
			t := known[flow]
			if t == nil {
				t = &turn{Flow: flow}
			}
			t.read = false
			turns = append(turns, t)
			from = flow.Next()
		}
		if len(flows) < flowPage {
			break
		}
	}
	d.turns = turns
	d.tell(now)
}

// tell shows which flows wait, and for what.
func (d *dispatcher) tell(now time.Time) {
	var waits []FlowWait
	tags := d.tags()
	for _, t := range d.turns {
		switch {
		case t.blocked.After(now):
			waits = append(waits, FlowWait{t.Flow, t.blocked, t.why})
		case len(t.ready) > 0 && !d.meter.allows(t.ready[0].MSISDN, tags):
			waits = append(waits, FlowWait{t.Flow, time.Time{}, "a modem with one of the tags of its destination"})
		}
	}
	d.waits.Store(&waits)
}

// tags are those of all modems.
func (p *Pool) tags() (tags []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.workers {
		tags = append(tags, w.port.Tags...)
	}
	return tags
}

// FlowWait is a flow that has something to send and has to wait.
type FlowWait struct {
	storage.Flow
	Until time.Time // zero where nobody can say
	For   string    // "quiet hours, 22:00 to 07:00"
}

// Waits are the flows that have to wait, as the pool last looked at them.
func (p *Pool) Waits() []FlowWait {
	if waits := p.waits.Load(); waits != nil {
		return *waits
	}
	return nil
}

// hand gives the modems that ask what there is for them. It returns after how long there may be more without anybody
// saying so.
func (d *dispatcher) hand(now time.Time) time.Duration {
	wake := now.Add(time.Hour)
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(wake) {
			wake = t
		}
	}
	d.unblock(now, sooner)
	passed := make(map[*turn]bool) // nobody who asks may take it, or there is nothing
	for len(d.asking) > 0 && len(d.blocked) < len(d.asking) {
		t := d.pick(now, passed, sooner)
		if t == nil {
			break
		}
		job := &t.ready[0]
		if until, why := d.meter.flow(job.MSISDN, now); !until.IsZero() {
			d.block(t, until, why)
			sooner(until)
			continue
		}
		if until, why := d.meter.number(job.MSISDN, now); !until.IsZero() {
			d.postpone(job, until, why)
			t.ready = t.ready[1:]
			continue
		}
		if !d.give(t, now, sooner) {
			passed[t] = true
		}
	}
	return max(wake.Sub(now), time.Millisecond)
}

// unblock lets modems ask again whose limit has room.
func (d *dispatcher) unblock(now time.Time, sooner func(time.Time)) {
	for w, until := range d.blocked {
		if !until.After(now) {
			delete(d.blocked, w)
			w.board.set(Ready, "", time.Time{})
			continue
		}
		sooner(until)
	}
}

// pick is the flow whose turn it is: of the highest priority that has something to send now, one after the other.
func (d *dispatcher) pick(now time.Time, passed map[*turn]bool, sooner func(time.Time)) *turn {
	for begin := 0; begin < len(d.turns); {
		end := begin + 1
		for end < len(d.turns) && d.turns[end].Priority == d.turns[begin].Priority {
			end++
		}
		level := d.turns[begin:end]
		for i := range level {
			at := (d.next + i) % len(level)
			t := level[at]
			if passed[t] {
				continue
			}
			if t.blocked.After(now) {
				sooner(t.blocked)
				continue
			}
			if d.fill(t, now) {
				d.next = at + 1
				return t
			}
			passed[t] = true
		}
		begin = end
	}
	return nil
}

// fill sees to it that the next push of a flow is in memory. It is false where there is none that is not out.
func (d *dispatcher) fill(t *turn, now time.Time) bool {
	if len(t.ready) > 0 || t.read {
		return len(t.ready) > 0
	}
	t.read = true
	jobs, err := d.queue.Due(t.Flow, now, readyEach+len(d.out))
	if err != nil {
		if !errors.Is(err, storage.ErrFailed) {
			d.log.Error("queue", zap.Error(err))
		}
		return false
	}
	for i := range jobs {
		if _, out := d.out[jobs[i].ID]; !out && len(t.ready) < readyEach {
			t.ready = append(t.ready, jobs[i])
		}
	}
	if len(jobs) == readyEach+len(d.out) {
		t.read = false // there is more
	}
	return len(t.ready) > 0
}

// block lets a flow wait.
func (d *dispatcher) block(t *turn, until time.Time, why string) {
	t.blocked, t.why, t.ready, t.read = until, why, nil, false // what of it is due may be another then
}

// give hands the first push of a flow to a modem that asks and may send it. It is false where none may.
func (d *dispatcher) give(t *turn, now time.Time, sooner func(time.Time)) bool {
	job := t.ready[0]
	for i, w := range d.asking {
		if _, blocked := d.blocked[w]; blocked || !d.meter.allows(job.MSISDN, w.port.Tags) {
			continue
		}
		if until, why := d.meter.modem(w.through, now); !until.IsZero() {
			d.blocked[w] = until
			w.board.set(Resting, why, until)
			sooner(until)
			continue
		}
		tpdus, err := d.render(&job)
		if err != nil {
			d.fail(&job, fmt.Sprintf("can not be sent: %v", err))
			t.ready = t.ready[1:]
			return true
		}
		if until, why := d.meter.take(w.through, job.MSISDN, len(tpdus), now); !until.IsZero() {
			// Another limit than those asked for: the store could not be written.
			d.block(t, until, why)
			sooner(until)
			return true
		}
		t.ready = t.ready[1:]
		d.out[job.ID] = time.Time{}
		d.asking = slices.Delete(d.asking, i, i+1)
		w.parcels <- parcel{&job, tpdus}
		return true
	}
	return false
}

// postpone puts a push off whose number has had its share.
func (d *dispatcher) postpone(job *storage.PushJob, until time.Time, why string) {
	d.change(job, func(p *storage.PushJob) { p.NotBefore, p.Error = until, why })
}

// fail gives a push up that no modem can send.
func (d *dispatcher) fail(job *storage.PushJob, why string) {
	d.log.Warn("push failed", zap.Uint64("push", job.ID))
	d.change(job, func(p *storage.PushJob) { p.State, p.Error, p.Changed = storage.PushFailed, why, time.Now() })
}

// change edits a push that is queued. One that can not be changed is held back.
func (d *dispatcher) change(job *storage.PushJob, change func(*storage.PushJob)) {
	err := d.queue.Edit(job.Device, job.ID, func(p *storage.PushJob) error {
		if p.State != storage.PushQueued {
			return ErrWithdrawn
		}
		change(p)
		return nil
	})
	if err == nil || errors.Is(err, ErrWithdrawn) {
		return
	}
	d.out[job.ID] = time.Now().Add(unsavedHold)
	if !errors.Is(err, storage.ErrFailed) {
		d.log.Error("saving push", zap.Uint64("push", job.ID), zap.Error(err))
	}
}

// giveBack tells the dispatcher that a worker has done with a push.
func (p *Pool) giveBack(job *storage.PushJob, hold time.Duration) {
	select {
	case p.back <- returned{job.ID, hold, job.State == storage.PushQueued}:
	case <-p.over:
	}
}
