package api_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"dmgate/gateway/api"
	"dmgate/storage"
)

// placedJobs is the answer to POST /v1/jobs.
type placedJobs struct {
	Batch                           string
	Placed, Repeated, Same, Refused int
	Jobs                            []struct {
		Device         storage.DeviceID
		Job, PIN       string
		Bootstrap      string
		State          storage.JobState
		Repeated, Same bool
		Error          *problem
	}
}

func (r *rig) place(body string) placedJobs {
	r.t.Helper()
	var out placedJobs
	r.want(r.call("POST", "/v1/jobs", body), 202, &out)
	return out
}

// What can not be carried out is refused, device by device, with the field that is at fault.
func TestJobsRefused(t *testing.T) {
	r := newRig(t)
	d := r.device(1)
	r.want(r.call("POST", "/v1/packages", `{"name":"client","version":"1","type":"text/plain","url":"http://dl.example/c"}`), 201, new(api.Package))
	past := time.Now().Add(-time.Hour).Format(time.RFC3339)
	far := time.Now().AddDate(3, 0, 0).Format(time.RFC3339)
	for _, c := range []struct{ body, want string }{
		{`"kind":"fly"`, `422 kind "fly", want one of install, update, remove, activate, deactivate, firmware, lock, unlock, wipe, access-point, account, certificate, notify, task, discover`},
		{`"kind":"install"`, "422 package install needs the name of a package"},
		{`"kind":"install","package":"game"`, `422 package the catalogue has no "game"`},
		{`"kind":"install","package":"client","commands":[{"kind":"Get","uri":"./A"}]`, "422 commands install takes none: want kind task"},
		{`"kind":"install","package":"client","fallback":["pigeon"]`, `422 fallback "pigeon", want si, sms, link, push or mark`},
		{`"kind":"install","package":"client","fallback":["mark","si"]`, "422 fallback nothing comes after mark"},
		{`"kind":"install","package":"client","fallback":["si","si"]`, "422 fallback si stands there twice"},
		{`"kind":"install","package":"client","fallback":["push"]`, "422 fallback install is no push of its own"},
		{`"kind":"install","package":"client","no_dm":true`, "422 fallback there is none, and device management is not to be used"},
		{`"kind":"install","package":"client","recipe":"magic"`, `422 recipe there is none of the name "magic"`},
		{`"kind":"install","package":"client","deadline":"` + past + `"`, "422 deadline it has passed"},
		{`"kind":"install","package":"client","deadline":"` + far + `"`, "422 deadline it is more than 400 days away"},
		{`"kind":"install","package":"client","bootstrap":{"sec":"magic"}`, "422 sec "},
		{`"kind":"install","package":"client","bootstrap":{"pin":"12"}`, "422 pin not 4 to 10 digits"},
		{`"kind":"install","package":"client","bootstrap":{"operator":"x"}`, "422 operator want an MCC and MNC of 5 or 6 digits, or sim, and no apn with it"},
		{`"kind":"lock","fallback":["si"]`, "422 fallback si: a user can not lock with a link"},
		{`"kind":"task"`, "422 commands 0 commands, want 1 to 1000"},
		{`"kind":"task","commands":[{"kind":"Jump","uri":"./A"}]`, `422 commands command 0: "Jump" is no kind of command`},
		{`"kind":"certificate"`, "422 values certificate needs values: what is to be set up"},
	} {
		got := r.place(fmt.Sprintf(`{"devices":[%q],%s}`, d.ID, c.body))
		e := got.Jobs[0].Error
		if got.Refused != 1 || e == nil {
			t.Errorf("%s: %+v", c.body, got)
			continue
		}
		if text := fmt.Sprint(e.Status, " ", cmp.Or(e.Field, e.Title), " ", e.Detail); !strings.HasPrefix(text, c.want) {
			t.Errorf("%s: %s, want %s", c.body, text, c.want)
		}
	}
	if jobs, err := r.store.Jobs(d.ID); err != nil || len(jobs) != 0 {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
	for _, c := range []struct {
		method, path, body, want string
		status                   int
	}{
		{"POST", "/v1/jobs", `{"kind":"lock"}`, "0 devices, want 1 to 10000", 422},
		{"POST", "/v1/jobs", `{"devices":["x"],"kind":"lock","key":"` + strings.Repeat("k", 201) + `"}`, "201 bytes, want at most 200", 422},
		{"GET", "/v1/jobs", "", "want ?device=ID: jobs are listed by device", 422},
		{"GET", "/v1/jobs?device=nobody", "", "", 404},
		{"GET", "/v1/devices/nobody/jobs/x", "", "", 404},
		{"POST", "/v1/devices/nobody/jobs/x/cancel", "", "", 404},
		{"POST", "/v1/devices/" + string(d.ID) + "/jobs/x/report", `{"version":"1"}`, "", 404},
	} {
		if p := r.refused(r.call(c.method, c.path, c.body), c.status); p.Detail != c.want {
			t.Errorf("%s %s: %q, want %q", c.method, c.path, p.Detail, c.want)
		}
	}
}

// A keyed order is the same order each time; the same thing for the same device is one job; what is secret is not shown.
func TestJobsOnce(t *testing.T) {
	r := newRig(t)
	d := r.device(1)
	body := fmt.Sprintf(`{"key":"k","devices":[%q,"nobody"],"kind":"access-point","values":{"apn.address":"internet","apn.password":"hush"},
		"no_dm":false,"fallback":["push"]}`, d.ID)
	first, second := r.place(body), r.place(body)
	if first.Placed != 1 || first.Refused != 1 || second.Repeated != 1 || second.Batch != first.Batch ||
		second.Jobs[0].Job != first.Jobs[0].Job || first.Jobs[1].Error.Status != 404 {
		t.Errorf("%+v, then %+v: %v", first, second, first.Jobs[0].Error)
	}
	lock := fmt.Sprintf(`{"devices":[%q],"kind":"lock","bootstrap":{"pin":"471147"}}`, d.ID)
	one, two := r.place(lock).Jobs[0], r.place(lock).Jobs[0]
	if one.PIN != "471147" || one.Bootstrap != one.Job+".bootstrap" || one.State != storage.JobAwaitsBootstrap {
		t.Errorf("%+v", one)
	}
	if !two.Same || two.Job != one.Job || two.PIN != "" {
		t.Errorf("%+v", two)
	}
	var list api.JobList
	answer := r.call("GET", "/v1/jobs?device="+string(d.ID), "")
	r.want(answer, 200, &list)
	text, _ := json.Marshal(list)
	for _, secret := range []string{"hush", "471147"} {
		if strings.Contains(string(text), secret) || strings.Contains(r.log.String(), secret) {
			t.Errorf("%q is shown: %s", secret, text)
		}
	}
	if len(list.Jobs) != 2 || list.Jobs[0].Values[0] != "apn.address" || list.Jobs[1].Waits == nil {
		t.Errorf("%s", text)
	}
	if j, err := r.store.Job(d.ID, one.Job); err != nil || j.What.PIN != "" {
		t.Errorf("its PIN is kept: %v", err)
	}
}

// The life of a job as upstream sees it: cancelled while its push waits for a modem, reported, and over.
func TestJobLife(t *testing.T) {
	r := newRig(t)
	d := r.device(1)
	r.want(r.call("POST", "/v1/packages", `{"name":"client","version":"1","type":"text/plain","url":"http://dl.example/c"}`), 201, new(api.Package))
	place := func(more string) string {
		return r.place(fmt.Sprintf(`{"devices":[%q],"kind":"install","package":"client"%s}`, d.ID, more)).Jobs[0].Job
	}
	path := func(job string) string { return "/v1/devices/" + string(d.ID) + "/jobs/" + job }
	var j api.Job

	job := place("")
	r.want(r.call("POST", path(job)+"/cancel", ""), 200, &j)
	if j.State != storage.JobCancelled || j.Reason != "by upstream" || j.Waits != nil || len(j.Timeline) != 2 {
		t.Errorf("%+v", j)
	}
	pushes, err := r.store.Pushes(d.ID)
	if err != nil || len(pushes) != 1 || pushes[0].State != storage.PushFailed {
		t.Errorf("%+v %v", pushes, err)
	}
	if p := r.refused(r.call("POST", path(job)+"/cancel", ""), 409); p.Detail != "the job is cancelled: it is over" {
		t.Error(p.Detail)
	}

	job = place(`,"no_dm":true,"fallback":["mark"]`)
	r.want(r.call("GET", path(job), ""), 200, &j)
	if j.State != storage.JobMarked || j.Reason != "not by device management: the order says so" {
		t.Errorf("%+v", j)
	}
	r.refused(r.call("POST", path(job)+"/report", `{"version":""}`), 422)
	r.want(r.call("POST", path(job)+"/report", `{"version":"1"}`), 200, &j)
	if j.State != storage.JobDone || j.Reported != "1" {
		t.Errorf("%+v", j)
	}
	r.refused(r.call("POST", path(job)+"/cancel", ""), 409)
	var list api.JobList
	r.want(r.call("GET", "/v1/jobs?device="+string(d.ID)+"&state=open", ""), 200, &list)
	if len(list.Jobs) != 0 {
		t.Errorf("%+v", list)
	}
}
