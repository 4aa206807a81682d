package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"dmgate/bench/handset"
	"dmgate/gateway/api"
	"dmgate/gateway/config"
	"dmgate/storage"
)

// send makes a call whose body or answer is a file.
func (s *site) send(t *testing.T, method, path string, body io.Reader) *http.Response {
	t.Helper()
	req, err := http.NewRequest(method, s.url+"v1/"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	if body != nil {
		req.Header.Set("Content-Type", "text/csv")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	return resp
}

func (s *site) upload(t *testing.T, campaign string, file io.Reader) (added api.Added) {
	t.Helper()
	if err := json.NewDecoder(s.send(t, "POST", "campaigns/"+campaign+"/targets", file).Body).Decode(&added); err != nil {
		t.Fatal(err)
	}
	return added
}

func (s *site) campaign(t *testing.T, id string) (c api.Campaign) {
	t.Helper()
	if err := s.up.call(t.Context(), "GET", "campaigns/"+id, nil, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// A campaign of 200 phones, from a file with a PIN for each user to a report in which all are done: over real HTTP,
// through simulated modems, to handsets that keep the standard strictly.
func TestCampaignOfPhones(t *testing.T) {
	const phones = 200
	s := newSite(t, 4, 2*time.Millisecond, handset.Options{Count: phones})
	var file strings.Builder
	file.WriteString("pin;msisdn;imsi;dev_id\r\n")
	for i, h := range s.phones.Handsets() {
		pin := fmt.Sprintf("%06d", 7919*i)
		s.phones.Tell(h.MSISDN, pin)
		fmt.Fprintf(&file, "%s;%s;%s;%s\r\n", pin, h.MSISDN, h.IMSI, h.DevID())
	}
	file.WriteString("1234;+49;;\r\n")

	var made api.CreatedCampaign
	in := api.NewCampaign{Name: "all", Kind: "bootstrap", Pacing: api.Pacing{Canary: 5, HoldAbove: 0.5}}
	if err := s.up.call(t.Context(), "POST", "campaigns", in, &made); err != nil {
		t.Fatal(err)
	}
	added := s.upload(t, made.ID, strings.NewReader(file.String()))
	if added.Accepted != phones || added.Refused != 1 || added.Problems[0].Line != phones+2 {
		t.Fatalf("%+v", added)
	}
	var plan api.Plan
	if err := s.up.call(t.Context(), "GET", "campaigns/"+made.ID+"/plan", nil, &plan); err != nil {
		t.Fatal(err)
	}
	if plan.Targets != phones || plan.SegmentsPerPush < 2 || plan.Segments != phones*plan.SegmentsPerPush {
		t.Errorf("%+v", plan)
	}
	if err := s.up.call(t.Context(), "POST", "campaigns/"+made.ID+"/start", nil, new(api.Campaign)); err != nil {
		t.Fatal(err)
	}
	s.await(t, "the campaign is done", func() bool { return s.campaign(t, made.ID).State == storage.CampaignDone })

	c := s.campaign(t, made.ID)
	if c.Counts["done"] != phones || c.Counts["refused"] != 1 || !c.Canary.Passed {
		t.Errorf("%+v %+v", c.Counts, c.Canary)
	}
	rows, err := csv.NewReader(s.send(t, "GET", "campaigns/"+made.ID+"/report.csv", nil).Body).ReadAll()
	if err != nil || len(rows) != phones+2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, h := range s.phones.Handsets() {
		row := rows[i+1]
		dev, err := s.store.Device(storage.DeviceID(row[3]))
		if err != nil || row[1] != fmt.Sprint(i+2) || row[2] != h.MSISDN || dev.MSISDN != h.MSISDN || row[4] != "done" ||
			!dev.State.Bootstrapped() || row[6] != "1" || row[7] != fmt.Sprintf("%s.%d.1", made.ID, i+1) {
			t.Errorf("%v: %+v %v", row, dev, err)
		}
	}
	if row := rows[phones+1]; row[4] != "refused" || !strings.HasPrefix(row[9], `msisdn: "+49" is no number`) {
		t.Errorf("%v", row)
	}
	for _, v := range s.phones.Violations() {
		t.Errorf("violation: %v", v.String())
	}
}

// A million lines are ordered in bounded memory, and so is their report.
func TestMillionTargets(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	const lines, bad = 1_000_000, 100
	c := config.Default()
	c.Data, c.Device.Listen, c.Admin.Listen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	s := startSite(t, c)
	var made api.CreatedCampaign
	in := api.NewCampaign{Name: "million", Kind: "bootstrap", Sec: "netwpin"}
	if err := s.up.call(t.Context(), "POST", "campaigns", in, &made); err != nil {
		t.Fatal(err)
	}
	heap := watchHeap()
	begun := time.Now()
	file, out := io.Pipe()
	go func() {
		w := bufio.NewWriterSize(out, 64<<10)
		fmt.Fprintln(w, "msisdn,imsi,dev_id")
		for i := range lines {
			if i%(lines/bad) == 17 {
				fmt.Fprintf(w, "+4917%08d,\"2620,\n", i)
			} else {
				fmt.Fprintf(w, "+4917%08d,26201%010d,IMEI:%015d\n", i, i, i)
			}
		}
		out.CloseWithError(w.Flush())
	}()
	added := s.upload(t, made.ID, file)
	ordered := time.Since(begun)
	if added.Accepted != lines-bad || added.Refused != bad || added.Repeated != 0 || len(added.Problems) != bad {
		t.Errorf("%d accepted, %d repeated, %d refused", added.Accepted, added.Repeated, added.Refused)
	}
	begun = time.Now()
	rows := 0
	report := bufio.NewScanner(s.send(t, "GET", "campaigns/"+made.ID+"/report.csv", nil).Body)
	for report.Scan() {
		rows++
	}
	if rows != lines+1 || report.Err() != nil {
		t.Errorf("a report of %d lines, %v", rows, report.Err())
	}
	t.Logf("%d lines ordered in %v; report read in %v; heap at most %d MB, in memory at most %s", lines,
		ordered.Round(time.Millisecond), time.Since(begun).Round(time.Millisecond), heap()>>20, resident())
}

// watchHeap looks at the heap now and then, until the function it returns is called, which tells the most there was.
func watchHeap() func() uint64 {
	most, stop := make(chan uint64), make(chan struct{})
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		seen := uint64(0)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			seen = max(seen, m.HeapAlloc)
			select {
			case <-tick.C:
			case <-stop:
				most <- seen
				return
			}
		}
	}()
	return func() uint64 { close(stop); return <-most }
}

// resident is the most memory that this process has had, where the system tells.
func resident() string {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if most, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strings.TrimSpace(most)
		}
	}
	return "nobody knows"
}
