package push

// The user data header of an SMS.

import "dmgate/codec"

// Ports address an application at both ends of an SMS (WDP).
type Ports struct{ Dst, Src uint16 }

// Well-known ports (section 5.2).
const (
	PortPush       = 2948  // WAP push, connectionless
	PortPushSecure = 2949  // WAP push over WTLS
	PortWSP        = 9200  // connectionless WSP; the source port of some gateways
	PortNokiaOTA   = 49999 // Nokia's settings of before OMA CP
)

// UDH is what a user data header says: the ports, and which segment of a message it stands in.
type UDH struct {
	Ports    Ports
	HasPorts bool
	Ref      uint16 // the same in all segments of a message
	Wide     bool   // Ref has 16 bits
	Total    uint8  // segments of the message; 0 where it is not cut
	Seq      uint8  // from 1
}

// Information elements.
const (
	ieConcat   = 0x00
	iePorts8   = 0x04
	iePorts16  = 0x05
	ieConcat16 = 0x08
)

// Append appends h with its length byte, the ports first.
func (h *UDH) Append(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, 0)
	if h.HasPorts {
		dst = append(dst, iePorts16, 4, byte(h.Ports.Dst>>8), byte(h.Ports.Dst), byte(h.Ports.Src>>8),
			byte(h.Ports.Src))
	}
	switch {
	case h.Total == 0:
	case h.Wide:
		dst = append(dst, ieConcat16, 4, byte(h.Ref>>8), byte(h.Ref), h.Total, h.Seq)
	default:
		dst = append(dst, ieConcat, 3, byte(h.Ref), h.Total, h.Seq)
	}
	dst[at] = byte(len(dst) - at - 1)
	return dst
}

// ReadUDH reads the header at the front of ud and returns what stands behind it, a view into ud. Elements of other
// kinds are passed over; of two of a kind the last counts (3GPP TS 23.040, 9.2.3.24).
func ReadUDH(ud []byte) (h UDH, body []byte, err error) {
	if len(ud) == 0 {
		return h, nil, codec.Errorf("tpdu", 0, "no user data header")
	}
	end := 1 + int(ud[0])
	if end > len(ud) {
		return h, nil, codec.Errorf("tpdu", 0, "user data header of %d bytes, only %d left", ud[0], len(ud)-1)
	}
	for pos := 1; pos < end; {
		if pos+2 > end {
			return h, nil, codec.Errorf("tpdu", pos, "user data header ends in an element")
		}
		kind, n := ud[pos], int(ud[pos+1])
		if pos+2+n > end {
			return h, nil, codec.Errorf("tpdu", pos+1, "element 0x%02X of %d bytes, only %d left", kind, n, end-pos-2)
		}
		if err := h.element(kind, ud[pos+2:pos+2+n], pos); err != nil {
			return h, nil, err
		}
		pos += 2 + n
	}
	return h, ud[end:], nil
}

var elementSizes = map[uint8]int{ieConcat: 3, iePorts8: 2, iePorts16: 4, ieConcat16: 4}

func (h *UDH) element(kind uint8, b []byte, at int) error {
	if want, ok := elementSizes[kind]; !ok {
		return nil
	} else if len(b) != want {
		return codec.Errorf("tpdu", at+1, "element 0x%02X of %d bytes (want %d)", kind, len(b), want)
	}
	switch kind {
	case iePorts8:
		h.Ports, h.HasPorts = Ports{uint16(b[0]), uint16(b[1])}, true
		return nil
	case iePorts16:
		h.Ports, h.HasPorts = Ports{uint16(b[0])<<8 | uint16(b[1]), uint16(b[2])<<8 | uint16(b[3])}, true
		return nil
	case ieConcat:
		h.Ref, h.Wide, h.Total, h.Seq = uint16(b[0]), false, b[1], b[2]
	case ieConcat16:
		h.Ref, h.Wide, h.Total, h.Seq = uint16(b[0])<<8|uint16(b[1]), true, b[2], b[3]
	}
	if h.Seq == 0 || h.Seq > h.Total {
		return codec.Errorf("tpdu", at+2, "segment %d of %d", h.Seq, h.Total)
	}
	return nil
}
