package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"dmgate/bench/handset"
	"dmgate/storage"
)

// The scripts in testdata/job are jobs on a simulated handset: real pushes, real sessions, time that the script lets pass.
// Their commands show what the timelines of the jobs have got by them:
//
//	phone MAKE [radio=on|off|refused] [user=accepts|away]   the handset. Later in a script: what becomes of it
//	package NAME VERSION [recipe=R]    a package of the catalogue
//	place KIND [PACKAGE] [fallback=(si, sms, mark)] [no-dm] [silent] [within=D] [priority=N] [NAME=VALUE ...]
//	pass D [step=D]                    time passes
//	session                            the phone opens one, as when its user looks for updates
//	open, download                     the user opens the link that was sent last, or downloads what lies there
//	report VERSION [job=N], cancel [job=N]   upstream does; the last job where none is named
//	waits                              what the jobs wait for
//	software                           what the phone has in its inventory, and the Execs that it took
//	outcomes                           what the models learn
func TestJobScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/job", func(t *testing.T, path string) {
		s := &jobScript{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if s.jobWorld != nil {
				s.t = t
			}
			return s.run(t, d)
		})
		if s.jobWorld != nil {
			for _, v := range s.phone.Violations() {
				t.Errorf("violation: %v", v.String())
			}
		}
	})
}

type jobScript struct {
	*jobWorld
	told uint64
}

func (s *jobScript) run(t *testing.T, d *datadriven.TestData) string {
	first := ""
	if len(d.CmdArgs) > 0 && len(d.CmdArgs[0].Vals) == 0 {
		first = d.CmdArgs[0].Key
	}
	if s.jobWorld == nil {
		s.jobWorld = newJobWorld(t, makeOf(t, first))
	}
	switch d.Cmd {
	case "phone":
		d.MaybeScanArgs(t, "radio", &s.radio)
		d.MaybeScanArgs(t, "user", &s.user)
	case "package":
		s.pack(d)
	case "place":
		return s.place(d) + s.news()
	case "pass":
		by, step := spanOf(t, first), 10*time.Minute
		if d.HasArg("step") {
			step = spanOf(t, d.CmdArgs[1].Vals[0])
		}
		s.pass(by, step)
	case "session":
		s.session()
		s.live()
	case "open", "download":
		s.use(d.Cmd)
		s.live()
	case "report":
		j := s.jobOf(d)
		if _, err := s.ReportJob(s.dev, j.ID, first); err != nil {
			return err.Error() + "\n"
		}
	case "cancel":
		j := s.jobOf(d)
		if _, err := s.CancelJob(s.dev, j.ID); err != nil {
			return err.Error() + "\n"
		}
		s.live()
	case "waits":
		return s.waits()
	case "software":
		return s.software()
	case "outcomes":
		return s.outcomes()
	default:
		t.Fatalf("no command %q", d.Cmd)
	}
	return s.news()
}

func makeOf(t *testing.T, name string) *handset.Make {
	for _, m := range handset.AllMakes() {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("no make %q", name)
	return nil
}

func spanOf(t *testing.T, text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (s *jobScript) pack(d *datadriven.TestData) {
	p := storage.Package{
		Name: d.CmdArgs[0].Key, Version: d.CmdArgs[1].Key, Enabled: true, Software: "com.example." + d.CmdArgs[0].Key,
		Title: d.CmdArgs[0].Key, Params: "version=" + d.CmdArgs[1].Key, File: storage.File{Type: "application/octet-stream"},
	}
	var recipe string
	if d.MaybeScanArgs(s.t.(*testing.T), "recipe", &recipe); recipe != "" {
		p.Recipes = []string{recipe}
	}
	added, _, err := s.AddPackage("", p)
	s.must(err)
	_, err = s.SetPackageFile(added.ID, strings.Repeat("ab", 32), 100)
	s.must(err)
}

// place places a job, and tells the user the PIN.
func (s *jobScript) place(d *datadriven.TestData) string {
	o := JobOrder{Device: s.dev, Kind: d.CmdArgs[0].Key, Values: map[string]string{}}
	for _, a := range d.CmdArgs[1:] {
		switch a.Key {
		case "fallback":
			o.Fallback = a.Vals
		case "no-dm":
			o.NoDM = true
		case "silent":
			o.Silent = true
		case "within":
			o.Deadline = s.now.Add(spanOf(s.t.(*testing.T), a.Vals[0]))
		case "priority":
			fmt.Sscan(a.Vals[0], &o.Priority)
		case "recipe":
			o.Recipe = a.Vals[0]
		case "get":
			o.Commands = append(o.Commands, get(a.Vals[0]))
		default:
			if len(a.Vals) == 0 {
				o.Package = a.Key
			} else {
				o.Values[a.Key] = a.Vals[0]
			}
		}
	}
	placed, err := s.PlaceJob(o)
	if err != nil {
		return err.Error() + "\n"
	}
	if placed.Same {
		return fmt.Sprintf("%s does that already\n", s.name(placed.Job.ID))
	}
	if placed.PIN != "" && placed.Job.Bootstrap != "" {
		s.pin = placed.PIN
		return "the user is told a PIN\n"
	}
	return ""
}

// use does with the link that was sent last what a user does.
func (s *jobScript) use(what string) {
	jobs, err := s.store.Jobs(s.dev)
	s.must(err)
	id := jobs[len(jobs)-1].Ticket
	t, err := s.Ticket(id)
	s.must(err)
	if what == "open" {
		s.must(s.TicketOpened(t))
	} else {
		s.must(s.TicketFetched(t, 1, 100))
	}
}

func (s *jobScript) jobOf(d *datadriven.TestData) *storage.Job {
	jobs, err := s.store.Jobs(s.dev)
	s.must(err)
	n := len(jobs)
	d.MaybeScanArgs(s.t.(*testing.T), "job", &n)
	return &jobs[n-1]
}

func (s *jobScript) software() string {
	var b strings.Builder
	for _, c := range s.phone.Inventory() {
		fmt.Fprintf(&b, "%s %s\n", c.ID, c.Version)
	}
	for _, uri := range slices.Sorted(maps.Keys(s.execs)) {
		fmt.Fprintf(&b, "Exec %s: %d\n", uri, s.execs[uri])
	}
	return b.String()
}

// outcomes are what the feed has told of outcomes since it was shown last.
func (s *jobScript) outcomes() string {
	var b strings.Builder
	for {
		page, err := s.store.Feed(s.told, 1000)
		s.must(err)
		if len(page) == 0 {
			return b.String()
		}
		for i := range page {
			e := &page[i]
			if s.told = e.Offset; e.Kind == "outcome" {
				fmt.Fprintf(&b, "%s %s %s: %s\n", s.name(e.Order), e.Recipe, e.Status, s.plain(e.Text))
			}
		}
	}
}
