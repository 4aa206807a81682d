package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dmgate/gateway/api"
	"dmgate/storage"
)

// campaign makes one by the API.
func (r *rig) campaign(body string) *api.CreatedCampaign {
	r.t.Helper()
	var c api.CreatedCampaign
	r.want(r.call("POST", "/v1/campaigns", body), 201, &c)
	return &c
}

// A campaign from its draft to its end, each step where it can be taken and nowhere else.
func TestCampaignLife(t *testing.T) {
	r := newRig(t)
	got := r.call("POST", "/v1/campaigns", `{"name":"Spring","kind":"bootstrap","sec":"userpin","pin":"4711",
		"apn":"internet",
		"pacing":{"priority":3,"rate":600,"growth":1.5,"rate_max":6000,"deadline":"2030-01-02T03:04:05+01:00",
		"windows":[{"days":["mon","fri"],"from":"08:00","to":"20:00","zone":"Europe/Berlin"}],
		"attempts":3,"retry_after":90,"success":"delivered","canary":10,"canary_good":0.8,"hold_above":0.5,"hold_over":20}}`)
	var made api.CreatedCampaign
	r.want(got, 201, &made)
	path := "/v1/campaigns/" + made.ID
	if len(made.ID) != 16 || got.header.Get("Location") != path || made.State != storage.CampaignDraft ||
		made.Added != nil {
		t.Errorf("%s, Location %q", got.body, got.header.Get("Location"))
	}
	const pacing = `{"priority":3,"rate":600,"growth":1.5,"rate_max":6000,` +
		`"windows":[{"days":["mon","fri"],"from":"08:00","to":"20:00","zone":"Europe/Berlin"}],` +
		`"deadline":"2030-01-02T02:04:05Z","attempts":3,"retry_after":90,"success":"delivered","canary":10,` +
		`"canary_good":0.8,"hold_above":0.5,"hold_over":20}`
	wantPacing := func(got api.Pacing, want string) {
		t.Helper()
		if d := got.Deadline; d != nil {
			utc := d.UTC()
			got.Deadline = &utc
		}
		if text, _ := json.Marshal(got); string(text) != want {
			t.Errorf("got  %s\nwant %s", text, want)
		}
	}
	var c api.Campaign
	r.get(path, &c)
	wantPacing(c.Pacing, pacing)
	if c.Name != "Spring" || c.Kind != "bootstrap" || c.Sec != "userpin" || c.APN != "internet" || c.Progress == nil {
		t.Errorf("%+v", c)
	}

	step := func(name string, status int, state storage.CampaignState, detail string) {
		t.Helper()
		got := r.call("POST", path+"/"+name, "")
		if status != 200 {
			if p := r.refused(got, status); p.Title != "not in this state" || p.Detail != detail {
				t.Errorf("%s: %+v", name, p)
			}
			return
		}
		var c api.Campaign
		if r.want(got, 200, &c); c.State != state {
			t.Errorf("%s: %s", name, got.body)
		}
	}
	step("pause", 409, "", "the campaign is draft: only one that runs or is held can be paused")
	step("resume", 409, "", "the campaign is draft: only one that is paused or held can be resumed")
	step("start", 409, "", "the campaign is draft: it has no targets")
	r.upload(made.ID, "text/csv", "msisdn\n+491700000001\n")
	step("start", 200, storage.CampaignRunning, "")
	step("start", 409, "", "the campaign is running: only a draft can be started")
	step("pause", 200, storage.CampaignPaused, "")
	step("pause", 409, "", "the campaign is paused: only one that runs or is held can be paused")
	step("resume", 200, storage.CampaignRunning, "")

	// What a patch does not name stays; null is the default; a list is replaced as a whole.
	for _, p := range []struct{ patch, want string }{
		{`{}`, pacing},
		{`{"name":"Summer"}`, pacing},
		{`{"pacing":{}}`, pacing},
		{`{"pacing":{"rate":0,"retry_after":120}}`,
			strings.NewReplacer(`"rate":600`, `"rate":0`, `"retry_after":90`, `"retry_after":120`).Replace(pacing)},
		{`{"pacing":{"rate":600,"retry_after":90,"windows":[{"from":"09:00","to":"10:00"}]}}`,
			strings.Replace(pacing, `{"days":["mon","fri"],"from":"08:00","to":"20:00","zone":"Europe/Berlin"}`,
				`{"days":null,"from":"09:00","to":"10:00","zone":""}`, 1)},
		{`{"pacing":{"windows":[],"deadline":null,"attempts":null,"success":null}}`,
			`{"priority":3,"rate":600,"growth":1.5,"rate_max":6000,"windows":[],"attempts":1,"retry_after":90,` +
				`"success":"done","canary":10,"canary_good":0.8,"hold_above":0.5,"hold_over":20}`},
		{`{"pacing":null}`, `{"priority":0,"rate":0,"growth":0,"rate_max":0,"windows":[],"attempts":1,"retry_after":3600,` +
			`"success":"done","canary":0,"canary_good":0.9,"hold_above":0,"hold_over":100}`},
	} {
		var c api.Campaign
		r.want(r.call("PATCH", path, p.patch), 200, &c)
		wantPacing(c.Pacing, p.want)
	}
	if r.get(path, &c); c.Name != "Summer" {
		t.Errorf("name %q", c.Name)
	}
	step("cancel", 200, storage.CampaignCancelled, "")
	step("cancel", 409, "", "the campaign is cancelled: it is over")
	if p := r.refused(r.call("PATCH", path, `{"name":"x"}`), 409); p.Detail != "the campaign is cancelled: it is over" {
		t.Errorf("%+v", p)
	}
}

