package sessions

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/cockroachdb/datadriven"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/storage"
)

// What the scripts say of credentials: see script_test.go for their language.

// credential puts a Cred into a message.
func (c *conversation) credential(m *syncml.Message, cred string) {
	h := &m.Header
	switch cred {
	case "":
		return
	case "basic":
		h.Cred.Meta.Type = []byte(auth.TypeBasic)
		h.Cred.Data = auth.AppendBasic(nil, []byte(testUser), []byte(testPassword))
		return
	case "basic:wrong":
		h.Cred.Meta.Type = []byte(auth.TypeBasic)
		h.Cred.Data = auth.AppendBasic(nil, []byte(testUser), []byte("guess"))
		return
	case "md5":
		cred = "held"
	}
	secret := auth.NewSecret([]byte(testUser), []byte(testPassword))
	digest := secret.MD5(c.nonceOf(cred))
	h.Source.Name = []byte(testUser)
	h.Cred.Meta.Type = []byte(auth.TypeMD5)
	h.Cred.Data = append([]byte(nil), digest[:]...)
}

// beside makes what goes with the last message and is not in it: its mac, and the connection's certificate.
func (c *conversation) beside(d *datadriven.TestData) {
	form, user, algorithm, device := "", testUser, "MD5", ""
	d.MaybeScanArgs(c.t, "hmac", &form)
	d.MaybeScanArgs(c.t, "user", &user)
	d.MaybeScanArgs(c.t, "alg", &algorithm)
	d.MaybeScanArgs(c.t, "transport", &device)
	c.hmac, c.tls = auth.HMAC{}, storage.DeviceID(device)
	if form == "" {
		return
	}
	form, inHex := strings.CutPrefix(form, "hex:")
	secret := auth.NewSecret([]byte(testUser), []byte(testPassword))
	sum := secret.Digest(c.nonceOf(form), c.last)
	mac := base64.StdEncoding.EncodeToString(sum[:])
	if inHex {
		mac = base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(sum[:])))
	}
	var err error
	c.hmac, err = auth.ReadHMAC(fmt.Appendf(nil, "algorithm=%s, username=%q, mac=%s", algorithm, user, mac))
	if err != nil {
		c.t.Fatal(err)
	}
}

// nonceOf is the nonce that a digest of the device is over.
func (c *conversation) nonceOf(form string) []byte {
	kind, n, numbered := strings.Cut(form, "#")
	k, _ := strconv.ParseUint(n, 10, 64)
	switch {
	case form == "held":
		return c.held
	case form == "wrong":
		return []byte("no nonce of ours")
	case form == "zero":
		return []byte{0, 0, 0, 0}
	case form == "zero:text":
		return []byte("AAAAAA==")
	case form == "zero:ldm":
		return []byte("0x00000000")
	case numbered && kind == "raw:":
		return []byte(base64.StdEncoding.EncodeToString(nonce(k)))
	case numbered && kind == "":
		return nonce(k)
	}
	c.t.Fatalf("no such nonce: %s", form)
	return nil
}

// serverProof lists what a reply proves us with.
func (c *conversation) serverProof(m *syncml.Message, reply []byte) string {
	secret := auth.NewSecret([]byte("gw"), []byte("secret"))
	text := ""
	if cred := &m.Header.Cred; string(cred.Meta.Type) == auth.TypeBasic {
		var buf [64]byte
		user, password, ok := auth.SplitBasic(buf[:], cred.Data)
		text += fmt.Sprintf("Cred of %s: basic, right %v\n", user, ok && string(password) == "secret")
	} else if cred.Present() {
		for n := range c.nonces + 100 {
			if d := secret.MD5(nonce(n)); string(d[:]) == string(cred.Data) {
				text += fmt.Sprintf("Cred of %s over #%d\n", m.Header.Source.Name, n)
			}
		}
	}
	if len(c.out.HMAC) == 0 {
		return text
	}
	h, err := auth.ReadHMAC(c.out.HMAC)
	if err != nil {
		c.t.Fatal(err)
	}
	for n := range c.nonces + 100 {
		if h.Equal(secret.Digest(nonce(n), reply)) {
			text += fmt.Sprintf("x-syncml-hmac of %s over #%d\n", h.User, n)
		}
	}
	return text
}

// keepAccount lists what is new in an account.
func (c *conversation) keepAccount(a *storage.Account) (text string) {
	was := c.shown
	c.shown = account(a)
	if !bytes.Equal(was.ClientNonce, a.ClientNonce) || !bytes.Equal(was.ServerNonce, a.ServerNonce) {
		text += fmt.Sprintf("keep nonces client=%s server=%s\n", nonceName(a.ClientNonce), nonceName(a.ServerNonce))
	}
	if was.Failures != a.Failures {
		text += fmt.Sprintf("keep failures=%d\n", a.Failures)
	}
	if !was.LockedUntil.Equal(a.LockedUntil) && !a.LockedUntil.IsZero() {
		text += fmt.Sprintf("keep locked for %v\n", a.LockedUntil.Sub(c.now))
	}
	if !was.ZeroNonceUntil.Equal(a.ZeroNonceUntil) {
		text += "keep the end of the resynchronisation\n"
	}
	return text
}

// account is a copy of a.
func account(a *storage.Account) storage.Account {
	b := *a
	b.ClientNonce, b.ServerNonce = clone(b.ClientNonce), clone(b.ServerNonce)
	return b
}
