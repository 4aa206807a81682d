package modempool

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dmgate/codec/push"
	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// sentOrder is a network that notes the order in which single-segment pushes are sent.
func sentOrder(n *network) func() []string {
	var order []string
	n.fate = func(_, _ int, s *push.Submit) modemsim.Fate {
		n.mu.Lock()
		defer n.mu.Unlock()
		order = append(order, s.Destination)
		return modemsim.Fate{Report: true}
	}
	return func() []string {
		n.mu.Lock()
		defer n.mu.Unlock()
		return slices.Clone(order)
	}
}

// inFlows puts pushes into flows: those of the first n into the first, and so on.
func inFlows(jobs []storage.PushJob, sizes map[string]int, order ...string) []storage.PushJob {
	i := 0
	for _, name := range order {
		for range sizes[name] {
			jobs[i].Flow = name
			i++
		}
	}
	return jobs
}

// Flows of one priority take turns, however many wait in one of them; a higher priority goes before both.
func TestFlowsTakeTurns(t *testing.T) {
	t.Parallel()
	jobs := inFlows(pushes(63), map[string]int{"big/": 50, "small/": 10, "urgent/": 3}, "big/", "small/", "urgent/")
	for i := range jobs {
		jobs[i].Priority = 5
		if jobs[i].Flow == "urgent/" {
			jobs[i].Priority = 1
		}
	}
	q, n := newQueue(jobs...), newNetwork()
	q.size = 50
	order := sentOrder(n)
	start(t, quick(), q, n)
	q.awaitState(t, storage.PushDelivered)
	flow := make(map[string]string)
	for _, j := range jobs {
		flow[j.MSISDN] = j.Flow
	}
	var flows []string
	for _, number := range order() {
		flows = append(flows, flow[number])
	}
	if got := strings.Join(flows[:3], " "); got != "urgent/ urgent/ urgent/" {
		t.Errorf("the urgent ones do not go first: %s", got)
	}
	small := 0
	for i, f := range flows[3:23] {
		if f == "small/" {
			small++
		}
		if d := small - (i+1)/2; d < -1 || d > 1 {
			t.Fatalf("no turns: %v", flows[3:23])
		}
	}
}

// A flow that may not go holds up nothing that stands behind it, and goes when it may.
func TestBlockedFlow(t *testing.T) {
	t.Parallel()
	jobs := inFlows(pushes(60), map[string]int{"/+49171": 40, "/+4930": 20}, "/+49171", "/+4930")
	for i := range jobs[40:] {
		jobs[40+i].MSISDN = "+4930" + jobs[40+i].MSISDN[6:]
	}
	q, n := newQueue(jobs...), newNetwork()
	o := quick()
	o.Limits.Destinations = []Destination{{Prefix: "+49171", Rate: 1e-9}} // one, and then no more in this life
	r := start(t, o, q, n, modemsim.Character{}, modemsim.Character{})
	q.await(t, "all of the free flow", func(jobs map[uint64]*storage.PushJob) bool {
		free := 0
		for _, j := range jobs {
			if j.Flow == "/+4930" && j.State == storage.PushDelivered {
				free++
			}
		}
		return free == 20
	})
	blocked := 0
	for id := range q.jobs {
		if j := q.get(id); j.Flow == "/+49171" && j.State == storage.PushQueued && j.Attempts == 0 && q.saves[id] == nil {
			blocked++
		}
	}
	if blocked != 39 {
		t.Errorf("%d pushes wait untouched, want 39", blocked)
	}
	r.pool.Wake()
	r.awaitModem(0, "the wait to be told", func(Status) bool {
		waits := r.pool.Waits()
		return len(waits) == 1 && waits[0].Name == "/+49171" && waits[0].For == "+49171: 1e-09 segments a minute"
	})
	if err := r.pool.SetLimits(Limits{}); err != nil {
		t.Fatal(err)
	}
	q.awaitState(t, storage.PushDelivered)
	if !r.pool.LimitsSet() || string(q.settings[settingLimits]) == "" {
		t.Error("limits that were set are not kept")
	}
	err := r.pool.UnsetLimits()
	if back := r.pool.Limits(); err != nil || back.Destination("+491711").Rate != 1e-9 {
		t.Errorf("the limits of the options do not come back: %v", err)
	}
}

