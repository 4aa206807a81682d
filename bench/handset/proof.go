package handset

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
)

// maxChallenges is how often a handset tries again in one session.
const maxChallenges = 3

func isChallenge(code int) bool { return code == statusInvalidCred || code == statusNoCred }

// verdict takes in what the server's Status for SyncHdr says of the handset's credential: 212 settles it for the
// session, 200 for one message (section 3).
func (s *session) verdict(code int, chal *syncml.Meta) {
	if code != statusAuthOK && (code != statusOK || !s.credSent) {
		return
	}
	if !s.accepted {
		s.accepted = true
		s.h.tell(Authenticated, s.id)
	}
	if s.account.scheme == schemeHMAC {
		s.checkVerdict(code, chal)
	} else {
		s.authenticated = s.authenticated || code == statusAuthOK
	}
	if s.credSent && (s.account.scheme == schemeMD5 || s.account.scheme == schemeHMAC) {
		s.nextNonce(code, chal)
	}
}

// nextNonce keeps the nonce that comes with an accepted credential: for the next session after 212, for the next
// message after 200.
func (s *session) nextNonce(code int, chal *syncml.Meta) {
	if len(chal.NextNonce) == 0 {
		s.blame(RuleNonce, "status %d for a digest without NextNonce", code)
		s.account.nonce = s.nonce
		return
	}
	if nonce, ok := s.readNonce(chal.NextNonce); ok {
		s.nonce, s.account.nonce = nonce, nonce
	}
}

// readNonce decodes a NextNonce, which must be base64 and not the one that was used last.
func (s *session) readNonce(text []byte) ([]byte, bool) {
	nonce, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		s.blame(RuleNonce, "NextNonce %q is no base64", text)
		return nil, false
	}
	if bytes.Equal(nonce, s.nonce) {
		s.blame(RuleNonce, "NextNonce %q once more", text)
	}
	return nonce, true
}

// challenged begins the session anew with the credential that the server asks for: package 1 again, one MsgID on, with
// the Status for the server's SyncHdr (section 3). The nonce is for this reply; 212 brings the one that is kept.
func (s *session) challenged(code int, chal *syncml.Meta, commands bool) (more bool, err error) {
	switch {
	case s.authenticated:
		s.blame(RuleChallenge, "status %d after 212", code)
		return false, fmt.Errorf("%w: status %d after 212", ErrUnauthorized, code)
	case code == statusInvalidCred && !s.credSent:
		s.blame(RuleChallenge, "401 although there was no credential (want 407)")
	case code == statusNoCred && s.credSent:
		s.blame(RuleChallenge, "407 although there was a credential (want 401)")
	}
	if commands {
		s.blame(RuleChallenge, "commands next to a challenge (trap 12)")
	}
	if s.challenges++; s.challenges > maxChallenges {
		return false, fmt.Errorf("%w: challenged %d times", ErrUnauthorized, s.challenges)
	}
	basicBefore := s.account.scheme == schemeBasic && s.credSent
	switch kind := string(chal.Type); {
	case kind == auth.TypeMD5, kind == auth.TypeMAC && s.make.HMAC:
		nonce, ok := s.readNonce(chal.NextNonce)
		if !ok {
			return false, fmt.Errorf("%w: NextNonce %q", ErrUnauthorized, chal.NextNonce)
		}
		if len(nonce) == 0 {
			s.blame(RuleNonce, "%s challenge without NextNonce", kind)
		}
		s.account.scheme, s.nonce = schemeMD5, nonce
		if kind == auth.TypeMAC {
			s.account.scheme = schemeHMAC
		}
	case kind == auth.TypeBasic:
		if basicBefore {
			return false, fmt.Errorf("%w: basic was tried", ErrUnauthorized)
		}
		s.account.scheme = schemeBasic
	case kind == "":
		s.blame(RuleChallenge, "status %d for SyncHdr without Chal", code)
		return false, fmt.Errorf("%w: no challenge", ErrUnauthorized)
	default:
		s.blame(RuleChallenge, "challenge of type %q", kind)
		return false, fmt.Errorf("%w: challenge of type %q", ErrUnauthorized, kind)
	}
	header := statusOK // it asks for nothing yet, so it need not prove itself
	if !s.underHMAC() || len(s.replyHMAC) > 0 {
		header = s.verifyServer(false)
	}
	s.queue, s.fresh = s.queue[:0], s.fresh[:0]
	s.serverFinal = true
	s.package1()
	s.answerHeader(header)
	return true, nil
}

