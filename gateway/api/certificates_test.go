package api_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"dmgate/gateway/api"
	"dmgate/gateway/certcheck"
	"dmgate/storage"
)

// rootPEM is a root certificate.
func rootPEM(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().AddDate(20, 0, 0), BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestCertificates(t *testing.T) {
	r := newRig(t)
	text := rootPEM(t)
	var c api.Certificate
	r.want(r.call("POST", "/v1/certificates?name=Our+root", text), 201, &c)
	if c.Name != "Our root" || len(c.Fingerprint) != 64 || c.ID != c.Fingerprint[:16] || len(c.Warnings) != 1 ||
		c.Warnings[0].Code != "key" || c.Warnings[0].Remedy == "" {
		t.Fatalf("%+v", c)
	}
	var again api.Certificate
	body, _ := json.Marshal(api.NewCertificate{Name: "Renamed", PEM: text})
	r.want(r.sendAs("POST", "/v1/certificates", string(body), "application/json"), 201, &again)
	if again.ID != c.ID || again.Name != "Renamed" {
		t.Errorf("the same as JSON: %+v", again)
	}
	var page api.CertificatePage
	r.get("/v1/certificates?limit=1", &page)
	if len(page.Certificates) != 1 || page.Next != c.ID {
		t.Errorf("%+v", page)
	}
	var whole api.Certificate
	r.get("/v1/certificates/"+c.ID, &whole)
	if whole.PEM != text {
		t.Errorf("PEM\n%s", whole.PEM)
	}
	if p := r.refused(r.call("POST", "/v1/certificates", "no certificate"), 422); p.Field != "certificate" {
		t.Errorf("%+v", p)
	}

	first, second := r.device(1), r.device(2)
	order := fmt.Sprintf(`{"key":"k","devices":[%q,"nobody",%q]}`, first.ID, second.ID)
	var sent api.Sendings
	r.want(r.call("POST", "/v1/certificates/"+c.ID+"/send", order), 202, &sent)
	if sent.Ordered != 2 || sent.Refused != 1 || sent.Orders[0].How != "push" || sent.Orders[0].Why == "" ||
		sent.Orders[1].Error == nil {
		t.Errorf("%+v", sent)
	}
	var repeated api.Sendings
	r.want(r.call("POST", "/v1/certificates/"+c.ID+"/send", order), 202, &repeated)
	if repeated.Repeated != 2 || repeated.Batch != sent.Batch || repeated.Orders[2].Order != sent.Orders[2].Order {
		t.Errorf("again: %+v", repeated)
	}
	if pushes, err := r.store.Pushes(first.ID); err != nil || len(pushes) != 1 || pushes[0].Kind != storage.KindCertificate {
		t.Errorf("%d pushes: %v", len(pushes), err)
	}
	got := r.call("GET", "/v1/devices/"+string(first.ID), "").body
	if want := `"certificates":[{"certificate":"` + c.ID; !strings.Contains(got, want) {
		t.Errorf("%s\ndoes not have %s", got, want)
	}
	r.refused(r.call("POST", "/v1/certificates/none/send", order), 404)
	if p := r.refused(r.call("POST", "/v1/certificates/"+c.ID+"/send", `{"devices":[]}`), 422); p.Field != "devices" {
		t.Errorf("%+v", p)
	}
	r.want(r.call("DELETE", "/v1/certificates/"+c.ID, ""), 200, &struct{}{})
	r.refused(r.call("GET", "/v1/certificates/"+c.ID, ""), 404)
}

func TestCertificatesCheck(t *testing.T) {
	r := newRig(t)
	r.refused(r.call("GET", "/v1/certificates/check", ""), 404)
	r.api.CheckChain = func(ctx context.Context) certcheck.Report {
		return certcheck.Run(ctx, certcheck.Options{Address: "http://dm.example/dm"}, time.Now())
	}
	var report certcheck.Report
	r.get("/v1/certificates/check", &report)
	if report.Problem != `"http://dm.example/dm" is no https URL` || report.Warnings == nil {
		t.Errorf("%+v", report)
	}
}
