package modempool

import (
	"testing"

	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

// Two hundred pushes of three segments through eight modems: each arrives once, and each is told delivered.
func TestPushesArriveOnce(t *testing.T) {
	q := newQueue(pushes(200)...)
	n := newNetwork()
	r := startBank(t, quick(), q, n, modemsim.Options{Modems: 8, Seed: 1})
	q.awaitState(t, storage.PushDelivered)
	n.arrived(t, q)
	r.stop()
	accepted, used := 0, 0
	for _, c := range r.bank.Counts() {
		accepted += c.Accepted
		if c.Accepted > 0 {
			used++
		}
		if c.Violations+c.Misdialled > 0 {
			t.Errorf("counts %+v", c)
		}
	}
	if accepted != 600 {
		t.Errorf("%d segments accepted, want 600", accepted)
	}
	if used < 2 {
		t.Errorf("%d modems used", used)
	}
	for id := range q.jobs {
		want := []storage.PushState{storage.PushSending}
		if got := q.saves[id]; got[0] != want[0] || got[len(got)-1] != storage.PushDelivered {
			t.Errorf("push %d was saved as %v", id, got)
		}
		if j := q.jobs[id]; j.Attempts != 1 || j.Total != 3 || len(j.Segments) != 3 {
			t.Errorf("push %d: %+v", id, j)
		}
	}
	for _, s := range r.pool.Modems() {
		if s.State != Stopped {
			t.Errorf("%s is %s", s.Name, s.State)
		}
	}
}
