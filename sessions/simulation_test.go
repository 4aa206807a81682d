package sessions_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// The simulation runs fleets of handsets against the package, by seed: a network that drops, delays, repeats and reorders,
// crashes at any commit, store errors, sessions that stop half-way, clocks that jump. After every step the promises hold.
//
//	DMGATE_STEPS=10000000 go test -run TestSimulation ./sessions -v     so many steps, over as many seeds as they take
//	DMGATE_SEED=17 go test -run TestSimulation ./sessions -v            one seed again, with the last messages where it fails

const stepsOfSeed = 25_000

// kept are seeds that have once shown something, and what. A seed shows it as long as the simulation itself stays as it
// is; the scripts in testdata and TestGuest... keep each for good.
var kept = []struct {
	seed  uint64
	shows string
}{
	{2, "a group that was broken off half-answered counted twice, and its task ended too soon"},
	{2, "the late result of an Exec that nobody knew of was acknowledged and lost"},
	{5, "a copy of a first message began a session, which took the answers of another for its own"},
	{9, "a probe whose value never came was neither asked again nor answered"},
}

func TestSimulation(t *testing.T) {
	if s := os.Getenv("DMGATE_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		simulate(t, []uint64{seed})
		return
	}
	steps := 1_000_000
	if testing.Short() {
		steps = 100_000
	}
	if s := os.Getenv("DMGATE_STEPS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		steps = n
	}
	var seeds []uint64
	for _, k := range kept {
		seeds = append(seeds, k.seed)
	}
	for n := uint64(1); len(seeds) < steps/stepsOfSeed || n == 1; n++ {
		seeds = append(seeds, n)
	}
	slices.Sort(seeds)
	seeds = slices.Compact(seeds)
	simulate(t, seeds)
}

// simulate runs the worlds of these seeds, as many at once as there are cores.
func simulate(t *testing.T, seeds []uint64) {
	var (
		wait  sync.WaitGroup
		next  atomic.Int64
		mu    sync.Mutex
		total counts
	)
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // much is thrown away, and little kept
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(seeds)); i = next.Add(1) - 1 {
				c, err := live(seeds[i], false)
				if err != nil {
					_, err = live(seeds[i], true) // once more, with its last messages
				}
				mu.Lock()
				total.add(&c)
				if err != nil {
					t.Errorf("%v\nreplay with DMGATE_SEED=%d go test -run TestSimulation ./sessions -v", err, seeds[i])
				}
				failed := t.Failed()
				mu.Unlock()
				if failed {
					return
				}
			}
		})
	}
	wait.Wait()
	t.Logf("%d seeds\n%v", len(seeds), &total)
}

// live is one run, from its seed to its end.
func live(seed uint64, traced bool) (c counts, err error) {
	w := newWorld(seed, stepsOfSeed)
	w.traced = traced
	defer func() {
		c = w.count
		switch p := recover().(type) {
		case nil:
		case violation:
			err = fmt.Errorf("seed %d, %s", seed, p.text)
		default:
			err = fmt.Errorf("seed %d, step %d: panic: %v\n%s", seed, w.count.steps, p, debug.Stack())
		}
	}()
	w.run()
	return w.count, nil
}
