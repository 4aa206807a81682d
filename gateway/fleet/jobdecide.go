package fleet

import (
	"fmt"
	"time"

	"dmgate/gateway/recipe"
	"dmgate/storage"
)

// What comes next for a job. decide is a pure function of a situation: whoever calls it again in the same situation gets
// the same answer, and what has happened since a process was killed is no matter. Read it from the top.

// jobSituation is all that the next step of a job hangs on.
type jobSituation struct {
	Now  time.Time
	Job  *storage.Job
	Kind jobKind

	Ahead string // the job of the device that goes first; empty where none does

	// The device.
	Account bool      // it has an account of ours
	Talks   time.Time // as long as that it is taken to be in its first session still; zero where it is not
	Waits   string    // the bootstrap it waits for, whoever has ordered it; empty for none
	// Bootstrap is how the order Job.Bootstrap stands; empty where there is none yet. BootstrapWait is what it waits for,
	// BootstrapFault why it has failed.
	Bootstrap      storage.OrderState
	BootstrapWait  storage.Wait
	BootstrapFault string

	// The last push of the job: a notification, or what brings a link, or, where Settles, what is all there is to do.
	Settles bool
	Push    storage.PushState // empty where there was none
	Moved   time.Time         // when it came into that state
	Fault   string            // why it has failed

	// Called is as long as the device is taken to come by itself, as it was notified for another order; zero where it was
	// not.
	Called time.Time

	// The session. Outside of one neither is true.
	Session bool // the device has proved itself, and discovery is done: it can be told what to do
	Fresh   bool // it has only just done so
	Found   bool // discovery has ended since the job was placed

	// The way that would be next, where it was looked for. It can be once Known: the device was seen.
	Known  bool
	Looked bool
	Way    string // its recipe; empty where there is none
	Names  map[string]string
	NoWay  string // why there is none

	// Task is the job's last one. Verdict is what its answers mean, nil where nothing was heard; More that there is more
	// to be asked before they mean anything.
	Task    *storage.Task
	Verdict *recipe.Verdict
	More    bool
	next    []storage.Command // what that is

	Patience patience
}

// patience is how long a job waits for what.
type patience struct {
	Notify   time.Duration // before a device is notified again, doubled each time
	NotifyAt time.Duration // at most
	Notified int           // at most so often
	Answer   time.Duration // for the answers of a device that has something to do
	Late     time.Duration // for a result that comes late, however it comes
	Polls    bool          // it can be asked for
	Poll     time.Duration // before it is asked for
	Polled   int           // at most so often
	Verify   time.Duration // for what was done to be seen, once the device has said that it is
	Look     time.Duration // before it is looked at again
	Send     time.Duration // for a modem
	Download time.Duration // for the user to download
	Report   time.Duration // for what was downloaded to be seen
}

// move is what a decision does.
type move string

const (
	stay      move = "stay"      // nothing: it waits
	inQueue   move = "queue"     // another job goes first
	order     move = "bootstrap" // the bootstrap is ordered
	adopt     move = "adopt"     // the bootstrap that was ordered by somebody else is waited for
	await     move = "await"     // a session is waited for
	notifying move = "notify"    // a notification asks for a session
	lookUp    move = "look"      // the ways are looked for; then it is decided anew
	send      move = "send"      // the way's commands
	poll      move = "poll"      // how far is it
	verify    move = "verify"    // is it there
	stage     move = "stage"     // the commands of the next part of the recipe
	more      move = "more"      // the step goes on with other commands
	next      move = "next"      // the way has failed
	retry     move = "retry"     // the way has failed, and is tried once more
	link      move = "link"      // a link goes to the user
	fetched   move = "fetched"   // it was downloaded
	mark      move = "mark"      // upstream has to see to it
	finish    move = "finish"
	fail      move = "fail"
)

// decision is what comes next. Wait goes with all moves after which the job goes on.
type decision struct {
	Move move
	Why  string
	Wait storage.Wait
	Way  string // of link: "si", "sms" or "push"
	// Heard says of verify that the device has said that it is done.
	Heard bool
	// As is what those who learn are told of a way that is given up; empty where it has failed.
	As string
}

