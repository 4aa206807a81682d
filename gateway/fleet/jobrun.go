package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"dmgate/sessions"
	"dmgate/storage"
)

// How the engine of the jobs works.
const (
	jobTick    = time.Second
	jobSettle  = 20 * time.Millisecond // what happens in it is looked at together
	jobPage    = 1000
	jobWorkers = 32
	jobRetries = 10
	jobBad     = time.Minute // after a fault of ours
)

// RunJobs carries jobs on, until ctx ends: whenever the feed tells of something that happens to a device with a job that
// is not over, and when the time of one is up. All that it knows is in the store. When it begins it looks at all jobs that
// are not over once, so that nothing is lost that has happened while no process was there.
func (f *Fleet) RunJobs(ctx context.Context) error {
	tick := time.NewTicker(jobTick)
	defer tick.Stop()
	for ctx.Err() == nil {
		err := f.newJobEngine().run(ctx, tick.C)
		if err == nil || errors.Is(err, storage.ErrClosed) {
			return nil
		}
		if !errors.Is(err, storage.ErrFailed) {
			f.opt.Log.Error("jobs stand still, to be tried again", zap.Error(err))
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

// jobEngine looks after jobs. It holds the name of each device with a job that is not over.
type jobEngine struct {
	*Fleet
	open map[storage.DeviceID]bool
	bad  map[storage.DeviceID]time.Time // devices whose jobs could not be carried on, and until when they are left alone
	at   uint64                         // the feed is read up to there
}

func (f *Fleet) newJobEngine() *jobEngine {
	return &jobEngine{Fleet: f, open: make(map[storage.DeviceID]bool), bad: make(map[storage.DeviceID]time.Time)}
}

func (e *jobEngine) run(ctx context.Context, tick <-chan time.Time) error {
	if err := e.load(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		grown := e.store.Grown()
		worked, err := e.round(ctx)
		if err != nil {
			return err
		}
		if worked {
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick:
		case <-grown:
			moment := time.NewTimer(jobSettle)
			select {
			case <-ctx.Done():
			case <-moment.C:
			}
			moment.Stop()
		}
	}
	return nil
}

// load looks at all jobs that are not over. What the feed tells from here on comes after that.
func (e *jobEngine) load(ctx context.Context) error {
	e.at = e.store.Head()
	var behind storage.JobRef
	for ctx.Err() == nil {
		refs, err := e.store.JobsDue(latest, behind, jobPage)
		if err != nil || len(refs) == 0 {
			return err
		}
		devices := make(map[storage.DeviceID]bool, len(refs))
		for i := range refs {
			e.open[refs[i].Device], devices[refs[i].Device] = true, true
		}
		if err := e.lookAt(ctx, devices); err != nil {
			return err
		}
		behind = refs[len(refs)-1]
	}
	return nil
}

// round takes in what the feed has brought and what has become due. It says whether there may be more.
func (e *jobEngine) round(ctx context.Context) (worked bool, err error) {
	entries, err := e.store.Feed(e.at, jobPage)
	if err != nil {
		return false, err
	}
	devices := make(map[storage.DeviceID]bool)
	for i := range entries {
		entry := &entries[i]
		if entry.Kind == "job" {
			e.open[entry.Device] = true
			e.tell(entry)
		}
		if e.open[entry.Device] && isNews(entry) {
			devices[entry.Device] = true
		}
	}
	if err := e.due(devices); err != nil {
		return false, err
	}
	if err := e.lookAt(ctx, devices); err != nil {
		return false, err
	}
	if n := len(entries); n > 0 {
		e.at = entries[n-1].Offset
	}
	return len(entries) == jobPage, nil
}

// isNews says whether an entry may change what comes next for a job. What a session has heard, the session has acted on.
func isNews(entry *storage.FeedEntry) bool {
	switch entry.Kind {
	case "job", "order", "push", "state", "task", "ticket", "certificate", "capabilities":
		return true
	}
	return false
}

// tell does what goes with a job's new state outside of its device: modems are told of its pushes, and links of a job
// that is over open no more.
func (e *jobEngine) tell(entry *storage.FeedEntry) {
	state := storage.JobState(entry.Status)
	if state.Open() {
		e.pushed()
		return
	}
	j, err := e.store.Job(entry.Device, entry.Order)
	if err == nil && j.Ticket != "" && !j.State.Open() && j.State != storage.JobMarked {
		err = e.endTicket(j.Ticket, "its job is "+string(j.State))
	}
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		e.opt.Log.Error("ticket of a job not closed", zap.String("order", entry.Order), zap.Error(err))
	}
}

// due adds the devices with a job whose time is up.
func (e *jobEngine) due(devices map[storage.DeviceID]bool) error {
	now := e.opt.Clock()
	var behind storage.JobRef
	for {
		refs, err := e.store.JobsDue(now, behind, jobPage)
		if err != nil {
			return err
		}
		for i := range refs {
			if dev := refs[i].Device; !now.Before(e.bad[dev]) {
				delete(e.bad, dev)
				devices[dev] = true
			}
		}
		if len(refs) < jobPage {
			return nil
		}
		behind = refs[len(refs)-1]
	}
}

// lookAt goes on with the jobs of devices. One bad job does not hold up the others.
func (e *jobEngine) lookAt(ctx context.Context, devices map[storage.DeviceID]bool) error {
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		failure error
		ids     = make(chan storage.DeviceID)
	)
	for range min(len(devices), jobWorkers) {
		workers.Go(func() {
			for id := range ids {
				open, err := e.carryOn(id)
				mu.Lock()
				switch {
				case errors.Is(err, storage.ErrFailed) || errors.Is(err, storage.ErrClosed):
					failure = err
				case err != nil:
					e.opt.Log.Error("jobs of a device not carried on", zap.String("device", string(id)), zap.Error(err))
					e.bad[id] = e.opt.Clock().Add(jobBad)
				case !open:
					delete(e.open, id)
				}
				mu.Unlock()
			}
		})
	}
	for id := range devices {
		mu.Lock()
		failed := failure != nil
		mu.Unlock()
		if failed || ctx.Err() != nil {
			break
		}
		ids <- id
	}
	close(ids)
	workers.Wait()
	return failure
}

// carryOn does all that there is to do for the jobs of a device outside of its sessions, and says whether any is left.
func (f *Fleet) carryOn(id storage.DeviceID) (open bool, err error) {
	for range jobRetries {
		if open, err = f.carryOnce(id); !errors.Is(err, sessions.ErrOvertaken) {
			return open, err
		}
	}
	return true, err
}

func (f *Fleet) carryOnce(id storage.DeviceID) (open bool, err error) {
	dev, err := f.store.Device(id)
	if err != nil {
		return true, err
	}
	now := f.opt.Clock()
	t, err := f.newTurn(now, dev, &storage.Commit{Device: id, Time: now})
	if err != nil || t == nil {
		return false, err
	}
	// A job that can not be carried on leaves alone what the others have come to.
	fault := t.all()
	for i := range t.jobs {
		open = open || t.jobs[i].State.Open()
	}
	if len(t.commit.JobEdits) > 0 {
		if err := f.store.Commit(t.commit); err != nil {
			return true, err
		}
		if len(t.commit.Pushes) > 0 {
			f.pushed()
		}
	}
	if _, err := f.orderBootstraps(t); err != nil {
		return true, errors.Join(fault, err)
	}
	return open, fault
}

func (f *Fleet) logJob(what string, j *storage.Job, err error) {
	f.opt.Log.Error(what, zap.String("device", string(j.Device)), zap.String("order", j.ID), zap.Error(err))
}
