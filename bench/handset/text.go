package handset

import (
	"strings"
	"unicode/utf16"

	"dmgate/codec/push"
)

// gsm7 is the default alphabet of text messages, its extensions behind an escape (3GPP TS 23.038, 6.2.1).
var (
	gsm7 = []rune("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")
	gsm7Extension = map[byte]rune{
		0x0A: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2F: '\\', 0x3C: '[', 0x3D: '~', 0x3E: ']', 0x40: '|', 0x65: '€',
	}
)

const gsm7Escape = 0x1B

// alphabet is what the characters of a short message are: bits of its data coding scheme (section 4 there).
type alphabet uint8

const (
	septets alphabet = iota
	octets           // data, and no text for people
	ucs2
)

func alphabetOf(dcs uint8) alphabet {
	switch {
	case dcs>>6 == 0 || dcs>>6 == 1:
		return [...]alphabet{septets, octets, ucs2, septets}[dcs>>2&3]
	case dcs>>4 == 0xE:
		return ucs2
	case dcs>>4 == 0xF && dcs&0x04 != 0:
		return octets
	}
	return septets
}

// textOf is the text of a short message or of its segment, whose user data header takes header bytes of ud. count is
// its length in septets; 0 for as many as there is room for.
func textOf(dcs uint8, ud []byte, header, count int) string {
	switch alphabetOf(dcs) {
	case septets:
		return unpack7(ud, (header*8+6)/7, count)
	case ucs2:
		b := ud[header:]
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
		}
		return string(utf16.Decode(units))
	}
	return string(ud[header:])
}

// unpack7 reads septets from number from on; the header counts as if it were septets too.
func unpack7(b []byte, from, count int) string {
	if count == 0 || count > len(b)*8/7 {
		count = len(b) * 8 / 7
	}
	var out strings.Builder
	escaped := false
	for i := from; i < count; i++ {
		at := i * 7
		v := uint(b[at/8])
		if at/8+1 < len(b) {
			v |= uint(b[at/8+1]) << 8
		}
		code := byte(v>>(at%8)) & 0x7F
		switch {
		case code == gsm7Escape && !escaped:
			escaped = true
			continue
		case escaped && gsm7Extension[code] != 0:
			out.WriteRune(gsm7Extension[code])
		default:
			out.WriteRune(gsm7[code])
		}
		escaped = false
	}
	return out.String()
}

// text is the text that m completes, with the segments that came before. ok is false where it is no text, or not
// complete.
func (f *Fleet) text(h *Handset, m *message) (text string, ok bool) {
	if !m.header {
		return textOf(m.dcs, m.ud, 0, int(m.septets)), true
	}
	udh, body, err := push.ReadUDH(m.ud)
	part := textOf(m.dcs, m.ud, len(m.ud)-len(body), int(m.septets))
	if err != nil || udh.Total <= 1 {
		return part, true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := segments{h, udh.Ref, udh.Total}
	parts := f.texts[key]
	if parts == nil {
		parts = make(map[uint8]string, udh.Total)
		f.texts[key] = parts
	}
	parts[udh.Seq] = part
	if len(parts) < int(udh.Total) {
		return "", false
	}
	delete(f.texts, key)
	var all strings.Builder
	for seq := range udh.Total {
		all.WriteString(parts[seq+1])
	}
	return all.String(), true
}

// isText says whether m is a text for people: it is for no port.
func (m *message) isText() bool {
	if !m.header {
		return true
	}
	udh, _, err := push.ReadUDH(m.ud)
	return err == nil && !udh.HasPorts && alphabetOf(m.dcs) != octets
}
