package pebble_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"dmgate/storage"
	"dmgate/storage/pebble"
)

// syncCounter counts the fsyncs of the log.
type syncCounter struct {
	vfs.FS
	syncs atomic.Int64
}

func (f *syncCounter) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	return countedFile{file, f}, err
}

func (f *syncCounter) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(old, name, c)
	return countedFile{file, f}, err
}

type countedFile struct {
	vfs.File
	fs *syncCounter
}

func (f countedFile) SyncData() error { f.fs.syncs.Add(1); return f.File.SyncData() }
func (f countedFile) Sync() error     { f.fs.syncs.Add(1); return f.File.Sync() }

// message is the commit of a message in the middle of a session: results of one task, which is done, the next task
// on its way, the checkpoint with the reply, and an entry in the feed. About 1.5 KB.
func message(c *storage.Commit, cp *storage.Checkpoint, id storage.DeviceID, n uint64, reply, data []byte) {
	c.Reset()
	c.Device, c.Time = id, time.Unix(1_700_000_000, int64(n))
	*cp = storage.Checkpoint{
		Device: id, Session: reply[:2], Started: c.Time, Updated: c.Time, MsgID: uint32(n), Digest: reply[:16],
		Reply: reply, Sent: uint32(n), Tasks: cp.Tasks[:0], Commands: cp.Commands[:0],
	}
	cp.Tasks = append(cp.Tasks, storage.Open{ID: n + 1, Next: 2})
	cp.Commands = append(cp.Commands, storage.Pending{MsgID: uint32(n), CmdID: 4, Task: n + 1})
	c.Checkpoint = cp
	c.Tasks = append(c.Tasks,
		storage.Task{ID: n, Device: id, Purpose: "discovery", State: storage.TaskDone, Attempts: 1, Created: c.Time},
		storage.Task{ID: n + 1, Device: id, Purpose: "discovery", State: storage.TaskSent, Attempts: 1, Created: c.Time},
	)
	if cap(c.Results) == 0 {
		c.Results = append(c.Results, storage.Results{Answers: make([]storage.Answer, 0, 4)})
	}
	c.Results = c.Results[:1]
	answers := c.Results[0].Answers[:0]
	for i := range 3 {
		answers = append(answers, storage.Answer{Command: i, Code: 200, URI: data[:20], Format: data[:3], Data: data})
	}
	c.Results[0] = storage.Results{Device: id, Task: n, Session: "3F", MsgID: uint32(n), Time: c.Time, Answers: answers}
	c.Feed = append(c.Feed, storage.FeedEntry{Kind: "results", Order: "order-1", Text: "3 answers"})
}

// BenchmarkCommit measures the commit of one message on a real file system. "parallel" runs many devices at once, as
// sessions do; commits/sync says how many shared an fsync.
func BenchmarkCommit(b *testing.B) {
	for _, bench := range []struct {
		name   string
		noSync bool
	}{{"sync", false}, {"nosync", true}} {
		b.Run(bench.name+"/serial", func(b *testing.B) {
			s, fs := benchStore(b, bench.noSync)
			w := newSession(0)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				w.commit(b, s)
			}
			fs.report(b)
		})
		for _, sessions := range []int{16, 128, 1024} {
			b.Run(fmt.Sprintf("%s/parallel-%d", bench.name, sessions), func(b *testing.B) {
				s, fs := benchStore(b, bench.noSync)
				var worker atomic.Int64
				b.SetParallelism(sessions / 2)
				b.ReportAllocs()
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					w := newSession(int(worker.Add(1)))
					for pb.Next() {
						w.commit(b, s)
					}
				})
				fs.report(b)
			})
		}
	}
}

func benchStore(b *testing.B, noSync bool) (*pebble.Store, *syncCounter) {
	fs := &syncCounter{FS: vfs.Default}
	s, err := pebble.Open(b.TempDir(), pebble.Options{FS: fs, NoSync: noSync})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	fs.syncs.Store(0)
	return s, fs
}

func (f *syncCounter) report(b *testing.B) {
	b.StopTimer()
	if n := f.syncs.Load(); n > 0 {
		b.ReportMetric(float64(b.N)/float64(n), "commits/sync")
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

// session makes commits, with the memory it keeps between them.
type session struct {
	id          storage.DeviceID
	n           uint64
	c           storage.Commit
	cp          storage.Checkpoint
	reply, data []byte
}

func newSession(worker int) *session {
	return &session{
		id:    storage.DeviceID(fmt.Sprintf("device-%09d", worker)),
		reply: make([]byte, 600),
		data:  []byte("an answer of the length that answers have"),
	}
}

func (w *session) commit(t testing.TB, s storage.Store) {
	w.n++
	message(&w.c, &w.cp, w.id, w.n, w.reply, w.data)
	if err := s.Commit(&w.c); err != nil {
		t.Fatal(err)
	}
}
