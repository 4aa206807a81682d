package sessions

import (
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
)

// checkHMAC verifies the mac of a message, which covers its body to the byte, and finds what the device has taken for
// the nonce. A header without a user name is that of the device which the message names otherwise.
func (s *Session) checkHMAC(now time.Time, req *Request) reading {
	h := &req.HMAC
	if !h.IsMD5() || len(h.User) > 0 && !auth.Equal(h.User, []byte(s.account.Device)) {
		return noReading
	}
	c := claim{secret: auth.NewSecret([]byte(s.account.Device), []byte(s.account.Password)), req: req}
	return s.read(now, &c)
}

// speaks says whether a message in a proved session is the device's, where that has to be shown again: 0, or the status
// it is refused with. With HMAC each message carries its mac, with TLS each comes over a connection of the device's.
func (s *Session) speaks(now time.Time, req *Request) int {
	switch s.proof {
	case ByTransport:
		if !s.transported(req) {
			return 407
		}
	case ByHMAC:
		switch {
		case !req.HMAC.Present():
			return 407
		case s.checkHMAC(now, req) == noReading:
			return 401
		}
	}
	return 0
}

// silence refuses a message that somebody has sent into a proved session and that is not shown to be the device's.
// Nothing changes by it, neither the turn nor a nonce nor a count: the device has its session whatever strangers send.
// Where it was the device after all, it finds the nonce that counts in the challenge, and says it again under its next
// MsgID. The reply has no mac of ours, which nobody gets who has not shown one.
func (s *Session) silence(in *syncml.Message, out *Outcome, code int) {
	s.header(in, out, s.nextSent(&in.Header))
	st := s.headerStatusFor(in, out, code)
	if s.proof == ByHMAC {
		s.tellNext(&out.Reply, &st.Chal)
	}
	s.statusForAll(in, out, code)
}

// inTurn says whether a message with this MsgID may come next. Where each message is proved, the device may have used
// some up on messages that were refused and not counted: it is no stranger who skips them.
func (s *Session) inTurn(id uint32) bool {
	each := s.proof == ByHMAC || s.proof == ByTransport
	return s.received == 0 || id == s.received+1 || each && id > s.received
}

// nextSent is the MsgID of the reply to a message in its turn: each message has one reply.
func (s *Session) nextSent(h *syncml.Header) uint32 {
	if s.received == 0 {
		return s.sent + 1
	}
	return s.sent + number(h.MsgID) - s.received
}

// signs says whether our replies carry a mac: where the account says so, or where it says nothing and the device's
// messages do. HMAC is meant for both directions (section 3).
func (s *Session) signs() bool {
	return s.account.ServerScheme == schemeHMAC || s.account.ServerScheme == "" && s.proof == ByHMAC
}

// sign makes the mac over a reply as it leaves. The checkpoint keeps it: a reply sent again has the header that it had.
func (s *Session) sign(out *Outcome, reply []byte) {
	s.mac = s.mac[:0]
	if out.sign {
		secret := auth.NewSecret([]byte(s.account.ServerID), []byte(s.account.ServerPassword))
		mac := secret.MAC(s.account.ServerNonce, reply)
		s.mac = append(s.mac, mac[:]...)
	}
	s.tellMAC(out)
}

// tellMAC fills out.HMAC with what goes beside s.reply.
func (s *Session) tellMAC(out *Outcome) {
	out.HMAC = out.HMAC[:0]
	if len(s.mac) > 0 {
		out.HMAC = auth.AppendHMAC(out.HMAC, s.account.ServerID, s.mac)
	}
}
