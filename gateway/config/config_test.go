package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/modempool"
)

// write puts text into a configuration file.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dmgate.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The defaults work, with no file and with one that sets nothing. All of it is on loopback.
func TestDefaults(t *testing.T) {
	for name, path := range map[string]string{
		"no file": "", "empty": write(t, ""), "comment": write(t, "# nothing yet\n"), "dashes": write(t, "---\n"),
		"null": write(t, "null\n"), "empty part": write(t, "device:\n"),
	} {
		got, err := Load(path)
		want := Default()
		if err := want.Check(); err != nil {
			t.Fatal(err)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v %+v\nwant %+v", name, err, got, want)
		}
	}
	c := Default()
	for _, listen := range []string{c.Device.Listen, c.Admin.Listen} {
		if !strings.HasPrefix(listen, "127.0.0.1:") {
			t.Errorf("listens on %s", listen)
		}
	}
}

// A file sets what it names and leaves the rest.
func TestLoad(t *testing.T) {
	got, err := Load(write(t, `
data: /var/lib/dmgate
rules: /
device:
  listen: 0.0.0.0:80
  address: https://dm.example:8443/dm
  serverId: example
  scheme: hmac
  name: "Example's devices"
  body: 1048576
  sessions: 5
  keep: 5s
  idle: 1h30m
  drain: 2m
  timeout: 1m
  depth: 20
  items: 100
  string: 512
  source: {sessions: 7, connections: 8, ipv4: 24, ipv6: 48, exempt: [10.0.0.0/8, "2001:db8::1"]}
  certificate: {root: root.pem, send: always, within: 5m, segments: 4, url: "http://dm.example/ca.cer", chain: chain.pem}
admin: {listen: "[::1]:9000", body: 100}
orders: {sendWithin: 168h, answerWithin: 45m}
tree: {nodes: 100, check: 6h}
models: {failures: 5, share: 0.5, keep: 1000}
files: {upload: 5000000000, lifetime: 36h, uses: 1, requests: 50, downloads: 9, misses: 4, text: "Get {title} at {url}"}
modems:
  ports:
    - /dev/ttyUSB0
    - /dev/serial/by-id/*
    - {path: /dev/ttyUSB1, pinFile: /etc/dmgate/pin1, tags: [d1, roaming], rate: 3, simDay: 90}
  pinFile: /etc/dmgate/pin
  limits:
    modem: 0.5
    pool: 100
    simDay: 500
    destinationHour: 4
    quiet: {from: 22:00, to: "07:00", zone: UTC}
    destinations:
      - {prefix: "+49171", operator: D1, zone: Europe/Berlin, rate: 30, modems: [d1]}
      - prefix: +49
  timeout: 90s
  tries: 1
  doubtWindow: 10s
`))
	want := Config{
		Data: "/var/lib/dmgate", Rules: "/",
		Device: Device{
			Listen: "0.0.0.0:80", Address: "https://dm.example:8443/dm", ServerID: "example", Scheme: "hmac",
			Name: "Example's devices",
			Body: 1 << 20, Sessions: 5, Keep: 5 * time.Second, Idle: 90 * time.Minute, Drain: 2 * time.Minute,
			Timeout: time.Minute, Depth: 20, Items: 100, String: 512,
			Source: Source{
				Sessions: 7, Connections: 8, IPv4: 24, IPv6: 48, Exempt: []string{"10.0.0.0/8", "2001:db8::1"},
			},
			Certificate: Certificate{
				Root: "root.pem", Send: "always", Within: 5 * time.Minute, Segments: 4, URL: "http://dm.example/ca.cer",
				Chain: "chain.pem",
			},
		},
		Admin:  Admin{Listen: "[::1]:9000", Body: 100},
		Orders: Orders{SendWithin: 7 * 24 * time.Hour, AnswerWithin: 45 * time.Minute},
		Tree:   Tree{Nodes: 100, Check: 6 * time.Hour},
		Models: Models{Failures: 5, Share: 0.5, Keep: 1000},
		Files: Files{
			Upload: 5e9, Lifetime: 36 * time.Hour, Uses: 1, Requests: 50, Downloads: 9, Misses: 4,
			Text: "Get {title} at {url}",
		},
		Modems: Modems{
			Ports: []Port{
				{Path: "/dev/ttyUSB0"}, {Path: "/dev/serial/by-id/*"},
				{Path: "/dev/ttyUSB1", PINFile: "/etc/dmgate/pin1", Tags: []string{"d1", "roaming"}, Rate: 3, SIMDay: 90},
			},
			PINFile: "/etc/dmgate/pin",
			Limits: modempool.Limits{
				Modem: 0.5, Pool: 100, SIMDay: 500, DestinationHour: 4,
				Quiet: modempool.Quiet{From: "22:00", To: "07:00", Zone: "UTC"},
				Destinations: []modempool.Destination{
					{Prefix: "+49171", Operator: "D1", Zone: "Europe/Berlin", Rate: 30, Modems: []string{"d1"}},
					{Prefix: "+49"},
				},
			},
			Timeout: 90 * time.Second,
			Tries:   1,

			DoubtWindow: 10 * time.Second,
		},
	}
	if err := want.Check(); err != nil {
		t.Fatal(err)
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}
	some, err := Load(write(t, "device: {idle: 30s}\n"))
	want = Default()
	want.Device.Idle = 30 * time.Second
	if err := want.Check(); err != nil {
		t.Fatal(err)
	}
	if err != nil || !reflect.DeepEqual(some, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, some, want)
	}
}

