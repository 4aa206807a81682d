package modempool

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"dmgate/codec/push"
)

// inbound is something the network sent to the modem that wants an acknowledgement.
type inbound struct {
	header string // "+CDS: 25" or "+CMT: ,23"
	hex    string
}

// pduLength reads the length a header announces: the octets of the TPDU, without the SMSC part. "+CDS: 25",
// "+CMT: ,23", `+CMT: "name",23`.
func pduLength(header string) (int, error) {
	value := header[strings.IndexByte(header, ':')+1:]
	if i := strings.LastIndexByte(value, ','); i >= 0 {
		value = value[i+1:]
	}
	return strconv.Atoi(strings.TrimSpace(value))
}

// pduFits says whether line is the PDU that header announces. Noise between the two, and the echo of a PDU of ours,
// are not.
func pduFits(header, line string) bool {
	n, err := pduLength(header)
	if err != nil || len(line)%2 != 0 || len(line) < 2 {
		return false
	}
	octets := len(line) / 2
	if octets == n {
		return isHex(line) // some modems leave the SMSC part out
	}
	smsc, err := strconv.ParseUint(line[:2], 16, 8)
	return err == nil && octets == 1+int(smsc)+n && isHex(line)
}

func isHex(line string) bool {
	for _, c := range []byte(line) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'F') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// statusReport reads the report in a +CDS.
func (in inbound) statusReport() (push.StatusReport, error) {
	n, err := pduLength(in.header)
	if err != nil {
		return push.StatusReport{}, fmt.Errorf("%q: %w", in.header, err)
	}
	pdu, err := hex.DecodeString(in.hex)
	if err != nil {
		return push.StatusReport{}, err
	}
	if n > len(pdu) {
		return push.StatusReport{}, fmt.Errorf("status report of %d octets where %d were announced", len(pdu), n)
	}
	return push.ReadStatusReport(pdu[len(pdu)-n:])
}
