package modempool

import (
	"math/rand/v2"
	"sync"

	"dmgate/storage"
)

// references gives out the references that segments of a push have in common. They must differ from those of the
// last pushes to the same phone, which may hold segments of an incomplete one; also across a restart, so that a
// number not seen before begins anywhere.
type references struct {
	mu       sync.Mutex
	now, old map[string]uint8 // by number; two generations bound what is remembered
}

const referenceGeneration = 1 << 15

func (r *references) next(number string) uint8 {
	r.mu.Lock()
	defer r.mu.Unlock()
	ref, ok := r.now[number]
	if !ok {
		if ref, ok = r.old[number]; !ok {
			ref = uint8(rand.Uint32())
		}
	}
	if r.now == nil || len(r.now) >= referenceGeneration {
		r.old, r.now = r.now, make(map[string]uint8)
	}
	ref++
	r.now[number] = ref
	return ref
}

// trail is what is known of a push beyond its record: how often it was passed on without counting an attempt.
type trail struct {
	faults  int // modems failed under it
	resends int // it was sent once more, being in doubt
}

// trails are kept while a push is neither sent nor given up. A restart forgets them.
type trails struct {
	mu sync.Mutex
	m  map[uint64]trail
}

// change applies fn to the trail of a push and returns the result.
func (t *trails) change(job *storage.PushJob, fn func(*trail)) trail {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m = make(map[uint64]trail)
	}
	v := t.m[job.ID]
	fn(&v)
	t.m[job.ID] = v
	return v
}

func (t *trails) drop(job *storage.PushJob) {
	t.mu.Lock()
	delete(t.m, job.ID)
	t.mu.Unlock()
}
