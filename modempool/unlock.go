package modempool

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	errNoPIN      = faultError("SIM wants a PIN and none is configured")
	errPINRefused = faultError("SIM refused the configured PIN: not tried again until the modem is reset by hand")
	errPINLeft    = faultError("SIM has fewer than 3 PIN tries left: not tried, unlock it by hand once")
	errNoSIM      = faultError("no SIM")
	errPUK        = faultError("SIM is blocked and wants its PUK")
)

// unlockTries bounds the questions for the state of a SIM that is busy, as it is after a start and after its PIN.
const unlockTries = 10

// unlock enters the PIN where the SIM asks for it. A PIN is spent before it is typed and given back only when the SIM
// says READY: whatever goes wrong in between, it is never typed a second time, for the third wrong one blocks the SIM.
func (m *modem) unlock(ctx context.Context, pin string) error {
	typed := false
	var last error
	for range unlockTries {
		state, err := m.at.query(ctx, "AT+CPIN?", "+CPIN:")
		switch {
		case err != nil && Classify(err) != RetrySoon:
			return err
		case err != nil:
			last = err
		case state == "READY":
			return m.pin.clear()
		case state == "NOT READY", state == "": // still reading the SIM
			last = errors.New("SIM is not ready")
		case state == "NOT INSERTED":
			return errNoSIM
		case strings.HasPrefix(state, "SIM PUK"):
			return errPUK
		case state != "SIM PIN":
			return faultError("SIM wants " + state)
		case typed:
			last = errors.New("SIM still wants its PIN")
		case pin == "":
			return errNoPIN
		default:
			if spent, err := m.pin.spent(); err != nil {
				return err
			} else if spent {
				return errPINRefused
			}
			if left, ok := m.pinTries(ctx); ok && left < 3 {
				return errPINLeft
			}
			if m.at.dead != nil {
				return m.at.dead
			}
			if err := m.pin.spend(); err != nil {
				return err
			}
			typed = true
			if err := m.at.command(ctx, `AT+CPIN="`+pin+`"`, nil); err != nil {
				if m.at.dead != nil {
					return m.at.dead
				}
				return fmt.Errorf("%w (%w)", errPINRefused, err)
			}
			continue
		}
		if err := pause(ctx, m.poll); err != nil {
			return err
		}
	}
	return last
}

// pinTries asks how many wrong PINs the SIM has left, +CPINR: SIM PIN,3,3. ok is false where the modem can't tell.
func (m *modem) pinTries(ctx context.Context) (left int, ok bool) {
	err := m.at.command(ctx, "AT+CPINR", func(line string) bool {
		value, is := strings.CutPrefix(line, "+CPINR:")
		if !is {
			return false
		}
		fields := strings.Split(value, ",")
		if strings.Trim(fields[0], ` "`) == "SIM PIN" && len(fields) > 1 {
			if n, err := strconv.Atoi(strings.TrimSpace(fields[1])); err == nil {
				left, ok = n, true
			}
		}
		return true
	})
	return left, ok && err == nil
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
