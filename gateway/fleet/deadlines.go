package fleet

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"dmgate/storage"
)

// How often deadlines are looked at, and how many at a time.
const (
	deadlineEvery = time.Second
	deadlineBatch = 500
)

// WatchDeadlines ends waits whose time is up, until ctx ends.
func (f *Fleet) WatchDeadlines(ctx context.Context) {
	tick := time.NewTicker(deadlineEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := f.EndWaits(f.opt.Clock()); err != nil && !errors.Is(err, storage.ErrFailed) {
			f.opt.Log.Error("deadlines not looked at", zap.Error(err))
		}
	}
}

// EndWaits ends all waits whose deadline is not after now. One device that can not be written does not hold up the
// others.
func (f *Fleet) EndWaits(now time.Time) error {
	for {
		due, err := f.store.DevicesDue(now, deadlineBatch)
		if err != nil {
			return err
		}
		failed := 0
		for _, id := range due {
			if err := f.endWait(now, id); err != nil && !errors.Is(err, errNotDue) {
				f.opt.Log.Error("deadline not carried out", zap.String("device", string(id)), zap.Error(err))
				failed++
			}
		}
		if len(due) < deadlineBatch || failed > 0 {
			return nil
		}
	}
}

// errNotDue abandons a commit: the device has moved on since it was found due.
var errNotDue = errors.New("fleet: the wait is over already")

func (f *Fleet) endWait(now time.Time, id storage.DeviceID) error {
	dev, err := f.store.Device(id)
	if err != nil {
		return err
	}
	c := storage.Commit{Device: id, Time: now}
	switch dev.State {
	case storage.Ordered:
		f.endWaitForModem(&c, dev, now)
	case storage.Sent, storage.Delivered:
		const reason = "no session followed the bootstrap: the user refused or did not see it, or the device does not take it"
		c.Edit = leave(dev, storage.Unanswered, now, reason)
		c.Ends = []storage.OrderEnd{{ID: dev.Order, State: storage.OrderFailed, Reason: reason}}
	default:
		c.Edit = leave(dev, dev.State, now, "discovery unfinished")
		if order := dev.Walk.Order; order != "" {
			c.Ends = []storage.OrderEnd{{ID: order, State: storage.OrderFailed, Reason: "the device was not discovered anew in time"}}
		}
	}
	return f.store.Commit(&c)
}

// endWaitForModem fails an order that no modem has taken in time. Its push goes with it.
func (f *Fleet) endWaitForModem(c *storage.Commit, dev *storage.Device, now time.Time) {
	const reason = "no modem has taken the bootstrap in time"
	c.Edit = leave(dev, storage.Failed, now, reason)
	c.Ends = []storage.OrderEnd{{ID: dev.Order, State: storage.OrderFailed, Reason: reason}}
	pushes, err := f.store.Pushes(dev.ID)
	if err != nil {
		f.opt.Log.Error("pushes of an overdue order not read", zap.String("device", string(dev.ID)), zap.Error(err))
		return
	}
	for _, job := range pushes {
		if job.Order == dev.Order && job.State == storage.PushQueued {
			job.State, job.Error, job.Changed = storage.PushFailed, reason, now
			c.Pushes = append(c.Pushes, job)
		}
	}
}

// leave moves a device out of the wait it was found in, unless it has left it meanwhile.
func leave(found *storage.Device, to storage.State, now time.Time, reason string) func(*storage.Device) error {
	return func(d *storage.Device) error {
		if d.State != found.State || d.Order != found.Order || d.Wait.Until.After(now) {
			return errNotDue
		}
		d.Enter(to, now, reason, storage.Wait{})
		return nil
	}
}
