package storage

import "time"

//go:generate go tool msgp -file job.go -o job_gen.go -tests=false -io=false
//msgp:timezone utc
//msgp:limit arrays:65536 maps:65536 marshal:true

// JobState is how far a job has come.
type JobState string

// States of a job, in the order of the way. The last four are its ends.
const (
	JobQueued          JobState = "queued"                // another job of the device goes first
	JobAwaitsBootstrap JobState = "waiting-for-bootstrap" // the device has no account of ours yet
	JobAwaitsSession   JobState = "waiting-for-session"   // it was notified, or will come by itself
	JobInstalling      JobState = "installing"            // its commands are with the device, or their result is to come
	JobVerifying       JobState = "installed-waiting-for-verification"
	JobAwaitsDownload  JobState = "waiting-for-download" // a link was sent to the user
	JobDownloaded      JobState = "downloaded-waiting-for-verification"
	JobMarked          JobState = "marked-for-installation" // upstream has to see to it: an end for us, until a report verifies it
	JobDone            JobState = "installed"
	JobFailed          JobState = "failed"
	JobCancelled       JobState = "cancelled"
)

// Open says whether a job in state s goes on.
func (s JobState) Open() bool {
	return s != JobMarked && s != JobDone && s != JobFailed && s != JobCancelled
}

// Job is an order with a longer life: it is carried out over several sessions, by one way or another, and verified.
// Its ID is that of its Order.
type Job struct {
	ID      string    `msg:"id"`
	Device  DeviceID  `msg:"d"`
	Batch   string    `msg:"b,omitempty"` // the request or the campaign that placed it
	Number  uint64    `msg:"n"`           // ascending by creation within a device
	Kind    string    `msg:"k"`           // what is to be done: "install", "remove", "firmware", "lock", "certificate", ...
	What    JobSpec   `msg:"w"`
	State   JobState  `msg:"st"`
	Since   time.Time `msg:"si"`           // when State was entered
	Wait    Wait      `msg:"wa"`           // of an open job always set
	Reason  string    `msg:"re,omitempty"` // why it is in State, in words
	Created time.Time `msg:"cr"`
	Changed uint64    `msg:"ch"` // counts its changes, so that who decides on what it has read can see that it was overtaken

	Way   JobWay    `msg:"wy"`           // the way that is being tried, or was last
	Tried []JobTry  `msg:"tr,omitempty"` // the ways that have failed
	Steps []JobStep `msg:"sp,omitempty"` // its timeline, bounded

	Bootstrap string    `msg:"bo,omitempty"` // the order of the bootstrap that it waits for
	Sessions  int       `msg:"se,omitempty"` // that it has asked for by a notification
	Fallback  int       `msg:"fb,omitempty"` // how many of What.Fallback were begun
	Ticket    string    `msg:"ti,omitempty"` // of the link that was sent
	Opened    time.Time `msg:"op"`           // when the link was first opened
	Fetched   time.Time `msg:"fe"`           // when all of it was downloaded
	Reported  string    `msg:"rp,omitempty"` // the version that was reported to be there, by upstream
}

// JobSpec is what was asked for.
type JobSpec struct {
	Package  string            `msg:"p,omitempty"`  // name in the catalogue
	Version  string            `msg:"v,omitempty"`  // of the package; empty for the best that fits
	Chosen   string            `msg:"ch,omitempty"` // the package that was chosen for the device
	Values   map[string]string `msg:"va,omitempty"` // what the templates of a recipe may use besides: "apn.address", ...
	Commands []Command         `msg:"co,omitempty"` // of kind "task"
	Recipe   string            `msg:"r,omitempty"`  // the only one that may be used; empty for the best
	// Fallback are the ways that are taken, in this order, where device management fails: "si", "sms", "mark". Empty
	// for none.
	Fallback []string  `msg:"f,omitempty"`
	Deadline time.Time `msg:"d"` // the job fails then; never zero
	Priority uint8     `msg:"pr,omitempty"`
	Silent   bool      `msg:"s,omitempty"`  // not bootstrapped and not notified: it waits until the device comes by itself
	NoDM     bool      `msg:"nd,omitempty"` // not by device management: the fallback begins at once

	Sec      string `msg:"se,omitempty"` // of the bootstrap, where one is needed, as in its order
	PIN      string `msg:"pn,omitempty"` // until the bootstrap is ordered. A secret
	APN      string `msg:"ap,omitempty"`
	Operator string `msg:"op,omitempty"` // in place of APN: an entry of the library of access points, or "sim"
}

// JobWay is a recipe at work on a device.
type JobWay struct {
	Recipe string            `msg:"r,omitempty"`
	Names  map[string]string `msg:"n,omitempty"`  // what the recipe's names stand for on this device
	Stage  int               `msg:"sg,omitempty"` // which of the recipe's parts it is
	Step   string            `msg:"s,omitempty"`  // "locate", "send", "poll", "verify"
	Task   uint64            `msg:"t,omitempty"`  // the task of that step
	Send   uint64            `msg:"sd,omitempty"` // the task of the step "send", whose result may come late
	Heard  bool              `msg:"h,omitempty"`  // the device has said that it is done
	Asked  []uint64          `msg:"a,omitempty"`  // earlier tasks of the same step, whose answers count
	Rounds int               `msg:"ro,omitempty"` // how often the result was asked for
	Begun  time.Time         `msg:"bg"`           // when its commands were sent, or, once Heard, when that was heard
}

// JobTry is a way that was tried and has failed.
type JobTry struct {
	Recipe string    `msg:"r"` // or the fallback: "si", "sms", "bootstrap"
	Time   time.Time `msg:"t"`
	Reason string    `msg:"re"`
	Again  bool      `msg:"a,omitempty"` // a failure that passes: it may be tried once more
}

// JobStep is one line of a job's timeline.
type JobStep struct {
	Time  time.Time `msg:"t"`
	State JobState  `msg:"s"`
	Text  string    `msg:"x"` // what happened, or was decided and why
}

// maxSteps bounds a job's timeline: the first and the last of it are kept.
const maxSteps = 64

// Enter puts the job into a state at a time, with the reason, waiting for w.
func (j *Job) Enter(s JobState, at time.Time, why string, w Wait) {
	if s != j.State {
		j.State, j.Since = s, at
	}
	w.Since = at
	if !s.Open() {
		w = Wait{}
	}
	j.Reason, j.Wait = why, w
	j.Note(at, why)
}

// Note adds a line to the job's timeline.
func (j *Job) Note(at time.Time, text string) {
	if len(j.Steps) == maxSteps {
		copy(j.Steps[maxSteps/2:], j.Steps[maxSteps/2+1:])
		j.Steps = j.Steps[:maxSteps-1]
	}
	j.Steps = append(j.Steps, JobStep{Time: at, State: j.State, Text: text})
}

// JobEdit changes a job of the device as it stands at the moment of the commit, as Commit.Edit does the device.
// ErrNotFound if there is none.
type JobEdit struct {
	ID   string
	Edit func(*Job) error
}

// JobRef names an open job, and its place among those that wait.
type JobRef struct {
	Until  time.Time // its Wait.Until
	Device DeviceID
	ID     string
}

// Document is something that belongs to no device, kept under a name.
type Document struct {
	Name  string
	Value []byte
}
