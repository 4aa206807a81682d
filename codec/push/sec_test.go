package push

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The vectors of section 6.1.
const vectorIMSI = "262011234567890"

var vectorBody = []byte{0x03, 0x0B, 0x6A, 0x00, 0xC5, 0x46, 0x01}

func TestMACVectors(t *testing.T) {
	for _, v := range []struct {
		sec  SEC
		key  Key
		want string
	}{
		{NetwPIN, Key{IMSI: vectorIMSI}, "6D8B087BEAA4730C879B6696E739B6E2D399AC02"},
		{UserPIN, Key{PIN: "1234"}, "AB7CE0EDD71F700B738D6BD3D53926BE235E2486"},
		{UserNetwPIN, Key{IMSI: vectorIMSI, PIN: "1234"}, "BFE7B2475AA5403C626A4B6F388D2D643A754B16"},
		{UserPINMAC, Key{PIN: "12341447"}, ""},
	} {
		got, err := MAC(v.sec, v.key, vectorBody)
		if err != nil || got != v.want {
			t.Errorf("%s: got %s, %v", v.sec, got, err)
		}
		if !Verify(v.sec, v.want, v.key, vectorBody) || !Verify(v.sec, strings.ToLower(v.want), v.key, vectorBody) {
			t.Errorf("%s: not verified", v.sec)
		}
		if Verify(v.sec, v.want, v.key, vectorBody[:6]) {
			t.Errorf("%s: another body was verified", v.sec)
		}
	}
	if got := UserPINMACPin("1234", vectorBody); got != "12341447" {
		t.Errorf("userpinmac: got %s", got)
	}
}

// How an IMSI becomes a key: the odd form with 9 in front, the even with 1 and an F behind.
func TestIMSIKey(t *testing.T) {
	for imsi, want := range map[string]string{
		vectorIMSI:       "29 26 10 21 43 65 87 09",
		"26201123456789": "21 26 10 21 43 65 87 F9",
		"262011":         "21 26 10 F1",
	} {
		if s := fmt.Sprintf("% X", imsiKey(imsi)); s != want {
			t.Errorf("%s: got %s; want %s", imsi, s, want)
		}
	}
}

// The MAC of the DM profile. With a PIN alone both profiles have the same key, and so the vector of section 6.1; the
// other two were computed with OpenSSL: openssl dgst -sha1 -hmac 1234:262011234567890.
func TestProfileMAC(t *testing.T) {
	for _, v := range []struct {
		sec  SEC
		key  Key
		want string
	}{
		{UserPIN, Key{PIN: "1234"}, "AB7CE0EDD71F700B738D6BD3D53926BE235E2486"},
		{NetwPIN, Key{IMSI: vectorIMSI}, "062A1D5C04376B0E29AE175E5A7AA916E218B6DC"},
		{UserNetwPIN, Key{IMSI: vectorIMSI, PIN: "1234"}, "EF4D5F55D850C7A0633CAB4B44AE87B6C52793A2"},
	} {
		if got, err := ProfileMAC(v.sec, v.key, vectorBody); err != nil || got != v.want {
			t.Errorf("%s: got %s, %v", v.sec, got, err)
		}
	}
	for _, v := range []struct {
		sec  SEC
		key  Key
		want string
	}{
		{UserPINMAC, Key{PIN: "1234"},
			"push: SEC userpinmac is not of the DM profile (want netwpin, userpin or usernetwpin)"},
		{UserPIN, Key{PIN: "x"}, "push: PIN of 1 characters for userpin (want 1 to 40 digits)"},
		{UserNetwPIN, Key{PIN: "1"}, "push: IMSI of 0 characters (want 6 to 15 digits)"},
	} {
		if _, err := ProfileMAC(v.sec, v.key, nil); fmt.Sprint(err) != v.want {
			t.Errorf("got %v, want %s", err, v.want)
		}
	}
}

func TestMACErrors(t *testing.T) {
	for _, v := range []struct {
		sec  SEC
		key  Key
		want string
	}{
		{NetwPIN, Key{PIN: "1234"}, "push: IMSI of 0 characters (want 6 to 15 digits)"},
		{NetwPIN, Key{IMSI: "26201123456789O"}, "push: IMSI of 15 characters (want 6 to 15 digits)"},
		{NetwPIN, Key{IMSI: "2620112345678901"}, "push: IMSI of 16 characters (want 6 to 15 digits)"},
		{UserPIN, Key{IMSI: vectorIMSI}, "push: PIN of 0 characters for userpin (want 1 to 40 digits)"},
		{UserPIN, Key{PIN: "12 4"}, "push: PIN of 4 characters for userpin (want 1 to 40 digits)"},
		{UserNetwPIN, Key{IMSI: vectorIMSI}, "push: PIN of 0 characters for usernetwpin (want 1 to 40 digits)"},
		{UserNetwPIN, Key{PIN: "1234"}, "push: IMSI of 0 characters (want 6 to 15 digits)"},
		{9, Key{}, "push: SEC 9 (want 0 to 3)"},
	} {
		if mac, err := MAC(v.sec, v.key, vectorBody); mac != "" || fmt.Sprint(err) != v.want {
			t.Errorf("got  %q, %v\nwant %s", mac, err, v.want)
		}
		if Verify(v.sec, "", v.key, vectorBody) {
			t.Errorf("%v was verified", v)
		}
	}
	for _, k := range []string{"", "12x4", strings.Repeat("1", 21)} {
		if got := UserPINMACPin(k, vectorBody); got != "" {
			t.Errorf("pin of %q: %s", k, got)
		}
		if Verify(UserPINMAC, "", Key{PIN: k}, vectorBody) {
			t.Errorf("pin %q was verified", k)
		}
	}
}

func TestSECNames(t *testing.T) {
	for s := NetwPIN; s <= UserPINMAC; s++ {
		if got, err := ParseSEC(strings.ToUpper(s.String())); err != nil || got != s {
			t.Errorf("%s: got %s, %v", s, got, err)
		}
	}
	const want = `push: SEC "pin" (want netwpin, userpin, usernetwpin or userpinmac)`
	if _, err := ParseSEC("pin"); fmt.Sprint(err) != want {
		t.Error(err)
	}
	if SEC(7).String() != "sec7" {
		t.Error(SEC(7))
	}
}

// A MAC made is verified, with any key, and not with another PIN.
func TestVerifyProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		key := Key{
			IMSI: rapid.StringMatching(`[0-9]{6,15}`).Draw(t, "imsi"),
			PIN:  rapid.StringMatching(`[0-9]{4,8}`).Draw(t, "pin"),
		}
		sec := SEC(rapid.IntRange(0, 3).Draw(t, "sec"))
		if sec == UserPINMAC {
			key.PIN = UserPINMACPin(key.PIN, body)
		}
		mac, err := MAC(sec, key, body)
		if err != nil || !Verify(sec, mac, key, body) {
			t.Fatalf("%s, %v", mac, err)
		}
		if sec == NetwPIN {
			return
		}
		other := []byte(key.PIN)
		other[len(other)-1] = '0' + (other[len(other)-1]-'0'+1)%10
		if Verify(sec, mac, Key{key.IMSI, string(other)}, body) {
			t.Fatalf("verified with PIN %s", other)
		}
	})
}
