package auth

import (
	"encoding/hex"
	"testing"
)

// The vectors of section 3 of the fact sheet: Bruce2 / OhBehave / nonce "Nonce".
func TestVectors(t *testing.T) {
	secret := NewSecret([]byte("Bruce2"), []byte("OhBehave"))
	digest := secret.MD5([]byte("Nonce"))
	mac := secret.MAC([]byte("Nonce"), []byte("<SyncML/>"))
	for _, v := range []struct{ name, got, want string }{
		{"inner hash", string(secret[:]), "PtEdr8lBQ45IbT1bZIkrOQ=="},
		{"md5", string(digest[:]), "Zz6EivR3yeaaENcRN6lpAQ=="},
		{"basic", string(AppendBasic(nil, []byte("Bruce2"), []byte("OhBehave"))), "QnJ1Y2UyOk9oQmVoYXZl"},
		{"mac", string(mac[:]), "urdCeS3JUmjFgi8SX3webw=="},
	} {
		if v.got != v.want {
			t.Errorf("%s: got %s, want %s", v.name, v.got, v.want)
		}
	}
}

// Section 5.1: the digest of a notification, keyed by ServerID and the server's password.
func TestTriggerDigest(t *testing.T) {
	trigger, _ := hex.DecodeString("02D80000001234" + "12" + hex.EncodeToString([]byte("com.mgmtsrv.manage")))
	secret := NewSecret([]byte("com.mgmtsrv.manage"), []byte("secret"))
	digest := secret.Digest([]byte("1234"), trigger)
	if got := hex.EncodeToString(digest[:]); got != "00943dd49ae64416b0788e0b4cda3ed2" {
		t.Errorf("got %s", got)
	}
}

func TestSplitBasic(t *testing.T) {
	var buf [32]byte
	user, password, ok := SplitBasic(buf[:], []byte("QnJ1Y2UyOk9oQmVoYXZl"))
	if !ok || string(user) != "Bruce2" || string(password) != "OhBehave" {
		t.Errorf("got %q %q %v", user, password, ok)
	}
	for _, bad := range []string{"", "!!!", "QnJ1Y2Uy", string(make([]byte, 100))} {
		if _, _, ok := SplitBasic(buf[:], []byte(bad)); ok {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestNothingAllocated(t *testing.T) {
	user, password, nonce, body := []byte("Bruce2"), []byte("OhBehave"), []byte("Nonce"), []byte("<SyncML/>")
	dst := make([]byte, 0, 64)
	n := testing.AllocsPerRun(100, func() {
		s := NewSecret(user, password)
		d, m := s.MD5(nonce), s.MAC(nonce, body)
		dst = AppendBasic(dst[:0], user, password)
		Equal(d[:], m[:])
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
