package modempool

import "testing"

func TestPortCheck(t *testing.T) {
	for _, c := range []struct {
		port Port
		want string
	}{
		{Port{Path: "/dev/ttyUSB0"}, ""},
		{Port{Path: "/dev/ttyUSB0", PIN: "12345678", Tags: []string{"d1"}, Limits: ModemLimits{Rate: 1, SIMDay: 1}}, ""},
		{Port{}, "path: no device file named"},
		{Port{Path: "/dev/ttyUSB0", PIN: `1234"`}, "pin: not 4 to 8 digits"},
		{
			Port{Path: "/dev/ttyUSB0", Tags: []string{"d1", ""}},
			`tags[1]: "" is no tag (1 to 64 letters, digits, dots, dashes and underscores)`,
		},
		{
			Port{Path: "/dev/ttyUSB0", Limits: ModemLimits{SIMDay: -1}},
			"sim_day: -1, want 0 for that of all modems, or more",
		},
	} {
		got := ""
		if err := c.port.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}
