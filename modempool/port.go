package modempool

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Port says where a modem is, and what holds for it alone.
type Port struct {
	Path   string   // of the device file, or a pattern; better /dev/serial/by-id/... than ttyUSB0, which changes on replug
	PIN    string   // of its SIM; typed only where the SIM asks for it, and never twice if it was wrong
	Tags   []string // by which Limits.Destinations choose modems
	Limits ModemLimits
}

// IsPattern says whether Path may stand for several files.
func (p *Port) IsPattern() bool { return strings.ContainsAny(p.Path, `*?[`) }

// Errors of those who handle modems while the pool runs.
var (
	ErrNoModem  = errors.New("modempool: there is no such modem")
	ErrHasModem = errors.New("modempool: the port has a modem already")
)

// PortError is a port that can not be.
type PortError struct {
	Field  string // "path", "pin", "tags[1]", "rate", "sim_day"
	Reason string // without the PIN
}

func (e *PortError) Error() string { return e.Field + ": " + e.Reason }

// Check says what can not be, by a *PortError.
func (p *Port) Check() error {
	if p.Path == "" {
		return &PortError{"path", "no device file named"}
	}
	if _, err := filepath.Match(p.Path, ""); err != nil {
		return &PortError{"path", fmt.Sprintf("%.200q is no pattern", p.Path)}
	}
	if !validPIN(p.PIN) {
		return &PortError{"pin", "not 4 to 8 digits"}
	}
	for i, tag := range p.Tags {
		if err := CheckTag(tag); err != nil {
			return &PortError{fmt.Sprintf("tags[%d]", i), err.Error()}
		}
	}
	var bad *LimitError
	if errors.As(p.Limits.Check(), &bad) {
		return &PortError{bad.Field, bad.Reason}
	}
	return nil
}
