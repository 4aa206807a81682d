package api

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"dmgate/gateway/fleet"
	"dmgate/storage"
)

// NewJobs is an order for one or many devices: what is to be done to each of them, by whatever way it can be.
type NewJobs struct {
	// Key makes the request safe to repeat: a device that has a job of the same key gets no other.
	Key     string             `json:"key,omitempty"`
	Devices []storage.DeviceID `json:"devices"`
	Kind    string             `json:"kind"` // "install", "update", "remove", "lock", ...
	JobSpec
}

// JobSpec is what a job is to do, whatever its kind.
type JobSpec struct {
	Package  string            `json:"package,omitempty"` // name in the catalogue, or what the device calls it
	Version  string            `json:"version,omitempty"`
	Values   map[string]string `json:"values,omitempty"` // "apn.address", "certificate.id", ...: taken and not shown
	Commands []Command         `json:"commands,omitempty"`
	Recipe   string            `json:"recipe,omitempty"` // the only one to be used

	Fallback []string   `json:"fallback,omitempty"` // "si", "sms", "push", "mark", in this order
	NoDM     bool       `json:"no_dm,omitempty"`    // the fallback begins at once
	Silent   bool       `json:"silent,omitempty"`   // neither bootstrapped nor notified
	Deadline *time.Time `json:"deadline,omitempty"`
	Priority uint8      `json:"priority,omitempty"` // 0 goes first

	Bootstrap *JobBootstrap `json:"bootstrap,omitempty"` // for devices that have no account of ours yet
}

// JobBootstrap is how devices are bootstrapped that have to be.
type JobBootstrap struct {
	Sec string `json:"sec,omitempty"`
	PIN string `json:"pin,omitempty"`
	APN string `json:"apn,omitempty"`
	// Operator is an entry of the library of access points, or "sim", in place of an APN.
	Operator string `json:"operator,omitempty"`
}

// Jobs is what has become of an order.
type Jobs struct {
	Batch    string      `json:"batch"`
	Placed   int         `json:"placed"`
	Repeated int         `json:"repeated,omitempty"` // placed before, by a request with the same key
	Same     int         `json:"same,omitempty"`     // the device was at it already, by another order
	Refused  int         `json:"refused"`
	Jobs     []PlacedJob `json:"jobs"` // in the order of the request's devices
}

// PlacedJob is what has become of the order for one device. The PIN is told here and nowhere else.
type PlacedJob struct {
	Device   storage.DeviceID `json:"device"`
	Job      string           `json:"job,omitempty"`
	State    storage.JobState `json:"state,omitempty"`
	Repeated bool             `json:"repeated,omitempty"`
	Same     bool             `json:"same,omitempty"`
	// Bootstrap is the order of the bootstrap that it waits for. PIN is what the user has to type for that of its own.
	Bootstrap string   `json:"bootstrap,omitempty"`
	PIN       string   `json:"pin,omitempty"`
	Error     *problem `json:"error,omitempty"`
}

// Job is a job as it stands.
type Job struct {
	ID      string           `json:"id"` // that of its order
	Device  storage.DeviceID `json:"device"`
	Batch   string           `json:"batch,omitempty"`
	Kind    string           `json:"kind"`
	State   storage.JobState `json:"state"`
	Since   time.Time        `json:"since"`
	Reason  string           `json:"reason,omitempty"` // why it is in this state
	Waits   *wait            `json:"waits,omitempty"`  // of one that is not over
	Created time.Time        `json:"created"`

	Package  string     `json:"package,omitempty"`
	Version  string     `json:"version,omitempty"`
	Chosen   string     `json:"chosen,omitempty"` // the package of the catalogue
	Values   []string   `json:"values,omitempty"` // their names
	Fallback []string   `json:"fallback,omitempty"`
	NoDM     bool       `json:"no_dm,omitempty"`
	Silent   bool       `json:"silent,omitempty"`
	Deadline time.Time  `json:"deadline"`
	Priority uint8      `json:"priority"`
	Recipe   string     `json:"recipe,omitempty"` // that is at work, or was last
	Step     string     `json:"step,omitempty"`   // "locate", "send", "poll", "verify"
	Order    string     `json:"bootstrap,omitempty"`
	Notified int        `json:"notified,omitempty"` // how often in a row
	Opened   *time.Time `json:"opened,omitempty"`   // the link
	Fetched  *time.Time `json:"fetched,omitempty"`
	Reported string     `json:"reported,omitempty"` // the version that upstream has reported

	Tried    []jobTry  `json:"tried,omitempty"`    // what has failed
	Timeline []jobStep `json:"timeline,omitempty"` // of a single job
}

