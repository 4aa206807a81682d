package pebble_test

import (
	"errors"
	"testing"

	"dmgate/storage"
	"dmgate/storage/pebble"
	"dmgate/storage/storagetest"
)

func open(t *testing.T, dir string, o pebble.Options) *pebble.Store {
	t.Helper()
	s, err := pebble.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, storage.ErrClosed) {
			t.Error(err)
		}
	})
	return s
}

// checked is a store that is verified when it is closed: what a test has left behind has to be sound, also where no
// read would notice.
type checked struct {
	*pebble.Store
	t *testing.T
}

func (s checked) Close() error {
	if report, err := s.Check(); err == nil {
		for _, problem := range report.Problems {
			s.t.Error(problem)
		}
	} else if !errors.Is(err, storage.ErrClosed) {
		s.t.Error(err)
	}
	return s.Store.Close()
}

func openChecked(t *testing.T, dir string) storage.Store {
	s := checked{open(t, dir, pebble.Options{}), t}
	t.Cleanup(func() { s.Close() }) // before that of open
	return s
}

func TestStore(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return openChecked(t, t.TempDir()) })
}

func TestLastingIsStore(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return openLasting(t, pebble.Options{}) })
}

func TestReopen(t *testing.T) {
	storagetest.RunReopen(t, openChecked)
}
