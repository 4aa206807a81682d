package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"time"

	"dmgate/storage"
)

// Bounds of what is begun ahead of the modems.
const (
	launchBacklog = 2000 // pushes of a campaign that are queued and not sent
	launchRoom    = 64   // as many are begun together when the modems make room
	launchBatch   = 256  // targets of one campaign, before it is the next one's turn
	launchSpare   = 64   // targets looked at beyond those: some may have to be put aside
)

// launch begins as many targets as may be begun now. A target's order, its push and, where it is not known yet, its
// device are one commit; that it was begun the campaign learns from the feed.
func (e *engine) launch(r *running, now time.Time) (bool, error) {
	n := e.mayBegin(r, now)
	if n <= 0 {
		return false, nil
	}
	candidates, err := e.candidates(r, n, now)
	if err != nil {
		return false, err
	}
	y := newTally(&r.Campaign)
	var begin []*storage.Target
	room := canaryRoom(&r.Campaign)
	passed := canaryPassed(&r.Campaign)
	for i := range candidates {
		t := &candidates[i]
		if len(begin) == n || !passed && !t.Canary && room == 0 {
			break
		}
		if e.sendBack(y, r, t, now) {
			continue
		}
		if !passed && !t.Canary {
			room--
		}
		begin = append(begin, t)
	}
	if err := e.begin(y, r, begin, now); err != nil {
		return false, err
	}
	if len(begin) == 0 && len(y.targets) == 0 {
		return false, e.awaitTargets(r, now)
	}
	if len(y.targets) > 0 {
		return true, e.commit(y, now)
	}
	return true, nil
}

// mayBegin is how many targets may be begun now, and says what is waited for where it is none.
func (e *engine) mayBegin(r *running, now time.Time) int {
	c := r.Campaign
	clock(&c, now)
	rate := rateAfter(&c.How, c.Ran)
	next, closed := closedUntil(r.How.Windows, "", now)
	room := launchBacklog - r.Counts[stageQueued]
	tokens := r.bucket.fill(rate, now)
	wait := func(until time.Time, format string, args ...any) int {
		e.campaigns.wait(r.ID, fmt.Sprintf(format, args...), until)
		return 0
	}
	switch {
	case r.State != storage.CampaignRunning || isLate(r, now):
		return wait(time.Time{}, "")
	case closed && !byDestination(r.How.Windows):
		return wait(next, "a window, which opens at %s", next.Format(time.RFC3339))
	case room < launchRoom:
		return wait(time.Time{}, "modems: %d pushes are queued", r.Counts[stageQueued])
	case tokens <= 0:
		return wait(r.bucket.next(rate), "its rate, which is %.4g targets an hour now", rate)
	}
	wait(time.Time{}, "")
	return min(tokens, room, launchBatch)
}

// candidates are targets that could be begun, in the order in which they are: n and some more. As long as the canary
// group is not through, these are its members that are to be tried again, once all of it was begun.
func (e *engine) candidates(r *running, n int, now time.Time) ([]storage.Target, error) {
	if canaryPassed(&r.Campaign) || canaryRoom(&r.Campaign) > 0 {
		return e.store.TargetsIn(r.ID, storage.TargetPending, now, n+launchSpare)
	}
	var again []storage.Target
	if now.Sub(r.scanned) < engineTick {
		return nil, nil
	}
	r.scanned = now
	var after uint64
	for found := 0; found < r.Canary.Begun; { // they were the first, so they stand in front
		page, err := e.store.Targets(r.ID, after, sweepPage)
		if err != nil || len(page) == 0 {
			return again, err
		}
		for i := range page {
			t := &page[i]
			if after = t.Number; !t.Canary {
				continue
			}
			found++
			if t.State == storage.TargetPending && !t.NotBefore.After(now) {
				again = append(again, *t)
			}
		}
	}
	return again, nil
}

// awaitTargets says what a campaign waits for that has nothing to begin.
func (e *engine) awaitTargets(r *running, now time.Time) error {
	if !canaryPassed(&r.Campaign) {
		e.campaigns.wait(r.ID, fmt.Sprintf("the canary group: %d of %d have come to %s, %d have to",
			r.Canary.Good, canarySize(&r.Campaign), r.How.Success, canaryWants(&r.Campaign)), time.Time{})
		return nil
	}
	begun := r.Counts[string(storage.TargetBegun)]
	first, err := e.store.TargetsIn(r.ID, storage.TargetPending, latest, 1)
	switch {
	case err != nil:
		return err
	case len(first) == 1:
		e.campaigns.wait(r.ID, "targets to be tried again, or whose window is closed", first[0].NotBefore)
	case begun > 0:
		e.campaigns.wait(r.ID, fmt.Sprintf("the end of %d targets that were begun", begun), time.Time{})
	case r.Counts[string(storage.TargetHeld)] > 0:
		e.campaigns.wait(r.ID, "the release of groups that are held", time.Time{})
	}
	return nil
}

