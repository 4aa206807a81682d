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

func (l *Lasting) PushesDue(now time.Time, limit int) ([]storage.PushJob, error) {
	return l.store().PushesDue(now, limit)
}

func (l *Lasting) PushesUnderWay(after uint64, limit int) ([]storage.PushJob, error) {
	return l.store().PushesUnderWay(after, limit)
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
