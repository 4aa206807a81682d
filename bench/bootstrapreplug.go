package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Modems that are pulled, and how often each under every way of coming back.
const (
	replugModems = 4
	replugTries  = 3
)

// replugs are the seconds from the return of a port until the network has taken an SMS.
type replugs struct {
	same    []float64 // under the name that it had, as in /dev/serial/by-id
	renamed []float64 // under another one, as /dev/ttyUSB7 after ttyUSB3
}

// replug measures how long a modem that was unplugged takes until it sends again. Work waits all the time.
func (c *bootstrapCmd) replug() (res result, err error) {
	const most = 2 * replugTries * 15 * time.Second
	f, err := c.newField("replug", fieldOptions{
		modems: replugModems, time: c.Air, pushes: int(replugModems * most / c.Air / segmentsEach),
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	s, err := newSockets(f)
	if err != nil {
		return nil, err
	}
	if err := f.sendThrough(s.pattern(), ""); err != nil {
		return nil, err
	}
	if err := f.awaitAll(); err != nil {
		return nil, err
	}
	var out replugs
	var mu sync.Mutex
	var errs []error
	var pulling sync.WaitGroup
	for i := range replugModems {
		pulling.Go(func() {
			r := rand.New(rand.NewPCG(c.Seed, uint64(i)))
			for n := range 2 * replugTries {
				<-time.After(time.Duration(r.Int64N(int64(time.Second))))
				renamed := n%2 == 1
				d, err := s.pull(i, 3*time.Second+time.Duration(r.Int64N(int64(5*time.Second))), renamed)
				mu.Lock()
				switch {
				case err != nil:
					errs = append(errs, err)
				case renamed:
					out.renamed = append(out.renamed, d.Seconds())
				default:
					out.same = append(out.same, d.Seconds())
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	pulling.Wait()
	if len(f.numbers) == f.air.arrived() {
		errs = append(errs, errors.New("no work waited any more"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%w; the gateway's log ends with:\n%s", err, f.logEnd())
	}
	return &out, nil
}

// sockets are where the modems of a field are plugged in: a folder like /dev, in which a name is there as long as the
// modem is.
type sockets struct {
	*field
	folder string

	mu    sync.Mutex
	names []string // of each modem
	next  int
}

func newSockets(f *field) (*sockets, error) {
	s := &sockets{field: f, folder: filepath.Join(f.folder, "dev"), names: make([]string, len(f.bank.Paths()))}
	if err := os.Mkdir(s.folder, 0o700); err != nil {
		return nil, err
	}
	for i := range s.names {
		if err := s.plug(i, true); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// pattern matches the ports of all modems.
func (s *sockets) pattern() string { return filepath.Join(s.folder, "ttyUSB*") }

// plug gives modem i its name back, or a new one.
func (s *sockets) plug(i int, renamed bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if renamed {
		s.names[i] = filepath.Join(s.folder, fmt.Sprintf("ttyUSB%d", s.next))
		s.next++
	}
	return os.Symlink(s.bank.Paths()[i], s.names[i])
}

// pull unplugs modem i for a time and returns how long after that it sends.
func (s *sockets) pull(i int, away time.Duration, renamed bool) (time.Duration, error) {
	if err := os.Remove(s.names[i]); err != nil {
		return 0, err
	}
	s.bank.Unplug(i)
	<-time.After(away)
	back := time.Now()
	if err := errors.Join(s.bank.Replug(i), s.plug(i, renamed)); err != nil {
		return 0, err
	}
	var sent time.Time
	err := until(20*time.Second, fmt.Sprintf("%s sends again", filepath.Base(s.names[i])), func() bool {
		sent = s.air.lastOf(i)
		return sent.After(back) && time.Now().After(sent)
	})
	return sent.Sub(back), err
}
