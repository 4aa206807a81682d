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
	// records in c have to name c.Device. A commit with nothing but Feed may name none.
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
	Push(dev DeviceID, id uint64) (*PushJob, error)
	// PushFlows lists the flows that have a queued push whose NotBefore is not after now: by priority, then by name,
	// beginning with the one given; for the next page that is Flow.Next of the last.
	PushFlows(now time.Time, from Flow, limit int) ([]Flow, error)
	// PushesDue lists the pushes of a flow that are due: by NotBefore, then by ID.
	PushesDue(flow Flow, now time.Time, limit int) ([]PushJob, error)
	// PushesOverdue lists the pushes in state sending, which only a crash leaves behind, then those sent or doubtful
	// whose Until is set and not after now, the longest overdue first.
	PushesOverdue(now time.Time, limit int) ([]PushJob, error)
	// PushesAwaiting lists the pushes to a number, written in whatever form, that wait for a delivery report through a
	// modem: those with a segment of this reference, the newest first, then those with one whose reference is unknown.
	PushesAwaiting(modem, number string, reference uint8) ([]PushJob, error)

	Checkpoint(dev DeviceID) (*Checkpoint, error)

	// CommitCampaign makes c durable, as Commit does. A campaign is a unit of its own, as a device is.
	CommitCampaign(c *CampaignCommit) error
	Campaign(id string) (*Campaign, error)
	Campaigns(after string, limit int) ([]Campaign, error)
	Target(campaign string, number uint64) (*Target, error)
	// FindTarget is the number of the target with this MSISDN, those refused aside. Who adds targets sees to it that
	// there is one.
	FindTarget(campaign, msisdn string) (uint64, error)
	// Targets lists all targets of a campaign by number.
	Targets(campaign string, after uint64, limit int) ([]Target, error)
	// TargetsIn lists targets in a state that have not come to an end (pending, held, begun) and whose NotBefore is not
	// after now: by NotBefore, then by number.
	TargetsIn(campaign string, state TargetState, now time.Time, limit int) ([]Target, error)

	// Nodes lists what is known of a device's tree, by URI.
	Nodes(dev DeviceID, after string, limit int) ([]Node, error)

	Job(dev DeviceID, id string) (*Job, error)
	// Jobs lists all jobs of a device, the oldest first.
	Jobs(dev DeviceID) ([]Job, error)
	// JobsDue lists open jobs whose Wait.Until is not after now, the longest overdue first, from behind the one given.
	JobsDue(now time.Time, behind JobRef, limit int) ([]JobRef, error)

	// Document reads what is kept under a name: what belongs to no device and was set, filled in or learnt while the
	// program ran. A name is what it is, a slash, and which: "package/a1b2".
	Document(name string) ([]byte, error)
	PutDocument(name string, value []byte) error
	// EditDocument replaces a document by what edit makes of it; old is nil where there is none, and nil as the new one
	// removes it. edit may run more than once, must have no other effect, and abandons the edit with the error it returns.
	EditDocument(name string, edit func(old []byte) ([]byte, error)) error
	// Documents lists those whose names begin with prefix, by name.
	Documents(prefix, after string, limit int) ([]Document, error)

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
	PushEdits  []PushEdit // after Pushes, before Edit
	Checkpoint *Checkpoint
	Nodes      []Node    // each takes the place of what was known of its URI; one without a Time is forgotten
	Jobs       []Job     // new ones
	JobEdits   []JobEdit // after Jobs

	// Feed entries get their Offset, Time and Device here. No change of state can be missing from the feed, for these
	// entries are added by themselves, in front of the others: "state" for Device.State, with the device's order, and
	// its reason or what it waits for; "push" for PushJob.State, but for sending and a new push (see PushNews); "job" for
	// Job.State, with its reason; "order" for an order that ends.
	Feed []FeedEntry
}

// PushEdit changes a push of the device as it stands at the moment of the commit, as Commit.Edit does the device.
// ErrNotFound if there is none.
type PushEdit struct {
	ID   uint64
	Edit func(*PushJob) error
}

// Flow names the pushes that share a place in the queue.
type Flow struct {
	Priority uint8
	Name     string
}

// Next is the first flow that there can be after f.
func (f Flow) Next() Flow { return Flow{f.Priority, f.Name + "\x00"} }

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
		PushEdits: c.PushEdits[:0], Nodes: c.Nodes[:0], Jobs: c.Jobs[:0], JobEdits: c.JobEdits[:0], Feed: c.Feed[:0],
	}
}
