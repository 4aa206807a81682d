// Package auth makes the digests that OMA DM proves identity with: basic, MD5, HMAC and the digest of a notification.
// The device's proof to the server and the server's proof to the device use the same formulas with secrets and nonces
// of their own.
//
// Source: OMA-TS-DM-Security 1.2; section 3 of the fact sheet. MD5 is what the standard and every phone in the field
// ask for; transport security is TLS's part.
package auth

import (
	"bytes"
	"crypto/md5"
	"crypto/subtle"
	"encoding/base64"
)

// Types of credential as Meta/Type names them.
const (
	TypeBasic = "syncml:auth-basic"
	TypeMD5   = "syncml:auth-md5"
	TypeMAC   = "syncml:auth-MAC"
)

// Size is the length of a digest in base64.
const Size = 24

// Secret is B64(MD5(user ":" password)): what a server may keep in place of the password.
type Secret [Size]byte

// NewSecret hashes a user name and a password.
func NewSecret(user, password []byte) Secret {
	var s Secret
	encode(s[:], user, password)
	return s
}

// MD5 is the syncml:auth-md5 digest, B64(MD5(secret ":" nonce)). nonce is the decoded octets.
func (s *Secret) MD5(nonce []byte) [Size]byte {
	var d [Size]byte
	encode(d[:], s[:], nonce)
	return d
}

// MAC is the digest over a body: B64(MD5(secret ":" nonce ":" B64(MD5(body)))). It is the mac of syncml:auth-MAC.
func (s *Secret) MAC(nonce, body []byte) [Size]byte {
	sum := s.Digest(nonce, body)
	var d [Size]byte
	base64.StdEncoding.Encode(d[:], sum[:])
	return d
}

// Digest is MAC before base64, as the head of a notification holds it.
func (s *Secret) Digest(nonce, body []byte) [md5.Size]byte {
	inner := md5.Sum(body)
	var tail [Size]byte
	base64.StdEncoding.Encode(tail[:], inner[:])
	return sum(s[:], nonce, tail[:])
}

// AppendBasic appends the syncml:auth-basic data, B64(user ":" password).
func AppendBasic(dst, user, password []byte) []byte {
	var plain [256]byte
	p := append(append(append(plain[:0], user...), ':'), password...)
	return base64.StdEncoding.AppendEncode(dst, p)
}

// SplitBasic decodes syncml:auth-basic data into dst and splits it at the first colon. ok is false where data is not
// base64, has no colon or is longer than dst.
func SplitBasic(dst, data []byte) (user, password []byte, ok bool) {
	if base64.StdEncoding.DecodedLen(len(data)) > len(dst) {
		return nil, nil, false
	}
	n, err := base64.StdEncoding.Decode(dst, data)
	if err != nil {
		return nil, nil, false
	}
	return bytes.Cut(dst[:n], []byte{':'})
}

// Equal compares in constant time.
func Equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

func encode(dst []byte, parts ...[]byte) {
	d := sum(parts...)
	base64.StdEncoding.Encode(dst, d[:])
}

// sum is MD5 over parts joined by colons.
func sum(parts ...[]byte) [md5.Size]byte {
	var buf [512]byte
	b := buf[:0]
	for i, p := range parts {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, p...)
	}
	return md5.Sum(b)
}
