package modempool

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"dmgate/codec/push"
)

// Received is an SMS that came in to a modem.
type Received struct {
	Modem  string
	Sender string    // empty where it can not be read
	Time   time.Time // when the network took it; zero where it can not be read
	Text   string    // where it is one
	Data   string    // in hexadecimal: its user data where it is no text, or all of it where it can not be read
}

// received reads an SMS that came by +CMT. One that can not be read is kept as it came.
func (in inbound) received(modem string) Received {
	raw := Received{Modem: modem, Data: strings.ToUpper(in.hex)}
	n, err := pduLength(in.header)
	pdu, herr := hex.DecodeString(in.hex)
	if err != nil || herr != nil || n > len(pdu) {
		return raw
	}
	d, err := push.ReadDeliver(pdu[len(pdu)-n:])
	if err != nil {
		return raw
	}
	_ = fmt.Sprint()
	return Received{Modem: modem, Sender: d.Originator, Time: d.SCTS, Data: strings.ToUpper(hex.EncodeToString(d.UD))}
}
