package fleet

import (
	"crypto/rand"
	"fmt"
	"regexp"

	"dmgate/storage"
)

// FieldError is a value in an order that can not be accepted.
type FieldError struct {
	Field  string // as the API names it: "msisdn"
	Reason string // what was there and what was wanted
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// NewDevice is what upstream knows of a device.
type NewDevice struct {
	MSISDN string // E.164: "+", then 7 to 15 digits
	IMSI   string // 6 to 15 digits; empty where unknown. Needed for the network PIN
	DevID  string // "IMEI:490154203237518"; empty where unknown. Needed for MD5 clients that never say their name
}

var (
	msisdn = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	imsi   = regexp.MustCompile(`^[0-9]{6,15}$`)
	devID  = regexp.MustCompile(`^[!-~]{1,64}$`)
)

func (n *NewDevice) check() error {
	if !msisdn.MatchString(n.MSISDN) {
		return &FieldError{"msisdn", fmt.Sprintf(`%.40q is no number in E.164 form ("+", then 7 to 15 digits)`, n.MSISDN)}
	}
	if n.IMSI != "" && !imsi.MatchString(n.IMSI) {
		return &FieldError{"imsi", fmt.Sprintf("%.40q is not 6 to 15 digits", n.IMSI)}
	}
	if n.DevID != "" && !devID.MatchString(n.DevID) {
		return &FieldError{"dev_id", fmt.Sprintf("%.80q is not 1 to 64 printable characters", n.DevID)}
	}
	return nil
}

// Register makes a device known and gives it an account with credentials of its own. The error is a *FieldError, or
// storage.ErrExists where the number is known already.
func (f *Fleet) Register(n NewDevice) (*storage.Device, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	d, account := f.newDevice(n)
	if err := f.store.Commit(&storage.Commit{Device: d.ID, Time: d.Created, New: d, Account: account}); err != nil {
		return nil, err
	}
	return d, nil
}

// newDevice makes the records of a device that becomes known: itself, and its account with credentials of its own.
func (f *Fleet) newDevice(n NewDevice) (*storage.Device, *storage.Account) {
	now := f.opt.Clock()
	d := &storage.Device{
		ID: storage.DeviceID(NewName()), MSISDN: n.MSISDN, IMSI: n.IMSI, DevID: n.DevID,
		Created: now, State: storage.Registered, Since: now,
	}
	return d, &storage.Account{
		Device: d.ID, ServerID: f.opt.ServerID, Password: rand.Text(), ServerPassword: rand.Text(),
		ClientNonce: newNonce(), ServerNonce: newNonce(),
	}
}

func newNonce() []byte {
	n := make([]byte, 16)
	Random(n)
	return n
}
