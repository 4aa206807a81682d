package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"dmgate/bench/handset"
	"dmgate/codec/push"
	"dmgate/gateway/fleet"
	"dmgate/storage"
	"dmgate/storage/pebble"
)

// killedDuringSessions kills at random moments while handsets hold sessions with Get, Add, Replace and Exec in them. No
// handset notices more than that an answer takes longer: every session comes to its end, no Exec reaches a handset
// twice, and every answer that was acknowledged is in the store, once.
//
// The moments follow from a seed, which is logged; DMGATE_SEED sets it. What the processes do in between is not the
// seed's to say, so that a run is repeated in its outline only.
func killedDuringSessions(t *testing.T, program string) {
	phones, kills := 1200, 24
	if testing.Short() {
		phones, kills = 120, 5
	}
	seed := rand.Uint64()
	if text := os.Getenv("DMGATE_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d", seed)
	told := newLedger()
	o := handset.Options{Count: phones, Seed: seed, Concurrency: 64}
	o.Losing, o.NoFetch, o.Observe = 0.02, true, told.observe
	f := newField(t, program, t.TempDir(), o)
	f.orderTasks()
	want := 0
	for _, h := range f.phones.Handsets() {
		want += sessionsOf(h)
	}

	begin := time.Now()
	counts := f.killAtRandom(rand.New(rand.NewPCG(seed, 1)), kills, want)
	f.until(30*time.Second, "every session is finished", func() bool {
		c := f.phones.Counts()
		return c.Closed == want && c.States[handset.Managed] == phones
	})
	last := f.counts()
	counts.Commits, counts.Syncs = counts.Commits+last.Commits, counts.Syncs+last.Syncs
	took := time.Since(begin)
	f.sound()

	c := f.phones.Counts()
	if c.Sessions != want || c.Closed != want {
		t.Errorf("%d sessions opened, %d closed, want %d", c.Sessions, c.Closed, want)
	}
	if c.Repeats == 0 {
		t.Error("no handset met a dead gateway: nothing was tested")
	}
	kept := f.compare(told)
	execs, double := told.execs()
	for _, e := range double {
		t.Errorf("executed more than once: %s", e)
	}
	if wanted := want - phones; execs != wanted { // each has led to a session of its own
		t.Errorf("%d Execs reached handsets, want %d", execs, wanted)
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "kills\tsessions\tmessages\trepeats\tcommits\tper fsync\tresults\tduplicates\tlost\tExecs\tdouble\ttime\t")
	fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%.1f\t%d\t%d\t%d\t%d\t%d\t%.1f s\t\n", kills, c.Sessions, c.Messages, c.Repeats,
		counts.Commits, float64(counts.Commits)/float64(max(counts.Syncs, 1)), kept.results, kept.duplicates, kept.lost,
		execs, len(double), took.Seconds())
	w.Flush()
	t.Logf("\n%s", table.String())
}

// killAtRandom kills the gateway n times while handsets hold so many sessions, and leaves it running. Every fourth time
// it is killed once more while it starts. It returns what the processes said they had done, shortly before their end.
func (f *field) killAtRandom(rng *rand.Rand, n, sessions int) (all pebble.Counts) {
	f.t.Helper()
	moments := make([]int, n)
	for k := range moments {
		moments[k] = rng.IntN(sessions * 9 / 10)
	}
	slices.Sort(moments)
	f.start()
	f.run()
	for k := 0; k < n; k++ {
		f.until(30*time.Second, "work goes on", func() bool { return f.phones.Counts().Closed >= moments[k] })
		delay := time.Duration(rng.Int64N(int64(30 * time.Millisecond)))
		<-time.After(delay)
		c := f.counts()
		all.Commits, all.Syncs = all.Commits+c.Commits, all.Syncs+c.Syncs
		f.t.Logf("kill %d: %v after session %d", k+1, delay, moments[k])
		f.kill()
		if k%4 == 3 && k+1 < n {
			k++
			f.launch()
			delay := time.Duration(rng.Int64N(int64(100 * time.Millisecond)))
			<-time.After(delay)
			f.t.Logf("kill %d: %v after its start", k+1, delay)
			f.kill()
		}
		f.start()
	}
	return all
}

