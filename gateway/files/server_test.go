package files

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/valyala/fasthttp"

	"dmgate/gateway/fleet"
	"dmgate/sessions"
	"dmgate/storage"
	"dmgate/storage/pebble"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// rig is a server of files over a real store and a real socket, with a clock that the test sets.
type rig struct {
	t       *testing.T
	base    string // URL of what tickets are below
	store   *pebble.Store
	files   *Store
	fleet   *fleet.Fleet
	server  atomic.Pointer[Server]
	closed  chan struct{} // one for each connection that the server has closed
	device  *storage.Device
	tickets atomic.Int64

	mu  sync.Mutex
	now time.Time
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func newRig(t *testing.T, o Options) *rig {
	t.Helper()
	store, err := pebble.Open(t.TempDir(), pebble.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	r := &rig{t: t, store: store, now: epoch, closed: make(chan struct{}, 100)}
	if r.files, err = Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + l.Addr().String()
	r.base = base + fleet.TicketPath
	r.fleet = fleet.New(fleet.Options{Address: base + "/dm", Clock: r.clock}, store, func() {})
	if err := r.fleet.Load(); err != nil {
		t.Fatal(err)
	}
	if r.device, err = r.fleet.Register(fleet.NewDevice{MSISDN: "+9990001"}); err != nil {
		t.Fatal(err)
	}
	o.Clock = r.clock
	if o.Source == nil {
		o.Source = func(net.Addr) sessions.Source { return sessions.Source(netip.MustParseAddr("10.0.0.1").As16()) }
	}
	r.server.Store(NewServer(o, r.files, r.fleet, metrics.NewSet()))
	server := &fasthttp.Server{
		Handler:               func(ctx *fasthttp.RequestCtx) { r.server.Load().Serve(ctx) },
		NoDefaultServerHeader: true, WriteTimeout: 10 * time.Second, Logger: quiet{},
		ConnState: func(_ net.Conn, s fasthttp.ConnState) {
			if s == fasthttp.StateClosed {
				r.closed <- struct{}{}
			}
		},
	}
	go server.Serve(l)
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		http.DefaultClient.CloseIdleConnections()
		server.ShutdownWithContext(ctx)
	})
	return r
}

// restart makes another process of the server, over another store.
func (r *rig) restart(store storage.Store) {
	f := fleet.New(fleet.Options{Address: strings.TrimSuffix(r.base, fleet.TicketPath) + "/dm", Clock: r.clock}, store, func() {})
	r.server.Store(NewServer(r.server.Load().opt, r.files, f, metrics.NewSet()))
}

// quiet is a logger of what clients have cut off.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// content is a file of n bytes that tell where they stand.
func content(n int) []byte {
	b := make([]byte, 0, n+16)
	for len(b) < n {
		b = fmt.Appendf(b, "%015d\n", len(b))
	}
	return b[:n]
}

// ticket makes a ticket for data, of which change makes what the test needs.
func (r *rig) ticket(data []byte, change func(*storage.Ticket)) (token string) {
	r.t.Helper()
	sum, size, err := r.files.Put(bytes.NewReader(data), 1<<30, func(string, int64) error { return nil })
	if err != nil {
		r.t.Fatal(err)
	}
	token = strings.Repeat("t", 20) + fmt.Sprintf("%06d", r.tickets.Add(1))
	t := storage.Ticket{
		ID: fleet.TicketID(token), Device: r.device.ID, Job: "job1", Package: "p1", Purpose: "link", Created: r.clock(),
		Expires: r.clock().Add(time.Hour), Uses: 2, Requests: 100, Title: "Mail", Version: "1.10", Software: "0x2001",
		File: storage.File{SHA256: sum, Size: size, Type: "application/vnd.android.package-archive", Name: "mail.apk", Uploaded: epoch},
	}
	if change != nil {
		change(&t)
	}
	value, err := storage.AppendRecord(nil, &t)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.store.PutDocument(storage.TicketDocument+t.ID, value); err != nil {
		r.t.Fatal(err)
	}
	job := storage.Job{
		ID: t.Job, Device: t.Device, Kind: "install", State: storage.JobAwaitsDownload, Ticket: t.ID, Since: r.clock(),
		Wait: storage.Wait{For: "a download", Until: r.clock().Add(time.Hour)},
	}
	err = r.store.Commit(&storage.Commit{Device: t.Device, Time: r.clock(), Jobs: []storage.Job{job}})
	if err != nil && err != storage.ErrExists {
		r.t.Fatal(err)
	}
	return token
}

