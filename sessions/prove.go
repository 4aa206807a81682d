package sessions

import (
	"encoding/base64"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/storage"
)

// Proof is how a device has proved who it is in this session. The order is that of their strength.
type Proof uint8

// Proofs.
const (
	Unproved Proof = iota
	ByBasic
	ByMD5
	ByHMAC      // each message anew
	ByTransport // mutual TLS: each message has to come over such a connection
)

func (p Proof) String() string {
	return [...]string{"unproved", "basic", "md5", "hmac", "transport"}[p]
}

// Schemes, as storage.Account has them.
const (
	schemeBasic = "basic"
	schemeMD5   = "md5"
	schemeHMAC  = "hmac"
)

const (
	nonceSize = 16  // bytes of the nonces we make
	maxDevID  = 128 // bytes of the name that a device gives itself
)

// authenticate proves who the device is and returns the status of its SyncHdr (section 3). 212: proved for the session,
// and no credential is asked for again (trap 11). 200: nothing to prove any more, or proved for this message alone, as
// HMAC has it. 407 for a missing and 401 for a wrong credential, or one of a weaker kind than the account demands.
func (s *Session) authenticate(now time.Time, req *Request, out *Outcome) int {
	switch {
	case s.proof == ByHMAC:
		s.rotate(out)
		return 200
	case s.proof != Unproved:
		return 200
	}
	proof, read := s.check(now, req)
	switch {
	case proof >= s.least():
	case !req.Message.Header.Cred.Present() && !req.HMAC.Present():
		s.failures++
		return 407
	default:
		s.refused(now, out)
		return 401
	}
	s.opened(now, req, proof, read, out)
	if proof == ByHMAC {
		return 200
	}
	return 212
}

// opened takes note that the device has proved itself. All that an account keeps of bad times ends with it.
func (s *Session) opened(now time.Time, req *Request, proof Proof, read reading, out *Outcome) {
	h := &req.Message.Header
	s.proof, s.nonce = proof, nil
	if s.earlier != nil {
		s.inherit(s.earlier)
		s.earlier = nil
	}
	a := s.account
	if a.Failures > 0 || !a.ZeroNonceUntil.IsZero() {
		a.Failures, a.LockedUntil, a.ZeroNonceUntil = 0, time.Time{}, time.Time{}
		out.Commit.Account = a
	}
	if proof == ByMD5 || proof == ByHMAC {
		s.rotate(out)
	}
	devID := string(h.Source.URI)
	out.Change(s.device, func(d *storage.Device) {
		d.Seen = now
		if devID != "" && len(devID) <= maxDevID {
			d.DevID = devID
		}
	})
	out.Commit.Feed = append(out.Commit.Feed, storage.FeedEntry{
		Kind: "session", Text: "opened by " + proof.String() + " over " + string(h.VerProto) + read.String(),
	})
}

// least is the weakest proof that the account is content with.
func (s *Session) least() Proof {
	switch s.scheme() {
	case "", schemeBasic:
		return ByBasic
	case schemeMD5:
		return ByMD5
	}
	return ByHMAC
}

// scheme is the one that the device has to use at least.
func (s *Session) scheme() string {
	if s.account.Scheme != "" {
		return s.account.Scheme
	}
	return s.opt.Scheme
}

// check verifies what proof a message brings, in constant time. A certificate counts where there is nothing else: who
// says something wrong besides is not believed.
func (s *Session) check(now time.Time, req *Request) (Proof, reading) {
	c := &req.Message.Header.Cred
	switch {
	case req.HMAC.Present():
		if read := s.checkHMAC(now, req); read != noReading {
			return ByHMAC, read
		}
	case string(c.Meta.Type) == auth.TypeBasic:
		var buf [256]byte
		user, password, ok := auth.SplitBasic(buf[:], c.Data)
		if ok && auth.Equal(user, []byte(s.account.Device)) && auth.Equal(password, []byte(s.account.Password)) {
			return ByBasic, asDecoded
		}
	case string(c.Meta.Type) == auth.TypeMD5:
		d := claim{secret: auth.NewSecret([]byte(s.account.Device), []byte(s.account.Password)), cred: c}
		if read := s.read(now, &d); read != noReading {
			return ByMD5, read
		}
	case !c.Present() && s.transported(req):
		return ByTransport, asDecoded
	}
	return Unproved, noReading
}

