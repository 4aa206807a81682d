package pebble_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"dmgate/storage"
	"dmgate/storage/pebble"
)

// small makes the engine write tables and change logs often.
const small = 64 << 10

// isWrite says whether op reaches the disk. Failed removals and failed hints are harmless, and are not counted.
func isWrite(op errorfs.Op) bool {
	switch op.Kind {
	case errorfs.OpRemove, errorfs.OpRemoveAll, errorfs.OpFilePreallocate, errorfs.OpFileFlush, errorfs.OpLock,
		errorfs.OpMkdirAll:
		return false
	}
	return op.Kind.ReadOrWrite() == errorfs.OpIsWrite
}

// ledger is what a caller was told: commits that returned nil.
type ledger struct {
	mu   sync.Mutex
	last map[storage.DeviceID]int // highest commit acknowledged
	head uint64                   // highest offset a reader saw
}

func newLedger() *ledger { return &ledger{last: map[storage.DeviceID]int{}} }

func (l *ledger) acknowledge(id storage.DeviceID, n int, head uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last[id] = n
	l.head = max(l.head, head)
}

// copy is the ledger at this moment: what has to survive if the power fails now.
func (l *ledger) copy() *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := newLedger()
	for id, n := range l.last {
		c.last[id] = n
	}
	c.head = l.head
	return c
}

// numbered is the n-th commit of a device: each of its parts says n.
func numbered(id storage.DeviceID, n int) *storage.Commit {
	state := storage.States[n%len(storage.States)]
	c := &storage.Commit{
		Device:     id,
		Tasks:      []storage.Task{{ID: uint64(n), Device: id, State: storage.TaskState(n % 4)}},
		Results:    []storage.Results{{Device: id, Task: uint64(n), MsgID: uint32(n)}},
		Pushes:     []storage.PushJob{{ID: 1, Device: id, State: storage.PushQueued, Priority: uint8(n), Attempts: n}},
		Checkpoint: &storage.Checkpoint{Device: id, MsgID: uint32(n), Reply: make([]byte, 500)},
		Feed:       []storage.FeedEntry{{Kind: "session", Text: fmt.Sprint(n)}},
	}
	if n == 1 {
		c.New = &storage.Device{ID: id, MSISDN: string(id), State: state}
		return c
	}
	c.Edit = func(d *storage.Device) error {
		d.State, d.DevID = state, fmt.Sprint(id, n)
		d.Wait = storage.Wait{For: "it"}
		return nil
	}
	return c
}

// write makes commits for several devices at once until one of them fails, and returns the errors.
func write(s *pebble.Store, l *ledger, devices, commits int) []error {
	errs := make([]error, devices)
	var wg sync.WaitGroup
	for w := range devices {
		wg.Go(func() {
			id := storage.DeviceID(fmt.Sprintf("d%d", w))
			for n := 1; n <= commits; n++ {
				if errs[w] = s.Commit(numbered(id, n)); errs[w] != nil {
					return
				}
				l.acknowledge(id, n, s.Head())
			}
		})
	}
	wg.Wait()
	return errs
}

// check checks that s is sound and holds what was acknowledged, and that each device is in the state of one commit.
func (l *ledger) check(t *testing.T, s *pebble.Store) {
	t.Helper()
	report, err := s.Check()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range report.Problems {
		t.Error(problem)
	}
	if s.Head() < l.head {
		t.Errorf("Head is %d, a reader has seen %d", s.Head(), l.head)
	}
	for id, last := range l.last {
		cp, err := s.Checkpoint(id)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		n := int(cp.MsgID)
		if n < last {
			t.Errorf("%s is at commit %d, acknowledged was %d", id, n, last)
		}
		results, err := s.Results(id, 0, 1<<20)
		if err != nil || len(results) != n {
			t.Errorf("%s: %d results after %d commits, %v", id, len(results), n, err)
		}
		pushes, err := s.Pushes(id)
		if err != nil || len(pushes) != 1 || pushes[0].Attempts != n {
			t.Errorf("%s: pushes %v after %d commits, %v", id, pushes, n, err)
		}
		d, err := s.Device(id)
		if err != nil || d.State != storage.States[n%len(storage.States)] {
			t.Errorf("%s: device %v after %d commits, %v", id, d, n, err)
		}
		timeline, err := s.Timeline(id, 0, 1<<20)
		if err != nil || len(timeline) != 2*n { // a change of state and its own
			t.Errorf("%s: %d feed entries after %d commits, %v", id, len(timeline), n, err)
		}
	}
}

// goesOn checks that s takes commits.
func goesOn(t *testing.T, s *pebble.Store) {
	t.Helper()
	head := s.Head()
	if err := s.Commit(numbered("another", 1)); err != nil {
		t.Fatal(err)
	}
	if s.Head() != head+2 {
		t.Errorf("Head went from %d to %d with 2 entries", head, s.Head())
	}
}