type jobTry struct {
	Way    string    `json:"way"`
	Time   time.Time `json:"time"`
	Reason string    `json:"reason"`
}

type jobStep struct {
	Time  time.Time        `json:"time"`
	State storage.JobState `json:"state"`
	Text  string           `json:"text"`
}

// JobList are the jobs of one device, the oldest first.
type JobList struct {
	Jobs []*Job `json:"jobs"`
}

// createJobs places a job for each device. One that can not be placed does not sink the rest.
func (a *API) createJobs(r *request) (any, error) {
	var in NewJobs
	if err := r.read(&in); err != nil {
		return nil, err
	}
	if n := len(in.Devices); n == 0 || n > maxBatch {
		return nil, &fleet.FieldError{Field: "devices", Reason: fmt.Sprintf("%d devices, want 1 to %d", n, maxBatch)}
	}
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	out := a.placeJobs(&in)
	return out, nil
}

func (a *API) placeJobs(in *NewJobs) *Jobs {
	out := &Jobs{Batch: fleet.NewName(), Jobs: make([]PlacedJob, len(in.Devices))}
	if in.Key != "" {
		out.Batch = fleet.KeyedName("job", in.Key)
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(len(in.Devices), batchWorkers) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(in.Devices)); i = next.Add(1) - 1 {
				out.Jobs[i] = a.placeJob(in, out.Batch, in.Devices[i])
			}
		})
	}
	workers.Wait()
	for i := range out.Jobs {
		switch j := &out.Jobs[i]; {
		case j.Error != nil:
			out.Refused++
		case j.Repeated:
			out.Repeated++
		case j.Same:
			out.Same++
		default:
			out.Placed++
		}
	}
	return out
}

func (a *API) placeJob(in *NewJobs, batch string, id storage.DeviceID) PlacedJob {
	o := fleet.JobOrder{
		Device: id, Kind: in.Kind, Batch: batch, Package: in.Package, Version: in.Version, Values: in.Values,
		Commands: recordCommands(in.Commands), Recipe: in.Recipe, Fallback: in.Fallback, NoDM: in.NoDM, Silent: in.Silent,
		Priority: in.Priority,
	}
	if in.Deadline != nil {
		o.Deadline = *in.Deadline
	}
	if b := in.Bootstrap; b != nil {
		o.Sec, o.PIN, o.APN, o.Operator = b.Sec, b.PIN, b.APN, b.Operator
	}
	if in.Key != "" {
		o.ID = batch + "." + string(id)
	}
	placed, err := a.fleet.PlaceJob(o)
	if err != nil {
		p, known := problemOf(err)
		if !known {
			a.log.Error("job not placed", zap.String("device", string(id)), zap.Error(err))
		}
		return PlacedJob{Device: id, Error: p}
	}
	return PlacedJob{
		Device: id, Job: placed.Job.ID, State: placed.Job.State, Repeated: placed.Repeated, Same: placed.Same,
		Bootstrap: placed.Job.Bootstrap, PIN: placed.PIN,
	}
}

