package auth

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"

	"dmgate/codec"
)

// HeaderHMAC is the HTTP header in which syncml:auth-MAC travels, in both directions.
const HeaderHMAC = "x-syncml-hmac"

// Lengths of a mac as text: 16 bytes in base64, and the 32 digits of their hexadecimal form in base64, as the
// standard's own example has it (trap 32).
const (
	macSize    = Size
	macHexSize = 44
)

// HMAC is the value of an x-syncml-hmac header: algorithm=MD5, username="Bruce2", mac=urdCeS3JUmjFgi8SX3webw==
type HMAC struct {
	Algorithm []byte // empty stands for MD5, the only one that is known
	User      []byte // empty where the header names none
	Sum       [md5.Size]byte
	given     bool
}

// Present says whether there was a header at all.
func (h *HMAC) Present() bool { return h.given }

// IsMD5 says whether the mac is made with the one algorithm that is known.
func (h *HMAC) IsMD5() bool {
	return len(h.Algorithm) == 0 || bytes.EqualFold(h.Algorithm, []byte("MD5"))
}

// Equal compares the mac with a digest in constant time.
func (h *HMAC) Equal(digest [md5.Size]byte) bool { return Equal(h.Sum[:], digest[:]) }

// ReadHMAC reads the value of a header. Names are taken in any case and order, values with or without quotes, and names
// that are not known are passed over. User and Algorithm are views into value.
func ReadHMAC(value []byte) (HMAC, error) {
	var h HMAC
	for at := 0; at < len(value); {
		p, next, err := readParameter(value, at)
		if err != nil {
			return HMAC{}, err
		}
		if err := h.set(&p); err != nil {
			return HMAC{}, err
		}
		at = next
	}
	if !h.given {
		return HMAC{}, codec.Errorf(HeaderHMAC, len(value), "no mac")
	}
	return h, nil
}

// set takes one parameter over. The mac may stand in either of its lengths.
func (h *HMAC) set(p *parameter) error {
	switch {
	case bytes.EqualFold(p.name, []byte("algorithm")):
		return once(p, &h.Algorithm)
	case bytes.EqualFold(p.name, []byte("username")):
		return once(p, &h.User)
	case !bytes.EqualFold(p.name, []byte("mac")):
		return nil
	case h.given:
		return codec.Errorf(HeaderHMAC, p.at, "second mac")
	case len(p.value) != macSize && len(p.value) != macHexSize:
		return codec.Errorf(HeaderHMAC, p.at, "mac of %d characters (want %d or %d)", len(p.value), macSize, macHexSize)
	}
	var text [macHexSize]byte
	n, err := base64.StdEncoding.Decode(text[:], p.value)
	switch {
	case err != nil:
		return codec.Errorf(HeaderHMAC, p.at, "mac is no base64")
	case n == len(h.Sum):
		copy(h.Sum[:], text[:n])
	default:
		if n == hex.EncodedLen(len(h.Sum)) {
			_, err = hex.Decode(h.Sum[:], text[:n])
		}
		if n != hex.EncodedLen(len(h.Sum)) || err != nil {
			return codec.Errorf(HeaderHMAC, p.at, "mac is neither 16 bytes nor 32 hexadecimal digits")
		}
	}
	h.given = true
	return nil
}

func once(p *parameter, field *[]byte) error {
	if *field != nil {
		return codec.Errorf(HeaderHMAC, p.at, "second %s", p.name)
	}
	*field = p.value
	return nil
}

// parameter is a name with its value. at is where it stands.
type parameter struct {
	at          int
	name, value []byte
}

// readParameter reads the parameter at offset at and says where the next one begins. Between them stands a comma.
func readParameter(b []byte, at int) (p parameter, next int, err error) {
	at = skipSpace(b, at)
	p.at = at
	size := bytes.IndexAny(b[at:], "=,")
	if size < 0 {
		size = len(b) - at
	}
	p.name = bytes.TrimRight(b[at:at+size], space)
	if at += size; at == len(b) || b[at] == ',' {
		if len(p.name) > 0 {
			return p, 0, codec.Errorf(HeaderHMAC, p.at, "%.20q without a value", p.name)
		}
		return p, at + 1, nil // nothing between two commas
	}
	at = skipSpace(b, at+1)
	if at < len(b) && b[at] == '"' {
		end := bytes.IndexByte(b[at+1:], '"')
		if end < 0 {
			return p, 0, codec.Errorf(HeaderHMAC, at, "quotes that do not end")
		}
		p.value = b[at+1 : at+1+end]
		at = skipSpace(b, at+1+end+1)
		if at < len(b) && b[at] != ',' {
			return p, 0, codec.Errorf(HeaderHMAC, at, "%q behind quotes (want a comma)", b[at])
		}
		return p, at + 1, nil
	}
	size = bytes.IndexByte(b[at:], ',')
	if size < 0 {
		size = len(b) - at
	}
	p.value = bytes.TrimRight(b[at:at+size], space)
	return p, at + size + 1, nil
}

const space = " \t"

func skipSpace(b []byte, at int) int {
	for at < len(b) && (b[at] == ' ' || b[at] == '\t') {
		at++
	}
	return at
}

// AppendHMAC appends the value of a header: user, which holds no quotes, and the mac over a body.
func AppendHMAC(dst []byte, user string, mac []byte) []byte {
	dst = append(append(dst, `algorithm=MD5, username="`...), user...)
	return append(append(dst, `", mac=`...), mac...)
}
