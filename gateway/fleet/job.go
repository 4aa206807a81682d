package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"time"

	"dmgate/codec/push"
	"dmgate/sessions"
	"dmgate/storage"
)

// A job is an order that takes more than a push or a session: software is installed, and seen to be there. What comes
// next for it is decided in jobdecide.go, from all that is known of it (jobsituation.go), and carried out in jobturn.go.
// That happens when it is placed (here), when something was heard of its device or its time is up (jobrun.go), and in
// the device's sessions (jobsession.go).

// Kinds of a job, beside kindNotify and kindTask. Those that change the device by a recipe are called as its capability.
const (
	jobInstall     = "install"
	jobUpdate      = "update"
	jobRemove      = "remove"
	jobActivate    = "activate"
	jobDeactivate  = "deactivate"
	jobFirmware    = "firmware"
	jobLock        = "lock"
	jobUnlock      = "unlock"
	jobWipe        = "wipe"
	jobAccessPoint = kindAccessPoint
	jobAccount     = "account"
	jobCertificate = kindCertificate
	jobDiscover    = kindDiscover
)

// jobKind is what there is to know of a kind of job.
type jobKind struct {
	class jobClass
	needs string // the field of the order without which there is nothing to do
	links bool   // a user can do it with a link
	push  bool   // it can be a push of its own, for which no account is needed
}

var jobKinds = map[string]jobKind{
	jobInstall:     {class: classSoftware, needs: "package", links: true},
	jobUpdate:      {class: classSoftware, needs: "package", links: true},
	jobFirmware:    {class: classSoftware, needs: "package", links: true},
	jobRemove:      {class: classSoftware, needs: "package"},
	jobActivate:    {class: classSoftware, needs: "package"},
	jobDeactivate:  {class: classSoftware, needs: "package"},
	jobLock:        {class: classUrgent},
	jobUnlock:      {class: classUrgent},
	jobWipe:        {class: classUrgent},
	jobAccessPoint: {class: classSettings, needs: "values", push: true},
	jobAccount:     {class: classSettings},
	jobCertificate: {class: classSettings, needs: "values", push: true},
	kindNotify:     {class: classBeside},
	kindTask:       {class: classBeside, needs: "commands"},
	jobDiscover:    {class: classBeside},
}

// JobOrder is an order for one device.
type JobOrder struct {
	Device storage.DeviceID
	Kind   string
	ID     string // empty for a new one; see KeyedName
	Batch  string // the request or the campaign that it came with

	Package  string            // name in the catalogue, or what the device calls it
	Version  string            // of the package; empty for the best that fits
	Values   map[string]string // what recipes and pushes may use besides: "apn.address", ... They may be secret
	Commands []storage.Command // of kind task
	Recipe   string            // the only one to be used; empty for the best

	// Fallback are ways for where device management fails, in this order: "si", "sms", "link" (of these what suits the
	// device), "push", "mark". Nil for none.
	Fallback []string
	NoDM     bool // not by device management: the fallback begins at once
	Silent   bool // neither bootstrapped nor notified: it waits until the device comes by itself
	Deadline time.Time
	Priority uint8 // 0 goes first

	// Of the bootstrap, where one is needed, as in Bootstrap. Operator is an entry of the library, in place of APN.
	Sec, PIN, APN, Operator string
}

// PlacedJob is what an order has led to.
type PlacedJob struct {
	Job      *storage.Job
	Repeated bool // the very same order was placed before
	Same     bool // the device has an open job that does the same: it is that one
	// PIN is what the user has to type for the bootstrap that the job has ordered, or will order where it comes to that;
	// empty where it waits for one of another order. It is told only here.
	PIN string
}

// Defaults and bounds of a job.
const (
	jobWithin    = 30 * 24 * time.Hour // its deadline, where none is given
	maxWithin    = 400 * 24 * time.Hour
	maxFallback  = 8
	maxJobValues = 64
	maxValueLen  = 4096 // bytes
	maxJobName   = 200  // bytes
	maxOpenJobs  = 64   // of one device
)

