package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
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

// unhex is what the lines of b stand for where b is hexadecimal text, one PDU a line, with or without spaces. Anything
// else is one piece, as it stands.
func unhex(b []byte) [][]byte {
	var pieces [][]byte
	for line := range bytes.Lines(b) {
		digits := bytes.Join(bytes.Fields(line), nil)
		if len(digits) == 0 {
			continue
		}
		piece := make([]byte, hex.DecodedLen(len(digits)))
		if _, err := hex.Decode(piece, digits); err != nil {
			return [][]byte{b}
		}
		pieces = append(pieces, piece)
	}
	return pieces
}
