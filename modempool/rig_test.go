package modempool

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"dmgate/codec/push"
	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// patience bounds every wait in the tests. None of them takes anything like it.
const patience = 15 * time.Second

// memQueue is a Queue in memory. Every Save is told to whoever waits.
type memQueue struct {
	mu      sync.Mutex
	jobs    map[uint64]*storage.PushJob
	saves   map[uint64][]storage.PushState // in order
	changed chan struct{}
	size    int // octets of each push

	settings map[string][]byte
	received []Received
	noticed  []string

	saving func(*storage.PushJob) error           // before a Save, its error in place of it
	render func(*storage.PushJob) ([]byte, error) // in place of the default push
}

func newQueue(jobs ...storage.PushJob) *memQueue {
	q := &memQueue{
		jobs:    make(map[uint64]*storage.PushJob),
		saves:   make(map[uint64][]storage.PushState),
		changed: make(chan struct{}),
		size:    300,

		settings: make(map[string][]byte),
	}
	for _, job := range jobs {
		q.add(job)
	}
	return q
}

func (q *memQueue) add(job storage.PushJob) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if job.State == "" {
		job.State = storage.PushQueued
	}
	q.jobs[job.ID] = &job
}

// pushes makes n queued pushes to numbers of their own.
func pushes(n int) []storage.PushJob {
	jobs := make([]storage.PushJob, n)
	for i := range jobs {
		jobs[i] = storage.PushJob{ID: uint64(i + 1), MSISDN: fmt.Sprintf("+49171%07d", i+1)}
	}
	return jobs
}

func (q *memQueue) sorted(keep func(*storage.PushJob) bool, less func(a, b storage.PushJob) int, limit int,
) []storage.PushJob {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []storage.PushJob
	for _, job := range q.jobs {
		if keep(job) {
			out = append(out, clone(job))
		}
	}
	slices.SortFunc(out, less)
	return out[:min(limit, len(out))]
}

func clone(job *storage.PushJob) storage.PushJob {
	c := *job
	c.Segments = slices.Clone(job.Segments)
	return c
}

func isDue(j *storage.PushJob, now time.Time) bool {
	return j.State == storage.PushQueued && !j.NotBefore.After(now)
}

func flowOf(j *storage.PushJob) storage.Flow { return storage.Flow{Priority: j.Priority, Name: j.Flow} }

func byFlow(a, b storage.Flow) int {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Name, b.Name))
}

func byID(a, b storage.PushJob) int { return cmp.Compare(a.ID, b.ID) }

func (q *memQueue) Flows(now time.Time, from storage.Flow, limit int) ([]storage.Flow, error) {
	var flows []storage.Flow
	for _, j := range q.sorted(func(j *storage.PushJob) bool { return isDue(j, now) && byFlow(flowOf(j), from) >= 0 },
		func(a, b storage.PushJob) int { return byFlow(flowOf(&a), flowOf(&b)) }, math.MaxInt) {
		if f := flowOf(&j); len(flows) < limit && !slices.Contains(flows, f) {
			flows = append(flows, f)
		}
	}
	return flows, nil
}

func (q *memQueue) Due(flow storage.Flow, now time.Time, limit int) ([]storage.PushJob, error) {
	return q.sorted(func(j *storage.PushJob) bool { return isDue(j, now) && flowOf(j) == flow }, byID, limit), nil
}

func (q *memQueue) Overdue(now time.Time, limit int) ([]storage.PushJob, error) {
	return q.sorted(func(j *storage.PushJob) bool {
		return j.State == storage.PushSending || j.Awaits() && !j.Until.After(now)
	}, func(a, b storage.PushJob) int {
		sending := func(j storage.PushJob) int {
			if j.State == storage.PushSending {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(sending(a), sending(b)), a.Until.Compare(b.Until))
	}, limit), nil
}

func (q *memQueue) Awaiting(modem, number string, reference uint8) ([]storage.PushJob, error) {
	known := func(j storage.PushJob) bool {
		return slices.ContainsFunc(j.Segments, func(s storage.Segment) bool {
			return s.Sent && !s.Reported && s.Reference == reference
		})
	}
	rank := func(j storage.PushJob) int {
		if known(j) {
			return 0
		}
		return 1
	}
	return q.sorted(func(j *storage.PushJob) bool {
		return j.Awaits() && j.Modem == modem && storage.SameNumber(j.MSISDN, number) &&
			(known(*j) || slices.ContainsFunc(j.Segments, func(s storage.Segment) bool { return j.AwaitsUnknown(&s) }))
	}, func(a, b storage.PushJob) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), byID(b, a)) }, 256), nil
}

