package modempool

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"dmgate/storage"
)

// A port that is configured has a worker from the beginning, whether it is there or not. One that is named by a pattern
// has one while its file is there, and for a while after.

// plugEvery is how often patterns are looked up: a modem that is plugged in is found within that time.
const plugEvery = 500 * time.Millisecond

// plug keeps a worker for each port until ctx ends, and waits for them.
func (p *Pool) plug(ctx, work context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	tick := time.NewTicker(plugEvery)
	defer tick.Stop()
	started := make(map[*worker]bool)
	for {
		p.comeBack()
		p.match()
		p.mu.Lock()
		workers := slices.Clone(p.workers)
		p.mu.Unlock()
		for _, w := range workers {
			if started[w] {
				continue
			}
			started[w] = true
			own, cancel := context.WithCancel(ctx)
			context.AfterFunc(w.removed, cancel)
			running.Go(func() {
				defer cancel()
				w.run(own, work)
			})
		}
		for w := range started {
			if !slices.Contains(workers, w) {
				delete(started, w)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-p.look:
		case <-tick.C:
		}
	}
}

// match sees to it that there is a worker for each port that the patterns stand for, and none for one that a pattern has
// found and whose file has been gone for a while.
func (p *Pool) match() {
	p.mu.Lock()
	ports, workers := p.ports, slices.Clone(p.workers)
	p.mu.Unlock()
	missing := slices.DeleteFunc(workers, func(w *worker) bool { return !w.found || !unplugged(w.port.Path) })
	paths := make(map[string][]string) // by pattern
	for _, port := range ports {
		if port.IsPattern() {
			paths[port.Path], _ = filepath.Glob(port.Path) // Check has tried the pattern
		}
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	p.workers = slices.DeleteFunc(p.workers, func(w *worker) bool {
		if slices.Contains(missing, w) && p.gone(w) {
			w.remove()
			return true
		}
		return false
	})
	for _, port := range p.ports { // those of now: one may have been removed meanwhile
		pattern := port.IsPattern()
		places := []string{port.Path}
		if pattern {
			places = paths[port.Path]
		}
		for _, path := range places {
			at := func(w *worker) bool { return w.port.Path == path }
			if !slices.Contains(p.kept.Away, path) && !slices.ContainsFunc(p.workers, at) {
				own := port
				own.Path = path
				p.workers = append(p.workers, newWorker(p, p.name(path), own, pattern))
				nudge(p.look)
			}
		}
	}
}

// unplugged says whether there is no device file at path.
func unplugged(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// comeBack lets patterns find removed modems again whose files have gone meanwhile.
func (p *Pool) comeBack() {
	p.mu.Lock()
	away := p.kept.Away
	p.mu.Unlock()
	if !slices.ContainsFunc(away, unplugged) {
		return
	}
	err := p.keep(func(k *kept) error {
		k.Away = slices.DeleteFunc(k.Away, unplugged)
		return nil
	})
	if err != nil && !errors.Is(err, storage.ErrFailed) {
		p.log.Error("modem unplugged after it was removed", zap.Error(err))
	}
}

// name is what a worker is called: the last element of its path, or all of it where another one ends alike.
func (p *Pool) name(path string) string {
	base := filepath.Base(path)
	if slices.ContainsFunc(p.workers, func(w *worker) bool { return w.name == base }) {
		return path
	}
	return base
}

// goneAfter is how long the port of a modem that a pattern has found may be away until it is forgotten.
const goneAfter = 10 * time.Minute

// gone says whether a worker whose port is missing has been out of service for long, or its modem has come back under
// another port. It needs p.mu.
func (p *Pool) gone(w *worker) bool {
	s := w.board.status()
	if s.State != OutOfService {
		return false
	}
	a := p.known[s.ID]
	return time.Since(s.Since) > goneAfter || a != nil && a.holder != nil && a.holder != w
}

// AddPort puts a modem to work, also after a restart. The error is a *PortError, ErrHasModem where the port has one, or
// that of the store.
func (p *Pool) AddPort(port Port) error {
	if err := port.Check(); err != nil {
		return err
	}
	err := p.keep(func(k *kept) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if slices.ContainsFunc(p.ports, func(o Port) bool { return o.Path == port.Path }) ||
			slices.ContainsFunc(p.workers, func(w *worker) bool { return w.port.Path == port.Path }) {
			return ErrHasModem
		}
		k.Added = append(k.Added, port)
		k.Away = drop(k.Away, port.Path)
		return nil
	})
	if err != nil {
		return err
	}
	p.match()
	nudge(p.look)
	return nil
}

// Remove lets a modem finish its push and then forgets it and its port, also after a restart. One that a pattern finds
// stays away until it has been unplugged.
func (p *Pool) Remove(id string) error {
	w, err := p.find(id)
	if err != nil {
		return err
	}
	path := w.port.Path
	err = p.keep(func(k *kept) error {
		k.Added = slices.DeleteFunc(k.Added, func(o Port) bool { return o.Path == path })
		k.Drained = drop(drop(k.Drained, w.board.status().ID), w.name)
		configured := slices.ContainsFunc(p.options.Ports, func(o Port) bool { return o.Path == path })
		switch {
		case w.found:
			k.Away = append(drop(k.Away, path), path)
		case configured:
			k.Removed = append(drop(k.Removed, path), path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.workers = slices.DeleteFunc(p.workers, func(o *worker) bool { return o == w })
	p.mu.Unlock()
	w.remove()
	w.notice("removed")
	return nil
}

// Drain lets a modem finish its push and gives it no more. It stays so until Undrain, whatever port it is behind, and
// also after a restart.
func (p *Pool) Drain(id string) error { return p.drain(id, true) }

// Undrain gives a modem pushes again.
func (p *Pool) Undrain(id string) error { return p.drain(id, false) }

func (p *Pool) drain(id string, drained bool) error {
	w, err := p.find(id)
	if err != nil {
		return err
	}
	err = p.keep(func(k *kept) error {
		id := w.board.status().ID
		k.Drained = drop(drop(k.Drained, id), w.name)
		if drained {
			k.Drained = append(k.Drained, id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.drain(drained)
	return nil
}

// Reset has a modem restart (AT+CFUN=1,1) where it answers, and opens its port anew. Its SIM's PIN may be tried again.
func (p *Pool) Reset(id string) error {
	w, err := p.find(id)
	if err != nil {
		return err
	}
	w.wantReset.Store(true)
	w.poke()
	return nil
}

// find is the worker whose modem has an ID, or whose port has that name.
func (p *Pool) find(id string) (*worker, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, is := range []func(*worker) bool{
		func(w *worker) bool { return w.board.status().ID == id }, func(w *worker) bool { return w.name == id },
	} {
		if i := slices.IndexFunc(p.workers, is); i >= 0 {
			return p.workers[i], nil
		}
	}
	return nil, ErrNoModem
}

// acquaintance is what is known of a modem whatever port it is behind.
type acquaintance struct {
	holder   *worker // that drives it; nil where none does
	identity Identity
	counters Counters // until its last worker let go of it
	recent   recent
}

// holder is the name of the worker that drives a modem; empty where none does.
func (p *Pool) holder(id string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.known[id]; a != nil && a.holder != nil {
		return a.holder.name
	}
	return ""
}

// meet gives the modem with an identity to w, unless another worker has it: then it returns that one's name.
func (p *Pool) meet(w *worker, identity Identity) (a *acquaintance, other string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := identity.ID(w.name)
	a = p.known[id]
	if a == nil {
		a = &acquaintance{identity: identity}
		p.known[id] = a
	}
	if a.holder != nil && a.holder != w {
		return nil, a.holder.name
	}
	a.holder = w
	return a, ""
}

// drained says whether w's modem is to take no pushes.
func (p *Pool) drained(w *worker) bool {
	id := w.board.status().ID
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept.drained(id, w.name)
}

// part ends what meet began.
func (p *Pool) part(w *worker, a *acquaintance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.holder == w {
		a.holder = nil
		a.counters = w.board.status().Counters
	}
}

func (w *worker) notice(text string) {
	w.log.Info("modem", zap.String("what", text))
	if err := w.pool.queue.Noticed(w.name, text); err != nil {
		w.log.Error("not told to the feed", zap.String("what", text), zap.Error(err))
	}
}
