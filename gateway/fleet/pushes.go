package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dmgate/modempool"
	"dmgate/storage"
)

// The fleet as the modem pool sees it: its queue (modempool.Queue).

// Flows implements modempool.Queue. Those of a campaign that does not run are left out.
func (f *Fleet) Flows(now time.Time, from storage.Flow, limit int) ([]storage.Flow, error) {
	var open []storage.Flow
	for len(open) < limit {
		flows, err := f.store.PushFlows(now, from, limit)
		if err != nil {
			return nil, err
		}
		for _, flow := range flows {
			if f.flowOpen(flow.Name) && len(open) < limit {
				open = append(open, flow)
			}
			from = flow.Next()
		}
		if len(flows) < limit {
			break
		}
	}
	return open, nil
}

// Due implements modempool.Queue.
func (f *Fleet) Due(flow storage.Flow, now time.Time, limit int) ([]storage.PushJob, error) {
	return f.store.PushesDue(flow, now, limit)
}

// Overdue implements modempool.Queue.
func (f *Fleet) Overdue(now time.Time, limit int) ([]storage.PushJob, error) {
	return f.store.PushesOverdue(now, limit)
}

// Awaiting implements modempool.Queue.
func (f *Fleet) Awaiting(modem, number string, reference uint8) ([]storage.PushJob, error) {
	return f.store.PushesAwaiting(modem, number, reference)
}

// Setting implements modempool.Queue.
func (f *Fleet) Setting(name string) ([]byte, error) { return f.store.Document(name) }

// PutSetting implements modempool.Queue.
func (f *Fleet) PutSetting(name string, value []byte) error { return f.store.PutDocument(name, value) }

// PDU implements modempool.Queue. The notification of an order is made when it is sent, over the nonce of that moment.
func (f *Fleet) PDU(job *storage.PushJob) ([]byte, error) {
	if job.Kind == notification && len(job.PDU) == 0 {
		return f.notificationPDU(job)
	}
	return job.PDU, nil
}

// Save implements modempool.Queue: the push as it stands now, and what follows from that, in one commit. One that is to
// be sent and is not queued any more, or whose order is over, is withdrawn.
func (f *Fleet) Save(job *storage.PushJob) error {
	claim := untouched(job)
	if claim {
		why, err := f.unwanted(job)
		if err != nil {
			return err
		}
		if why != "" {
			return f.withdraw(job, why)
		}
	}
	err := f.commitPush(job, func(p *storage.PushJob) error {
		if claim && p.State != storage.PushQueued {
			return modempool.ErrWithdrawn
		}
		*p = *job
		return nil
	})
	if errors.Is(err, errOrderOver) {
		return f.withdraw(job, orderOver)
	}
	return err
}

// untouched says whether job is about to be sent, and nothing of it has left yet.
func untouched(job *storage.PushJob) bool {
	sent := func(s storage.Segment) bool { return s.Sent }
	return job.State == storage.PushSending && !slices.ContainsFunc(job.Segments, sent)
}

// orderOver is why a push is withdrawn whose order needs it no more.
const orderOver = "its order was over before a modem took it"

// errOrderOver abandons the claim of a push that its device does not wait for any more.
var errOrderOver = errors.New("fleet: " + orderOver)

// unwanted says why a push is not to be sent any more; empty where it is. Of a bootstrap the device says so, in the commit.
func (f *Fleet) unwanted(job *storage.PushJob) (why string, err error) {
	switch {
	case job.Kind == kindBootstrap:
		return "", nil
	case job.Order == "":
		if f.opt.Clock().Sub(job.Created) >= resyncWithin {
			return "no modem has taken it in time", nil
		}
		return "", nil
	}
	order, err := f.store.Order(job.Device, job.Order)
	if err != nil || order.State == storage.OrderOpen {
		return "", err
	}
	return orderOver, nil
}

// withdraw ends a push of which not a byte has been sent, so that it is not due again.
func (f *Fleet) withdraw(job *storage.PushJob, why string) error {
	ended := *job
	ended.State, ended.Error = storage.PushFailed, why
	err := f.commitPush(&ended, func(p *storage.PushJob) error {
		if p.State != storage.PushQueued {
			return modempool.ErrWithdrawn
		}
		p.State, p.Error, p.Changed = storage.PushFailed, why, f.opt.Clock()
		return nil
	})
	if err != nil {
		return err
	}
	return modempool.ErrWithdrawn
}

// Edit implements modempool.Queue.
func (f *Fleet) Edit(dev storage.DeviceID, id uint64, change func(*storage.PushJob) error) error {
	for {
		job, err := f.store.Push(dev, id)
		if err != nil {
			return err
		}
		if err := change(job); err != nil {
			return err
		}
		err = f.commitPush(job, func(p *storage.PushJob) error {
			if err := change(p); err != nil {
				return err
			}
			if p.State != job.State {
				return errMoved
			}
			return nil
		})
		if !errors.Is(err, errMoved) {
			return err
		}
	}
}

