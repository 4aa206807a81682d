package pebble

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"

	"dmgate/storage"
)

// Lasting is a store that outlives a failure of its disk. A Store that could not write is over: it has let go of its
// files, and every call gets storage.ErrFailed. Lasting then looks at the disk every Options.Retry, opens the store
// anew when writes work again, and lets all calls go to the new one. Nobody who holds it has to do anything but to take
// ErrFailed for "not now".
//
// That is sound because a Store that failed has acknowledged nothing that the next Open does not find, and because
// nothing that a Store hands out outlives the call. What a caller believes of a commit that got ErrFailed is void: it
// is there or it is not, as after the death of the process.
type Lasting struct {
	dir string
	opt Options
	now atomic.Pointer[opening]

	closing chan struct{} // closed by Close
	close   sync.Once
	ended   chan struct{} // nothing is opened any more

	mu     sync.Mutex
	reason error  // why the store is not open again, as far as it was tried
	before Counts // of the openings before this one
}

// opening is the store from one Open to its failure.
type opening struct {
	*Store
	over chan struct{} // closed when another one has taken its place, or none will
}

var _ storage.Store = (*Lasting)(nil)

// OpenLasting opens the store in dir as Open does. A disk that fails already now is an error.
func OpenLasting(dir string, o Options) (*Lasting, error) {
	if o.Retry <= 0 {
		o.Retry = time.Second
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	s, err := Open(dir, o)
	if err != nil {
		return nil, err
	}
	l := &Lasting{dir: dir, opt: o, closing: make(chan struct{}), ended: make(chan struct{})}
	l.now.Store(&opening{s, make(chan struct{})})
	go l.watch()
	return l, nil
}

// watch replaces stores that have failed, until Close.
func (l *Lasting) watch() {
	defer close(l.ended)
	for {
		now := l.now.Load()
		for _, gone := range []<-chan struct{}{now.Failed(), now.gone} { // its files are free after the second
			select {
			case <-gone:
			case <-l.closing:
				return
			}
		}
		s := l.reopen()
		if s == nil {
			return
		}
		l.replace(now, s)
	}
}

// slowest is the longest pause between two tries to open a store whose disk takes the probe, but not the store.
const slowest = 30 * time.Second

// reopen tries until the store is open; nil where Close comes first.
func (l *Lasting) reopen() *Store {
	pause := l.opt.Retry
	for {
		select {
		case <-time.After(pause):
		case <-l.closing:
			return nil
		}
		if err := l.probe(); err != nil {
			l.wait(err)
			continue
		}
		s, err := Open(l.dir, l.opt)
		if err == nil {
			return s
		}
		l.wait(err)
		pause = min(2*pause, max(slowest, l.opt.Retry))
	}
}

// probeSize is about what opening a store takes at the least: a log, a list of tables, options.
const probeSize = 1 << 20

// probe writes a file, syncs it and takes it away again. What it finds is cheaper than a try to open the store, which
// reads the log first.
func (l *Lasting) probe() (err error) {
	fs := l.opt.FS
	if fs == nil {
		fs = vfs.Default
	}
	name := filepath.Join(l.dir, "probe")
	f, err := privateFS{fs}.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeSize))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close(), fs.Remove(name))
}

// wait notes why the store stays closed for now.
func (l *Lasting) wait(err error) {
	l.mu.Lock()
	news := l.reason == nil || inWords(l.reason) != inWords(err)
	l.reason = err
	l.mu.Unlock()
	if news {
		l.opt.Log.Warn("store: not open again yet", zap.String("dir", l.dir), zap.Error(err))
	}
}

// replace puts s in the place of a store that has failed.
func (l *Lasting) replace(was *opening, s *Store) {
	l.mu.Lock()
	l.reason = nil
	l.before = l.before.plus(was.Counts())
	l.now.Store(&opening{s, make(chan struct{})})
	l.mu.Unlock()
	close(was.over) // after the new one is in its place: who waited for it finds it
	l.opt.Log.Info("store: open again", zap.String("dir", l.dir), zap.Uint64("head", s.Head()))
}

// Down says why the store takes nothing now, in words without names of files: "no space left on device". It is empty
// while the store is open.
func (l *Lasting) Down() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	cause := l.store().fence.err()
	switch {
	case cause == nil:
		return ""
	case l.reason != nil:
		cause = l.reason
	}
	return inWords(cause)
}

func inWords(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

// Counts are those of all openings together.
func (l *Lasting) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.before.plus(l.store().Counts())
}

// Close ends all tries to open the store again, and closes it. Where it has failed and was not opened again, it returns
// why.
func (l *Lasting) Close() error {
	l.close.Do(func() { close(l.closing) })
	<-l.ended
	err := l.store().Close()
	if !errors.Is(err, storage.ErrClosed) {
		close(l.now.Load().over)
	}
	return err
}

// Grown is closed when the feed has grown beyond what Head said before the call, when the store fails, and where it has
// failed already when it is open again or closed.
func (l *Lasting) Grown() <-chan struct{} {
	now := l.now.Load()
	if now.fence.isUp() {
		return now.over
	}
	return now.Store.Grown()
}
