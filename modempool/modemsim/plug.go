package modemsim

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// minors are the numbers of ttyUSBs. As the kernel does, the lowest that is free is taken first.
type minors struct {
	mu    sync.Mutex
	taken []bool
}

func (m *minors) take() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := slices.Index(m.taken, false)
	if n < 0 {
		n = len(m.taken)
		m.taken = append(m.taken, true)
	}
	m.taken[n] = true
	return n
}

func (m *minors) give(n int) {
	m.mu.Lock()
	m.taken[n] = false
	m.mu.Unlock()
}

// Paths returns the first port of each modem. As those in /dev/serial/by-id they stay the same when a modem is
// plugged in again and gets another pty and another name.
func (b *Bank) Paths() []string {
	out := make([]string, len(b.modems))
	for i := range out {
		out[i] = b.stable(i, 0)
	}
	return out
}

// Ports returns all ports of modem i in the order of Character.Ports, by the names that stay the same.
func (b *Bank) Ports(i int) []string {
	out := make([]string, len(b.modems[i].ports))
	for k := range out {
		out[k] = b.stable(i, k)
	}
	return out
}

// TTYs returns the names that the ports of modem i have now, in the same order: ttyUSB0 and so on, beside those of
// Ports. Where the modem is unplugged they are those it had last.
func (b *Bank) TTYs(i int) []string {
	m := b.modems[i]
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, p := range m.ports {
		if p.line != nil {
			out = append(out, p.line.links[1])
		}
	}
	return out
}

func (b *Bank) stable(i, port int) string {
	if port == 0 {
		return filepath.Join(b.dir, fmt.Sprintf("modem%d", i))
	}
	return filepath.Join(b.dir, fmt.Sprintf("modem%d-if%02d", i, port))
}

// Unplug pulls modem i: its ports hang up and go. What is on the air may or may not have been sent.
func (b *Bank) Unplug(i int) {
	lines := b.modems[i].lines()
	for _, l := range lines {
		l.hangUp()
	}
	for _, l := range lines {
		<-l.done
	}
}

// Replug plugs modem i in, freshly started, under new ptys: by the names that stay the same, and as the first
// ttyUSB that is free. What came in between is passed on when asked for.
func (b *Bank) Replug(i int) error { return b.ReplugAs(i, "") }

// ReplugAs is Replug with a name for the first port in place of ttyUSB0 and so on: a path, or a name in the folder of
// TTYs. The name that stays the same is there as well.
func (b *Bank) ReplugAs(i int, tty string) error {
	m := b.modems[i]
	m.plug.Lock()
	defer m.plug.Unlock()
	for k, l := range m.lines() {
		select {
		case <-l.closed:
		default:
			if k == 0 { // Unplug takes it before the others
				return fmt.Errorf("modemsim: modem %d is plugged in", i)
			}
		}
		<-l.done // it may have gone by itself and not be quite through with it
	}
	lines := make([]*line, len(m.ports))
	for k := range m.ports {
		l, err := newLine(m.c.Sip)
		if err == nil {
			err = b.name(l, b.stable(i, k), tty)
		}
		if err != nil {
			for _, l := range lines[:k] {
				l.hangUp()
			}
			return err
		}
		lines[k], tty = l, ""
	}
	m.boot()
	m.mu.Lock()
	for k, p := range m.ports {
		p.line = lines[k]
	}
	m.mu.Unlock()
	m.enter(idle)
	for _, p := range m.ports {
		b.lives.Go(p.live)
	}
	return nil
}

// name gives l its two names. Where that fails, l has hung up.
func (b *Bank) name(l *line, stable, tty string) error {
	link := func(path string) error {
		if err := os.Symlink(l.slave.Name(), path); err != nil {
			return err
		}
		l.links = append(l.links, path)
		return nil
	}
	err := link(stable)
	switch {
	case err != nil:
	case tty != "" && filepath.IsAbs(tty):
		err = link(tty)
	case tty != "":
		err = link(filepath.Join(b.dir, tty))
	default:
		n := b.minors.take()
		l.freed = func() { b.minors.give(n) }
		err = link(filepath.Join(b.dir, fmt.Sprintf("ttyUSB%d", n)))
	}
	if err != nil {
		l.hangUp()
	}
	return err
}
