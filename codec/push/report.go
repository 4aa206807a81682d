package push

// SMS-STATUS-REPORT and what its status means.

import (
	"fmt"
	"time"
)

// StatusReport is the network's word on what became of a Submit (SMS-STATUS-REPORT). Reference and Recipient together
// say which; a reference by itself comes round again after 256.
type StatusReport struct {
	Reference uint8
	Recipient string
	SCTS      time.Time // when the service centre took the Submit
	Discharge time.Time // when what Status says happened
	Status    uint8     // TP-Status: StatusFinal and StatusText tell its meaning
}

const mtiStatusReport = 0x02

// Append appends s as a TPDU, without the SMSC that a modem puts before it. Nothing is appended where Recipient is
// not a number.
func (s *StatusReport) Append(dst []byte) []byte {
	if !numeric(s.Recipient) || validateSender(s.Recipient) != nil {
		return dst
	}
	dst = append(dst, mtiStatusReport|foMMS, s.Reference)
	dst = appendNumber(dst, s.Recipient)
	dst = appendTimestamp(dst, s.SCTS)
	dst = appendTimestamp(dst, s.Discharge)
	return append(dst, s.Status)
}

// ReadStatusReport reads a TPDU without its SMSC. What may follow the status, text of the service centre, is passed
// over.
func ReadStatusReport(b []byte) (StatusReport, error) {
	var s StatusReport
	r := tpduReader{b: b}
	_, err := r.firstOctet(mtiStatusReport, "STATUS-REPORT")
	if err != nil {
		return s, err
	}
	if s.Reference, err = r.byte("reference"); err != nil {
		return s, err
	}
	if s.Recipient, err = r.address("recipient"); err != nil {
		return s, err
	}
	if s.SCTS, err = r.timestamp("time stamp"); err != nil {
		return s, err
	}
	if s.Discharge, err = r.timestamp("discharge time"); err != nil {
		return s, err
	}
	s.Status, err = r.byte("status")
	return s, err
}

// StatusFinal says whether no other report will follow, and whether the SMS reached the phone. Forwarded without a
// confirmation counts as delivered: the network will not do more, and to send again would show it twice. Delivered
// means the phone, not the application in it (trap 30).
func StatusFinal(status uint8) (final, delivered bool) {
	switch {
	case status <= 0x01, status >= 0x10 && status < 0x20:
		return true, true
	case status >= 0x20 && status < 0x40:
		return false, false
	}
	return true, false
}

var statusTexts = map[uint8]string{
	0x00: "delivered",
	0x01: "forwarded, delivery not confirmed",
	0x02: "replaced by the service centre",
	0x20: "still trying: congestion",
	0x21: "still trying: phone busy",
	0x22: "still trying: no response from the phone",
	0x23: "still trying: service rejected",
	0x24: "still trying: quality of service not available",
	0x25: "still trying: error in the phone",
	0x40: "failed: remote procedure error",
	0x41: "failed: incompatible destination",
	0x42: "failed: connection rejected by the phone",
	0x43: "failed: not obtainable",
	0x44: "failed: quality of service not available",
	0x45: "failed: no interworking available",
	0x46: "failed: validity period expired",
	0x47: "failed: deleted by the sender",
	0x48: "failed: deleted by the service centre",
	0x49: "failed: message does not exist",
	0x60: "given up: congestion",
	0x61: "given up: phone busy",
	0x62: "given up: no response from the phone",
	0x63: "given up: service rejected",
	0x64: "given up: quality of service not available",
	0x65: "given up: error in the phone",
}

// StatusText is what status means, in words and for those without any by group and number.
func StatusText(status uint8) string {
	if text, ok := statusTexts[status]; ok {
		return text
	}
	group := "failed"
	switch {
	case status < 0x10:
		group = "not delivered" // reserved, in the group of what was completed
	case status < 0x20:
		group = "delivered"
	case status < 0x40:
		group = "still trying"
	case status >= 0x60 && status < 0x80:
		group = "given up"
	}
	return fmt.Sprintf("%s: status 0x%02X", group, status)
}
