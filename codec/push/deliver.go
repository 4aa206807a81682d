package push

// SMS-DELIVER.

import "time"

// Deliver is an SMS on its way to the phone (SMS-DELIVER).
type Deliver struct {
	Originator   string // a number, with a "+" in front where international, or a name of at most 11 characters
	PID          uint8
	DCS          uint8
	SCTS         time.Time // when the service centre took it; to the second, its zone to the quarter of an hour
	UD           []byte    // at most 140 octets
	Septets      uint8     // length of UD where DCS is 7 bit; 0 takes as many as UD has room for
	HasUDH       bool      // UD begins with a header
	MoreMessages bool      // more wait at the service centre
	Report       bool      // the sender asked for a status report
	ReplyPath    bool
}

const mtiDeliver = 0x00

// Validate says what keeps d from being written.
func (d *Deliver) Validate() error {
	if err := validateSender(d.Originator); err != nil {
		return err
	}
	return validateUserData(d.DCS, d.UD, d.Septets, d.HasUDH)
}

// Append appends d as a TPDU, without the SMSC that a modem puts before it. What Validate refuses is not appended.
func (d *Deliver) Append(dst []byte) []byte {
	if d.Validate() != nil {
		return dst
	}
	fo := byte(mtiDeliver)
	if !d.MoreMessages {
		fo |= foMMS
	}
	if d.Report {
		fo |= foReport
	}
	if d.HasUDH {
		fo |= foUDHI
	}
	if d.ReplyPath {
		fo |= foReplyVia
	}
	dst = append(dst, fo)
	dst = appendSender(dst, d.Originator)
	dst = append(dst, d.PID, d.DCS)
	dst = appendTimestamp(dst, d.SCTS)
	return appendUserData(dst, d.DCS, d.UD, d.Septets)
}

// ReadDeliver reads a TPDU without its SMSC. UD is a view into b.
func ReadDeliver(b []byte) (Deliver, error) {
	var d Deliver
	r := tpduReader{b: b}
	fo, err := r.firstOctet(mtiDeliver, "DELIVER")
	if err != nil {
		return d, err
	}
	d.MoreMessages = fo&foMMS == 0
	d.Report = fo&foReport != 0
	d.HasUDH = fo&foUDHI != 0
	d.ReplyPath = fo&foReplyVia != 0
	if d.Originator, err = r.address("originator"); err != nil {
		return d, err
	}
	if d.PID, err = r.byte("protocol identifier"); err != nil {
		return d, err
	}
	if d.DCS, err = r.byte("data coding scheme"); err != nil {
		return d, err
	}
	if d.SCTS, err = r.timestamp("time stamp"); err != nil {
		return d, err
	}
	d.UD, d.Septets, err = r.userData(d.DCS)
	return d, err
}