// A push goes only through a modem with a tag of its destination, and waits for one while others idle.
func TestRoutes(t *testing.T) {
	t.Parallel()
	jobs := pushes(20)
	for i := range jobs {
		if i%2 == 0 {
			jobs[i].MSISDN, jobs[i].Flow = "+4930"+jobs[i].MSISDN[6:], "/+4930"
		}
	}
	q, n := newQueue(jobs...), newNetwork()
	wrong := 0
	n.fate = func(_, modem int, s *push.Submit) modemsim.Fate {
		if strings.HasPrefix(s.Destination, "+4930") != (modem == 1) && modem != 0 {
			n.mu.Lock()
			wrong++
			n.mu.Unlock()
		}
		if strings.HasPrefix(s.Destination, "+4930") && modem == 0 {
			n.mu.Lock()
			wrong++
			n.mu.Unlock()
		}
		return modemsim.Fate{Report: true}
	}
	sim := bank(t, modemsim.Options{Modems: 2, Network: n, Character: func(int) modemsim.Character { return modemsim.Character{} }})
	o := quick()
	o.Ports = ports(sim)
	o.Ports[1].Tags = []string{"berlin"}
	o.Limits.Destinations = []Destination{{Prefix: "+4930", Modems: []string{"berlin"}}, {Prefix: "+49171", Modems: []string{"d1"}}}
	o.Ports[0].Tags = []string{"d1"}
	r := &rig{t: t, bank: sim, queue: q, net: n}
	r.run(o)
	q.awaitState(t, storage.PushDelivered)
	if wrong > 0 {
		t.Errorf("%d segments went through the wrong modem", wrong)
	}
}

// A number that has had its share waits for its hour, and nobody else does.
func TestNumberWaits(t *testing.T) {
	t.Parallel()
	jobs := pushes(4)
	jobs[1].MSISDN = jobs[0].MSISDN
	q, n := newQueue(jobs...), newNetwork()
	o := quick()
	o.Limits.DestinationHour = 1
	start(t, o, q, n)
	q.await(t, "the others", func(jobs map[uint64]*storage.PushJob) bool {
		return jobs[1].State == storage.PushDelivered && jobs[3].State == storage.PushDelivered && jobs[4].State == storage.PushDelivered
	})
	job := q.get(2)
	if wait := time.Until(job.NotBefore); job.State != storage.PushQueued || wait < 50*time.Minute || !strings.Contains(job.Error, "1 pushes an hour") {
		t.Errorf("the second push to one number is %s, for %v: %q", job.State, wait, job.Error)
	}
}

// A drained modem finishes its push, takes no more, and is given more when it may again. A removed one is gone.
func TestDrainAndRemove(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(2)...), newNetwork()
	air, land := make(chan struct{}), make(chan struct{})
	n.fate = func(k, _ int, _ *push.Submit) modemsim.Fate {
		if k == 0 {
			close(air)
			<-land
		}
		return modemsim.Fate{Report: true}
	}
	r := start(t, quick(), q, n)
	<-air
	err := r.pool.Drain(modem0)
	close(land)
	if err != nil {
		t.Fatal(err)
	}
	r.awaitModem(0, "a drained modem", func(s Status) bool { return s.State == Drained && s.Draining && s.Pushes == 1 })
	if s := q.get(2).State; s != storage.PushQueued {
		t.Errorf("the second push is %s", s)
	}
	if err := r.pool.Undrain("modem0"); err != nil { // by name as well
		t.Fatal(err)
	}
	q.awaitState(t, storage.PushDelivered)
	if err := r.pool.Remove(modem0); err != nil {
		t.Fatal(err)
	}
	if got := len(r.pool.Modems()); got != 0 {
		t.Errorf("%d modems after it was removed", got)
	}
	if err := r.pool.Drain(modem0); !errors.Is(err, ErrNoModem) {
		t.Errorf("draining one that is not there: %v", err)
	}
	again := ports(r.bank)[0]
	if err := r.pool.AddPort(again); err != nil {
		t.Fatal(err)
	}
	if err := r.pool.AddPort(again); !errors.Is(err, ErrHasModem) {
		t.Errorf("a port added twice: %v", err)
	}
	q.add(pushes(3)[2])
	r.pool.Wake()
	q.awaitState(t, storage.PushDelivered)
}

// A modem that is removed while it waits for work takes none with it: the others send what comes.
func TestRemovedModemTakesNothing(t *testing.T) {
	t.Parallel()
	q, n := newQueue(), newNetwork()
	r := start(t, quick(), q, n, make([]modemsim.Character, 6)...)
	for i := range 6 {
		r.awaitModem(i, "a ready modem", func(s Status) bool { return s.State == Ready })
	}
	jobs := pushes(10)
	for i := range 5 {
		if err := r.pool.Remove(r.pool.Modems()[0].ID); err != nil {
			t.Fatal(err)
		}
		q.add(jobs[2*i])
		q.add(jobs[2*i+1])
		r.pool.Wake()
		q.await(t, "all pushes sent", func(jobs map[uint64]*storage.PushJob) bool { // a report may be that of a removed one
			for _, j := range jobs {
				if j.State != storage.PushSent && j.State != storage.PushDelivered {
					return false
				}
			}
			return true
		})
	}
}

