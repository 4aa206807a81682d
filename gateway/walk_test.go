package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dmgate/bench/handset"
	"dmgate/gateway/api"
	"dmgate/gateway/config"
	"dmgate/gateway/recipe"
	"dmgate/storage"
)

var writeWalks = flag.Bool("write-walks", false, "write testdata/walk anew")

// walk is the way of one kind of device, from a number that nobody knows to a client that is seen to be installed, or to
// the fallback that is left.
type walk struct {
	name  string
	model *handset.Make
	pack  api.NewPackage
	rules func(t *testing.T) string // the operator's, over those of the product
	asks  bool                      // its user looks for updates now and then: the device never says what came of an Exec
	tells bool                      // upstream hears of the client that the link has brought, and reports its version
	end   storage.JobState
}

// impatient are rules by which a client that the device says is installed has to be seen within two seconds.
func impatient(t *testing.T) string {
	t.Helper()
	rules, err := recipe.Load("")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := "recipes:\n" + rules.Find("scomo-fixed-slot").Text + "\n    verifyWithin: 2s\n"
	if err := os.WriteFile(filepath.Join(dir, "impatient.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

const software = "com.example.client"

var (
	anyPackage = api.NewPackage{
		Name: "client", Version: "2.1", Client: true, Type: "application/octet-stream", FileName: software, Software: software,
	}
	msiPackage = api.NewPackage{
		Name: "client", Version: "2.1", Client: true, Type: "application/x-msi", FileName: "client.msi",
		Software: "{D2B1B1C6-4E2D-4B7F-9E3B-0C1F2A3B4C5D}",
	}
)

var walks = []walk{
	{name: "s60", model: handset.S60.Only("B72"), pack: anyPackage, asks: true, end: storage.JobDone},
	{name: "s60scomo", model: handset.S60SCOMO, pack: anyPackage, end: storage.JobDone},
	{name: "redbend", model: handset.RedBend.Only("A9"), pack: anyPackage, end: storage.JobDone},
	{name: "mediatek", model: handset.MediaTek.Only("K8 Max"), pack: anyPackage, end: storage.JobDone},
	{name: "samsung", model: handset.Samsung.Only("HN-A50"), pack: anyPackage, tells: true, end: storage.JobDone},
	{name: "windows", model: handset.Windows.Only("Desk 3"), pack: msiPackage, end: storage.JobDone},
	{name: "modem", model: handset.Modem.Only("DM-90 LTE"), pack: anyPackage, end: storage.JobMarked},
	{name: "liar", model: handset.Liar, rules: impatient, pack: anyPackage, asks: true, end: storage.JobMarked},
	{name: "closed", model: handset.Closed, pack: anyPackage, end: storage.JobMarked},
	{name: "silent", model: handset.Silent, pack: anyPackage, asks: true, end: storage.JobDone},
}

// TestWalk walks the first of its kind, then eight more at once, then the tenth. What the first and the tenth were told,
// and why, stands in testdata/walk; what it took until it was known what they can do is logged.
func TestWalk(t *testing.T) {
	table := make([][]string, len(walks))
	t.Run("each", func(t *testing.T) {
		for i := range walks {
			t.Run(walks[i].name, func(t *testing.T) {
				t.Parallel()
				table[i] = walks[i].run(t)
			})
		}
	})
	t.Logf("\n%-10s %-6s %5s %8s %6s %6s %8s %8s  %-24s %-24s %s", "handset", "which", "sess.", "messages", "sent", "got",
		"in all", "time", "recipe", "end", "messages in all")
	for _, lines := range table {
		for _, line := range lines {
			t.Log(line)
		}
	}
}

const kinds = 10 // handsets of a kind

func (w *walk) run(t *testing.T) []string {
	s := &walkSite{known: make(map[*handset.Handset]knownAt)}
	o := handset.Options{Count: kinds, Makes: []*handset.Make{w.model}}
	o.Observe = s.observe
	s.site = newSite(t, 4, time.Millisecond, o, func(c *config.Config) {
		if w.rules != nil {
			c.Rules = w.rules(t)
		}
	})
	s.addPackage(t, w.pack, []byte(strings.Repeat("the client ", 1000)))
	first := w.walkOne(t, s, 0)
	for i := 1; i < kinds-1; i++ {
		w.order(t, s, i)
	}
	for i := 1; i < kinds-1; i++ {
		w.follow(t, s, i)
	}
	s.await(t, "the kind is known", s.isLearnt)
	tenth := w.walkOne(t, s, kinds-1)
	compareScript(t, filepath.Join("testdata", "walk", w.name+".txt"),
		"# The first of its kind.\n"+first.script+"\n# The tenth.\n"+tenth.script)
	for _, v := range s.phones.Violations() {
		t.Errorf("violation: %v", v.String())
	}
	return []string{first.line(w.name, "first"), tenth.line(w.name, "tenth")}
}

// walked is how one device has gone its way.
type walked struct {
	script string
	known  handset.Result // when it was known what it can do
	after  time.Duration  // from the order until then
	in     handset.Result // when the job was over
	all    time.Duration
	recipe string
	end    storage.JobState
}

func (w *walked) line(name, which string) string {
	k := &w.known
	return fmt.Sprintf("%-10s %-6s %5d %8d %6d %6d %8d %8v  %-24s %-24s %d", name, which, k.Sessions, k.Messages, k.BytesSent,
		k.BytesReceived, k.BytesSent+k.BytesReceived, w.after.Round(time.Millisecond), w.recipe, w.end, w.in.Messages)
}

// order registers a handset as upstream does, orders the client for it, and tells its user the PIN.
func (w *walk) order(t *testing.T, s *walkSite, i int) {
	t.Helper()
	h := s.phones.Handsets()[i]
	ids, err := s.up.register(t.Context(), []*handset.Handset{h})
	if err != nil {
		t.Fatal(err)
	}
	s.ids[i], s.begun[i] = ids[0], time.Now()
	var placed api.Jobs
	in := api.NewJobs{Devices: ids, Kind: "install", JobSpec: api.JobSpec{Package: w.pack.Name, Fallback: []string{"sms", "mark"}}}
	if err := s.up.call(t.Context(), "POST", "jobs", in, &placed); err != nil || placed.Placed != 1 {
		t.Fatalf("%+v %v", placed, err)
	}
	s.jobs[i] = placed.Jobs[0].Job
	s.phones.Tell(h.MSISDN, placed.Jobs[0].PIN)
}

// follow waits until the job is over, and says how it went.
func (w *walk) follow(t *testing.T, s *walkSite, i int) *walked {
	t.Helper()
	h := s.phones.Handsets()[i]
	var job api.Job
	asked := time.Now()
	defer func() {
		if job.State.Open() {
			t.Logf("%+v waits %+v", job, job.Waits)
		}
	}()
	s.await(t, "the job of "+h.MSISDN+" is over", func() bool {
		if err := s.up.call(t.Context(), "GET", fmt.Sprintf("devices/%s/jobs/%s", s.ids[i], s.jobs[i]), nil, &job); err != nil {
			t.Fatal(err)
		}
		if w.tells && job.State == storage.JobDownloaded {
			in := api.Report{Version: w.pack.Version}
			if err := s.up.call(t.Context(), "POST", fmt.Sprintf("devices/%s/jobs/%s/report", s.ids[i], s.jobs[i]), in, &job); err != nil {
				t.Fatal(err)
			}
		}
		if w.asks && job.Recipe != "" && time.Since(asked) > 300*time.Millisecond {
			s.phones.Connect(h.MSISDN)
			asked = time.Now()
		}
		return !job.State.Open()
	})
	if job.State != w.end {
		t.Errorf("%s has come to %s (%s), want %s", h.MSISDN, job.State, job.Reason, w.end)
	}
	known := s.knownAt(i)
	return &walked{
		script: s.script(t, i, &job), known: known.result, after: known.at.Sub(s.begun[i]), in: h.Result(),
		all: time.Since(s.begun[i]), recipe: job.Recipe, end: job.State,
	}
}

func (w *walk) walkOne(t *testing.T, s *walkSite, i int) *walked {
	t.Helper()
	w.order(t, s, i)
	return w.follow(t, s, i)
}

// walkSite is a site, and what is known of its phones from outside.
type walkSite struct {
	*site
	ids   [kinds]storage.DeviceID
	jobs  [kinds]string
	begun [kinds]time.Time

	mu    sync.Mutex
	known map[*handset.Handset]knownAt
}

// knownAt is when it was known what a device can do, and what it had taken until then.
type knownAt struct {
	at     time.Time
	result handset.Result
}

// observe is told of each answer that the gateway has acknowledged: by then it is in the store, and what follows from it.
func (s *walkSite) observe(e handset.Event) {
	if e.Kind != handset.AnswerTaken || s.site == nil {
		return
	}
	id, err := s.store.FindDevice(storage.ByMSISDN, e.Handset.MSISDN)
	if err != nil {
		return
	}
	d, err := s.store.Device(id)
	if err != nil || d.State != storage.Discovered {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, before := s.known[e.Handset]; !before {
		s.known[e.Handset] = knownAt{time.Now(), e.Handset.Result()}
	}
}

func (s *walkSite) knownAt(i int) knownAt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[s.phones.Handsets()[i]]
}

// isLearnt says whether the tree of the kind is known from its devices.
func (s *walkSite) isLearnt() bool {
	all, err := s.store.Documents(storage.ModelPrefix, "", 100)
	for i := range all {
		m := &storage.Model{}
		if storage.ReadRecord(all[i].Value, m) == nil && len(m.Reference.Nodes) > 0 {
			return true
		}
	}
	return err != nil
}

// addPackage puts a package into the catalogue, with its file.
func (s *site) addPackage(t *testing.T, p api.NewPackage, file []byte) {
	t.Helper()
	var made api.Package
	if err := s.up.call(t.Context(), "POST", "packages", p, &made); err != nil {
		t.Fatal(err)
	}
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
	if resp.StatusCode != 200 {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("the file was not taken: %s: %s", resp.Status, text)
	}
}

// script is the timeline of a job, and what the device was told, with what it said. What was said before is left out: how
// often a device is looked at depends on how often it comes.
func (s *walkSite) script(t *testing.T, i int, job *api.Job) string {
	t.Helper()
	var parts []string
	for _, step := range job.Timeline {
		if step.Text != "the device is being asked what it is" { // which the engine sees, or misses
			parts = append(parts, step.Text+"\n")
		}
	}
	results, err := s.store.Results(s.ids[i], 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for n, r := range results {
		task, err := s.store.Task(s.ids[i], r.Task)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 || results[n-1].Task != r.Task {
			parts = append(parts, "\n"+task.Purpose+"\n")
		}
		for _, a := range r.Answers {
			parts[len(parts)-1] += told(&task.Commands[a.Command], &a)
		}
	}
	said := make(map[string]bool)
	parts = slices.DeleteFunc(parts, func(part string) bool {
		again := said[part]
		said[part] = true
		return again
	})
	text := strings.Join(parts, "")
	for name, value := range map[string]string{"JOB": s.jobs[i], "DEVICE": string(s.ids[i])} {
		text = strings.ReplaceAll(text, value, name)
	}
	return volatile.ReplaceAllString(text, "$1$2")
}

// told is a command and an answer to it, in a line.
func told(c *storage.Command, a *storage.Answer) string {
	line := "  " + c.Kind + " " + c.URI
	if len(c.Data) > 0 {
		line += fmt.Sprintf(" %.60q", c.Data)
	}
	line += fmt.Sprintf(" -> %d", a.Code)
	if len(a.Data) > 0 {
		line += fmt.Sprintf(" %.60q", a.Data)
	}
	return line + "\n"
}

// volatile is what is another each time.
var volatile = regexp.MustCompile(`(127\.0\.0\.1):[0-9]+(?:/t/[A-Za-z0-9_-]+)?|(client 2\.1) \([a-z0-9]{16}\)`)

func compareScript(t *testing.T, file, got string) {
	t.Helper()
	if *writeWalks {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what happened:\n%s", file, got)
	}
}