// What is no configuration is refused with the file and the line.
func TestMalformed(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"data: x\nlisten: 127.0.0.1:1\n", `[2:1] unknown field "listen"`},
		{"device:\n  listen: 127.0.0.1:1\n  adress: http://x/dm\n", `[3:3] unknown field "adress"`},
		{"device:\n  body: much\n", "[2:9] "},
		{"device:\n  idle: soon\n", `[2:9] "soon" is no duration such as 90s or 72h`},
		{"modems:\n  doubtWindow: 5 m\n", `[2:16] "5 m" is no duration such as 90s or 72h`},
		{"modems:\n  tries: 1\n  timeout: 3 days\n", `[3:12] "3 days" is no duration such as 90s or 72h`},
		{"device:\n  idle: 10\n", "[2:9] "},
		{"\nmodems:\n  timeout: 30\n", "[3:12] "},
		{"device: 7\n", "[1:9] "},
		{"data: a\ndata: b\n", "[2:1] "},
		{"data: [\n", "[1:7] "},
		{"data: a\nrules: /no/such/folder\n", `[2:8] rules: "/no/such/folder" is no folder`},
		{"device:\n\tlisten: x\n", "[2:1] "},
	} {
		path := write(t, c.text)
		_, err := Load(path)
		if err == nil || !strings.HasPrefix(err.Error(), path+": "+c.want) {
			t.Errorf("%q\ngot  %v\nwant %s: %s...", c.text, err, path, c.want)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("a file that is not there: %v", err)
	}
}

