package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"dmgate/gateway/api"
	"dmgate/storage"
)

// Without the key there is nothing to see, not even which paths there are.
func TestKey(t *testing.T) {
	r := newRig(t)
	d := r.device(1)
	calls := []struct{ method, path string }{
		{"POST", "/v1/devices"}, {"GET", "/v1/devices"}, {"GET", "/v1/devices/" + string(d.ID)},
		{"GET", "/v1/devices/" + string(d.ID) + "/results"}, {"POST", "/v1/bootstraps"}, {"GET", "/v1/feed"},
		{"GET", "/v1/modems"}, {"POST", "/v1/modems"}, {"GET", "/v1/modems/ttyUSB0"}, {"DELETE", "/v1/modems/ttyUSB0"},
		{"POST", "/v1/modems/ttyUSB0/drain"}, {"GET", "/v1/limits"}, {"PUT", "/v1/limits"}, {"DELETE", "/v1/limits"},
		{"GET", "/v1/overview"}, {"GET", "/v1/nothing"}, {"DELETE", "/v1/devices"},
		{"GET", "/v1/campaigns"}, {"POST", "/v1/campaigns"}, {"POST", "/v1/campaigns/x/targets"},
		{"GET", "/v1/campaigns/x/report.csv"}, {"GET", "/v1/models"}, {"GET", "/v1/models/x"}, {"GET", "/v1/models/export"},
		{"POST", "/v1/models/import"}, {"POST", "/v1/models/x/reset"}, {"DELETE", "/v1/models/x"},
		{"POST", "/v1/packages"}, {"GET", "/v1/packages"}, {"PUT", "/v1/packages/x/file"}, {"DELETE", "/v1/packages/x"},
		{"GET", "/v1/packages/choose"},
	}
	for _, authorization := range []string{
		"", "Bearer", "Bearer ", "Bearer x", "Bearer " + adminKey[1:], "Bearer " + adminKey + "x", "Bearer " +
			strings.ToUpper(adminKey),
		"Bearer  " + adminKey, "Basic " + adminKey, adminKey,
	} {
		for _, c := range calls {
			got := r.send(http.DefaultClient, c.method, c.path, "", authorization)
			p := r.refused(got, 401)
			if got.header.Get("WWW-Authenticate") != "Bearer" || p.Detail != "want the admin key as a bearer token" {
				t.Errorf("%s %s with %q: %v %s", c.method, c.path, authorization, got.header, got.body)
			}
		}
	}
	for _, authorization := range []string{"Bearer " + adminKey, "bearer " + adminKey} { // RFC 9110, 11.1
		if got := r.send(http.DefaultClient, "GET", "/v1/overview", "", authorization); got.status != 200 {
			t.Errorf("%q: status %d", authorization, got.status)
		}
	}
}

// A browser that has signed in to the page may look, and no more: another site could make it send a POST.
func TestPageCookieOnlyReads(t *testing.T) {
	r := newRig(t)
	d := r.device(1)
	browser := r.browser()
	for _, path := range []string{
		"/v1/devices", "/v1/devices/" + string(d.ID), "/v1/feed", "/v1/modems", "/v1/modems/ttyUSB0", "/v1/limits",
		"/v1/overview",
	} {
		if got := r.send(browser, "GET", path, "", ""); got.status != 200 {
			t.Errorf("GET %s: status %d", path, got.status)
		}
	}
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/v1/devices", `{"msisdn":"+491700000002"}`},
		{"POST", "/v1/bootstraps", fmt.Sprintf(`{"devices":[%q]}`, d.ID)},
		{"POST", "/v1/modems", `{"path":"/dev/ttyUSB9"}`}, {"POST", "/v1/modems/ttyUSB0/drain", ""},
		{"DELETE", "/v1/modems/ttyUSB0", ""}, {"PUT", "/v1/limits", "{}"}, {"DELETE", "/v1/limits", ""},
		{"PUT", "/v1/devices", ""}, {"HEAD", "/v1/devices", ""}, {"DELETE", "/v1/devices/" + string(d.ID), ""},
	} {
		if got := r.send(browser, c.method, c.path, c.body, ""); got.status != 401 {
			t.Errorf("%s %s: status %d", c.method, c.path, got.status)
		}
	}
	if head := r.store.Head(); head != 1 {
		t.Errorf("the feed has %d entries, want the one of the device", head)
	}
	if len(r.bank.did) > 0 || len(r.bank.added) > 0 || r.bank.LimitsSet() {
		t.Errorf("something was done to modems: %q %v", r.bank.did, r.bank.added)
	}
}

