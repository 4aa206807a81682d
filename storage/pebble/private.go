package pebble

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// errInUse is a directory whose lock somebody else holds.
var errInUse = errors.New("it is in use, by another process or by this one")

// privateFS keeps a store to its owner: one user, for it holds passwords, and one process.
type privateFS struct{ vfs.FS }

// MkdirAll makes directories that nobody else can look into. Pebble asks for 0755.
func (p privateFS) MkdirAll(dir string, perm os.FileMode) error {
	return p.FS.MkdirAll(dir, perm&0o700)
}

// Lock says in words what a file system says as "resource temporarily unavailable".
func (p privateFS) Lock(name string) (io.Closer, error) {
	lock, err := p.FS.Lock(name)
	if path := new(fs.PathError); err == nil || errors.As(err, &path) { // the latter: there is no file to be locked
		return lock, err
	}
	return nil, fmt.Errorf("%w: %w", errInUse, err)
}

func (p privateFS) Unwrap() vfs.FS { return p.FS }
