package sessions

import (
	"hash/maphash"
	"sync"
)

// Source is where sessions come from as far as limits care: a network address cut down to a prefix.
type Source [16]byte

// Exempt is the Source whose sessions PerSource does not bound.
var Exempt Source

// sources counts the open sessions of each source. It has shards of its own: a source's devices are in all of the
// table's. A shard of the table may be locked when one of these is taken, never the other way round.
type sources struct {
	seed   maphash.Seed
	shards []sourceShard
}

type sourceShard struct {
	mu   sync.Mutex
	held map[Source]held // holds no pointer: the garbage collector passes it by
}

// held is what one source has open.
type held struct {
	open    uint32
	unnamed uint32 // of these, last heard of in a message whose address did not name the device
}

func (ss *sources) init(shards int) {
	ss.seed, ss.shards = maphash.MakeSeed(), make([]sourceShard, shards)
	for i := range ss.shards {
		ss.shards[i].held = make(map[Source]held)
	}
}

func (ss *sources) lock(from Source) *sourceShard {
	sh := &ss.shards[maphash.Comparable(ss.seed, from)&uint64(len(ss.shards)-1)]
	sh.mu.Lock()
	return sh
}

func (ss *sources) of(from Source) (open, unnamed int) {
	sh := ss.lock(from)
	defer sh.mu.Unlock()
	h := sh.held[from]
	return int(h.open), int(h.unnamed)
}

// take counts one session more, unless there are as many as limit.
func (ss *sources) take(from Source, named bool, limit int) bool {
	sh := ss.lock(from)
	defer sh.mu.Unlock()
	h := sh.held[from]
	if int(h.open) >= limit {
		return false
	}
	h.open++
	if !named {
		h.unnamed++
	}
	sh.held[from] = h
	return true
}

func (ss *sources) rename(from Source, named bool) {
	sh := ss.lock(from)
	defer sh.mu.Unlock()
	h := sh.held[from]
	if named {
		h.unnamed--
	} else {
		h.unnamed++
	}
	sh.held[from] = h
}

func (ss *sources) release(from Source, named bool) {
	sh := ss.lock(from)
	defer sh.mu.Unlock()
	h := sh.held[from]
	h.open--
	if !named {
		h.unnamed--
	}
	if h.open == 0 {
		delete(sh.held, from)
		return
	}
	sh.held[from] = h
}

func (ss *sources) count() (n, most int) {
	for i := range ss.shards {
		sh := &ss.shards[i]
		sh.mu.Lock()
		n += len(sh.held)
		for _, h := range sh.held {
			most = max(most, int(h.open))
		}
		sh.mu.Unlock()
	}
	return n, most
}
