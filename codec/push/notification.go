package push

// The package 0 notification.

import (
	"fmt"

	"dmgate/codec"
	"dmgate/codec/auth"
)

// UIMode is what a notification asks the phone to do with its user.
type UIMode uint8

// Ways to start the session.
const (
	UINotSpecified UIMode = iota
	UIBackground          // nothing is shown
	UIInformative         // the user is told
	UIInteraction         // the user is asked
)

var uiNames = [...]string{"not specified", "background", "informative", "user interaction"}

func (m UIMode) String() string {
	if int(m) < len(uiNames) {
		return uiNames[m]
	}
	return fmt.Sprintf("ui-mode %d", uint8(m))
}

// Versions of a notification. That of DM 1.3 is a type of its own, Notification13.
const (
	Version10 = 10 // DM 1.1.2
	Version11 = 11 // DM 1.2
)

// Notification is package 0: it asks a device that knows the server to open a session.
//
// S60 drops a notification whose digest is that of the last one (trap 9), so one that is sent again needs another
// session id or nonce.
type Notification struct {
	Digest          [16]byte // of all that follows it; as read, Append makes its own
	Version         uint16   // Version11 or Version10; 0 is written as Version11
	UIMode          UIMode
	ServerInitiated bool   // or by the user or client
	Future          uint32 // 27 bits that are zero until a standard gives them a meaning
	SessionID       uint16 // 1 to 0xFFFF
	ServerID        string // 1 to 255 bytes; Motorola takes at most 23 (trap 9)
	Vendor          []byte // what the vendor may add
}

const (
	digestSize      = 16
	minNotification = digestSize + 8
)

// Validate says what keeps n from being written as it is.
func (n *Notification) Validate() error {
	switch {
	case n.Version != 0 && n.Version != Version10 && n.Version != Version11:
		return fmt.Errorf("notification: version %d (want 10 or 11)", n.Version)
	case n.UIMode > UIInteraction:
		return fmt.Errorf("notification: ui-mode %d (want 0 to 3)", n.UIMode)
	case n.SessionID == 0:
		return fmt.Errorf("notification: session id 0 (want 1 to 65535)")
	case n.ServerID == "" || len(n.ServerID) > 255:
		return fmt.Errorf("notification: ServerID of %d bytes (want 1 to 255)", len(n.ServerID))
	case n.Future>>27 != 0:
		return fmt.Errorf("notification: future use 0x%X takes more than 27 bits", n.Future)
	}
	return nil
}

// Append appends n with the digest that secret, made of ServerID and the server's password, and the nonce of the way
// from server to client give; with n.Digest where secret is nil. A ServerID that Validate would refuse is cut at 255
// bytes.
func (n *Notification) Append(dst []byte, secret *auth.Secret, nonce []byte) []byte {
	trigger := n.appendTrigger(nil)
	digest := n.Digest
	if secret != nil {
		digest = secret.Digest(nonce, trigger)
	}
	return append(append(dst, digest[:]...), trigger...)
}

// appendTrigger appends all but the digest: version (10 bits), ui-mode (2), initiator (1), future use (27),
// session id (16), and ServerID behind its length (8).
func (n *Notification) appendTrigger(dst []byte) []byte {
	version := n.Version
	if version == 0 {
		version = Version11
	}
	dst = appendHead(dst, version, n.UIMode, n.ServerInitiated, n.Future, n.SessionID)
	id := n.ServerID[:min(len(n.ServerID), 255)]
	dst = append(dst, byte(len(id)))
	dst = append(dst, id...)
	return append(dst, n.Vendor...)
}

// appendHead appends the seven bytes from version to session id.
func appendHead(dst []byte, version uint16, mode UIMode, server bool, future uint32, session uint16) []byte {
	head := uint64(version&0x3FF)<<30 | uint64(mode&3)<<28 | uint64(future&(1<<27-1))
	if server {
		head |= 1 << 27
	}
	return append(dst, byte(head>>32), byte(head>>24), byte(head>>16), byte(head>>8), byte(head),
		byte(session>>8), byte(session))
}

// readHead reads what appendHead writes from the first seven bytes of t.
func readHead(t []byte) (version uint16, mode UIMode, server bool, future uint32, session uint16) {
	head := uint64(t[0])<<32 | uint64(t[1])<<24 | uint64(t[2])<<16 | uint64(t[3])<<8 | uint64(t[4])
	return uint16(head >> 30), UIMode(head >> 28 & 3), head>>27&1 == 1, uint32(head & (1<<27 - 1)),
		uint16(t[5])<<8 | uint16(t[6])
}

// ReadNotification reads a notification and does not verify it. Vendor is a view into b.
func ReadNotification(b []byte) (Notification, error) {
	var n Notification
	if len(b) < minNotification {
		return n, codec.Errorf("notification", len(b), "notification of %d bytes (want at least %d)", len(b),
			minNotification)
	}
	copy(n.Digest[:], b)
	t := b[digestSize:]
	n.Version, n.UIMode, n.ServerInitiated, n.Future, n.SessionID = readHead(t)
	if n.Version != Version10 && n.Version != Version11 {
		return n, codec.Errorf("notification", digestSize, "version %d (want 10 or 11)", n.Version)
	}
	end := 8 + int(t[7])
	if end > len(t) {
		return n, codec.Errorf("notification", digestSize+7, "ServerID of %d bytes, only %d left", t[7], len(t)-8)
	}
	n.ServerID = string(t[8:end])
	if end < len(t) {
		n.Vendor = t[end:]
	}
	return n, nil
}

// Verify says whether n, as read, carries the digest that secret and nonce give. It compares in constant time.
func (n *Notification) Verify(secret *auth.Secret, nonce []byte) bool {
	want := secret.Digest(nonce, n.appendTrigger(nil))
	return auth.Equal(n.Digest[:], want[:])
}
