package certcheck

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

var today = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const host = "dm.example"

// Keys are made once: they are what takes long.
var (
	rsa1024 = rsaKey(1024)
	rsa2048 = rsaKey(2048)
	rsa4098 = rsaKey(4098)
	ec256   = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
)

func rsaKey(bits int) crypto.Signer { return must(rsa.GenerateKey(rand.Reader, bits)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// entity is a certificate and its key.
type entity struct {
	cert *x509.Certificate
	key  crypto.Signer
}

var serial int64

// issue makes a certificate with a key. by is nil for one that signs itself.
func issue(name string, key crypto.Signer, by *entity, change func(*x509.Certificate)) *entity {
	serial++
	t := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: today.AddDate(0, -1, 0), NotAfter: today.AddDate(1, 0, 0),
	}
	if change != nil {
		change(t)
	}
	parent, signer := t, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der := must(x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer))
	return &entity{must(x509.ParseCertificate(der)), key}
}

func authority(t *x509.Certificate) {
	t.BasicConstraintsValid, t.IsCA, t.KeyUsage = true, true, x509.KeyUsageCertSign
	t.NotAfter = today.AddDate(10, 0, 0)
}

func server(t *x509.Certificate) { t.DNSNames = []string{host} }

var (
	root   = issue("Root", rsa2048, nil, authority)
	other  = issue("Other root", rsa2048, nil, authority)
	middle = issue("Middle", rsa2048, root, authority)
	second = issue("Second", rsa2048, middle, authority)
	third  = issue("Third", rsa2048, second, authority)
	good   = issue(host, rsa2048, middle, server)
)

// as is a server's certificate like the good one but for a change.
func as(change func(*x509.Certificate)) *entity {
	return issue(host, rsa2048, middle, func(t *x509.Certificate) { server(t); change(t) })
}

