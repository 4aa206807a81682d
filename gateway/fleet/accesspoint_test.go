package fleet

import (
	"errors"
	"strings"
	"testing"

	"dmgate/codec/cp"
	"dmgate/codec/push"
	"dmgate/storage"
)

// library puts an entry with all that there is into the library.
func (r *rig) library(code string, change func(*storage.Operator)) {
	r.t.Helper()
	o := &storage.Operator{
		Name: "Example", Country: "DE",
		Settings: storage.AccessPoints{
			NAPs: []storage.NAP{
				{ID: "N1", Name: "Example Internet", APN: "internet." + code, Auth: "PAP", User: "u", Secret: "s3cret", Internet: true,
					DNS: []string{"192.0.2.53"}},
				{ID: "N2", Name: "Example MMS", APN: "mms." + code, MMSC: "http://mms.example/mmsc", MMSProxy: "P2"},
			},
			Proxies: []storage.Proxy{
				{ID: "P1", Name: "Web", Addr: "192.0.2.1", Port: 8080, NAP: "N1", StartPage: "http://wap.example/", User: "p",
					Secret: "hidden"},
				{ID: "P2", Addr: "mms.example", Port: 9201, Service: "CO-WSP", NAP: "N2", Domains: []string{"mms.example"}},
			},
			Validity: true,
		},
	}
	if change != nil {
		change(o)
	}
	if err := r.PutOperator(code, func(*storage.Operator) (*storage.Operator, error) { return o, nil }); err != nil {
		r.t.Fatal(err)
	}
}

