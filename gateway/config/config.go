// Package config is the gateway's configuration: one typed document with its defaults and its checks.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"dmgate/modempool"
)

// Config is all that can be set. Default holds the values of what is not set.
type Config struct {
	Data   string `yaml:"data"`   // folder of the store and the admin key
	Rules  string `yaml:"rules"`  // folder of rules that go over the embedded ones; empty for none
	Device Device `yaml:"device"` // what devices connect to
	Admin  Admin  `yaml:"admin"`  // API, page, metrics
	Orders Orders `yaml:"orders"`
	Tree   Tree   `yaml:"tree"`
	Models Models `yaml:"models"`
	Files  Files  `yaml:"files"` // packages, and the links to them
	Modems Modems `yaml:"modems"`
}

// Device is the endpoint for devices.
type Device struct {
	Listen   string        `yaml:"listen"`   // host:port
	Address  string        `yaml:"address"`  // URL as devices reach it, written into bootstrap documents; http://LISTEN/dm if empty
	ServerID string        `yaml:"serverId"` // our name at the devices: at most 23 ASCII characters
	Scheme   string        `yaml:"scheme"`   // what devices have to use at least: "basic", "md5" or "hmac"; "" for basic
	Name     string        `yaml:"name"`     // what the phone shows for the account
	Body     int           `yaml:"body"`     // bytes of one request, at most
	Sessions int           `yaml:"sessions"` // open at once
	Keep     time.Duration `yaml:"keep"`     // a session silent for so long leaves memory; it stays open
	Idle     time.Duration `yaml:"idle"`     // one silent for so long gives its place up; its checkpoint stays
	Drain    time.Duration `yaml:"drain"`    // for running sessions to come to their end when the gateway is to end
	Timeout  time.Duration `yaml:"timeout"`  // for reading a request and for writing an answer
	Depth    int           `yaml:"depth"`    // nesting of elements in a message
	Items    int           `yaml:"items"`    // items in a message
	String   int           `yaml:"string"`   // bytes of one string in a message, item data aside
	Source   Source        `yaml:"source"`   // what one source address may take

	Certificate Certificate `yaml:"certificate"`
}

// Source is what one source may take of the places that there are for devices, and what counts as one.
type Source struct {
	Sessions    int      `yaml:"sessions"`    // open at once
	Connections int      `yaml:"connections"` // open at once
	IPv4        int      `yaml:"ipv4"`        // bits of an IPv4 address that tell sources apart
	IPv6        int      `yaml:"ipv6"`        // of an IPv6 address
	Exempt      []string `yaml:"exempt"`      // addresses and prefixes without limits: our own proxies
}

// Certificate says which root certificate devices are given before their bootstrap, and what is known of the chain that
// the server under Device.Address gives them.
type Certificate struct {
	Root     string        `yaml:"root"`     // file in PEM or DER, or the ID of one that was uploaded; "" for none
	Send     string        `yaml:"send"`     // "always"; "unknown": where the device is not known to trust it; "never"
	Within   time.Duration `yaml:"within"`   // how long the bootstrap waits for the certificate's delivery report
	Segments int           `yaml:"segments"` // SMS that it may take as a push; a larger one goes as a link
	URL      string        `yaml:"url"`      // where devices find it by a plain link; "" for links of our own
	Chain    string        `yaml:"chain"`    // PEM file of what the server gives; where it is "" the server is asked
}

// Admin is the endpoint for upstream and operators.
type Admin struct {
	Listen string `yaml:"listen"` // host:port
	Body   int    `yaml:"body"`   // bytes of one request, at most
}

// Orders are the deadlines of orders.
type Orders struct {
	SendWithin   time.Duration `yaml:"sendWithin"`   // an order no modem has taken by then has failed
	AnswerWithin time.Duration `yaml:"answerWithin"` // a bootstrap no session has followed by then counts as unanswered
}

// Tree is how devices are discovered.
type Tree struct {
	Nodes int           `yaml:"nodes"` // of a device's tree that are asked for, at most
	Check time.Duration `yaml:"check"` // after so long a session that has something to do asks for the firmware as well
}

// Models is when a recipe is not tried any more on devices of a model, and of how many models something is learnt.
type Models struct {
	Failures int     `yaml:"failures"` // devices on which it has failed, at least
	Share    float64 `yaml:"share"`    // of those on which it has worked or failed, between 0 and 1: more than that have failed
	Keep     int     `yaml:"keep"`     // models and TACs
}

// Files are the packages that the gateway keeps and serves, and the links by which devices fetch them.
type Files struct {
	Upload    int64         `yaml:"upload"`    // bytes of one package, at most
	Lifetime  time.Duration `yaml:"lifetime"`  // of a link
	Uses      int           `yaml:"uses"`      // whole downloads by one link
	Requests  int           `yaml:"requests"`  // requests by one link, for parts as well
	Downloads int           `yaml:"downloads"` // at once, by all devices
	Misses    int           `yaml:"misses"`    // links that there are not, opened by one source in a minute, before it is put off
	Text      string        `yaml:"text"`      // what a link is sent with; {title} and {url} stand for what they say
}

