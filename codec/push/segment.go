package push

// A push cut into SMS.

import "fmt"

// Sizes of 8-bit user data in octets (section 7.1).
const (
	MaxUD       = 140                  // of one SMS, with its header
	MaxSingle   = MaxUD - sizeUDHPorts // of a push that needs no cutting: 133
	MaxSegment  = MaxUD - sizeUDHBoth  // of each segment of one that does: 128
	MaxSegments = 255

	sizeUDHPorts = 7  // 06 05 04 dst src
	sizeUDHBoth  = 12 // 0B 05 04 dst src 00 03 ref total seq
)

// SegmentCount is how many SMS a push of n octets takes. Above MaxSegments it can not be sent.
func SegmentCount(n int) int {
	switch {
	case n <= 0:
		return 0
	case n <= MaxSingle:
		return 1
	}
	return (n + MaxSegment - 1) / MaxSegment
}

// Split cuts a push into the user data of one SMS each. Every segment has the ports, since a phone picks the
// application from the first to arrive. ref must differ from that of any other message under way to the same phone.
func Split(pdu []byte, ports Ports, ref uint8) ([][]byte, error) {
	total := SegmentCount(len(pdu))
	switch {
	case total == 0:
		return nil, fmt.Errorf("push: nothing to send")
	case total > MaxSegments:
		return nil, fmt.Errorf("push: %d octets take %d SMS (at most %d)", len(pdu), total, MaxSegments)
	}
	h := UDH{Ports: ports, HasPorts: true}
	room := MaxSingle
	if total > 1 {
		h.Ref, h.Total = uint16(ref), uint8(total)
		room = MaxSegment
	}
	uds := make([][]byte, 0, total)
	for len(pdu) > 0 {
		if total > 1 {
			h.Seq++
		}
		n := min(room, len(pdu))
		ud := h.Append(make([]byte, 0, MaxUD))
		uds = append(uds, append(ud, pdu[:n]...))
		pdu = pdu[n:]
	}
	return uds, nil
}
