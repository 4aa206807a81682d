package push

// SEC and MAC: proof that a document comes from whom the user expects.

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
)

// SEC says what keys the MAC of a provisioning document: what the phone, its user, or both know.
type SEC uint8

// Methods of security, by their number on the wire (section 6.1).
const (
	NetwPIN     SEC = iota // the IMSI; nothing to type
	UserPIN                // a PIN, told the user some other way
	UserNetwPIN            // both
	UserPINMAC             // a PIN that holds the MAC, so that the push carries none
)

var secNames = [...]string{"netwpin", "userpin", "usernetwpin", "userpinmac"}

// ParseSEC reads the name of a method in upper or lower case.
func ParseSEC(s string) (SEC, error) {
	for i, name := range secNames {
		if strings.EqualFold(s, name) {
			return SEC(i), nil
		}
	}
	return 0, fmt.Errorf("push: SEC %q (want netwpin, userpin, usernetwpin or userpinmac)", s)
}

func (s SEC) String() string {
	if int(s) < len(secNames) {
		return secNames[s]
	}
	return fmt.Sprintf("sec%d", uint8(s))
}

// Key is what keys a MAC. Which fields it needs depends on the SEC.
type Key struct {
	IMSI string // 6 to 15 digits
	PIN  string // digits; for UserPINMAC what UserPINMACPin made
}

const maxPIN = 2 * sha1.Size // digits: the longest that UserPINMACPin makes

func (k *Key) checkPIN(sec SEC) error {
	if !digits(k.PIN) || len(k.PIN) > maxPIN {
		return fmt.Errorf("push: PIN of %d characters for %s (want 1 to %d digits)", len(k.PIN), sec, maxPIN)
	}
	return nil
}

func (k *Key) checkIMSI() error {
	if !digits(k.IMSI) || len(k.IMSI) < 6 || len(k.IMSI) > 15 {
		return fmt.Errorf("push: IMSI of %d characters (want 6 to 15 digits)", len(k.IMSI))
	}
	return nil
}

// MAC is the MAC of body as the push carries it: 40 hexadecimal digits in upper case, since Spreadtrum compares them
// as text (trap 7). It is empty for UserPINMAC.
func MAC(sec SEC, key Key, body []byte) (mac string, err error) {
	var k []byte
	switch sec {
	case NetwPIN, UserNetwPIN:
		if err := key.checkIMSI(); err != nil {
			return "", err
		}
		k = imsiKey(key.IMSI)
	case UserPIN:
	case UserPINMAC:
		return "", nil
	default:
		return "", fmt.Errorf("push: SEC %d (want 0 to 3)", uint8(sec))
	}
	if sec != NetwPIN {
		if err := key.checkPIN(sec); err != nil {
			return "", err
		}
		k = append(k, key.PIN...)
	}
	return strings.ToUpper(hex.EncodeToString(sign(k, body))), nil
}

// ProfileMAC is the MAC of a bootstrap message of the DM profile, which is an ordinary DM message (section 6.4): hex of
// HMAC-SHA1, with the PIN, the network id, or both joined by a colon as the key. The section names NETWORKID, USERPIN
// and USERPIN_NETWORKID; here they are NetwPIN, UserPIN and UserNetwPIN, whose numbers WSP has for the parameter SEC.
// That the network id is the IMSI in plain digits follows from its being joined to a PIN; no vector confirms it.
func ProfileMAC(sec SEC, key Key, body []byte) (string, error) {
	if sec > UserNetwPIN {
		return "", fmt.Errorf("push: SEC %s is not of the DM profile (want netwpin, userpin or usernetwpin)", sec)
	}
	var k string
	if sec != NetwPIN {
		if err := key.checkPIN(sec); err != nil {
			return "", err
		}
		k = key.PIN
	}
	if sec != UserPIN {
		if err := key.checkIMSI(); err != nil {
			return "", err
		}
		if k != "" {
			k += ":"
		}
		k += key.IMSI
	}
	return strings.ToUpper(hex.EncodeToString(sign([]byte(k), body))), nil
}

// UserPINMACPin is the PIN that proves body: k, which should be random digits, followed by as many digits of its MAC.
// It is empty unless k is 1 to 20 digits.
func UserPINMACPin(k string, body []byte) string {
	if !digits(k) || len(k) > sha1.Size {
		return ""
	}
	pin := []byte(k)
	for _, m := range sign(pin, body)[:len(k)] {
		pin = append(pin, '0'+m%10)
	}
	return string(pin)
}

// Verify says whether mac, in hexadecimal of either case, proves body. For UserPINMAC it is the PIN that does. It takes
// the same time for any two MACs.
func Verify(sec SEC, mac string, key Key, body []byte) bool {
	var want string
	if sec == UserPINMAC {
		mac, want = key.PIN, UserPINMACPin(key.PIN[:len(key.PIN)/2], body)
	} else if made, err := MAC(sec, key, body); err == nil {
		mac, want = strings.ToUpper(mac), made
	}
	return want != "" && subtle.ConstantTimeCompare([]byte(mac), []byte(want)) == 1
}

// imsiKey is an IMSI as the SIM holds it, less the length: semi-octets behind one that says whether their number is
// odd (9) or even (1), filled up with F.
func imsiKey(imsi string) []byte {
	parity := "1"
	if len(imsi)%2 == 1 {
		parity = "9"
	}
	return appendSemiOctets(nil, parity+imsi)
}

func sign(key, body []byte) []byte {
	h := hmac.New(sha1.New, key)
	h.Write(body)
	return h.Sum(nil)
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
