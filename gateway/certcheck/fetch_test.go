package certcheck

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// serve is a TLS server on loopback that ends each connection after the handshake. It returns its port.
func serve(t *testing.T, c *tls.Config) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.(*tls.Conn).Handshake()
			conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func pair(chain ...*entity) tls.Certificate {
	c := tls.Certificate{PrivateKey: chain[0].key}
	for _, e := range chain {
		c.Certificate = append(c.Certificate, e.cert.Raw)
	}
	return c
}

func local(t *x509.Certificate) { t.DNSNames = []string{"localhost"} }

// A server is asked as an old device and a new one would, and what it says to each is told.
func TestRunConnects(t *testing.T) {
	here := issue("localhost", rsa2048, middle, local)
	all := func(c *tls.Config) *tls.Config {
		c.MinVersion, c.CipherSuites = tls.VersionTLS10, append(oldSuites, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
		return c
	}
	byName := func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		c := pair(good, middle)
		if h.ServerName == "localhost" {
			c = pair(here, middle)
		}
		return &c, nil
	}
	for _, c := range []struct {
		name   string
		config *tls.Config
		want   []string
	}{
		{"a server for all", all(&tls.Config{Certificates: []tls.Certificate{pair(here, middle)}}), nil},
		{"modern", &tls.Config{Certificates: []tls.Certificate{pair(here, middle)}}, []string{"tls"}},
		{"by name", all(&tls.Config{GetCertificate: byName}), []string{"sni"}},
		{"asks the device", all(&tls.Config{
			Certificates: []tls.Certificate{pair(here, middle)}, ClientAuth: tls.RequireAnyClientCert,
		}), []string{"client-certificate", "tls"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := "https://localhost:" + serve(t, c.config) + "/dm"
			r := Run(context.Background(), Options{Address: address, Root: root.cert}, today)
			if r.Problem != "" || !slices.Equal(codesOf(r.Warnings), c.want) || r.Source != "server" {
				t.Errorf("%+v, want %q", r, c.want)
			}
			if !slices.Equal(r.Chain, []string{"localhost", "Middle"}) {
				t.Errorf("chain %q", r.Chain)
			}
		})
	}
}

// A server that never answers costs no more than the time that there is, and one that is none is a problem in words.
func TestRunIsBounded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	begin := time.Now()
	r := Run(context.Background(), Options{Address: "https://" + l.Addr().String() + "/dm", Within: 300 * time.Millisecond}, today)
	if r.Problem == "" || len(r.Warnings) != 0 || time.Since(begin) > 20*time.Second {
		t.Errorf("%+v after %s", r, time.Since(begin))
	}
	r = Run(context.Background(), Options{Address: "http://127.0.0.1:1/dm"}, today)
	if want := `"http://127.0.0.1:1/dm" is no https URL`; r.Problem != want {
		t.Errorf("problem %q, want %q", r.Problem, want)
	}
}

func TestRunReadsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "chain.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte{1}})
	for _, e := range []*entity{good, middle, root} {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.cert.Raw})...)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	r := Run(context.Background(), Options{Address: "https://dm.example:443/dm", File: file, Root: root.cert}, today)
	if r.Problem != "" || !slices.Equal(codesOf(r.Warnings), []string{"root-included"}) || r.Source != "file" {
		t.Errorf("%+v", r)
	}
	r = Run(context.Background(), Options{Address: "https://dm.example/dm", File: file + ".none"}, today)
	if !strings.Contains(r.Problem, "no such file") {
		t.Errorf("problem %q", r.Problem)
	}
}

func TestRead(t *testing.T) {
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	one := block("CERTIFICATE", root.cert.Raw)
	for _, c := range []struct {
		name, text string
		n          int
		want       string
	}{
		{"DER", string(root.cert.Raw), 1, ""},
		{"PEM", one, 1, ""},
		{"several, with others between them", "some text\n" + one + block("PRIVATE KEY", []byte{1}) + one, 2, ""},
		{"nothing", "", 0, "neither PEM nor the DER of one certificate: "},
		{"text", "hello", 0, "neither PEM nor the DER of one certificate: "},
		{"DER and more", string(root.cert.Raw) + "x", 0, "neither PEM nor the DER of one certificate: x509: trailing data"},
		{"a key", block("PRIVATE KEY", []byte{1}), 0, "PEM without a CERTIFICATE block"},
		{"a damaged one behind a sound one", one + block("CERTIFICATE", []byte{0x30, 0}), 0, "certificate 2: "},
		{"too many", strings.Repeat(one, maxRead+1), 0, "more than 32 certificates"},
	} {
		list, err := Read([]byte(c.text))
		if len(list) != c.n || (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %d certificates, %v, want %d, %s", c.name, len(list), err, c.n, c.want)
		}
	}
}
