package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Modems that are pulled, and how often each.
const (
	replugModems = 4
	replugTries  = 3
)

// replug measures how long a modem that was unplugged takes, from the return of its port, until the network has taken
// an SMS from it again. Work waits all the time.
func (c *bootstrapCmd) replug() (res result, err error) {
	away := func(r *rand.Rand) time.Duration { return 3*time.Second + time.Duration(r.Int64N(int64(5*time.Second))) }
	const most = replugTries * 15 // seconds
	f, err := c.newField("replug", fieldOptions{
		modems: replugModems, time: c.Air, pushes: int(replugModems * most * time.Second / c.Air / segmentsEach),
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := f.send(""); err != nil {
		return nil, err
	}
	if err := f.awaitAll(); err != nil {
		return nil, err
	}
	var seconds replugs
	var mu sync.Mutex
	var errs []error
	var pulling sync.WaitGroup
	for i := range replugModems {
		pulling.Go(func() {
			r := rand.New(rand.NewPCG(c.Seed, uint64(i)))
			for range replugTries {
				<-time.After(time.Duration(r.Int64N(int64(time.Second))))
				d, err := f.pull(i, away(r))
				mu.Lock()
				seconds, errs = append(seconds, d.Seconds()), append(errs, err)
				mu.Unlock()
			}
		})
	}
	pulling.Wait()
	if len(f.numbers) == f.air.arrived() {
		errs = append(errs, errors.New("replug: no work waited any more"))
	}
	return seconds, errors.Join(errs...)
}

// pull unplugs modem i for a time and returns how long after that it sends.
func (f *field) pull(i int, away time.Duration) (time.Duration, error) {
	f.bank.Unplug(i)
	<-time.After(away)
	back := time.Now()
	if err := f.bank.Replug(i); err != nil {
		return 0, err
	}
	var sent time.Time
	err := until(2*time.Minute, fmt.Sprintf("modem %d sends again", i), func() bool {
		sent = f.air.lastOf(i)
		return sent.After(back) && time.Now().After(sent)
	})
	return sent.Sub(back), err
}
