package fleet

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/storage"
)

var ticketLinkForm = regexp.MustCompile(`^http://gw\.test:8080/t/([a-z2-7]{26})$`)

// linked makes a ticket for a package, as an open job that waits for its download has it.
func (r *rig) linked(purpose string) (dev *storage.Device, token string, t *storage.Ticket) {
	r.t.Helper()
	dev = r.register("+9990002")
	pkg := r.add(storage.Package{Name: "mail", Version: "1.10", Title: "Mail", Enabled: true, Params: "-q"})
	link, id, err := r.newTicket("job1", dev.ID, pkg, purpose)
	m := ticketLinkForm.FindStringSubmatch(link)
	if err != nil || m == nil || TicketID(m[1]) != id {
		r.t.Fatalf("%s %s %v", link, id, err)
	}
	err = r.store.Commit(&storage.Commit{Device: dev.ID, Time: r.now, Jobs: []storage.Job{{
		ID: "job1", Device: dev.ID, State: storage.JobAwaitsDownload, What: storage.JobSpec{Chosen: pkg.ID},
		Wait: storage.Wait{For: "the user", Until: r.now.Add(time.Hour)},
	}}})
	if err != nil {
		r.t.Fatal(err)
	}
	if t, err = r.Ticket(id); err != nil {
		r.t.Fatal(err)
	}
	return dev, m[1], t
}

func TestTicketKeepsNoToken(t *testing.T) {
	r := newRig(t)
	dev, token, ticket := r.linked(ticketLink)
	if ticket.Device != dev.ID || ticket.Job != "job1" || ticket.Uses != 3 || ticket.Requests != 500 || ticket.Version != "1.10" ||
		ticket.Title != "Mail" || ticket.Params != "-q" || !ticket.Expires.Equal(r.now.Add(7*24*time.Hour)) {
		t.Errorf("%+v", ticket)
	}
	documents, err := r.store.Documents("", "", 100)
	if err != nil || len(documents) == 0 {
		t.Fatal(documents, err)
	}
	for _, d := range documents {
		if strings.Contains(d.Name, token) || bytes.Contains(d.Value, []byte(token)) {
			t.Errorf("the token is in document %s", d.Name)
		}
	}
	other, _, err := r.newTicket("job1", dev.ID, &storage.Package{ID: "p", URL: "https://files.test/p.sis"}, ticketDM)
	if err != nil || other != "https://files.test/p.sis" {
		t.Errorf("%s %v", other, err)
	}
	if _, _, err := r.newTicket("job1", dev.ID, &storage.Package{ID: "p"}, ticketDM); err == nil {
		t.Error("a ticket for a package without a file")
	}
	for _, n := range []int{0, maxTicketBody + 1} {
		if _, _, err := r.newBodyTicket("", dev.ID, make([]byte, n), "a/b", "x", ticketCertificate); err == nil {
			t.Errorf("a ticket for %d bytes", n)
		}
	}
}

