// Package files keeps the files of the catalogue and serves them to devices, each by a ticket of its own.
package files

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Errors of a Store. Anything else is a failure of the disk.
var (
	ErrTooLarge = errors.New("files: the file is too large")
	ErrFull     = errors.New("files: the disk is full")
	ErrEmpty    = errors.New("files: the file is empty")
)

// Store is a folder of files, each under the SHA-256 of its bytes. It is safe for concurrent use.
type Store struct{ folder string }

// uploading is what the names of files begin with that are not whole yet.
const uploading = "upload-"

var name = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Open opens the store in folder, which it makes where there is none. What uploads have left behind that a crash has
// cut off is removed: nobody else may use the folder.
func Open(folder string) (*Store, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), uploading) {
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return &Store{folder}, nil
}

// Put keeps what r gives, of at most limit bytes, and returns its SHA-256 in hex and its size. It is kept only if
// accept takes it, whose error Put returns as it is. When Put has returned, the file would survive a power cut, whole.
// What is there already is put again.
func (s *Store) Put(
	r io.Reader, limit int64, accept func(sum string, size int64) error,
) (sum string, size int64, err error) {
	f, err := os.CreateTemp(s.folder, uploading) // mode 0600
	if err != nil {
		return "", 0, full(err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
			err = full(err)
		}
	}()
	sum, size, err = write(f, r, limit)
	if err == nil {
		err = accept(sum, size)
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), s.path(sum))
	}
	if err == nil {
		err = s.sync()
	}
	return sum, size, err
}

// source tells an error of a reader, which is the sender's, from one of the disk.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func write(f *os.File, r io.Reader, limit int64) (sum string, size int64, err error) {
	hash := sha256.New()
	from := &source{r: io.LimitReader(r, limit+1)}
	size, err = io.Copy(io.MultiWriter(f, hash), from)
	switch {
	case from.err != nil:
		return "", size, from.err
	case err != nil:
		return "", size, err
	case size > limit:
		return "", size, fmt.Errorf("%w: at most %d bytes", ErrTooLarge, limit)
	case size == 0:
		return "", 0, ErrEmpty
	}
	return hex.EncodeToString(hash.Sum(nil)), size, nil
}

// full names an error for what it is where the disk has no room.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// sync makes the names in the folder durable.
func (s *Store) sync() error {
	d, err := os.Open(s.folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (s *Store) path(sum string) string { return filepath.Join(s.folder, sum) }

// Open opens the file of a SHA-256. It is os.ErrNotExist where there is none.
func (s *Store) Open(sum string) (*os.File, error) {
	if !name.MatchString(sum) {
		return nil, fmt.Errorf("files: %.80q is no SHA-256: %w", sum, os.ErrNotExist)
	}
	return os.Open(s.path(sum))
}

// Sweep removes the files that are not used and were put before a time, and says how many.
func (s *Store) Sweep(used func(sum string) bool, before time.Time) (removed int, err error) {
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if !name.MatchString(e.Name()) || used(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err != nil || !info.ModTime().Before(before) {
			continue
		}
		if err := os.Remove(s.path(e.Name())); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