// decide says what comes next.
func (s *jobSituation) decide() decision {
	j := s.Job
	switch {
	case reportSettles(j):
		return decision{Move: finish, Why: "version " + j.Reported + " was reported"}
	case j.State == storage.JobMarked && s.Now.Before(j.What.Deadline):
		return s.glance()
	case !j.State.Open():
		return decision{Move: stay}
	case !s.Now.Before(j.What.Deadline):
		return decision{Move: fail, As: outcomeOurs, Why: "its deadline has passed while it waited for " + j.Wait.For}
	}
	switch j.State {
	case storage.JobQueued:
		return s.begin()
	case storage.JobAwaitsBootstrap:
		return s.awaitBootstrap()
	case storage.JobAwaitsSession:
		return s.awaitSession()
	case storage.JobInstalling, storage.JobVerifying:
		return s.atWork()
	case storage.JobAwaitsDownload:
		return s.awaitDownload()
	case storage.JobDownloaded:
		return s.awaitReport()
	}
	return decision{Move: fail, Why: fmt.Sprintf("it was found in state %q, which there is not", j.State)}
}

// begin: its turn has come, or not yet.
func (s *jobSituation) begin() decision {
	switch {
	case s.Ahead != "":
		return decision{Move: inQueue, Why: "job " + s.Ahead + " goes first", Wait: s.until(s.Job.What.Deadline,
			"the end of job "+s.Ahead, "the job fails")}
	case s.Job.What.NoDM:
		return s.fallBack("not by device management: the order says so")
	case !s.Account:
		return s.awaitBootstrap()
	}
	return s.awaitSession()
}

// awaitBootstrap: a device without an account of ours gets one first.
func (s *jobSituation) awaitBootstrap() decision {
	j := s.Job
	switch {
	case s.Account:
		return s.awaitSession()
	case j.Bootstrap != "" && s.Bootstrap == storage.OrderOpen:
		w := s.until(s.BootstrapWait.Until, "bootstrap "+j.Bootstrap+": "+s.BootstrapWait.For, "the fallback begins")
		return decision{Move: stay, Wait: w}
	case s.Waits != "" && s.Waits != j.Bootstrap:
		return decision{Move: adopt, Why: "the device is being bootstrapped by order " + s.Waits, Wait: s.until(
			s.BootstrapWait.Until, "bootstrap "+s.Waits, "the fallback begins")}
	case s.Bootstrap == storage.OrderFailed:
		return s.fallBack("the device was not bootstrapped: " + s.BootstrapFault)
	case j.What.Silent:
		return decision{Move: await, Why: "the device has no account of ours, and is not to be bootstrapped",
			Wait: s.until(j.What.Deadline, "the device to be bootstrapped and to open a session", "the job fails")}
	}
	return decision{Move: order, Why: "the device has no account of ours: it is bootstrapped first", Wait: s.until(
		s.Now.Add(s.Patience.Send), "the bootstrap", "the fallback begins")}
}

// awaitSession: a device with an account is asked for a session, again after a while, and told what to do when it comes.
func (s *jobSituation) awaitSession() decision {
	switch {
	case s.Job.Kind == jobDiscover && s.Found:
		return decision{Move: finish, Why: "the device has said what it is"}
	case s.Session && s.Job.Kind == kindNotify:
		return decision{Move: finish, Why: "the device has opened a session"}
	case !s.Looked && (s.Session || s.Known):
		return decision{Move: lookUp}
	case s.Looked && s.Way == "":
		return s.fallBack(s.NoWay)
	case s.Session:
		return decision{Move: send, Wait: s.answers()}
	}
	return s.ask("no session followed")
}

// answers is the wait for those of a device that was told something.
func (s *jobSituation) answers() storage.Wait {
	return s.until(s.Now.Add(s.Patience.Answer), "the device's answers", "the device is notified")
}

// ask: a session is needed and there is none. Without one for too long it is the fallback's turn.
func (s *jobSituation) ask(without string) decision {
	j := s.Job
	const what = "a session of the device"
	switch {
	case j.What.Silent:
		return decision{Move: await, Why: "the device is not notified: it comes when it comes",
			Wait: s.until(j.What.Deadline, what, "the job fails")}
	case s.Now.Before(s.Talks):
		return decision{Move: await, Why: "the device is being asked what it is", Wait: s.until(
			s.Talks, "the end of its discovery", "the device is notified")}
	case j.Sessions == 0 && s.Now.Before(s.Called):
		return decision{Move: await, Why: "the device was notified for another order", Wait: s.until(
			s.Called, what, "the device is notified")}
	case j.Sessions == 0:
		return decision{Move: notifying, Why: "the device is notified", Wait: s.until(
			s.Now.Add(s.Patience.Send), "a modem for the notification", "the device is notified again")}
	case s.Push == storage.PushQueued || s.Push == storage.PushSending:
		return decision{Move: stay, Wait: s.until(
			s.Moved.Add(s.Patience.Send), "a modem for the notification", "it is waited for still, as long as the job may")}
	}
	again := s.Patience.again(s.Moved, j.Sessions)
	last := j.Sessions >= s.Patience.Notified
	switch {
	case !s.Now.Before(again) && last:
		why := fmt.Sprintf("%s %d notifications", without, j.Sessions)
		if s.Push == storage.PushFailed {
			why += "; the last was not delivered: " + s.Fault
		}
		return s.fallBack(why)
	case !s.Now.Before(again):
		return decision{Move: notifying, Why: fmt.Sprintf("no session yet: notification %d", j.Sessions+1), Wait: s.until(
			s.Now.Add(s.Patience.Send), "a modem for the notification", "the device is notified again")}
	}
	then := "the device is notified again"
	if last {
		then = s.then()
	}
	return decision{Move: await, Wait: s.until(again, what, then)}
}

