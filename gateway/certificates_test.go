package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"dmgate/bench/handset"
	"dmgate/gateway/api"
	"dmgate/gateway/certcheck"
	"dmgate/gateway/config"
	"dmgate/gateway/operatorlist"
	"dmgate/storage"
)

// writeRoot writes a root certificate into a file, as an authority of one's own has it.
func writeRoot(t *testing.T) (file string, der []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test root"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().AddDate(20, 0, 0), BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}
	if der, err = x509.CreateCertificate(rand.Reader, c, c, key.Public(), key); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "root.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, der
}

// From numbers of which nothing is known to devices that are managed, the root certificate first; then once more, to
// those that have an account: into the tree where it takes that, else by another push.
func TestCertificatesFirst(t *testing.T) {
	file, der := writeRoot(t)
	makes := handset.AllMakes()
	s := newSite(t, 4, time.Millisecond, handset.Options{Count: len(makes), Makes: makes}, func(c *config.Config) {
		c.Device.Certificate.Root, c.Device.Certificate.Send = file, "always"
		c.Orders.AnswerWithin = time.Minute
	})
	ids, err := s.up.register(t.Context(), s.phones.Handsets())
	if err != nil {
		t.Fatal(err)
	}
	s.bootstrap(t, ids, s.phones.Handsets())
	s.await(t, "the devices are discovered", func() bool {
		for _, id := range ids {
			if d, err := s.store.Device(id); err != nil || d.State != storage.Discovered {
				return false
			}
		}
		return true
	})
	for i, h := range s.phones.Handsets() {
		if h.Trusts(handset.Fingerprint(der)) != h.Make.TakesCertificates {
			t.Errorf("%s: trusts it: %t", h.Make.Name, !h.Make.TakesCertificates)
		}
		entries, err := s.store.Timeline(ids[i], 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		var came []string
		for _, e := range entries {
			if e.Kind == "certificate" && e.Status == "delivered" || e.Kind == "push" {
				came = append(came, e.Kind)
			}
		}
		if came = slices.Compact(came); !slices.Equal(came, []string{"certificate", "push"}) {
			t.Errorf("%s: %q, want the bootstrap behind the certificate", h.Make.Name, came)
		}
	}

	var list api.CertificatePage
	if err := s.up.call(t.Context(), "GET", "certificates", nil, &list); err != nil || len(list.Certificates) != 1 {
		t.Fatalf("%+v: %v", list, err)
	}
	var sent api.Sendings
	in := api.NewSending{Devices: ids}
	if err := s.up.call(t.Context(), "POST", "certificates/"+list.Certificates[0].ID+"/send", in, &sent); err != nil {
		t.Fatal(err)
	}
	for i, o := range sent.Orders {
		if o.Error != nil {
			t.Fatalf("%s: %+v", s.phones.Handsets()[i].Make.Name, o.Error)
		}
	}
	for i, h := range s.phones.Handsets() {
		s.await(t, h.Make.Name+" is through", func() bool {
			o, err := s.store.Order(ids[i], sent.Orders[i].Order)
			return err == nil && o.State != storage.OrderOpen
		})
		d, err := s.store.Device(ids[i])
		if err != nil {
			t.Fatal(err)
		}
		g := d.Given(list.Certificates[0].ID)
		if g == nil || g.Fingerprint != handset.Fingerprint(der) || (g.How == "dm") != (h.Make == handset.Windows) {
			t.Errorf("%s: given %+v", h.Make.Name, g)
		}
		if h.Make == handset.Windows { // it keeps what a session has brought when that is over
			s.await(t, h.Make.Name+" trusts it", func() bool { return h.Trusts(handset.Fingerprint(der)) })
		}
	}
	for _, v := range s.phones.Violations() {
		t.Errorf("violation: %v", v.String())
	}
}

// Access points reach phones by documents of their own, and with a bootstrap.
func TestAccessPoints(t *testing.T) {
	s := newSite(t, 2, time.Millisecond, handset.Options{Count: 2, Makes: []*handset.Make{handset.RedBend}})
	ids, err := s.up.register(t.Context(), s.phones.Handsets())
	if err != nil {
		t.Fatal(err)
	}
	secret := "s3cret"
	h := s.phones.Handsets()[0]
	in := operatorlist.Operator{
		Name: "Example", Country: "DE",
		NAPs: []operatorlist.NAP{{
			ID: "N7", Name: "Net", APN: "internet.example", Internet: true, Auth: "PAP", User: "u", Secret: &secret,
		}},
		Proxies: []operatorlist.Proxy{{ID: "P7", Name: "Gate", Addr: "10.0.0.1", Port: 8080, NAP: "N7"}},
	}
	var out operatorlist.Operator
	if err := s.up.call(t.Context(), "PUT", "operators/"+h.IMSI[:5], in, &out); err != nil {
		t.Fatal(err)
	}
	order := api.NewAccessPoints{Devices: ids[:1], Operator: "sim", Sec: "netwpin"}
	var sent api.Sendings
	if err := s.up.call(t.Context(), "POST", "access-points", order, &sent); err != nil || sent.Ordered != 1 {
		t.Fatalf("%+v: %v", sent, err)
	}
	both := api.NewBootstraps{Devices: ids[1:], Operator: h.IMSI[:5], Sec: "netwpin"}
	var ordered api.Bootstraps
	if err := s.up.call(t.Context(), "POST", "bootstraps", both, &ordered); err != nil || ordered.Ordered != 1 {
		t.Fatalf("%+v: %v", ordered, err)
	}
	point := handset.AccessPoint{ID: "N7", Name: "Net", APN: "internet.example", Auth: "PAP", User: "u", Password: secret}
	proxy := handset.Proxy{ID: "P7", Name: "Gate", Addr: "10.0.0.1", Port: 8080, NAPID: "N7"}
	for _, h := range s.phones.Handsets() {
		s.await(t, "the access point has come", func() bool {
			return slices.Contains(h.AccessPoints(), point) && slices.Contains(h.Proxies(), proxy)
		})
	}
	s.await(t, "the order is done", func() bool {
		o, err := s.store.Order(ids[0], sent.Orders[0].Order)
		return err == nil && o.State == storage.OrderDone
	})
	for _, v := range s.phones.Violations() {
		t.Errorf("violation: %v", v.String())
	}
}

// A root that can not be read, or that none can use, stops the start with its reason.
func TestRootFile(t *testing.T) {
	file, der := writeRoot(t)
	half := filepath.Join(t.TempDir(), "half.der")
	if err := os.WriteFile(half, der[:len(der)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{
		file + ".none":     "device.certificate.root: open ",
		half:               "device.certificate.root: " + half + ": neither PEM nor the DER of one certificate: ",
		"0123456789abcdef": "device.certificate.root: no certificate 0123456789abcdef was uploaded: ",
	} {
		c := config.Default()
		c.Data = filepath.Join(t.TempDir(), "data")
		c.Device.Listen, c.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
		c.Device.Certificate.Root = from
		g, err := build(c, zap.NewNop())
		if err == nil {
			g.close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", from, err, want)
		}
	}
}

// The check of the chain is there for upstream, and says so where there is nothing to be checked.
func TestCheckOfChainIsServed(t *testing.T) {
	file, _ := writeRoot(t)
	s := newSite(t, 1, time.Millisecond, handset.Options{Count: 1}, func(c *config.Config) {
		c.Device.Address = "https://dm.example/dm"
		c.Device.Certificate.Root, c.Device.Certificate.Chain = file, file
	})
	var r certcheck.Report
	if err := s.up.call(t.Context(), "GET", "certificates/check", nil, &r); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, w := range r.Warnings {
		codes = append(codes, w.Code)
	}
	if want := []string{"port", "name", "validity", "self-signed"}; r.Source != "file" || !slices.Equal(codes, want) {
		t.Errorf("%q, want %q: %+v", codes, want, r)
	}
}

func TestCertificatesCheckCommand(t *testing.T) {
	file, der := writeRoot(t)
	if !bytes.Contains(der, []byte("Test root")) {
		t.Fatal("another certificate")
	}
	for _, c := range []struct {
		args certificatesCheckCmd
		want string
	}{
		{certificatesCheckCmd{Of: file, Address: "https://dm.example:443/dm", Root: file}, "3 warnings"},
		{certificatesCheckCmd{Of: file}, file + " is no https URL; for a file --address says what devices are told"},
		{certificatesCheckCmd{Of: file, Address: "http://dm.example/dm"}, `"http://dm.example/dm" is no https URL`},
	} {
		if err := c.args.Run(); err == nil || err.Error() != c.want {
			t.Errorf("%+v: %v, want %s", c.args, err, c.want)
		}
	}
}
