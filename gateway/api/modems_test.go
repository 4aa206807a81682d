package api_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"dmgate/gateway/api"
	"dmgate/modempool"
)

// A modem goes by its ID, whose space is encoded, or by its name.
func TestModem(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"IMEI%20356938035643809", "ttyUSB0"} {
		var m api.Modem
		r.get("/v1/modems/"+path, &m)
		if m.ID != "IMEI 356938035643809" || m.Port != "/dev/ttyUSB0" || len(m.Exchanges) != 1 {
			t.Errorf("%s: %+v", path, m)
		}
	}
	if p := r.refused(r.call("GET", "/v1/modems/ttyUSB7", ""), 404); p.Detail != "there is no such modem" {
		t.Errorf("%+v", p)
	}
}

// What is done to a modem reaches the pool; the answer is how the modem stands.
func TestHandleModem(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct{ method, path, did string }{
		{"POST", "IMEI%20356938035643809/drain", "drain IMEI 356938035643809"},
		{"POST", "ttyUSB0/resume", "undrain ttyUSB0"},
		{"POST", "ttyUSB1/reset", "reset ttyUSB1"},
	} {
		var m api.Modem
		r.want(r.call(c.method, "/v1/modems/"+c.path, ""), 200, &m)
		got := r.bank.did[len(r.bank.did)-1]
		if got != c.did || !strings.HasSuffix(got, m.ID) && !strings.HasSuffix(got, m.Name) {
			t.Errorf("%s: %q, %+v", c.path, got, m)
		}
	}
	r.want(r.call("DELETE", "/v1/modems/ttyUSB1", ""), 200, &struct{}{})
	if got := r.bank.did; !slices.Contains(got, "remove ttyUSB1") || len(got) != 4 {
		t.Errorf("%q", got)
	}
	for _, c := range []struct{ method, path string }{
		{"POST", "/drain"}, {"POST", "/resume"}, {"POST", "/reset"}, {"DELETE", ""},
	} {
		if p := r.refused(r.call(c.method, "/v1/modems/nobody"+c.path, ""), 404); p.Detail != "there is no such modem" {
			t.Errorf("%s: %+v", c.path, p)
		}
	}
	if p := r.refused(r.call("POST", "/v1/modems/ttyUSB0/dance", ""), 404); p.Detail != "there is no such path" {
		t.Errorf("%+v", p)
	}
	if p := r.refused(r.call("GET", "/v1/modems/ttyUSB0/drain", ""), 405); p.Detail != "want POST" {
		t.Errorf("%+v", p)
	}
}