// TestFailingWrites has each kind of write fail in turn, once, and never again: the disk recovers, and a store that
// went on would seem to work. It must have failed for good, and must have acknowledged nothing that is not there.
func TestFailingWrites(t *testing.T) {
	kinds := map[string]errorfs.OpKind{
		"create": errorfs.OpCreate, "write": errorfs.OpFileWrite, "sync": errorfs.OpFileSync,
		"data sync": errorfs.OpFileSyncData, "reuse": errorfs.OpReuseForWrite, "close": errorfs.OpFileClose,
	}
	for _, suffix := range []string{".log", ".sst", "MANIFEST"} {
		for kind, op := range kinds {
			t.Run(suffix+" "+kind, func(t *testing.T) {
				t.Parallel()
				var hits atomic.Int32
				fail := &errorfs.Toggle{Injector: errorfs.InjectorFunc(func(o errorfs.Op) error {
					if o.Kind == op && strings.Contains(o.Path, suffix) && hits.Add(1) == 1 {
						return syscall.ENOSPC
					}
					return nil
				})}
				mem := newDisk()
				s, err := pebble.Open("db", pebble.Options{FS: errorfs.Wrap(mem, fail), MemTableSize: small})
				if err != nil {
					t.Fatal(err)
				}
				l := newLedger()
				write(s, l, 2, 5)
				fail.On()
				var errs []error
				for n := 6; hits.Load() == 0 && n < 400; n++ { // not every kind happens with every file
					for id := range l.copy().last {
						if err := s.Commit(numbered(id, n)); err != nil {
							errs = append(errs, err)
							break
						}
						l.acknowledge(id, n, s.Head())
					}
				}
				if hits.Load() == 0 {
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
					t.Skip("no such operation")
				}
				wantFailed(t, s, errs)
				for _, fs := range []vfs.FS{mem.cut(0, nil), mem} {
					s = open(t, "db", pebble.Options{FS: fs})
					l.check(t, s)
					goesOn(t, s)
				}
			})
		}
	}
}

// wantFailed checks that s, whose disk failed, says so at every turn and lets go.
func wantFailed(t *testing.T, s *pebble.Store, errs []error) {
	t.Helper()
	<-s.Failed()
	errs = append(errs, s.Commit(numbered("late", 1)))
	_, err := s.Feed(0, 1)
	errs = append(errs, err)
	_, err = s.Device("d0")
	errs = append(errs, err, s.CommitCampaign(grow("k", 1)), s.PutDocument("limits", nil))
	_, err = s.TargetsIn("k", storage.TargetPending, time.Time{}, 9)
	errs = append(errs, err)
	_, err = s.PushFlows(time.Time{}, storage.Flow{}, 9)
	errs = append(errs, err, s.Backup("backup"), s.Close())
	for _, err := range errs {
		if !errors.Is(err, storage.ErrFailed) || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("error %v, want ErrFailed because of ENOSPC", err)
		}
	}
	<-s.Grown() // nobody waits for what never comes
	if err := s.Close(); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
}

// TestEveryWriteFails lets the n-th write fail and all after it, for every n of a store's life from its first opening
// to its closing. Wherever the disk fills up, the process lives, no call hangs, and what was acknowledged is there.
func TestEveryWriteFails(t *testing.T) {
	t.Parallel()
	step := 1
	if testing.Short() {
		step = 7
	}
	for n := 1; ; n += step {
		var writes atomic.Int64
		fail := errorfs.InjectorFunc(func(op errorfs.Op) error {
			if isWrite(op) && writes.Add(1) >= int64(n) {
				return syscall.ENOSPC
			}
			return nil
		})
		mem := newDisk()
		l := newLedger()
		s, err := pebble.Open("db", pebble.Options{FS: errorfs.Wrap(mem, fail), MemTableSize: small})
		if err == nil {
			for _, err := range write(s, l, 3, 15) {
				if err != nil && !errors.Is(err, storage.ErrFailed) {
					t.Errorf("write %d: commit: %v", n, err)
				}
			}
			err = s.Close()
		}
		failed := writes.Load() >= int64(n)
		if failed != (err != nil) {
			t.Errorf("write %d failed: %v, Open or Close: %v", n, failed, err)
		}
		if err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("write %d: the error does not say why: %v", n, err)
		}
		for i, fs := range []vfs.FS{mem.cut(0, nil), mem} {
			s, err := pebble.Open("db", pebble.Options{FS: fs})
			if err != nil {
				t.Fatalf("write %d, disk %d: open after: %v", n, i, err)
			}
			l.check(t, s)
			goesOn(t, s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if t.Failed() {
			t.Fatalf("write %d", n)
		}
		if !failed {
			t.Logf("%d writes", writes.Load())
			return
		}
	}
}

// TestBackupFails has no room for a backup: that is no reason for the store to stop.
func TestBackupFails(t *testing.T) {
	fail := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if isWrite(op) && strings.Contains(op.Path, "backup") {
			return syscall.ENOSPC
		}
		return nil
	})
	s := open(t, "db", pebble.Options{FS: errorfs.Wrap(vfs.NewMem(), fail)})
	l := newLedger()
	write(s, l, 2, 10)
	if err := s.Backup("elsewhere/backup"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("backup: %v", err)
	}
	goesOn(t, s)
	l.check(t, s)
}
