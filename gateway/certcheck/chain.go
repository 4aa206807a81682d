package certcheck

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Limits of what is taken for sound.
const (
	renewWithin = 30 * 24 * time.Hour  // a server's certificate that ends sooner is warned of
	maxValidity = 825 * 24 * time.Hour // iOS refuses a server's certificate that is valid for longer
	maxLength   = 3                    // certificates, the root aside
	maxBytes    = 6 << 10              // of all of them: what small TLS stacks have room for
)

// checker gathers what is found.
type checker struct {
	now  time.Time
	host string
	root *x509.Certificate // the one that devices are given; nil where they are given none
	list []Warning
}

func (k *checker) add(of *x509.Certificate, code, text, remedy string) *Warning {
	w := Warning{Code: code, Text: text, Remedy: remedy}
	if of != nil {
		w.Of = subject(of)
	}
	k.list = append(k.list, w)
	return &k.list[len(k.list)-1]
}

func (k *checker) fatal(of *x509.Certificate, code, text, remedy string) {
	k.add(of, code, text, remedy).Fatal = true
}

// Check looks at what is served under an https address. root is the certificate that devices are given; nil for none.
func Check(address string, s *Served, root *x509.Certificate, now time.Time) []Warning {
	k := &checker{now: now, root: root}
	k.address(address)
	leaf := s.Chain[0]
	k.name(leaf)
	k.leaf(leaf)
	for _, c := range s.Chain {
		k.dates(c, c == leaf)
		if w, bad := key(c); bad {
			k.list = append(k.list, w)
		}
		k.signature(c)
	}
	k.chain(s.Chain)
	if s.Connected {
		k.connection(s)
	}
	return k.list
}

// address looks at the URL that devices are told.
func (k *checker) address(address string) {
	u, err := url.Parse(address)
	if err != nil {
		return
	}
	k.host = u.Hostname()
	if u.Port() == "" {
		u.Host += ":443"
		k.add(nil, "port", "the address names no port, and S60 takes 80 then, for https too (trap 6)",
			"Write device.address as "+u.String()+".")
	}
	if net.ParseIP(k.host) != nil {
		k.add(nil, "ip", "the host of the address is an IP address, for which many devices take no certificate",
			"Give the server a name and write that into device.address.")
	}
}

// name looks whether a certificate is that of the host, for old devices and for new ones.
func (k *checker) name(leaf *x509.Certificate) {
	cn := leaf.Subject.CommonName
	matches := leaf.VerifyHostname(k.host) == nil
	hasSAN := len(leaf.DNSNames)+len(leaf.IPAddresses) > 0
	switch {
	case !hasSAN && !strings.EqualFold(cn, k.host):
		k.fatal(leaf, "name", fmt.Sprintf("it is for %q, and the address says %s", cn, k.host),
			"Issue one whose common name and subjectAltName are "+k.host+".")
	case !hasSAN:
		k.add(leaf, "san", "it has no subjectAltName, and devices since about 2017 look at nothing else",
			"Issue one with subjectAltName DNS:"+k.host+", and keep the common name.")
	case !matches && !strings.EqualFold(cn, k.host):
		k.fatal(leaf, "name", fmt.Sprintf("it is for %s, and the address says %s", strings.Join(names(leaf), ", "), k.host),
			"Issue one whose common name and subjectAltName are "+k.host+".")
	case !matches:
		k.add(leaf, "san", "its subjectAltName does not have "+k.host+", and devices since about 2017 look at nothing else",
			"Issue one with "+k.host+" in its subjectAltName.")
	case wildcard(leaf, k.host):
		k.add(leaf, "wildcard", "it is for a wildcard, which many devices from before about 2012 do not take",
			"Issue one for "+k.host+" itself.")
	case !strings.EqualFold(cn, k.host):
		k.add(leaf, "common-name", fmt.Sprintf("its common name is %q, and old firmware compares that with %s and looks at "+
			"nothing else (trap 29)", cn, k.host), "Issue one with the common name "+k.host+".")
	}
}

// names are the hosts that a certificate names.
func names(c *x509.Certificate) []string {
	list := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		list = append(list, ip.String())
	}
	return list
}

// wildcard says whether a certificate names host by a wildcard and not by itself.
func wildcard(c *x509.Certificate, host string) bool {
	for _, name := range c.DNSNames {
		if strings.EqualFold(name, host) {
			return false
		}
	}
	return net.ParseIP(host) == nil
}

// leaf looks at what a server's own certificate is for.
func (k *checker) leaf(c *x509.Certificate) {
	if len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 {
		return
	}
	for _, usage := range c.ExtKeyUsage {
		if usage == x509.ExtKeyUsageServerAuth || usage == x509.ExtKeyUsageAny {
			return
		}
	}
	k.fatal(c, "usage", "it is not for servers (extendedKeyUsage)", "Issue one with serverAuth.")
}

func (k *checker) dates(c *x509.Certificate, leaf bool) {
	switch {
	case k.now.After(c.NotAfter):
		k.fatal(c, "expired", "it has expired on "+day(c.NotAfter), "Renew it.")
	case leaf && k.now.Add(renewWithin).After(c.NotAfter):
		k.add(c, "expires-soon", "it expires on "+day(c.NotAfter), "Renew it before.")
	}
	if k.now.Before(c.NotBefore) {
		k.fatal(c, "not-yet", "it is not valid before "+day(c.NotBefore), "Use another one until then, or set the clock.")
	}
	if leaf && c.NotAfter.Sub(c.NotBefore) > maxValidity {
		k.add(c, "validity", fmt.Sprintf("it is valid for %d days, and iOS takes at most 825",
			int(c.NotAfter.Sub(c.NotBefore).Hours()/24)), "Issue one for a shorter time, where such devices are served.")
	}
}

