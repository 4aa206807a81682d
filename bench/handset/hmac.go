package handset

import (
	"dmgate/codec/auth"
	"dmgate/codec/syncml"
)

// underHMAC says whether the session's messages carry macs: in both directions, or in the server's alone.
func (s *session) underHMAC() bool {
	return s.account.scheme == schemeHMAC || s.make.HMAC && len(s.replyHMAC) > 0
}

// seal makes the mac that goes beside the message just written (section 3).
func (s *session) seal() {
	s.hmac = s.hmac[:0]
	if s.account.scheme != schemeHMAC {
		return
	}
	secret := auth.NewSecret([]byte(s.account.user), []byte(s.account.password))
	mac := secret.MAC(s.nonce, s.body)
	s.hmac = auth.AppendHMAC(s.hmac, s.account.user, mac[:])
}

// checkVerdict holds the server's Status for a mac to section 3: 200 for this message, with the nonce of the next one.
func (s *session) checkVerdict(code int, chal *syncml.Meta) {
	if code == statusAuthOK {
		s.blame(RuleHMAC, "212 for a mac, which proves one message (want 200)")
	}
	if len(chal.NextNonce) > 0 && string(chal.Type) != auth.TypeMAC {
		s.blame(RuleHMAC, "the next nonce comes with a challenge of type %q", chal.Type)
	}
}

// verifyMAC checks the mac beside the server's message, which each has to carry once the handset's are accepted, and
// says which Status its SyncHdr gets.
func (s *session) verifyMAC(commands bool) int {
	if s.in.Header.Cred.Present() {
		s.blame(RuleHMAC, "a Cred under HMAC")
	}
	if len(s.replyHMAC) == 0 {
		if s.accepted {
			s.blame(RuleHMAC, "no %s", auth.HeaderHMAC)
		}
		if commands && s.make.ServerAuth != ServerNone {
			return statusNoCred
		}
		return statusOK
	}
	a := s.account
	h, err := auth.ReadHMAC(s.replyHMAC)
	switch {
	case err != nil:
		s.blame(RuleHMAC, "%v", err)
	case !h.IsMD5():
		s.blame(RuleHMAC, "algorithm %q", h.Algorithm)
	case string(h.User) != a.serverID:
		s.blame(RuleHMAC, "username %q (want %q)", h.User, a.serverID)
	case h.Equal(a.serverSecret.Digest(s.serverNonce, s.reply)):
		if !s.serverProved {
			s.serverProved = true
			s.h.tell(ServerVerified, s.id)
		}
		s.issue(true)
		return statusOK
	case a.serverNonceAlt != nil && h.Equal(a.serverSecret.Digest(a.serverNonceAlt, s.reply)):
		// over the other reading of AAUTHDATA: to be asked for again, but nobody's fault (trap 5)
	default:
		s.blame(RuleHMAC, "the mac does not prove %q", a.serverID)
	}
	return statusInvalidCred
}
