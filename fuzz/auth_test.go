package fuzz

import (
	"encoding/base64"
	"reflect"
	"testing"

	"dmgate/codec/auth"
)

// FuzzHMAC: an x-syncml-hmac header that was read says the same after it was written and read again.
func FuzzHMAC(f *testing.F) {
	const mac = "urdCeS3JUmjFgi8SX3webw=="
	for _, seed := range []string{
		`algorithm=MD5, username="Bruce2", mac=` + mac,
		`MAC="` + mac + `" ,UserName = a b,, x="="`,
		"mac=YmFiNzQyNzkyZGM5NTI2OGM1ODIyZjEyNWY3YzFlNmY=",
		`username="Bruce2, mac=`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		h, err := auth.ReadHMAC(value)
		if err != nil {
			return
		}
		for _, b := range h.User {
			if b == '"' {
				return // is not written
			}
		}
		again, err := auth.ReadHMAC(auth.AppendHMAC(nil, string(h.User),
			[]byte(base64.StdEncoding.EncodeToString(h.Sum[:]))))
		if err != nil {
			t.Fatal(err)
		}
		h.Algorithm = again.Algorithm // is MD5
		if len(h.User) == 0 {
			h.User = again.User
		}
		if !reflect.DeepEqual(h, again) {
			t.Fatalf("got  %+v\nwant %+v", again, h)
		}
	})
}
