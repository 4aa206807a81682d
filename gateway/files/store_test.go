package files

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

func openStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "files"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func accept(string, int64) error { return nil }

// names are the files in the folder.
func (s *Store) names(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestPut(t *testing.T) {
	s := openStore(t)
	data := content(100_000)
	want := sha256.Sum256(data)
	for range 2 { // the same again is the same
		sum, size, err := s.Put(bytes.NewReader(data), 100_000, accept)
		if err != nil || sum != hex.EncodeToString(want[:]) || size != 100_000 {
			t.Fatalf("%s %d %v", sum, size, err)
		}
		if names := s.names(t); len(names) != 1 || names[0] != sum {
			t.Fatal(names)
		}
	}
	f, err := s.Open(hex.EncodeToString(want[:]))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if info, err := f.Stat(); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if info, err := os.Stat(s.folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	for _, sum := range []string{"", "../store", strings.Repeat("0", 64), strings.Repeat("F", 64)} {
		if _, err := s.Open(sum); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", sum, err)
		}
	}
}

// What is refused, cut off or does not fit leaves nothing behind.
func TestPutOfWhatIsNotKept(t *testing.T) {
	s := openStore(t)
	refused := errors.New("not this one")
	for name, c := range map[string]struct {
		r      io.Reader
		accept func(string, int64) error
		want   error
	}{
		"too large": {bytes.NewReader(content(101)), accept, ErrTooLarge},
		"empty":     {strings.NewReader(""), accept, ErrEmpty},
		"cut off":   {iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(content(50)))), accept, iotest.ErrTimeout},
		"refused":   {bytes.NewReader(content(100)), func(string, int64) error { return refused }, refused},
	} {
		if _, _, err := s.Put(c.r, 100, c.accept); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if names := s.names(t); len(names) > 0 {
			t.Errorf("%s leaves %v", name, names)
		}
	}
	err := full(&os.PathError{Op: "write", Path: "upload-1", Err: syscall.ENOSPC})
	if !errors.Is(err, ErrFull) || err.Error() != "files: the disk is full: write upload-1: no space left on device" {
		t.Error(err)
	}
	if err := os.RemoveAll(s.folder); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Put(bytes.NewReader(content(100)), 100, accept); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without its folder: %v", err)
	}
}

// A process that was killed in an upload leaves a file that is not whole. The next one removes it, and nothing else.
func TestOpenRemovesWhatACrashHasLeft(t *testing.T) {
	s := openStore(t)
	sum, _, err := s.Put(bytes.NewReader(content(10)), 100, accept)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"upload-123", "upload-", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(s.folder, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s, err = Open(s.folder); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(s.names(t), " "); got != sum+" notes.txt" {
		t.Error(got)
	}
}

func TestSweep(t *testing.T) {
	s := openStore(t)
	var sums []string
	for n := range 3 {
		sum, _, err := s.Put(bytes.NewReader(content(10+n)), 100, accept)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sum)
	}
	old := time.Now().Add(-2 * time.Hour)
	for _, sum := range sums[:2] {
		if err := os.Chtimes(s.path(sum), old, old); err != nil {
			t.Fatal(err)
		}
	}
	n, err := s.Sweep(func(sum string) bool { return sum == sums[0] }, time.Now().Add(-time.Hour))
	if n != 1 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	for i, want := range []bool{true, false, true} { // used, neither, too new to say
		f, err := s.Open(sums[i])
		if (err == nil) != want {
			t.Errorf("file %d: %v", i, err)
		}
		if err == nil {
			f.Close()
		}
	}
}
