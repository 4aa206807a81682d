package pebble

import (
	"math"
	"sync"
	"sync/atomic"
)

// gate counts the calls that are inside the store, so that closing can wait for them. Unlike a RWMutex it lets a call
// in from within a call: a reader of the store inside Commit.Edit is no deadlock.
type gate struct {
	inside  atomic.Int64 // calls inside; far below zero once shut
	emptied sync.Once
	empty   chan struct{} // closed when the gate is shut and the last call has left
}

const gateShut = math.MinInt64 / 2

func newGate() *gate { return &gate{empty: make(chan struct{})} }

// enter lets a call in, unless the gate is shut. Who was let in has to leave.
func (g *gate) enter() bool {
	if g.inside.Add(1) > 0 {
		return true
	}
	g.leave()
	return false
}

func (g *gate) leave() {
	if g.inside.Add(-1) == gateShut {
		g.emptied.Do(func() { close(g.empty) })
	}
}

// shut lets nobody in any more and returns when the last call has left. It must be called once.
func (g *gate) shut() {
	g.inside.Add(gateShut + 1) // counts itself, so that it is not alone with an empty gate
	g.leave()
	<-g.empty
}
