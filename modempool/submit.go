package modempool

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// okAlone is how long, as a part of the time for an answer, an OK without its "+CMGS: n" is given to find it.
const okAlone = 4

// submit sends one SMS-SUBMIT, a TPDU without SMSC part, and returns the message reference the modem gave it.
//
// Between AT+CMGS and Ctrl-Z nothing but the PDU is ever written, whatever comes in: modems take it for the PDU's
// text. An error in place of the prompt ends the send at once with that error. After a time-out the modem has been
// brought back in step, or the engine is dead; if the answer came meanwhile it is returned as if in time. An error
// after Ctrl-Z that says nothing about the SMS is a *DoubtfulError.
func (e *engine) submit(ctx context.Context, tpdu []byte, echo bool) (mr uint8, err error) {
	// The empty SMSC part stands for the SMSC stored in the SIM; AT+CMGS does not count it.
	return e.submitVia(ctx, append([]byte{0}, tpdu...), len(tpdu), echo)
}

// submitVia is submit with the SMSC part before the TPDU, which has length octets.
func (e *engine) submitVia(ctx context.Context, pdu []byte, length int, echo bool) (mr uint8, err error) {
	end, err := e.begin(ctx)
	defer end()
	if err != nil {
		return 0, err
	}
	command := "AT+CMGS=" + strconv.Itoa(length)
	e.ring.sent(command)
	defer e.ring.done()
	e.echoed = false
	e.tok.prompt, e.tok.echo = true, command
	defer func() { e.tok.prompt, e.tok.echo = false, "" }()
	if _, err := e.write(command + "\r"); err != nil {
		return 0, err
	}
	if err := e.awaitPrompt(ctx, command); err != nil {
		return 0, err
	}
	if e.echoed && !echo {
		// Echo is back: the modem has restarted and is in text mode, where this prompt is for another number.
		_, _ = e.write(esc)
		return 0, errReset
	}

	text := strings.ToUpper(hex.EncodeToString(pdu)) + ctrlZ
	if n, err := e.write(text); err != nil {
		if n == len(text) {
			err = &DoubtfulError{err}
		}
		return 0, err
	}
	e.ring.line(fmt.Sprintf("(PDU of %d octets sent)", length))
	return e.awaitReference(ctx, command)
}

// awaitPrompt hears the modem until it asks for the PDU.
func (e *engine) awaitPrompt(ctx context.Context, command string) error {
	timer := time.NewTimer(e.timing.prompt)
	defer timer.Stop()
	for {
		tok, err := e.next(ctx, timer.C)
		if errors.Is(err, errDeadline) {
			timeout := &TimeoutError{Command: command, For: "prompt", After: e.timing.prompt}
			if _, err := e.resync(ctx); err != nil {
				return e.die(timeout)
			}
			return timeout
		}
		if err != nil {
			return err
		}
		if tok.prompt {
			return nil
		}
		if tok.line == command {
			e.echoed = true
			continue
		}
		result, isFinal := final(tok.line)
		switch {
		case e.awaits(tok.line) || !isFinal:
			e.aside(tok.line)
		case result == nil:
			// Some modems say OK and then ask. It may also belong to a command given up.
			e.ring.line(tok.line)
			e.stale = max(0, e.stale-1)
		case e.stale > 0:
			e.ring.line(tok.line)
			e.stale--
		default:
			e.ring.line(tok.line)
			// The prompt may still follow: ESC and the probe make sure that nobody waits for a PDU.
			if _, err := e.resync(ctx); err != nil {
				return err
			}
			return result
		}
	}
}

// awaitReference hears the modem until it says what became of the PDU.
func (e *engine) awaitReference(ctx context.Context, command string) (uint8, error) {
	timer := time.NewTimer(e.timing.send)
	defer timer.Stop()
	var (
		cmgs string
		okay bool // an OK came, but no reference
	)
	for {
		tok, err := e.next(ctx, timer.C)
		switch {
		case err != nil && cmgs != "":
			// The network has it, whatever became of the OK.
			if errors.Is(err, errDeadline) {
				_, _ = e.resync(ctx) // if it fails the engine is dead, which the next command tells
			}
			return reference(cmgs)
		case errors.Is(err, errDeadline):
			return e.tooLate(ctx, &TimeoutError{Command: command, For: "answer", After: e.timing.send}, okay)
		case err != nil:
			return 0, &DoubtfulError{err}
		}
		result, isFinal := final(tok.line)
		switch {
		case e.awaits(tok.line):
			e.aside(tok.line)
		case strings.HasPrefix(tok.line, "+CMGS:"):
			e.ring.line(tok.line)
			if cmgs = tok.line; okay {
				return reference(cmgs)
			}
		case !isFinal:
			e.aside(tok.line)
		case e.stale > 0:
			e.ring.line(tok.line)
			e.stale--
		case result != nil:
			e.ring.line(tok.line)
			return 0, result
		case cmgs != "":
			e.ring.line(tok.line)
			return reference(cmgs)
		default:
			e.ring.line(tok.line)
			if !okay {
				okay = true
				timer.Reset(e.timing.send / okAlone)
			}
		}
	}
}

// tooLate ends a send that was not answered in time.
func (e *engine) tooLate(ctx context.Context, timeout *TimeoutError, okay bool) (uint8, error) {
	late, err := e.resync(ctx)
	if err == nil && !okay && late == (lateAnswer{}) {
		err = e.linger(ctx, e.timing.send/okAlone, &late)
	}
	switch {
	case late.cmgs != "":
		return reference(late.cmgs)
	case late.err != nil:
		return 0, late.err
	case err != nil:
		return 0, &DoubtfulError{&DeadError{timeout}}
	}
	return 0, &DoubtfulError{timeout}
}

// reference reads "+CMGS: 12", "+CMGS:12" and `+CMGS: 12,"24/05/17,10:00:00+08"`. An SMS whose reference can't be
// read has gone out all the same, only its report will not be known.
func reference(line string) (uint8, error) {
	value, _, _ := strings.Cut(strings.TrimPrefix(line, "+CMGS:"), ",")
	n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 8)
	if err != nil {
		return 0, &DoubtfulError{fmt.Errorf("no message reference in %q", shown(line))}
	}
	return uint8(n), nil
}
