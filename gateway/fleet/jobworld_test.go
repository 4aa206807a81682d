package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/valyala/fasthttp"

	"dmgate/bench/handset"
	"dmgate/codec/push"
	"dmgate/gateway/device"
	"dmgate/modempool"
	"dmgate/sessions"
	"dmgate/storage"
	"dmgate/storage/pebble"
)

// jobWorld is a fleet with its jobs, the endpoint that devices connect to, one simulated handset, and time, which the test
// lets pass. Nothing happens in it by itself.
type jobWorld struct {
	*Fleet
	t      testing.TB
	store  *breaking
	now    time.Time
	engine *jobEngine

	world *handset.World
	phone *handset.Handset
	dev   storage.DeviceID
	radio string // "on"; "off": it gets no SMS; "refused": the network refuses the number
	user  string // "accepts", "away": it is not there
	pin   string // that the user was told
	shown map[string]int
	mu    sync.Mutex
	execs map[string]int // that the handset has taken, by URI
	sent  map[string]int // pushes that left, by kind
}

func newJobWorld(t testing.TB, m *handset.Make) *jobWorld {
	small := pebble.Options{FS: vfs.NewMem(), NoSync: true, CacheSize: 1 << 20, MemTableSize: 1 << 20}
	store, err := pebble.Open("store", small)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := &jobWorld{
		t: t, store: &breaking{Store: store}, now: epoch, radio: "on", user: "accepts", shown: make(map[string]int),
		execs: make(map[string]int), sent: make(map[string]int),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String() + device.Path
	clock := func() time.Time { return w.now }
	w.Fleet = New(Options{
		Address: address, SendWithin: 7 * 24 * time.Hour, AnswerIn: 72 * time.Hour, Clock: clock,
		File: func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(make([]byte, 100))), nil },
	}, w.store, func() {})
	w.must(w.Load())
	endpoint := device.New(device.Options{
		Sessions: sessions.Options{Address: address, Planner: w.Fleet, Random: Random}, Clock: clock,
	}, w.store, metrics.NewSet())
	server := &fasthttp.Server{Handler: endpoint.Serve, NoDefaultServerHeader: true}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	w.world = handset.NewWorld(handset.Settings{
		NoFetch: true, Attempts: 50, BackOff: time.Millisecond, MaxBackOff: time.Millisecond,
		Wait: func(context.Context, time.Duration) error { w.store.mend(); return nil }, // the store is open again by then
		Observe: func(e handset.Event) {
			if e.Kind == handset.Executed {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.execs[e.Detail]++
			}
		},
	})
	t.Cleanup(func() {
		w.world.Close()
		server.Shutdown()
		<-served
	})
	w.phone = handset.New(m, handset.NewIdentity(1, 7), handset.Temper{}, w.world)
	d, err := w.Register(NewDevice{MSISDN: w.phone.MSISDN, IMSI: w.phone.IMSI})
	w.must(err)
	w.dev = d.ID
	w.engine = w.newJobEngine()
	w.must(w.engine.load(t.Context()))
	return w
}

func (w *jobWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// pass lets time pass, in steps.
func (w *jobWorld) pass(d, step time.Duration) {
	w.t.Helper()
	w.live()
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(min(step, end.Sub(w.now)))
		w.must(w.EndWaits(w.now))
		w.live()
	}
}

// live does all that there is to do now.
func (w *jobWorld) live() {
	w.t.Helper()
	for range 20 {
		w.work()
		if !w.send() && !w.connect() {
			return
		}
	}
	w.t.Fatal("the phone does not come to rest")
}

// work lets the engine do all that there is to do. Where its store breaks, the next engine goes on.
func (w *jobWorld) work() {
	w.t.Helper()
	for rounds := 0; rounds < 1000; rounds++ {
		w.store.arm(true)
		var err error
		worked := true
		if w.engine == nil {
			w.engine = w.newJobEngine()
			err = w.engine.load(w.t.Context())
		}
		if at := w.engine.at; err == nil {
			worked, err = w.engine.round(w.t.Context())
			worked = worked || w.engine.at != at
		}
		w.store.arm(false)
		switch {
		case w.store.isBroken():
			w.store.mend()
			w.engine = nil
		case err != nil:
			w.t.Fatal(err)
		case !worked:
			return
		}
	}
	w.t.Fatal("the engine does not come to rest")
}