// counts are what the gateway says of its store.
func (f *field) counts() (c pebble.Counts) {
	f.t.Helper()
	resp, err := http.Get("http://" + f.admin + "/metrics")
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		fmt.Sscanf(line, "dmgate_store_commits_total %d", &c.Commits)
		fmt.Sscanf(line, "dmgate_store_syncs_total %d", &c.Syncs)
	}
	return c
}

// orderTasks fills the store while no gateway runs: every handset is known, bootstrapped and has tasks.
func (f *field) orderTasks() {
	f.t.Helper()
	store, err := pebble.Open(filepath.Join(f.data, "store"), pebble.Options{NoSync: true})
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			f.t.Fatal(err)
		}
	}()
	rules := fleet.New(fleet.Options{Address: "http://" + f.device + "/dm"}, store, func() {})
	for _, h := range f.phones.Handsets() {
		d, err := rules.Register(fleet.NewDevice{MSISDN: h.MSISDN, IMSI: h.IMSI, DevID: h.DevID()})
		if err != nil {
			f.t.Fatal(err)
		}
		f.ids = append(f.ids, d.ID)
		o, err := rules.Bootstrap(fleet.Bootstrap{Device: d.ID})
		if err != nil {
			f.t.Fatal(err)
		}
		pushes, err := store.Pushes(d.ID)
		if err != nil {
			f.t.Fatal(err)
		}
		segments, err := push.Split(pushes[0].PDU, push.Ports{Dst: push.PortPush, Src: push.PortWSP}, 1)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, ud := range segments {
			h.Receive(ud)
		}
		f.phones.Tell(h.MSISDN, o.PIN)
		c := storage.Commit{Device: d.ID, Time: time.Now()}
		for i, commands := range tasksOf(h) {
			c.Tasks = append(c.Tasks, storage.Task{
				ID: uint64(i + 1), Device: d.ID, Purpose: "api", Commands: commands, Created: c.Time,
			})
		}
		if err := store.Commit(&c); err != nil {
			f.t.Fatal(err)
		}
	}
}

// tasksOf are the tasks of a handset: each kind of command, and where its make has something to execute one Exec.
func tasksOf(h *handset.Handset) [][]storage.Command {
	get := func(uri string) storage.Command { return storage.Command{Kind: "Get", URI: uri} }
	text := func(uri, data string) storage.Command {
		return storage.Command{Kind: "Replace", URI: uri, Format: "chr", Type: "text/plain", Data: []byte(data)}
	}
	run := func(uri string) storage.Command { return storage.Command{Kind: "Exec", URI: uri} }
	look := []storage.Command{get("./DevInfo/Lang"), get("./DevDetail/HwV"), get("./Nowhere")}
	const update = "./FUMO/DownloadAndUpdate"
	switch h.Make {
	case handset.RedBend:
		return [][]storage.Command{
			look,
			{text("./Ext/RedBend/PollingIntervalInHours", "24"), get("./Ext/RedBend/PollingIntervalInHours")},
			{text(update+"/PkgURL", "http://packages.example/1"), run(update)},
		}
	case handset.S60:
		return [][]storage.Command{
			{run("./SCM/Inventory/Deployed/C0/Operations/Deactivate")},
			look,
			{{Kind: "Add", URI: "./SCM/Download/T1", Format: "node"}, get("./SCM/Download")},
		}
	case handset.LDM:
		return [][]storage.Command{look, {text(update+"/PkgURL", "http://packages.example/2")}, {run(update)}}
	}
	return [][]storage.Command{look, {text("./DevInfo/Lang", "fi")}}
}

// sessionsOf is how many sessions a handset holds: it comes again to tell what became of an Exec.
func sessionsOf(h *handset.Handset) int {
	if h.Make == handset.BasicOnly {
		return 1
	}
	return 2
}