// transported says whether mutual TLS has proved that a message is the device's.
func (s *Session) transported(req *Request) bool {
	return req.Transport != "" && req.Transport == s.device.ID
}

// claim is a digest that a device has made with its secret over a nonce: in its Cred or, where that is nil, in its
// x-syncml-hmac.
type claim struct {
	secret auth.Secret
	cred   *syncml.Cred
	req    *Request
}

func (c *claim) isOver(nonce []byte) bool {
	if c.cred != nil {
		return digestEqual(c.cred, c.secret.MD5(nonce))
	}
	return c.req.HMAC.Equal(c.secret.Digest(nonce, c.req.Body))
}

// reading is what a device has taken for the nonce.
type reading uint8

const (
	noReading reading = iota
	asDecoded
	asText // the base64 text that stands for it (traps 5 and 10)
	asZero // the reserved nonce, in a resynchronisation
)

// String is what the feed says of it: nothing where the device keeps to the standard.
func (r reading) String() string {
	return [...]string{"", "", ", taking the nonce's text for the nonce", ", with the zero nonce"}[r]
}

// zeroNonces are the reserved nonce of four zero bytes, and what phones make of it (section 3).
var zeroNonces = [...]string{"\x00\x00\x00\x00", "AAAAAA==", "0x00000000"}

// read finds what the device has taken for the nonce. Phones differ in whether they decode it: both readings count.
//
// Everybody knows the zero nonce, so that a digest over it is worth as much as a password to whoever has recorded it:
// it would open a session each time it is played again. It counts only between a notification that was made with it and
// the next session that is proved, or the deadline, and not once there is a challenge with a nonce of its own.
func (s *Session) read(now time.Time, c *claim) reading {
	nonce := s.account.ClientNonce
	if len(s.nonce) > 0 {
		nonce = s.nonce
	}
	var text [2 * nonceSize]byte
	switch {
	case c.isOver(nonce):
		return asDecoded
	case c.isOver(base64.StdEncoding.AppendEncode(text[:0], nonce)):
		return asText
	case s.proof != Unproved || len(s.nonce) > 0 || !now.Before(s.account.ZeroNonceUntil):
		return noReading
	}
	for _, zero := range zeroNonces {
		if c.isOver([]byte(zero)) {
			return asZero
		}
	}
	return noReading
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

// rotate makes the nonce of the device's next digest, which this reply tells it.
func (s *Session) rotate(out *Outcome) {
	s.account.ClientNonce = s.fillNonce(s.account.ClientNonce)
	out.Commit.Account = s.account
}

// fillNonce makes a nonce in b's memory, where that is enough.
func (s *Session) fillNonce(b []byte) []byte {
	if cap(b) < nonceSize {
		b = make([]byte, nonceSize)
	}
	b = b[:nonceSize]
	s.opt.Random(b)
	return b
}

// challengeWith fills a Chal: the kind of credential that the account demands and the nonce that goes with it. Where
// the account does not say, that is MD5, or what the device has tried, if that was HMAC.
func (s *Session) challengeWith(req *Request, m *syncml.Message, chal *syncml.Meta) {
	chal.Format = m.Text("b64")
	scheme := s.scheme()
	switch {
	case scheme == schemeBasic:
		chal.Type = m.Text(auth.TypeBasic)
		return
	case scheme == schemeHMAC, scheme == "" && req.HMAC.Present():
		chal.Type = m.Text(auth.TypeMAC)
	default:
		chal.Type = m.Text(auth.TypeMD5)
	}
	chal.NextNonce = m.Base64(s.nonce)
}

// tellNext fills the Chal that goes with a good credential: the nonce of the next one, of the kind the device has used.
func (s *Session) tellNext(m *syncml.Message, chal *syncml.Meta) {
	chal.Type = m.Text(auth.TypeMD5)
	if s.proof == ByHMAC {
		chal.Type = m.Text(auth.TypeMAC)
	}
	chal.Format, chal.NextNonce = m.Text("b64"), m.Base64(s.account.ClientNonce)
}
