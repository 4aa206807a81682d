package modempool

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"dmgate/codec/push"
)

// inbound is something the network sent to the modem: routed to us, and then it wants an acknowledgement, or found in
// the modem's memory.
type inbound struct {
	header string // "+CDS: 25", "+CMT: ,23", "+CMGL: 3,1,,23", "+CMGR: 1,,23"
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

// tpdu is what came, without the SMSC part.
func (in inbound) tpdu() ([]byte, error) {
	n, err := pduLength(in.header)
	if err != nil {
		return nil, fmt.Errorf("no length in %q", shown(in.header))
	}
	pdu, err := hex.DecodeString(in.hex)
	if err != nil {
		return nil, err
	}
	if n < 0 || n > len(pdu) {
		return nil, fmt.Errorf("PDU of %d octets where %d were announced", len(pdu), n)
	}
	return pdu[len(pdu)-n:], nil
}

// mtiStatusReport is the kind of TPDU of a status report, in the low two bits of its first octet.
const mtiStatusReport = 0x02

// isReport says whether in is a status report. What lies in a memory only its TPDU tells.
func (in inbound) isReport() bool {
	switch {
	case strings.HasPrefix(in.header, "+CDS:"):
		return true
	case strings.HasPrefix(in.header, "+CMT:"):
		return false
	}
	tpdu, err := in.tpdu()
	return err == nil && len(tpdu) > 0 && tpdu[0]&3 == mtiStatusReport
}

// statusReport reads the report in in.
func (in inbound) statusReport() (push.StatusReport, error) {
	tpdu, err := in.tpdu()
	if err != nil {
		return push.StatusReport{}, fmt.Errorf("status report: %w", err)
	}
	return push.ReadStatusReport(tpdu)
}
