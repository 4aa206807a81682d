package push

// What the kinds of TPDU share: their reader, user data, time stamps, and the SMSC before them.

import (
	"time"

	"dmgate/codec"
)

// Bits of a TPDU's first octet that several kinds share.
const (
	mtiMask    = 0x03
	foMMS      = 0x04 // DELIVER, STATUS-REPORT: no more messages wait
	foVPF      = 0x18
	foReport   = 0x20
	foUDHI     = 0x40
	foReplyVia = 0x80 // reply path
)

// Data coding schemes.
const (
	DCS8Bit   = 0x04
	DCSClass1 = 0xF5 // 8 bit for the phone itself, as over-the-air settings commonly go
	DCSUCS2   = 0x08
)

// is7Bit says whether dcs counts user data in septets (3GPP TS 23.038, section 4). What is reserved does.
func is7Bit(dcs uint8) bool {
	switch {
	case dcs < 0x80:
		alphabet := dcs & 0x0C
		return dcs&0x20 == 0 && (alphabet == 0 || alphabet == 0x0C)
	case dcs < 0xC0:
		return true
	case dcs < 0xF0: // message waiting; 0xE0 to 0xEF is UCS-2
		return dcs < 0xE0
	}
	return dcs&0x04 == 0
}

// CutSMSC takes the service centre's address, which modems put before a TPDU, off its front. smsc is empty where the
// modem's own was used.
func CutSMSC(b []byte) (smsc string, tpdu []byte, err error) {
	if len(b) == 0 {
		return "", nil, codec.Errorf("tpdu", 0, "no SMSC length")
	}
	n := int(b[0])
	if n > len(b)-1 {
		return "", nil, codec.Errorf("tpdu", 0, "SMSC of %d bytes, only %d left", n, len(b)-1)
	}
	if n == 0 {
		return "", b[1:], nil
	}
	if b[1]&tonMask == tonInternational&tonMask {
		smsc = "+"
	}
	for i := range 2 * (n - 1) {
		d := b[2+i/2] >> (4 * (i % 2)) & 0xF
		if d == 0xF {
			break
		}
		smsc += semiDigits[d : d+1]
	}
	return smsc, b[1+n:], nil
}

// AppendSMSC appends what a modem takes before a TPDU: the length in octets, the type and the number; or a zero, for
// the modem to use its own, where smsc is not a valid number.
func AppendSMSC(dst []byte, smsc string) []byte {
	if ValidateNumber(smsc) != nil {
		return append(dst, 0)
	}
	at := len(dst)
	dst = appendNumber(dst, smsc)
	dst[at] = byte(len(dst) - at - 1)
	return dst
}

// tpduReader reads the fields of a TPDU in their order.
type tpduReader struct {
	b   []byte
	pos int
}

func (r *tpduReader) byte(what string) (byte, error) {
	if r.pos >= len(r.b) {
		return 0, codec.Errorf("tpdu", len(r.b), "ends before the %s", what)
	}
	r.pos++
	return r.b[r.pos-1], nil
}

func (r *tpduReader) take(n int, what string) ([]byte, error) {
	if n > len(r.b)-r.pos {
		return nil, codec.Errorf("tpdu", r.pos, "%s of %d octets, only %d left", what, n, len(r.b)-r.pos)
	}
	r.pos += n
	return r.b[r.pos-n : r.pos], nil
}

// firstOctet reads the first octet of a TPDU of kind mti.
func (r *tpduReader) firstOctet(mti byte, name string) (byte, error) {
	fo, err := r.byte("first octet")
	if err == nil && fo&mtiMask != mti {
		err = codec.Errorf("tpdu", 0, "message type %d (want %d, %s)", fo&mtiMask, mti, name)
	}
	return fo, err
}

// userData reads the length and the user data, which end the TPDU. septets is the length where dcs counts them.
func (r *tpduReader) userData(dcs uint8) (ud []byte, septets uint8, err error) {
	at := r.pos
	n, err := r.byte("user data length")
	if err != nil {
		return nil, 0, err
	}
	octets := int(n)
	if is7Bit(dcs) {
		septets, octets = n, (int(n)*7+7)/8
	}
	if octets > MaxUD {
		return nil, 0, codec.Errorf("tpdu", at, "user data of %d octets (at most %d)", octets, MaxUD)
	}
	if ud, err = r.take(octets, "user data"); err != nil {
		return nil, 0, err
	}
	if r.pos < len(r.b) {
		return nil, 0, codec.Errorf("tpdu", r.pos, "%d bytes after the user data", len(r.b)-r.pos)
	}
	return ud, septets, nil
}

// appendUserData appends ud behind its length. septets counts where dcs does; 0 takes as many as ud has room for.
func appendUserData(dst []byte, dcs uint8, ud []byte, septets uint8) []byte {
	n := byte(len(ud))
	if is7Bit(dcs) {
		n = byte(len(ud) * 8 / 7)
		if septets > 0 {
			n = septets
		}
	}
	return append(append(dst, n), ud...)
}

// septetsFit says whether septets, where dcs counts them, fill ud to its last octet.
func septetsFit(dcs uint8, ud []byte, septets uint8) bool {
	return septets == 0 || is7Bit(dcs) && (int(septets)*7+7)/8 == len(ud)
}

const maxQuarters = 79 // what the zone's two digits hold beside its sign

// timestamp reads seven octets. A date that is none, as networks send where they know no better, is the zero time.
func (r *tpduReader) timestamp(what string) (time.Time, error) {
	b, err := r.take(7, what)
	if err != nil {
		return time.Time{}, err
	}
	var f [7]int
	for i, octet := range b {
		low, high := int(octet&0xF), int(octet>>4)
		if i == 6 {
			low &= 0x7 // the top bit is the sign of the zone
		}
		if low > 9 || high > 9 {
			return time.Time{}, nil
		}
		f[i] = low*10 + high
	}
	year := 2000 + f[0]
	if f[0] >= 90 {
		year -= 100
	}
	zone := f[6] * 15 * 60
	if b[6]&0x08 != 0 {
		zone = -zone
	}
	t := time.Date(year, time.Month(f[1]), f[2], f[3], f[4], f[5], 0, time.FixedZone("", zone))
	if int(t.Month()) != f[1] || t.Day() != f[2] || t.Hour() != f[3] || t.Minute() != f[4] || t.Second() != f[5] {
		return time.Time{}, nil
	}
	return t, nil
}

// appendTimestamp appends t in semi-octets, to the second, its zone in quarters of an hour; the zero time and what
// lies outside 1990 to 2089 as zeros.
func appendTimestamp(dst []byte, t time.Time) []byte {
	_, zone := t.Zone()
	quarters := zone / (15 * 60)
	if quarters < -maxQuarters || quarters > maxQuarters {
		quarters = 0
	}
	t = t.In(time.FixedZone("", quarters*15*60))
	if t.Year() < 1990 || t.Year() > 2089 {
		return append(dst, 0, 0, 0, 0, 0, 0, 0)
	}
	sign := byte(0)
	if quarters < 0 {
		quarters, sign = -quarters, 0x08
	}
	for _, n := range [...]int{t.Year() % 100, int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), quarters} {
		dst = append(dst, byte(n%10<<4|n/10))
	}
	dst[len(dst)-1] |= sign
	return dst
}