// reply is an answer, its body read to its end.
type reply struct {
	*http.Response
	body []byte
}

func (r *rig) send(method, path string, header ...string) reply {
	r.t.Helper()
	got, err := r.try(method, path, header...)
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

func (r *rig) try(method, path string, header ...string) (reply, error) {
	req, err := http.NewRequest(method, r.base+path, nil)
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Accept-Encoding", "gzip")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp, body}, err
}

// events are the texts of the feed entries of kind ticket, and what the job has of them.
func (r *rig) events() (texts []string, job *storage.Job) {
	r.t.Helper()
	feed, err := r.store.Feed(0, 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range feed {
		if e.Kind == "ticket" {
			texts = append(texts, e.Status+": "+e.Text)
		}
	}
	if job, err = r.store.Job(r.device.ID, "job1"); err != nil {
		r.t.Fatal(err)
	}
	return texts, job
}

func (r *rig) wantEvents(want ...string) *storage.Job {
	r.t.Helper()
	got, job := r.events()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		r.t.Errorf("the feed says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return job
}

const (
	wasOpened  = "opened: the link to Mail 1.10 was opened"
	wasFetched = "fetched: the link to Mail 1.10 was downloaded whole (1 of 2)"
	again      = "fetched: the link to Mail 1.10 was downloaded whole (2 of 2)"
)

func TestWholeDownload(t *testing.T) {
	r := newRig(t, Options{})
	data := content(300_000)
	token := r.ticket(data, nil)
	head := r.send("HEAD", token)
	if job := r.wantEvents(); !job.Opened.IsZero() {
		t.Errorf("a probe has opened the link: %+v", job)
	}
	got := r.send("GET", token)
	if got.StatusCode != 200 || !bytes.Equal(got.body, data) {
		t.Fatalf("%d, %d bytes", got.StatusCode, len(got.body))
	}
	sum := sha256.Sum256(data)
	text := base64.StdEncoding.EncodeToString(sum[:])
	for name, want := range map[string]string{
		"Content-Type": "application/vnd.android.package-archive", "Content-Length": "300000", "Accept-Ranges": "bytes",
		"Etag": `"` + hex.EncodeToString(sum[:]) + `"`, "Cache-Control": "no-store", "X-Package-Version": "1.10", "X-Package-Id": "0x2001",
		"Content-Disposition": `attachment; filename="mail.apk"`, "Digest": "SHA-256=" + text, "Repr-Digest": "sha-256=:" + text + ":",
		"Transfer-Encoding": "", "Content-Encoding": "",
	} {
		if got.Header.Get(name) != want || head.Header.Get(name) != want {
			t.Errorf("%s: %q, to HEAD %q, want %q", name, got.Header.Get(name), head.Header.Get(name), want)
		}
	}
	if head.StatusCode != 200 || len(head.body) != 0 {
		t.Errorf("HEAD: %d, %d bytes", head.StatusCode, len(head.body))
	}
	if job := r.wantEvents(wasOpened, wasFetched); job.Opened.IsZero() || job.Fetched.IsZero() || len(job.Steps) != 2 {
		t.Errorf("%+v", job)
	}
	if got := r.send("GET", token); got.StatusCode != 200 {
		t.Errorf("the second use: %d", got.StatusCode)
	}
	for _, method := range []string{"GET", "HEAD"} {
		if got := r.send(method, token); got.StatusCode != 410 || got.Header.Get("Etag") != "" ||
			method == "GET" && string(got.body) != "This link was used already.\n" {
			t.Errorf("%s of a link that is used up: %d %q", method, got.StatusCode, got.body)
		}
	}
	r.wantEvents(wasOpened, wasFetched, again)
}

func TestRanges(t *testing.T) {
	r := newRig(t, Options{})
	data := content(1000)
	token := r.ticket(data, func(t *storage.Ticket) { t.Uses = 100 })
	tag := r.send("HEAD", token).Header.Get("Etag")
	for _, c := range []struct {
		rng, ifRange string
		status       int
		from, to     int
		contentRange string
	}{
		{"bytes=0-99", "", 206, 0, 100, "bytes 0-99/1000"},
		{"bytes=990-", "", 206, 990, 1000, "bytes 990-999/1000"},
		{"bytes=990-5000", "", 206, 990, 1000, "bytes 990-999/1000"},
		{"bytes=-1", "", 206, 999, 1000, "bytes 999-999/1000"},
		{"bytes=-5000", "", 206, 0, 1000, "bytes 0-999/1000"},
		{"bytes=0-0", tag, 206, 0, 1, "bytes 0-0/1000"},
		{"bytes=0-0", `"other"`, 200, 0, 1000, ""},
		{"bytes=0-0", "W/" + tag, 200, 0, 1000, ""},
		{"bytes=0-0", "Thu, 01 Jan 2026 00:00:00 GMT", 200, 0, 1000, ""},
		{"bytes=0-0,5-6", "", 200, 0, 1000, ""},
		{"bytes=9-3", "", 200, 0, 1000, ""},
		{"lines=0-3", "", 200, 0, 1000, ""},
		{"", "", 200, 0, 1000, ""},
	} {
		header := []string{"Range", c.rng}
		if c.ifRange != "" {
			header = append(header, "If-Range", c.ifRange)
		}
		got := r.send("GET", token, header...)
		if got.StatusCode != c.status || !bytes.Equal(got.body, data[c.from:c.to]) ||
			got.Header.Get("Content-Range") != c.contentRange ||
			got.ContentLength != int64(c.to-c.from) || got.Header.Get("Etag") != tag {
			t.Errorf("%q %q: %d %s, %d bytes, want %d %s", c.rng, c.ifRange, got.StatusCode, got.Header.Get("Content-Range"),
				len(got.body), c.status, c.contentRange)
		}
	}
	for _, rng := range []string{"bytes=1000-", "bytes=-0", "bytes=99999999999999999999-"} {
		got := r.send("GET", token, "Range", rng)
		if got.StatusCode != 416 || got.Header.Get("Content-Range") != "bytes */1000" || got.Header.Get("Etag") != "" {
			t.Errorf("%q: %d %v", rng, got.StatusCode, got.Header)
		}
	}
	if got := r.send("HEAD", token, "Range", "bytes=0-3"); got.StatusCode != 200 || got.ContentLength != 1000 {
		t.Errorf("HEAD with a range: %d, %d bytes", got.StatusCode, got.ContentLength)
	}
}

// A client that fetches in parts, out of order and some of them twice, has used its link once.
func TestPartsAreOneUse(t *testing.T) {
	r := newRig(t, Options{})
	data := content(200_000)
	token := r.ticket(data, nil)
	for _, rng := range []string{"bytes=0-0", "bytes=150000-199999", "bytes=0-79999", "bytes=50000-99999", "bytes=100000-149998"} {
		if got := r.send("GET", token, "Range", rng); got.StatusCode != 206 {
			t.Fatalf("%s: %d", rng, got.StatusCode)
		}
	}
	r.wantEvents(wasOpened)
	r.send("GET", token, "Range", "bytes=149999-149999") // the byte that is missing
	r.wantEvents(wasOpened, wasFetched)

	var parts sync.WaitGroup // at the same time
	joined := make([]byte, len(data))
	for i := range 4 {
		parts.Go(func() {
			from := i * 50_000
			got, err := r.try("GET", token, "Range", fmt.Sprintf("bytes=%d-%d", from, from+49_999))
			if err != nil || got.StatusCode != 206 {
				t.Errorf("part %d: %v %+v", i, err, got.Response)
				return
			}
			copy(joined[from:], got.body)
		})
	}
	parts.Wait()
	if !bytes.Equal(joined, data) {
		t.Error("the parts are not the file")
	}
	r.wantEvents(wasOpened, wasFetched, again)
	if got := r.send("GET", token); got.StatusCode != 410 {
		t.Errorf("a third use: %d", got.StatusCode)
	}
}

// After a restart nobody knows which parts went out. A client that goes on is taken by its word.
func TestDownloadGoesOnAfterARestart(t *testing.T) {
	r := newRig(t, Options{})
	data := content(100_000)
	token := r.ticket(data, nil)
	r.send("GET", token, "Range", "bytes=0-59999")
	r.restart(r.store)
	r.send("GET", token, "Range", "bytes=60000-")
	r.wantEvents(wasOpened, wasFetched)
	r.restart(r.store)
	other := r.ticket(data, func(t *storage.Ticket) { t.Job = "job2" })
	r.send("GET", other, "Range", "bytes=60000-") // it was never opened before
	r.wantEvents(wasOpened, wasFetched, wasOpened)
}

func TestWhatIsNoTicketAnyMore(t *testing.T) {
	r := newRig(t, Options{Misses: 3})
	token := r.ticket(content(10), nil)
	closed := r.ticket(content(10), func(t *storage.Ticket) { t.Closed, t.Job = "its job has ended", "job2" })
	if got := r.send("GET", closed); got.StatusCode != 410 || string(got.body) != "This link is closed.\n" {
		t.Errorf("%d %q", got.StatusCode, got.body)
	}
	if got := r.send("PUT", token); got.StatusCode != 405 || got.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("%d %v", got.StatusCode, got.Header)
	}
	r.pass(time.Hour)
	if got := r.send("GET", token); got.StatusCode != 410 || string(got.body) != "This link has expired.\n" {
		t.Errorf("%d %q", got.StatusCode, got.body)
	}
	for _, forged := range []string{token[:len(token)-1] + "x", strings.Repeat("a", 500), ""} {
		got := r.send("GET", forged)
		if got.StatusCode != 404 || string(got.body) != "This link is not known.\n" || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%.40q: %d %q", forged, got.StatusCode, got.body)
		}
	}
	// Now the source has guessed too often: it is told nothing, of tickets that there are either.
	for _, path := range []string{token, "guess"} {
		got := r.send("GET", path)
		if got.StatusCode != 429 || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v", path, got.StatusCode, got.Header)
		}
	}
	r.pass(time.Minute)
	if got := r.send("GET", "guess"); got.StatusCode != 404 {
		t.Errorf("a minute later: %d", got.StatusCode)
	}
	r.wantEvents()
}

