package push

// Phone numbers and the names that some senders have.

import (
	"fmt"
	"strings"

	"dmgate/codec"
)

// Types of number, with the telephone numbering plan.
const (
	tonUnknown       = 0x81
	tonInternational = 0x91
	tonAlphanumeric  = 0xD0

	tonMask = 0x70
)

const (
	maxDigits = 20
	maxAlpha  = 11 // characters of an alphanumeric sender
)

// ValidateNumber says what is wrong with a phone number: 1 to 20 digits, with a "+" in front where it is international.
func ValidateNumber(s string) error {
	d := strings.TrimPrefix(s, "+")
	switch {
	case !digits(d):
		return fmt.Errorf("push: number %.40q (want digits, or + and digits)", s)
	case len(d) > maxDigits:
		return fmt.Errorf("push: number of %d digits (at most %d)", len(d), maxDigits)
	}
	return nil
}

// semiDigits are the characters of a semi-octet; 0xF fills up the last octet.
const semiDigits = "0123456789*#abc"

// appendSemiOctets appends two characters an octet, the first in the low half.
func appendSemiOctets(dst []byte, s string) []byte {
	for i := 0; i < len(s); i += 2 {
		high := 0xF
		if i+1 < len(s) {
			high = strings.IndexByte(semiDigits, s[i+1])
		}
		dst = append(dst, byte(high<<4|strings.IndexByte(semiDigits, s[i])))
	}
	return dst
}

// appendNumber appends a number behind its count of digits and its type.
func appendNumber(dst []byte, s string) []byte {
	ton := byte(tonUnknown)
	if d, ok := strings.CutPrefix(s, "+"); ok {
		s, ton = d, tonInternational
	}
	return appendSemiOctets(append(dst, byte(len(s)), ton), s)
}

// appendSender appends a number, or a name of at most 11 characters of the GSM alphabet. It counts semi-octets either
// way.
func appendSender(dst []byte, s string) []byte {
	if numeric(s) {
		return appendNumber(dst, s)
	}
	packed := packGSM7(s)
	count := (len([]rune(s))*7 + 3) / 4
	return append(append(dst, byte(count), tonAlphanumeric), packed...)
}

func numeric(s string) bool {
	s = strings.TrimPrefix(s, "+")
	return s != "" && strings.Trim(s, semiDigits) == ""
}

func validateSender(s string) error {
	if numeric(s) {
		if n := len(strings.TrimPrefix(s, "+")); n > maxDigits {
			return fmt.Errorf("push: number of %d digits (at most %d)", n, maxDigits)
		}
		return nil
	}
	if n := len([]rune(s)); n < 1 || n > maxAlpha || !inGSM7(s) {
		return fmt.Errorf("push: sender %.40q (want a number, or 1 to %d characters of the GSM alphabet)", s, maxAlpha)
	}
	return nil
}

// address reads an address of any type. International numbers get their "+"; names their text.
func (r *tpduReader) address(what string) (string, error) {
	at := r.pos
	count, err := r.byte(what)
	if err != nil {
		return "", err
	}
	if count > maxDigits {
		return "", codec.Errorf("tpdu", at, "%s of %d semi-octets (at most %d)", what, count, maxDigits)
	}
	ton, err := r.byte(what)
	if err != nil {
		return "", err
	}
	at = r.pos
	octets, err := r.take(int(count+1)/2, what)
	if err != nil {
		return "", err
	}
	if ton&tonMask == tonAlphanumeric&tonMask {
		return unpackGSM7(octets, int(count)*4/7), nil
	}
	var b strings.Builder
	if ton&tonMask == tonInternational&tonMask {
		b.WriteByte('+')
	}
	for i := range int(count) {
		d := octets[i/2] >> (4 * (i % 2)) & 0xF
		if d == 0xF {
			return "", codec.Errorf("tpdu", at+i/2, "%s ends after %d of %d digits", what, i, count)
		}
		b.WriteByte(semiDigits[d])
	}
	return b.String(), nil
}
