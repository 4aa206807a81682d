package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"dmgate/modempool"
	"dmgate/sessions"
	"dmgate/storage"
	"dmgate/storage/pebble"
)

// world is a fleet with its campaigns, and what stands in for the modems and the devices.
type world struct {
	*Fleet
	t      testing.TB
	store  *breaking
	now    time.Time
	step   time.Duration // in which time passes
	engine *engine

	modems    int // pushes that they send a minute
	behaviour []behaviour
	released  bool           // groups were released, which forgets their outcomes
	told      uint64         // the feed was shown up to there
	sent      map[string]int // pushes that left, by number and by campaign
}

// behaviour is what happens to the numbers that begin with a prefix. The last one that fits counts.
type behaviour struct {
	prefix string
	push   storage.PushState // sent, delivered, failed or doubtful
	answer time.Duration     // after which the device connects; 0 for never
	code   int               // status of the commands of a task
	once   bool              // only the first push fails
}

// breaking is a store that can be told to fail at a commit of the engine, as it would in a crash: the commit is kept or
// it is not, and nothing works until a new engine begins.
type breaking struct {
	storage.Store
	mu     sync.Mutex
	armed  bool
	failAt int // commits of the engine from now; 0 for never
	kept   bool
	broken bool
}

func (b *breaking) breaks(commit func() error) error {
	b.mu.Lock()
	was := b.broken
	if b.armed && b.failAt > 0 && !was {
		b.failAt--
		b.broken = b.failAt == 0
	}
	lost := was || b.broken && !b.kept
	broken := b.broken
	b.mu.Unlock()
	if !lost {
		if err := commit(); err != nil {
			return err
		}
	}
	if broken {
		return storage.ErrFailed
	}
	return nil
}

// arm has commits counted from now on, or not.
func (b *breaking) arm(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.armed = on
}

// isBroken says whether it has failed and was not mended.
func (b *breaking) isBroken() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.broken
}

// mend lets the store work again.
func (b *breaking) mend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = false
}

func (b *breaking) Commit(c *storage.Commit) error {
	return b.breaks(func() error { return b.Store.Commit(c) })
}

func (b *breaking) CommitCampaign(c *storage.CampaignCommit) error {
	return b.breaks(func() error { return b.Store.CommitCampaign(c) })
}