// send lets a modem take what is due, and the network bring it.
func (w *jobWorld) send() (sent bool) {
	w.t.Helper()
	flows, err := w.Flows(w.now, storage.Flow{}, 100)
	w.must(err)
	for _, flow := range flows {
		due, err := w.Due(flow, w.now, 100)
		w.must(err)
		for i := range due {
			w.transmit(&due[i])
			sent = true
		}
	}
	return sent
}

func (w *jobWorld) transmit(p *storage.PushJob) {
	w.t.Helper()
	p.State, p.Attempts, p.Modem = storage.PushSending, p.Attempts+1, "m1"
	if err := w.Save(p); errors.Is(err, modempool.ErrWithdrawn) {
		return
	} else {
		w.must(err)
	}
	w.sent[p.Kind]++
	p.Changed, p.State = w.now, storage.PushDelivered
	switch w.radio {
	case "refused":
		p.State, p.Error = storage.PushFailed, "the network refuses the number"
	case "off":
		p.State = storage.PushSent
	default:
		w.deliver(p)
	}
	w.must(w.Save(p))
}

// deliver brings a push to the phone.
func (w *jobWorld) deliver(p *storage.PushJob) {
	w.t.Helper()
	if p.Text != "" {
		w.phone.ReceiveText(p.Text)
		return
	}
	pdu, err := w.PDU(p)
	w.must(err)
	segments, err := push.Split(pdu, push.Ports{Dst: 2948, Src: 9200}, uint8(p.ID))
	w.must(err)
	for _, ud := range segments {
		w.phone.Receive(ud)
	}
	if p.Kind == kindBootstrap && w.user == "accepts" && w.pin != "" {
		w.phone.Tell(w.pin)
	}
}

// connect lets the phone open a session, where it wants one and its user does not stand in the way.
func (w *jobWorld) connect() bool {
	w.t.Helper()
	if w.user == "away" || !w.phone.Ready() {
		return false
	}
	w.session()
	return true
}

func (w *jobWorld) session() {
	w.t.Helper()
	w.store.arm(true)
	err := w.phone.Session(w.t.Context())
	w.store.arm(false)
	w.store.mend()
	if err != nil && !errors.Is(err, handset.ErrNoAccount) {
		w.t.Logf("session: %v", err)
	}
}

// news are the lines that the timelines of jobs have got since they were shown last.
func (w *jobWorld) news() string {
	w.t.Helper()
	jobs, err := w.store.Jobs(w.dev)
	w.must(err)
	var b strings.Builder
	for i := range jobs {
		j := &jobs[i]
		for _, step := range j.Steps[w.shown[j.ID]:] {
			fmt.Fprintf(&b, "%s %s %s: %s\n", after(step.Time), w.name(j.ID), step.State, w.plain(step.Text))
		}
		w.shown[j.ID] = len(j.Steps)
	}
	return b.String()
}

// waits are what the jobs that are not over wait for.
func (w *jobWorld) waits() string {
	w.t.Helper()
	jobs, err := w.store.Jobs(w.dev)
	w.must(err)
	var b strings.Builder
	for i := range jobs {
		j := &jobs[i]
		if !j.State.Open() {
			fmt.Fprintf(&b, "%s is %s: %s\n", w.name(j.ID), j.State, w.plain(j.Reason))
			continue
		}
		fmt.Fprintf(&b, "%s is %s since %s, waits for %s since %s until %s, then %s\n", w.name(j.ID), j.State, after(j.Since),
			w.plain(j.Wait.For), after(j.Wait.Since), after(j.Wait.Until), w.plain(j.Wait.Next))
	}
	return b.String()
}

// after is a time as it passes in the script: "2d03h00m".
func after(at time.Time) string {
	d := at.Sub(epoch)
	days := d / (24 * time.Hour)
	d -= days * 24 * time.Hour
	text := fmt.Sprintf("%02dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	if days > 0 {
		text = fmt.Sprintf("%dd", days) + text
	}
	return text
}

// name is what the script calls a job: its kind and its number.
func (w *jobWorld) name(id string) string {
	j, err := w.store.Job(w.dev, id)
	w.must(err)
	return fmt.Sprintf("%s#%d", j.Kind, j.Number)
}

// plain puts names into a text that are the same each time.
func (w *jobWorld) plain(text string) string {
	jobs, err := w.store.Jobs(w.dev)
	w.must(err)
	for i := range jobs {
		text = strings.ReplaceAll(text, jobs[i].ID, w.name(jobs[i].ID))
	}
	packages, err := w.Packages("", 100)
	w.must(err)
	for i := range packages {
		text = strings.ReplaceAll(text, packages[i].ID, "PKG")
	}
	return text
}
