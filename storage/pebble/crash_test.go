package pebble_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"dmgate/storage/pebble"
)

// disk is a file system in memory whose power can be cut.
type disk struct {
	*vfs.MemFS
	mu sync.RWMutex
}

func newDisk() *disk { return &disk{MemFS: vfs.NewCrashableMem()} }

// ReuseForWrite takes the read lock of MemFS twice, which deadlocks when a clone is made in between; see cut.
func (d *disk) ReuseForWrite(old, name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.MemFS.ReuseForWrite(old, name, category)
}

// Link is here for the same reason.
func (d *disk) Link(old, name string) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.MemFS.Link(old, name)
}

// cut is the disk as the next start finds it if the power fails now. Of what was not synced, percent survives.
func (d *disk) cut(percent int, rng *rand.Rand) *vfs.MemFS {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng})
}

// TestCrash cuts the power again and again while commits run. Of what was not synced nothing survives, or some of it:
// in both cases everything acknowledged is there, every commit whole, and the feed goes on where it ended.
func TestCrash(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, percent := range []int{0, 50} {
		const devices, commits, crashes = 8, 30, 20
		d := newDisk()
		s := open(t, "db", pebble.Options{FS: d, MemTableSize: small})
		l := newLedger()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for _, err := range write(s, l, devices, commits) {
				if err != nil {
					t.Error(err)
				}
			}
		}()
		type crash struct {
			disk *vfs.MemFS
			told *ledger
		}
		var all []crash
		for i := range uint64(crashes) {
			for grown := s.Grown(); s.Head() < i*devices*commits*2/crashes; grown = s.Grown() {
				<-grown
			}
			told := l.copy() // what is acknowledged before the power goes
			all = append(all, crash{d.cut(percent, rng), told})
		}
		<-done
		for i, c := range all {
			s := open(t, "db", pebble.Options{FS: c.disk})
			c.told.check(t, s)
			goesOn(t, s)
			if t.Failed() {
				t.Fatalf("crash %d of %d; %d%% of what was not synced survived", i, crashes, percent)
			}
		}
	}
}

// TestCrashAfterRecovery cuts the power right after a store was opened on what a killed process left with the kernel,
// unsynced: what Head said must not be taken back.
func TestCrashAfterRecovery(t *testing.T) {
	d := newDisk()
	first := open(t, "db", pebble.Options{FS: d, NoSync: true})
	write(first, newLedger(), 2, 10)
	// All that was written is there, synced or not: the process is gone, the machine is not. The clone takes its
	// content for synced, so recovery's own work is all that the second cut can lose.
	left := &disk{MemFS: d.cut(100, rand.New(rand.NewPCG(1, 2)))}
	second := open(t, "db", pebble.Options{FS: left})
	told := newLedger()
	told.head = second.Head()
	third := open(t, "db", pebble.Options{FS: left.cut(0, nil)})
	told.check(t, third)
	goesOn(t, third)
}