func newWorld(t testing.TB) *world {
	small := pebble.Options{FS: vfs.NewMem(), NoSync: true, CacheSize: 1 << 20, MemTableSize: 1 << 20}
	store, err := pebble.Open("store", small)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := &world{t: t, store: &breaking{Store: store}, now: epoch, step: time.Minute, modems: 1000, sent: make(map[string]int)}
	w.Fleet = New(Options{
		Address: "http://gw.test:8080/dm", SendWithin: 24 * time.Hour, AnswerIn: 12 * time.Hour,
		Clock: func() time.Time { return w.now }, Destination: w.destination,
		Throughput: func() (int, float64) { return 4, 40 },
	}, w.store, func() {})
	if err := w.Load(); err != nil {
		t.Fatal(err)
	}
	w.behaviour = []behaviour{{prefix: "+", push: storage.PushDelivered, answer: 10 * time.Minute, code: 200}}
	w.engine = w.newEngine()
	w.must(w.engine.load())
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// destination: numbers are +999 OPERATOR ..., and those of operator 2 are in Tokyo.
func (w *world) destination(msisdn string) Destination {
	d := Destination{Prefix: msisdn[:5], Operator: "op" + msisdn[4:5]}
	if d.Operator == "op2" {
		d.Zone = "Asia/Tokyo"
	}
	return d
}

func (w *world) of(msisdn string) behaviour {
	b := behaviour{}
	for _, o := range w.behaviour {
		if strings.HasPrefix(msisdn, o.prefix) {
			b = o
		}
	}
	return b
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.work()
	for range int(d / w.step) {
		w.now = w.now.Add(w.step)
		w.send()
		w.connect()
		w.must(w.EndWaits(w.now))
		w.work()
	}
}

// work lets the engine do all that there is to do. Where its store breaks, the next engine goes on.
func (w *world) work() {
	w.t.Helper()
	for rounds := 0; ; rounds++ {
		if rounds > 10_000 {
			w.t.Fatal("the engine does not come to rest")
		}
		w.store.armed = true
		var err error
		worked := true
		if w.engine == nil {
			w.engine = w.newEngine()
			err = w.engine.load()
		}
		if err == nil {
			worked, err = w.engine.round(w.now)
		}
		w.store.armed = false
		switch {
		case errors.Is(err, storage.ErrFailed) && w.store.broken:
			w.store.broken, w.engine = false, nil
		case err != nil:
			w.t.Fatal(err)
		case !worked:
			return
		}
	}
}

// send lets the modems take what is due, as the pool does.
func (w *world) send() {
	w.t.Helper()
	room := w.modems
	var from storage.Flow
	for room > 0 {
		flows, err := w.store.PushFlows(w.now, from, 100)
		w.must(err)
		if len(flows) == 0 {
			return
		}
		for _, flow := range flows {
			from = flow.Next()
			if !w.flowOpen(flow.Name) {
				continue
			}
			due, err := w.store.PushesDue(flow, w.now, 10_000)
			w.must(err)
			slices.SortStableFunc(due, func(a, b storage.PushJob) int { // ordered at one time, they come in any order
				return cmp.Or(a.NotBefore.Compare(b.NotBefore), strings.Compare(a.MSISDN, b.MSISDN))
			})
			for i := 0; i < len(due) && room > 0; i++ {
				room -= w.transmit(&due[i])
			}
		}
	}
}

// transmit sends a push, and says how many modems that took.
func (w *world) transmit(job *storage.PushJob) int {
	w.t.Helper()
	job.State, job.Attempts, job.Modem, job.Segments = storage.PushSending, job.Attempts+1, "m1", make([]storage.Segment, 2)
	err := w.Save(job)
	if errors.Is(err, modempool.ErrWithdrawn) {
		return 0
	}
	w.must(err)
	pdu, err := w.PDU(job)
	if w.must(err); len(pdu) == 0 {
		w.t.Fatal("a push without a PDU")
	}
	w.sent[job.MSISDN]++
	campaign, _, _, _ := cutOrderName(job.Order)
	w.sent[campaign]++
	job.Changed = w.now
	b := w.of(job.MSISDN)
	job.State = b.push
	switch {
	case b.once && w.sent[job.MSISDN] > 1:
		job.State = storage.PushDelivered
	case b.push == storage.PushFailed:
		job.Error = "the network refuses the number"
	case b.push == storage.PushDoubtful:
		job.Error = "the modem did not answer"
	}
	w.must(w.Save(job))
	return 1
}

// connect lets the devices that were sent to for long enough open a session.
func (w *world) connect() {
	w.t.Helper()
	var after storage.DeviceID
	for {
		page, err := w.store.Devices(after, 1000)
		w.must(err)
		if len(page) == 0 {
			return
		}
		after = page[len(page)-1].ID
		for i := range page {
			if d := &page[i]; w.isToConnect(d) {
				w.session(d)
			}
		}
	}
}

// isToConnect says whether a push has reached a device that its user or itself answers now.
func (w *world) isToConnect(d *storage.Device) bool {
	b := w.of(d.MSISDN)
	if b.answer == 0 {
		return false
	}
	pushes, err := w.store.Pushes(d.ID)
	w.must(err)
	return slices.ContainsFunc(pushes, func(p storage.PushJob) bool {
		came := p.State == storage.PushSent || p.State == storage.PushDelivered
		return came && !d.Seen.After(p.Changed) && w.now.Sub(p.Changed) >= b.answer
	})
}

// session is a session of a device, as far as the fleet takes part in it.
func (w *world) session(d *storage.Device) {
	w.t.Helper()
	b := w.of(d.MSISDN)
	out := sessions.Outcome{Commit: storage.Commit{Device: d.ID, Time: w.now}}
	w.Proved(w.now, d, &out)
	open, err := w.store.OpenTasks(d.ID, 0, 100)
	w.must(err)
	for i := range open {
		task := &open[i]
		var answers []storage.Answer
		for n := range task.Commands {
			answers = append(answers, storage.Answer{Command: n, Code: b.code})
		}
		w.Answered(w.now, d, task, answers, true, &out)
		task.State = storage.TaskDone
		out.Commit.Tasks = append(out.Commit.Tasks, *task)
	}
	out.Change(d, func(d *storage.Device) {
		d.Seen = w.now
		if d.State == storage.Connected { // discovery is no matter here
			d.Enter(storage.Discovered, w.now, "", storage.Wait{})
		}
	})
	w.must(w.store.Commit(&out.Commit))
}

// check compares what the campaign counts with what there is.
func (w *world) check(id string) {
	w.t.Helper()
	c, err := w.store.Campaign(id)
	w.must(err)
	want := make(map[string]int)
	orders := 0
	outcomes := make(map[string]int) // by operator
	seen := make(map[string]bool)
	for after := uint64(0); ; {
		page, err := w.store.Targets(id, after, 1000)
		w.must(err)
		if len(page) == 0 {
			break
		}
		for i := range page {
			t := &page[i]
			after = t.Number
			want[string(t.State)]++
			if t.State == storage.TargetBegun {
				want[t.Stage]++
			}
			if over(t) && t.PIN != "" {
				w.t.Errorf("target %d is %s and keeps its PIN", t.Number, t.State)
			}
			if t.State != storage.TargetRefused && seen[t.MSISDN] {
				w.t.Errorf("%s is a target twice", t.MSISDN)
			}
			seen[t.MSISDN] = true
			w.checkOrders(t)
			orders += t.Attempts
			operator := w.destination(t.MSISDN + "00000").Operator
			outcomes[operator] += t.Attempts
			if t.Attempts > 0 && !t.Judged {
				outcomes[operator]--
			}
		}
	}
	for key, n := range c.Counts {
		if n != want[key] {
			w.t.Errorf("%d %s counted, there are %d", n, key, want[key])
		}
		delete(want, key)
	}
	for key, n := range want {
		w.t.Errorf("no %s counted, there are %d", key, n)
	}
	for operator, n := range outcomes {
		if g := c.Groups["operator:"+operator]; !w.released && g.Good+g.Bad != n {
			w.t.Errorf("%d good and %d bad outcomes of %s are counted, there were %d", g.Good, g.Bad, operator, n)
		}
	}
	if w.sent[id] > orders {
		w.t.Errorf("%d pushes were sent for %d orders", w.sent[id], orders)
	}
}

// checkOrders compares the attempts at a target with its orders.
func (w *world) checkOrders(t *storage.Target) {
	w.t.Helper()
	if t.Device == "" {
		return
	}
	all, err := w.store.Orders(t.Device)
	w.must(err)
	n := 0
	for i := range all {
		o := &all[i]
		if !strings.HasPrefix(o.ID, fmt.Sprintf("%s.%d.", t.Campaign, t.Number)) {
			continue
		}
		n++
		open := o.State == storage.OrderOpen
		if under := t.State == storage.TargetBegun && o.ID == t.Order; open != under {
			w.t.Errorf("order %s is %s, target %d is %s with order %s", o.ID, o.State, t.Number, t.State, t.Order)
		}
	}
	if n != t.Attempts {
		w.t.Errorf("target %d has %d orders for %d attempts", t.Number, n, t.Attempts)
	}
}