// signature looks at how a certificate is signed. Nobody checks the signature of a root.
func (k *checker) signature(c *x509.Certificate) {
	if SelfSigned(c) {
		return
	}
	switch c.SignatureAlgorithm {
	case x509.SHA256WithRSA:
	case x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1, x509.MD5WithRSA, x509.MD2WithRSA:
		k.add(c, "sha1", fmt.Sprintf("it is signed with %s, which devices since about 2017 refuse", c.SignatureAlgorithm),
			"Have it signed with SHA-256, unless all devices are older than that (trap 28).")
	default:
		k.add(c, "signature", fmt.Sprintf("it is signed with %s, which devices from before about 2012 do not know",
			c.SignatureAlgorithm), "Have it signed with SHA-256 and RSA where such devices are served (trap 28).")
	}
}

// chain looks at how the certificates hang together.
func (k *checker) chain(chain []*x509.Certificate) {
	last := k.order(chain)
	bytes := 0
	for _, c := range chain {
		bytes += len(c.Raw)
	}
	if n := len(chain); n > 1 && SelfSigned(chain[n-1]) {
		k.add(chain[n-1], "root-included", "the server sends the root as well, which devices have or do not believe",
			"Take it out of the file of the chain: it costs each connection "+fmt.Sprint(len(chain[n-1].Raw))+" bytes.")
	} else if n > maxLength {
		k.add(nil, "length", fmt.Sprintf("the chain has %d certificates, and small TLS stacks take %d", n, maxLength),
			"Have the server's certificate issued nearer to the root.")
	}
	if bytes > maxBytes {
		k.add(nil, "bytes", fmt.Sprintf("the chain has %d bytes, and small TLS stacks have room for %d", bytes, maxBytes),
			"Take smaller keys and fewer names.")
	}
	k.end(chain, last)
}

// order follows the chain from the server's certificate and is the last one that it leads to.
func (k *checker) order(chain []*x509.Certificate) (last *x509.Certificate) {
	last = chain[0]
	used := 1
	inOrder := true
	for !SelfSigned(last) {
		i := issuer(last, chain)
		if i < 0 {
			break
		}
		inOrder = inOrder && i == used
		last = chain[i]
		if used++; used > len(chain) {
			break // they go round
		}
	}
	if used < len(chain) {
		text := fmt.Sprintf("%d of the %d certificates do not belong to the chain", len(chain)-used, len(chain))
		k.add(nil, "strange", text,
			"Take them out of the file of the chain: some devices take the next one for the issuer, whatever it is.")
	} else if !inOrder {
		k.add(nil, "order", "the certificates are not in order, and many devices do not sort them",
			"Put the server's own first, then each one's issuer.")
	}
	return last
}

// issuer is the index of the certificate that has signed c; -1 where it is not there.
func issuer(c *x509.Certificate, chain []*x509.Certificate) int {
	for i, by := range chain {
		if i > 0 && by != c && signedBy(c, by) {
			return i
		}
	}
	return -1
}

func signedBy(c, by *x509.Certificate) bool {
	if !bytes.Equal(c.RawIssuer, by.RawSubject) {
		return false
	}
	err := by.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	return err == nil || unknownAlgorithm(err)
}

// end looks at where the chain leads to: whether a device that has our root, or one that its maker has built in, finds
// the way.
func (k *checker) end(chain []*x509.Certificate, last *x509.Certificate) {
	if SelfSigned(chain[0]) {
		k.add(chain[0], "self-signed",
			"the server's certificate is its own issuer, and most devices take none such as a root",
			"Make an authority of your own, give devices its certificate and have it issue the server's.")
	}
	if k.root == nil {
		if !SelfSigned(last) && len(chain) == 1 && !public(chain) {
			k.add(last, "intermediate",
				fmt.Sprintf("its issuer, %s, is not sent, and devices do not fetch it", last.Issuer.CommonName),
				"Put the issuer's certificate behind it in the file of the chain, unless that is a root which devices have.")
		}
		k.add(nil, "no-root",
			"devices are given no root: one whose maker did not build in the root of this chain can not connect",
			"Set device.certificate.root, unless all devices are known to have it.")
		return
	}
	switch {
	case k.root.Equal(last), signedBy(last, k.root):
	case SelfSigned(last):
		k.fatal(nil, "other-root",
			fmt.Sprintf("the chain leads to %s, and devices are given %s", subject(last), subject(k.root)),
			"Give devices the root of the chain: set device.certificate.root.")
	default:
		k.fatal(last, "intermediate", fmt.Sprintf("its issuer, %s, is neither sent nor the root that devices are given",
			last.Issuer.CommonName), "Put the issuer's certificate behind it in the file of the chain.")
	}
}

// public says whether the roots of this machine end the chain.
func public(chain []*x509.Certificate) bool {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err == nil
}

// connection looks at what was seen by connecting.
func (k *checker) connection(s *Served) {
	if s.DemandsClient {
		k.add(nil, "client-certificate", "the server asks for a certificate of the device, and most have none",
			"Turn that off for the address of devices.")
	}
	if len(s.WithoutName) == 0 || !s.WithoutName[0].Equal(s.Chain[0]) {
		k.add(nil, "sni", "the server gives this certificate only to who names the host (SNI), which devices from before "+
			"about 2012 do not", "Make it the server's default, or give it an address of its own.")
	}
	if !s.OldTLS {
		k.add(nil, "tls", "the server does not speak TLS 1.0 with RSA key exchange, which is all that many devices from "+
			"before about 2012 know (trap 28)", "Allow both on the address of devices, where such are served.")
	}
}
