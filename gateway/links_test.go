package main

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/bench/handset"
	"dmgate/gateway/api"
	"dmgate/storage"
)

// putPackage puts a package with its file into the catalogue.
func (s *site) putPackage(t *testing.T, name, version string, data []byte) (p api.Package) {
	t.Helper()
	in := api.NewPackage{
		Name: name, Version: version, Title: "Mail", Type: "application/vnd.symbian.install", FileName: "mail.sis",
		Software: "0x2001", Size: int64(len(data)),
	}
	if err := s.up.call(t.Context(), "POST", "packages", in, &p); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("PUT", s.url+"v1/packages/"+p.ID+"/file", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	return p
}

// A link goes to the user by WAP push or by text, from the API to the phone that opens it; what lies there comes from
// the gateway, in parts where the phone fetches in parts, and the job hears of it.
func TestLinkIsSentOpenedAndFetched(t *testing.T) {
	makes := handset.AllMakes()
	s := newSite(t, 2, time.Millisecond, handset.Options{Count: len(makes), Makes: makes})
	ids, err := s.up.register(t.Context(), s.phones.Handsets())
	if err != nil {
		t.Fatal(err)
	}
	s.putPackage(t, "mail", "1.10", bytes.Repeat([]byte("0123456789abcdef"), 20_000))
	for _, way := range []string{"si", "sms"} {
		var jobs api.Jobs
		in := api.NewJobs{Devices: ids, Kind: "install"}
		in.Package, in.NoDM, in.Fallback = "mail", true, []string{way}
		if err := s.up.call(t.Context(), "POST", "jobs", in, &jobs); err != nil {
			t.Fatal(err)
		}
		if jobs.Placed != len(ids) {
			t.Fatalf("%+v", jobs)
		}
		for i, h := range s.phones.Handsets() {
			if h.Make.NoUser {
				continue
			}
			job := jobs.Jobs[i].Job
			s.await(t, fmt.Sprintf("%s has fetched it by %s", h.Make.Name, way), func() bool {
				j, err := s.store.Job(ids[i], job)
				told := s.told(t, ids[i], job)
				return err == nil && j.State == storage.JobDownloaded && slices.Equal(told, []string{"opened", "fetched"})
			})
			j, err := s.store.Job(ids[i], job)
			if err != nil || j.Opened.IsZero() || j.Fetched.IsZero() || j.Ticket == "" {
				t.Fatalf("%+v %v", j, err)
			}
		}
		for i := range ids {
			path := "devices/" + string(ids[i]) + "/jobs/" + jobs.Jobs[i].Job + "/cancel"
			if err := s.up.call(t.Context(), "POST", path, nil, new(api.Job)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, id := range ids {
		if told := s.told(t, id, ""); len(told) > 0 {
			t.Errorf("%s: events of no job: %q", s.phones.Handsets()[i].Make.Name, told)
		}
	}
	for _, v := range s.phones.Violations() {
		t.Errorf("violation: %v", v.String())
	}
}

// told is what the feed says of the tickets of a device's job. No entry tells a link.
func (s *site) told(t *testing.T, id storage.DeviceID, job string) (events []string) {
	t.Helper()
	entries, err := s.store.Timeline(id, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Kind == "ticket" && e.Order == job {
			events = append(events, e.Status)
		}
		if strings.Contains(e.Text, "/t/") {
			t.Errorf("the feed tells a link: %s", e.Text)
		}
	}
	return events
}
