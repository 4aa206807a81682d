package fleet

import (
	"encoding/binary"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/push"
	"dmgate/storage"
)

// notification is the Kind of a push that asks a device to open a session. It moves no device: the session that follows
// shows that it came. It belongs to an order (see taskOrder), or, for a resynchronisation, to none.
const notification = "notification"

// resyncWithin is how long a resynchronisation stays open. It has to outlast the life of a short message for a phone
// that is off, and no longer: until then the zero nonce, which everybody knows, is one that the device may use.
const resyncWithin = 24 * time.Hour

// zeroNonce is the reserved nonce (section 3).
var zeroNonce = []byte{0, 0, 0, 0}

// Resync asks a device that has lost our nonce, and so drops what we send it, to open a session: by a notification
// whose digest is over the zero nonce. Until the device has proved itself again, at most resyncWithin, it may do so over
// the zero nonce as well. The error is a *FieldError where the device has no account of ours yet, or storage.ErrNotFound.
//
// A session of the device that commits at the same moment may undo the opening, or lose a nonce by it: the device is
// then challenged as always, and the challenge brings a nonce.
func (f *Fleet) Resync(id storage.DeviceID) error {
	dev, err := f.store.Device(id)
	if err != nil {
		return err
	}
	if err := hasAccount(dev); err != nil {
		return err
	}
	account, err := f.store.Account(id)
	if err != nil {
		return err
	}
	now := f.opt.Clock()
	account.ZeroNonceUntil = now.Add(resyncWithin)
	job := storage.PushJob{
		ID: f.newID(now), Device: id, Kind: notification, MSISDN: dev.MSISDN, PDU: notify(account, zeroNonce),
		State: storage.PushQueued, NotBefore: now, Created: now, Changed: now,
	}
	err = f.store.Commit(&storage.Commit{
		Device: id, Time: now, Account: account, Pushes: []storage.PushJob{job},
		Feed: []storage.FeedEntry{{Kind: "push", Text: "notification with the zero nonce queued"}},
	})
	if err != nil {
		return err
	}
	f.pushed()
	return nil
}

// notify makes the push around package 0 for an account, in the form of DM 1.2, which clients of 1.3 take too. Each has
// a session id of its own: S60 drops one that is the same as the last (trap 9).
func notify(a *storage.Account, nonce []byte) []byte {
	var id [2]byte
	for id == [2]byte{} {
		Random(id[:])
	}
	n := push.Notification{
		UIMode: push.UIBackground, ServerInitiated: true, SessionID: binary.BigEndian.Uint16(id[:]), ServerID: a.ServerID,
	}
	secret := auth.NewSecret([]byte(a.ServerID), []byte(a.ServerPassword))
	p := push.Push{
		TID: 1, ContentType: push.TypeNotification, HasAppID: true, AppID: push.AppDM, Body: n.Append(nil, &secret, nonce),
	}
	return p.Append(nil)
}
