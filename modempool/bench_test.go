package modempool

import (
	"sync"
	"testing"
	"time"

	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// fifo is a queue that costs nothing, for measurements of the pool.
type fifo struct {
	mu     sync.Mutex
	queued []storage.PushJob
	left   int // not yet delivered
	done   chan struct{}
}

func (q *fifo) Due(_ time.Time, limit int) ([]storage.PushJob, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]storage.PushJob(nil), q.queued[:min(limit, len(q.queued))]...), nil
}

func (q *fifo) UnderWay(uint64, int) ([]storage.PushJob, error) { return nil, nil }

func (q *fifo) PDU(job *storage.PushJob) ([]byte, error) { return payload(job.ID, 300), nil }

func (q *fifo) Save(job *storage.PushJob) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch job.State {
	case storage.PushSending:
		for i := range q.queued {
			if q.queued[i].ID == job.ID {
				q.queued = append(q.queued[:i], q.queued[i+1:]...)
				break
			}
		}
	case storage.PushDelivered:
		if q.left--; q.left == 0 {
			close(q.done)
		}
	}
	return nil
}

// BenchmarkPushes sends pushes of three segments through eight modems that take no time, with a delivery report for
// each segment, both ends of the ptys in this process.
func BenchmarkPushes(b *testing.B) {
	sim, err := modemsim.Start(modemsim.Options{Modems: 8, Character: func(int) modemsim.Character {
		return modemsim.Character{}
	}})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = sim.Close() }()
	q := &fifo{queued: pushes(b.N), left: b.N, done: make(chan struct{})}
	o := Options{Ports: sim.Paths()}
	p, err := New(o, q)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(b.Context()) }()
	select {
	case <-q.done:
	case err := <-ended:
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pushes/s")
	b.ReportMetric(3*float64(b.N)/b.Elapsed().Seconds(), "segments/s")
}
