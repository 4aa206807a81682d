package main

import (
	"fmt"
	"testing"
	"time"

	"dmgate/bench/handset"
	"dmgate/gateway/api"
	"dmgate/storage"
)

// Firmware is updated by each kind of handset that has FUMO, wherever it keeps it, and is seen to be there: the job is
// done when DevDetail says so.
func TestFirmware(t *testing.T) {
	makes := []*handset.Make{
		handset.RedBend.Only("A9"), handset.MediaTek.Only("K8 Max"), handset.Samsung.Only("HN-A50"),
		handset.Modem.Only("DM-90 LTE"), handset.LDM.Only("Tab 8"),
	}
	s := newSite(t, 2, time.Millisecond, handset.Options{Count: len(makes), Makes: makes})
	s.addPackage(t, api.NewPackage{
		Name: "firmware", Version: "99.1", Type: "application/octet-stream", Capability: "firmware",
	}, []byte("a new firmware"))
	ids, err := s.up.register(t.Context(), s.phones.Handsets())
	if err != nil {
		t.Fatal(err)
	}
	var placed api.Jobs
	in := api.NewJobs{Devices: ids, Kind: "firmware", JobSpec: api.JobSpec{Package: "firmware"}}
	if err := s.up.call(t.Context(), "POST", "jobs", in, &placed); err != nil || placed.Placed != len(ids) {
		t.Fatalf("%+v %v", placed, err)
	}
	for i, h := range s.phones.Handsets() {
		s.phones.Tell(h.MSISDN, placed.Jobs[i].PIN)
	}
	for i, h := range s.phones.Handsets() {
		var job api.Job
		s.await(t, "the firmware of "+h.Make.Name, func() bool {
			if err := s.up.call(t.Context(), "GET", fmt.Sprintf("devices/%s/jobs/%s", ids[i], placed.Jobs[i].Job), nil, &job); err != nil {
				t.Fatal(err)
			}
			return !job.State.Open()
		})
		if fwv, _ := h.Lookup("./DevDetail/FwV"); job.State != storage.JobDone || fwv != "99.1" {
			t.Errorf("%s: %s (%s), firmware %s", h.Make.Name, job.State, job.Reason, fwv)
			for _, step := range job.Timeline {
				t.Log(step.State, step.Text)
			}
		}
	}
	for _, v := range s.phones.Violations() {
		t.Errorf("violation: %v", v.String())
	}
}
