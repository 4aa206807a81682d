package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"dmgate/bench/handset"
	"dmgate/gateway/api"
	"dmgate/storage"
)

// catalogue puts a package into the catalogue, with a file of its own.
func (s *site) catalogue(t *testing.T, p api.NewPackage) *api.Package {
	t.Helper()
	var made api.Package
	if err := s.up.call(t.Context(), "POST", "packages", p, &made); err != nil {
		t.Fatal(err)
	}
	file := bytes.Repeat([]byte("a package of software. "), 2000)
	req, err := http.NewRequestWithContext(t.Context(), "PUT", s.url+"v1/packages/"+made.ID+"/file", bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 {
		t.Fatalf("the file was not taken: %s: %s", resp.Status, text)
	}
	return &made
}

// job is a job as the API shows it.
func (s *site) job(t *testing.T, p *api.PlacedJob) *api.Job {
	t.Helper()
	var j api.Job
	if err := s.up.call(t.Context(), "GET", fmt.Sprintf("devices/%s/jobs/%s", p.Device, p.Job), nil, &j); err != nil {
		t.Fatal(err)
	}
	return &j
}

// awaitJob waits until a job has come to its end, and shows its timeline.
func (s *site) awaitJob(t *testing.T, p *api.PlacedJob) *api.Job {
	t.Helper()
	var j *api.Job
	defer func() {
		var b strings.Builder
		for _, step := range j.Timeline {
			fmt.Fprintf(&b, "\n%s %-30s %s", step.Time.Format("05.000"), step.State, step.Text)
		}
		t.Logf("%s", b.String())
	}()
	s.await(t, "the job is over", func() bool {
		j = s.job(t, p)
		return !j.State.Open()
	})
	return j
}

// From a number that nobody knows to software that is seen to be installed, in one order: bootstrap, discovery, the best
// recipe, the package by a ticket, its result by Alert 1226, and a look at the inventory.
func TestInstallFromUnknownNumber(t *testing.T) {
	s := newSite(t, 1, time.Millisecond, handset.Options{Count: 1, Makes: []*handset.Make{handset.RedBend}, Reopen: 1})
	phone := s.phones.Handsets()[0]
	ids, err := s.up.register(t.Context(), s.phones.Handsets())
	if err != nil {
		t.Fatal(err)
	}
	pkg := s.catalogue(t, api.NewPackage{
		Name: "client", Version: "2.1", Title: "Client", Software: "com.example.client", Type: "application/octet-stream",
		Params: "version=2.1",
	})
	var placed api.Jobs
	in := api.NewJobs{Devices: ids, Kind: "install", JobSpec: api.JobSpec{Package: "client"}}
	if err := s.up.call(t.Context(), "POST", "jobs", in, &placed); err != nil {
		t.Fatal(err)
	}
	if placed.Placed != 1 || placed.Jobs[0].PIN == "" || placed.Jobs[0].State != storage.JobAwaitsBootstrap {
		t.Fatalf("%+v", placed)
	}
	s.phones.Tell(phone.MSISDN, placed.Jobs[0].PIN)
	j := s.awaitJob(t, &placed.Jobs[0])
	if j.State != storage.JobDone || j.Chosen != pkg.ID || j.Recipe != "scomo-fixed-slot" {
		t.Errorf("%+v", j)
	}
	if c := phone.Inventory(); len(c) == 0 || c[len(c)-1].ID != "com.example.client" || c[len(c)-1].Version != "2.1" {
		t.Errorf("the handset has %+v", c)
	}
	for _, v := range s.phones.Violations() {
		t.Errorf("violation: %v", v.String())
	}
}

// A campaign that installs: phones of three kinds, of which nobody knows anything but the number, from a list to a report.
// What can not install gets a link, whose download counts for nothing until a version is reported; what no way leads to is
// marked, and not tried again.
func TestCampaignOfInstalls(t *testing.T) {
	s := newSite(t, 2, time.Millisecond, handset.Options{
		Count: 9, Makes: []*handset.Make{handset.RedBend, handset.S60SCOMO, handset.Samsung}, Reopen: 1,
	})
	s.catalogue(t, api.NewPackage{
		Name: "client", Version: "2.1", Title: "Client", Software: "com.example.client", Type: "application/octet-stream",
		Params: "version=2.1",
	})
	var file strings.Builder
	file.WriteString("msisdn;imsi\r\n")
	for _, h := range s.phones.Handsets() {
		s.phones.Tell(h.MSISDN, "4711")
		fmt.Fprintf(&file, "%s;%s\r\n", h.MSISDN, h.IMSI)
	}
	var made api.CreatedCampaign
	in := api.NewCampaign{
		Name: "client", Kind: "install", PIN: "4711", Install: &api.Install{Package: "client", Fallback: []string{"si", "mark"}},
		Pacing: api.Pacing{Success: "installed", Attempts: 3},
	}
	if err := s.up.call(t.Context(), "POST", "campaigns", in, &made); err != nil {
		t.Fatal(err)
	}
	if added := s.upload(t, made.ID, strings.NewReader(file.String())); added.Accepted != 9 {
		t.Fatalf("%+v", added)
	}
	if err := s.up.call(t.Context(), "POST", "campaigns/"+made.ID+"/start", nil, new(api.Campaign)); err != nil {
		t.Fatal(err)
	}
	s.await(t, "the campaign is done", func() bool { return s.campaign(t, made.ID).State == storage.CampaignDone })
	c := s.campaign(t, made.ID)
	if c.Counts["done"] != 6 || c.Counts["failed"] != 3 || c.Install == nil || c.Install.Package != "client" {
		t.Errorf("%+v %+v", c.Counts, c.Install)
	}
	for i, h := range s.phones.Handsets() {
		id, err := s.store.FindDevice(storage.ByMSISDN, h.MSISDN)
		if err != nil {
			t.Fatal(err)
		}
		jobs, err := s.store.Jobs(id)
		if err != nil || len(jobs) != 1 {
			t.Fatalf("%s has %d jobs: %v", h.Make.Name, len(jobs), err)
		}
		want := storage.JobDone
		if h.Make == handset.Samsung {
			want = storage.JobMarked
		}
		if jobs[0].State != want || jobs[0].ID != fmt.Sprintf("%s.%d.1", made.ID, i+1) {
			t.Errorf("%s: job %s is %s: %s", h.Make.Name, jobs[0].ID, jobs[0].State, jobs[0].Reason)
		}
	}
}

// A bootstrap that goes on with an install is one order, and safe to repeat.
func TestBootstrapAndInstall(t *testing.T) {
	s := newSite(t, 1, time.Millisecond, handset.Options{Count: 1, Makes: []*handset.Make{handset.RedBend}, Reopen: 1})
	phone := s.phones.Handsets()[0]
	ids, err := s.up.register(t.Context(), s.phones.Handsets())
	if err != nil {
		t.Fatal(err)
	}
	in := api.NewBootstraps{Key: "k", Devices: ids, Install: &api.Install{Package: "client"}}
	s.catalogue(t, api.NewPackage{
		Name: "client", Version: "2.1", Software: "com.example.client", Type: "application/octet-stream", Params: "version=2.1",
	})
	var first, second api.Bootstraps
	for _, out := range []*api.Bootstraps{&first, &second} {
		if err := s.up.call(t.Context(), "POST", "bootstraps", in, out); err != nil {
			t.Fatal(err)
		}
	}
	o, again := &first.Orders[0], &second.Orders[0]
	if first.Ordered != 1 || o.Order != o.Job+".bootstrap" || o.PIN == "" {
		t.Errorf("%+v", first)
	}
	if second.Repeated != 1 || again.Order != o.Order || again.Job != o.Job || again.PIN != o.PIN {
		t.Errorf("%+v, after %+v", second, first)
	}
	s.phones.Tell(phone.MSISDN, o.PIN)
	j := s.awaitJob(t, &api.PlacedJob{Device: ids[0], Job: o.Job})
	if j.State != storage.JobDone {
		t.Errorf("%+v", j)
	}
}
