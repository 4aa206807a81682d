package push

import (
	"errors"
	"fmt"
	"testing"

	"dmgate/codec"
)

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