// Each check names the field, what was there and what was wanted.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		set  func(*Config)
		want string
	}{
		{func(c *Config) { c.Data = "" }, "data: no folder named"},
		{func(c *Config) { c.Rules = "/dev/null" }, `rules: "/dev/null" is no folder`},
		{func(c *Config) { c.Rules = "/" }, ""},
		{func(c *Config) { c.Device.Listen = "8080" }, `device.listen: "8080" is no host:port`},
		{func(c *Config) { c.Device.Listen = "" }, `device.listen: "" is no host:port`},
		{func(c *Config) { c.Device.Listen = "127.0.0.1:http:80" }, `device.listen: "127.0.0.1:http:80" is no host:port`},
		{func(c *Config) { c.Admin.Listen = "::1:80" }, `admin.listen: "::1:80" is no host:port`},
		{func(c *Config) { c.Device.Listen, c.Admin.Listen = "a", "b" }, `device.listen: "a" is no host:port`},

		// Devices can not connect to "all addresses".
		{func(c *Config) { c.Device.Listen = ":8080" }, `device.address: has to be set where device.listen is ":8080"`},
		{func(c *Config) { c.Device.Listen = "0.0.0.0:80" },
			`device.address: has to be set where device.listen is "0.0.0.0:80"`},
		{func(c *Config) { c.Device.Listen = "[::]:80" }, `device.address: has to be set where device.listen is "[::]:80"`},
		{func(c *Config) { c.Device.Listen, c.Device.Address = ":80", "https://dm.example/dm" }, ""},
		{func(c *Config) { c.Device.Listen = "dm.example:80" }, ""},
		{func(c *Config) { c.Device.Address = "dm.example/dm" }, `device.address: "dm.example/dm" is no http or https URL`},
		{func(c *Config) { c.Device.Address = "dm.example:80/dm" },
			`device.address: "dm.example:80/dm" is no http or https URL`},
		{func(c *Config) { c.Device.Address = "ftp://dm.example/dm" },
			`device.address: "ftp://dm.example/dm" is no http or https URL`},
		{func(c *Config) { c.Device.Address = "http:///dm" }, `device.address: "http:///dm" is no http or https URL`},
		{func(c *Config) { c.Device.Address = "http://%zz/dm" }, `device.address: "http://%zz/dm" is no http or https URL`},
		{func(c *Config) { c.Device.Address = "http://dm.example" }, `device.address: path "", want /dm`},
		{func(c *Config) { c.Device.Address = "http://dm.example/dm/" }, `device.address: path "/dm/", want /dm`},
		{func(c *Config) { c.Device.Address = "http://dm.example/dm?x=1" },
			`device.address: "http://dm.example/dm?x=1" has more than a host and a path`},
		{func(c *Config) { c.Device.Address = "http://dm.example/dm#x" },
			`device.address: "http://dm.example/dm#x" has more than a host and a path`},
		{func(c *Config) { c.Device.Address = "http://a:b@dm.example/dm" },
			`device.address: "http://a:b@dm.example/dm" has more than a host and a path`},
		{func(c *Config) { c.Device.Address = "http://dm.example:http/dm" },
			`device.address: "http://dm.example:http/dm" is no http or https URL`},
		{func(c *Config) { c.Device.Address = "HTTPS://dm.example:1/dm" }, ""},

		{func(c *Config) { c.Device.ServerID = "" },
			`device.serverId: "" is not 1 to 23 ASCII characters without a space or quote`},
		{func(c *Config) { c.Device.ServerID = strings.Repeat("x", 23) }, ""},
		{func(c *Config) { c.Device.ServerID = strings.Repeat("x", 24) },
			`device.serverId: "xxxxxxxxxxxxxxxxxxxxxxxx" is not 1 to 23 ASCII characters without a space or quote`},
		{func(c *Config) { c.Device.ServerID = "a b" },
			`device.serverId: "a b" is not 1 to 23 ASCII characters without a space or quote`},
		{func(c *Config) { c.Device.ServerID = "é" },
			`device.serverId: "é" is not 1 to 23 ASCII characters without a space or quote`},
		{func(c *Config) { c.Device.ServerID = "a\n" },
			`device.serverId: "a\n" is not 1 to 23 ASCII characters without a space or quote`},

		{func(c *Config) { c.Device.ServerID = `a"b` },
			`device.serverId: "a\"b" is not 1 to 23 ASCII characters without a space or quote`},
		{func(c *Config) { c.Device.Scheme = "md5" }, ""},
		{func(c *Config) { c.Device.Scheme = "MD5" }, `device.scheme: "MD5" is not basic, md5 or hmac`},
		{func(c *Config) { c.Device.Body = 0 }, "device.body: want more than nothing"},
		{func(c *Config) { c.Device.Sessions = -1 }, "device.sessions: want more than nothing"},
		{func(c *Config) { c.Device.Idle = 0 }, "device.idle: want more than nothing"},
		{func(c *Config) { c.Device.Keep = 0 }, "device.keep: want more than nothing"},
		{func(c *Config) { c.Device.Drain = 0 }, "device.drain: want more than nothing"},
		{func(c *Config) { c.Device.Certificate.Send = "once" },
			`device.certificate.send: "once" is not always, unknown or never`},
		{func(c *Config) { c.Device.Certificate.URL = "ca.cer" },
			`device.certificate.url: "ca.cer" is no http or https URL`},
		{func(c *Config) { c.Device.Certificate.Within = 0 }, "device.certificate.within: want more than nothing"},
		{func(c *Config) { c.Device.Certificate.Segments = 0 }, "device.certificate.segments: want more than nothing"},
		{func(c *Config) { c.Device.Source.Sessions = 0 }, "device.source.sessions: want more than nothing"},
		{func(c *Config) { c.Device.Source.Connections = 0 }, "device.source.connections: want more than nothing"},
		{func(c *Config) { c.Device.Source.IPv4 = 33 }, "device.source.ipv4: 33 is not 1 to 32 bits"},
		{func(c *Config) { c.Device.Source.IPv6 = 0 }, "device.source.ipv6: 0 is not 1 to 128 bits"},
		{func(c *Config) { c.Device.Source.Exempt = []string{"::1", "proxy"} },
			`device.source.exempt: "proxy" is no address and no prefix such as 10.0.0.0/8`},
		{func(c *Config) { c.Device.Source.Exempt = nil }, ""},
		{func(c *Config) { c.Device.Timeout = -time.Second }, "device.timeout: want more than nothing"},
		{func(c *Config) { c.Device.Depth = 0 }, "device.depth: want more than nothing"},
		{func(c *Config) { c.Device.Items = 0 }, "device.items: want more than nothing"},
		{func(c *Config) { c.Device.String = 0 }, "device.string: want more than nothing"},
		{func(c *Config) { c.Admin.Body = 0 }, "admin.body: want more than nothing"},
		{func(c *Config) { c.Orders.SendWithin = 0 }, "orders.sendWithin: want more than nothing"},
		{func(c *Config) { c.Orders.AnswerWithin = 0 }, "orders.answerWithin: want more than nothing"},
		{func(c *Config) { c.Tree.Nodes = 0 }, "tree.nodes: want more than nothing"},
		{func(c *Config) { c.Tree.Check = 0 }, "tree.check: want more than nothing"},
		{func(c *Config) { c.Modems.Timeout = 0 }, "modems.timeout: want more than nothing"},
		{func(c *Config) { c.Modems.Tries = 0 }, "modems.tries: want more than nothing"},
		{func(c *Config) { c.Modems.DoubtWindow = 0 }, "modems.doubtWindow: want more than nothing"},
	} {
		conf := Default()
		c.set(&conf)
		got := ""
		if err := conf.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}

// A value that the checks refuse is told with its file.
func TestLoadChecks(t *testing.T) {
	path := write(t, "device: {body: 0}\n")
	if _, err := Load(path); err == nil || err.Error() != path+": device.body: want more than nothing" {
		t.Errorf("%v", err)
	}
}

// An address is a prefix as well.
func TestExemptPrefixes(t *testing.T) {
	c := Default()
	got, err := c.Device.Source.ExemptPrefixes()
	want := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v %v, want %v", got, err, want)
	}
	if got, err := Load(write(t, "device: {source: {exempt: []}}\n")); err != nil || len(got.Device.Source.Exempt) != 0 {
		t.Errorf("none: %v %v", got.Device.Source.Exempt, err)
	}
}
