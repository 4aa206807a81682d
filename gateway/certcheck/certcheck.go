// Package certcheck looks at the certificates that a gateway's devices have to trust: at the chain that the server
// under the device address gives, and at root certificates. It finds what devices in the field are known to reject,
// which today's software takes without a word. Each finding says what to do about it.
//
// Sources: traps 6, 28 and 29 of the fact sheet; section 6.5.
package certcheck

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// Warning is something that devices are known to reject, or that will stop working.
type Warning struct {
	Code   string `json:"code"`            // "name", "san", "expired", "key", ...: stable, for programs
	Of     string `json:"of,omitempty"`    // the certificate it is about, by its subject; empty for the whole
	Text   string `json:"text"`            // what was found
	Remedy string `json:"remedy"`          // what to do
	Fatal  bool   `json:"fatal,omitempty"` // no device can work with it
}

// String is the warning in one line.
func (w Warning) String() string {
	if w.Of == "" {
		return w.Text + ". " + w.Remedy
	}
	return w.Of + ": " + w.Text + ". " + w.Remedy
}

// maxRead bounds how many certificates are read from a file.
const maxRead = 32

// Read reads certificates from PEM, in which blocks of other kinds are passed over, or from the DER of one.
func Read(text []byte) ([]*x509.Certificate, error) {
	if !bytes.Contains(text, []byte("-----BEGIN ")) {
		c, err := x509.ParseCertificate(text)
		if err != nil {
			return nil, fmt.Errorf("neither PEM nor the DER of one certificate: %w", err)
		}
		return []*x509.Certificate{c}, nil
	}
	var list []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(list)+1, err)
		}
		if list = append(list, c); len(list) > maxRead {
			return nil, fmt.Errorf("more than %d certificates", maxRead)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("PEM without a CERTIFICATE block")
	}
	return list, nil
}

// SelfSigned says whether c is the end of a chain: named as its own issuer, and signed by its own key. Its signature is
// not asked where that is of a kind that is not computed any more, as MD5 or SHA-1.
func SelfSigned(c *x509.Certificate) bool {
	if !bytes.Equal(c.RawSubject, c.RawIssuer) {
		return false
	}
	err := c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	return err == nil || unknownAlgorithm(err)
}

// unknownAlgorithm says whether a signature was not checked, for it is of a kind that is not computed.
func unknownAlgorithm(err error) bool {
	return errors.As(err, new(x509.InsecureAlgorithmError)) || errors.Is(err, x509.ErrUnsupportedAlgorithm)
}

// subject names a certificate: its common name, or all of its name.
func subject(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return c.Subject.String()
}
