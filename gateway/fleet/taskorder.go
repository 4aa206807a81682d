package fleet

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"dmgate/sessions"
	"dmgate/storage"
)

// purposeOrder is the purpose of the task that an order of kind task or notify makes.
const purposeOrder = "order"

// taskOrder is an order for the device's next session: to carry out commands, or, without any, only to open it. It
// waits for that session until its deadline. A notification asks for it.
type taskOrder struct {
	name     string
	campaign string
	kind     string // kindNotify or kindTask
	commands []storage.Command
	priority uint8
	deadline time.Time
}

// orderTask places an order of kind task or notify: order, task and notification in one commit. The task is what the
// order stands for in a session. That of a notify has no commands, so it is done as soon as the device has proved itself.
// The error is a *FieldError where the device has no account of ours.
func (f *Fleet) orderTask(o *taskOrder, dev *storage.Device) error {
	now := f.opt.Clock()
	text := kindNotify
	if n := len(o.commands); n > 0 {
		text = fmt.Sprintf("task of %d commands", n)
	}
	err := f.store.Commit(&storage.Commit{
		Device: dev.ID, Time: now,
		Edit: func(d *storage.Device) error { return hasAccount(d) },
		Orders: []storage.Order{{
			ID: o.name, Device: dev.ID, Batch: o.campaign, Kind: o.kind, State: storage.OrderOpen, Created: now,
		}},
		Tasks: []storage.Task{{
			ID: f.newID(now), Device: dev.ID, Order: o.name, Purpose: purposeOrder, Commands: o.commands, Created: now,
			Priority: o.priority, Deadline: o.deadline,
		}},
		Pushes: []storage.PushJob{{ // its digest is made when it is sent: until then the nonce may change
			ID: f.newID(now), Device: dev.ID, Order: o.name, Kind: notification, MSISDN: dev.MSISDN, Priority: o.priority,
			Flow: f.flow(o.campaign, dev.MSISDN), State: storage.PushQueued, NotBefore: now, Created: now, Changed: now,
		}},
		Feed: []storage.FeedEntry{{Kind: "order", Order: o.name, Status: string(storage.OrderOpen), Text: text}},
	})
	if err == nil {
		f.pushed()
	}
	return err
}

// hasAccount refuses a device that can not be notified.
func hasAccount(d *storage.Device) error {
	if !d.State.Bootstrapped() {
		return &FieldError{"device", "has no account of ours yet: it is " + string(d.State)}
	}
	return nil
}

// notificationPDU makes the notification of an order, over the nonce that the device has now.
func (f *Fleet) notificationPDU(job *storage.PushJob) ([]byte, error) {
	account, err := f.store.Account(job.Device)
	if err != nil {
		return nil, err
	}
	return notify(account, account.ServerNonce), nil
}

// answeredOrder ends the order of a task by what the device has answered: the first command that was not carried out
// fails it, whatever becomes of the others.
func answeredOrder(task *storage.Task, answers []storage.Answer, done bool, out *sessions.Outcome) {
	for i := range answers {
		if a := &answers[i]; !carriedOut(a.Code) {
			endTask(task.Order, storage.OrderFailed, notCarriedOut(task, a), out)
			return
		}
	}
	if done {
		endTask(task.Order, storage.OrderDone, "", out)
	}
}

// notCarriedOut is the reason of a task that has failed with an answer.
func notCarriedOut(task *storage.Task, a *storage.Answer) string {
	c := &task.Commands[a.Command]
	if a.Code == 0 {
		return fmt.Sprintf("command %d (%s %.200s): the device said nothing of it", a.Command, c.Kind, c.URI)
	}
	return fmt.Sprintf("command %d (%s %.200s): status %d", a.Command, c.Kind, c.URI, a.Code)
}

func endTask(order string, state storage.OrderState, reason string, out *sessions.Outcome) {
	out.Commit.Ends = append(out.Commit.Ends, storage.OrderEnd{ID: order, State: state, Reason: reason})
}

// carriedOut says whether a status is one of success, or of what is still to come (section 2.6): 214 to 216 say that a
// command was cancelled, not executed or rolled back.
func carriedOut(code int) bool { return code >= 200 && code < 300 && (code < 214 || code > 216) }

// giveUp fails an order that is open. What of it waits for a modem or for a session goes with it, and a device that
// waits for its bootstrap is as it was before. What a modem has is not called back: with unsent an order is given up
// only as long as its push is queued, and the error is errTaken where it is not.
func (f *Fleet) giveUp(dev storage.DeviceID, order, reason string, unsent bool) error {
	now := f.opt.Clock()
	c := storage.Commit{
		Device: dev, Time: now, Ends: []storage.OrderEnd{{ID: order, State: storage.OrderFailed, Reason: reason}},
		Edit: func(d *storage.Device) error {
			if d.Order == order && d.State == storage.Ordered {
				d.Enter(storage.Registered, now, "", storage.Wait{})
			}
			return nil
		},
	}
	pushes, err := f.store.Pushes(dev)
	if err != nil {
		return err
	}
	for i := range pushes {
		if pushes[i].Order == order && pushes[i].State == storage.PushQueued {
			c.PushEdits = append(c.PushEdits, storage.PushEdit{ID: pushes[i].ID, Edit: func(job *storage.PushJob) error {
				if job.State != storage.PushQueued {
					return errTaken
				}
				job.State, job.Error, job.Changed = storage.PushFailed, reason, now
				return nil
			}})
		}
	}
	if unsent && len(c.PushEdits) == 0 {
		return errTaken
	}
	if c.Tasks, err = f.failTasks(dev, order, reason); err != nil {
		return err
	}
	return f.store.Commit(&c)
}

// errTaken abandons a commit: a modem has taken the push meanwhile.
var errTaken = errors.New("fleet: a modem has taken the push")

// failTasks is what open tasks of an order become when the order fails outside of a session.
func (f *Fleet) failTasks(dev storage.DeviceID, order, reason string) ([]storage.Task, error) {
	open, err := f.store.OpenTasks(dev, 0, openTasks)
	if err != nil {
		return nil, err
	}
	failed := slices.DeleteFunc(open, func(t storage.Task) bool { return t.Order != order || t.Purpose != purposeOrder })
	for i := range failed {
		failed[i].State, failed[i].Reason = storage.TaskFailed, reason
	}
	return failed, nil
}

// openTasks is how many open tasks of a device are looked through for those of an order.
const openTasks = 1000
