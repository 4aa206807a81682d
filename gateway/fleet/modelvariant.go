package fleet

import (
	"cmp"

	"dmgate/storage"
)

// variant is how a bootstrap is made, where upstream leaves it open.
type variant struct {
	sec  string // "userpin", "netwpin", "usernetwpin" or "userpinmac"
	form string // what stands in the document besides the account: "apn" or nothing
}

// String is the variant as an order keeps it.
func (v variant) String() string {
	if v.form == "" {
		return v.sec
	}
	return v.sec + "+" + v.form
}

// bestVariant is how devices with this TAC take a bootstrap best, of what can be done: with a PIN of the network only
// where the device's IMSI is known. The zero variant where nothing is known.
func (f *Fleet) bestVariant(tac string, imsi bool) variant {
	return variant{}
}

var _ = cmp.Or[string]
var _ = storage.TACOf
