package modempool

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Class says what an error means for the push that met it and for the modem that told it.
type Class uint8

// Classes of errors. Section 7.2 of the fact sheet assigns the codes.
const (
	RetrySoon  Class = iota // passing: congestion, a busy part
	RetryLater              // passing, but not within minutes: the device is off, the network is gone
	Never                   // this destination or this SMS will not do better
	ModemFault              // the modem, its SIM or its subscription: stop it, the push goes elsewhere
)

func (c Class) String() string {
	return [...]string{"retry soon", "retry later", "never", "modem fault"}[c]
}

// CMSError is the code of a "+CMS ERROR: n": the network or the modem about one SMS.
type CMSError int

// CMEError is the code of a "+CME ERROR: n": the equipment. Its numbers overlap with those of CMSError and mean
// other things, hence two types and two tables.
type CMEError int

func (e CMSError) Error() string { return codeText("+CMS ERROR: ", int(e), cmsErrors) }
func (e CMEError) Error() string { return codeText("+CME ERROR: ", int(e), cmeErrors) }

func codeText(prefix string, code int, table map[int]meaning) string {
	if m, ok := table[code]; ok {
		return prefix + strconv.Itoa(code) + " (" + m.text + ")"
	}
	return prefix + strconv.Itoa(code)
}

func errorCode(text string, table map[int]meaning) (code int, ok bool) {
	if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
		return n, true
	}
	return byText(table, text)
}

// ErrRefused is a bare ERROR: the modem does not know the command, or will not say what is wrong.
var ErrRefused = errors.New("ERROR")

// TimeoutError is a wait that ended without what was waited for. The modem has been brought back in step since,
// unless the error is wrapped in a DeadError.
type TimeoutError struct {
	Command string // what was asked, secrets masked
	For     string // what was waited for: "answer", "prompt"
	After   time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("%s: no %s within %s", e.Command, e.For, e.After)
}

// DoubtfulError is an SMS that was handed to the modem whole and whose fate the modem did not tell: it may have gone
// out.
type DoubtfulError struct{ Err error }

func (e *DoubtfulError) Error() string { return "perhaps sent: " + e.Err.Error() }
func (e *DoubtfulError) Unwrap() error { return e.Err }

// DeadError ends a conversation: the port failed, or the modem no longer answers. Only opening the port again helps.
type DeadError struct{ Err error }

func (e *DeadError) Error() string { return e.Err.Error() }
func (e *DeadError) Unwrap() error { return e.Err }

// errReset is a modem that has restarted since its bring-up: its settings are gone, and in text mode the length in
// AT+CMGS would be taken for a number to dial.
const errReset = faultError("modem has restarted")

// faultError keeps a modem out of service until somebody or time has changed something.
type faultError string

func (e faultError) Error() string { return string(e) }

// Classify says what err means. What it does not know is worth a retry: attempts are bounded.
func Classify(err error) Class {
	var (
		cms   CMSError
		cme   CMEError
		dead  *DeadError
		fault faultError
	)
	switch {
	case errors.As(err, &dead), errors.As(err, &fault):
		return ModemFault
	case errors.As(err, &cms):
		return cmsErrors[int(cms)].class
	case errors.As(err, &cme):
		return cmeErrors[int(cme)].class
	}
	return RetrySoon
}

// final reads a final result code. ok is false for any other line. V.250 words, their digits under ATV0, and what
// Huawei modems say in place of ERROR.
func final(line string) (result error, ok bool) {
	switch line {
	case "OK", "0":
		return nil, true
	case "ERROR", "4", "COMMAND NOT SUPPORT", "TOO MANY PARAMETERS":
		return ErrRefused, true
	}
	if code, ok := strings.CutPrefix(line, "+CMS ERROR:"); ok {
		if n, ok := errorCode(code, cmsErrors); ok {
			return CMSError(n), true
		}
		return fmt.Errorf("%w: %s", ErrRefused, line), true
	}
	if code, ok := strings.CutPrefix(line, "+CME ERROR:"); ok {
		if n, ok := errorCode(code, cmeErrors); ok {
			return CMEError(n), true
		}
		return fmt.Errorf("%w: %s", ErrRefused, line), true
	}
	return nil, false
}