// listJobs shows the jobs of one device.
func (a *API) listJobs(r *request) (any, error) {
	id := storage.DeviceID(r.QueryArgs().Peek("device"))
	if id == "" {
		return nil, &fleet.FieldError{Field: "device", Reason: "want ?device=ID: jobs are listed by device"}
	}
	if _, err := a.store.Device(id); err != nil {
		return nil, err
	}
	jobs, err := a.store.Jobs(id)
	if err != nil {
		return nil, err
	}
	state := storage.JobState(r.QueryArgs().Peek("state"))
	list := JobList{Jobs: []*Job{}}
	for i := range jobs {
		if state == "" || jobs[i].State == state || state == "open" && jobs[i].State.Open() {
			list.Jobs = append(list.Jobs, showJob(&jobs[i]))
		}
	}
	return list, nil
}

// getJob shows a job with its timeline.
func (a *API) getJob(r *request) (any, error) {
	j, err := a.store.Job(storage.DeviceID(r.id), r.part)
	return jobWhole(j, err)
}

// cancelJob ends a job. Its reason says what could not be undone.
func (a *API) cancelJob(r *request) (any, error) {
	j, err := a.fleet.CancelJob(storage.DeviceID(r.id), r.part)
	return jobWhole(j, err)
}

// Report is what upstream has heard of a job from elsewhere.
type Report struct {
	Version string `json:"version"` // that is installed
}

// reportJob takes in that what a job is to bring is there.
func (a *API) reportJob(r *request) (any, error) {
	var in Report
	if err := r.read(&in); err != nil {
		return nil, err
	}
	j, err := a.fleet.ReportJob(storage.DeviceID(r.id), r.part, in.Version)
	return jobWhole(j, err)
}

// jobWhole is a job with its timeline.
func jobWhole(j *storage.Job, err error) (any, error) {
	var state *fleet.JobError
	if errors.As(err, &state) {
		return nil, &problem{Title: "not in this state", Status: 409, Detail: state.Error()}
	}
	if err != nil {
		return nil, err
	}
	out := showJob(j)
	for i := range j.Steps {
		out.Timeline = append(out.Timeline, jobStep(j.Steps[i]))
	}
	return out, nil
}

func showJob(j *storage.Job) *Job {
	out := &Job{
		ID: j.ID, Device: j.Device, Batch: j.Batch, Kind: j.Kind, State: j.State, Since: j.Since, Reason: j.Reason,
		Created: j.Created, Package: j.What.Package, Version: j.What.Version, Chosen: j.What.Chosen,
		Values: slices.Sorted(maps.Keys(j.What.Values)), Fallback: j.What.Fallback, NoDM: j.What.NoDM, Silent: j.What.Silent,
		Deadline: j.What.Deadline, Priority: j.What.Priority, Recipe: j.Way.Recipe, Step: j.Way.Step, Order: j.Bootstrap,
		Notified: j.Sessions, Opened: instant(j.Opened), Fetched: instant(j.Fetched), Reported: j.Reported,
	}
	if j.Wait.For != "" {
		w := wait(j.Wait)
		out.Waits = &w
	}
	for i := range j.Tried {
		t := &j.Tried[i]
		out.Tried = append(out.Tried, jobTry{t.Recipe, t.Time, t.Reason})
	}
	return out
}

// Install is what a campaign of kind install brings to each of its targets.
type Install struct {
	Package  string            `json:"package"`
	Version  string            `json:"version,omitempty"`
	Values   map[string]string `json:"values,omitempty"` // taken and not shown
	Recipe   string            `json:"recipe,omitempty"`
	Fallback []string          `json:"fallback,omitempty"`
	NoDM     bool              `json:"no_dm,omitempty"`
	Silent   bool              `json:"silent,omitempty"`
}

func (i *Install) record() storage.JobSpec {
	return storage.JobSpec{
		Package: i.Package, Version: i.Version, Values: i.Values, Recipe: i.Recipe, Fallback: i.Fallback, NoDM: i.NoDM,
		Silent: i.Silent,
	}
}

func showInstall(a *storage.Action) *Install {
	if a.Kind != "install" {
		return nil
	}
	s := &a.Install
	return &Install{
		Package: s.Package, Version: s.Version, Recipe: s.Recipe, Fallback: s.Fallback, NoDM: s.NoDM, Silent: s.Silent,
	}
}