func TestCheck(t *testing.T) {
	const address = "https://dm.example:443/dm"
	for _, c := range []struct {
		name    string
		address string
		chain   []*entity
		root    *entity
		want    []string // code and, of those that no device lives with, "!"
		says    string   // in the first one
	}{
		{name: "as it should be", chain: []*entity{good, middle}, root: root},
		{name: "straight from the root", chain: []*entity{issue(host, rsa2048, root, server)}, root: root},
		{name: "no port", address: "https://dm.example/dm", chain: []*entity{good, middle}, root: root, want: []string{"port"},
			says: "the address names no port, and S60 takes 80 then, for https too (trap 6). " +
				"Write device.address as https://dm.example:443/dm."},
		{name: "an IP address", address: "https://192.0.2.1:443/dm", chain: []*entity{issue("192.0.2.1", rsa2048, middle,
			func(t *x509.Certificate) { t.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)} }), middle}, root: root,
			want: []string{"ip"}, says: "is an IP address"},
		{name: "another name", address: "https://dm.test:443/dm", chain: []*entity{good, middle}, root: root,
			want: []string{"name!"}, says: `dm.example: it is for dm.example, and the address says dm.test. ` +
				`Issue one whose common name and subjectAltName are dm.test.`},
		{name: "another name, none of the new kind", address: "https://dm.test:443/dm",
			chain: []*entity{issue(host, rsa2048, middle, nil), middle}, root: root, want: []string{"name!"}},
		{name: "no SAN", chain: []*entity{issue(host, rsa2048, middle, nil), middle}, root: root, want: []string{"san"},
			says: "no subjectAltName"},
		{name: "SAN of another host", chain: []*entity{as(func(t *x509.Certificate) { t.DNSNames = []string{"www.example"} }),
			middle}, root: root, want: []string{"san"}, says: "does not have dm.example"},
		{name: "common name of another host (trap 29)", chain: []*entity{issue("Our server", rsa2048, middle, server), middle},
			root: root, want: []string{"common-name"}, says: `its common name is "Our server", and old firmware compares that`},
		{name: "wildcard", address: "https://a.dm.example:443/dm", chain: []*entity{issue("*.dm.example", rsa2048, middle,
			func(t *x509.Certificate) { t.DNSNames = []string{"*.dm.example"} }), middle}, root: root, want: []string{"wildcard"}},
		{name: "not for servers", chain: []*entity{as(func(t *x509.Certificate) {
			t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), middle}, root: root, want: []string{"usage!"}},
		{name: "expired", chain: []*entity{as(func(t *x509.Certificate) { t.NotAfter = today.AddDate(0, 0, -1) }), middle},
			root: root, want: []string{"expired!"}, says: "it has expired on 2026-02-28. Renew it."},
		{name: "expires soon", chain: []*entity{as(func(t *x509.Certificate) { t.NotAfter = today.AddDate(0, 0, 20) }), middle},
			root: root, want: []string{"expires-soon"}, says: "it expires on 2026-03-21"},
		{name: "not valid yet", chain: []*entity{as(func(t *x509.Certificate) { t.NotBefore = today.AddDate(0, 0, 2) }), middle},
			root: root, want: []string{"not-yet!"}},
		{name: "valid for too long", chain: []*entity{as(func(t *x509.Certificate) { t.NotAfter = today.AddDate(3, 0, 0) }), middle},
			root: root, want: []string{"validity"}, says: "and iOS takes at most 825"},
		{name: "an issuer that has expired", chain: []*entity{issue(host, rsa2048, aged, server), aged}, root: root,
			want: []string{"expired!"}, says: "Aged: it has expired"},
		{name: "ECDSA", chain: []*entity{issue(host, ec256, middle, server), middle}, root: root, want: []string{"key"},
			says: "its key is ECDSA (P-256)"},
		{name: "a small key", chain: []*entity{issue(host, rsa1024, middle, server), middle}, root: root, want: []string{"key"},
			says: "its RSA key has 1024 bits"},
		{name: "a large key", chain: []*entity{issue(host, rsa4098, middle, server), middle}, root: root, want: []string{"key"},
			says: "its RSA key has 4098 bits"},
		{name: "SHA-512", chain: []*entity{as(func(t *x509.Certificate) { t.SignatureAlgorithm = x509.SHA512WithRSA }), middle},
			root: root, want: []string{"signature"}, says: "it is signed with SHA512-RSA"},
		{name: "SHA-1", chain: []*entity{as(func(t *x509.Certificate) { t.SignatureAlgorithm = x509.SHA1WithRSA }), middle},
			root: root, want: []string{"sha1"}, says: "it is signed with SHA1-RSA, which devices since about 2017 refuse"},
		{name: "the issuer is missing", chain: []*entity{good}, root: root, want: []string{"intermediate!"},
			says: "its issuer, Middle, is neither sent nor the root"},
		{name: "the issuer is missing, no root", chain: []*entity{good}, want: []string{"intermediate", "no-root"}},
		{name: "no root", chain: []*entity{good, middle}, want: []string{"no-root"}, says: "Set device.certificate.root"},
		{name: "out of order", chain: []*entity{issue(host, rsa2048, second, server), middle, second}, root: root,
			want: []string{"order"}},
		{name: "one that does not belong there", chain: []*entity{good, other, middle}, root: root, want: []string{"strange"},
			says: "1 of the 3 certificates do not belong to the chain"},
		{name: "the root is sent", chain: []*entity{good, middle, root}, root: root, want: []string{"root-included"}},
		{name: "another root", chain: []*entity{good, middle, root}, root: other, want: []string{"root-included", "other-root!"}},
		{name: "long", chain: []*entity{issue(host, rsa2048, third, server), third, second, middle}, root: root,
			want: []string{"length"}},
		{name: "large", chain: []*entity{as(func(t *x509.Certificate) {
			for range 300 {
				t.DNSNames = append(t.DNSNames, "alternative-name.example")
			}
		}), middle}, root: root, want: []string{"bytes"}},
		{name: "its own issuer", chain: []*entity{selfSigned}, root: selfSigned, want: []string{"self-signed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.address == "" {
				c.address = address
			}
			s := &Served{}
			for _, e := range c.chain {
				s.Chain = append(s.Chain, e.cert)
			}
			var ours *x509.Certificate
			if c.root != nil {
				ours = c.root.cert
			}
			got := Check(c.address, s, ours, today)
			if codes := codesOf(got); !slices.Equal(codes, c.want) {
				t.Fatalf("%q, want %q\n%v", codes, c.want, got)
			}
			if len(got) > 0 && !strings.Contains(got[0].String(), c.says) {
				t.Errorf("%s\ndoes not say\n%s", got[0], c.says)
			}
			for _, w := range got {
				if w.Text == "" || w.Remedy == "" {
					t.Errorf("%s: text %q, remedy %q", w.Code, w.Text, w.Remedy)
				}
			}
		})
	}
}

