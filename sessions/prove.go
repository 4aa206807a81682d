package sessions

import (
	"encoding/base64"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/storage"
)

const (
	nonceSize = 16  // bytes of the nonces we make
	maxDevID  = 128 // bytes of the name that a device gives itself
)

// authenticate proves who the device is and returns the status of its SyncHdr: 212 when it is proved for the session,
// 407 for a missing and 401 for a wrong credential. Once proved, no credential is asked for again (trap 11).
func (s *Session) authenticate(now time.Time, h *syncml.Header, out *Outcome) int {
	if s.proof != Unproved {
		return 200
	}
	if !h.Cred.Present() {
		s.failures++
		return 407
	}
	proof := s.check(&h.Cred)
	if proof == Unproved {
		s.failures++
		return 401
	}
	s.proof, s.nonce = proof, nil
	if s.earlier != nil {
		s.inherit(s.earlier)
		s.earlier = nil
	}
	if proof == ByMD5 {
		s.account.ClientNonce = s.newNonce()
		out.Commit.Account = s.account
	}
	devID := string(h.Source.URI)
	out.Change(s.device, func(d *storage.Device) {
		d.Seen = now
		if devID != "" && len(devID) <= maxDevID {
			d.DevID = devID
		}
	})
	out.Commit.Feed = append(out.Commit.Feed, storage.FeedEntry{
		Kind: "session", Text: "opened by " + proof.String() + " over " + string(h.VerProto),
	})
	return 212
}

// check verifies a credential in constant time.
func (s *Session) check(c *syncml.Cred) Proof {
	a := s.account
	switch string(c.Meta.Type) {
	case auth.TypeBasic:
		var buf [256]byte
		user, password, ok := auth.SplitBasic(buf[:], c.Data)
		if ok && auth.Equal(user, []byte(a.Device)) && auth.Equal(password, []byte(a.Password)) {
			return ByBasic
		}
	case auth.TypeMD5:
		secret := auth.NewSecret([]byte(a.Device), []byte(a.Password))
		nonce := a.ClientNonce
		if len(s.nonce) > 0 {
			nonce = s.nonce
		}
		// Phones differ in whether they decode the nonce: both readings count (traps 5 and 10).
		var text [2 * nonceSize]byte
		decoded, raw := secret.MD5(nonce), secret.MD5(base64.StdEncoding.AppendEncode(text[:0], nonce))
		if digestEqual(c, decoded) || digestEqual(c, raw) {
			return ByMD5
		}
	}
	return Unproved
}

// digestEqual compares c with a digest in base64. A digest of 16 bytes is taken as the raw form of it.
func digestEqual(c *syncml.Cred, want [auth.Size]byte) bool {
	if len(c.Data) != 16 {
		return auth.Equal(c.Data, want[:])
	}
	var text [auth.Size]byte
	base64.StdEncoding.Encode(text[:], c.Data)
	return auth.Equal(text[:], want[:])
}

func (s *Session) newNonce() []byte {
	n := make([]byte, nonceSize)
	s.opt.Random(n)
	return n
}

func nonceChal(m *syncml.Message, chal *syncml.Meta, nonce []byte) {
	chal.Type = m.Text(auth.TypeMD5)
	chal.Format = m.Text("b64")
	chal.NextNonce = m.Base64(nonce)
}

// proveServer puts our credential into the header: our digest under our name over the nonce that is ours.
func (s *Session) proveServer(m *syncml.Message) {
	secret := auth.NewSecret([]byte(s.account.ServerID), []byte(s.account.ServerPassword))
	digest := secret.MD5(s.account.ServerNonce)
	m.Header.Source.Name = m.Text(s.account.ServerID)
	m.Header.Cred.Meta.Type = m.Text(auth.TypeMD5)
	m.Header.Cred.Meta.Format = m.Text("b64")
	m.Header.Cred.Data = m.Text(string(digest[:]))
}

// serverStatus takes the device's verdict on our own credential. It reports whether our last commands were refused with
// it and have to be sent again.
func (s *Session) serverStatus(st *syncml.Command, out *Outcome) (again bool) {
	if nonce := st.Chal.NextNonce; len(nonce) > 0 {
		s.account.ServerNonce = decodeNonce(nonce)
		out.Commit.Account = s.account
	}
	switch st.Code() {
	case 200:
	case 212:
		s.serverOK = true
	case 401, 407:
		s.refusals++
		s.serverOK = false
		return true
	}
	return false
}

// decodeNonce decodes a NextNonce; one that is not base64 counts as it stands.
func decodeNonce(text []byte) []byte {
	n := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	k, err := base64.StdEncoding.Decode(n, text)
	if err != nil {
		return append(n[:0], text...)
	}
	return n[:k]
}

// Stranger answers a message of a device that is not known: challenged like a known one with a wrong credential, so
// that nothing can be learned from the answer. Nothing is kept of it.
func Stranger(opt *Options, req *Request, out *Outcome) {
	in := req.Message
	turn := number(in.Header.MsgID)
	s := Session{opt: opt, device: &storage.Device{}, account: &storage.Account{}, failures: int(turn), sent: turn}
	out.reset("", time.Time{})
	if code := s.headerStatus(&in.Header); code != 0 {
		s.sent = 0
		s.reject(in, out, code)
		return
	}
	code := 401
	if !in.Header.Cred.Present() {
		code = 407
	}
	s.header(in, out, turn)
	s.challenge(in, out, code)
	out.Commit.Reset()
}