// A modem is added with all that is its own; its PIN is taken, and shown to nobody.
func TestAddModem(t *testing.T) {
	r := newRig(t)
	got := r.call("POST", "/v1/modems",
		`{"path":"/dev/ttyUSB9","pin":"73519","tags":["d1","d2"],"rate":6.5,"sim_day":90}`)
	var m api.Modem
	r.want(got, 201, &m)
	want := modempool.Port{
		Path: "/dev/ttyUSB9", PIN: "73519", Tags: []string{"d1", "d2"}, Limits: modempool.ModemLimits{Rate: 6.5, SIMDay: 90},
	}
	if len(r.bank.added) != 1 || !reflect.DeepEqual(r.bank.added[0], want) {
		t.Errorf("%+v, want %+v", r.bank.added, want)
	}
	if m.Port != "/dev/ttyUSB9" || !slices.Equal(m.Tags, want.Tags) || got.header.Get("Location") != "/v1/modems/added" {
		t.Errorf("%+v %v", m, got.header)
	}
	for _, text := range []string{got.body, r.call("GET", "/v1/modems", "").body, r.log.String()} {
		if strings.Contains(text, "73519") {
			t.Errorf("shows the PIN: %s", text)
		}
	}
	p := r.refused(r.call("POST", "/v1/modems", `{"path":"/dev/ttyUSB0"}`), 409)
	if p.Detail != "the port has a modem already" {
		t.Errorf("%+v", p)
	}
	for _, c := range []struct{ body, field, detail string }{
		{`{}`, "path", "no device file named"},
		{`{"path":"/dev/ttyUSB*"}`, "path", "a pattern, want one device file"},
		{`{"path":"/dev/ttyUSB8","pin":"12a4"}`, "pin", "not 4 to 8 digits"},
		{`{"path":"/dev/ttyUSB8","rate":-1}`, "rate", "-1, want 0 for that of all modems, or more"},
		{`{"path":"/dev/ttyUSB8","sim_day":-1}`, "sim_day", "-1, want 0 for that of all modems, or more"},
		{`{"path":"/dev/ttyUSB8","tags":["a",""]}`, "tags[1]",
			`"" is no tag (1 to 64 letters, digits, dots, dashes and underscores)`},
	} {
		if p := r.refused(r.call("POST", "/v1/modems", c.body), 422); p.Field != c.field || p.Detail != c.detail {
			t.Errorf("%s: %+v", c.body, p)
		}
	}
	p = r.refused(r.call("POST", "/v1/modems", `{"path":"/dev/ttyUSB8","pinFile":"x"}`), 400)
	if p.Field != "pinFile" || p.Detail != "line 1, column 24: unknown field" {
		t.Errorf("%+v", p)
	}
	if len(r.bank.added) != 1 {
		t.Errorf("added all the same: %+v", r.bank.added)
	}
}

// Limits are read, put back changed, and taken back to those of the file.
func TestLimits(t *testing.T) {
	r := newRig(t)
	const file = `{"from":"file","limits":{"modem":20,"pool":0,"sim_day":0,"destination_hour":0,` +
		`"quiet":{"from":"","to":"","zone":""},"destinations":[]}}` + "\n"
	if got := r.call("GET", "/v1/limits", ""); got.status != 200 || got.body != file {
		t.Errorf("status %d\n%s\nwant\n%s", got.status, got.body, file)
	}
	const limits = `{"modem":12.5,"pool":300,"sim_day":900,"destination_hour":4,` +
		`"quiet":{"from":"22:00","to":"07:00","zone":"UTC"},"destinations":[` +
		`{"prefix":"+49171","operator":"D1","zone":"Europe/Berlin","rate":30,"modems":["d1"]},{"prefix":"+49"}]}`
	const set = `{"from":"set","limits":` + limits + "}\n"
	for _, c := range []struct{ method, body string }{{"PUT", limits}, {"GET", ""}} {
		if got := r.call(c.method, "/v1/limits", c.body); got.status != 200 || got.body != set {
			t.Errorf("%s: status %d\n%s\nwant\n%s", c.method, got.status, got.body, set)
		}
	}
	for _, c := range []struct{ body, field, detail string }{
		{`{"pool":-1}`, "pool", "-1, want 0 for no limit, or more"},
		{`{"quiet":{"from":"22:00"}}`, "quiet.to", `"" is no time of day such as "07:00"`},
		{`{"destinations":[{"prefix":"+1"},{"prefix":"+2","zone":"Mars/Base"}]}`, "destinations[1].zone",
			`"Mars/Base" is no time zone such as "Europe/Berlin"`},
	} {
		if p := r.refused(r.call("PUT", "/v1/limits", c.body), 422); p.Field != c.field || p.Detail != c.detail {
			t.Errorf("%s: %+v", c.body, p)
		}
	}
	if p := r.refused(r.call("PUT", "/v1/limits", `{"modem":"fast"}`), 400); p.Field != "modem" {
		t.Errorf("%+v", p)
	}
	if got := r.call("GET", "/v1/limits", ""); got.body != set {
		t.Errorf("changed by what was refused: %s", got.body)
	}
	if got := r.call("DELETE", "/v1/limits", ""); got.status != 200 || got.body != file {
		t.Errorf("status %d\n%s\nwant\n%s", got.status, got.body, file)
	}
}
