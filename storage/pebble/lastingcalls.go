package pebble

import (
	"time"

	"dmgate/storage"
)

// What Lasting hands on to the store as it is open at the moment of the call.

func (l *Lasting) store() *Store { return l.now.Load().Store }

func (l *Lasting) Commit(c *storage.Commit) error { return l.store().Commit(c) }

func (l *Lasting) Device(id storage.DeviceID) (*storage.Device, error) { return l.store().Device(id) }

func (l *Lasting) FindDevice(by storage.Index, value string) (storage.DeviceID, error) {
	return l.store().FindDevice(by, value)
}

func (l *Lasting) Devices(after storage.DeviceID, limit int) ([]storage.Device, error) {
	return l.store().Devices(after, limit)
}

func (l *Lasting) DevicesDue(now time.Time, limit int) ([]storage.DeviceID, error) {
	return l.store().DevicesDue(now, limit)
}

func (l *Lasting) Account(id storage.DeviceID) (*storage.Account, error) {
	return l.store().Account(id)
}

func (l *Lasting) Order(dev storage.DeviceID, id string) (*storage.Order, error) {
	return l.store().Order(dev, id)
}

func (l *Lasting) Orders(dev storage.DeviceID) ([]storage.Order, error) { return l.store().Orders(dev) }

func (l *Lasting) OpenTasks(dev storage.DeviceID, after uint64, limit int) ([]storage.Task, error) {
	return l.store().OpenTasks(dev, after, limit)
}

func (l *Lasting) Task(dev storage.DeviceID, id uint64) (*storage.Task, error) {
	return l.store().Task(dev, id)
}

func (l *Lasting) Results(dev storage.DeviceID, afterTask uint64, limit int) ([]storage.Results, error) {
	return l.store().Results(dev, afterTask, limit)
}

func (l *Lasting) Pushes(dev storage.DeviceID) ([]storage.PushJob, error) {
	return l.store().Pushes(dev)
}

func (l *Lasting) Push(dev storage.DeviceID, id uint64) (*storage.PushJob, error) {
	return l.store().Push(dev, id)
}

func (l *Lasting) PushFlows(now time.Time, from storage.Flow, limit int) ([]storage.Flow, error) {
	return l.store().PushFlows(now, from, limit)
}

func (l *Lasting) PushesDue(flow storage.Flow, now time.Time, limit int) ([]storage.PushJob, error) {
	return l.store().PushesDue(flow, now, limit)
}

func (l *Lasting) PushesOverdue(now time.Time, limit int) ([]storage.PushJob, error) {
	return l.store().PushesOverdue(now, limit)
}

func (l *Lasting) PushesAwaiting(modem, number string, reference uint8) ([]storage.PushJob, error) {
	return l.store().PushesAwaiting(modem, number, reference)
}

func (l *Lasting) CommitCampaign(c *storage.CampaignCommit) error { return l.store().CommitCampaign(c) }

func (l *Lasting) Campaign(id string) (*storage.Campaign, error) { return l.store().Campaign(id) }

func (l *Lasting) Campaigns(after string, limit int) ([]storage.Campaign, error) {
	return l.store().Campaigns(after, limit)
}

func (l *Lasting) Target(campaign string, number uint64) (*storage.Target, error) {
	return l.store().Target(campaign, number)
}

func (l *Lasting) FindTarget(campaign, msisdn string) (uint64, error) {
	return l.store().FindTarget(campaign, msisdn)
}

func (l *Lasting) Targets(campaign string, after uint64, limit int) ([]storage.Target, error) {
	return l.store().Targets(campaign, after, limit)
}

func (l *Lasting) TargetsIn(
	campaign string, state storage.TargetState, now time.Time, limit int,
) ([]storage.Target, error) {
	return l.store().TargetsIn(campaign, state, now, limit)
}

func (l *Lasting) Document(name string) ([]byte, error) { return l.store().Document(name) }

func (l *Lasting) PutDocument(name string, value []byte) error {
	return l.store().PutDocument(name, value)
}

func (l *Lasting) EditDocument(name string, edit func(old []byte) ([]byte, error)) error {
	return l.store().EditDocument(name, edit)
}

func (l *Lasting) Documents(prefix, after string, limit int) ([]storage.Document, error) {
	return l.store().Documents(prefix, after, limit)
}

func (l *Lasting) Nodes(dev storage.DeviceID, after string, limit int) ([]storage.Node, error) {
	return l.store().Nodes(dev, after, limit)
}

func (l *Lasting) Job(dev storage.DeviceID, id string) (*storage.Job, error) {
	return l.store().Job(dev, id)
}

func (l *Lasting) Jobs(dev storage.DeviceID) ([]storage.Job, error) { return l.store().Jobs(dev) }

func (l *Lasting) JobsDue(now time.Time, behind storage.JobRef, limit int) ([]storage.JobRef, error) {
	return l.store().JobsDue(now, behind, limit)
}

func (l *Lasting) Checkpoint(dev storage.DeviceID) (*storage.Checkpoint, error) {
	return l.store().Checkpoint(dev)
}

func (l *Lasting) Feed(after uint64, limit int) ([]storage.FeedEntry, error) {
	return l.store().Feed(after, limit)
}

func (l *Lasting) Timeline(dev storage.DeviceID, after uint64, limit int) ([]storage.FeedEntry, error) {
	return l.store().Timeline(dev, after, limit)
}

func (l *Lasting) Head() uint64 { return l.store().Head() }