// What no route takes is refused, and says what would be taken.
func TestNoRoute(t *testing.T) {
	r := newRig(t)
	d := "/v1/devices/" + string(r.device(1).ID)
	for _, c := range []struct {
		method, path  string
		status        int
		detail, allow string
	}{
		{"GET", "/v1/", 404, "there is no such path", ""},
		{"GET", "/v1/device", 404, "there is no such path", ""},
		{"GET", "/v1/devices/", 404, "there is no such path", ""},
		{"GET", d + "/", 404, "there is no such path", ""},
		{"GET", d + "/results/1", 404, "there is no such path", ""},
		{"POST", "/v1/campaigns/x/groups//release", 404, "there is no such path", ""},
		{"POST", "/v1/campaigns/x/groups/a/b/release", 404, "there is no such path", ""},
		{"POST", "/v1/campaigns/x/groups/tac:1/release", 404, "", ""},
		{"DELETE", "/v1/campaigns/x/targets", 405, "want POST or GET", "POST, GET"},
		{"GET", "/v1/Feed", 404, "there is no such path", ""},
		{"DELETE", "/v1/devices", 405, "want POST or GET", "POST, GET"},
		{"HEAD", "/v1/overview", 405, "", "GET"},
		{"PATCH", d, 405, "want GET", "GET"},
		{"POST", d, 405, "want GET", "GET"},
		{"POST", "/v1/feed", 405, "want GET", "GET"},
		{"GET", "/v1/bootstraps", 405, "want POST", "POST"},
		{"GET", "/v1/devices/nobody", 404, "", ""},
		{"GET", "/v1/devices/%00", 404, "", ""},
		{"GET", "/v1/devices/" + strings.Repeat("x", 2000), 404, "", ""},
		{"GET", "/v1/devices/nobody/results", 404, "", ""},
	} {
		got := r.call(c.method, c.path, "")
		if c.method != "HEAD" {
			if p := r.refused(got, c.status); p.Detail != c.detail {
				t.Errorf("%s %.60s: %+v", c.method, c.path, p)
			}
		}
		if got.status != c.status || got.header.Get("Allow") != c.allow {
			t.Errorf("%s %.60s: status %d, Allow %q", c.method, c.path, got.status, got.header.Get("Allow"))
		}
	}
}

// A body that is no JSON, or not the JSON that is wanted, is told where it goes wrong.
func TestMalformedJSON(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct{ path, body, detail, field string }{
		{"devices", "", "line 1, column 1: empty body", ""},
		{"devices", " \n ", "line 1, column 1: empty body", ""},
		{"devices", "hello", "line 1, column 1: invalid character 'h' looking for beginning of value", ""},
		{"devices", `{"msisdn": "+4917`, "line 1, column 18: the JSON text ends too early", ""},
		{"devices", "{\n  \"msisdn\": \"+491701234567\"\n", "line 3, column 1: the JSON text ends too early", ""},
		{"devices", "{\n  \"msisdn\": +491701234567\n}",
			"line 2, column 13: invalid character '+' looking for beginning of value", ""},
		{"devices", "{\"msisdn\": \"+49\n1701234567\"}", "line 1, column 16: invalid character '\\n' in string literal", ""},
		{"devices", `{"msisdn": 491701234567}`, "line 1, column 23: number in place of string", "msisdn"},
		{"devices", `["+491701234567"]`, "line 1, column 1: array in place of api.NewDevice", ""},
		{"devices", `{"msisdn": "+491701234567"} {}`, "line 1, column 29: more than one JSON value", ""},
		{"devices", `{"msisdn": "+491701234567"}x`, "line 1, column 28: more than one JSON value", ""},
		{"devices", "{\n\"msisdn\": \"+491701234567\",\n\"number\": 7}", "line 3, column 1: unknown field", "number"},
		{"devices", "{\"imsi\": \"a\\\"b\",\n \"msisdn\": {},\n\n \"x\\ty\": 7,\n \"z\": {}}",
			"line 2, column 12: object in place of string", "msisdn"},
		{"devices", "{\"imsi\": \"x\\ty\",\n\n \"x\\ty\": {\"z\": 1},\n \"z\": {}}", "line 3, column 2: unknown field",
			"x\ty"},
		{"bootstraps", `{"devices": "all"}`, "line 1, column 17: string in place of []storage.DeviceID", "devices"},
		{"bootstraps", `{"devices": ["a", 7]}`, "line 1, column 19: number in place of storage.DeviceID", "devices"},
		{"bootstraps", `{"devices": ["a"], "priority": 256}`, "line 1, column 34: number 256 in place of uint8", "priority"},
		{"bootstraps", `{"devices": ["a"], "priority": -1}`, "line 1, column 33: number -1 in place of uint8", "priority"},
		{"bootstraps", strings.Repeat("[", 20000), "line 1, column 10001: invalid character '[' exceeded max depth", ""},
	} {
		p := r.refused(r.call("POST", "/v1/"+c.path, c.body), 400)
		if p.Title != "malformed JSON" || p.Detail != c.detail || p.Field != c.field {
			t.Errorf("%.60q\ngot  %q, field %q\nwant %q, field %q", c.body, p.Detail, p.Field, c.detail, c.field)
		}
	}
	if head := r.store.Head(); head != 0 {
		t.Errorf("something has happened all the same: the feed has %d entries", head)
	}
}

