package modempool

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xlab/at/pdu"

	"dmgate/codec/push"
)

// Received is an incoming SMS, or one part of it.
type Received struct {
	Modem  string    // the ID of the modem that it came through
	Sender string    // a number, or a name; empty where it can't be read
	Time   time.Time // when the service centre took it; zero where it does not say

	Text string // where it is text
	Data string // where it is not, or not wholly: hex of the user data with its header; of the TPDU if Problem is set

	Reference uint16 // the same in all parts of a message
	Part      uint8  // from 1; 0 where it is whole
	Parts     uint8

	Problem string // what of it can't be read; empty where all can
}

// received reads the SMS in in, which came through modem. It fails with nothing: what can't be read is kept as it came.
func (in inbound) received(modem string) Received {
	tpdu, err := in.tpdu()
	if err != nil {
		return Received{Modem: modem, Data: rawHex(in.hex), Problem: err.Error()}
	}
	r := readReceived(tpdu)
	r.Modem = modem
	return r
}

// rawHex is a line as hex: the line itself where it is, the hex of its characters where it is not.
func rawHex(line string) string {
	if len(line)%2 == 0 && isHex(line) {
		return strings.ToUpper(line)
	}
	return strings.ToUpper(hex.EncodeToString([]byte(line)))
}

func readReceived(tpdu []byte) (r Received) {
	d, err := push.ReadDeliver(tpdu)
	r.Sender, r.Time = d.Originator, d.SCTS
	defer func() {
		if err != nil {
			r.Text, r.Data, r.Problem = "", fmt.Sprintf("%X", tpdu), err.Error()
		}
	}()
	if err != nil {
		return r
	}
	body, binary := d.UD, false
	if d.HasUDH {
		var h push.UDH
		if h, body, err = push.ReadUDH(d.UD); err != nil {
			return r
		}
		binary = h.HasPorts // what has a port is for a program
		if h.Total > 1 {
			r.Reference, r.Part, r.Parts = h.Ref, h.Seq, h.Total
		}
	}
	if !binary {
		r.Text, binary, err = text(&d, body)
	}
	// A pair of UTF-16 halves may be cut apart by two parts: whoever joins them needs the octets.
	if binary || strings.ContainsRune(r.Text, utf8.RuneError) {
		r.Data = fmt.Sprintf("%X", d.UD)
	}
	return r
}

// text reads the text of an SMS; binary says that it has none. body is the user data without its header.
//
// The alphabets are xlab's. Its own reader of SMS knows four coding schemes of 256, so the scheme is read here (3GPP
// TS 23.038, section 4). It has panicked on what networks send (D16): a panic is an SMS that can't be read.
func text(d *push.Deliver, body []byte) (s string, binary bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, binary, err = "", true, fmt.Errorf("text: %v", p)
		}
	}()
	switch {
	case d.Septets > 0:
		s, err = pdu.Decode7Bit(septets(d.UD, len(d.UD)-len(body), int(d.Septets)))
	case len(d.UD) == 0:
		return "", false, nil
	case d.DCS&0xF0 == 0xE0, d.DCS < 0x80 && d.DCS&0x2C == push.DCSUCS2:
		if len(body) > 0 {
			s, err = pdu.DecodeUcs2(body, false)
		}
	default:
		return "", true, nil
	}
	return s, err != nil, err
}

// septets returns the text among n septets of user data, packed anew from the first bit: behind a header it begins
// at a septet's border, which is mostly none of an octet.
func septets(ud []byte, header, n int) []byte {
	skip := (header*8 + 6) / 7
	n -= skip
	if n <= 0 {
		return nil
	}
	out := make([]byte, (n*7+7)/8)
	for i := range n * 7 {
		from := skip*7 + i
		out[i/8] |= ud[from/8] >> (from % 8) & 1 << (i % 8)
	}
	if n%8 == 7 {
		// Seven bits are left over, which read as "@". A CR at the end is dropped by the decoder.
		out[len(out)-1] |= pdu.CR << 1
	}
	return out
}
