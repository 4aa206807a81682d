package main

import (
	"fmt"
	"io"

	"dmgate/codec/push"
)

// listSMS lists TPDUs, with or without the SMSC in front, and the pushes that they make up together.
func listSMS(out io.Writer, pieces [][]byte) error {
	var r push.Reassembler
	for i, b := range pieces {
		s, err := readSMS(b)
		if err != nil && len(pieces) > 1 {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(out, s.line)
		if s.ud == nil {
			continue
		}
		pdu, _, done, err := r.Add(s.peer, s.ud)
		if err != nil {
			return err
		}
		if done && listPush(out, pdu) != nil {
			fmt.Fprintf(out, "content: %X\n", pdu)
		}
	}
	if r.Pending() > 0 {
		fmt.Fprintln(out, "(segments are missing)")
	}
	return nil
}

// sms is a TPDU of any kind.
type sms struct {
	line string // what it is, in words
	peer string // from or to whom
	ud   []byte // user data where that has a header
}

// readSMS reads a TPDU. Its error is that of reading it as the commonest kind.
func readSMS(b []byte) (sms, error) {
	submit, err := push.ReadSubmit(b)
	if err == nil {
		line := "SMS-SUBMIT to " + submit.Destination
		if submit.Report {
			line += ", report wanted"
		}
		return withUD(line, submit.Destination, submit.UD, submit.HasUDH), nil
	}
	if d, err := push.ReadDeliver(b); err == nil {
		return withUD("SMS-DELIVER from "+d.Originator, d.Originator, d.UD, d.HasUDH), nil
	}
	if r, err := push.ReadStatusReport(b); err == nil {
		return sms{line: fmt.Sprintf("SMS-STATUS-REPORT %d for %s: %s", r.Reference, r.Recipient, push.StatusText(r.Status))}, nil
	}
	if _, tpdu, err := push.CutSMSC(b); err == nil && len(tpdu) < len(b) {
		if s, err := readSMS(tpdu); err == nil {
			return s, nil
		}
	}
	return sms{}, err
}

func withUD(line, peer string, ud []byte, hasUDH bool) sms {
	if !hasUDH {
		return sms{line: line, peer: peer}
	}
	h, _, err := push.ReadUDH(ud)
	if err != nil {
		return sms{line: line + ", " + err.Error(), peer: peer}
	}
	if h.HasPorts {
		line += fmt.Sprintf(", port %d", h.Ports.Dst)
	}
	if h.Total > 0 {
		line += fmt.Sprintf(", segment %d of %d", h.Seq, h.Total)
	}
	return sms{line: line, peer: peer, ud: ud}
}
