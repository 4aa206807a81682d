package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// maxInput bounds what decode, encode and push read, in bytes.
const maxInput = 16 << 20

// readInput reads a file, or standard input where path is "-" or empty.
func readInput(path string) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if path != "" && path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxInput {
		return nil, fmt.Errorf("input of more than %d bytes", maxInput)
	}
	return b, nil
}

// line is a PDU and the number of the line of hexadecimal that it stands in; 0 where the input is no hexadecimal.
type line struct {
	number int
	pdu    []byte
}

// unhex is what the lines of b stand for where b is hexadecimal text: with or without spaces, colons, commas and 0x, as
// xxd -p and od -An -tx1 print it. Where a line ends in half an octet, all of them are one. Anything else is one piece,
// as it stands. It is an error where some lines are hexadecimal and others are not.
func unhex(b []byte) ([]line, error) {
	var (
		lines []line
		all   []byte // digits
		half  bool
		bad   error
		n     int
	)
	if isXML(b) || bytes.ContainsFunc(b, func(r rune) bool { return r > '~' || r < ' ' && !unicode.IsSpace(r) }) {
		return []line{{pdu: b}}, nil
	}
	for text := range bytes.Lines(b) {
		n++
		digits, err := hexDigits(text)
		if err != nil && bad == nil {
			bad = fmt.Errorf("line %d: %w", n, err)
		}
		if err != nil || len(digits) == 0 {
			continue
		}
		all, half = append(all, digits...), half || len(digits)%2 != 0
		lines = append(lines, line{n, octets(digits)})
	}
	switch {
	case len(lines) == 0 && bad != nil && !errors.Is(bad, errDump):
		return []line{{pdu: b}}, nil
	case bad != nil:
		return nil, bad
	case len(all)%2 != 0:
		return nil, fmt.Errorf("offset %d: half an octet of hexadecimal", len(all)/2)
	case half:
		return []line{{lines[0].number, octets(all)}}, nil
	}
	return lines, nil
}

// hexDigits are the digits of a line without what may stand around them.
func hexDigits(text []byte) (digits []byte, err error) {
	if offset, _, ok := bytes.Cut(text, []byte(": ")); ok && len(offset) >= minOffset && notDigit(offset) < 0 {
		return nil, errDump
	}
	words := func(r rune) bool { return unicode.IsSpace(r) || r == ':' || r == ',' }
	for _, word := range bytes.FieldsFunc(text, words) {
		bare := bytes.TrimPrefix(bytes.TrimPrefix(word, []byte("0x")), []byte("0X"))
		if notDigit(bare) >= 0 {
			return nil, fmt.Errorf("offset %d: %.20q is not hexadecimal", bytes.Index(text, word), word)
		}
		if len(bare) == 1 && len(word) > 1 {
			digits = append(digits, '0')
		}
		digits = append(digits, bare...)
	}
	return digits, nil
}

// notDigit is the index of what is no hexadecimal digit in word; -1 where all are.
func notDigit(word []byte) int {
	return bytes.IndexFunc(word, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) })
}

const minOffset = 6 // digits of the offset in front of a line of a dump

var errDump = errors.New("offset 0: a dump with offsets (want bare hexadecimal, as of xxd -p or od -An -tx1)")

// octets is what whole pairs of digits stand for.
func octets(digits []byte) []byte {
	b := make([]byte, len(digits)/2)
	_, _ = hex.Decode(b, digits[:2*len(b)]) // they are digits
	return b
}

// joined is what the lines are as one.
func joined(lines []line) []byte {
	if len(lines) == 1 {
		return lines[0].pdu
	}
	var b []byte
	for _, l := range lines {
		b = append(b, l.pdu...)
	}
	return b
}
