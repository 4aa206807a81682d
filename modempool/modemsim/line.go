package modemsim

import (
	"io"
	"os"
	"sync"
	"time"
)

// line is the pty between a modem and whoever opens its port.
type line struct {
	master *os.File
	slave  *os.File // held open, so that the port may be closed and opened again without a hang-up

	in     chan []byte   // what was typed; closed after a hang-up
	closed chan struct{} // hung up
	once   sync.Once     // guards hangUp
	done   chan struct{} // the modem has noticed
}

func newLine() (*line, error) {
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
	go l.read()
	return l, nil
}

// read passes on what is typed until the line hangs up. What nobody takes is lost, as with a modem that hangs.
func (l *line) read() {
	defer close(l.in)
	buf := make([]byte, 1024)
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

// write puts text out in chunks of n bytes, gap apart; 0 is all at once. What nobody reads is lost.
func (l *line) write(text string, n int, gap time.Duration) {
	if n <= 0 {
		n = len(text)
	}
	_ = l.master.SetWriteDeadline(time.Now().Add(time.Second))
	for len(text) > 0 {
		k := min(n, len(text))
		if _, err := io.WriteString(l.master, text[:k]); err != nil {
			return
		}
		if text = text[k:]; gap > 0 && text != "" {
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

// hangUp takes the line away, once. Whoever has the port open reads the end of file.
func (l *line) hangUp() {
	close(l.closed)
	_ = l.master.Close()
	_ = l.slave.Close()
}