// wayMark is the fallback that leaves it to upstream.
const wayMark = "mark"

// jobBootstrap is the name of the bootstrap that a job orders.
func jobBootstrap(id string) string { return id + bootstrapSuffix }

const bootstrapSuffix = ".bootstrap"

// PlaceJob places an order: order, job and what it begins with in one commit. Where the device has an open job that does
// the same, that one is the answer. The error is a *FieldError, or storage.ErrNotFound where the device is not known.
func (f *Fleet) PlaceJob(o JobOrder) (*PlacedJob, error) {
	if o.ID != "" { // what else a repeated order says does not count
		if placed, err := f.placedBefore(&o); placed != nil || err != nil {
			return placed, err
		}
	}
	if err := f.checkJob(&o); err != nil {
		return nil, err
	}
	own := &f.placing[maphash.String(placingSeed, string(o.Device))%uint64(len(f.placing))]
	own.Lock()
	defer own.Unlock()
	id := cmp.Or(o.ID, NewName())
	for {
		placed, err := f.placeJob(&o, id)
		if !errors.Is(err, sessions.ErrOvertaken) {
			return placed, err
		}
	}
}

// placedBefore is the job of an order that was placed before; nil where it was not.
func (f *Fleet) placedBefore(o *JobOrder) (*PlacedJob, error) {
	dev, err := f.store.Device(o.Device)
	if err != nil {
		return nil, err
	}
	j, err := f.store.Job(o.Device, o.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	pin, err := f.jobPIN(dev, j, o.PIN)
	return &PlacedJob{Job: j, Repeated: true, PIN: pin}, err
}

var placingSeed = maphash.MakeSeed()

func (f *Fleet) placeJob(o *JobOrder, id string) (*PlacedJob, error) {
	dev, err := f.store.Device(o.Device)
	if err != nil {
		return nil, err
	}
	jobs, err := f.store.Jobs(dev.ID)
	if err != nil {
		return nil, err
	}
	open, last := 0, uint64(0)
	for i := range jobs {
		j := &jobs[i]
		last = max(last, j.Number)
		if j.ID == id {
			pin, err := f.jobPIN(dev, j, o.PIN)
			return &PlacedJob{Job: j, Repeated: true, PIN: pin}, err
		}
		if !j.State.Open() {
			continue
		}
		open++
		if doesSame(j, o) {
			return &PlacedJob{Job: j, Same: true}, nil
		}
	}
	if open >= maxOpenJobs {
		return nil, &FieldError{"device", fmt.Sprintf("it has %d jobs that are not over: no more are taken", open)}
	}
	now := f.opt.Clock()
	j := storage.Job{
		ID: id, Device: dev.ID, Batch: o.Batch, Number: last + 1, Kind: o.Kind, State: storage.JobQueued, Created: now,
		Since: now,
		What: storage.JobSpec{
			Package: o.Package, Version: o.Version, Values: o.Values, Commands: o.Commands, Recipe: o.Recipe,
			Fallback: o.Fallback, Deadline: o.Deadline, Priority: o.Priority, Silent: o.Silent, NoDM: o.NoDM,
			Sec: o.Sec, PIN: o.PIN, APN: o.APN, Operator: o.Operator,
		},
	}
	if j.What.Deadline.IsZero() {
		j.What.Deadline = now.Add(jobWithin)
	}
	if jobKinds[o.Kind].push && !dev.State.Bootstrapped() { // it needs no account
		j.What.NoDM = true
	}
	c := &storage.Commit{
		Device: dev.ID, Time: now,
		Orders: []storage.Order{{
			ID: id, Device: dev.ID, Batch: o.Batch, Kind: o.Kind, State: storage.OrderOpen, Created: now,
		}},
		Feed: []storage.FeedEntry{{Kind: "order", Order: id, Status: string(storage.OrderOpen), Text: describe(&j)}},
	}
	t := &jobTurn{Fleet: f, now: now, dev: dev, jobs: append(jobs, j), seen: map[string]uint64{}, commit: c}
	is := &t.jobs[len(jobs)]
	if o.Kind == jobDiscover && dev.State.Bootstrapped() { // the job ends its order by itself
		t.change(func(d *storage.Device) { f.lookAnew(d, "", now) })
	}
	if _, err := t.advance(is); err != nil {
		return nil, err
	}
	t.keep(is)
	endsAtOnce(c)
	if err := f.store.Commit(c); err != nil {
		return nil, err
	}
	f.pushed()
	pin, err := f.orderBootstraps(t)
	if err != nil && !errors.Is(err, storage.ErrFailed) { // the engine will
		f.logJob("bootstrap of a job not ordered yet", is, err)
	}
	if pin == "" {
		if pin, err = f.jobPIN(dev, is, o.PIN); err != nil {
			return nil, err
		}
	}
	return &PlacedJob{Job: is, PIN: pin}, nil
}

// endsAtOnce has an order that a commit places and ends be placed as one that has ended: it is in no store yet in which it
// could end.
func endsAtOnce(c *storage.Commit) {
	o := &c.Orders[0]
	i := slices.IndexFunc(c.Ends, func(e storage.OrderEnd) bool { return e.ID == o.ID })
	if i < 0 {
		return
	}
	o.State, o.Ended, o.Reason = c.Ends[i].State, c.Time, c.Ends[i].Reason
	c.Feed = append(c.Feed, storage.FeedEntry{Kind: "order", Order: o.ID, Status: string(o.State), Text: o.Reason})
	c.Ends = slices.Delete(c.Ends, i, i+1)
}

// describe is how the feed tells of an order, without what is secret in it.
func describe(j *storage.Job) string {
	text := j.Kind
	if j.What.Package != "" {
		text += " " + j.What.Package
	}
	if j.What.Version != "" {
		text += " " + j.What.Version
	}
	if n := len(j.What.Commands); n > 0 {
		text += fmt.Sprintf(" of %d commands", n)
	}
	return text
}

// doesSame says whether an open job does what is ordered.
func doesSame(j *storage.Job, o *JobOrder) bool {
	w := &j.What
	return j.Kind == o.Kind && w.Package == o.Package && (o.Version == "" || w.Version == o.Version) &&
		w.Recipe == o.Recipe && maps.Equal(w.Values, o.Values) && slices.EqualFunc(w.Commands, o.Commands, sameCommand)
}

func sameCommand(a, b storage.Command) bool {
	return a.Kind == b.Kind && a.URI == b.URI && a.Format == b.Format && a.Type == b.Type &&
		string(a.Data) == string(b.Data) && a.Depth == b.Depth && a.Source == b.Source && a.Code == b.Code && slices.Equal(a.Items, b.Items)
}

// jobPIN is what the user has to type for the bootstrap of a job, with the PIN that its order has given, if any. It is empty
// where there is none of its own, where nothing has to be typed, and where the PIN hangs on the document (userpinmac).
func (f *Fleet) jobPIN(dev *storage.Device, j *storage.Job, given string) (string, error) {
	own := j.Bootstrap == "" || j.Bootstrap == jobBootstrap(j.ID)
	if !own || !j.State.Open() || dev.State.Bootstrapped() || j.What.NoDM || j.What.Silent {
		return "", nil
	}
	text := j.What.Sec
	switch order, err := f.store.Order(dev.ID, jobBootstrap(j.ID)); {
	case err == nil && text == "":
		text = parseVariant(order.Variant).sec
	case err != nil && !errors.Is(err, storage.ErrNotFound):
		return "", err
	}
	b := Bootstrap{Sec: text, PIN: given, APN: j.What.APN}
	sec, err := push.ParseSEC(f.secFor(&b, dev))
	if err != nil || sec == push.NetwPIN || sec == push.UserPINMAC {
		return "", nil
	}
	if given != "" {
		return given, nil
	}
	account, err := f.store.Account(dev.ID)
	if err != nil {
		return "", err
	}
	return pinFor(account, jobBootstrap(j.ID)), nil
}

// orderBootstraps orders the bootstraps that a turn has found necessary, and returns the PIN of the last one. One that is
// there already is not ordered again: so it may be tried as often as need be.
func (f *Fleet) orderBootstraps(t *jobTurn) (pin string, err error) {
	for _, id := range t.orders {
		j, err := f.store.Job(t.dev.ID, id)
		if err != nil {
			return "", err
		}
		if pin, err = f.orderBootstrap(j); err != nil {
			return "", err
		}
	}
	return pin, nil
}

// orderBootstrap orders the bootstrap of a job. Where it can not be ordered, that is what the job hears of it.
func (f *Fleet) orderBootstrap(j *storage.Job) (pin string, err error) {
	name := jobBootstrap(j.ID)
	if there, err := f.hasOrder(j.Device, name); there || err != nil {
		return "", err
	}
	dev, err := f.store.Device(j.Device)
	if err != nil {
		return "", err
	}
	b := Bootstrap{
		Device: dev.ID, Batch: j.Batch, Sec: j.What.Sec, PIN: j.What.PIN, APN: j.What.APN, Priority: j.What.Priority,
	}
	if j.What.Operator != "" {
		b.AccessPoint = &AccessPoint{Operator: j.What.Operator}
	}
	if b.PIN == "" {
		account, err := f.store.Account(dev.ID)
		if err != nil {
			return "", err
		}
		b.PIN = pinFor(account, name)
	}
	placed, err := f.bootstrap(&b, name, campaignOf(j), dev, nil)
	var refused *FieldError
	if errors.As(err, &refused) {
		return "", f.noBootstrap(j, refused)
	}
	if err != nil {
		return "", err
	}
	return placed.PIN, f.forgetPIN(j)
}

// forgetPIN drops the PIN of a job whose bootstrap is ordered.
func (f *Fleet) forgetPIN(j *storage.Job) error {
	if j.What.PIN == "" {
		return nil
	}
	return f.store.Commit(&storage.Commit{Device: j.Device, Time: f.opt.Clock(), JobEdits: []storage.JobEdit{{
		ID: j.ID, Edit: func(j *storage.Job) error { j.What.PIN = ""; return nil },
	}}})
}

// campaignOf is the campaign that a job is of; empty for none.
func campaignOf(j *storage.Job) string {
	if campaign, _, _, ok := cutOrderName(j.ID); ok {
		return campaign
	}
	return ""
}

// noBootstrap puts it into the place of a job's bootstrap that it can not be ordered, as an order that has failed.
func (f *Fleet) noBootstrap(j *storage.Job, why *FieldError) error {
	dev, err := f.store.Device(j.Device)
	if err != nil || dev.State.Bootstrapped() || waitsForPush(dev) { // the job waits for that one, then
		return err
	}
	now := f.opt.Clock()
	return f.store.Commit(&storage.Commit{
		Device: j.Device, Time: now,
		Orders: []storage.Order{{
			ID: jobBootstrap(j.ID), Device: j.Device, Batch: j.Batch, Kind: kindBootstrap, State: storage.OrderFailed,
			Created: now, Ended: now, Reason: why.Error(),
		}},
		Feed: []storage.FeedEntry{{
			Kind: "order", Order: jobBootstrap(j.ID), Status: string(storage.OrderFailed), Text: why.Error(),
		}},
	})
}

// isJob says whether an order is that of a job.
func (f *Fleet) isJob(dev storage.DeviceID, order string) (bool, error) {
	_, err := f.store.Job(dev, order)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (f *Fleet) hasOrder(dev storage.DeviceID, name string) (bool, error) {
	_, err := f.store.Order(dev, name)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
