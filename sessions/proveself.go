package sessions

import (
	"encoding/base64"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
)

// proveServer puts our credential into a reply, in the scheme of the account: until the device has taken it for the
// session, or, with HMAC, into each, as a mac beside the message and no Cred in it.
func (s *Session) proveServer(out *Outcome) {
	out.sign = s.signs()
	if out.sign || s.serverOK {
		return
	}
	a, m := s.account, &out.Reply
	h := &m.Header
	h.Source.Name = m.Text(a.ServerID)
	h.Cred.Meta.Format = m.Text("b64")
	if a.ServerScheme == schemeBasic {
		h.Cred.Meta.Type = m.Text(auth.TypeBasic)
		h.Cred.Data = m.Base64(m.Text(a.ServerID, ":", a.ServerPassword))
		return
	}
	secret := auth.NewSecret([]byte(a.ServerID), []byte(a.ServerPassword))
	digest := secret.MD5(a.ServerNonce)
	h.Cred.Meta.Type = m.Text(auth.TypeMD5)
	h.Cred.Data = m.Text(string(digest[:]))
}

// judged takes what a message says of our own credential, and reports whether the device has refused it.
func (s *Session) judged(in *syncml.Message, out *Outcome) (of uint32, refused bool) {
	for i := range in.Commands {
		c := &in.Commands[i]
		if c.Kind == syncml.Status && string(c.CmdRef) == "0" && s.serverStatus(c, out) {
			return number(c.MsgRef), true
		}
	}
	return 0, false
}

// serverStatus takes the device's verdict on our own credential. It reports whether our last commands were refused with
// it and have to be sent again.
func (s *Session) serverStatus(st *syncml.Command, out *Outcome) (again bool) {
	if nonce := st.Chal.NextNonce; len(nonce) > 0 {
		s.account.ServerNonce = appendNonce(s.account.ServerNonce[:0], nonce)
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

// appendNonce appends a NextNonce, decoded; one that is not base64 counts as it stands.
func appendNonce(dst, text []byte) []byte {
	n, err := base64.StdEncoding.AppendDecode(dst, text)
	if err != nil {
		return append(dst, text...)
	}
	return n
}
