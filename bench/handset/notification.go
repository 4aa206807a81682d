package handset

import (
	"encoding/base64"
	"fmt"

	"dmgate/codec/push"
)

// zeroNonce is the reserved nonce (section 3): the server asks for a session although one side has lost the nonce.
var zeroNonce = []byte{0, 0, 0, 0}

// notice is the notification that a handset took last.
type notice struct {
	digest  [16]byte
	session uint16 // SessionID of the session that it asks for
	stage   stage
}

// stage is how far the session that a notification asks for has come.
type stage uint8

const (
	noticeServed stage = iota // opened, or refused by the user
	noticeAsked               // the user has not answered yet
	noticeWanted              // the next session is this one
)

// notification takes package 0 in the form of DM 1.2. One that is good leads to a session; those that come until that
// is opened lead to the same one, and those that come while another is open to one after it. The caller holds mu.
func (h *Handset) notification(p *push.Push) {
	h.result.Notifications++
	n, err := push.ReadNotification(p.Body)
	if err != nil {
		h.blame(RulePush, "%v", err)
		h.unheeded("unreadable notification")
		return
	}
	if !p.HasAppID || p.AppID != push.AppDM {
		h.blame(RulePush, "notification without the application id of DM (section 5.2)")
	}
	over, reason := h.checkNotification(&n)
	if reason != "" {
		h.unheeded(reason)
		return
	}
	h.note(Notified, fmt.Sprintf("session %X, %s%s", n.SessionID, n.UIMode, over))
	last := h.notice
	if last != nil && last.stage != noticeServed { // S60 has one job for a server (trap 26)
		last.digest = n.Digest
		return
	}
	h.notice = &notice{digest: n.Digest, session: n.SessionID}
	switch {
	case !h.asksUser(&n):
		h.heed()
	case h.Temper.Declines:
		h.result.Unheeded++
		h.note(UserRefused, "session")
	default:
		h.notice.stage = noticeAsked
		h.note(AskedSession, "")
		if !h.Temper.Hesitates {
			h.heed()
		}
	}
}

func (h *Handset) unheeded(reason string) {
	h.result.Unheeded++
	h.note(DroppedPush, reason)
}

// heed makes the handset want the session of its notice.
func (h *Handset) heed() { h.notice.stage, h.ready = noticeWanted, true }

// checkNotification says why the handset throws n away, or where it does not, which nonce its digest is over if that is
// not the one of the account.
func (h *Handset) checkNotification(n *push.Notification) (over, reason string) {
	a := h.account
	switch {
	case a == nil:
		return "", "notification, and no account"
	case n.ServerID != a.serverID:
		return "", fmt.Sprintf("notification of %q, the account is of %q", n.ServerID, a.serverID)
	case n.SessionID == 0:
		return "", "notification of session 0"
	case h.Make.IgnoresDigest:
		if h.notice != nil && h.notice.digest == n.Digest {
			return "", "the digest of the last notification"
		}
		return "", ""
	case n.Verify(&a.serverSecret, a.serverNonce):
		return "", ""
	case n.Verify(&a.serverSecret, a.otherServerNonce()):
		return ", over the other reading of the nonce", ""
	case n.Verify(&a.serverSecret, zeroNonce):
		return ", over the zero nonce", ""
	}
	return "", "notification with a wrong digest"
}

// otherServerNonce is what the server may take for its nonce as well: its text where it is decoded here, or the other
// way round (trap 10).
func (a *account) otherServerNonce() []byte {
	if a.serverNonceAlt != nil {
		return a.serverNonceAlt
	}
	return base64.StdEncoding.AppendEncode(nil, a.serverNonce)
}

// asksUser says whether a user has a say in the session that n asks for. With some makes the profile decides that,
// whatever n says (trap 26).
func (h *Handset) asksUser(n *push.Notification) bool {
	return !h.Make.NoUser && (h.Make.AsksUser || n.UIMode >= push.UIInformative)
}

// Asked says whether a user who hesitates has been asked for a session and has not answered.
func (h *Handset) Asked() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.notice != nil && h.notice.stage == noticeAsked
}

// Agree is a user who has hesitated and now lets the handset open the session that he was asked for. Where he was not
// asked it does nothing.
func (h *Handset) Agree() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.notice != nil && h.notice.stage == noticeAsked {
		h.heed()
	}
}

// noticed says whether the session that is being opened is the one of a notification, and its SessionID.
func (h *Handset) noticed() (id uint16, ok bool) {
	if h.notice == nil || h.notice.stage != noticeWanted {
		return 0, false
	}
	h.notice.stage = noticeServed
	return h.notice.session, true
}