// A PIN goes in and never comes out, neither do the data of commands.
func TestCampaignSecrets(t *testing.T) {
	r := newRig(t)
	pinned := r.campaign(`{"name":"a","kind":"bootstrap","pin":"48151623"}`)
	task := r.campaign(`{"name":"b","kind":"task","commands":[{"kind":"Replace","uri":"./A","format":"chr","data":"s3cr3t"},
		{"kind":"Replace","uri":"./B","format":"bin","binary":"czNjcjN0"}]}`)
	r.upload(pinned.ID, "text/csv", "msisdn,pin\n+491700000001,48151623\n+49170,48151623\n\"x,48151623\n")
	all := ""
	for _, path := range []string{
		"campaigns", "campaigns/" + pinned.ID, "campaigns/" + pinned.ID + "/targets",
		"campaigns/" + pinned.ID + "/report.csv",
		"campaigns/" + pinned.ID + "/plan", "campaigns/" + task.ID, "feed",
	} {
		got := r.call("GET", "/v1/"+path, "")
		if got.status != 200 {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		all += got.body
	}
	all += r.log.String()
	for _, secret := range []string{"48151623", "s3cr3t", "czNjcjN0"} {
		if i := strings.Index(all, secret); i >= 0 {
			t.Errorf("%s is told: %s", secret, all[max(0, i-200):i+len(secret)])
		}
	}
	var c api.Campaign
	r.get("/v1/campaigns/"+task.ID, &c)
	if text, _ := json.Marshal(c.Commands); string(text) != `[{"kind":"Replace","uri":"./A","format":"chr","bytes":6},`+
		`{"kind":"Replace","uri":"./B","format":"bin","bytes":6}]` {
		t.Errorf("%s", text)
	}
	kept, err := r.store.Campaign(task.ID)
	if err != nil || string(kept.What.Commands[0].Data) != "s3cr3t" || string(kept.What.Commands[1].Data) != "s3cr3t" {
		t.Errorf("%+v %v", kept, err)
	}
}

// The same key is the same campaign, whatever broke off before: it gets what it lacks, and there is no second one.
func TestCampaignKey(t *testing.T) {
	r := newRig(t)
	d, e := r.device(1), r.device(2)
	body := func(more string) string {
		return fmt.Sprintf(`{"key":"order 7","name":"a","kind":"bootstrap","pin":"1234","devices":[%q,%q,"nobody"]%s}`,
			d.ID, e.ID, more)
	}
	first := r.campaign(body(""))
	if a := first.Added; a == nil || a.Accepted != 2 || a.Repeated != 0 || a.Refused != 1 ||
		!slices.Equal(a.Problems, []api.Problem{{Line: 3, Reason: `device: "nobody" is not known`}}) {
		t.Errorf("%+v", a)
	}
	var again api.CreatedCampaign
	r.want(r.call("POST", "/v1/campaigns", body(`,"start":true`)), 200, &again)
	if again.ID != first.ID || again.State != storage.CampaignRunning || again.Added.Repeated != 2 ||
		again.Added.Accepted != 0 {
		t.Errorf("%+v %+v", again.Campaign, again.Added)
	}
	r.want(r.call("POST", "/v1/campaigns/"+first.ID+"/cancel", ""), 200, new(api.Campaign))
	r.want(r.call("POST", "/v1/campaigns", body(`,"start":true`)), 200, &again)
	if again.ID != first.ID || again.State != storage.CampaignCancelled {
		t.Errorf("%+v", again.Campaign)
	}
	p := r.refused(r.call("POST", "/v1/campaigns", `{"key":"order 7","kind":"notify"}`), 409)
	if p.Field != "key" || p.Detail != "it stands for a campaign of kind bootstrap" {
		t.Errorf("%+v", p)
	}
	other := r.campaign(`{"key":"order 8","kind":"notify"}`)
	one, two := r.campaign(`{"kind":"notify"}`), r.campaign(`{"kind":"notify"}`)
	if other.ID == first.ID || one.ID == two.ID {
		t.Error("other campaigns have the same ID")
	}
	ids := make(chan string)
	for range 8 {
		go func() {
			got := r.call("POST", "/v1/campaigns",
				fmt.Sprintf(`{"key":"at once","kind":"notify","start":true,"devices":[%q]}`, d.ID))
			var c api.Campaign
			if json.Unmarshal([]byte(got.body), &c) != nil || got.status != 200 && got.status != 201 {
				t.Errorf("%d %s", got.status, got.body)
			}
			ids <- c.ID
		}()
	}
	id := <-ids
	for range 7 {
		if other := <-ids; other != id {
			t.Errorf("campaigns %s and %s", id, other)
		}
	}
}

// Every campaign is listed once, whatever the size of the page.
func TestCampaignPages(t *testing.T) {
	r := newRig(t)
	var all []string
	for range 7 {
		all = append(all, r.campaign(`{"kind":"notify"}`).ID)
	}
	slices.Sort(all)
	for _, limit := range []int{1, 3, 7, 8} {
		var seen []string
		for after := ""; ; {
			var page api.CampaignPage
			r.get(fmt.Sprintf("/v1/campaigns?limit=%d&after=%s", limit, after), &page)
			for _, c := range page.Campaigns {
				seen = append(seen, c.ID)
			}
			if after = page.Next; after == "" {
				break
			}
		}
		if !slices.Equal(seen, all) {
			t.Errorf("pages of %d: %v, want %v", limit, seen, all)
		}
	}
}

// What can not be a campaign is refused with the path of the field, and nothing is made.
func TestCampaignInvalid(t *testing.T) {
	r := newRig(t)
	c := r.campaign(`{"kind":"notify"}`)
	path := "/v1/campaigns/" + c.ID
	many := strings.Repeat(`"x",`, 10_000) + `"x"`
	for _, c := range []struct{ method, path, body, field, detail string }{
		{"POST", "/v1/campaigns", `{}`, "kind", `"", want bootstrap, notify, task or install`},
		{"POST", "/v1/campaigns", `{"kind":"bootstrap","sec":"x"}`, "sec", ""},
		{"POST", "/v1/campaigns", `{"kind":"bootstrap","pin":"1"}`, "pin", "not 4 to 10 digits"},
		{"POST", "/v1/campaigns", `{"kind":"task"}`, "commands", "0 commands, want 1 to 1000"},
		{"POST", "/v1/campaigns", `{"kind":"notify","name":"` + strings.Repeat("x", 201) + `"}`, "name",
			"201 bytes, at most 200 are taken"},
		{"POST", "/v1/campaigns", `{"kind":"notify","key":"` + strings.Repeat("x", 201) + `"}`, "key",
			"201 bytes, want at most 200"},
		{"POST", "/v1/campaigns", `{"kind":"notify","devices":[` + many + `]}`, "devices",
			"10001 devices, want at most 10000: send more as a file"},
		{"POST", "/v1/campaigns", `{"kind":"notify","devices":["x"],"filter":{}}`, "filter",
			"there is a list of devices as well, want one of both"},
		{"POST", "/v1/campaigns", `{"kind":"notify","filter":{"tac":"1"}}`, "filter.tac",
			`"1", want the eight digits that an IMEI begins with`},
		{"POST", "/v1/campaigns", `{"kind":"notify","filter":{"states":["x"]}}`, "filter.states",
			`"x" is no state of a device`},
		{"POST", "/v1/campaigns", `{"kind":"notify","pacing":{"rate":-1}}`, "pacing.rate",
			"-1 targets an hour, want 0 for no limit or more"},
		{"PATCH", path, `{"pacing":{"rate":-1}}`, "pacing.rate", "-1 targets an hour, want 0 for no limit or more"},
		{"PATCH", path, `{"pacing":{"growth":101}}`, "pacing.growth", "101, want a factor an hour of 0 to 100"},
		{"PATCH", path, `{"pacing":{"attempts":21}}`, "pacing.attempts", "21, want 1 to 20"},
		{"PATCH", path, `{"pacing":{"retry_after":-9223372036854775808}}`, "pacing.retry_after", ""},
		{"PATCH", path, `{"pacing":{"retry_after":9223372036854775807}}`, "pacing.retry_after", ""},
		{"PATCH", path, `{"pacing":{"success":"x"}}`, "pacing.success", `"x", want sent, delivered, done or installed`},
		{"PATCH", path, `{"pacing":{"canary":-1}}`, "pacing.canary", "-1 targets, want 0 for none or more"},
		{"PATCH", path, `{"pacing":{"canary_good":2}}`, "pacing.canary_good", "2, want a share of 0 to 1"},
		{"PATCH", path, `{"pacing":{"hold_above":-0.1}}`, "pacing.hold_above", "-0.1, want a share of 0 (never) to 1"},
		{"PATCH", path, `{"pacing":{"hold_over":-1}}`, "pacing.hold_over", "-1 outcomes, want 0 to 1000000"},
		{"PATCH", path, `{"pacing":{"windows":[{"from":"25:00","to":"26:00"}]}}`, "pacing.windows", ""},
		{"PATCH", path, `{"name":"` + strings.Repeat("x", 201) + `"}`, "name", "201 bytes, at most 200 are taken"},
		{"POST", path + "/groups/tac:1/release", "", "group", `"tac:1" is not held`},
		{"GET", path + "/targets?state=x", "", "state", `"x" is no state of a target`},
		{"GET", path + "/targets?limit=0", "", "limit", `"0" is no number from 1 to 1000`},
	} {
		p := r.refused(r.call(c.method, c.path, c.body), 422)
		if p.Field != c.field || p.Detail != c.detail && (c.detail != "" || p.Detail == "") {
			t.Errorf("%s %s %.100s\ngot  %s: %s\nwant %s: %s", c.method, c.path, c.body, p.Field, p.Detail, c.field, c.detail)
		}
	}
	for _, c := range []struct{ method, path, body, detail, field string }{
		{"POST", "/v1/campaigns", `{"kind":"notify","pacing":{"rate":"fast"}}`,
			"line 1, column 40: string in place of float64", "pacing.rate"},
		{"POST", "/v1/campaigns", `{"kind":"notify","speed":1}`, "line 1, column 18: unknown field", "speed"},
		{"PATCH", path, `{"pacing":{"deadline":"tomorrow"}}`, "", ""},
		{"PATCH", path, `{"kind":"task"}`, "line 1, column 2: unknown field", "kind"},
		{"PATCH", path, "", "line 1, column 1: empty body", ""},
	} {
		p := r.refused(r.call(c.method, c.path, c.body), 400)
		if p.Field != c.field || p.Detail != c.detail && (c.detail != "" || p.Detail == "") {
			t.Errorf("%s %s\ngot  %s: %s\nwant %s: %s", c.method, c.body, p.Field, p.Detail, c.field, c.detail)
		}
	}
	for _, c := range []struct{ method, path, body string }{
		{"GET", "", ""}, {"PATCH", "", "{}"}, {"POST", "/start", ""}, {"POST", "/pause", ""}, {"POST", "/resume", ""},
		{"POST", "/cancel", ""}, {"POST", "/groups/tac:1/release", ""}, {"GET", "/plan", ""}, {"GET", "/targets", ""},
		{"GET", "/report.csv", ""},
	} {
		r.refused(r.call(c.method, "/v1/campaigns/nobody"+c.path, c.body), 404)
	}
	var page api.CampaignPage
	if r.get("/v1/campaigns", &page); len(page.Campaigns) != 1 {
		t.Errorf("%d campaigns, want the first one alone", len(page.Campaigns))
	}
}
