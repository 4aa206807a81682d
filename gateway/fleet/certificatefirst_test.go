package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"dmgate/codec/push"
	"dmgate/modempool"
	"dmgate/storage"
)

// rootDER is a root certificate, the smallest that there is; extra makes it larger, in bytes.
func rootDER(t *testing.T, name string, extra int) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name, Organization: []string{strings.Repeat("x", extra)}},
		NotBefore: epoch.AddDate(-1, 0, 0), NotAfter: epoch.AddDate(20, 0, 0),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// newTLSRig is a rig whose devices are told an https address, and given a root certificate before it.
func newTLSRig(t *testing.T) (*rig, *storage.Certificate) {
	t.Helper()
	r := newRig(t)
	r.opt.Address = "https://gw.test:8443/dm"
	cert, _, err := r.AddCertificate("Our root", rootDER(t, "Root", 1))
	if err != nil {
		t.Fatal(err)
	}
	r.opt.Certificate.Root = cert.ID
	return r, cert
}

// due are the pushes that a modem would take now, as "bootstrap" or "certificate".
func (r *rig) due() (kinds string, jobs []storage.PushJob) {
	r.t.Helper()
	jobs, err := r.allDue(r.now, 10)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := range jobs {
		kinds += jobs[i].Kind + " "
	}
	return strings.TrimSpace(kinds), jobs
}

// becomes has a push come to a state as the pool would have it.
func (r *rig) becomes(job *storage.PushJob, state storage.PushState) {
	r.t.Helper()
	job.State, job.Modem, job.Until, job.Error = state, "m1", time.Time{}, ""
	switch state {
	case storage.PushSending:
		job.Segments = make([]storage.Segment, 2)
	case storage.PushSent, storage.PushDoubtful:
		job.Until = r.now.Add(24 * time.Hour)
	case storage.PushFailed:
		job.Error = "no such subscriber"
	}
	if err := r.Save(job); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) bootstrap(d *storage.Device) string {
	r.t.Helper()
	placed, err := r.Bootstrap(Bootstrap{Device: d.ID})
	if err != nil {
		r.t.Fatal(err)
	}
	return placed.Order
}

// A device that is not known to trust us gets the root certificate, and its bootstrap when that has arrived.
func TestCertificateFirst(t *testing.T) {
	r, cert := newTLSRig(t)
	d := r.register("+9990001")
	order := r.bootstrap(d)
	kinds, jobs := r.due()
	if kinds != "certificate" {
		t.Fatalf("due: %s", kinds)
	}
	p, err := push.ReadPush(jobs[0].PDU)
	if err != nil || p.ContentType != push.TypeX509CACert || string(p.Body) != string(cert.DER) || p.Signed {
		t.Fatalf("%+v: %v", p, err)
	}
	waits := func(want string) {
		t.Helper()
		if got := r.device(d.ID); got.State != storage.Ordered || got.Wait.For != want || got.Wait.Until.IsZero() {
			t.Errorf("%s, waits for %q, want %q", got.State, got.Wait.For, want)
		}
	}
	waits("the root certificate, which goes first")
	first := &jobs[0]
	r.becomes(first, storage.PushSending)
	waits("m1, which sends the root certificate")
	r.becomes(first, storage.PushSent)
	waits("the root certificate to be delivered, 15m0s at most, then a modem")
	if kinds, _ := r.due(); kinds != "" {
		t.Fatalf("due before the certificate is delivered: %s", kinds)
	}
	r.now = r.now.Add(time.Minute)
	pushed := r.pushed
	r.becomes(first, storage.PushDelivered)
	waits("a modem")
	if r.pushed == pushed {
		t.Error("the pool was not told")
	}
	kinds, jobs = r.due()
	if kinds != "bootstrap" || jobs[0].Behind != first.ID || jobs[0].Order != order {
		t.Fatalf("due: %s %+v", kinds, jobs)
	}
	r.becomes(&jobs[0], storage.PushSending)
	r.becomes(&jobs[0], storage.PushSent)
	got := r.device(d.ID)
	if g := got.Given(cert.ID); got.State != storage.Sent || g == nil || g.State != storage.CertificateDelivered ||
		g.How != HowPush || g.Fingerprint != cert.Fingerprint {
		t.Errorf("%s, given %+v", got.State, g)
	}
	if o := r.order(got); o.State != storage.OrderOpen {
		t.Errorf("order %s", o.State)
	}
	var told []string
	entries, _ := r.store.Timeline(d.ID, 0, 100)
	for _, e := range entries {
		if e.Kind == "certificate" || e.Kind == "push" {
			told = append(told, e.Kind+" "+e.Status+": "+e.Text)
		}
	}
	want := "certificate : root certificate Our root first, for the device is not known to trust it; by push: " +
		"nothing is known of the device: a push asks least of it\n" +
		"certificate sent: 2 segments sent through m1\ncertificate delivered: delivered\npush sent: 2 segments sent through m1"
	if got := strings.Join(told, "\n"); got != want {
		t.Errorf("timeline\n%s\nwant\n%s", got, want)
	}
	r.bootstrap(d) // it has the certificate now
	if kinds, _ := r.due(); kinds != "bootstrap" {
		t.Errorf("due with a second bootstrap: %s", kinds)
	}
}