// again is when a device is notified again that was notified n times, the last time at a time.
func (p *patience) again(at time.Time, n int) time.Time {
	wait := p.Notify
	for range n - 1 {
		wait = min(2*wait, p.NotifyAt)
	}
	return at.Add(wait)
}

// atWork: the device has something to do for the job, or has done it.
func (s *jobSituation) atWork() decision {
	j := s.Job
	switch {
	case s.Task != nil && s.Task.State == storage.TaskFailed:
		return decision{Move: next, Why: "its commands were given up: " + s.Task.Reason}
	case s.Verdict != nil:
		return s.heard(s.Verdict)
	case s.Session && !s.Fresh, s.Fresh && s.underWay():
		return decision{Move: stay} // the session has it
	case s.Fresh && s.Patience.Polls && !j.Way.Heard:
		return decision{Move: poll, Why: "no result has come: the device is asked how far it is", Wait: s.answers()}
	case s.Fresh && j.Way.Step == stepVerify:
		return decision{Move: verify, Why: "it is looked at again", Wait: s.answers()}
	case s.Fresh:
		return decision{Move: verify, Why: "no result has come: it is looked at", Wait: s.answers()}
	case s.Now.Before(j.Wait.Until) && j.Sessions == 0:
		return decision{Move: stay}
	}
	d := s.ask("the device has not come back after")
	if d.Move == await {
		d.Move = stay
	}
	return d
}

// underWay says whether the session has commands of the last task to send, or to hear of.
func (s *jobSituation) underWay() bool {
	return s.Task != nil && (s.Task.State == storage.TaskQueued || s.Task.State == storage.TaskSent)
}

// heard: the answers of the last task say something.
func (s *jobSituation) heard(v *recipe.Verdict) decision {
	j, p := s.Job, &s.Patience
	step := j.Way.Step
	switch v.State {
	case recipe.Pending:
		switch {
		case s.More:
			return decision{Move: more, Wait: s.answers()}
		case s.underWay() || s.Task != nil && s.Task.State == storage.TaskWaiting:
			return decision{Move: stay}
		}
		return decision{Move: next, Why: "the device has said no more of it"}
	case recipe.Failed:
		switch {
		case v.User:
			return s.refused(v.Reason)
		case v.Again && !triedBefore(j, j.Way.Recipe):
			return decision{Move: retry, Why: v.Reason}
		}
		return decision{Move: next, Why: v.Reason}
	case recipe.Next:
		return decision{Move: stage, Why: v.Reason, Wait: s.answers()}
	case recipe.Done:
		switch step {
		case stepVerify:
			return decision{Move: finish, Why: v.Reason}
		case stepLocate:
			return decision{Move: send, Why: v.Reason, Wait: s.answers()}
		}
		return decision{Move: verify, Why: "the device says that it is done: it is looked at", Wait: s.answers(), Heard: true}
	}
	switch { // Later
	case j.Way.Heard && !s.Now.Before(j.Way.Begun.Add(p.Verify)):
		return decision{Move: next, Why: "the device said that it is done, and does not show it: " + v.Reason}
	case j.Way.Heard:
		return decision{Move: stay, Why: v.Reason, Wait: s.until(
			s.Now.Add(p.Look), "what was done to be seen on the device", "the device is notified, to look at it again")}
	case step == stepPoll: // its inventory knows better
		return decision{Move: verify, Why: v.Reason, Wait: s.answers()}
	case !s.Now.Before(j.Way.Begun.Add(p.Late)), p.Polls && j.Way.Rounds >= p.Polled:
		return decision{Move: next, Why: "no result has come: " + v.Reason}
	case p.Polls:
		return decision{Move: stay, Why: v.Reason, Wait: s.until(
			s.Now.Add(p.Poll), "the result, by Alert 1226", "the device is notified, to ask for it")}
	}
	return decision{Move: stay, Why: v.Reason, Wait: s.until(
		j.Way.Begun.Add(p.Late), "the result, by Alert 1226", "the device is notified, to look at it")}
}