func (q *memQueue) Edit(_ storage.DeviceID, id uint64, change func(*storage.PushJob) error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := clone(q.jobs[id])
	if err := change(&c); err != nil {
		return err
	}
	q.put(&c)
	return nil
}

func (q *memQueue) Received(sms Received) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.received = append(q.received, sms)
	q.tell()
	return nil
}

func (q *memQueue) Noticed(modem, text string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.noticed = append(q.noticed, modem+": "+text)
	return nil
}

func (q *memQueue) Setting(name string) ([]byte, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	value, ok := q.settings[name]
	if !ok {
		return nil, storage.ErrNotFound
	}
	return value, nil
}

func (q *memQueue) PutSetting(name string, value []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.settings[name] = value
	return nil
}

// put and tell need q.mu.
func (q *memQueue) put(job *storage.PushJob) {
	q.jobs[job.ID] = job
	q.saves[job.ID] = append(q.saves[job.ID], job.State)
	q.tell()
}

func (q *memQueue) tell() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *memQueue) PDU(job *storage.PushJob) ([]byte, error) {
	if q.render != nil {
		return q.render(job)
	}
	return payload(job.ID, q.size), nil
}

// payload is a push that names its job.
func payload(id uint64, size int) []byte {
	b := []byte(fmt.Sprintf("push %d ", id))
	return append(b, bytes.Repeat([]byte{byte(id)}, max(0, size-len(b)))...)
}

func (q *memQueue) Save(job *storage.PushJob) error {
	if q.saving != nil {
		if err := q.saving(job); err != nil {
			return err
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if job.State == storage.PushSending && job.Total == 0 && q.jobs[job.ID].State != storage.PushQueued &&
		q.jobs[job.ID].State != storage.PushSending {
		return ErrWithdrawn
	}
	c := clone(job)
	q.put(&c)
	return nil
}

func (q *memQueue) get(id uint64) storage.PushJob {
	q.mu.Lock()
	defer q.mu.Unlock()
	return clone(q.jobs[id])
}

// await waits until cond holds for the jobs.
func (q *memQueue) await(t *testing.T, what string, cond func(jobs map[uint64]*storage.PushJob) bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		q.mu.Lock()
		ok, changed := cond(q.jobs), q.changed
		q.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			q.mu.Lock()
			defer q.mu.Unlock()
			left := 0
			for id, j := range q.jobs {
				if left++; left < 5 || j.State != storage.PushDelivered {
					t.Logf("push %d: %s attempts %d modem %s error %q segments %v saves %v", id, j.State, j.Attempts,
						j.Modem, j.Error, j.Segments, q.saves[id])
				}
			}
			t.Fatalf("waited for %s", what)
		}
	}
}

// awaitState waits until every push is in state.
func (q *memQueue) awaitState(t *testing.T, state storage.PushState) {
	t.Helper()
	q.await(t, "all pushes "+string(state), func(jobs map[uint64]*storage.PushJob) bool {
		for _, j := range jobs {
			if j.State != state {
				return false
			}
		}
		return true
	})
}

// network is what the modems send over: it puts pushes together as a phone does, and counts.
type network struct {
	mu       sync.Mutex
	phones   map[string]*push.Reassembler
	complete map[string][]string // by number: the pushes that arrived whole
	segments int
	n        int                                              // submits
	fate     func(n, modem int, s *push.Submit) modemsim.Fate // nil: taken and reported
}

func newNetwork() *network {
	return &network{phones: make(map[string]*push.Reassembler), complete: make(map[string][]string)}
}

