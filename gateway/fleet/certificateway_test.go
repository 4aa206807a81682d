package fleet

import (
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"dmgate/codec/push"
	"dmgate/storage"
)

func TestSendCertificate(t *testing.T) {
	r, cert := newTLSRig(t)
	d := r.register("+9990001")
	order := SendCertificate{Device: d.ID, Certificate: cert.ID, Key: "k"}
	first, err := r.SendCertificate(order)
	if err != nil || first.Repeated || first.How != HowPush || first.Why == "" {
		t.Fatalf("%+v: %v", first, err)
	}
	again, err := r.SendCertificate(order)
	if err != nil || !again.Repeated || again.Order != first.Order {
		t.Errorf("with the same key: %+v, %v", again, err)
	}
	order.Key = "other"
	same, err := r.SendCertificate(order)
	if err != nil || !same.Repeated || same.Order != first.Order {
		t.Errorf("the same again, while it is under way: %+v, %v", same, err)
	}
	_, jobs := r.due()
	if len(jobs) != 1 {
		t.Fatalf("%d pushes", len(jobs))
	}
	r.becomes(&jobs[0], storage.PushSending)
	r.becomes(&jobs[0], storage.PushSent)
	if o, _ := r.store.Order(d.ID, first.Order); o.State != storage.OrderOpen {
		t.Errorf("order %s while its report is waited for", o.State)
	}
	jobs[0].Until = time.Time{} // nobody will tell any more
	if err := r.Save(&jobs[0]); err != nil {
		t.Fatal(err)
	}
	if o, _ := r.store.Order(d.ID, first.Order); o.State != storage.OrderDone {
		t.Errorf("order %s when no report is waited for any more", o.State)
	}
	second, err := r.SendCertificate(order)
	if err != nil || second.Repeated {
		t.Fatalf("after it was sent: %+v, %v", second, err)
	}
	_, jobs = r.due()
	r.becomes(&jobs[0], storage.PushSending)
	r.becomes(&jobs[0], storage.PushFailed)
	if o, _ := r.store.Order(d.ID, second.Order); o.State != storage.OrderFailed || o.Reason != "no such subscriber" {
		t.Errorf("order %s: %s", o.State, o.Reason)
	}
	for _, c := range []struct {
		device storage.DeviceID
		cert   string
	}{{"none", cert.ID}, {d.ID, "none"}} {
		if _, err := r.SendCertificate(SendCertificate{Device: c.device, Certificate: c.cert}); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestCertificateWay(t *testing.T) {
	r, _ := newTLSRig(t)
	small, _, _ := r.AddCertificate("", rootDER(t, "Small", 1))
	large, _, _ := r.AddCertificate("", rootDER(t, "Large", 1000))
	for _, c := range []struct {
		man, mod, devTyp string
		cert             *storage.Certificate
		how, why         string
	}{
		{"", "", "", small, HowPush, "nothing is known of the device: a push asks least of it"},
		{"", "", "", large, HowSMS, "it would take 19 SMS, and at most 16 are sent"},
		{"Nokia", "E71", "smartphone", small, HowPush, "Nokia's phones offer a pushed certificate to their user"},
		{"NOKIA", "E71", "smartphone", large, HowSI, "it would take 19 SMS, and at most 16 are sent"},
		{"Apple", "iPhone", "", small, HowSMS, "iOS drops WAP pushes, and installs what its browser opens"},
		{"Samsung", "GT-S5230", "phone", small, HowSI, "phones of this make drop a pushed certificate"},
		{"Microsoft", "Lumia 650", "", small, HowSMS, "Windows phones take a certificate only from their browser or their operator"},
		{"Microsoft", "Surface", "", small, HowPush, "nothing is known of the device: a push asks least of it"},
		{"Quectel", "EC25", "modem/module", small, HowNone, "a module has no user: it has to be built in"},
	} {
		d := &storage.Device{Facts: map[string]string{"Man": c.man, "Mod": c.mod, "DevTyp": c.devTyp}}
		if got := r.certificateWay(d, c.cert); got.How != c.how || got.Why != c.why {
			t.Errorf("%s %s: %s, %s", c.man, c.mod, got.How, got.Why)
		}
	}
}

func TestCertificateWayLearnt(t *testing.T) {
	r, cert := newTLSRig(t)
	keep := func(m *storage.Model) {
		t.Helper()
		value, err := storage.AppendRecord(nil, m)
		if err == nil {
			err = r.store.PutDocument(storage.ModelPrefix+m.Key(), value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	learnt := func(recipe string, worked int) []storage.Learnt {
		return []storage.Learnt{{Origin: "o", Outcomes: []storage.RecipeOutcome{{Recipe: recipe, Worked: worked}}}}
	}
	keep(&storage.Model{Man: "Nokia", Mod: "E71", FwV: "1", Learnt: learnt(outcomeCertificate+HowSMS, 3)})
	keep(&storage.Model{Man: "Nokia", Mod: "E72", FwV: "1", Learnt: learnt(outcomeCertificate+wayBuiltIn+cert.ID, 2)})
	keep(&storage.Model{Man: "Nokia", Mod: "E73", FwV: "1", Learnt: learnt(outcomeCertificate+wayBuiltIn+cert.ID, 1)})
	keep(&storage.Model{Man: "Apple", Mod: "iPhone", FwV: "1"})
	for tac, key := range map[string]string{"35000001": "Nokia|E72|1", "35000002": "Apple|iPhone|1"} {
		keep(&storage.Model{TAC: tac, Models: []storage.ModelMet{{Key: key}}})
	}
	is := func(mod, fwV string) *storage.Device {
		return &storage.Device{Facts: map[string]string{"Man": "Nokia", "Mod": mod, "FwV": fwV}}
	}
	for _, c := range []struct {
		name  string
		d     *storage.Device
		needs bool
		why   string
	}{
		{"as it has worked", is("E71", "1"), true, "it has worked on 3 devices of this model"},
		{"other firmware", is("E71", "2"), true, "it has worked on 3 devices of this model"},
		{"built in", is("E72", "1"), false, ""},
		{"built in, as far as one device tells", is("E73", "1"), true, "Nokia's phones offer a pushed certificate to their user"},
		{"built in, by TAC", &storage.Device{DevID: "IMEI:350000011234567"}, false, ""},
		{"family by TAC", &storage.Device{DevID: "IMEI:350000021234567"}, true,
			"iOS drops WAP pushes, and installs what its browser opens"},
	} {
		needs, _, err := r.needsCertificate(c.d)
		if err != nil || (needs != nil) != c.needs {
			t.Errorf("%s: needs it: %t, %v", c.name, needs != nil, err)
		}
		if way := r.certificateWay(c.d, cert); c.needs && way.Why != c.why {
			t.Errorf("%s: %s, %s", c.name, way.How, way.Why)
		}
	}
}

func TestAddCertificate(t *testing.T) {
	r, cert := newTLSRig(t)
	der := rootDER(t, "Another", 1)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	added, warnings, err := r.AddCertificate("", text)
	if err != nil || added.Name != "Another" || string(added.DER) != string(der) || added.ID != added.Fingerprint[:16] {
		t.Fatalf("%+v: %v", added, err)
	}
	if len(warnings) != 1 || warnings[0].Code != "key" {
		t.Errorf("warnings %v", warnings)
	}
	r.now = r.now.Add(time.Hour)
	again, _, err := r.AddCertificate("Renamed", der)
	if err != nil || again.ID != added.ID || again.Name != "Renamed" || !again.Created.Equal(added.Created) {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	if list, err := r.Certificates("", 10); err != nil || len(list) != 2 {
		t.Errorf("%d certificates: %v", len(list), err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"", string(text) + string(text), "certificate: 2 certificates, want the root alone"},
		{"", "nothing", "certificate: neither PEM nor the DER of one certificate: "},
		{strings.Repeat("x", 101), string(der), "name: not at most 100 characters"},
	} {
		if _, _, err := r.AddCertificate(c.name, []byte(c.text)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%.20q: %v, want %s", c.text, err, c.want)
		}
	}
	r.now = epoch.AddDate(30, 0, 0)
	if _, _, err := r.AddCertificate("", der); err == nil || !strings.Contains(err.Error(), "it has expired on 2046-01-01. Renew it.") {
		t.Errorf("an expired one: %v", err)
	}
	if err := r.RemoveCertificate(cert.ID); err == nil || !strings.HasPrefix(err.Error(), "id: it is the one that devices are given") {
		t.Errorf("removing the one that is used: %v", err)
	}
	if err := r.RemoveCertificate(added.ID); err != nil {
		t.Error(err)
	}
	if err := r.RemoveCertificate(added.ID); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("removing it again: %v", err)
	}
}

func TestCertificateByLink(t *testing.T) {
	for _, c := range []struct {
		name, man, url, want string
	}{
		{"a text, to our own", "Apple", "", "Our root: https://gw.test:8443/t/"},
		{"a text, to where it was put", "Apple", "http://plain.test/ca.cer", "Our root: http://plain.test/ca.cer"},
		{"a WAP push", "MediaTek", "http://plain.test/ca.cer", "http://plain.test/ca.cer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, cert := newTLSRig(t)
			r.opt.Certificate.URL = c.url
			d := r.register("+9990001")
			err := r.store.Commit(&storage.Commit{Device: d.ID, Edit: func(d *storage.Device) error {
				d.Learn("Man", c.man)
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			r.bootstrap(d)
			kinds, jobs := r.due()
			if kinds != "certificate" {
				t.Fatalf("due: %s", kinds)
			}
			text := jobs[0].Text
			if text == "" {
				p, err := push.ReadPush(jobs[0].PDU)
				if err != nil || p.ContentType != push.TypeSIC {
					t.Fatalf("%+v: %v", p, err)
				}
				si, err := push.ReadIndication(p.Body)
				if err != nil {
					t.Fatal(err)
				}
				text = si.Href
			}
			if !strings.HasPrefix(text, c.want) {
				t.Errorf("%q, want %q", text, c.want)
			}
			if _, token, ok := strings.Cut(text, TicketPath); ok {
				ticket, err := r.Ticket(TicketID(token))
				if err != nil || string(ticket.Body) != string(cert.DER) || ticket.File.Type != certificateType {
					t.Errorf("%+v: %v", ticket, err)
				}
			}
			r.becomes(&jobs[0], storage.PushSending)
			r.becomes(&jobs[0], storage.PushDelivered)
			if kinds, _ := r.due(); kinds != "bootstrap" {
				t.Errorf("due behind the link: %s", kinds)
			}
			entries, _ := r.store.Timeline(d.ID, 0, 100)
			for _, e := range entries {
				if strings.Contains(e.Text, TicketPath) {
					t.Errorf("the feed tells the link: %s", e.Text)
				}
			}
		})
	}
}
