package certcheck

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// Served is what a server gives to who connects.
type Served struct {
	Chain []*x509.Certificate // in the order in which they came

	// What follows was seen by connecting, and says nothing where Connected is false: the chain is from a file.
	Connected     bool
	DemandsClient bool                // it asks for a certificate of the device
	WithoutName   []*x509.Certificate // what it gives to who names no host (SNI); nil for none
	OldTLS        bool                // it speaks TLS 1.0 with RSA key exchange, as old devices do (trap 28)
}

// oldSuites are what devices from before about 2010 offer.
var oldSuites = []uint16{
	tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
	tls.TLS_RSA_WITH_RC4_128_SHA,
}

// Fetch connects to the server under an https address as devices do: once with its name, once without, once as an old
// device. It trusts nobody and sends nothing. Each connection may take a third of the time that ctx leaves.
func Fetch(ctx context.Context, address string) (*Served, error) {
	host, port, err := hostPort(address)
	if err != nil {
		return nil, err
	}
	to := net.JoinHostPort(host, port)
	s := &Served{Connected: true}
	named := &tls.Config{ServerName: host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}
	named.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		s.DemandsClient = true
		return &tls.Certificate{}, nil
	}
	if s.Chain, err = connect(ctx, to, named); err != nil {
		return nil, err
	}
	s.WithoutName, _ = connect(ctx, to, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10})
	_, err = connect(ctx, to, &tls.Config{
		ServerName: host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10,
		CipherSuites: oldSuites,
	})
	s.OldTLS = err == nil
	return s, nil
}

// perConnection is how long one connection may take where ctx has no end.
const perConnection = 5 * time.Second

func connect(ctx context.Context, to string, c *tls.Config) ([]*x509.Certificate, error) {
	var seen []*x509.Certificate
	c.VerifyPeerCertificate = func(raw [][]byte, _ [][]*x509.Certificate) error {
		for i, der := range raw {
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				return fmt.Errorf("certificate %d: %w", i+1, err)
			}
			seen = append(seen, cert)
		}
		return nil
	}
	within := perConnection
	if end, ok := ctx.Deadline(); ok {
		within = min(within, time.Until(end)/3)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	err = tls.Client(conn, c).HandshakeContext(ctx)
	if len(seen) > 0 && c.MaxVersion == 0 { // a server that wants a client's certificate ends it here
		return seen, nil
	}
	if err == nil && len(seen) == 0 {
		err = errors.New("the server gave no certificate")
	}
	return seen, err
}

// hostPort is where an https address leads to.
func hostPort(address string) (host, port string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return "", "", fmt.Errorf("%q is no https URL", address)
	}
	if port = u.Port(); port == "" {
		port = "443"
	}
	return u.Hostname(), port, nil
}
