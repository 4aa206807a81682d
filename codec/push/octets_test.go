package push

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"dmgate/codec"
)

// octets turns the fact sheet's notation into bytes: hex with spaces and bars, and 'text' for its characters.
func octets(t testing.TB, s string) []byte {
	t.Helper()
	var b []byte
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			b = append(b, part...)
			continue
		}
		h, err := hex.DecodeString(strings.NewReplacer(" ", "", "|", "", "\n", "", "\t", "").Replace(part))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, h...)
	}
	return b
}

// expect checks that reading ended in a *codec.SyntaxError that reads want.
func expect(t *testing.T, err error, want string) {
	t.Helper()
	var syntax *codec.SyntaxError
	if !errors.As(err, &syntax) {
		t.Fatalf("got %v, %T; want a *codec.SyntaxError", err, err)
	}
	if fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
}