// Neither requests nor bytes are without a bound.
func TestTicketIsClosedThatIsAbused(t *testing.T) {
	r := newRig(t, Options{})
	token := r.ticket(content(10), func(t *storage.Ticket) { t.Requests = 3 })
	for range 3 {
		r.send("HEAD", token)
	}
	if got := r.send("GET", token); got.StatusCode != 410 {
		t.Errorf("%d", got.StatusCode)
	}
	r.wantEvents("closed: the link to Mail 1.10 was closed: 4 requests, at most 3")

	data := content(100_000)
	token = r.ticket(data, func(t *storage.Ticket) { t.Job, t.Uses = "job2", 1 })
	n := 0
	for ; r.send("GET", token, "Range", "bytes=1-").StatusCode == 206; n++ {
	}
	if n != 5 { // 4 times 100000 bytes are reached by the fifth
		t.Errorf("%d times almost all of it", n)
	}
	r.wantEvents("closed: the link to Mail 1.10 was closed: 4 requests, at most 3", wasOpened,
		"closed: the link to Mail 1.10 was closed: 499995 bytes sent for a file of 100000")
}

// One ticket, and all together, have so many requests under way and no more. Who does not take what is sent loses the
// connection.
func TestSlowReaders(t *testing.T) {
	r := newRig(t, Options{Downloads: 5, Stall: time.Second})
	data := content(32 << 20) // more than a socket takes that nobody reads from
	token := r.ticket(data, nil)
	other := r.ticket(data, func(t *storage.Ticket) { t.Job = "job2" })
	third := r.ticket(data, func(t *storage.Ticket) { t.Job = "job3" })
	var slow []net.Conn
	open := func(token string) *http.Response {
		t.Helper()
		conn, err := net.Dial("tcp", strings.TrimPrefix(strings.TrimSuffix(r.base, fleet.TicketPath), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.(*net.TCPConn).SetReadBuffer(4096)
		fmt.Fprintf(conn, "GET %s%s HTTP/1.0\r\n\r\n", fleet.TicketPath, token)
		resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), nil)
		if err != nil {
			t.Fatal(err)
		}
		slow = append(slow, conn)
		return resp
	}
	for i := range atOnce {
		if resp := open(token); resp.StatusCode != 200 {
			t.Fatalf("request %d: %d", i, resp.StatusCode)
		}
	}
	if resp := open(token); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("one more of the ticket: %d", resp.StatusCode)
	}
	if resp := open(other); resp.StatusCode != 200 {
		t.Errorf("one of another ticket: %d", resp.StatusCode)
	}
	if resp := open(third); resp.StatusCode != 503 {
		t.Errorf("one more of all: %d", resp.StatusCode)
	}
	for range len(slow) { // two were refused and are closed, five are not read from
		select {
		case <-r.closed:
		case <-time.After(20 * time.Second):
			t.Fatal("a reader that takes nothing still has its connection")
		}
	}
	r.wantEvents(wasOpened, wasOpened)
}

