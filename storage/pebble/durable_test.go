package pebble_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"dmgate/storage"
	"dmgate/storage/pebble"
)

// slowLog is a file system whose log is synced when the test says so.
type slowLog struct {
	vfs.FS
	syncs atomic.Int64
	let   atomic.Pointer[chan struct{}] // a sync waits until it is closed; nil: it does not wait
}

func (f *slowLog) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	if err == nil && strings.HasSuffix(name, ".log") {
		file = slowFile{file, f}
	}
	return file, err
}

// hold makes syncs wait until release is called.
func (f *slowLog) hold() (release func()) {
	let := make(chan struct{})
	f.let.Store(&let)
	return func() {
		f.let.Store(nil)
		close(let)
	}
}

type slowFile struct {
	vfs.File
	fs *slowLog
}

func (f slowFile) SyncData() error {
	f.fs.syncs.Add(1)
	if let := f.fs.let.Load(); let != nil {
		<-*let
	}
	return f.File.SyncData()
}

// applied waits until the engine has the device, durable or not.
func applied(t *testing.T, s *pebble.Store, id storage.DeviceID) {
	t.Helper()
	for {
		switch _, err := s.Device(id); err {
		case nil:
			return
		case storage.ErrNotFound:
			runtime.Gosched()
		default:
			t.Fatal(err)
		}
	}
}

// TestFeedShowsDurableOnly holds the fsync of a commit back: other writers see it, the feed does not, and the commit
// does not return.
func TestFeedShowsDurableOnly(t *testing.T) {
	fs := &slowLog{FS: vfs.NewMem()}
	s := open(t, "db", pebble.Options{FS: fs})
	if err := s.Commit(numbered("first", 1)); err != nil {
		t.Fatal(err)
	}
	head, grown := s.Head(), s.Grown()
	release := fs.hold()
	done := make(chan error)
	go func() { done <- s.Commit(numbered("second", 1)) }()
	applied(t, s, "second")

	if s.Head() != head {
		t.Errorf("Head is %d before the fsync, was %d", s.Head(), head)
	}
	for name, list := range map[string]func() ([]storage.FeedEntry, error){
		"Feed":     func() ([]storage.FeedEntry, error) { return s.Feed(head, 10) },
		"Timeline": func() ([]storage.FeedEntry, error) { return s.Timeline("second", 0, 10) },
	} {
		if entries, err := list(); err != nil || len(entries) > 0 {
			t.Errorf("%s shows %v, %v before the fsync", name, entries, err)
		}
	}
	select {
	case <-grown:
		t.Error("Grown is closed before the fsync")
	case err := <-done:
		t.Error("Commit returned before the fsync:", err)
	default:
	}

	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	<-grown
	if entries, err := s.Feed(head, 10); err != nil || len(entries) != 2 {
		t.Errorf("Feed shows %v, %v after the fsync", entries, err)
	}
}

// TestCommitsShareSyncs has many commits arrive during one fsync: the next one is for all of them. It also shows that
// no lock is held across an fsync, or they would not get as far.
func TestCommitsShareSyncs(t *testing.T) {
	const commits = 50 // few enough for one log: changing logs waits for the fsync of the old one
	fs := &slowLog{FS: vfs.NewMem()}
	s := open(t, "db", pebble.Options{FS: fs})
	release := fs.hold()
	before, counted := fs.syncs.Load(), s.Counts()
	var wg sync.WaitGroup
	id := func(i int) storage.DeviceID { return storage.DeviceID(fmt.Sprintf("d%03d", i)) }
	for i := range commits {
		wg.Go(func() {
			if err := s.Commit(numbered(id(i), 1)); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range commits {
		applied(t, s, id(i))
	}
	release()
	wg.Wait()
	if syncs := fs.syncs.Load() - before; syncs > 2 {
		t.Errorf("%d fsyncs for %d commits: the one that was held, and one for the rest", syncs, commits)
	}
	if now := s.Counts(); now.Commits-counted.Commits != commits || now.Syncs-counted.Syncs > 2 {
		t.Errorf("counted %+v, and %+v before %d commits", now, counted, commits)
	}
	if s.Head() != 2*commits {
		t.Errorf("Head is %d, want %d", s.Head(), 2*commits)
	}
}

// TestCommitAllocates asserts the cost of a message's commit in memory: all it needs is kept from the one before. The
// encoding of records, the batch and the engine are included.
func TestCommitAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, and sync.Pool forgets under it")
	}
	s := open(t, "db", pebble.Options{FS: vfs.NewMem()})
	w := newSession(0)
	for range 100 {
		w.commit(t, s)
	}
	if n := testing.AllocsPerRun(500, func() { w.commit(t, s) }); n > 0 {
		t.Errorf("a commit allocates %v times", n)
	}
}
