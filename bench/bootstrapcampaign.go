package main

import (
	"errors"
	"time"
)

// campaign is what a campaign for many devices cost.
type campaign struct {
	targets int
	took    time.Duration // to create it, to take the file and to start it
	peak    uint64        // memory of the gateway meanwhile, bytes
	heap    uint64        // of it the heap
	sent    *pace         // through a bank, with all those targets waiting
}

// campaign orders a bootstrap of many devices at once, by a file that is made as it is sent, and has a bank of modems
// begin with it.
func (c *bootstrapCmd) campaign() (res result, err error) {
	f, err := c.newField("campaign", fieldOptions{modems: c.last(), time: c.Air})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := f.start("ports: []"); err != nil {
		return nil, err
	}
	out := &campaign{targets: c.Targets}
	stop, heap := make(chan struct{}), make(chan uint64)
	go func() { heap <- f.heap(stop) }()
	began := time.Now()
	err = f.up.campaign(c.Targets)
	out.took = time.Since(began)
	if err == nil {
		<-time.After(after)
	}
	close(stop)
	out.heap = <-heap
	if err != nil {
		return nil, err
	}
	if out.peak, err = f.peak(); err != nil {
		return nil, err
	}
	if err := f.stop(); err != nil {
		return nil, err
	}
	if out.sent, err = f.watch(&paceOptions{modems: c.last(), air: c.Air, length: c.Length}); err != nil {
		return nil, err
	}
	return out, f.stop()
}

// after is how long memory is looked at once a campaign has been started: it has begun with its first targets then.
const after = 5 * time.Second

// heap is the most that the heap of the gateway has held until stop is closed, as its metrics have it.
func (f *field) heap(stop <-chan struct{}) (most uint64) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if now, err := f.up.metric("go_memstats_heap_inuse_bytes"); err == nil {
			most = max(most, uint64(now))
		}
		select {
		case <-stop:
			return most
		case <-tick.C:
		}
	}
}