// The document of a whole entry: everything stands before what refers to it (section 6.3).
func TestAccessPointDocument(t *testing.T) {
	r := newRig(t)
	r.library("26201", nil)
	d := r.register("+9990001")
	placed, err := r.SendAccessPoint(SendAccessPoint{
		Device: d.ID, AccessPoint: AccessPoint{Operator: OperatorSIM, Sec: "userpin", PIN: "1234"},
	})
	if err != nil || placed.PIN != "1234" {
		t.Fatalf("%+v: %v", placed, err)
	}
	kinds, jobs := r.due()
	p, err := push.ReadPush(jobs[0].PDU)
	if err != nil || kinds != kindAccessPoint || !push.Verify(push.UserPIN, p.MAC, push.Key{PIN: "1234"}, p.Body) {
		t.Fatalf("%s %+v: %v", kinds, p, err)
	}
	doc, err := cp.Read(p.Body)
	if err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<wap-provisioningdoc version="1.0">
  <characteristic type="NAPDEF">
    <parm name="NAPID" value="N1"/>
    <parm name="NAME" value="Example Internet"/>
    <parm name="BEARER" value="GSM-GPRS"/>
    <parm name="NAP-ADDRESS" value="internet.26201"/>
    <parm name="NAP-ADDRTYPE" value="APN"/>
    <parm name="INTERNET"/>
    <parm name="DNS-ADDR" value="192.0.2.53"/>
    <characteristic type="NAPAUTHINFO">
      <parm name="AUTHTYPE" value="PAP"/>
      <parm name="AUTHNAME" value="u"/>
      <parm name="AUTHSECRET" value="s3cret"/>
    </characteristic>
    <characteristic type="VALIDITY">
      <parm name="COUNTRY" value="262"/>
      <parm name="NETWORK" value="01"/>
    </characteristic>
  </characteristic>
  <characteristic type="NAPDEF">
    <parm name="NAPID" value="N2"/>
    <parm name="NAME" value="Example MMS"/>
    <parm name="BEARER" value="GSM-GPRS"/>
    <parm name="NAP-ADDRESS" value="mms.26201"/>
    <parm name="NAP-ADDRTYPE" value="APN"/>
    <characteristic type="VALIDITY">
      <parm name="COUNTRY" value="262"/>
      <parm name="NETWORK" value="01"/>
    </characteristic>
  </characteristic>
  <characteristic type="PXLOGICAL">
    <parm name="PROXY-ID" value="P1"/>
    <parm name="NAME" value="Web"/>
    <parm name="STARTPAGE" value="http://wap.example/"/>
    <characteristic type="PXAUTHINFO">
      <parm name="PXAUTH-TYPE" value="HTTP-BASIC"/>
      <parm name="PXAUTH-ID" value="p"/>
      <parm name="PXAUTH-PW" value="hidden"/>
    </characteristic>
    <characteristic type="PXPHYSICAL">
      <parm name="PHYSICAL-PROXY-ID" value="P1"/>
      <parm name="PXADDR" value="192.0.2.1"/>
      <parm name="PXADDRTYPE" value="IPV4"/>
      <parm name="TO-NAPID" value="N1"/>
      <characteristic type="PORT">
        <parm name="PORTNBR" value="8080"/>
      </characteristic>
    </characteristic>
  </characteristic>
  <characteristic type="PXLOGICAL">
    <parm name="PROXY-ID" value="P2"/>
    <parm name="DOMAIN" value="mms.example"/>
    <characteristic type="PXPHYSICAL">
      <parm name="PHYSICAL-PROXY-ID" value="P2"/>
      <parm name="PXADDR" value="mms.example"/>
      <parm name="TO-NAPID" value="N2"/>
      <characteristic type="PORT">
        <parm name="PORTNBR" value="9201"/>
        <parm name="SERVICE" value="CO-WSP"/>
      </characteristic>
    </characteristic>
  </characteristic>
  <characteristic type="APPLICATION">
    <parm name="APPID" value="w4"/>
    <parm name="NAME" value="Example MMS"/>
    <parm name="TO-PROXY" value="P2"/>
    <parm name="ADDR" value="http://mms.example/mmsc"/>
  </characteristic>
</wap-provisioningdoc>
`
	if got := string(doc.AppendXML(nil)); got != want {
		t.Errorf("got\n%s", got)
	}
	r.becomes(&jobs[0], storage.PushSending)
	r.becomes(&jobs[0], storage.PushDelivered)
	if o, _ := r.store.Order(d.ID, placed.Order); o.State != storage.OrderDone {
		t.Errorf("order %s", o.State)
	}
	if got := r.device(d.ID); got.State != storage.Registered {
		t.Errorf("device %s: access points move it nowhere", got.State)
	}
	entries, _ := r.store.Timeline(d.ID, 0, 100)
	for _, e := range entries {
		if strings.Contains(e.Text, "s3cret") || strings.Contains(e.Text, "hidden") || strings.Contains(e.Text, "1234") {
			t.Errorf("a secret in the feed: %s", e.Text)
		}
	}
}

// Within a bootstrap the account is reached by the first access point.
func TestBootstrapWithAccessPoint(t *testing.T) {
	r := newRig(t)
	r.library("26201", nil)
	d := r.register("+9990001")
	_, err := r.Bootstrap(Bootstrap{Device: d.ID, AccessPoint: &AccessPoint{Operator: "26201", NAP: "N1"}})
	if err != nil {
		t.Fatal(err)
	}
	_, jobs := r.due()
	p, _ := push.ReadPush(jobs[0].PDU)
	doc, err := cp.Read(p.Body)
	if err != nil || len(doc.NAPDefs) != 1 || len(doc.Proxies) != 1 || len(doc.Accounts) != 1 || len(doc.Other) != 0 {
		t.Fatalf("%+v: %v", doc, err)
	}
	if doc.Accounts[0].ToNAPID != "N1" || doc.NAPDefs[0].Auth.Secret != "s3cret" {
		t.Errorf("account by %q, access point %+v", doc.Accounts[0].ToNAPID, doc.NAPDefs[0])
	}
}

// Which network a SIM is of: the library knows how long its MNC is.
func TestOperatorOf(t *testing.T) {
	for _, c := range []struct {
		name, imsi string
		facts      map[string]string
		library    []string
		want       string
	}{
		{"two digits", "262011234567890", nil, []string{"26201"}, "26201"},
		{"three digits", "310150123456789", nil, []string{"310150"}, "310150"},
		{"both: the longer one", "310150123456789", nil, []string{"31015", "310150"}, "310150"},
		{"the longer one is another network", "310150123456789", nil, []string{"31015", "310151"}, "31015"},
		{"none", "262011234567890", nil, []string{"26202"},
			"operator: the library has no entry for 262011 or 26201"},
		{"by what the device says", "", map[string]string{"SIMCardMcc": "262", "SIMCardMnc": "01"}, []string{"26201"}, "26201"},
		{"one digit", "", map[string]string{"Ext/SIMCardMcc": "262", "Ext/SIMCardMnc": "1"}, []string{"26201"}, "26201"},
		{"nothing known", "", nil, []string{"26201"},
			"operator: neither an IMSI nor a session of the device tells its network"},
		{"nonsense", "", map[string]string{"SIMCardMcc": "26", "SIMCardMnc": "2ab"}, []string{"26201"},
			"operator: neither an IMSI nor a session of the device tells its network"},
	} {
		r := newRig(t)
		for _, code := range c.library {
			r.library(code, nil)
		}
		got := ""
		o, err := r.operatorOf(&storage.Device{IMSI: c.imsi, Facts: c.facts})
		if err == nil {
			got = o.Code
		} else {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// What a device would refuse is refused before, and no message repeats a secret.
func TestPutOperatorChecks(t *testing.T) {
	for _, c := range []struct {
		code   string
		change func(o *storage.Operator)
		want   string
	}{
		{"2620", func(o *storage.Operator) {}, `code: "2620" is no MCC and MNC of 5 or 6 digits`},
		{"26201", func(o *storage.Operator) { o.Name = strings.Repeat("x", 101) }, "name: 101 characters (at most 100)"},
		{"26201", func(o *storage.Operator) { o.Country = "Germany" }, `country: "Germany" is no ISO 3166 code of two capitals`},
		{"26201", func(o *storage.Operator) { o.Settings.NAPs = nil },
			"naps: 0 access points and 2 proxies (want 1 to 16, and no more proxies)"},
		{"26201", func(o *storage.Operator) { o.Settings.NAPs[0].Auth = "MD5" }, `naps[0].auth: "MD5" is not PAP or CHAP`},
		{"26201", func(o *storage.Operator) { o.Settings.NAPs[0].Auth = "" }, "naps[0].auth: a login without PAP or CHAP"},
		{"26201", func(o *storage.Operator) { o.Settings.NAPs[0].Secret = "a\x00b" },
			"naps[0].secret: holds a control character, or is no UTF-8"},
		{"26201", func(o *storage.Operator) { o.Settings.NAPs[0].DNS = []string{"dns"} }, `naps[0].dns: "dns" is no IP address`},
		{"26201", func(o *storage.Operator) { o.Settings.NAPs[1].APN = "" },
			"settings: cp: NAPDEF 2: NAP-ADDRESS is missing"},
		{"26201", func(o *storage.Operator) { o.Settings.NAPs[1].ID = "N1" }, `settings: cp: NAPDEF 2: NAPID "N1" is taken`},
		{"26201", func(o *storage.Operator) { o.Settings.Proxies[0].Port = 0 }, "proxies[0].port: 0 is not 1 to 65535"},
		{"26201", func(o *storage.Operator) { o.Settings.Proxies[0].User = "" }, "proxies[0].user: a secret without a name"},
		{"26201", func(o *storage.Operator) { o.Settings.Proxies[1].NAP = "N9" },
			`settings: cp: PXLOGICAL 2: PXPHYSICAL 1: TO-NAPID "N9" has no NAPDEF`},
		{"26201", func(o *storage.Operator) { o.Settings.NAPs[1].MMSProxy = "P9" },
			`naps[1].mms_proxy: it leads to no proxy "P9"`},
	} {
		r := newRig(t)
		r.library("26202", nil)
		o, _ := r.Operator("26202")
		c.change(o)
		err := r.PutOperator(c.code, func(*storage.Operator) (*storage.Operator, error) { return o, nil })
		var field *FieldError
		if !errors.As(err, &field) || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// Settings as values, and values as settings.
func TestAccessPointValues(t *testing.T) {
	r := newRig(t)
	r.library("26201", nil)
	d := r.register("+9990001")
	got, err := r.recipeValues(d, kindAccessPoint, map[string]string{"apn.operator": OperatorSIM, "extra.x": "1"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"apn.operator": "sim", "extra.x": "1", "apn.id": "N1", "apn.name": "Example Internet", "apn.address": "internet.26201",
		"apn.auth": "PAP", "apn.user": "u", "apn.password": "s3cret", "apn.dns": "192.0.2.53", "apn.proxy": "192.0.2.1",
		"apn.port": "8080", "apn.homepage": "http://wap.example/",
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %q, want %q", name, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%q", got)
	}
	delete(got, "apn.operator")
	again, err := r.recipeValues(d, kindAccessPoint, got)
	if err != nil || len(again) != len(got) || again["apn.password"] != "s3cret" || again["apn.port"] != "8080" {
		t.Errorf("given by the values themselves: %q, %v", again, err)
	}
	for _, c := range []struct {
		values map[string]string
		want   string
	}{
		{map[string]string{}, "settings: cp: NAPDEF 1: NAP-ADDRESS is missing"},
		{map[string]string{"apn.address": "a", "apn.proxy": "p", "apn.port": "x"}, `values: apn.port: "x" is no number`},
		{map[string]string{"apn.operator": "26209"}, "operator: the library has no entry for \"26209\""},
		{map[string]string{"apn.operator": "26201", "apn.nap": "N7"}, `nap: there is no access point "N7"`},
	} {
		if _, err := r.recipeValues(d, kindAccessPoint, c.values); err == nil || err.Error() != c.want {
			t.Errorf("%q: %v, want %s", c.values, err, c.want)
		}
	}
}

func TestSendAccessPointOnce(t *testing.T) {
	r := newRig(t)
	r.library("26201", nil)
	d := r.register("+9990001")
	order := SendAccessPoint{Device: d.ID, Key: "k", AccessPoint: AccessPoint{Operator: "26201"}}
	first, err := r.SendAccessPoint(order)
	if err != nil || first.Repeated || first.PIN == "" {
		t.Fatalf("%+v: %v", first, err)
	}
	again, err := r.SendAccessPoint(order)
	if err != nil || !again.Repeated || again.Order != first.Order || again.PIN != first.PIN {
		t.Errorf("%+v: %v", again, err)
	}
	if _, jobs := r.due(); len(jobs) != 1 {
		t.Errorf("%d pushes", len(jobs))
	}
}
