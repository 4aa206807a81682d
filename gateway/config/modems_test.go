package config

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"dmgate/modempool"
)

// What can not be is refused with the file, the line and the key.
func TestModemsMalformed(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"modems:\n  ports: /dev/ttyUSB0\n", "[2:10] string was used where sequence is expected"},
		{"modems:\n  ports:\n    - /dev/ttyUSB0\n    - {path: /dev/x, tag: [a]}\n", `[4:22] unknown field "tag"`},
		{"modems:\n  ports:\n    - [a]\n", "[3:7] sequence was used where mapping is expected"},
		{"modems:\n  ports:\n    - {path: /dev/x, rate: fast}\n", "[3:28] "},
		{"modems:\n  ports:\n    - {rate: 1}\n", "[3:7] modems.ports[0].path: no device file named"},
		{"modems:\n  ports: ['/dev/[tty']\n", `[2:11] modems.ports[0].path: "/dev/[tty" is no pattern`},
		{
			"modems:\n  ports:\n    - /dev/a\n    - path: /dev/x\n      rate: -1\n",
			"[5:13] modems.ports[1].rate: -1, want 0 for that of all modems, or more",
		},
		{
			"modems:\n  ports: [{path: /dev/x, simDay: -1}]\n",
			"[2:34] modems.ports[0].simDay: -1, want 0 for that of all modems, or more",
		},
		{
			"modems:\n  ports: [{path: /dev/x, tags: [a, a b]}]\n",
			`[2:36] modems.ports[0].tags[1]: "a b" is no tag (1 to 64 letters, digits, dots, dashes and underscores)`,
		},
		{"modems:\n  rate: -1\n", "[2:9] modems.rate: want 0 for no limit, or more"},
		{
			"modems:\n  rate: 20\n  limits: {modem: 20}\n",
			"[2:9] modems.rate is short for modems.limits.modem: want one of them",
		},
		{"modems:\n  limits:\n    pool: -7\n", "[3:11] modems.limits.pool: -7, want 0 for no limit, or more"},
		{"modems:\n  limits:\n    sim_day: 7\n", `[3:5] unknown field "sim_day"`},
		{"modems:\n  limits: {simDay: -7}\n", "[2:20] modems.limits.simDay: -7, want 0 for no limit, or more"},
		{
			"modems:\n  limits: {destinationHour: -7}\n",
			"[2:29] modems.limits.destinationHour: -7, want 0 for no limit, or more",
		},
		{
			"modems:\n  limits:\n    quiet: {from: 22:00}\n",
			`[3:12] modems.limits.quiet.to: "" is no time of day such as "07:00"`,
		},
		{
			"modems:\n  limits:\n    destinations:\n      - prefix: +49\n        zone: Berlin\n",
			`[5:15] modems.limits.destinations[0].zone: "Berlin" is no time zone such as "Europe/Berlin"`,
		},
		{
			"modems:\n  limits:\n    destinations:\n      - prefix: +49\n      - prefix: \"+49\"\n",
			"[5:17] modems.limits.destinations[1].prefix: +49 is that of destinations[0] as well",
		},
	} {
		path := write(t, c.text)
		_, err := Load(path)
		if err == nil || !strings.HasPrefix(err.Error(), path+": "+c.want) {
			t.Errorf("%q\ngot  %v\nwant %s: %s...", c.text, err, path, c.want)
		}
	}
}

// Without a file the same checks say the key.
func TestModemsCheck(t *testing.T) {
	for _, c := range []struct {
		set  func(*Modems)
		want string
	}{
		{func(m *Modems) { m.Limits = modempool.Limits{} }, ""},
		{func(m *Modems) { m.Rate = math.NaN() }, "modems.rate: want 0 for no limit, or more"},
		{func(m *Modems) { m.Ports = []Port{{}} }, "modems.ports[0].path: no device file named"},
		{func(m *Modems) { m.Limits.SIMDay = -1 }, "modems.limits.simDay: -1, want 0 for no limit, or more"},
	} {
		conf := Default()
		c.set(&conf.Modems)
		got := ""
		if err := conf.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}

// modems.rate stays as the short form of modems.limits.modem.
func TestModemRate(t *testing.T) {
	for text, want := range map[string]float64{
		"":                                       20,
		"modems: {tries: 1}":                     20,
		"modems: {rate: }":                       20,
		"modems: {rate: 0}":                      0,
		"modems: {rate: 7.5}":                    7.5,
		"modems: {rate: 7, limits: {pool: 100}}": 7,
		"modems: {limits: {pool: 100}}":          20,
		"modems: {limits: {modem: 0}}":           0,
		"modems: {limits: {modem: 3}}":           3,
	} {
		if got, err := Load(write(t, text)); err != nil || got.Modems.Limits.Modem != want {
			t.Errorf("%q: %v %v, want %v", text, got.Modems.Limits.Modem, err, want)
		}
	}
}

// Ports go to the pool as they are named, with what holds for them and with their PINs.
func TestModemPorts(t *testing.T) {
	own, all := write(t, "98765432\n"), write(t, " 1234\r\n")
	c := Config{Modems: Modems{PINFile: all, Ports: []Port{
		{Path: "/dev/usb-b", Rate: 5, SIMDay: 6}, {Path: "/dev/usb-*", Tags: []string{"d1"}},
		{Path: "/dev/nowhere0", PINFile: own},
	}}}
	got, err := c.ModemPorts()
	want := []modempool.Port{
		{Path: "/dev/usb-b", PIN: "1234", Limits: modempool.ModemLimits{Rate: 5, SIMDay: 6}},
		{Path: "/dev/usb-*", PIN: "1234", Tags: []string{"d1"}},
		{Path: "/dev/nowhere0", PIN: "98765432"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %v, want %v", got, err, want)
	}
	c.Modems.PINFile = ""
	if got, err := c.ModemPorts(); err != nil || got[0].PIN != "" {
		t.Errorf("without a file: PIN %q, %v", got[0].PIN, err)
	}
	c.Modems.PINFile = all + ".none"
	if _, err := c.ModemPorts(); err == nil || !strings.HasPrefix(err.Error(), "modems.pinFile: ") {
		t.Errorf("no such file: %v", err)
	}
}
