package pebble

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fence stands between Pebble and the disk and turns the first failed write into a power cut: from then on nothing
// reaches the disk, and Pebble is told that all went well.
//
// Pebble gives up its process where a write of WAL or MANIFEST fails: it calls Logger.Fatalf, or panics with its locks
// in a state that can not be recovered from. It repeats a failed flush at once and forever, while commits wait for
// that flush. And after a failed fsync nobody knows what is on the disk, so that going on is no choice either. Behind
// the fence all these end the same: the disk stays as it was at the failure, which recovery is made for; commits come
// back, see the fence and report its error; and the store can be closed, and opened again (lasting.go).
//
// The order that makes this safe: the fence is up before Pebble hears that the failed write went well. So whoever is
// told by Pebble that a commit is durable and then finds the fence down can rely on it.
type fence struct {
	vfs.FS
	dir string // only files directly in it count: a backup may fail as it likes

	syncs atomic.Uint64 // of the log

	mu     sync.Mutex
	first  error
	up     chan struct{} // closed when the fence is up
	raised func()        // called once, in a goroutine of its own
}

func newFence(fs vfs.FS, dir string, raised func()) *fence {
	return &fence{FS: fs, dir: filepath.Clean(dir), up: make(chan struct{}), raised: raised}
}

// raise puts the fence up because of err. Only the first reason counts.
func (f *fence) raise(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first != nil {
		return
	}
	f.first = err
	close(f.up)
	go f.raised()
}

// isUp says whether the fence is up.
func (f *fence) isUp() bool {
	select {
	case <-f.up:
		return true
	default:
		return false
	}
}

// err is why the fence is up, nil while it is down.
func (f *fence) err() error {
	if !f.isUp() {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.first
}

// owns says whether name is one of the store's files.
func (f *fence) owns(name string) bool {
	name = filepath.Clean(name)
	return name == f.dir || filepath.Dir(name) == f.dir
}

// open opens a file for writing by means of do, or a file that leads nowhere.
func (f *fence) open(name string, do func() (vfs.File, error)) (vfs.File, error) {
	if !f.owns(name) {
		return do()
	}
	if !f.isUp() {
		file, err := do()
		if err == nil {
			return &fencedFile{File: file, fence: f, name: name}, nil
		}
		f.raise(err)
	}
	nowhere, err := vfs.NewMem().Create("nowhere", vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	return &fencedFile{File: nowhere, fence: f}, nil
}

// change changes the directory by means of do.
func (f *fence) change(name string, do func() error) error {
	if !f.owns(name) {
		return do()
	}
	if !f.isUp() {
		if err := do(); err != nil {
			f.raise(err)
		}
	}
	return nil
}

func (f *fence) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.open(name, func() (vfs.File, error) { return f.FS.Create(name, category) })
}

func (f *fence) ReuseForWrite(old, name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.open(name, func() (vfs.File, error) { return f.FS.ReuseForWrite(old, name, category) })
}

func (f *fence) OpenReadWrite(name string, category vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return f.open(name, func() (vfs.File, error) { return f.FS.OpenReadWrite(name, category, o...) })
}

func (f *fence) OpenDir(name string) (vfs.File, error) {
	return f.open(name, func() (vfs.File, error) { return f.FS.OpenDir(name) })
}

func (f *fence) Rename(old, name string) error {
	return f.change(name, func() error { return f.FS.Rename(old, name) })
}

func (f *fence) Link(old, name string) error {
	return f.change(name, func() error { return f.FS.Link(old, name) })
}

// Remove may fail without harm: Pebble tries again when it opens the store next. Behind the fence it must not happen,
// because what replaces the file was never written.
func (f *fence) Remove(name string) error {
	if f.owns(name) && f.isUp() {
		return nil
	}
	return f.FS.Remove(name)
}

func (f *fence) RemoveAll(name string) error {
	if f.owns(name) && f.isUp() {
		return nil
	}
	return f.FS.RemoveAll(name)
}

func (f *fence) Unwrap() vfs.FS { return f.FS }

// fencedFile is a file that Pebble writes.
type fencedFile struct {
	vfs.File
	fence *fence
	name  string // empty for a file that leads nowhere
}

// write does what reaches the disk by means of do, and tells Pebble that it did.
func (x *fencedFile) write(do func() error) {
	if x.fence.isUp() {
		return
	}
	if err := do(); err != nil {
		x.fence.raise(err)
	}
}

func (x *fencedFile) Write(p []byte) (int, error) {
	x.write(func() error { _, err := x.File.Write(p); return err })
	return len(p), nil
}

func (x *fencedFile) WriteAt(p []byte, off int64) (int, error) {
	x.write(func() error { _, err := x.File.WriteAt(p, off); return err })
	return len(p), nil
}

func (x *fencedFile) count() {
	if filepath.Ext(x.name) == ".log" {
		x.fence.syncs.Add(1)
	}
}

func (x *fencedFile) Sync() error {
	x.count()
	x.write(x.File.Sync)
	return nil
}

func (x *fencedFile) SyncData() error {
	x.count()
	x.write(x.File.SyncData)
	return nil
}

func (x *fencedFile) SyncTo(length int64) (full bool, err error) {
	x.write(func() (err error) { full, err = x.File.SyncTo(length); return err })
	return full, nil
}

// Preallocate is a hint: file systems without it answer with an error that means nothing.
func (x *fencedFile) Preallocate(offset, length int64) error {
	if x.fence.isUp() {
		return nil
	}
	return x.File.Preallocate(offset, length)
}

// Close of a table behind the fence takes the table away: nothing on the disk names it, for that is written after its
// close, and the room it has taken is needed when the store is opened again.
func (x *fencedFile) Close() error {
	err := x.File.Close()
	if filepath.Ext(x.name) == ".sst" && x.fence.isUp() {
		x.fence.FS.Remove(x.name) // where it stays, the next Open takes it away
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrClosed) {
		x.fence.raise(err)
	}
	return nil
}