func TestDescriptorAndNotification(t *testing.T) {
	r := newRig(t, Options{})
	token := r.ticket(content(77), func(t *storage.Ticket) { t.Purpose, t.Params = "dm", "-q" })
	got := r.send("GET", token+".dd")
	want := `<?xml version="1.0" encoding="UTF-8"?><media xmlns="http://www.openmobilealliance.org/xmlns/dd"><DDVersion>1.0</DDVersion>` +
		`<name>Mail</name><type>application/vnd.android.package-archive</type><size>77</size><objectURI>` + r.base + token +
		`</objectURI><installParam>-q</installParam><installNotifyURI>` + r.base + token + `/notify</installNotifyURI></media>`
	if got.StatusCode != 200 || got.Header.Get("Content-Type") != "application/vnd.oma.dd+xml" || string(got.body) != want {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
	if head := r.send("HEAD", token+".dd"); head.ContentLength != int64(len(want)) {
		t.Errorf("HEAD: %d bytes", head.ContentLength)
	}
	r.wantEvents()
	r.send("GET", token)
	r.pass(2 * time.Hour) // the installation took its time
	post := func(body string) int {
		resp, err := http.Post(r.base+token+"/notify", "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, c := range []struct {
		body   string
		status int
	}{{"900 Success\n\r", 200}, {"900 Success\n\r", 200}, {"hello", 400}, {"", 400}, {"954 Loader Error", 200}} {
		if got := post(c.body); got != c.status {
			t.Errorf("%q: %d, want %d", c.body, got, c.status)
		}
	}
	if got := r.send("GET", token+"/notify"); got.StatusCode != 405 {
		t.Errorf("%d", got.StatusCode)
	}
	job := r.wantEvents("opened: the package Mail 1.10 was opened", "fetched: the package Mail 1.10 was downloaded whole (1 of 2)",
		"reported: the device says of the package Mail 1.10: 900 success",
		"reported: the device says of the package Mail 1.10: 954 loader error")
	if !job.Opened.IsZero() || !job.Fetched.IsZero() || len(job.Steps) != 4 {
		t.Errorf("what the device fetches by itself is no link that was opened: %+v", job)
	}
	ticket, err := r.fleet.Ticket(fleet.TicketID(token))
	if err != nil || ticket.Status != "954 loader error" || ticket.Used != 1 || ticket.Sent != 77 || ticket.Asked != 1 {
		t.Errorf("%+v %v", ticket, err)
	}
}

// A certificate is in the ticket itself.
func TestBodyOfATicket(t *testing.T) {
	r := newRig(t, Options{})
	der := content(900)
	token := r.ticket([]byte("another file"), func(t *storage.Ticket) {
		sum := sha256.Sum256(der)
		t.Body, t.Purpose, t.Title, t.Version = der, "certificate", "", ""
		t.File = storage.File{SHA256: hex.EncodeToString(sum[:]), Size: 900, Type: "application/x-x509-ca-cert", Name: "../ro\"ot.cer"}
	})
	got := r.send("GET", token, "Range", "bytes=100-")
	if got.StatusCode != 206 || !bytes.Equal(got.body, der[100:]) || got.Header.Get("Content-Type") != "application/x-x509-ca-cert" ||
		got.Header.Get("Content-Disposition") != `inline; filename="root.cer"` || got.Header.Get("X-Package-Version") != "" {
		t.Errorf("%d %v", got.StatusCode, got.Header)
	}
}

// What can not be recorded is not sent to its end: the client comes again, and the use counts then.
func TestNothingIsFetchedThatIsNotRecorded(t *testing.T) {
	r := newRig(t, Options{})
	data := content(100_000)
	token := r.ticket(data, nil)
	r.send("GET", token, "Range", "bytes=0-89999")
	broken := &failing{Store: r.store}
	r.restart(broken)
	broken.fail.Store(true)
	if got, err := r.try("GET", token, "Range", "bytes=90000-"); err == nil {
		t.Errorf("it was sent to its end: %d bytes", len(got.body))
	}
	r.wantEvents(wasOpened)
	broken.fail.Store(false)
	r.send("GET", token, "Range", "bytes=98976-")
	r.wantEvents(wasOpened, wasFetched)
}

// failing is a store that takes no commits as long as fail is set.
type failing struct {
	storage.Store
	fail atomic.Bool
}

func (f *failing) Commit(c *storage.Commit) error {
	if f.fail.Load() {
		return storage.ErrFailed
	}
	return f.Store.Commit(c)
}
