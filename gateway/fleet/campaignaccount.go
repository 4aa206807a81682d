package fleet

import (
	"cmp"
	"time"

	"dmgate/storage"
)

// account takes in what the feed says of one of the campaign's orders.
func (e *engine) account(y *tally, entry *storage.FeedEntry, number uint64, attempt int) error {
	t := y.targets[number]
	if t == nil {
		var err error
		if t, err = e.store.Target(y.was.ID, number); err != nil {
			return e.skip("target not accounted for", entry.Order, err)
		}
	}
	switch {
	case entry.Kind == "order" && entry.Status == string(storage.OrderOpen):
		if attempt == t.Attempts+1 {
			return e.begun(y, t, entry)
		}
	case t.State != storage.TargetBegun || t.Order != entry.Order: // of an attempt that is over
	case entry.Kind == "push" && stages[entry.Status] > 0:
		e.came(y, t, entry, entry.Status)
	case entry.Kind == "job":
		if stage := jobStages[storage.JobState(entry.Status)]; stage != "" {
			e.came(y, t, entry, stage)
		}
	case entry.Kind == "order" && entry.Status == string(storage.OrderDone):
		y.change(t, entry.Time, func() {
			t.State, t.Reason, t.NotBefore = storage.TargetDone, "", time.Time{}
			y.judge(t, e.operator(t), true)
		})
	case entry.Kind == "order" && entry.Status == string(storage.OrderFailed):
		return e.failed(y, t, entry)
	}
	return nil
}

// begun takes in that an attempt was ordered.
func (e *engine) begun(y *tally, t *storage.Target, entry *storage.FeedEntry) error {
	if err := e.learn(t, entry); err != nil {
		return err
	}
	y.change(t, entry.Time, func() {
		t.State, t.Stage, t.Order, t.Reason = storage.TargetBegun, stageQueued, entry.Order, ""
		t.Attempts++
		t.Judged = false
		t.NotBefore = e.deadline(y.was.What.Kind, entry.Time)
	})
	c := &y.was.Canary
	if t.Attempts == 1 && !canaryPassed(y.was) && c.Begun+y.canary.Begun-c.From < canarySize(y.was) {
		t.Canary = true
		y.canary.Begun++
	}
	y.begun++
	return nil
}

// learn takes over what is known of the device, for the report and for the target's groups: a device that has connected
// has told what it is.
func (e *engine) learn(t *storage.Target, entry *storage.FeedEntry) error {
	t.Device = entry.Device
	dev, err := e.store.Device(t.Device)
	if err != nil {
		return e.skip("device of a target not read", entry.Order, err)
	}
	t.DevID, t.IMSI = cmp.Or(dev.DevID, t.DevID), cmp.Or(dev.IMSI, t.IMSI)
	return nil
}

// jobStages are what states of a job say of how far it has come.
var jobStages = map[storage.JobState]string{
	storage.JobInstalling: stageDelivered, storage.JobVerifying: stageDelivered, storage.JobDownloaded: stageDelivered,
	storage.JobMarked: stageMarked,
}

// came takes in how far the push, or the job, has come.
func (e *engine) came(y *tally, t *storage.Target, entry *storage.FeedEntry, stage string) {
	y.change(t, entry.Time, func() {
		t.Stage = stage
		if succeeds(t.Stage, y.was.How.Success) {
			y.judge(t, e.operator(t), true)
		}
	})
}

// failed takes in that an attempt has failed: another one is made, or that was the last.
func (e *engine) failed(y *tally, t *storage.Target, entry *storage.FeedEntry) error {
	if err := e.learn(t, entry); err != nil {
		return err
	}
	cancelled := y.was.State == storage.CampaignCancelled
	how := &y.was.How
	y.change(t, entry.Time, func() {
		t.Reason = entry.Text
		switch {
		case cancelled && t.Stage == stageQueued:
			t.State, t.NotBefore = storage.TargetCancelled, time.Time{}
			return
		case cancelled || t.Attempts >= how.Attempts || t.Stage == stageMarked:
			t.State, t.NotBefore = storage.TargetFailed, time.Time{}
		default:
			t.State, t.NotBefore = storage.TargetPending, entry.Time.Add(backOff(how, t.Attempts))
		}
		y.judge(t, e.operator(t), false)
		if t.State == storage.TargetFailed && t.Canary && !t.Good {
			y.canary.Bad++
		}
	})
	return nil
}

// backOff is how long after a failed attempt the next one is made: twice as long after each, at most maxBackOff.
func backOff(how *storage.Pacing, attempts int) time.Duration {
	wait := how.RetryAfter
	for range attempts - 1 {
		wait = min(2*wait, maxBackOff)
	}
	return wait
}

const maxBackOff = 30 * 24 * time.Hour

// operator is the operator of a target, as far as it is known.
func (e *engine) operator(t *storage.Target) string { return e.opt.Destination(t.MSISDN).Operator }

// deadline is when the order of a target that was begun is looked after. A bootstrap ends by its device's own deadlines
// (see EndWaits), and is only looked after in case it does not; others end by it.
func (e *engine) deadline(kind string, begun time.Time) time.Time {
	switch kind {
	case kindBootstrap:
		return begun.Add(e.opt.SendWithin + 2*e.opt.AnswerIn)
	case jobInstall:
		return begun.Add(jobWithin + e.opt.AnswerIn)
	}
	return begun.Add(e.opt.AnswerIn)
}