// Default is the configuration without a file.
func Default() Config {
	return Config{
		Data: "data",
		Device: Device{
			Listen: "127.0.0.1:8080", ServerID: "dmgate", Name: "Device management", Body: 256 << 10, Sessions: 100_000,
			Keep: 10 * time.Second, Idle: 10 * time.Minute, Drain: 30 * time.Second, Timeout: 30 * time.Second,
			Depth: 16, Items: 8192, String: 4096,
			Source: Source{
				Sessions: 1000, Connections: 4000, IPv4: 32, IPv6: 64, Exempt: []string{"127.0.0.0/8", "::1"},
			},
			Certificate: Certificate{Send: "unknown", Within: 15 * time.Minute, Segments: 16},
		},
		Admin:  Admin{Listen: "127.0.0.1:8081", Body: 4 << 20},
		Orders: Orders{SendWithin: 7 * 24 * time.Hour, AnswerWithin: 72 * time.Hour},
		Tree:   Tree{Nodes: 512, Check: 24 * time.Hour},
		Models: Models{Failures: 3, Share: 0.7, Keep: 50_000},
		Files: Files{
			Upload: 1 << 30, Lifetime: 7 * 24 * time.Hour, Uses: 3, Requests: 500, Downloads: 1000, Misses: 60,
			Text: "{title}: {url}",
		},
		Modems: Modems{Limits: modempool.Limits{Modem: 20}, Timeout: time.Minute, Tries: 5, DoubtWindow: 5 * time.Minute},
	}
}

