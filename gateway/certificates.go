package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"time"

	"go.uber.org/zap"

	"dmgate/gateway/certcheck"
	"dmgate/gateway/config"
	"dmgate/gateway/fleet"
)

// rootFile is the root certificate that devices are given: read from a file, or the ID of one that was uploaded.
type rootFile struct {
	id   string // empty for none
	text []byte // nil for one that was uploaded
}

var certificateID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// readRoot reads device.certificate.root.
func (g *gateway) readRoot() (r rootFile, err error) {
	from := g.config.Device.Certificate.Root
	if from == "" || certificateID.MatchString(from) {
		return rootFile{id: from}, nil
	}
	if r.text, err = os.ReadFile(from); err != nil {
		return r, fmt.Errorf("device.certificate.root: %w", err)
	}
	list, err := certcheck.Read(r.text)
	if err != nil {
		return r, fmt.Errorf("device.certificate.root: %s: %w", from, err)
	}
	r.id = fleet.CertificateID(list[0].Raw)
	return r, nil
}

func (r rootFile) options(c *config.Certificate) fleet.CertificateOptions {
	return fleet.CertificateOptions{Root: r.id, Send: c.Send, Within: c.Within, Segments: c.Segments, URL: c.URL}
}

// keepRoot keeps a root from a file, so that it is there to be sent, and says what devices are known to reject of it.
func (g *gateway) keepRoot(r rootFile) error {
	if r.text == nil {
		if r.id == "" {
			return nil
		}
		if _, err := g.fleet.Certificate(r.id); err != nil {
			return fmt.Errorf("device.certificate.root: no certificate %s was uploaded: %w", r.id, err)
		}
		return nil
	}
	_, warnings, err := g.fleet.AddCertificate("", r.text)
	if err != nil {
		return fmt.Errorf("device.certificate.root: %w", err)
	}
	g.warn("root certificate", warnings)
	return nil
}

func (g *gateway) warn(what string, warnings []certcheck.Warning) {
	for _, w := range warnings {
		g.log.Warn(what+": "+w.Text, zap.String("certificate", w.Of), zap.String("remedy", w.Remedy),
			zap.String("code", w.Code))
	}
}

// checkChain looks at the chain that the server under the device address gives.
func (g *gateway) checkChain(ctx context.Context) certcheck.Report {
	o := certcheck.Options{Address: g.config.Device.Address, File: g.config.Device.Certificate.Chain}
	if root, err := g.fleet.Root(); err == nil && root != nil {
		o.Root, _ = x509.ParseCertificate(root.DER) // it is kept because it can be read
	}
	return certcheck.Run(ctx, o, time.Now())
}

// warnOfChain says in the log what devices are known to reject, where they are told an https address. It holds nothing
// up.
func (g *gateway) warnOfChain(ctx context.Context) {
	if u, err := url.Parse(g.config.Device.Address); err != nil || u.Scheme != "https" {
		return
	}
	r := g.checkChain(ctx)
	if r.Problem != "" {
		g.log.Warn("the chain that devices are given could not be looked at", zap.String("address", r.Address),
			zap.String("problem", r.Problem))
	}
	g.warn("chain that devices are given", r.Warnings)
}

type certificatesCmd struct {
	Check certificatesCheckCmd `cmd:"" help:"Say what devices are known to reject of the chain that a server gives."`
}

type certificatesCheckCmd struct {
	Of      string `arg:"" help:"URL of the server (https://...), or a PEM file with its chain."`
	Address string `help:"With a file: the URL that devices are told."`
	Root    string `help:"File with the root certificate that devices have." type:"existingfile"`
}

// Run prints what is found, a line each with what to do, and fails where there is something.
func (c *certificatesCheckCmd) Run() error {
	o := certcheck.Options{Address: c.Of}
	if u, err := url.Parse(c.Of); err != nil || u.Scheme != "https" {
		if c.Address == "" {
			return fmt.Errorf("%s is no https URL; for a file --address says what devices are told", c.Of)
		}
		o.Address, o.File = c.Address, c.Of
	}
	if c.Root != "" {
		text, err := os.ReadFile(c.Root)
		if err != nil {
			return err
		}
		list, err := certcheck.Read(text)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Root, err)
		}
		o.Root = list[0]
	}
	r := certcheck.Run(context.Background(), o, time.Now())
	if r.Problem != "" {
		return fmt.Errorf("%s", r.Problem)
	}
	for i, subject := range r.Chain {
		fmt.Printf("%d  %s\n", i+1, subject)
	}
	for _, w := range r.Warnings {
		fmt.Println(w)
	}
	if n := len(r.Warnings); n > 0 {
		return fmt.Errorf("%d warnings", n)
	}
	return nil
}
