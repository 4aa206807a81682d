// Package vector reads the notation that test vectors are written in, the one of the fact sheet: hex digits, and text
// between single quotes. "6D 71 03'1.2'00 01" is six bytes of tokens around the text 1.2.
package vector

import (
	"encoding/hex"
	"strings"
	"testing"
)

// Bytes is what notation stands for. White space and '|' separate and mean nothing.
func Bytes(t testing.TB, notation string) []byte {
	t.Helper()
	var out []byte
	for i, part := range strings.Split(notation, "'") {
		if i%2 == 1 {
			out = append(out, part...)
			continue
		}
		b, err := hex.DecodeString(strings.NewReplacer(" ", "", "|", "", "\n", "", "\t", "").Replace(part))
		if err != nil {
			t.Fatalf("vector %q: %v", part, err)
		}
		out = append(out, b...)
	}
	return out
}
