package push

// The alphabet of those names, seven bits a character.

import "strings"

// gsm7 is the default alphabet of GSM without its extension table, for the names that some senders have in place of
// a number (3GPP TS 23.038, 6.2.1). Code 0x1B, the escape, is given as a space.
var gsm7 = []rune("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")

const gsm7Escape = 0x1B

func gsm7Code(c rune) (byte, bool) {
	for code, r := range gsm7 {
		if r == c && code != gsm7Escape {
			return byte(code), true
		}
	}
	return 0, false
}

func inGSM7(s string) bool {
	for _, c := range s {
		if _, ok := gsm7Code(c); !ok {
			return false
		}
	}
	return true
}

func packGSM7(s string) []byte {
	codes := make([]byte, 0, len(s))
	for _, c := range s {
		code, _ := gsm7Code(c)
		codes = append(codes, code)
	}
	return appendPacked(nil, codes, 0)
}

// appendPacked packs codes, seven bits each, the low end first, behind fill bits of nothing.
func appendPacked(dst, codes []byte, fill int) []byte {
	bits, have := uint(0), fill
	for _, code := range codes {
		bits |= uint(code) << have
		for have += 7; have >= 8; have -= 8 {
			dst = append(dst, byte(bits))
			bits >>= 8
		}
	}
	if have > 0 {
		dst = append(dst, byte(bits))
	}
	return dst
}

func unpackGSM7(b []byte, count int) string {
	var out strings.Builder
	bits, have := uint(0), 0
	for _, octet := range b {
		bits |= uint(octet) << have
		for have += 8; have >= 7 && count > 0; have -= 7 {
			out.WriteRune(gsm7[bits&0x7F])
			bits >>= 7
			count--
		}
	}
	return out.String()
}
