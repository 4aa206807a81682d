package push

// SMS-SUBMIT.

import (
	"fmt"
	"time"
)

// Submit is an SMS on its way to the network (SMS-SUBMIT).
type Submit struct {
	Reference        uint8  // 0 leaves it to the modem, which answers with the one it took
	Destination      string // 1 to 20 digits, with a "+" in front where international
	PID              uint8  // protocol identifier; 0
	DCS              uint8  // DCSClass1 or DCS8Bit for a push
	UD               []byte // at most 140 octets
	Septets          uint8  // length of UD where DCS is 7 bit; 0 takes as many as UD has room for
	HasUDH           bool   // UD begins with a header
	Report           bool   // ask for a status report
	RejectDuplicates bool
	ReplyPath        bool
	Validity         uint8 // how long the network tries, as RelativeValidity has it
	HasValidity      bool  // without it the network's own limit holds
}

const (
	mtiSubmit        = 0x01
	foRejectDup      = 0x04
	vpfRelative      = 0x10
	vpfEnhanced      = 0x08
	vpfAbsolute      = 0x18
	longValiditySize = 7
)

// RelativeValidity is the longest validity of at most d that the network knows, at least 5 minutes and at most 63
// weeks.
func RelativeValidity(d time.Duration) uint8 {
	v := 0
	for v < 255 && ValidityPeriod(uint8(v+1)) <= d {
		v++
	}
	return uint8(v)
}

// ValidityPeriod is the time that v stands for: 5 minutes to 12 hours by fives, to 24 hours by halves, to 30 days by
// days, to 63 weeks by weeks (section 7.1).
func ValidityPeriod(v uint8) time.Duration {
	n := time.Duration(v)
	switch {
	case v <= 143:
		return (n + 1) * 5 * time.Minute
	case v <= 167:
		return 12*time.Hour + (n-143)*30*time.Minute
	case v <= 196:
		return (n - 166) * 24 * time.Hour
	}
	return (n - 192) * 7 * 24 * time.Hour
}

// Validate says what keeps s from being written.
func (s *Submit) Validate() error {
	if err := ValidateNumber(s.Destination); err != nil {
		return err
	}
	return validateUserData(s.DCS, s.UD, s.Septets, s.HasUDH)
}

func validateUserData(dcs uint8, ud []byte, septets uint8, hasUDH bool) error {
	if len(ud) > MaxUD {
		return fmt.Errorf("push: user data of %d octets (at most %d)", len(ud), MaxUD)
	}
	if !septetsFit(dcs, ud, septets) {
		return fmt.Errorf("push: %d septets in %d octets of user data", septets, len(ud))
	}
	if hasUDH {
		if _, _, err := ReadUDH(ud); err != nil {
			return err
		}
	}
	return nil
}

// Append appends s as a TPDU, without the SMSC that a modem wants before it. What Validate refuses is not appended:
// no SMS is better than one to another number.
func (s *Submit) Append(dst []byte) []byte {
	if s.Validate() != nil {
		return dst
	}
	fo := byte(mtiSubmit)
	for _, bit := range [...]struct {
		on  bool
		bit byte
	}{{s.RejectDuplicates, foRejectDup}, {s.HasValidity, vpfRelative}, {s.Report, foReport}, {s.HasUDH, foUDHI},
		{s.ReplyPath, foReplyVia}} {
		if bit.on {
			fo |= bit.bit
		}
	}
	dst = append(dst, fo, s.Reference)
	dst = appendNumber(dst, s.Destination)
	dst = append(dst, s.PID, s.DCS)
	if s.HasValidity {
		dst = append(dst, s.Validity)
	}
	return appendUserData(dst, s.DCS, s.UD, s.Septets)
}

// ReadSubmit reads a TPDU without its SMSC. UD is a view into b. A validity in one of the two long forms, which we
// never write, is passed over.
func ReadSubmit(b []byte) (Submit, error) {
	var s Submit
	r := tpduReader{b: b}
	fo, err := r.firstOctet(mtiSubmit, "SUBMIT")
	if err != nil {
		return s, err
	}
	s.RejectDuplicates = fo&foRejectDup != 0
	s.Report = fo&foReport != 0
	s.HasUDH = fo&foUDHI != 0
	s.ReplyPath = fo&foReplyVia != 0
	if s.Reference, err = r.byte("reference"); err != nil {
		return s, err
	}
	if s.Destination, err = r.address("destination"); err != nil {
		return s, err
	}
	if s.PID, err = r.byte("protocol identifier"); err != nil {
		return s, err
	}
	if s.DCS, err = r.byte("data coding scheme"); err != nil {
		return s, err
	}
	switch fo & foVPF {
	case vpfRelative:
		s.HasValidity = true
		if s.Validity, err = r.byte("validity period"); err != nil {
			return s, err
		}
	case vpfEnhanced, vpfAbsolute:
		if _, err = r.take(longValiditySize, "validity period"); err != nil {
			return s, err
		}
	}
	s.UD, s.Septets, err = r.userData(s.DCS)
	return s, err
}