var (
	aged = issue("Aged", rsa2048, root, func(t *x509.Certificate) {
		authority(t)
		t.NotAfter = today.AddDate(0, 0, -1)
	})
	selfSigned = issue(host, rsa2048, nil, server)
)

func codesOf(list []Warning) (codes []string) {
	for _, w := range list {
		code := w.Code
		if w.Fatal {
			code += "!"
		}
		codes = append(codes, code)
	}
	return codes
}

// What is seen by connecting: who has to be named, who asks for a certificate, what an old device finds.
func TestCheckOfConnection(t *testing.T) {
	chain := []*x509.Certificate{good.cert, middle.cert}
	for _, c := range []struct {
		name   string
		served Served
		want   []string
	}{
		{"a server for all", Served{WithoutName: chain, OldTLS: true}, nil},
		{"by name only", Served{OldTLS: true}, []string{"sni"}},
		{"another one without a name", Served{WithoutName: []*x509.Certificate{other.cert}, OldTLS: true}, []string{"sni"}},
		{"asks the device", Served{WithoutName: chain, OldTLS: true, DemandsClient: true}, []string{"client-certificate"}},
		{"for new devices", Served{WithoutName: chain}, []string{"tls"}},
	} {
		c.served.Chain, c.served.Connected = chain, true
		if got := codesOf(Check("https://dm.example:443/dm", &c.served, root.cert, today)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRoot(t *testing.T) {
	authorityAs := func(change func(*x509.Certificate)) *entity {
		return issue("R", rsa2048, nil, func(t *x509.Certificate) { authority(t); change(t) })
	}
	for _, c := range []struct {
		name string
		of   *entity
		want []string
	}{
		{"as it should be", root, nil},
		{"a server's", good, []string{"no-ca!", "not-self-signed"}},
		{"of an authority that another has issued", middle, []string{"not-self-signed"}},
		{"says that it is no authority", authorityAs(func(t *x509.Certificate) { t.IsCA = false; t.KeyUsage = 0 }),
			[]string{"no-ca!"}},
		{"expired", authorityAs(func(t *x509.Certificate) { t.NotAfter = today.AddDate(0, 0, -1) }), []string{"expired!"}},
		{"ends within the year", authorityAs(func(t *x509.Certificate) { t.NotAfter = today.AddDate(0, 6, 0) }),
			[]string{"expires-soon"}},
		{"not yet", authorityAs(func(t *x509.Certificate) { t.NotBefore = today.AddDate(0, 0, 1) }), []string{"not-yet"}},
		{"ECDSA", issue("R", ec256, nil, authority), []string{"key"}},
		{"may not sign", authorityAs(func(t *x509.Certificate) { t.KeyUsage = x509.KeyUsageCRLSign }), []string{"key-usage!"}},
		{"large", authorityAs(func(t *x509.Certificate) {
			for range 900 {
				t.DNSNames = append(t.DNSNames, "alternative-name.example")
			}
		}), []string{"size!"}},
	} {
		if got := codesOf(Root(c.of.cert, today)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
