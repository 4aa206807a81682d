package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"dmgate/codec"
	"dmgate/codec/push"
)

// listSMS lists TPDUs, with or without the SMSC in front, and the pushes that they make up together.
func listSMS(out io.Writer, lines []line) error {
	var r push.Reassembler
	for _, l := range lines {
		if err := listTPDU(out, l.pdu, &r); err != nil && len(lines) > 1 {
			return fmt.Errorf("line %d: %w", l.number, err)
		} else if err != nil {
			return err
		}
	}
	if r.Pending() > 0 {
		fmt.Fprintln(out, "(segments are missing)")
	}
	return nil
}

// listTPDU lists a TPDU, and the push that it makes whole.
func listTPDU(out io.Writer, b []byte, r *push.Reassembler) error {
	s, err := readSMS(b)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, s.line)
	if s.text != "" {
		fmt.Fprintf(out, "text: %q\n", s.text)
		return nil
	}
	if s.ud == nil {
		return nil
	}
	pdu, ports, done, err := r.Add(s.peer, s.ud)
	if err != nil {
		return shifted(err, len(b)-len(s.ud))
	}
	if !done {
		return nil
	}
	if err := listPush(out, pdu); err != nil {
		fmt.Fprintf(out, "content: %X\n", pdu)
		if ports.Dst == push.PortPush {
			fmt.Fprintf(out, "(%v)\n", err)
		}
	}
	return nil
}

// sms is a TPDU of any kind.
type sms struct {
	line      string // what it is, in words
	peer      string // from or to whom
	ud        []byte // user data where that has a header; it ends the TPDU
	text      string // of one for people, or what this segment has of it
	plausible bool   // peer is a number or a name as they are, and dates are dates
}

// readSMS reads a TPDU of any kind, with or without the SMSC in front. The error is that of the kind that it is, or
// seems to be: plausible is then what there is of it.
func readSMS(b []byte) (sms, error) {
	plain, plainErr := readTPDU(b)
	smsc, tpdu, err := push.CutSMSC(b)
	if err != nil || len(tpdu) < len(b)-1 && !isNumber(smsc) {
		return plain, plainErr
	}
	s, err := readTPDU(tpdu)
	if s.plausible && (err == nil || plainErr != nil) || err == nil && plainErr != nil {
		return s, shifted(err, len(b)-len(tpdu))
	}
	return plain, plainErr
}

// readTPDU reads a TPDU without its SMSC by the type in its first octet.
func readTPDU(b []byte) (sms, error) {
	const mask, deliver, report = 0x03, 0x00, 0x02
	switch {
	case len(b) > 0 && b[0]&mask == deliver:
		d, err := push.ReadDeliver(b)
		s := sms{line: "SMS-DELIVER from " + d.Originator, peer: d.Originator}
		s.plausible = (isNumber(d.Originator) || isName(d.Originator)) && (err != nil || !d.SCTS.IsZero())
		if err == nil && d.HasUDH {
			s.header(d.UD, len(b)-len(d.UD))
		}
		if err == nil {
			s.read(d.DCS, d.UD, d.Septets, d.HasUDH)
		}
		return s, err
	case len(b) > 0 && b[0]&mask == report:
		r, err := push.ReadStatusReport(b)
		s := sms{peer: r.Recipient, plausible: isNumber(r.Recipient)}
		s.line = fmt.Sprintf("SMS-STATUS-REPORT %d for %s: %s", r.Reference, r.Recipient, push.StatusText(r.Status))
		if err == nil && !soundReport(b, &r) {
			s.plausible, err = false, codec.Errorf("tpdu", 0, "status report whose number, dates or end are none")
		}
		return s, err
	}
	m, err := push.ReadSubmit(b)
	s := sms{line: "SMS-SUBMIT to " + m.Destination, peer: m.Destination, plausible: isNumber(m.Destination)}
	if m.Report {
		s.line += ", report wanted"
	}
	if err == nil && m.HasUDH {
		s.header(m.UD, len(b)-len(m.UD))
	}
	if err == nil {
		s.read(m.DCS, m.UD, m.Septets, m.HasUDH)
	}
	return s, err
}

// read notes the text of user data, where it is for people: for no port.
func (s *sms) read(dcs uint8, ud []byte, septets uint8, hasUDH bool) {
	if hasUDH {
		if h, _, err := push.ReadUDH(ud); err != nil || h.HasPorts {
			return
		}
	}
	s.text, _ = push.ReadText(dcs, ud, septets, hasUDH)
}

// soundReport says whether b, read as r, is a status report to the last octet: nearly any bytes can be read as one. Its
// number and its dates are decimal digits, and what follows the status is as it says.
func soundReport(b []byte, r *push.StatusReport) bool {
	const countAt, numberAt, date = 2, 4, 7
	dates := b[numberAt+(int(b[countAt])+1)/2:]
	for i, octet := range dates[:2*date] {
		if i%date == date-1 {
			octet &^= 0x08 // the sign of the zone
		}
		if octet&0xF > 9 || octet>>4 > 9 {
			return false
		}
	}
	return isNumber(r.Recipient) && soundEnd(dates[2*date+1:])
}

// soundEnd says whether rest is what may follow the status of a status report: nothing, or a parameter indicator and
// what it announces.
func soundEnd(rest []byte) bool {
	if len(rest) == 0 {
		return true
	}
	const hasPID, hasDCS, hasUD, reserved = 0x01, 0x02, 0x04, 0xF8
	parameters, at := rest[0], 1
	for _, bit := range []byte{hasPID, hasDCS} {
		if parameters&bit != 0 {
			at++
		}
	}
	if parameters&reserved != 0 || parameters&hasUD == 0 || at >= len(rest) {
		return parameters&(reserved|hasUD) == 0 && at == len(rest)
	}
	septets := (int(rest[at])*7 + 7) / 8
	left := len(rest) - at - 1
	return left == int(rest[at]) || left == septets
}

// isNumber says whether s is a number as phones and services have them.
func isNumber(s string) bool {
	return len(s) >= 3 && push.ValidateNumber(s) == nil
}

// isName says whether s is a name as some senders have it in place of a number.
func isName(s string) bool {
	return strings.IndexFunc(s, unicode.IsLetter) >= 0 && strings.IndexFunc(s, unicode.IsControl) < 0
}

// header notes what the header of user data ud, which begins at offset at, says.
func (s *sms) header(ud []byte, at int) {
	h, _, err := push.ReadUDH(ud)
	if err != nil {
		s.line += ", " + shifted(err, at).Error()
		return
	}
	if h.HasPorts {
		s.line += fmt.Sprintf(", port %d", h.Ports.Dst)
	}
	if h.Total > 0 {
		s.line += fmt.Sprintf(", segment %d of %d", h.Seq, h.Total)
	}
	s.ud = ud
}
