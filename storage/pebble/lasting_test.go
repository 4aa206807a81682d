package pebble_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
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

func openLasting(t *testing.T, o pebble.Options) *pebble.Lasting {
	t.Helper()
	dir := "db"
	if o.FS == nil {
		dir = filepath.Join(t.TempDir(), "db")
	}
	o.Retry = time.Millisecond
	l, err := pebble.OpenLasting(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil && !errors.Is(err, storage.ErrClosed) {
			t.Error(err)
		}
	})
	return l
}

// failing is an injector that lets no write through while cause holds an error.
type failing struct {
	cause atomic.Pointer[syscall.Errno]
	only  string // part of the paths concerned
}

func (f *failing) MaybeError(op errorfs.Op) error {
	if cause := f.cause.Load(); cause != nil && isWrite(op) && strings.Contains(op.Path, f.only) {
		return *cause
	}
	return nil
}

func (f *failing) String() string { return "failing" }

// fail makes writes fail with cause; 0 lets them through again.
func (f *failing) fail(cause syscall.Errno) {
	if cause == 0 {
		f.cause.Store(nil)
		return
	}
	f.cause.Store(&cause)
}

// backUp waits until l is open again.
func backUp(l *pebble.Lasting) {
	for l.Down() != "" {
		<-l.Grown()
	}
}

// TestLasting fills the disk, and makes room. In between nothing is acknowledged and the reason is told; afterwards
// everything is as if nothing had happened.
func TestLasting(t *testing.T) {
	for _, test := range []struct {
		cause syscall.Errno
		only  string
		words string
	}{
		{syscall.ENOSPC, "", "no space left on device"},
		{syscall.EIO, "", "input/output error"},
		{syscall.EROFS, "MANIFEST", "read-only file system"}, // the probe finds nothing: opening does
	} {
		t.Run(test.words, func(t *testing.T) {
			disk := &failing{only: test.only}
			l := openLasting(t, pebble.Options{FS: errorfs.Wrap(vfs.NewMem(), disk), MemTableSize: small})
			commit := func(n int) error { return l.Commit(numbered("d", n)) }
			if err := commit(1); err != nil {
				t.Fatal(err)
			}
			if why := l.Down(); why != "" {
				t.Fatalf("down: %s", why)
			}
			disk.fail(test.cause)
			n := 2
			var err error
			for ; err == nil; n++ { // where only the list of tables fails, a table has to be written first
				err = commit(n)
			}
			acknowledged := n - 2
			if !errors.Is(err, storage.ErrFailed) || !errors.Is(err, test.cause) {
				t.Errorf("commit: %v", err)
			}
			for range 20 { // looks at the disk
				if why := l.Down(); why != test.words {
					t.Errorf("down: %q, want %q", why, test.words)
				}
				if _, err := l.Device("d"); !errors.Is(err, storage.ErrFailed) {
					t.Errorf("read: %v", err)
				}
				<-time.After(time.Millisecond)
			}
			before := l.Counts()
			disk.fail(0)
			backUp(l)
			cp, err := l.Checkpoint("d")
			if err != nil || int(cp.MsgID) < acknowledged {
				t.Fatalf("%+v, %v: acknowledged was commit %d", cp, err, acknowledged)
			}
			if l.Head() < uint64(2*acknowledged) {
				t.Errorf("head is %d after %d commits of two entries", l.Head(), acknowledged)
			}
			if err := commit(int(cp.MsgID) + 1); err != nil {
				t.Error(err)
			}
			if c := l.Counts(); c.Commits != before.Commits+1 || c.Syncs <= before.Syncs {
				t.Errorf("counted %+v, before %+v", c, before)
			}
		})
	}
}

// TestLastingClosedWhileDown ends the waiting, both of the store and of those who wait for it.
func TestLastingClosedWhileDown(t *testing.T) {
	disk := new(failing)
	l, err := pebble.OpenLasting("db", pebble.Options{FS: errorfs.Wrap(vfs.NewMem(), disk), Retry: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	disk.fail(syscall.ENOSPC)
	if err := l.Commit(numbered("d", 1)); !errors.Is(err, storage.ErrFailed) {
		t.Fatal(err)
	}
	grown := l.Grown()
	if err := l.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Close: %v, want why it has failed", err)
	}
	<-grown
	<-l.Grown()
	if err := l.Commit(numbered("d", 1)); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("commit after Close: %v", err)
	}
	if err := l.Close(); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
}

// TestLastingUnderLoad breaks the disk again and again under writers that go on, each from what it finds in the store.
// In the end every commit is there once, and a power cut takes none away.
func TestLastingUnderLoad(t *testing.T) {
	t.Parallel()
	const devices, failures = 8, 12
	rng := rand.New(rand.NewPCG(1, 2))
	causes := []syscall.Errno{syscall.ENOSPC, syscall.EIO}
	fs, disk := newDisk(), new(failing)
	l := openLasting(t, pebble.Options{FS: errorfs.Wrap(fs, disk), MemTableSize: small})
	told := newLedger()
	var over atomic.Bool
	var run sync.WaitGroup
	for w := range devices {
		run.Go(func() {
			id := storage.DeviceID(fmt.Sprintf("d%d", w))
			for n := 1; !over.Load(); n++ {
				for {
					err := l.Commit(numbered(id, n))
					if err == nil {
						break
					}
					if !errors.Is(err, storage.ErrFailed) {
						t.Error(err)
						return
					}
					if arrived(l, id, n) {
						break
					}
				}
				told.acknowledge(id, n, l.Head())
			}
		})
	}
	var seen uint64
	follow := func() { // as the readers of the feed do it
		grown := l.Grown()
		entries, err := l.Feed(seen, 100)
		for i := range entries {
			if entries[i].Offset != seen+1 {
				t.Errorf("entry %d after %d", entries[i].Offset, seen)
			}
			seen = entries[i].Offset
		}
		if err != nil || len(entries) == 0 {
			<-grown
		}
	}
	for k := range failures {
		for target := seen + 1 + uint64(rng.IntN(300)); seen < target; {
			follow()
		}
		disk.fail(causes[k%len(causes)])
		for l.Down() == "" {
			<-l.Grown() // a write comes along, and fails
		}
		disk.fail(0)
		backUp(l)
	}
	over.Store(true)
	run.Wait()
	for seen < l.Head() {
		follow()
	}
	t.Logf("%d entries in the feed, %d failures, %+v", seen, failures, l.Counts())
	told.check(t, open(t, "db", pebble.Options{FS: fs.cut(0, nil)}))
}

// arrived waits until l is open again and says whether a commit that got an error is there.
func arrived(l *pebble.Lasting, id storage.DeviceID, n int) bool {
	for {
		grown := l.Grown()
		cp, err := l.Checkpoint(id)
		switch {
		case err == nil:
			return int(cp.MsgID) >= n
		case errors.Is(err, storage.ErrNotFound):
			return false
		}
		<-grown
	}
}
