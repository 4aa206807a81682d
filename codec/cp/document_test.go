package cp

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dmgate/codec/internal/vector"
)

func TestDefaultPort(t *testing.T) {
	for addr, want := range map[string]int{
		"http://dm.example/dm":       80,
		"https://dm.example/dm":      443,
		"HTTPS://dm.example/dm":      443,
		"https://dm.example:8443/dm": 8443,
		"http://[2001:db8::1]:81/":   81,
		"https://dm.example:0/dm":    443,
		"dm.example":                 80,
		"https://dm example/%":       443,
	} {
		if got := DefaultPort(addr); got != want {
			t.Errorf("%s: got %d, want %d", addr, got, want)
		}
	}
}

// The port is written even where the caller left it out (trap 6).
func TestPortIsAlwaysWritten(t *testing.T) {
	d := sample()
	d.Accounts[0].Port = 0
	if got := d.AppendWBXML(nil); string(got) != string(vector.Bytes(t, sampleWBXML)) {
		t.Errorf("got % X", got)
	}
}

// What the fields can not say is kept, and stands in what is written from them.
func TestNothingIsDropped(t *testing.T) {
	const head, tail = `<wap-provisioningdoc version="1.0">`, `</wap-provisioningdoc>`
	for _, v := range []struct{ name, doc, kept string }{
		{"a group nobody knows", `<characteristic type="X-ACME"><parm name="A" value="1"/></characteristic>`, "X-ACME"},
		{"another application", `<characteristic type="APPLICATION"><parm name="APPID" value="w2"/></characteristic>`,
			"w2"},
		{"an access point that is no APN", `<characteristic type="NAPDEF"><parm name="NAP-ADDRTYPE" value="E164"/>` +
			`</characteristic>`, "E164"},
		{"another bearer", `<characteristic type="NAPDEF"><parm name="BEARER" value="GSM-CSD"/></characteristic>`,
			"GSM-CSD"},
		{"a parm of an access point",
			`<characteristic type="NAPDEF"><parm name="LINGER" value="77"/></characteristic>`, "77"},
		{"a group of an access point",
			`<characteristic type="NAPDEF"><characteristic type="VALIDITY"/></characteristic>`,
			"VALIDITY"},
		{"a parm of a login", `<characteristic type="NAPDEF"><characteristic type="NAPAUTHINFO">` +
			`<parm name="AUTHNAME" value="u"/><parm name="SPI" value="66"/></characteristic></characteristic>`, "66"},
		{"a parm of an account", `<characteristic type="APPLICATION"><parm name="APPID" value="w7"/>` +
			`<parm name="DEFAULTENCODING" value="application/xml"/></characteristic>`, "DEFAULTENCODING"},
		{"a second access point of an account", `<characteristic type="APPLICATION"><parm name="APPID" value="w7"/>` +
			`<parm name="TO-NAPID" value="a"/><parm name="TO-NAPID" value="b"/></characteristic>`, `"b"`},
		{"a second address", `<characteristic type="APPLICATION"><parm name="APPID" value="w7"/>` +
			`<characteristic type="APPADDR"><parm name="ADDR" value="http://a"/></characteristic>` +
			`<characteristic type="APPADDR"><parm name="ADDR" value="http://b"/></characteristic></characteristic>`,
			"//b"},
		{"the kind of an address", `<characteristic type="APPLICATION"><parm name="APPID" value="w7"/>` +
			`<characteristic type="APPADDR"><parm name="ADDR" value="1.1.1.1"/><parm name="ADDRTYPE" value="IPV4"/>` +
			`</characteristic></characteristic>`, "IPV4"},
		{"a port that is none", `<characteristic type="APPLICATION"><parm name="APPID" value="w7"/>` +
			`<characteristic type="APPADDR"><parm name="ADDR" value="http://a"/><characteristic type="PORT">` +
			`<parm name="PORTNBR" value="eighty"/></characteristic></characteristic></characteristic>`, "eighty"},
		{"a login of another protocol", `<characteristic type="APPLICATION"><parm name="APPID" value="w7"/>` +
			`<characteristic type="APPAUTH"><parm name="AAUTHLEVEL" value="OBEX"/></characteristic></characteristic>`,
			"OBEX"},
		{"a login at a proxy", `<characteristic type="APPLICATION"><parm name="APPID" value="w7"/>` +
			`<characteristic type="APPAUTH"><parm name="AAUTHLEVEL" value="APPSRV"/>` +
			`<parm name="AAUTHTYPE" value="HTTP-BASIC"/></characteristic></characteristic>`, "HTTP-BASIC"},
		{"INIT, and nothing else", `<characteristic type="APPLICATION"><parm name="APPID" value="w7"/>` +
			`<parm name="INIT"/></characteristic>`, "INIT"},
		{"INIT with a value", `<characteristic type="APPLICATION"><parm name="APPID" value="w7"/>` +
			`<parm name="INIT" value="7"/></characteristic>`, `"7"`},
	} {
		t.Run(v.name, func(t *testing.T) {
			d, err := ReadXML([]byte(head + v.doc + tail))
			if err != nil {
				t.Fatal(err)
			}
			out := string(d.AppendXML(nil))
			if strings.Count(out, v.kept) != 1 {
				t.Errorf("%s stands %d times in\n%s", v.kept, strings.Count(out, v.kept), out)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, v := range []struct {
		name   string
		change func(d *Document)
		want   string
	}{
		{"as it is", func(d *Document) {}, ""},
		{"no NAPID", func(d *Document) { d.NAPDefs[0].ID = "" }, "cp: NAPDEF 1: NAPID is missing"},
		{"NAPID too long", func(d *Document) { d.NAPDefs[0].ID = long(17) },
			"cp: NAPDEF 1: NAPID of 17 characters (at most 16)"},
		{"NAPID twice", func(d *Document) { d.NAPDefs = append(d.NAPDefs, d.NAPDefs[0]) },
			`cp: NAPDEF 2: NAPID "N1" is taken`},
		{"no APN", func(d *Document) { d.NAPDefs[0].APN = "" }, "cp: NAPDEF 1: NAP-ADDRESS is missing"},
		{"AUTHTYPE", func(d *Document) { d.NAPDefs[0].Auth = &Login{Type: "MD5"} },
			`cp: NAPDEF 1: AUTHTYPE "MD5" (want PAP or CHAP)`},
		{"AUTHNAME", func(d *Document) { d.NAPDefs[0].Auth = &Login{Type: "PAP"} },
			"cp: NAPDEF 1: AUTHNAME is missing"},
		{"no ServerID", func(d *Document) { d.Accounts[0].ServerID = "" }, "cp: account 1: PROVIDER-ID is missing"},
		{"ServerID too long", func(d *Document) { d.Accounts[0].ServerID = long(151) },
			"cp: account 1: PROVIDER-ID of 151 characters (at most 150)"},
		{"no address", func(d *Document) { d.Accounts[0].Addr = "" }, "cp: account 1: ADDR is missing"},
		{"address too long", func(d *Document) { d.Accounts[0].Addr = long(151) },
			"cp: account 1: ADDR of 151 characters (at most 150)"},
		{"name of 100 characters, 200 bytes", func(d *Document) { d.Accounts[0].Name = strings.Repeat("ü", 100) }, ""},
		{"name too long", func(d *Document) { d.Accounts[0].Name = long(101) },
			"cp: account 1: NAME of 101 characters (at most 100)"},
		{"no device login", func(d *Document) { d.Accounts[0].Device = Login{} },
			"cp: account 1: APPSRV AAUTHNAME is missing"},
		{"device secret too long", func(d *Document) { d.Accounts[0].Device.Secret = long(51) },
			"cp: account 1: APPSRV AAUTHSECRET of 51 characters (at most 50)"},
		{"no server login", func(d *Document) { d.Accounts[0].Server = Login{} }, ""},
		{"server login without a name", func(d *Document) { d.Accounts[0].Server.Name = "" },
			"cp: account 1: CLIENT AAUTHNAME is missing"},
		{"port", func(d *Document) { d.Accounts[0].Port = 65536 }, "cp: account 1: PORTNBR 65536 (want 1 to 65535)"},
		{"AAUTHTYPE", func(d *Document) { d.Accounts[0].Device.Type = "MD5" },
			`cp: account 1: AAUTHTYPE "MD5" (want BASIC, DIGEST, both with a comma, or HMAC)`},
		{"access point that is not there", func(d *Document) { d.Accounts[0].ToNAPID = "N2" },
			`cp: account 1: TO-NAPID "N2" has no NAPDEF`},
		{"access point of another kind", func(d *Document) {
			d.Accounts[0].ToNAPID = "N2"
			d.Other = []Characteristic{{Type: "NAPDEF", Parms: []Parm{Value("NAPID", "N2"), Value("NAP-ADDRTYPE",
				"E164")}}}
		}, ""},
		{"any access point", func(d *Document) { d.Accounts[0].ToNAPID = "INTERNET" }, ""},
		{"APPID not first", func(d *Document) {
			d.Other = []Characteristic{{Type: "APPLICATION", Parms: []Parm{Value("NAME", "x"), Value("APPID", "w2")}}}
		}, "cp: APPLICATION: APPID must be the first parm"},
		{"line break in a type", func(d *Document) { d.Other = []Characteristic{{Type: "a\nb"}} },
			`cp: control character or broken UTF-8 in type "a\nb"`},
		{"line break in a value", func(d *Document) {
			d.Other = []Characteristic{{Type: "X", Parms: []Parm{Value("NAME", "a\nb")}}}
		}, `cp: X: control character or broken UTF-8 in NAME="a\nb"`},
		{"AAUTHLEVEL not before the name", func(d *Document) {
			d.Accounts[0].Other = []Characteristic{{Type: "APPAUTH", Parms: []Parm{Value("AAUTHNAME", "x"),
				Value("AAUTHLEVEL", "OBEX")}}}
		}, "cp: APPAUTH: AAUTHNAME before AAUTHLEVEL"},
		{"a proxy", func(d *Document) { d.Proxies = []PXLogical{proxy()} }, ""},
		{"no PROXY-ID", func(d *Document) { d.Proxies = []PXLogical{{}} }, "cp: PXLOGICAL 1: PROXY-ID is missing"},
		{"PROXY-ID too long", func(d *Document) { d.Proxies = []PXLogical{{ID: long(41)}} },
			"cp: PXLOGICAL 1: PROXY-ID of 41 characters (at most 40)"},
		{"PROXY-ID twice", func(d *Document) { d.Proxies = []PXLogical{proxy(), proxy()} },
			`cp: PXLOGICAL 2: PROXY-ID "P1" is taken`},
		{"PXAUTH-TYPE", func(d *Document) {
			d.Proxies = []PXLogical{proxy()}
			d.Proxies[0].Auth.Type = "PAP"
		}, `cp: PXLOGICAL 1: PXAUTH-TYPE "PAP" (want HTTP-BASIC or HTTP-DIGEST)`},
		{"a proxy without a host", func(d *Document) { d.Proxies = []PXLogical{{ID: "P1"}} },
			"cp: PXLOGICAL 1: PXPHYSICAL is missing"},
		{"a proxy behind nothing", func(d *Document) {
			d.Proxies = []PXLogical{proxy()}
			d.Proxies[0].Hosts[0].ToNAPID = "N2"
		}, `cp: PXLOGICAL 1: PXPHYSICAL 1: TO-NAPID "N2" has no NAPDEF`},
		{"a proxy's address", func(d *Document) {
			d.Proxies = []PXLogical{proxy()}
			d.Proxies[0].Hosts[0].Addr = "px.example"
		}, `cp: PXLOGICAL 1: PXPHYSICAL 1: PXADDR "px.example" is no IPv4 address`},
		{"a proxy's port", func(d *Document) {
			d.Proxies = []PXLogical{proxy()}
			d.Proxies[0].Hosts[0].Ports[0].Number = 65536
		}, "cp: PXLOGICAL 1: PXPHYSICAL 1: PORTNBR 65536 (want 1 to 65535)"},
		{"control character", func(d *Document) { d.Accounts[0].Device.Secret = "\x00" },
			`cp: APPAUTH: control character or broken UTF-8 in AAUTHSECRET="\x00"`},
		{"too deep", func(d *Document) {
			c := Characteristic{Type: "X"}
			for range 7 {
				c = Characteristic{Type: "X", Children: []Characteristic{c}}
			}
			d.Other = []Characteristic{c}
		}, "cp: X: nested deeper than 8"},
	} {
		t.Run(v.name, func(t *testing.T) {
			d := sample()
			v.change(d)
			got := ""
			if err := d.Validate(); err != nil {
				got = err.Error()
			}
			if got != v.want {
				t.Errorf("got  %s\nwant %s", got, v.want)
			}
		})
	}
}

func proxy() PXLogical {
	return PXLogical{
		ID: "P1", Name: "Proxy", StartPage: "http://wap.example/", Domains: []string{"mms.example"},
		Auth: &Login{Type: "HTTP-BASIC", Name: "u", Secret: "s"},
		Hosts: []PXPhysical{{
			ID: "H1", Addr: "10.0.0.1", IPv4: true, ToNAPID: "N1", Ports: []Port{{Number: 8080}, {Number: 9201, Service: "CO-WSP"}},
		}},
	}
}

// A proxy that leads through an access point that is none of ours stays where what refers to it is.
func TestProxyOfAnotherAccessPoint(t *testing.T) {
	d := &Document{Proxies: []PXLogical{proxy()}}
	got, err := Read(d.AppendWBXML(nil))
	if err != nil || len(got.Proxies) != 0 || len(got.Other) != 1 {
		t.Fatalf("%+v: %v", got, err)
	}
}

// Documents of any content, as they can be said in fields.

func genText(min int) *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune(" !\"&'<>,-.09AZazüß€☺\U0001F600")), min, 30, -1)
}

func genParm(t *rapid.T) Parm {
	name := rapid.SampledFrom([]string{"DNS-ADDR", "LINGER", "AACCEPT", "URI", "TO-PROXY", "DEFAULTENCODING",
		"CLIENT-ID", "T-BIT"})
	if rapid.Bool().Draw(t, "flag") {
		return Flag(name.Draw(t, "name"))
	}
	return Value(name.Draw(t, "name"), genText(0).Draw(t, "value"))
}

func genParms() *rapid.Generator[[]Parm] {
	return rapid.Custom(func(t *rapid.T) []Parm {
		return rest(rapid.SliceOfN(rapid.Custom(genParm), 0, 3).Draw(t, "parms"))
	})
}

func genOther(depth int) *rapid.Generator[[]Characteristic] {
	group := rapid.Custom(func(t *rapid.T) Characteristic {
		c := Characteristic{
			Type: rapid.SampledFrom([]string{"PXLOGICAL", "VALIDITY", "RESOURCE", "CLIENTIDENTITY",
				"X-ACME"}).Draw(t, "type"),
			Parms: genParms().Draw(t, "parms"),
		}
		if depth > 0 {
			c.Children = genOther(depth-1).Draw(t, "children")
		}
		if len(c.Children) > 0 {
			c.Tail = genParms().Draw(t, "tail")
		}
		return c
	})
	return rapid.Custom(func(t *rapid.T) []Characteristic {
		if cs := rapid.SliceOfN(group, 0, 2).Draw(t, "groups"); len(cs) > 0 {
			return cs
		}
		return nil
	})
}

func genLogin(types ...string) *rapid.Generator[Login] {
	return rapid.Custom(func(t *rapid.T) Login {
		return Login{
			Type:   rapid.SampledFrom(types).Draw(t, "type"),
			Name:   genText(0).Draw(t, "name"),
			Secret: genText(0).Draw(t, "secret"),
		}
	})
}

func genDocument(t *rapid.T) *Document {
	d := &Document{
		Version: rapid.SampledFrom([]string{"", "1.1"}).Draw(t, "version"),
		Other:   genOther(3).Draw(t, "other"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "access points") {
		n := NAPDef{
			ID:       genText(0).Draw(t, "id"),
			Name:     genText(0).Draw(t, "name"),
			APN:      genText(0).Draw(t, "apn"),
			Internet: rapid.Bool().Draw(t, "internet"),
			Extra:    genParms().Draw(t, "extra"),
			Other:    genOther(1).Draw(t, "other"),
		}
		if rapid.Bool().Draw(t, "auth") {
			l := genLogin("", "PAP", "CHAP").Draw(t, "login")
			n.Auth = &l
		}
		d.NAPDefs = append(d.NAPDefs, n)
	}
	for range rapid.IntRange(0, 2).Draw(t, "proxies") {
		p := PXLogical{
			ID: genText(1).Draw(t, "proxy"), Name: genText(0).Draw(t, "name"), StartPage: genText(0).Draw(t, "page"),
			Domains: slices.Clone(rapid.SliceOfN(genText(0), 1, 3).Draw(t, "domains")),
		}
		if rapid.Bool().Draw(t, "proxy auth") {
			l := genLogin("", "HTTP-BASIC").Draw(t, "proxy login")
			p.Auth = &l
		}
		for range rapid.IntRange(1, 2).Draw(t, "hosts") {
			host := PXPhysical{ID: genText(0).Draw(t, "host"), Addr: genText(0).Draw(t, "host addr")}
			host.IPv4 = rapid.Bool().Draw(t, "ipv4")
			if len(d.NAPDefs) > 0 {
				host.ToNAPID = rapid.SampledFrom(d.NAPDefs).Draw(t, "way").ID
			}
			for range rapid.IntRange(1, 2).Draw(t, "ports") {
				host.Ports = append(host.Ports, Port{
					Number: rapid.IntRange(1, 65535).Draw(t, "port"), Service: genText(0).Draw(t, "service"),
				})
			}
			p.Hosts = append(p.Hosts, host)
		}
		d.Proxies = append(d.Proxies, p)
	}
	for range rapid.IntRange(0, 2).Draw(t, "accounts") {
		a := DMAccount{
			ServerID: genText(0).Draw(t, "server"),
			Name:     genText(0).Draw(t, "name"),
			Addr:     genText(1).Draw(t, "addr"),
			Port:     rapid.IntRange(1, 65535).Draw(t, "port"),
			ToNAPID:  genText(0).Draw(t, "napid"),
			Device:   genLogin("", "BASIC", "DIGEST", "DIGEST,BASIC", "HMAC").Draw(t, "device"),
			Server:   genLogin("", "BASIC", "DIGEST").Draw(t, "server login"),
			Init:     rapid.Bool().Draw(t, "init"),
			Extra:    genParms().Draw(t, "extra"),
			Other:    genOther(1).Draw(t, "other"),
		}
		a.Device.Nonce = genText(0).Draw(t, "nonce")
		d.Accounts = append(d.Accounts, a)
	}
	return d
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := genDocument(t)
		if got, err := Read(d.AppendWBXML(nil)); err != nil || !reflect.DeepEqual(got, d) {
			t.Fatalf("by way of WBXML: %v\ngot  %+v\nwant %+v", err, got, d)
		}
		if got, err := ReadXML(d.AppendXML(nil)); err != nil || !reflect.DeepEqual(got, d) {
			t.Fatalf("by way of XML: %v\ngot  %+v\nwant %+v", err, got, d)
		}
		if prefix := []byte("keep"); string(d.AppendWBXML(prefix)[:4]) != "keep" ||
			string(d.AppendXML(prefix)[:4]) != "keep" {
			t.Fatal("what was in dst is gone")
		}
	})
}