// Load reads the file at path over the defaults. Its errors name the file, the line and what was wanted.
func Load(path string) (Config, error) {
	c := Default()
	if path == "" {
		return c, c.Check()
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	if err := read(text, &c); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// read sets what text names, leaves the rest of c, and checks all of it.
func read(text []byte, c *Config) error {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(file.Docs, setsSomething) {
		return c.Check() // an empty document would empty c
	}
	if err := badDuration(file); err != nil {
		return err
	}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(c); err != nil {
		return err
	}
	if err := c.Modems.read(file); err != nil {
		return err
	}
	return located(file, c.Check())
}

// keyError is a value that can not be, by its key.
type keyError struct {
	key    string // "modems.ports[2].rate"
	reason string
}

func (e *keyError) Error() string { return e.key + ": " + e.reason }

// located adds to a keyError the line on which its key stands, or what it is missing from.
func located(file *ast.File, err error) error {
	var bad *keyError
	if !errors.As(err, &bad) {
		return err
	}
	for key := bad.key; key != ""; key = key[:max(0, strings.LastIndexByte(key, '.'))] {
		if node := find(file, "$."+key); node != nil {
			return &yaml.SyntaxError{Message: err.Error(), Token: node.GetToken()}
		}
	}
	return err
}

// find is what stands at a path such as $.modems.rate; nil where nothing does.
func find(file *ast.File, path string) ast.Node {
	p, err := yaml.PathString(path)
	if err != nil {
		return nil
	}
	node, err := p.FilterFile(file)
	if err != nil || node.Type() == ast.NullType {
		return nil
	}
	return node
}

func setsSomething(d *ast.DocumentNode) bool {
	return d.Body != nil && d.Body.Type() != ast.CommentType && d.Body.Type() != ast.NullType
}

// durations are the settings that are a time. The YAML reader does not say where a bad one stands.
var durations = []string{
	"$.device.certificate.within", "$.device.keep", "$.device.idle", "$.device.drain", "$.device.timeout",
	"$.orders.sendWithin", "$.orders.answerWithin", "$.modems.timeout",
	"$.modems.doubtWindow", "$.files.lifetime", "$.tree.check",
}

func badDuration(file *ast.File) error {
	for _, path := range durations {
		text, ok := find(file, path).(*ast.StringNode)
		if !ok {
			continue
		}
		if _, err := time.ParseDuration(text.Value); err != nil {
			return &yaml.SyntaxError{
				Message: fmt.Sprintf("%q is no duration such as 90s or 72h", text.Value), Token: text.GetToken(),
			}
		}
	}
	return nil
}

// maxLinkText is how long the text of a link may be: with a title and a link it has to go into few SMS.
const maxLinkText = 300

var serverID = regexp.MustCompile(`^[!#-~]{1,23}$`)

// schemes are the words for Device.Scheme. Without one a challenge asks for MD5, and basic is taken all the same.
var schemes = []string{"", "basic", "md5", "hmac"}

// Check says what can not work.
func (c *Config) Check() error {
	switch {
	case c.Data == "":
		return errors.New("data: no folder named")
	case !serverID.MatchString(c.Device.ServerID):
		return fmt.Errorf("device.serverId: %q is not 1 to 23 ASCII characters without a space or quote", c.Device.ServerID)
	case !slices.Contains(schemes, c.Device.Scheme):
		return fmt.Errorf("device.scheme: %q is not basic, md5 or hmac", c.Device.Scheme)
	}
	for _, l := range []struct{ name, address string }{
		{"device.listen", c.Device.Listen}, {"admin.listen", c.Admin.Listen},
	} {
		if _, _, err := net.SplitHostPort(l.address); err != nil {
			return fmt.Errorf("%s: %q is no host:port", l.name, l.address)
		}
	}
	if info, err := os.Stat(c.Rules); c.Rules != "" && (err != nil || !info.IsDir()) {
		return &keyError{"rules", fmt.Sprintf("%q is no folder", c.Rules)}
	}
	if err := c.Device.checkAddress(); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		ok   bool
	}{
		{"device.body", c.Device.Body > 0}, {"device.sessions", c.Device.Sessions > 0}, {"device.keep", c.Device.Keep > 0},
		{"device.idle", c.Device.Idle > 0}, {"device.drain", c.Device.Drain > 0},
		{"device.source.sessions", c.Device.Source.Sessions > 0},
		{"device.source.connections", c.Device.Source.Connections > 0},
		{"device.certificate.within", c.Device.Certificate.Within > 0},
		{"device.certificate.segments", c.Device.Certificate.Segments > 0},
		{"device.timeout", c.Device.Timeout > 0}, {"device.depth", c.Device.Depth > 0}, {"device.items", c.Device.Items > 0},
		{"device.string", c.Device.String > 0}, {"admin.body", c.Admin.Body > 0},
		{"orders.sendWithin", c.Orders.SendWithin > 0}, {"orders.answerWithin", c.Orders.AnswerWithin > 0},
		{"tree.nodes", c.Tree.Nodes > 0}, {"tree.check", c.Tree.Check > 0},
		{"files.upload", c.Files.Upload > 0}, {"files.lifetime", c.Files.Lifetime > 0}, {"files.uses", c.Files.Uses > 0},
		{"files.requests", c.Files.Requests > 0}, {"files.downloads", c.Files.Downloads > 0},
		{"files.misses", c.Files.Misses > 0},
		{"modems.timeout", c.Modems.Timeout > 0}, {"modems.tries", c.Modems.Tries > 0},
		{"models.failures", c.Models.Failures > 0}, {"models.share", c.Models.Share > 0}, {"models.keep", c.Models.Keep > 0},
		{"modems.doubtWindow", c.Modems.DoubtWindow > 0},
	} {
		if !f.ok {
			return fmt.Errorf("%s: want more than nothing", f.name)
		}
	}
	if c.Models.Share >= 1 {
		return fmt.Errorf("models.share: %g is not below 1: nothing would be barred", c.Models.Share)
	}
	if n := utf8.RuneCountInString(c.Files.Text); n > maxLinkText {
		return fmt.Errorf("files.text: %d characters, at most %d", n, maxLinkText)
	}
	if err := c.Device.Source.check(); err != nil {
		return err
	}
	if err := c.Device.Certificate.check(); err != nil {
		return err
	}
	return c.Modems.check()
}

// sends are the words for Certificate.Send.
var sends = []string{"always", "unknown", "never"}

func (c *Certificate) check() error {
	if !slices.Contains(sends, c.Send) {
		return fmt.Errorf("device.certificate.send: %q is not always, unknown or never", c.Send)
	}
	if c.URL == "" {
		return nil
	}
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("device.certificate.url: %q is no http or https URL", c.URL)
	}
	return nil
}

func (s *Source) check() error {
	switch {
	case s.IPv4 < 1 || s.IPv4 > 32:
		return fmt.Errorf("device.source.ipv4: %d is not 1 to 32 bits", s.IPv4)
	case s.IPv6 < 1 || s.IPv6 > 128:
		return fmt.Errorf("device.source.ipv6: %d is not 1 to 128 bits", s.IPv6)
	}
	_, err := s.ExemptPrefixes()
	return err
}

// ExemptPrefixes is Exempt, with a prefix of full length for an address.
func (s *Source) ExemptPrefixes() ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, text := range s.Exempt {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("device.source.exempt: %q is no address and no prefix such as 10.0.0.0/8", text)
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

// checkAddress checks the address that bootstrap documents carry: it can not be guessed from a listener on all
// addresses.
func (d *Device) checkAddress() error {
	if d.Address == "" {
		host, _, _ := net.SplitHostPort(d.Listen)
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			return fmt.Errorf("device.address: has to be set where device.listen is %q", d.Listen)
		}
		return nil
	}
	address, err := url.Parse(d.Address)
	switch {
	case err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https":
		return fmt.Errorf("device.address: %q is no http or https URL", d.Address)
	case address.Path != "/dm":
		return fmt.Errorf("device.address: path %q, want /dm", address.Path)
	case address.RawQuery != "" || address.Fragment != "" || address.User != nil: // we add a query of our own
		return fmt.Errorf("device.address: %q has more than a host and a path", d.Address)
	}
	return nil
}
