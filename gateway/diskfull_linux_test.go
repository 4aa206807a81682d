package main

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dmgate/bench/handset"
)

// smallDisk is a file system of the test's own. Where none can be mounted the test is skipped, or fails if
// DMGATE_ORACLES is set to "require".
func smallDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "size="+size); err != nil {
		if os.Getenv("DMGATE_ORACLES") == "require" {
			t.Fatalf("no file system can be mounted (%v), and DMGATE_ORACLES=require", err)
		}
		t.Skipf("no file system can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes all room there is in dir, and returns what gives it back.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "filler")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for chunk := make([]byte, 64<<10); len(chunk) > 0; {
		n, err := file.Write(chunk)
		switch {
		case errors.Is(err, syscall.ENOSPC):
			chunk = chunk[:n/2]
		case err != nil:
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// TestDiskFull fills the gateway's disk while handsets hold sessions, and makes room again, twice. In between they are
// told to come back later, nothing is acknowledged, and /readyz says why; afterwards every session comes to its end, in
// the same process, and every answer that was acknowledged is there.
func TestDiskFull(t *testing.T) {
	const phones = 400
	disk := smallDisk(t, "24m") // too small for a log that reserves its room
	told := newLedger()
	var refused atomic.Int64
	o := handset.Options{Count: phones, Seed: rand.Uint64(), Concurrency: 32}
	o.NoFetch = true
	o.Observe = func(e handset.Event) {
		if e.Kind == handset.MessageRepeated && e.Detail == "HTTP status 503" {
			refused.Add(1)
		}
		told.observe(e)
	}
	f := newField(t, buildGateway(t), filepath.Join(disk, "data"), o)
	f.storeErrors = true
	f.orderTasks()
	want := 0
	for _, h := range f.phones.Handsets() {
		want += sessionsOf(h)
	}
	f.start()
	f.run()
	for round := range 2 {
		f.until(20*time.Second, "work goes on", func() bool { return f.phones.Counts().Closed >= want*(round+1)/4 })
		free := fill(t, disk)
		const why = "store: no space left on device; retrying"
		f.until(20*time.Second, "the gateway says that the disk is full", func() bool {
			status, text := f.readyz()
			return status == http.StatusServiceUnavailable && text == why
		})
		wait := func() {
			now := refused.Load()
			f.until(20*time.Second, "handsets are told to come back later", func() bool { return refused.Load() >= now+4*32 })
		}
		wait() // until the last answer from before has arrived
		taken := told.count()
		wait()
		if now := told.count(); now != taken {
			t.Errorf("%d answers were acknowledged while nothing could be written", now-taken)
		}
		free()
		f.until(20*time.Second, "the gateway is ready", func() bool {
			status, _ := f.readyz()
			return status == http.StatusOK
		})
	}
	f.until(30*time.Second, "every session is finished", func() bool {
		c := f.phones.Counts()
		return c.Closed == want && c.States[handset.Managed] == phones
	})
	f.sound()
	if n := strings.Count(f.log.String(), `"msg":"ready"`); n != 1 {
		t.Errorf("the gateway was started %d times", n)
	}
	kept := f.compare(told)
	execs, double := told.execs()
	if execs != want-phones || len(double) > 0 {
		t.Errorf("%d Execs reached handsets, want %d; more than once: %q", execs, want-phones, double)
	}
	t.Logf("%d sessions, %d messages refused, %d results, %d lost", want, refused.Load(), kept.results, kept.lost)
}
