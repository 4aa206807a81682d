package modempool

import (
	"context"
	"errors"
	"strings"
	"time"
)

// probe is a question whose answer can not be mistaken for that of any other command, which a bare OK can (D3).
const (
	probe       = "AT+CMEE?"
	probeAnswer = "+CMEE:"
	probeTries  = 4

	greetTries = 2
	greetTime  = 2 * time.Second // for each of them
)

// ErrSilent is a port on which nobody answers AT, as the ports of a USB modem for packets and diagnosis are.
var ErrSilent = errors.New("port does not answer AT")

// errDeaf is a modem that has answered before.
var errDeaf = errors.New("modem does not answer")

// greet begins a conversation: in step, whatever was said on the port before. A port that answers nothing costs little
// time and is dead with ErrSilent.
func (e *engine) greet(ctx context.Context) error {
	_, answered, err := e.probe(ctx, greetTries, min(greetTime, e.timing.command))
	switch {
	case !errors.Is(err, errDeadline):
		return err
	case !answered:
		return e.die(ErrSilent)
	}
	_, err = e.resync(ctx) // it answers, but slowly
	return err
}

// lateAnswer is what came, after its time, for an AT+CMGS that had been given up.
type lateAnswer struct {
	cmgs string // the line "+CMGS: n", if an OK followed it
	err  error  // a CMSError
}

// resync brings the conversation back in step after a time-out. ESC ends a PDU that may be asked for; then the probe
// is put until it is answered. A modem answers in order, so what came before that was late.
//
// A modem may answer several probes at once when it comes back. The answers left over announce themselves by
// probeAnswer, see aside.
func (e *engine) resync(ctx context.Context) (late lateAnswer, err error) {
	late, _, err = e.probe(ctx, probeTries, e.timing.command)
	if errors.Is(err, errDeadline) {
		err = e.die(errDeaf)
	}
	return late, err
}

// probe is one round of probes, each given so long. Without an answer it fails with errDeadline; answered says that
// there was some final result all the same.
func (e *engine) probe(ctx context.Context, tries int, each time.Duration) (late lateAnswer, answered bool, err error) {
	e.stale, e.tok.prompt = 0, false
	e.ring.sent(probe)
	defer e.ring.done()
	results := 0 // tries that brought some
	for try := range tries {
		text := probe + "\r"
		if try%2 == 0 {
			// Not every time: a modem that takes ESC for text answers ERROR to the line it starts.
			text = esc + "\r" + text
		}
		if _, err := e.write(text); err != nil {
			return late, results > 0, err
		}
		timer := time.NewTimer(each)
		finals, err := e.awaitProbe(ctx, timer.C, &late)
		timer.Stop()
		if !errors.Is(err, errDeadline) {
			return late, true, err
		}
		if finals > 0 {
			results++
		}
	}
	if results == tries {
		return late, true, nil // it does not know the probe, but it answers
	}
	return late, results > 0, errDeadline
}

// awaitProbe hears the modem until the probe is answered. finals counts the results that came before.
func (e *engine) awaitProbe(ctx context.Context, deadline <-chan time.Time, late *lateAnswer) (finals int, err error) {
	var (
		cmgs string
		ours bool
	)
	for {
		tok, err := e.next(ctx, deadline)
		if err != nil {
			return finals, err
		}
		result, isFinal := final(tok.line)
		switch {
		case e.awaits(tok.line):
			e.aside(tok.line)
		case isFinal && ours:
			e.ring.line(tok.line)
			return finals, nil
		case isFinal:
			e.ring.line(tok.line)
			finals++
			var cms CMSError
			if result == nil && cmgs != "" {
				late.cmgs = cmgs
			} else if errors.As(result, &cms) {
				late.err = cms
			}
			cmgs = ""
		case strings.HasPrefix(tok.line, probeAnswer):
			ours = true
			e.ring.line(tok.line)
		case strings.HasPrefix(tok.line, "+CMGS:"):
			cmgs = tok.line
			e.ring.line(tok.line)
		default:
			e.aside(tok.line)
		}
	}
}

// linger hears the modem for d, for one that answers the probe before the send it is still busy with.
func (e *engine) linger(ctx context.Context, d time.Duration, late *lateAnswer) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	cmgs := ""
	for late.cmgs == "" && late.err == nil {
		tok, err := e.next(ctx, timer.C)
		if errors.Is(err, errDeadline) {
			return nil
		}
		if err != nil {
			return err
		}
		result, isFinal := final(tok.line)
		var cms CMSError
		switch {
		case e.awaits(tok.line), !isFinal && !strings.HasPrefix(tok.line, "+CMGS:"):
			e.aside(tok.line)
		case !isFinal:
			cmgs = tok.line
		case result == nil && cmgs != "":
			late.cmgs = cmgs
		case errors.As(result, &cms):
			late.err = cms
		}
	}
	return nil
}