// A value that can not be is refused with the name of its field.
func TestInvalidValues(t *testing.T) {
	r := newRig(t)
	id := string(r.device(1).ID)
	const e164 = ` is no number in E.164 form ("+", then 7 to 15 digits)`
	for _, c := range []struct{ method, path, body, field, detail string }{
		{"POST", "devices", `{}`, "msisdn", `""` + e164},
		{"POST", "devices", `null`, "msisdn", `""` + e164},
		{"POST", "devices", `{"msisdn":"491701234567"}`, "msisdn", `"491701234567"` + e164},
		{"POST", "devices", `{"msisdn":"+0701234567"}`, "msisdn", `"+0701234567"` + e164},
		{"POST", "devices", `{"msisdn":"+49 170 1234567"}`, "msisdn", `"+49 170 1234567"` + e164},
		{"POST", "devices", `{"msisdn":"+491701234567\n"}`, "msisdn", `"+491701234567\n"` + e164},
		{"POST", "devices", `{"msisdn":"+49170123456789012"}`, "msisdn", `"+49170123456789012"` + e164},
		{"POST", "devices", `{"msisdn":"+٤٩١٧٠١٢٣٤"}`, "msisdn", `"+٤٩١٧٠١٢٣٤"` + e164},
		{"POST", "devices", `{"msisdn":"` + strings.Repeat("9", 1000) + `"}`, "msisdn", `"` + strings.Repeat("9", 40) +
			`"` + e164},
		{"POST", "devices", `{"msisdn":"+491701234567","imsi":"26201x"}`, "imsi", `"26201x" is not 6 to 15 digits`},
		{"POST", "devices", `{"msisdn":"+491701234567","dev_id":"a b"}`, "dev_id",
			`"a b" is not 1 to 64 printable characters`},
		{"GET", "devices?limit=0", "", "limit", `"0" is no number from 1 to 1000`},
		{"GET", "devices?limit=1001", "", "limit", `"1001" is no number from 1 to 1000`},
		{"GET", "devices?limit=-1", "", "limit", `"-1" is no number from 1 to 1000`},
		{"GET", "devices?limit=many", "", "limit", `"many" is no number from 1 to 1000`},
		{"GET", "devices/" + id + "/results?limit=0", "", "limit", `"0" is no number from 1 to 1000`},
		{"GET", "devices/" + id + "/results?after=x", "", "after", `"x" is no number from 0 to 4611686018427387904`},
		{"GET", "feed?limit=0", "", "limit", `"0" is no number from 1 to 1000`},
		{"GET", "feed?from=-1", "", "from", `"-1" is no number from 0 to 4611686018427387904`},
		{"GET", "feed?from=99999999999999999999", "", "from",
			`"99999999999999999999" is no number from 0 to 4611686018427387904`},
		{"GET", "feed?wait=61", "", "wait", `"61" is no number from 0 to 60`},
		{"GET", "feed?wait=1s", "", "wait", `"1s" is no number from 0 to 60`},
		{"POST", "bootstraps", `{}`, "devices", "0 devices, want 1 to 10000"},
		{"POST", "bootstraps", `{"devices":[` + strings.Repeat(`"",`, 10000) + `""]}`, "devices",
			"10001 devices, want 1 to 10000"},
	} {
		p := r.refused(r.call(c.method, "/v1/"+c.path, c.body), 422)
		if p.Field != c.field || p.Detail != c.detail {
			t.Errorf("%s %s %.80s\ngot  %s: %s\nwant %s: %s", c.method, c.path, c.body, p.Field, p.Detail, c.field, c.detail)
		}
	}
	if head := r.store.Head(); head != 1 {
		t.Errorf("something has happened all the same: the feed has %d entries", head)
	}
}

