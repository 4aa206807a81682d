package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// loadCmd measures what many sessions cost that nobody says anything in.
type loadCmd struct {
	JSON  string `name:"json" placeholder:"FILE" help:"Write the figures to FILE."`
	Idle  int    `default:"100000" help:"How many sessions are held open by devices that say nothing."`
	Count int    `default:"9" help:"How many times the garbage is collected in each state."`
}

// wave is how many sessions are in memory at a time while all are begun: what comes in ten seconds, at 1000 a second.
const wave = 10_000

func (c *loadCmd) Validate() error {
	if c.Idle < 1 || c.Count < 1 {
		return fmt.Errorf("--idle and --count must be more than nothing")
	}
	return nil
}

func (c *loadCmd) Run() error {
	p := &progress{total: 3}
	p.step("nothing open")
	states := []*state{weighHeap("nothing open", c.Count)}
	for _, of := range []struct {
		name  string
		batch int // how many sessions begin before those begun earlier are at rest
	}{{"idle", min(c.Idle, wave)}, {"just answered", c.Idle}} {
		p.step(fmt.Sprintf("%d sessions: %s", c.Idle, of.name))
		s := newSilence(c.Idle)
		if err := s.begin(of.batch); err != nil {
			return err
		}
		if of.name == "idle" {
			if err := s.rest(); err != nil {
				return err
			}
		}
		states = append(states, weighHeap(of.name, c.Count))
		runtime.KeepAlive(s)
	}
	p.end()
	r := &report{Machine: thisMachine(), Options: map[string]any{"idle": c.Idle, "count": c.Count}}
	loadFigures(r, c.Idle, states)
	m := &r.Machine
	fmt.Printf("%s, %d cores, %s/%s, %s: %d sessions, %d collections in each state\n\n",
		m.CPU, m.Cores, m.OS, m.Arch, m.Go, c.Idle, c.Count)
	if err := loadTable(os.Stdout, c.Idle, states); err != nil {
		return err
	}
	return r.write(c.JSON)
}

// state is what the heap holds at a time, and what it costs to collect it.
type state struct {
	name   string
	heap   float64   // bytes of live objects
	pauses []float64 // ms in which nothing else ran, of each collection
	walls  []float64 // ms from its start to its end, sweeping included
	cpu    []float64 // ms of all processors together
}

// weighHeap collects all garbage, and then count times more.
func weighHeap(name string, count int) *state {
	s := &state{name: name}
	runtime.GC()
	runtime.GC() // what pools let go of in the first
	var m runtime.MemStats
	for range count {
		cpu := cpuTime()
		start := time.Now()
		runtime.GC()
		s.walls = append(s.walls, ms(time.Since(start)))
		s.cpu = append(s.cpu, ms(cpuTime()-cpu))
		runtime.ReadMemStats(&m)
		s.pauses = append(s.pauses, ms(time.Duration(m.PauseNs[(m.NumGC+255)%256])))
	}
	s.heap = float64(m.HeapAlloc)
	return s
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// loadFigures adds to r what sessions cost while they are idle: load.heap_bytes_per_session and, with all that the
// process holds, load.heap_mib; the same just after a message, under load.active; and load.gc, the collections.
func loadFigures(r *report, sessions int, states []*state) {
	nothing, idle, active := states[0], states[1], states[2]
	r.add("load.idle_sessions", float64(sessions), "sessions")
	r.add("load.heap_bytes_per_session", idle.above(nothing, sessions), "B")
	r.add("load.heap_mib", idle.heap/mebibyte, "MiB")
	r.add("load.active.heap_bytes_per_session", active.above(nothing, sessions), "B")
	r.add("load.active.heap_mib", active.heap/mebibyte, "MiB")
	for _, of := range []struct {
		name string
		*state
	}{{"load.gc.", idle}, {"load.active.gc.", active}, {"load.nothing.gc.", nothing}} {
		r.add(of.name+"pause_ms", median(of.pauses), "ms")
		r.add(of.name+"pause_max_ms", slices.Max(of.pauses), "ms")
		r.add(of.name+"wall_ms", median(of.walls), "ms")
		r.add(of.name+"wall_max_ms", slices.Max(of.walls), "ms")
		r.add(of.name+"cpu_ms", median(of.cpu), "ms")
	}
}

// above is what each session takes beyond what was there before.
func (s *state) above(before *state, sessions int) float64 {
	return (s.heap - before.heap) / float64(sessions)
}

func loadTable(out io.Writer, sessions int, states []*state) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "sessions\theap\ta session\tpause\tworst\tcollection\tworst\tits CPU\t")
	for _, s := range states {
		each := ""
		if s != states[0] {
			each = fmt.Sprintf("%.0f B", s.above(states[0], sessions))
		}
		fmt.Fprintf(w, "%s\t%.1f MiB\t%s\t%.3f ms\t%.3f ms\t%.1f ms\t%.1f ms\t%.1f ms\t\n", s.name, s.heap/mebibyte, each,
			median(s.pauses), slices.Max(s.pauses), median(s.walls), slices.Max(s.walls), median(s.cpu))
	}
	return w.Flush()
}