func (n *network) Submit(modem int, s *push.Submit) modemsim.Fate {
	n.mu.Lock()
	k := n.n
	n.n++
	n.mu.Unlock()
	fate := modemsim.Fate{Report: true}
	if n.fate != nil {
		fate = n.fate(k, modem, s)
	}
	if fate.CMS != 0 {
		return fate
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.segments++
	phone := n.phones[s.Destination]
	if phone == nil {
		phone = new(push.Reassembler)
		n.phones[s.Destination] = phone
	}
	pdu, ports, done, err := phone.Add("gateway", bytes.Clone(s.UD))
	switch {
	case err != nil:
		n.complete[s.Destination] = append(n.complete[s.Destination], err.Error())
	case done && ports.Dst != push.PortPush:
		n.complete[s.Destination] = append(n.complete[s.Destination], fmt.Sprintf("port %d", ports.Dst))
	case done:
		n.complete[s.Destination] = append(n.complete[s.Destination], string(pdu))
	}
	return fate
}

// arrived fails the test unless each push arrived whole and exactly once.
func (n *network) arrived(t *testing.T, q *memQueue) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, job := range q.jobs {
		got := n.complete[job.MSISDN]
		if len(got) != 1 || got[0] != string(payload(id, q.size)) {
			t.Errorf("push %d arrived as %d pushes %.60q", id, len(got), got)
		}
	}
}

func (n *network) times(number string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.complete[number])
}

// quick are options whose time-outs suit a test. Waits that would be a failure stay long.
func quick() Options {
	return Options{
		CommandTimeout: 2 * time.Second,
		PromptTimeout:  2 * time.Second,
		SendTimeout:    5 * time.Second,
		RegisterPoll:   2 * time.Millisecond,
		HealthPoll:     50 * time.Millisecond,
		DoubtWindow:    10 * time.Second,
		RetrySoon:      10 * time.Millisecond,
		RetryLater:     20 * time.Millisecond,
		RetryMax:       50 * time.Millisecond,
		ReopenMin:      5 * time.Millisecond,
		ReopenMax:      50 * time.Millisecond,
		Poll:           10 * time.Millisecond,
		Drain:          5 * time.Second,
	}
}

// rig is a running pool on a bank of simulated modems.
type rig struct {
	t     *testing.T
	bank  *modemsim.Bank
	queue *memQueue
	net   *network
	pool  *Pool
	logs  *observer.ObservedLogs
	stop  func() // ends the pool and waits for it
}

// bank starts modems that are stopped with the test.
func bank(t *testing.T, o modemsim.Options) *modemsim.Bank {
	t.Helper()
	b, err := modemsim.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// start runs a pool on modems of the given characters, one if there are none.
func start(t *testing.T, o Options, q *memQueue, n *network, characters ...modemsim.Character) *rig {
	t.Helper()
	return startBank(t, o, q, n, modemsim.Options{
		Modems: len(characters),
		Character: func(i int) modemsim.Character {
			if len(characters) == 0 {
				return modemsim.Character{}
			}
			return characters[i]
		},
	})
}

func startBank(t *testing.T, o Options, q *memQueue, n *network, so modemsim.Options) *rig {
	t.Helper()
	so.Network = n
	r := &rig{t: t, bank: bank(t, so), queue: q, net: n}
	o.Ports = ports(r.bank, o.Ports...)
	r.run(o)
	return r
}

// ports are those of a bank. One that is given as a model says what they have beside their path.
func ports(b *modemsim.Bank, model ...Port) []Port {
	var out []Port
	for _, path := range b.Paths() {
		var p Port
		if len(model) > 0 {
			p = model[0]
		}
		p.Path = path
		out = append(out, p)
	}
	return out
}

// run starts the pool.
func (r *rig) run(o Options) {
	r.t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	o.Log, r.logs = zap.New(core), logs
	pool, err := New(o, r.queue)
	if err != nil {
		r.t.Fatal(err)
	}
	r.pool = pool
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- pool.Run(ctx) }()
	var once sync.Once
	r.stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-ended:
				if err != nil {
					r.t.Errorf("Run: %v", err)
				}
			case <-time.After(patience):
				r.t.Error("Run does not end")
			}
		})
	}
	r.t.Cleanup(r.stop)
}

// awaitModem waits until modem i is as wanted. Its status has no channel, so it is looked at as jobs and time go by.
func (r *rig) awaitModem(i int, what string, cond func(Status) bool) {
	r.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for {
		s := r.pool.Modems()[i]
		if cond(s) {
			return
		}
		select {
		case <-look.C:
		case <-deadline.C:
			r.t.Fatalf("modem %d is %+v; waited for %s", i, s, what)
		}
	}
}

var errDisk = errors.New("disk full")

// modem0 is the ID of the first modem of a bank.
const modem0 = "IMEI 490154200000000"