// The bootstrap is held no longer than it may be, whatever becomes of the certificate.
func TestBootstrapBehindCertificate(t *testing.T) {
	for _, c := range []struct {
		name   string
		states []storage.PushState
		after  time.Duration
		due    string
		given  storage.CertificateState
	}{
		{"nothing was sent", nil, 59 * time.Minute, "certificate", storage.CertificateOrdered},
		{"tried again", []storage.PushState{storage.PushSending, storage.PushQueued}, 59 * time.Minute, "certificate",
			storage.CertificateOrdered},
		{"no report", []storage.PushState{storage.PushSending, storage.PushSent}, 14 * time.Minute, "", storage.CertificateSent},
		{"no report in time", []storage.PushState{storage.PushSending, storage.PushSent}, 15 * time.Minute, "bootstrap",
			storage.CertificateSent},
		{"in doubt", []storage.PushState{storage.PushSending, storage.PushDoubtful}, 15 * time.Minute, "bootstrap",
			storage.CertificateSent},
		{"sent, then tried again", []storage.PushState{storage.PushSending, storage.PushDoubtful, storage.PushQueued},
			15 * time.Minute, "certificate", storage.CertificateOrdered},
		{"given up", []storage.PushState{storage.PushSending, storage.PushFailed}, 0, "bootstrap", storage.CertificateFailed},
		{"delivered", []storage.PushState{storage.PushSending, storage.PushSent, storage.PushDelivered}, 0, "bootstrap",
			storage.CertificateDelivered},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, cert := newTLSRig(t)
			d := r.register("+9990001")
			r.bootstrap(d)
			_, jobs := r.due()
			for _, state := range c.states {
				r.becomes(&jobs[0], state)
			}
			r.now = r.now.Add(c.after)
			if kinds, _ := r.due(); kinds != c.due {
				t.Errorf("due: %q, want %q", kinds, c.due)
			}
			got := r.device(d.ID)
			if g := got.Given(cert.ID); g.State != c.given {
				t.Errorf("given %+v, want it %s", g, c.given)
			}
			if o := r.order(got); o.State != storage.OrderOpen {
				t.Errorf("the order of the bootstrap is %s: %s", o.State, o.Reason)
			}
			if err := r.EndWaits(r.now); err != nil {
				t.Fatal(err)
			}
			if got := r.device(d.ID); got.State != storage.Ordered {
				t.Errorf("device %s: %s", got.State, got.Reason)
			}
		})
	}
}

// An order that nobody takes fails, and takes the certificate with it.
func TestCertificateGoesWithItsOrder(t *testing.T) {
	r, _ := newTLSRig(t)
	d := r.register("+9990001")
	r.bootstrap(d)
	_, jobs := r.due()
	r.now = r.now.Add(time.Hour)
	if err := r.EndWaits(r.now); err != nil {
		t.Fatal(err)
	}
	if kinds, _ := r.due(); kinds != "" || r.device(d.ID).State != storage.Failed {
		t.Errorf("due: %s; device %s", kinds, r.device(d.ID).State)
	}
	jobs[0].State = storage.PushSending // a modem has read it before
	if err := r.Save(&jobs[0]); !errors.Is(err, modempool.ErrWithdrawn) {
		t.Errorf("the pool is told %v", err)
	}
	r.bootstrap(d)
	if kinds, _ := r.due(); kinds != "certificate" {
		t.Errorf("due with the next order: %s", kinds)
	}
}

// Who is given the certificate.
func TestNeedsCertificate(t *testing.T) {
	given := func(s storage.CertificateState) func(*rig, *storage.Device, *storage.Certificate) {
		return func(_ *rig, d *storage.Device, c *storage.Certificate) {
			d.Give(storage.Given{Certificate: c.ID, State: s})
		}
	}
	for _, c := range []struct {
		name  string
		send  string
		setup func(*rig, *storage.Device, *storage.Certificate)
		want  bool
	}{
		{"unknown", SendUnknown, nil, true},
		{"never", SendNever, nil, false},
		{"always", SendAlways, given(storage.CertificateDelivered), true},
		{"delivered", SendUnknown, given(storage.CertificateDelivered), false},
		{"installed", SendUnknown, given(storage.CertificateInstalled), false},
		{"given up", SendUnknown, given(storage.CertificateFailed), true},
		{"on its way", SendUnknown, given(storage.CertificateSent), true},
		{"has connected", SendUnknown,
			func(r *rig, d *storage.Device, _ *storage.Certificate) { d.Seen = r.now.Add(1) }, false},
		{"has connected before there was the certificate", SendUnknown,
			func(r *rig, d *storage.Device, _ *storage.Certificate) { d.Seen = r.now.Add(-1) }, true},
		{"no TLS", SendUnknown,
			func(r *rig, _ *storage.Device, _ *storage.Certificate) { r.opt.Address = "http://gw.test:80/dm" }, false},
		{"always, no TLS", SendAlways,
			func(r *rig, _ *storage.Device, _ *storage.Certificate) { r.opt.Address = "http://gw.test:80/dm" }, true},
	} {
		r, cert := newTLSRig(t)
		r.opt.Certificate.Send = c.send
		d := r.register("+9990001")
		if c.setup != nil {
			c.setup(r, d, cert)
		}
		got, why, err := r.needsCertificate(d)
		if err != nil || (got != nil) != c.want || (why == "") == c.want {
			t.Errorf("%s: %v, why %q, %v", c.name, got, why, err)
		}
	}
}

