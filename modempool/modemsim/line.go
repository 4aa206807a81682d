package modemsim

import (
	"os"
	"sync"
	"time"
)

// line is the pty between a modem and whoever opens its port.
type line struct {
	master *os.File
	slave  *os.File // held open, so that the port may be closed and opened again without a hang-up

	links []string // names of slave: the one that stays the same, the one that does not
	freed func()   // says that the second may be given to another; nil where it needs no saying

	in     chan []byte   // what was typed; closed after a hang-up
	closed chan struct{} // hung up
	once   sync.Once     // guards hangUp
	done   chan struct{} // the modem has noticed
}

// newLine opens a line that takes at most sip bytes at a time; 0 is as many as there are.
func newLine(sip int) (*line, error) {
	master, slave, err := openPTY()
	if err != nil {
		return nil, err
	}
	l := &line{
		master: master,
		slave:  slave,
		in:     make(chan []byte, 256),
		closed: make(chan struct{}),
		done:   make(chan struct{}),
	}
	go l.read(sip)
	return l, nil
}

// read passes on what is typed until the line hangs up. What nobody takes is lost, as with a modem that hangs.
func (l *line) read(sip int) {
	defer close(l.in)
	if sip <= 0 {
		sip = 1024
	}
	buf := make([]byte, sip)
	for {
		n, err := l.master.Read(buf)
		if n > 0 {
			// The exclusive mode of whoever has the port is a flag of the pty; slave keeps it alive, so that one who
			// was killed would lock his successor out.
			shareable(l.slave)
			select {
			case l.in <- append([]byte(nil), buf[:n]...):
			case <-l.closed:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// maxWrite bounds what is written at once: about what a pty holds.
const maxWrite = 4096

// write puts b out in chunks of n bytes, gap apart; 0 is all at once. What nobody reads for a second is lost, as it
// is where nobody heeds flow control.
func (l *line) write(b []byte, n int, gap time.Duration) {
	if n <= 0 {
		n = maxWrite
	}
	for len(b) > 0 {
		k := min(n, len(b))
		_ = l.master.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := l.master.Write(b[:k]); err != nil {
			return
		}
		if b = b[k:]; gap > 0 && len(b) > 0 {
			l.wait(gap)
		}
	}
}

// wait waits for d; it is false if the line has hung up.
func (l *line) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.closed:
		return false
	}
}

// hangUp takes the line and its names away, once. Whoever has the port open reads the end of file.
func (l *line) hangUp() {
	l.once.Do(func() {
		for _, path := range l.links {
			_ = os.Remove(path)
		}
		if l.freed != nil {
			l.freed()
		}
		close(l.closed)
		_ = l.master.Close()
		_ = l.slave.Close()
	})
}
