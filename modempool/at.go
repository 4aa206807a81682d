package modempool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// timing holds an engine's time-outs. See Options for their defaults.
type timing struct {
	command time.Duration // for the answer to a command, also for each try to get back in step
	prompt  time.Duration // for the prompt of AT+CMGS
	send    time.Duration // for the answer after Ctrl-Z
}

const (
	esc   = "\x1b"
	ctrlZ = "\x1a"

	writeLimit   = 5 * time.Second // for a port to take a command: a full USB buffer blocks for ever
	readChunk    = 512
	maxEmpty     = 100 // reads in a row that bring nothing
	chunksAhead  = 64  // chunks read before somebody listens; after that the port's own buffer fills
	headerPeriod = 4   // lines after a "+CDS: n" in which its PDU must come
)

// engine holds an AT conversation over one port. Apart from the goroutine that reads the port it has none: it hears the
// modem while a command runs or when heard is called with what came on chunks. It belongs to one goroutine; commands
// of several take turns, so that one is in flight at a time (D6).
type engine struct {
	port   io.ReadWriteCloser
	timing timing
	ring   *ring

	// unsolicited takes lines that came unasked, pdu the PDU that followed the header "+CDS: n" or "+CMT: n". They
	// are called in the middle of commands and must not write to the modem.
	unsolicited func(line string)
	pdu         func(header, hex string)

	chunks chan []byte   // from the reader; closed when the port has ended
	ended  error         // why it has; valid after chunks is closed
	stop   chan struct{} // closed by close
	turn   chan struct{} // full while a command is in flight

	tok    tokenizer
	rest   []byte // of the last chunk, not yet cut
	dead   error  // set once nothing more can be said on this port
	stale  int    // final results still to come that belong to commands given up
	echoed bool   // the last command came back as an echo

	header string // an unsolicited line whose PDU is to follow
	within int    // lines left for it
}

// newEngine begins a conversation on port, which must end a Read under way when it is closed.
func newEngine(port io.ReadWriteCloser, t timing, r *ring) *engine {
	e := &engine{port: port, timing: t, ring: r, chunks: make(chan []byte, chunksAhead), stop: make(chan struct{}),
		turn: make(chan struct{}, 1)}
	e.unsolicited = func(string) {}
	e.pdu = func(string, string) {}
	go e.read()
	return e
}

// close ends the conversation and its reader.
func (e *engine) close() error {
	close(e.stop)
	err := e.port.Close()
	for range e.chunks {
		continue // until the reader has ended
	}
	return err
}

// read passes on what comes from the port until it ends or the engine is closed.
func (e *engine) read() {
	defer close(e.chunks)
	buf := make([]byte, readChunk)
	for empty := 0; ; {
		n, err := e.port.Read(buf)
		if n > 0 {
			empty = 0
			select {
			case e.chunks <- append([]byte(nil), buf[:n]...):
			case <-e.stop:
				err = io.ErrClosedPipe
			}
		}
		if err == nil && n == 0 {
			if empty++; empty == maxEmpty {
				err = io.ErrNoProgress // some ports read nothing for ever once they have gone
			}
		}
		if err != nil {
			e.ended = err
			return
		}
	}
}

// errDeadline says that the timer of a wait has run out.
var errDeadline = errors.New("time is up")

// next returns the next token. It fails with errDeadline, the context's error, or a *DeadError.
func (e *engine) next(ctx context.Context, deadline <-chan time.Time) (token, error) {
	for {
		tok, n, ok := e.tok.next(e.rest)
		e.rest = e.rest[n:]
		if ok {
			return tok, nil
		}
		select {
		case chunk, open := <-e.chunks:
			if !open {
				return token{}, e.die(fmt.Errorf("port: %w", e.ended))
			}
			e.rest = chunk
		case <-deadline:
			return token{}, errDeadline
		case <-ctx.Done():
			return token{}, ctx.Err()
		}
	}
}

// die notes that nothing more can be said on this port.
func (e *engine) die(err error) error {
	if e.dead == nil {
		e.dead = &DeadError{err}
	}
	return e.dead
}

// write hands text to the port, whole or not at all as far as anyone can tell: n counts the bytes that went.
func (e *engine) write(text string) (n int, err error) {
	if e.dead != nil {
		return 0, e.dead
	}
	if p, ok := e.port.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = p.SetWriteDeadline(time.Now().Add(writeLimit)) // best effort: not every port has one
	}
	n, err = io.WriteString(e.port, text)
	if err != nil {
		return n, e.die(fmt.Errorf("port: %w", err))
	}
	return n, nil
}

