package handset

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/warthog618/sms"

	"dmgate/codec/cp"
	"dmgate/codec/push"
)

// pointDocument sets up an access point, without any account.
func pointDocument(id, apn string) *cp.Document {
	return &cp.Document{NAPDefs: []cp.NAPDef{{
		ID: id, Name: "Net " + id, APN: apn, Auth: &cp.Login{Type: "PAP", Name: "me", Secret: "s"},
	}}}
}

// provision sends doc to h and tells the user its PIN.
func provision(t *testing.T, h *Handset, doc *cp.Document) {
	t.Helper()
	receive(t, h, bootstrapPDU(t, doc, push.UserPIN, push.Key{PIN: "77"}))
	h.Tell("77")
}

func receive(t *testing.T, h *Handset, pdu []byte) {
	t.Helper()
	for _, ud := range segmentsOf(t, pdu) {
		h.Receive(ud)
	}
}

func indicationPDU(href string) []byte {
	si := push.Indication{Href: href, ID: "1", Text: "Get it"}
	p := push.Push{ContentType: push.TypeSIC, Body: si.AppendWBXML(nil)}
	return p.Append(nil)
}

// TestAccessPoints: a document sets them up, with an account or without one, before it or after it; where the tree has
// a place for them they stand there, under names of the handset's.
func TestAccessPoints(t *testing.T) {
	n1 := AccessPoint{ID: "N1", Name: "Net", APN: "internet"}
	n2 := AccessPoint{ID: "N2", Name: "Net N2", APN: "mms", Auth: "PAP", User: "me", Password: "s"}
	for _, m := range []*Make{RedBend, S60SCOMO} {
		s := newTestServer(t)
		h := New(m, NewIdentity(7, 1), Temper{}, quick(t))
		doc := pointDocument("N2", "old")
		doc.Other = []cp.Characteristic{{
			Type:  "PXLOGICAL",
			Parms: []cp.Parm{cp.Value("PROXY-ID", "P"), cp.Value("NAME", "Gate"), cp.Value("STARTPAGE", "http://s/")},
			Children: []cp.Characteristic{{
				Type:  "PXPHYSICAL",
				Parms: []cp.Parm{cp.Value("PHYSICAL-PROXY-ID", "P1"), cp.Value("PXADDR", "10.0.0.1"), cp.Value("TO-NAPID", "N2")},
				Children: []cp.Characteristic{
					{Type: "PORT", Parms: []cp.Parm{cp.Value("PORTNBR", "9201")}},
				},
			}},
		}}
		provision(t, h, doc)
		if r := h.Result(); r.State != Unmanaged || r.Documents != 1 {
			t.Errorf("%s: %+v", m.Name, r)
		}
		s.bootstrap(h)
		provision(t, h, pointDocument("N2", "mms"))
		clean(t, h)
		if got := h.AccessPoints(); !slices.Equal(got, []AccessPoint{n2, n1}) {
			t.Errorf("%s: %+v", m.Name, got)
		}
		want := []Proxy{{ID: "P", Name: "Gate", Start: "http://s/", Addr: "10.0.0.1", Port: 9201, NAPID: "N2"}}
		if got := h.Proxies(); !slices.Equal(got, want) {
			t.Errorf("%s: %+v", m.Name, got)
		}
		if v, ok := h.Lookup("./NAP/NAPId001/Addr"); ok != (m == S60SCOMO) || ok && v != "mms" {
			t.Errorf("%s: %q, %v", m.Name, v, ok)
		}
		s.script = []string{"Delete ./NAP/NAPId001\nGet ./NAP/NAPId002/AuthInfo"}
		if err := h.Session(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := h.AccessPoints(); m == S60SCOMO && !slices.Equal(got, []AccessPoint{n1}) {
			t.Errorf("one that the server has deleted: %+v", got)
		}
	}
}

// TestCertificates: who takes a root certificate that comes by push or from a link.
func TestCertificates(t *testing.T) {
	packages := newPackages(t)
	der := newCertificate(t)
	packages.files["/root.cer"], packages.kinds["/root.cer"] = der, typeCACert
	p := push.Push{ContentType: push.TypeX509CACert, Body: der}
	for _, test := range []struct {
		make   *Make
		temper Temper
		want   bool
	}{
		{RedBend, Temper{}, true}, {S60, Temper{}, true}, {S60SCOMO, Temper{}, true}, {Samsung, Temper{}, true},
		{MediaTek, Temper{}, false}, {Windows, Temper{}, false}, {Modem, Temper{}, false}, {BasicOnly, Temper{}, false},
		{RedBend, Temper{Refuses: true}, false},
	} {
		pushed := New(test.make, NewIdentity(7, 1), test.temper, quick(t))
		receive(t, pushed, p.Append(nil))
		linked := New(test.make, NewIdentity(8, 1), test.temper, quick(t))
		linked.ReceiveText("Our root: " + packages.url + "/root.cer.")
		if err := linked.OpenLinks(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, h := range []*Handset{pushed, linked} {
			clean(t, h)
			if h.Trusts(Fingerprint(der)) != test.want || len(h.Installed()) > 0 {
				t.Errorf("%s (%v): trusts %v, installed %+v", test.make.Name, test.temper, !test.want, h.Installed())
			}
		}
	}
	h := New(RedBend, NewIdentity(7, 1), Temper{}, quick(t))
	p.Body = der[:len(der)-1]
	receive(t, h, p.Append(nil))
	if !violated(h, RulePush) {
		t.Error("half a certificate is taken")
	}
}

// TestLinks: the user opens what he is shown, once, and what lies there stands in the inventory where the tree has one.
func TestLinks(t *testing.T) {
	packages := newPackages(t)
	app := packages.url + "/app-1.bin"
	inParts := []string{"/app-1.bin bytes=0-1023", "/app-1.bin bytes=1024-4999"}
	const scomo = "./SCOMO/Inventory/Deployed/C1/Version"
	component := []Component{{ID: "app-1", Name: "app-1", Version: "7.1", URL: app}}
	for _, test := range []struct {
		name      string
		make      *Make
		temper    Temper
		send      func(*Handset)
		links     int
		requests  []string
		installed []Component
		uri       string // of its version, where the tree has a place
	}{
		{"text", RedBend, Temper{}, func(h *Handset) { h.ReceiveText("Get (" + app + ").") }, 1, []string{"/app-1.bin"},
			component, scomo},
		{"SI", S60, Temper{}, func(h *Handset) { receive(t, h, indicationPDU(app)) }, 1, []string{"/app-1.bin"}, component,
			"./SCM/Inventory/Deployed/C1/Version"},
		{"twice", S60SCOMO, Temper{}, func(h *Handset) {
			receive(t, h, indicationPDU(app))
			h.ReceiveText(app)
		}, 2, []string{"/app-1.bin"}, component, scomo},
		{"in two parts", MediaTek, Temper{}, func(h *Handset) { h.ReceiveText(app) }, 1,
			inParts, component, scomo},
		{"no inventory", Samsung, Temper{}, func(h *Handset) { h.ReceiveText(app) }, 1,
			inParts, component, ""},
		{"MSI", Windows, Temper{}, func(h *Handset) { h.ReceiveText(app) }, 1, []string{"/app-1.bin"}, component,
			"./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/app-1/Version"},
		{"ignored", RedBend, Temper{IgnoresLinks: true}, func(h *Handset) { h.ReceiveText(app) }, 1, nil, nil, ""},
		{"no user", Modem, Temper{}, func(h *Handset) { receive(t, h, indicationPDU(app)) }, 0, nil, nil, ""},
		{"service loading", RedBend, Temper{}, func(h *Handset) {
			sl := push.Loading{Href: app}
			p := push.Push{ContentType: push.TypeSLC, Body: sl.AppendWBXML(nil)}
			receive(t, h, p.Append(nil))
		}, 0, nil, nil, ""},
		{"dead", RedBend, Temper{}, func(h *Handset) { h.ReceiveText(packages.url + "/gone") }, 1, []string{"/gone"},
			nil, ""},
		{"no link", RedBend, Temper{}, func(h *Handset) { h.ReceiveText("Call me. ftp://x/") }, 0, nil, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := New(test.make, NewIdentity(7, 1), test.temper, quick(t))
			test.send(h)
			for range 2 {
				if err := h.OpenLinks(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			clean(t, h)
			if got := packages.requests(); !slices.Equal(got, test.requests) {
				t.Errorf("asked for %q (want %q)", got, test.requests)
			}
			if got := h.Installed(); !reflect.DeepEqual(got, test.installed) {
				t.Errorf("installed %+v (want %+v)", got, test.installed)
			}
			if r := h.Result(); r.Links != test.links || r.Downloaded != 5000*len(test.installed) {
				t.Errorf("%+v", r)
			}
			if test.uri == "" {
				return
			}
			// It is there before there is an account, and a later session shows it.
			if v, _ := h.Lookup(test.uri); v != "7.1" {
				t.Errorf("%s is %q", test.uri, v)
			}
			if c := h.Inventory()[1]; c != (Component{ID: "app-1", Name: "app-1", Version: "7.1"}) {
				t.Errorf("inventory %+v", c)
			}
			s := newTestServer(t, "Get "+test.uri)
			s.bootstrap(h)
			if err := h.Session(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := s.results[test.uri]; got != "7.1" {
				t.Errorf("the server sees %q", got)
			}
		})
	}
}

// TestTexts: texts as another implementation writes them, in one segment or several, in order or not, reach the user of
// a handset in a fleet, and a share of the users opens what is in them.
func TestTexts(t *testing.T) {
	packages := newPackages(t)
	const count = 40
	done := make(chan struct{}, count)
	f := NewFleet(Options{
		Count: count, Seed: 4, Makes: []*Make{RedBend, Samsung}, Ignoring: 0.25,
		Settings: Settings{Observe: func(e Event) {
			if e.Kind == LinkOpened {
				done <- struct{}{}
			}
		}},
	})
	running := make(chan error)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() { running <- f.Run(ctx) }()
	for i, h := range f.Handsets() {
		text := [...]string{
			"Get %s now", "Nehmen Sie {dies}: %s ~ für 5 €, bitte!", "Пожалуйста: %s",
			strings.Repeat("Please have a little patience. [ok] ", 9) + "%s " + strings.Repeat("x", i),
			strings.Repeat("Терпение! ", 12) + "%s",
		}[i%5]
		pdus, err := sms.Encode([]byte(fmt.Sprintf(text, packages.url+"/small.bin")), sms.To(h.MSISDN), sms.AsSubmit)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			slices.Reverse(pdus)
		}
		for _, p := range pdus {
			b, err := p.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			s, err := push.ReadSubmit(b)
			if err != nil {
				t.Fatal(err)
			}
			f.Submit(0, &s)
		}
	}
	for range count * 3 / 4 {
		<-done
	}
	f.Close()
	<-running
	if c := f.Counts(); c.Links != count || c.Opened != count*3/4 || c.Downloaded != 5*c.Opened || c.Violations != 0 {
		t.Errorf("%+v %v", c, f.Violations())
	}
}

// TestCounters: what the handset has sent and heard is what the server has heard and sent.
func TestCounters(t *testing.T) {
	s := newTestServer(t, "Get ./DevInfo/Man", "Get .")
	h := New(Windows, NewIdentity(7, 1), Temper{}, quick(t))
	s.bootstrap(h)
	for range 2 {
		if err := h.Session(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sent, received := 0, 0
	for _, b := range s.requests {
		sent += len(b)
	}
	for _, b := range s.stored {
		received += len(b)
	}
	r := h.Result()
	if r.Sessions != 2 || r.Messages != len(s.requests) || r.BytesSent != sent || r.BytesReceived != received {
		t.Errorf("%+v (want %d messages, %d bytes sent, %d received)", r, len(s.requests), sent, received)
	}
}

// TestOnly: handsets of one model are of a kind; those of a make are not.
func TestOnly(t *testing.T) {
	f := NewFleet(Options{Count: 20, Makes: []*Make{MediaTek.Only("K8 Max"), Windows}})
	defer f.Close()
	kinds := map[string]int{}
	for _, h := range f.Handsets() {
		man, mod, fwv := h.Model()
		kinds[h.Make.Name+" "+man+" "+mod+" "+fwv]++
	}
	if kinds["mediatek Kvarken K8 Max K8.MT.V2.03"] != 10 || len(kinds) != 3 {
		t.Errorf("%v", kinds)
	}
}
