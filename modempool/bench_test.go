package modempool

import (
	"slices"
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
	sent   map[string]storage.PushJob // by number
	left   int                        // not yet delivered
	done   chan struct{}
}

func (q *fifo) Flows(_ time.Time, from storage.Flow, _ int) ([]storage.Flow, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if from != (storage.Flow{}) || len(q.queued) == 0 {
		return nil, nil
	}
	return []storage.Flow{{}}, nil
}

func (q *fifo) Due(_ storage.Flow, _ time.Time, limit int) ([]storage.PushJob, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]storage.PushJob(nil), q.queued[:min(limit, len(q.queued))]...), nil
}

func (q *fifo) Overdue(time.Time, int) ([]storage.PushJob, error) { return nil, nil }

func (q *fifo) Awaiting(modem, number string, reference uint8) ([]storage.PushJob, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if job, ok := q.sent[number]; ok {
		return []storage.PushJob{clone(&job)}, nil
	}
	return nil, nil
}

func (q *fifo) Edit(number storage.DeviceID, _ uint64, change func(*storage.PushJob) error) error {
	q.mu.Lock()
	job := q.sent[string(number)]
	q.mu.Unlock()
	if err := change(&job); err != nil {
		return err
	}
	return q.Save(&job)
}

func (q *fifo) Received(Received) error         { return nil }
func (q *fifo) Noticed(string, string) error    { return nil }
func (q *fifo) Setting(string) ([]byte, error)  { return nil, storage.ErrNotFound }
func (q *fifo) PutSetting(string, []byte) error { return nil }

func (q *fifo) PDU(job *storage.PushJob) ([]byte, error) { return payload(job.ID, 300), nil }

func (q *fifo) Save(job *storage.PushJob) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch job.State {
	case storage.PushSending:
		q.queued = slices.DeleteFunc(q.queued, func(j storage.PushJob) bool { return j.ID == job.ID })
	case storage.PushSent:
		q.sent[job.MSISDN] = clone(job)
	case storage.PushDelivered:
		delete(q.sent, job.MSISDN)
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
	q := &fifo{queued: pushes(b.N), sent: make(map[string]storage.PushJob), left: b.N, done: make(chan struct{})}
	for i := range q.queued {
		q.queued[i].Device = storage.DeviceID(q.queued[i].MSISDN)
	}
	o := Options{Ports: ports(sim)}
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