// A bootstrap stands behind a certificate that is on its way already, and is not left behind one that arrives while it
// is being ordered.
func TestBootstrapWhileCertificateIsOnItsWay(t *testing.T) {
	r, cert := newTLSRig(t)
	r.Fleet.pushed = func() {} // the rig's counts for one at a time
	for i := range 40 {
		d := r.register("+99900" + string(rune('0'+i/10)) + string(rune('0'+i%10)))
		sent, err := r.SendCertificate(SendCertificate{Device: d.ID, Certificate: cert.ID})
		if err != nil {
			t.Fatal(err)
		}
		_, jobs := r.due()
		r.becomes(&jobs[0], storage.PushSending)
		r.becomes(&jobs[0], storage.PushSent)
		var both sync.WaitGroup
		both.Go(func() { r.becomes(&jobs[0], storage.PushDelivered) })
		both.Go(func() {
			if _, err := r.Bootstrap(Bootstrap{Device: d.ID}); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		kinds, bootstraps := r.due()
		if kinds != "bootstrap" {
			t.Fatalf("round %d: due: %q", i, kinds)
		}
		if o, err := r.store.Order(d.ID, sent.Order); err != nil || o.State != storage.OrderDone {
			t.Fatalf("order %+v: %v", o, err)
		}
		r.becomes(&bootstraps[0], storage.PushSending)
		r.becomes(&bootstraps[0], storage.PushSent)
	}
}

// How a certificate goes, by what is known of the device.
// What devices of a model have shown goes before what is said of its family, and a device that has not said what it is
// counts by its TAC.
// A device that can not be given the certificate gets its bootstrap all the same, and the feed says so.
func TestBootstrapWithoutCertificate(t *testing.T) {
	r, _ := newTLSRig(t)
	d := r.register("+9990001")
	err := r.store.Commit(&storage.Commit{Device: d.ID, Edit: func(d *storage.Device) error {
		d.Learn("DevTyp", "module")
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.bootstrap(d)
	if kinds, jobs := r.due(); kinds != "bootstrap" || jobs[0].Behind != 0 {
		t.Errorf("due: %s", kinds)
	}
	entries, _ := r.store.Timeline(d.ID, 0, 100)
	want := "without the root certificate Our root: the device can not be given it by SMS: " +
		"a module has no user: it has to be built in"
	if e := entries[len(entries)-1]; e.Kind != "certificate" || e.Text != want {
		t.Errorf("%s: %s", e.Kind, e.Text)
	}
}

// A process that is killed between any two commits leaves it to the next one, which has nothing to catch up on: the
// order of the pushes is in the store, and a push that nobody moves any more is released by its own time.
func TestCertificateFirstOverRestarts(t *testing.T) {
	steps := []storage.PushState{storage.PushSending, storage.PushSent, storage.PushDelivered}
	for killed := range len(steps) + 1 {
		r, cert := newTLSRig(t)
		d := r.register("+9990001")
		restart := func() {
			r.Fleet = New(r.opt, r.store, func() { r.pushed++ })
			if err := r.Load(); err != nil {
				t.Fatal(err)
			}
		}
		r.bootstrap(d)
		restart()
		_, jobs := r.due()
		for _, state := range steps[:killed] {
			r.becomes(&jobs[0], state)
			restart()
		}
		kinds, _ := r.due()
		if want := []string{"certificate", "", "", "bootstrap"}[killed]; kinds != want {
			t.Errorf("killed after %d steps: due %q, want %q", killed, kinds, want)
		}
		r.now = r.now.Add(r.opt.SendWithin - time.Second)
		restart()
		sent := killed >= 2
		if kinds, _ = r.due(); strings.HasSuffix(kinds, "bootstrap") != sent {
			t.Errorf("killed after %d steps, at the end of the time: due %q", killed, kinds)
		}
		if g := r.device(d.ID).Given(cert.ID); g == nil {
			t.Errorf("killed after %d steps: nothing is known of the certificate", killed)
		}
	}
}

// A certificate that goes as a link leads to its bytes, at the gateway or where it was put for that, and the bootstrap
// stands behind the link.