// verifyServer checks the server's credential and says which Status its SyncHdr gets. A make that demands one does so
// only of a server that asks for something (section 3).
func (s *session) verifyServer(commands bool) int {
	if s.underHMAC() {
		return s.verifyMAC(commands)
	}
	if s.serverProved {
		return statusOK
	}
	cred := &s.in.Header.Cred
	if !cred.Present() {
		if commands && s.make.ServerAuth != ServerNone {
			return statusNoCred
		}
		return statusOK
	}
	switch proof := s.proof(cred); {
	case proof == proofGood:
		s.serverProved = true
		s.h.tell(ServerVerified, s.id)
		if string(cred.Meta.Type) == auth.TypeMD5 {
			s.issue(true)
		}
		return statusAuthOK
	case proof == proofWrong:
		s.blame(RuleCred, "%s credential does not prove %q", cred.Meta.Type, s.account.serverID)
	}
	if commands && s.make.ServerAuth != ServerNone {
		return statusInvalidCred
	}
	return statusOK
}

type proof uint8

const (
	proofWrong proof = iota
	proofAlike       // over the other reading of AAUTHDATA: to be asked for again, but nobody's fault (trap 5)
	proofWeak        // right, but of a kind that the make does not take
	proofGood
)

// proof checks a credential of the server's: its user is the ServerID, its nonce that of the way from server to
// handset.
func (s *session) proof(cred *syncml.Cred) proof {
	a := s.account
	switch string(cred.Meta.Type) {
	case auth.TypeBasic:
		var buf [512]byte
		user, password, ok := auth.SplitBasic(buf[:], cred.Data)
		switch {
		case !ok || string(user) != a.serverID || string(password) != a.serverPassword:
			return proofWrong
		case s.make.ServerAuth == ServerMD5:
			return proofWeak
		}
		return proofGood
	case auth.TypeMD5:
		digest := a.serverSecret.MD5(s.serverNonce)
		if bytes.Equal(digest[:], cred.Data) {
			return proofGood
		}
		if digest = a.serverSecret.MD5(a.serverNonceAlt); a.serverNonceAlt != nil && bytes.Equal(digest[:], cred.Data) {
			return proofAlike
		}
	}
	return proofWrong
}

// challengeServer refuses all of a message for want of a good credential, once a session.
func (s *session) challengeServer(code int) (more bool, err error) {
	if s.serverChallenges++; s.serverChallenges > 1 {
		s.blame(RuleCred, "status %d a second time", code)
		return false, fmt.Errorf("%w: status %d a second time", ErrServerProof, code)
	}
	s.issue(false)
	s.fresh = s.fresh[:0]
	for i := range s.in.Commands {
		c := &s.in.Commands[i]
		if c.Kind != syncml.Status && c.Kind != syncml.Results && !c.NoResp {
			s.fresh = append(s.fresh, s.status(string(c.CmdID), c.Kind.String(), code))
		}
	}
	s.serverFinal = s.in.Final
	s.answerHeader(code)
	return true, nil
}

// issue makes the nonce for the server's next credential: of the next session where keep is true, else of the next
// message. It counts once the server has it.
func (s *session) issue(keep bool) {
	r := rand.New(rand.NewPCG(s.h.Seed, uint64(s.h.sessionID)<<32|uint64(s.msgID)))
	s.issuedKeep = keep
	if s.make.NonceOf5 {
		s.issued = strconv.AppendInt(nil, 10000+r.Int64N(90000), 10)
		return
	}
	s.issued = make([]byte, 16)
	for i := range s.issued {
		s.issued[i] = byte(r.Uint32())
	}
}

// challengeText is the issued nonce as it travels; empty where there is none.
func (s *session) challengeText() string { return base64.StdEncoding.EncodeToString(s.issued) }

// delivered takes note that the server has the last message, and with it the nonce that was issued. A notification that
// comes during the session is checked against it.
func (s *session) delivered() {
	if s.issued == nil {
		return
	}
	s.serverNonce = s.issued
	if s.issuedKeep {
		s.h.mu.Lock()
		s.account.serverNonce, s.account.serverNonceAlt = s.issued, nil
		s.h.mu.Unlock()
	}
	s.issued = nil
}
