package handset

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Identity is who a handset is to the world. All numbers of a fleet are fictional: country code 999 is not assigned,
// 999-70 is a test network, and type allocation codes that begin with 00 are for test devices.
type Identity struct {
	MSISDN string // "+999000000017"
	IMSI   string // 15 digits
	IMEI   string // 15 digits, the last of them the Luhn digit of the others
	Seed   uint64 // everything about it that varies
}

const (
	msisdnPrefix = "+999"
	msisdnDigits = 9
	network      = "99970"
	tac          = "00101700"
)

// NewIdentity makes the identity of handset i of the fleet grown from seed.
func NewIdentity(i int, seed uint64) Identity {
	imei := fmt.Sprintf("%s%06d", tac[:8], i%1_000_000)
	return Identity{
		MSISDN: fmt.Sprintf("%s%0*d", msisdnPrefix, msisdnDigits, i),
		IMSI:   fmt.Sprintf("%s%010d", network, i),
		IMEI:   imei + string(luhn(imei)),
		Seed:   rand.New(rand.NewPCG(seed, uint64(i))).Uint64(),
	}
}

// index is the reverse of NewIdentity: which handset of a fleet has a number; -1 where none can.
func index(msisdn string) int {
	digits, ok := strings.CutPrefix(strings.TrimPrefix(msisdn, "+"), msisdnPrefix[1:])
	if !ok || len(digits) != msisdnDigits {
		return -1
	}
	i, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return -1
	}
	return int(i)
}

// DevID is what the handset calls itself: the Source of its messages and ./DevInfo/DevId.
func (id *Identity) DevID() string { return "IMEI:" + id.IMEI }

// luhn is the check digit of digits.
func luhn(digits string) byte {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}