// A device is made known once.
func TestCreateDevice(t *testing.T) {
	r := newRig(t)
	got := r.call("POST", "/v1/devices",
		`{"msisdn":"+491701234567","imsi":"262011234567890","dev_id":"IMEI:490154203237518"}`)
	var d, again api.Device
	r.want(got, 201, &d)
	if d.MSISDN != "+491701234567" || d.IMSI != "262011234567890" || d.DevID != "IMEI:490154203237518" ||
		d.State != storage.Registered {
		t.Errorf("%+v", d)
	}
	if where := got.header.Get("Location"); where != "/v1/devices/"+string(d.ID) {
		t.Errorf("Location %q", where)
	}
	r.get(got.header.Get("Location"), &again)
	if again.ID != d.ID || len(again.Timeline) != 1 || again.Timeline[0].To != storage.Registered {
		t.Errorf("%+v", again)
	}
	for _, body := range []string{`{"msisdn":"+491701234567"}`,
		`{"msisdn":"+491701234568","dev_id":"IMEI:490154203237518"}`} {
		if p := r.refused(r.call("POST", "/v1/devices", body), 409); p.Title != "exists already" {
			t.Errorf("%+v", p)
		}
	}
	var found api.DevicePage
	r.get("/v1/devices?msisdn=%2B491701234567", &found)
	if len(found.Devices) != 1 || found.Devices[0].ID != d.ID {
		t.Errorf("found %+v", found)
	}
	r.get("/v1/devices?msisdn=%2B491701234568", &found)
	if len(found.Devices) != 0 {
		t.Errorf("found %+v", found)
	}
}

// The modems are shown with what they last said, the overview with what they are.
func TestModemsAndOverview(t *testing.T) {
	r := newRig(t)
	r.device(1)
	got := r.call("GET", "/v1/modems", "")
	const want = `{"modems":[{"id":"IMEI 356938035643809","name":"ttyUSB0","port":"/dev/ttyUSB0",` +
		`"imei":"356938035643809","imsi":"262011234567890","iccid":"8949001","maker":"huawei","model":"E173",` +
		`"operator":"D1","tags":["d1"],"state":"ready","since":"2026-01-02T03:04:05Z","sent":7,"failed":1,"doubtful":2,"pushes":5,` +
		`"reports":6,"unknown_reports":8,"inbound":9,"reopened":10,"per_minute":3,"signal":17,"draining":true,` +
		`"trial":true,"exchanges":[` +
		`{"time":"2026-01-02T03:04:05Z","sent":"AT+CSQ","lines":["+CSQ: 17,99","OK"]}]},` +
		`{"id":"ttyUSB1","name":"ttyUSB1","port":"/dev/ttyUSB1","state":"out of service",` +
		`"since":"2026-01-02T03:04:05Z","reason":"the SIM wants a PUK","until":"2026-01-02T03:05:05Z","sent":0,"failed":0,` +
		`"doubtful":0,"pushes":0,"reports":0,"unknown_reports":0,"inbound":0,"reopened":0,"per_minute":0,"signal":99,` +
		`"draining":false,"trial":false,"error":"SIM PUK","error_at":"2026-01-02T03:04:05Z"}],` +
		`"waits":[{"prefix":"+49171","priority":5,"for":"quiet hours, 22:00 to 07:00","until":"2026-01-02T07:00:00Z"}]}` + "\n"
	if got.status != 200 || got.body != want {
		t.Errorf("status %d\n%s\nwant\n%s", got.status, got.body, want)
	}
	if err := r.fleet.Load(); err != nil {
		t.Fatal(err)
	}
	var o api.Overview
	r.get("/v1/overview", &o)
	if o.Devices != 1 || o.States[storage.Registered] != 1 || len(o.Modems) != 2 ||
		len(o.Order) != len(storage.States) || o.Offset != 1 {
		t.Errorf("%+v", o)
	}
}

// A failure of ours is told as such, without its innards, and logged with them.
func TestStoreFails(t *testing.T) {
	r := newRig(t)
	d := r.device(1)
	r.broken.err = errors.New("sector 7 of /dev/sda is gone")
	got := r.call("GET", "/v1/devices/"+string(d.ID), "")
	if p := r.refused(got, 503); p.Title != "unavailable" || strings.Contains(got.body, "sda") ||
		got.header.Get("Retry-After") == "" {
		t.Errorf("%s %v", got.body, got.header)
	}
	if !strings.Contains(r.log.String(), "sector 7") {
		t.Errorf("not logged: %s", r.log)
	}
	r.broken.err = nil
	if got := r.call("GET", "/v1/devices/"+string(d.ID), ""); got.status != 200 {
		t.Errorf("status %d afterwards", got.status)
	}
}
