package storage

import (
	"errors"
	"time"
)

// Errors of a Store. Anything else is a failure of the engine.
var (
	ErrNotFound = errors.New("storage: not found")
	ErrExists   = errors.New("storage: exists already") // a device with this ID, MSISDN or DevID
	ErrClosed   = errors.New("storage: closed")

	// ErrFailed is an engine that could not write: the disk is full or broken. A store that failed once answers
	// nothing else until it is opened again, by itself or by who holds it, and has let go of its files. A commit that
	// got this error is there after the next Open or it is not, whole in either case.
	ErrFailed = errors.New("storage: failed")
	// ErrDamaged is a record that can not be read. The error's text says which.
	ErrDamaged = errors.New("storage: damaged record")
)

// Index is a field by which a device can be found.
type Index string

// Indexes.
const (
	ByMSISDN Index = "msisdn"
	ByDevID  Index = "devid"
)

// Store is the only door to what is kept. One suite of tests (storagetest) runs against every engine.
//
// Writes are atomic and durable per device; there is no transaction across devices. Reads see every commit that has
// returned; but for the feed they may also see one that is about to. What they return belongs to the caller. Lists go
// by cursor: they begin after the key given and hold at most limit records, none where limit is below 1; none scans
// the whole store. A Store is safe for concurrent use.
type Store interface {
	// Commit makes c durable, all of it or nothing. It returns when c would survive a power cut. Concurrent commits
	// share the cost. Slices in c may be views into memory that the caller reuses afterwards; c is not changed. All
	// records in c have to name c.Device.
	Commit(c *Commit) error

	Device(id DeviceID) (*Device, error)
	FindDevice(by Index, value string) (DeviceID, error)
	Devices(after DeviceID, limit int) ([]Device, error)
	// DevicesDue lists devices whose Wait.Until is not after now, the longest overdue first.
	DevicesDue(now time.Time, limit int) ([]DeviceID, error)

	Account(id DeviceID) (*Account, error)
	Order(dev DeviceID, id string) (*Order, error)
	// Orders lists all orders of a device, the oldest first.
	Orders(dev DeviceID) ([]Order, error)

	// OpenTasks lists tasks neither done nor failed, oldest first: see Task.Open.
	OpenTasks(dev DeviceID, after uint64, limit int) ([]Task, error)
	Task(dev DeviceID, id uint64) (*Task, error)
	// Results lists what tasks after the given one brought, in the order of task and arrival. A page holds whole
	// tasks, so that the cursor misses nothing: it may exceed limit by what is left of its last task.
	Results(dev DeviceID, afterTask uint64, limit int) ([]Results, error)

	// Pushes lists all pushes of a device, the oldest first.
	Pushes(dev DeviceID) ([]PushJob, error)
	// PushesDue lists queued pushes whose NotBefore is not after now: by priority, then by NotBefore, then by ID.
	PushesDue(now time.Time, limit int) ([]PushJob, error)
	// PushesUnderWay lists pushes in states sending and sent, by ID: what a restart has to take up. The cursor needs
	// IDs that are unique in the store, not only in a device.
	PushesUnderWay(after uint64, limit int) ([]PushJob, error)

	Checkpoint(dev DeviceID) (*Checkpoint, error)

	// Feed lists entries with an offset above after. It shows only what is durable.
	Feed(after uint64, limit int) ([]FeedEntry, error)
	// Timeline is the part of the feed that concerns one device.
	Timeline(dev DeviceID, after uint64, limit int) ([]FeedEntry, error)
	// Head is the offset of the last durable entry of the feed.
	Head() uint64
	// Grown is closed when the feed has grown beyond what Head said before the call, and when the store is closed, has
	// failed or is open again. Take the channel, then read, then wait: in this order no entry is missed.
	Grown() <-chan struct{}

	// Close waits for running calls and closes the store. All calls after it return ErrClosed.
	Close() error
}

// Commit is what happens to one device, all or nothing. Empty fields change nothing.
type Commit struct {
	Device DeviceID
	Time   time.Time

	// New is the record of a device that does not exist yet. ErrExists if its ID, MSISDN or DevID is taken.
	New *Device
	// Edit changes the device's record as it stands at the moment of the commit, which another writer may have
	// changed since the caller read it; with New, it changes that. It may run more than once, must have no other
	// effect, may not change the ID, and abandons the whole commit with the error it returns. Facts is never nil in
	// it. ErrNotFound if there is no device; commits without New and Edit do not ask whether there is.
	Edit func(*Device) error

	Account    *Account
	Orders     []Order
	Ends       []OrderEnd
	Tasks      []Task
	Results    []Results
	Pushes     []PushJob
	Checkpoint *Checkpoint

	// Feed entries get their Offset, Time and Device here. A change of Device.State adds its "state" entry by itself,
	// in front of these, with the device's order, and its reason or what it waits for: no change of state can be
	// missing from the feed.
	Feed []FeedEntry
}

// OrderEnd ends an order of the device. An order that is not open stays as it is: it ends once.
type OrderEnd struct {
	ID     string
	State  OrderState // OrderDone or OrderFailed
	Reason string     // of OrderFailed
}

// Reset empties c and keeps its memory.
func (c *Commit) Reset() {
	*c = Commit{
		Orders: c.Orders[:0], Ends: c.Ends[:0], Tasks: c.Tasks[:0], Results: c.Results[:0], Pushes: c.Pushes[:0],
		Feed: c.Feed[:0],
	}
}
