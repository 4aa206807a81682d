package auth

import (
	"errors"
	"strings"
	"testing"

	"dmgate/codec"
)

const (
	vectorMAC    = "urdCeS3JUmjFgi8SX3webw==" // section 3: Bruce2 / OhBehave / "Nonce" over <SyncML/>
	vectorMACHex = "YmFiNzQyNzkyZGM5NTI2OGM1ODIyZjEyNWY3YzFlNmY="
)

func TestReadHMAC(t *testing.T) {
	secret := NewSecret([]byte("Bruce2"), []byte("OhBehave"))
	want := secret.Digest([]byte("Nonce"), []byte("<SyncML/>"))
	for _, c := range []struct{ value, user, algorithm string }{
		{`algorithm=MD5, username="Bruce2", mac=` + vectorMAC, "Bruce2", "MD5"},
		{`username=Bruce2,mac=` + vectorMAC, "Bruce2", ""},
		{`MAC="` + vectorMAC + `" , UserName = "Bru, ce=2" ,Algorithm= md5 `, "Bru, ce=2", "md5"},
		{`mac=` + vectorMAC, "", ""},
		{`username="Bruce2", mac=` + vectorMACHex, "Bruce2", ""},
		{`username="Bruce2", mac=` + "QkFCNzQyNzkyREM5NTI2OEM1ODIyRjEyNUY3QzFFNkY=", "Bruce2", ""}, // upper case
		{`realm="x", , mac=` + vectorMAC + ",", "", ""},
		{"\tusername=\"Bruce2\"\t,\tmac=" + vectorMAC, "Bruce2", ""},
	} {
		h, err := ReadHMAC([]byte(c.value))
		if err != nil {
			t.Errorf("%s: %v", c.value, err)
			continue
		}
		if string(h.User) != c.user || string(h.Algorithm) != c.algorithm || !h.Equal(want) || !h.Present() || !h.IsMD5() {
			t.Errorf("%s: user %q, algorithm %q, sum %x", c.value, h.User, h.Algorithm, h.Sum)
		}
	}
	other, err := ReadHMAC([]byte("algorithm=SHA, mac=" + vectorMAC))
	if err != nil || other.IsMD5() {
		t.Errorf("algorithm SHA: %v, taken for MD5 %v", err, other.IsMD5())
	}
}

func TestReadHMACErrors(t *testing.T) {
	for _, c := range []struct {
		value  string
		offset int
		msg    string
	}{
		{"", 0, "no mac"},
		{`username="Bruce2"`, 17, "no mac"},
		{"mac", 0, `"mac" without a value`},
		{"username, mac=" + vectorMAC, 0, `"username" without a value`},
		{`username="Bruce2, mac=` + vectorMAC, 9, "quotes that do not end"},
		{`username="Bru"ce2, mac=` + vectorMAC, 14, `'c' behind quotes (want a comma)`},
		{"mac=", 0, "mac of 0 characters (want 24 or 44)"},
		{"username=x, mac=" + vectorMAC[1:], 12, "mac of 23 characters (want 24 or 44)"},
		{"mac=" + strings.Repeat("!", 24), 0, "mac is no base64"},
		{"mac=" + strings.Repeat("A", 24), 0, "mac is neither 16 bytes nor 32 hexadecimal digits"},
		{"mac=" + strings.Repeat("A", 44), 0, "mac is neither 16 bytes nor 32 hexadecimal digits"},
		{"mac=" + vectorMACHex[:43] + "x", 0, "mac is neither 16 bytes nor 32 hexadecimal digits"},
		{"mac=" + vectorMAC + ", mac=" + vectorMAC, 30, "second mac"},
		{"username=a, USERNAME=b, mac=" + vectorMAC, 12, "second USERNAME"},
		{"algorithm=a, algorithm=b, mac=" + vectorMAC, 13, "second algorithm"},
	} {
		_, err := ReadHMAC([]byte(c.value))
		var syntax *codec.SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset != c.offset || syntax.Msg != c.msg || syntax.Format != HeaderHMAC {
			t.Errorf("%s: %v, want offset %d: %s", c.value, err, c.offset, c.msg)
		}
	}
}

// What is written is read, and neither allocates.
func TestAppendHMAC(t *testing.T) {
	if got, want := string(AppendHMAC(nil, "dmgate", []byte(vectorMAC))),
		`algorithm=MD5, username="dmgate", mac=`+vectorMAC; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	dst, mac := make([]byte, 0, 128), []byte(vectorMAC)
	n := testing.AllocsPerRun(100, func() {
		dst = AppendHMAC(dst[:0], "dmgate", mac)
		if h, err := ReadHMAC(dst); err != nil || string(h.User) != "dmgate" {
			t.Errorf("user %q, %v", h.User, err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
