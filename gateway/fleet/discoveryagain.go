package fleet

import (
	"fmt"
	"time"

	"dmgate/sessions"
	"dmgate/storage"
)

// A device that is known is looked at anew when it is another handset or has other firmware than the one that was
// looked at, and when upstream wants it (Discover). Package 1 tells the handset in each session. The firmware it does
// not tell: it is asked for where package 1 has changed (DmV, Lang), after a bootstrap, and, once in
// Options.CheckEvery, in a session that has something to do anyway. Whoever else asks a device for it has it noticed
// as well (hearVersions).

// sameHandset says whether one handset with one firmware may have said both. What was not said does not count.
func sameHandset(a, b *storage.Handset) bool { return difference(a, b) == "" }

// difference says what has become of a handset; empty where it is the same.
func difference(was, is *storage.Handset) string {
	for _, f := range [...]struct{ name, was, is string }{
		{"DevId", was.DevID, is.DevID}, {"manufacturer", was.Man, is.Man}, {"model", was.Mod, is.Mod},
		{"firmware", was.FwV, is.FwV}, {"software", was.SwV, is.SwV},
	} {
		if f.was != f.is && f.was != "" && f.is != "" {
			return fmt.Sprintf("%s %s became %s", f.name, f.was, f.is)
		}
	}
	return ""
}

// check asks a device that is known for its firmware, where that is due.
func (f *Fleet) check(now time.Time, dev *storage.Device, is *storage.Handset, out *sessions.Outcome) []storage.Task {
	w := &dev.Walk
	same := dev.State == storage.Discovered && *is == w.Of
	if same && (now.Sub(w.Checked) < f.opt.CheckEvery || !out.Busy()) || asked(out) {
		return nil
	}
	leaves := []storage.Command{get(devDetail + "FwV"), get(devDetail + "SwV")}
	return []storage.Task{f.task(now, dev, question{purposeVersions, leaves})}
}

// checked goes on when the device has told its firmware.
func (f *Fleet) checked(now time.Time, dev *storage.Device, out *sessions.Outcome) []storage.Task {
	if next := f.moved(now, dev, out); next != nil {
		return next
	}
	is := dev.Handset()
	changeWalk(dev, out, func(w *storage.Walk) { w.Checked, w.Of = now, is })
	discovered(now, dev, out)
	return nil
}

// moved begins a walk where the device turns out to be another one than the one that is known.
func (f *Fleet) moved(now time.Time, dev *storage.Device, out *sessions.Outcome) []storage.Task {
	is := dev.Handset()
	if dev.Walk.Ended.IsZero() || sameHandset(&dev.Walk.Of, &is) {
		return nil
	}
	return f.setOut(now, dev, difference(&dev.Walk.Of, &is), out)
}

// kindDiscover is an order to look at a device anew.
const kindDiscover = "discover"

// Discover has a device looked at anew, whole, and whatever is known of its model: it is notified, and asked in the
// session that follows. An order for the same that has not begun is the one that is returned. The order ends with the
// discovery. The error is a *FieldError where the device has no account of ours yet, or storage.ErrNotFound.
func (f *Fleet) Discover(id storage.DeviceID) (order string, err error) {
	dev, err := f.store.Device(id)
	if err != nil {
		return "", err
	}
	if w := &dev.Walk; w.Order != "" && w.Ended.IsZero() && w.Rounds == 0 {
		return w.Order, nil
	}
	now := f.opt.Clock()
	order = NewName()
	c := storage.Commit{
		Device: id, Time: now,
		Edit: func(d *storage.Device) error {
			if err := hasAccount(d); err != nil {
				return err
			}
			f.lookAnew(d, order, now)
			return nil
		},
		Orders: []storage.Order{{ID: order, Device: id, Kind: kindDiscover, State: storage.OrderOpen, Created: now}},
		Pushes: []storage.PushJob{{
			ID: f.newID(now), Device: id, Order: order, Kind: notification, MSISDN: dev.MSISDN, Flow: f.flow("", dev.MSISDN),
			State: storage.PushQueued, NotBefore: now, Created: now, Changed: now,
		}},
		Feed: []storage.FeedEntry{{Kind: "order", Order: order, Status: string(storage.OrderOpen), Text: kindDiscover}},
	}
	if before := dev.Walk.Order; before != "" {
		c.Ends = []storage.OrderEnd{{ID: before, State: storage.OrderFailed, Reason: "replaced by order " + order}}
	}
	if err := f.store.Commit(&c); err != nil {
		return "", err
	}
	f.pushed()
	return order, nil
}

// lookAnew has a device discovered anew in its next session, for an order that ends with that; empty for none.
func (f *Fleet) lookAnew(d *storage.Device, order string, now time.Time) {
	d.Walk = storage.Walk{Begun: now, Why: "it was ordered", Order: order, Whole: true, Of: d.Handset()}
	d.Enter(storage.Connected, now, "", storage.Wait{
		For: "a session, to be discovered anew", Until: now.Add(f.opt.AnswerIn),
		Next: "the order fails; it is discovered anew when it connects",
	})
}