// counted is a queue that counts what is read of it.
type counted struct {
	*memQueue
	looks, rows atomic.Int64
}

func (c *counted) Flows(now time.Time, from storage.Flow, limit int) ([]storage.Flow, error) {
	c.looks.Add(1)
	return c.memQueue.Flows(now, from, limit)
}

func (c *counted) Due(flow storage.Flow, now time.Time, limit int) ([]storage.PushJob, error) {
	jobs, err := c.memQueue.Due(flow, now, limit)
	c.rows.Add(int64(len(jobs)))
	return jobs, err
}

// However much waits in the store, little of it is read for each push that is sent.
func TestLittleIsRead(t *testing.T) {
	t.Parallel()
	const sent, modems = 200, 2
	c, n := &counted{memQueue: newQueue(pushes(5000)...)}, newNetwork()
	c.size = 50
	sim := bank(t, modemsim.Options{Modems: modems, Network: n})
	o := quick()
	o.Ports, o.Poll = ports(sim), time.Hour
	pool, err := New(o, c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- pool.Run(ctx) }()
	c.await(t, "some pushes sent", func(map[uint64]*storage.PushJob) bool { return len(c.saves) >= sent })
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got := c.looks.Load(); got != 1 {
		t.Errorf("flows read %d times, want once", got)
	}
	// A page for every readyEach pushes, with those that the modems have.
	if got, most := c.rows.Load(), int64((len(c.saves)/readyEach+2)*(readyEach+modems)); got > most {
		t.Errorf("%d pushes read for %d sent, want %d at most", got, len(c.saves), most)
	}
}

// Whatever the moment at which a process ends, the next one over the same queue goes on: nothing is lost, nothing stays
// in doubt for ever, and what arrives twice was perhaps sent.
func TestCrashesInARow(t *testing.T) {
	t.Parallel()
	q, n := newQueue(pushes(30)...), newNetwork()
	sim := bank(t, modemsim.Options{Modems: 3, Network: n, Seed: 2, Ack: 200 * time.Millisecond})
	deadline := time.Now().Add(3 * patience)
	for crash := 0; ; crash++ {
		if time.Now().After(deadline) {
			t.Fatalf("not through after %d crashes", crash)
		}
		o := quick()
		o.Ports, o.DoubtWindow, o.Drain = ports(sim), 30*time.Millisecond, time.Nanosecond
		o.Resends, o.Attempts = 1000, 1000
		pool, err := New(o, q)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		dead := &deadAfter{memQueue: q, writes: 7 + 5*crash, died: make(chan struct{})}
		pool.queue = dead
		go func() { ended <- pool.Run(ctx) }()
		done := false
		for over := false; !done && !over; {
			q.mu.Lock()
			changed := q.changed
			done = true
			for _, j := range q.jobs {
				done = done && (j.State == storage.PushDelivered || j.State == storage.PushSent)
			}
			q.mu.Unlock()
			if !done {
				select {
				case <-changed:
				case <-dead.died:
					over = true
				case <-time.After(patience):
					t.Fatal("nothing moves")
				}
			}
		}
		cancel()
		<-ended
		if done {
			if crash < 3 {
				t.Errorf("only %d crashes", crash)
			}
			break
		}
	}
	for id, job := range q.jobs {
		if got := n.times(job.MSISDN); got < 1 || got > 1+job.Repeats+job.Faults {
			t.Errorf("push %d arrived %d times, %d times sent once more, %d faults", id, got, job.Repeats, job.Faults)
		}
	}
}

// deadAfter is a queue of a process that dies: after so many writes nothing it says is heard any more.
type deadAfter struct {
	*memQueue
	writes int
	died   chan struct{}
}

var errDead = errors.New("the process is dead")

func (d *deadAfter) alive() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.writes--; d.writes == -1 {
		close(d.died)
	}
	if d.writes < 0 {
		return errDead
	}
	return nil
}

func (d *deadAfter) Save(job *storage.PushJob) error {
	if err := d.alive(); err != nil {
		return err
	}
	return d.memQueue.Save(job)
}

func (d *deadAfter) Edit(dev storage.DeviceID, id uint64, change func(*storage.PushJob) error) error {
	if err := d.alive(); err != nil {
		return err
	}
	return d.memQueue.Edit(dev, id, change)
}
