package pebble

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/zap"
)

// Options says how a store is opened. The zero value is the default of each field.
type Options struct {
	// CacheSize is the memory for blocks read from disk, in bytes; 64 MiB.
	CacheSize int64
	// MemTableSize is the memory that collects writes until they are written out sorted, in bytes; 32 MiB. Up to
	// four of them are held while the disk catches up.
	MemTableSize int
	// Log hears what goes on inside: errors as such, slow disks as warnings, the rest at debug level. None by default.
	Log *zap.Logger
	// FS is the file system; that of the machine by default. Tests put a failing one here.
	FS vfs.FS
	// NoSync lets Commit return before its data is on the disk. For benchmarks and tests: a power cut loses commits
	// that have returned. A killed process loses none that the kernel has got, but the last ones may still be in
	// this process's buffers.
	NoSync bool
	// Retry is how often Lasting looks whether a disk that has failed takes writes again; 1 s.
	Retry time.Duration
}

// engineFormat is the format of Pebble's files. It is fixed here so that an update of the library does not change the
// files on disk by itself, which would shut the way back.
const engineFormat = pebble.FormatWALSyncChunks

// engine is what Pebble is opened with. The fence goes on top of the file system.
func (o Options) engine() *pebble.Options {
	if o.CacheSize <= 0 {
		o.CacheSize = 64 << 20
	}
	if o.MemTableSize <= 0 {
		o.MemTableSize = 32 << 20
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	p := &pebble.Options{
		// Pebble takes the memtables out of the cache's memory: many writes would leave nothing for reads.
		CacheSize:                   o.CacheSize + int64(o.MemTableSize),
		MemTableSize:                uint64(o.MemTableSize),
		MemTableStopWritesThreshold: 4,
		FormatMajorVersion:          engineFormat,
		FS:                          o.FS,
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { o.Log.Error("store: background work failed", zap.Error(err)) },
			// Pebble's own answer to a damaged block is to end the process. The read that met it gets an error.
			DataCorruption: func(i pebble.DataCorruptionInfo) {
				o.Log.Error("store: damaged file", zap.String("path", i.Path), zap.Error(i.Details))
			},
			DiskSlow: func(i pebble.DiskSlowInfo) {
				o.Log.Warn("store: slow disk", zap.String("path", i.Path), zap.Duration("for", i.Duration))
			},
			WriteStallBegin: func(i pebble.WriteStallBeginInfo) {
				o.Log.Warn("store: commits wait for the disk", zap.String("reason", i.Reason))
			},
			WriteStallEnd: func() { o.Log.Info("store: commits go on") },
		},
	}
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most lookups ask for a key by name
	}
	p.WithFSDefaults()
	return p
}

// engineLog hands Pebble's log lines to zap.
type engineLog struct {
	log   *zap.SugaredLogger
	fence func(error)
}

func (l engineLog) Infof(format string, args ...any)  { l.log.Debugf(format, args...) }
func (l engineLog) Errorf(format string, args ...any) { l.log.Errorf(format, args...) }

// Fatalf is Pebble finding that it must not go on. It counts on not returning. Behind the fence it may return: nothing
// that happens from here on reaches the disk or a caller.
func (l engineLog) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	l.log.Errorf("store: given up: %v", err)
	l.fence(err)
}
