package certcheck

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"time"
)

// MaxRoot is how large the DER of a root certificate may be, in bytes.
const MaxRoot = 16 << 10

// Root looks at a certificate that devices are to be given as a root.
func Root(c *x509.Certificate, now time.Time) []Warning {
	var list []Warning
	add := func(fatal bool, code, remedy, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		list = append(list, Warning{Code: code, Of: subject(c), Text: text, Remedy: remedy, Fatal: fatal})
	}
	switch {
	case c.BasicConstraintsValid && !c.IsCA:
		add(true, "no-ca", "Take the certificate of the authority that has issued it, not the server's own.",
			"it is not the certificate of an authority (CA:FALSE)")
	case !c.BasicConstraintsValid && c.Version >= 3:
		add(true, "no-ca", "Take a certificate with basicConstraints CA:TRUE.",
			"it does not say that it is the certificate of an authority (no basicConstraints)")
	case !c.BasicConstraintsValid:
		add(false, "version", "Newer devices refuse it: give them a root of version 3.",
			"it is of version %d, which can not say that it is of an authority", c.Version)
	}
	if !SelfSigned(c) {
		add(false, "not-self-signed", "Take the root at the end of the chain: most devices store only those as a root.",
			"it is not self-signed: %s has issued it", c.Issuer.CommonName)
	}
	switch {
	case now.After(c.NotAfter):
		add(true, "expired", "Renew it.", "it has expired on %s", day(c.NotAfter))
	case now.AddDate(1, 0, 0).After(c.NotAfter):
		add(false, "expires-soon", "Give devices its successor in time: the ones that have only this root are lost with it.",
			"it expires on %s", day(c.NotAfter))
	}
	if now.Before(c.NotBefore) {
		add(false, "not-yet", "Wait, or issue one that is valid already; devices whose clock is behind refuse it for longer.",
			"it is not valid before %s", day(c.NotBefore))
	}
	if len(c.Raw) > MaxRoot {
		add(true, "size", "Issue one with a smaller key and fewer extensions.", "it has %d bytes, at most %d are taken",
			len(c.Raw), MaxRoot)
	}
	if w, bad := key(c); bad {
		list = append(list, w)
	}
	if c.IsCA && c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0 {
		add(true, "key-usage", "Issue one with keyUsage keyCertSign.", "its key may not sign certificates (keyUsage)")
	}
	return list
}

// key looks at the kind and the size of a key.
func key(c *x509.Certificate) (Warning, bool) {
	w := Warning{Code: "key", Of: subject(c)}
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		switch bits := k.N.BitLen(); {
		case bits < 2048:
			w.Text = fmt.Sprintf("its RSA key has %d bits, and newer devices refuse less than 2048", bits)
			w.Remedy = "Take a key of 2048 bits."
		case bits > 4096:
			w.Text = fmt.Sprintf("its RSA key has %d bits, and many devices compute with 4096 at most", bits)
			w.Remedy = "Take a key of 2048 bits."
		default:
			return w, false
		}
	case *ecdsa.PublicKey:
		w.Text = fmt.Sprintf("its key is ECDSA (%s), which devices from before about 2012 do not know", k.Curve.Params().Name)
		w.Remedy = "Take an RSA key of 2048 bits where such devices are served."
	default:
		w.Text = fmt.Sprintf("its key is %s, which few devices know", c.PublicKeyAlgorithm)
		w.Remedy = "Take an RSA key of 2048 bits."
	}
	return w, true
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }
