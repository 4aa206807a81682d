package modemsim

import (
	"slices"
	"time"
	"unicode/utf16"

	"dmgate/codec/push"
)

// Text is an SMS with text as phones send it: in 7 bit where it is made of letters, digits and the like, else in
// UCS2. It must fit one SMS.
func Text(from, text string) push.Deliver {
	d := push.Deliver{Originator: from, SCTS: time.Now().Truncate(time.Second)}
	if septets, fits := plainGSM(text); fits {
		d.UD, d.Septets = septets, uint8(len(text))
		return d
	}
	d.DCS, d.UD = 0x08, ucs2(text)
	return d
}

// LongText is a text in as many SMS as it takes, each a part of the concatenation ref.
func LongText(from, text string, ref uint8) []push.Deliver {
	const room = push.MaxUD - 6 // bytes, an even number
	parts := slices.Collect(slices.Chunk(ucs2(text), room))
	out := make([]push.Deliver, len(parts))
	for i, part := range parts {
		header := []byte{5, 0, 3, ref, byte(len(parts)), byte(i + 1)}
		out[i] = push.Deliver{
			Originator: from, DCS: 0x08, SCTS: time.Now().Truncate(time.Second), HasUDH: true, UD: append(header, part...),
		}
	}
	return out
}

// Binary is an SMS of 8-bit data, as other machines send it.
func Binary(from string, data []byte) push.Deliver {
	return push.Deliver{Originator: from, DCS: push.DCS8Bit, SCTS: time.Now().Truncate(time.Second), UD: data}
}

func ucs2(text string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}

// plainGSM packs text into septets if it is made of what ASCII and the alphabet of GSM have in common.
func plainGSM(text string) (septets []byte, fits bool) {
	var bits, have uint
	for i := range len(text) {
		c := text[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= ' ' && c <= '?' && c != '$'
		if !letter && c != '\n' {
			return nil, false
		}
		bits |= uint(c) << have
		for have += 7; have >= 8; have -= 8 {
			septets = append(septets, byte(bits))
			bits >>= 8
		}
	}
	if have > 0 {
		septets = append(septets, byte(bits))
	}
	return septets, len(text) <= 160
}