// awaitDownload: the user has a link.
func (s *jobSituation) awaitDownload() decision {
	j := s.Job
	switch {
	case !j.Fetched.IsZero():
		return decision{Move: fetched, Why: "it was downloaded", Wait: s.until(
			s.Now.Add(s.Patience.Report), "a session or a report that shows it", s.then())}
	case s.Push == storage.PushFailed:
		d := s.fallBack("it could not be sent: " + s.Fault)
		d.As = outcomeOurs
		return d
	case s.Settles && s.Push == storage.PushDelivered:
		return decision{Move: finish, Why: "its push was delivered; whether it was taken the device does not say"}
	case s.Push == storage.PushQueued || s.Push == storage.PushSending:
		return decision{Move: stay, Wait: s.until(s.Moved.Add(s.Patience.Send), "a modem", s.then())}
	}
	until, what := s.Moved.Add(s.Patience.Download), "the user to open the link"
	switch {
	case s.Settles:
		what = "its push to be delivered"
	case !j.Opened.IsZero():
		what = "the download, of which the link was opened"
	}
	switch {
	case s.Now.Before(until):
		return decision{Move: stay, Wait: s.until(until, what, s.then())}
	case s.Settles:
		return s.fallBack("its push was sent, and not delivered")
	case !j.Opened.IsZero():
		return s.fallBack("the link was opened, and nothing was downloaded")
	}
	d := s.fallBack("the link was not opened")
	d.As = outcomeRefused
	return d
}

// awaitReport: it was downloaded; whether it is installed, a session or upstream has to say.
func (s *jobSituation) awaitReport() decision {
	seen := s.Verdict != nil && s.Verdict.State == recipe.Done
	switch {
	case !seen && !s.Now.Before(s.Job.Since.Add(s.Patience.Report)):
		return s.fallBack("it was downloaded, and nothing has shown that it is installed")
	case s.Session:
		return s.glance()
	}
	return decision{Move: stay}
}

// glance: the device is in session for some other reason, and can be looked at.
func (s *jobSituation) glance() decision {
	j := s.Job
	switch {
	case s.Verdict != nil && s.Verdict.State == recipe.Done:
		return decision{Move: finish, Why: s.Verdict.Reason}
	case s.Verdict != nil && s.More:
		return decision{Move: more, Wait: j.Wait}
	case s.Verdict == nil && s.Fresh && !s.Looked:
		return decision{Move: lookUp}
	case s.Verdict == nil && s.Fresh && s.Way != "":
		return decision{Move: verify, Why: "the device is in session: it is looked at"}
	}
	return decision{Move: stay}
}

// refused: the user has said no. Nobody asks the user once more.
func (s *jobSituation) refused(why string) decision {
	if s.Job.Fallback < len(s.Job.What.Fallback) && s.Job.What.Fallback[len(s.Job.What.Fallback)-1] == wayMark {
		return decision{Move: mark, As: outcomeRefused, Why: "the user has refused it: " + why}
	}
	return decision{Move: fail, As: outcomeRefused, Why: "the user has refused it: " + why}
}

// fallBack: by device management it is not to be done, or not by the fallback before this one.
func (s *jobSituation) fallBack(why string) decision {
	j := s.Job
	if j.Fallback >= len(j.What.Fallback) {
		return decision{Move: fail, Why: why}
	}
	way := j.What.Fallback[j.Fallback]
	if way == wayMark {
		return decision{Move: mark, Why: why}
	}
	return decision{Move: link, Why: why, Way: way, Wait: s.until(
		s.Now.Add(s.Patience.Send), "a modem", "the next fallback begins")}
}

// then is what comes when a wait is over, in words.
func (s *jobSituation) then() string {
	if s.Job.Fallback >= len(s.Job.What.Fallback) {
		return "the job fails"
	}
	return "the fallback begins: " + s.Job.What.Fallback[s.Job.Fallback]
}

// until is a wait that does not outlast the job.
func (s *jobSituation) until(at time.Time, what, then string) storage.Wait {
	if at.IsZero() || at.After(s.Job.What.Deadline) {
		at, then = s.Job.What.Deadline, "the job fails"
	}
	return storage.Wait{For: what, Until: at, Next: then}
}

// reportSettles says whether the version that was reported of a job that is not over is the one that it is to install.
func reportSettles(j *storage.Job) bool {
	over := j.State == storage.JobDone || j.State == storage.JobFailed || j.State == storage.JobCancelled
	return !over && j.Reported != "" && (j.What.Version == "" || j.Reported == j.What.Version)
}

// triedBefore says whether a recipe has failed in the job already.
func triedBefore(j *storage.Job, name string) bool {
	for i := range j.Tried {
		if j.Tried[i].Recipe == name {
			return true
		}
	}
	return false
}