// events are the feed's entries of kind ticket.
func (r *rig) ticketEvents() (list []string) {
	r.t.Helper()
	feed, err := r.store.Feed(0, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range feed {
		if e.Kind == "ticket" {
			list = append(list, e.Order+" "+e.Status+": "+e.Text)
		}
	}
	return list
}

func TestTicketEventsReachJobAndFeed(t *testing.T) {
	r := newRig(t)
	dev, _, ticket := r.linked(ticketLink)
	at := r.now
	again := func() {
		t.Helper()
		var err error
		if ticket, err = r.Ticket(ticket.ID); err != nil {
			t.Fatal(err)
		}
		r.now = r.now.Add(time.Minute)
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(r.TicketOpened(ticket))
	again()
	check(r.TicketFetched(ticket, 3, 1000))
	again()
	check(r.TicketFetched(ticket, 1, 500))
	again()
	check(r.TicketReported(ticket, "900 success"))
	again()
	check(r.TicketReported(ticket, "900 success"))
	check(r.CloseTicket(ticket, "too many requests"))
	again()
	check(r.CloseTicket(ticket, "too many requests"))
	want := []string{
		"job1 opened: the link to Mail 1.10 was opened",
		"job1 fetched: the link to Mail 1.10 was downloaded whole (1 of 3)",
		"job1 fetched: the link to Mail 1.10 was downloaded whole (2 of 3)",
		"job1 reported: the device says of the link to Mail 1.10: 900 success",
		"job1 closed: the link to Mail 1.10 was closed: too many requests",
	}
	if got := r.ticketEvents(); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	job, err := r.store.Job(dev.ID, "job1")
	if err != nil || !job.Opened.Equal(at) || !job.Fetched.Equal(at.Add(time.Minute)) || len(job.Steps) != 5 {
		t.Errorf("%+v %v", job, err)
	}
	if ticket.Used != 2 || ticket.Asked != 4 || ticket.Sent != 1500 || !ticket.Fetched.Equal(at.Add(time.Minute)) || ticket.Status != "900 success" ||
		ticket.Closed != "too many requests" {
		t.Errorf("%+v", ticket)
	}
}

// noDocuments is a store that is killed between an event's commit and the record of its ticket.
type noDocuments struct{ storage.Store }

var errKilled = errors.New("killed")

func (noDocuments) EditDocument(string, func([]byte) ([]byte, error)) error { return errKilled }

// A kill between the two writes of an event loses neither: it is told once more, and the job's times stay.
func TestTicketEventAfterAKill(t *testing.T) {
	r := newRig(t)
	dev, _, ticket := r.linked(ticketLink)
	r.Fleet.store = noDocuments{r.store}
	if err := r.TicketOpened(ticket); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	if err := r.TicketFetched(ticket, 1, 5); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	at := r.now
	r.Fleet.store = r.store
	r.now = r.now.Add(time.Hour)
	if err := r.TicketOpened(ticket); err != nil {
		t.Fatal(err)
	}
	if err := r.TicketFetched(ticket, 1, 5); err != nil {
		t.Fatal(err)
	}
	job, err := r.store.Job(dev.ID, "job1")
	if err != nil || !job.Opened.Equal(at) || !job.Fetched.Equal(at) {
		t.Errorf("%+v %v", job, err)
	}
	if ticket, err = r.Ticket(ticket.ID); err != nil || ticket.Used != 1 {
		t.Errorf("%+v %v", ticket, err)
	}
}

// What the device fetches by itself, and what belongs to no job, opens no link of a job.
func TestTicketThatIsNoLink(t *testing.T) {
	r := newRig(t)
	dev, _, ticket := r.linked(ticketDM)
	if err := errors.Join(r.TicketOpened(ticket), r.TicketFetched(ticket, 1, 5)); err != nil {
		t.Fatal(err)
	}
	job, err := r.store.Job(dev.ID, "job1")
	if err != nil || !job.Opened.IsZero() || !job.Fetched.IsZero() || len(job.Steps) != 2 {
		t.Errorf("%+v %v", job, err)
	}
	_, id, err := r.newBodyTicket("order1", dev.ID, []byte("der"), "application/x-x509-ca-cert", "root.cer", ticketCertificate)
	if err != nil {
		t.Fatal(err)
	}
	if ticket, err = r.Ticket(id); err != nil {
		t.Fatal(err)
	}
	if err := r.TicketOpened(ticket); err != nil {
		t.Fatal(err)
	}
	got := r.ticketEvents()
	if want := "order1 opened: the link to the certificate root.cer was opened"; got[len(got)-1] != want {
		t.Errorf("%q, want %q", got[len(got)-1], want)
	}
}

func TestSweepCatalogue(t *testing.T) {
	r := newRig(t)
	_, _, ticket := r.linked(ticketLink)
	file := func(of string, n int) string {
		p := r.add(storage.Package{Name: of, Version: "1", Enabled: true, File: storage.File{Size: int64(n)}})
		sum := strings.Repeat("0", 62) + of
		if _, err := r.SetPackageFile(p.ID, sum, int64(n)); err != nil {
			t.Fatal(err)
		}
		if of != "a0" {
			if _, err := r.RemovePackage(p.ID); err != nil {
				t.Fatal(err)
			}
		}
		return p.ID
	}
	kept, free, chosen := file("a0", 1), file("b0", 2), ""
	if err := r.store.Commit(&storage.Commit{Device: ticket.Device, Time: r.now, JobEdits: []storage.JobEdit{{
		ID: "job1", Edit: func(j *storage.Job) error { chosen = j.What.Chosen; return nil },
	}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.RemovePackage(chosen); err != nil {
		t.Fatal(err)
	}
	sweep := func(after time.Duration) map[string]bool {
		t.Helper()
		used, err := r.SweepCatalogue(r.now.Add(after))
		if err != nil {
			t.Fatal(err)
		}
		return used
	}
	there := func(id string, want bool) {
		t.Helper()
		if _, err := r.Package(id); (err == nil) != want {
			t.Errorf("package %s: %v, want it there: %v", id, err, want)
		}
	}
	sweep(time.Minute) // a job may have chosen it a moment ago
	there(free, true)
	sweep(2 * time.Hour)
	there(free, false)
	there(kept, true)
	there(chosen, true) // its job is open
	used := sweep(2 * time.Hour)
	for sum, want := range map[string]bool{
		strings.Repeat("0", 62) + "a0": true, strings.Repeat("0", 62) + "b0": false, strings.Repeat("ab", 32): true,
	} {
		if used[sum] != want {
			t.Errorf("file %s: used %v, want %v", sum, used[sum], want)
		}
	}
	if err := r.store.Commit(&storage.Commit{Device: ticket.Device, Time: r.now, JobEdits: []storage.JobEdit{{
		ID: "job1", Edit: func(j *storage.Job) error { j.Enter(storage.JobDone, r.now, "", storage.Wait{}); return nil },
	}}}); err != nil {
		t.Fatal(err)
	}
	sweep(2 * time.Hour)
	there(chosen, false)
	if _, err := r.Ticket(ticket.ID); err != nil {
		t.Errorf("a ticket that has not expired: %v", err)
	}
	used = sweep(7*24*time.Hour + ticketKept)
	if _, err := r.Ticket(ticket.ID); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a ticket that has long expired: %v", err)
	}
	if used[strings.Repeat("ab", 32)] {
		t.Error("its file is used")
	}
}

func TestPackagePayload(t *testing.T) {
	r := newRig(t)
	r.opt.File = func(sum string) (io.ReadCloser, error) {
		if sum != strings.Repeat("ab", 32) {
			return nil, storage.ErrNotFound
		}
		return io.NopCloser(strings.NewReader("bytes")), nil
	}
	p := r.add(storage.Package{Name: "mail", Version: "1", Enabled: true})
	if got, err := r.packagePayload(p, 5); err != nil || string(got) != "bytes" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := r.packagePayload(p, 4); err == nil || !strings.Contains(err.Error(), "has 5 bytes, at most 4 go in a session") {
		t.Error(err)
	}
	if _, err := r.packagePayload(&storage.Package{ID: "p", URL: "http://x.test/"}, 5); err == nil || err.Error() != "fleet: package p has no file here" {
		t.Error(err)
	}
}
