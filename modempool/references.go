package modempool

import (
	"math/rand/v2"
	"sync"
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