// heard takes a chunk that came while nothing was asked. open is false when the port has ended.
func (e *engine) heard(chunk []byte, open bool) error {
	if !open {
		return e.die(fmt.Errorf("port: %w", e.ended))
	}
	for len(chunk) > 0 {
		tok, n, ok := e.tok.next(chunk)
		chunk = chunk[n:]
		if ok && !tok.prompt {
			e.aside(tok.line)
		}
	}
	return nil
}

// settle hears what has come so far, so that it can not be taken for the answer to what is asked next.
func (e *engine) settle() error {
	rest := e.rest
	e.rest = nil
	if err := e.heard(rest, true); err != nil {
		return err
	}
	for {
		select {
		case chunk, open := <-e.chunks:
			if err := e.heard(chunk, open); err != nil {
				return err
			}
		default:
			return e.dead
		}
	}
}

// aside routes a line that does not answer what is in flight.
func (e *engine) aside(line string) {
	e.ring.line(shown(line))
	if e.header != "" {
		if pduFits(e.header, line) {
			header := e.header
			e.header = ""
			e.pdu(header, line)
			return
		}
		if e.within--; e.within == 0 {
			e.header = ""
		}
	}
	switch {
	case strings.HasPrefix(line, "+CDS:"), strings.HasPrefix(line, "+CMT:"):
		e.header, e.within = line, headerPeriod
	case strings.HasPrefix(line, "+CMGS:"), strings.HasPrefix(line, probeAnswer):
		// The late answer to a command given up: its final result follows.
		e.stale++
	case wellFormed(line):
		e.unsolicited(line)
	}
}

// awaits says whether line is the PDU of a header, which goes before any other reading of it.
func (e *engine) awaits(line string) bool { return e.header != "" && pduFits(e.header, line) }

// result reads the final result of the command in flight. Those of commands given up are dropped.
func (e *engine) result(line string) (result error, ok bool) {
	if result, ok = final(line); !ok {
		return nil, false
	}
	e.ring.line(line)
	if e.stale > 0 {
		e.stale--
		return nil, false
	}
	return result, true
}

// begin waits for the turn to say something, and hears what came before. Its end is to be called in any case.
func (e *engine) begin(ctx context.Context) (end func(), err error) {
	select {
	case e.turn <- struct{}{}:
		return func() { <-e.turn }, e.settle()
	case <-ctx.Done():
		return func() {}, ctx.Err()
	}
}

// command says text and waits for its final result. Lines that takes claims are its information, and each has the time
// for an answer begin anew; others are routed. After a time-out the modem has been brought back in step, or the engine
// is dead.
func (e *engine) command(ctx context.Context, text string, takes func(line string) bool) error {
	end, err := e.begin(ctx)
	defer end()
	if err != nil {
		return err
	}
	e.ring.sent(masked(text))
	defer e.ring.done()
	e.echoed = false
	if _, err := e.write(text + "\r"); err != nil {
		return err
	}
	timer := time.NewTimer(e.timing.command)
	defer timer.Stop()
	for {
		tok, err := e.next(ctx, timer.C)
		if errors.Is(err, errDeadline) {
			timeout := &TimeoutError{Command: masked(text), For: "answer", After: e.timing.command}
			if _, err := e.resync(ctx); err != nil {
				return e.die(timeout)
			}
			return timeout
		}
		if err != nil {
			return err
		}
		if tok.line == text {
			e.echoed = true
			continue
		}
		if !e.awaits(tok.line) {
			if err, ok := e.result(tok.line); ok {
				return err
			}
			if takes != nil && takes(tok.line) {
				e.ring.line(shown(tok.line))
				timer.Reset(e.timing.command)
				continue
			}
			if _, ok := final(tok.line); ok {
				continue // stale
			}
		}
		e.aside(tok.line)
	}
}

// query says text and returns the first line of information that starts with prefix, without the prefix.
func (e *engine) query(ctx context.Context, text, prefix string) (string, error) {
	var value string
	err := e.command(ctx, text, func(line string) bool {
		rest, ok := strings.CutPrefix(line, prefix)
		if ok && value == "" {
			value = strings.TrimSpace(rest)
		}
		return ok
	})
	return value, err
}