// errMoved abandons an edit of a push that has become another one than was expected.
var errMoved = errors.New("fleet: the push has moved on")

// commitPush changes a push by edit, which is expected to make job of it, together with what follows from that: for its
// order, its task and its device.
func (f *Fleet) commitPush(job *storage.PushJob, edit func(*storage.PushJob) error) error {
	if job.Kind == storage.KindCertificate {
		return f.commitCertificate(job, edit)
	}
	now := f.opt.Clock()
	c := storage.Commit{
		Device: job.Device, Time: now, PushEdits: []storage.PushEdit{{ID: job.ID, Edit: edit}},
	}
	if job.Kind == kindAccessPoint {
		var err error
		if c.Ends, err = f.endDelivery(job); err != nil {
			return err
		}
		return f.store.Commit(&c)
	}
	if job.State == storage.PushFailed && job.Order != "" {
		isJob, err := f.isJob(job.Device, job.Order)
		if err != nil {
			return err
		}
		if !isJob { // a job goes on by other means
			c.Ends = []storage.OrderEnd{{ID: job.Order, State: storage.OrderFailed, Reason: job.Error}}
		}
	}
	if job.Kind == kindLink {
		return f.store.Commit(&c)
	}
	if job.Kind == notification {
		if job.State == storage.PushFailed && job.Order != "" {
			var err error
			if c.Tasks, err = f.failTasks(job.Device, job.Order, job.Error); err != nil {
				return err
			}
		}
		return f.store.Commit(&c)
	}
	c.Edit = func(d *storage.Device) error {
		wanted := d.Order == job.Order && waitsForPush(d)
		if wanted {
			f.follow(d, job, now)
		}
		if !wanted && untouched(job) {
			return errOrderOver
		}
		return nil
	}
	return f.store.Commit(&c)
}

// maxSMS bounds what the feed tells of an incoming SMS, in bytes.
const maxSMS = 512

// Received implements modempool.Queue: an SMS stands in the feed, with the device whose number has sent it.
func (f *Fleet) Received(sms modempool.Received) error {
	text := sms.Text
	if text == "" {
		text = "hex " + sms.Data
	}
	about := ""
	if sms.Parts > 0 {
		about = fmt.Sprintf(" (part %d of %d of %d)", sms.Part, sms.Parts, sms.Reference)
	}
	if sms.Problem != "" {
		about += " (" + sms.Problem + ")"
	}
	entry := storage.FeedEntry{Kind: "sms", Text: fmt.Sprintf("to %s from %s%s: %s", sms.Modem, sms.Sender, about, text)}
	if len(entry.Text) > maxSMS {
		entry.Text = strings.ToValidUTF8(entry.Text[:maxSMS], "") + "..."
	}
	dev, err := f.store.FindDevice(storage.ByMSISDN, sms.Sender)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	return f.store.Commit(&storage.Commit{Device: dev, Time: f.opt.Clock(), Feed: []storage.FeedEntry{entry}})
}

// Noticed implements modempool.Queue.
func (f *Fleet) Noticed(modem, text string) error {
	return f.store.Commit(&storage.Commit{
		Time: f.opt.Clock(), Feed: []storage.FeedEntry{{Kind: "modem", Text: modem + ": " + text}},
	})
}

// waitsForPush says whether a push still matters to d. A device that has connected meanwhile is past all this: a
// delivery report may come later than the session.
func waitsForPush(d *storage.Device) bool {
	return d.State == storage.Ordered || d.State == storage.Sent || d.State == storage.Delivered
}

// waitForModem is the wait of a device whose push has not been sent, counted from a time.
func (f *Fleet) waitForModem(what string, now, from time.Time) storage.Wait {
	return storage.Wait{For: what, Since: now, Until: from.Add(f.opt.SendWithin), Next: "the order fails"}
}

// follow moves the device along with its push.
func (f *Fleet) follow(d *storage.Device, job *storage.PushJob, now time.Time) {
	answer := storage.Wait{
		For: "the user to accept and the device to connect", Until: now.Add(f.opt.AnswerIn), Next: "counts as unanswered",
	}
	switch job.State {
	case storage.PushQueued:
		d.Wait = f.waitForModem("a modem", now, job.Created)
		switch {
		case job.Attempts > 0:
			d.Wait.For = "another try: " + job.Error
		case job.Error != "": // a limit
			d.Wait.For = job.Error
		}
	case storage.PushSending:
		// A modem has taken it in time: from here the pool's own limits hold, and this is for when all else fails.
		d.Wait = f.waitForModem(job.Modem, now, now)
	case storage.PushSent, storage.PushDoubtful:
		if d.State == storage.Ordered || d.Wait.For != answer.For {
			d.Enter(storage.Sent, now, "", answer)
		}
	case storage.PushDelivered:
		d.Enter(storage.Delivered, now, "", answer)
	case storage.PushFailed:
		d.Enter(storage.Unreachable, now, job.Error, storage.Wait{})
	}
}