// sendBack puts a target aside that can not be begun now: its window is closed, or its group is held.
func (e *engine) sendBack(y *tally, r *running, t *storage.Target, now time.Time) bool {
	if next, closed := closedUntil(r.How.Windows, e.opt.Destination(t.MSISDN).Zone, now); closed {
		y.change(t, now, func() { t.NotBefore = next })
		return true
	}
	if g := e.heldGroup(r, t); g != "" {
		y.change(t, now, func() { t.State, t.Reason = storage.TargetHeld, g+" is held: "+r.Groups[g].Held })
		return true
	}
	return false
}

// begin orders what is to be done to targets. One that can not be ordered comes to its end, with the reason.
func (e *engine) begin(y *tally, r *running, targets []*storage.Target, now time.Time) error {
	var mu sync.Mutex
	begun := 0
	err := inParallel(targets, func(t *storage.Target) error {
		err := e.order(&r.Campaign, t)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			begun++
			return nil
		}
		state, reason := storage.TargetFailed, "it could not be ordered: a fault of ours"
		var fault *FieldError
		switch {
		case errors.As(err, &fault):
			reason = fault.Error()
		case errors.Is(err, errBootstrapped):
			state, reason = storage.TargetDone, err.Error()
		default:
			if err := e.skip("target not begun", orderName(t.Campaign, t.Number, t.Attempts+1), err); err != nil {
				return err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		y.change(t, now, func() { t.State, t.Reason, t.NotBefore = state, reason, time.Time{} })
		return nil
	})
	r.bucket.take(begun)
	return err
}

// errBootstrapped ends a target that has what it was to get.
var errBootstrapped = errors.New("the device is bootstrapped already: nothing was sent")

// order orders the next attempt at a target.
func (e *engine) order(c *storage.Campaign, t *storage.Target) error {
	name := orderName(c.ID, t.Number, t.Attempts+1)
	dev, account, err := e.deviceOf(c, t)
	if err != nil {
		return err
	}
	switch c.What.Kind {
	case kindBootstrap:
	case jobInstall:
		return e.orderInstall(c, t, name, dev, account)
	default:
		return e.orderTask(&taskOrder{
			name: name, campaign: c.ID, kind: c.What.Kind, commands: c.What.Commands, priority: c.How.Priority,
			deadline: e.deadline(c.What.Kind, e.opt.Clock()),
		}, dev)
	}
	if dev.State.Bootstrapped() && !c.What.Again {
		return errBootstrapped
	}
	b := bootstrapOf(&c.What)
	b.Device, b.Batch, b.PIN, b.Priority = dev.ID, c.ID, pinOf(&c.What, t.PIN), c.How.Priority
	_, err = e.bootstrap(&b, name, c.ID, dev, account)
	if errors.Is(err, storage.ErrExists) {
		return &FieldError{"dev_id", "another device has this number or name: " + t.MSISDN + " " + t.DevID}
	}
	return err
}

// orderInstall places the job of a target. A device that is not known becomes known before.
func (e *engine) orderInstall(
	c *storage.Campaign, t *storage.Target, name string, dev *storage.Device, account *storage.Account,
) error {
	if account != nil {
		err := e.store.Commit(&storage.Commit{Device: dev.ID, Time: dev.Created, New: dev, Account: account})
		if errors.Is(err, storage.ErrExists) {
			return &FieldError{"dev_id", "another device has this number or name: " + t.MSISDN + " " + t.DevID}
		}
		if err != nil {
			return err
		}
	}
	o := installOf(&c.What)
	o.ID, o.Batch, o.Device, o.PIN, o.Priority = name, c.ID, dev.ID, pinOf(&c.What, t.PIN), c.How.Priority
	placed, err := e.PlaceJob(o)
	if err == nil && placed.Same {
		return &FieldError{"device", "job " + placed.Job.ID + " does the same already"}
	}
	return err
}

// deviceOf is the device of a target. One that is not known is new, and comes with an account; what the target says of
// one that is known fills gaps in its record.
func (e *engine) deviceOf(c *storage.Campaign, t *storage.Target) (*storage.Device, *storage.Account, error) {
	id, err := e.store.FindDevice(storage.ByMSISDN, t.MSISDN)
	switch {
	case errors.Is(err, storage.ErrNotFound) && (c.What.Kind == kindBootstrap || c.What.Kind == jobInstall):
		dev, account := e.newDevice(NewDevice{MSISDN: t.MSISDN, IMSI: t.IMSI, DevID: t.DevID})
		return dev, account, nil
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil, &FieldError{"msisdn", "no device with this number is known"}
	case err != nil:
		return nil, nil, err
	}
	dev, err := e.store.Device(id)
	if err != nil {
		return nil, nil, err
	}
	dev.IMSI, dev.DevID = cmp.Or(dev.IMSI, t.IMSI), cmp.Or(dev.DevID, t.DevID)
	return dev, nil, nil
}

// bootstrapOf is what a campaign orders, but for what belongs to a target.
func bootstrapOf(a *storage.Action) Bootstrap {
	b := Bootstrap{Sec: a.Sec, APN: a.APN}
	if a.Operator != "" {
		b.AccessPoint = &AccessPoint{Operator: a.Operator}
	}
	return b
}

// pinOf is the PIN of a target: its own, or else the campaign's.
func pinOf(a *storage.Action, own string) string { return cmp.Or(own, a.PIN) }
