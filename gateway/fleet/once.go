package fleet

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"dmgate/codec/push"
	"dmgate/storage"
)

// BootstrapOnce is Bootstrap for a request that may come more than once: the order is named after the request's key and
// the device, and one that is there already is not placed again, whatever has become of it since. repeated says so.
//
// A PIN that is left to us follows from the order's name and the device's credentials, so that it can be told again and
// is kept nowhere. Only that of userpinmac, which hangs on the document that was sent, is told but once.
func (f *Fleet) BootstrapOnce(key string, b Bootstrap) (placed *Ordered, repeated bool, err error) {
	dev, err := f.store.Device(b.Device)
	if err != nil {
		return nil, false, err
	}
	name := KeyedName("bootstrap", key) + "." + string(b.Device)
	if repeated, err = f.repeats(&b, name); err != nil {
		return nil, false, err
	}
	b.Sec = f.secFor(&b, dev)
	if b.PIN == "" {
		account, err := f.store.Account(b.Device)
		if err != nil {
			return nil, false, err
		}
		b.PIN = pinFor(account, name)
	}
	if !repeated {
		placed, err = f.bootstrap(&b, name, "", dev, nil)
		var refused *FieldError
		if errors.As(err, &refused) { // perhaps by the same request, at the same time
			if again, failed := f.repeats(&b, name); again || failed != nil {
				repeated, err = again, failed
			}
		}
	}
	if repeated {
		placed = &Ordered{Order: name, PIN: b.PIN}
		if sec, err := push.ParseSEC(b.Sec); err == nil && (sec == push.NetwPIN || sec == push.UserPINMAC) {
			placed.PIN = ""
		}
	}
	return placed, repeated, err
}

// repeats says whether the order of a name was placed before. Where b leaves it open how it is signed, the order has it.
func (f *Fleet) repeats(b *Bootstrap, name string) (bool, error) {
	order, err := f.store.Order(b.Device, name)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	if err == nil && b.Sec == "" {
		b.Sec = parseVariant(order.Variant).sec
	}
	return err == nil, err
}

// pinFor is the PIN that we make for an order with a name of its own.
func pinFor(a *storage.Account, order string) string {
	mac := hmac.New(sha256.New, []byte(a.Password))
	mac.Write([]byte("pin of " + order))
	return fmt.Sprintf("%0*d", pinDigits, binary.BigEndian.Uint64(mac.Sum(nil))%1_000_000)
}
