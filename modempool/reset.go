package modempool

import (
	"context"
	"errors"
)

// reset restarts a modem that answers commands but no longer does its work, by AT+CFUN=1,1. It ends the conversation:
// the port may go and come back, under another name as well, so that it is to be opened anew in any case. The error
// says that the modem would not, or can't be told: then opening the port anew is all that can be done.
func (m *modem) reset(ctx context.Context) error {
	if m.at.dead != nil {
		return m.at.dead
	}
	err := m.at.command(ctx, "AT+CFUN=1,1", nil)
	var timeout *TimeoutError
	switch {
	case err == nil, errors.As(err, &timeout):
		_ = m.at.die(errReset)
		return nil
	case m.at.dead != nil && !refusal(err):
		return nil // many modems take their port with them before they say OK
	}
	return err
}

// shake tells a modem to restart that has not answered before, whether it hears it or not. It comes before anything else
// is said on the port; ESC ends a PDU that may be asked for.
func (e *engine) shake() {
	e.ring.sent("AT+CFUN=1,1")
	defer e.ring.done()
	_, _ = e.write(esc + "\rAT+CFUN=1,1\r") // a port that takes nothing is dead, which the next command tells
}
