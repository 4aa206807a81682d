package web

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
	"go.uber.org/zap"

	"dmgate/gateway/api"
	"dmgate/gateway/fleet"
	"dmgate/modempool"
	"dmgate/storage"
	"dmgate/storage/pebble"
)

const adminKey = "the-key-of-the-admin"

// noModems is a bank without modems.
type noModems struct{ api.Bank }

func (noModems) Modems() []modempool.Status { return nil }

// rig is the page over a real store, reached by HTTP over memory. Nothing follows the feed but the page.
type rig struct {
	t      *testing.T
	web    *Web
	fleet  *fleet.Fleet
	store  *pebble.Store
	done   chan struct{} // of the page
	client *http.Client
}

func newRig(t *testing.T) *rig {
	t.Helper()
	store, err := pebble.Open(t.TempDir(), pebble.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, store: store, done: make(chan struct{})}
	r.fleet = fleet.New(fleet.Options{Address: "http://gw.test/dm"}, store, func() {})
	if err := r.fleet.Load(); err != nil {
		t.Fatal(err)
	}
	r.web = New(api.New(r.fleet, store, noModems{}, adminKey, zap.NewNop(), r.done), store, r.done)
	server := &fasthttp.Server{Handler: r.web.Serve, Logger: zap.NewStdLog(zap.NewNop())}
	listener := fasthttputil.NewInmemoryListener()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	dial := func(context.Context, string, string) (net.Conn, error) { return listener.Dial() }
	transport := &http.Transport{DialContext: dial}
	r.client = &http.Client{Transport: transport, Timeout: 20 * time.Second}
	t.Cleanup(func() {
		close(r.done)
		transport.CloseIdleConnections()
		listener.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		store.Close()
	})
	return r
}

// ask sends a request with a cookie (none where empty). The path goes out as it is written.
func (r *rig) ask(method, path, cookie string, form url.Values) *http.Response {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://gw.test/", strings.NewReader(form.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	req.URL.Opaque = "//gw.test" + path
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != "" {
		req.AddCookie(&http.Cookie{Name: cookieName, Value: cookie})
	}
	answer, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { answer.Body.Close() })
	return answer
}

// text is the whole body of an answer.
func text(t *testing.T, answer *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// signIn returns the cookie of a new sign-in.
func (r *rig) signIn() *http.Cookie {
	r.t.Helper()
	answer := r.ask("POST", "/signin", "", url.Values{"key": {adminKey}})
	if answer.StatusCode != 204 || len(answer.Cookies()) != 1 {
		r.t.Fatalf("sign-in: %s with cookies %v", answer.Status, answer.Cookies())
	}
	return answer.Cookies()[0]
}

func (r *rig) register(msisdn string) {
	r.t.Helper()
	if _, err := r.fleet.Register(fleet.NewDevice{MSISDN: msisdn}); err != nil {
		r.t.Fatal(err)
	}
}

func TestSignIn(t *testing.T) {
	r := newRig(t)
	c := r.signIn()
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("the cookie is %s", c.Raw)
	}
	if left := time.Until(c.Expires); left > signInFor || left < signInFor-time.Minute {
		t.Errorf("the cookie ends in %v, want %v", left, signInFor)
	}
	if got := text(t, r.ask("GET", "/signin", c.Value, nil)); got != "true\n" {
		t.Errorf("signed in: %q", got)
	}
	out := r.ask("POST", "/signout", c.Value, nil)
	if gone := out.Cookies(); len(gone) != 1 || gone[0].Value != "" || gone[0].Expires.After(time.Now()) {
		t.Errorf("sign-out leaves %v", gone)
	}
	if got := text(t, r.ask("GET", "/signin", c.Value, nil)); got != "false\n" {
		t.Errorf("signed out, and the cookie is still good: %q", got)
	}
}

func TestSignInRefused(t *testing.T) {
	r := newRig(t)
	for _, key := range []string{"", "x", adminKey + "x", strings.ToUpper(adminKey)} {
		answer := r.ask("POST", "/signin", "", url.Values{"key": {key}})
		if answer.StatusCode != 401 || len(answer.Cookies()) != 0 {
			t.Errorf("key %q: %s with cookies %v", key, answer.Status, answer.Cookies())
		}
	}
	// A key in the address would end up in logs and histories.
	if answer := r.ask("POST", "/signin?key="+adminKey, "", url.Values{}); answer.StatusCode != 401 {
		t.Errorf("key in the query: %s", answer.Status)
	}
	for _, cookie := range []string{"", "x", adminKey} {
		if got := text(t, r.ask("GET", "/signin", cookie, nil)); got != "false\n" {
			t.Errorf("cookie %q is good: %q", cookie, got)
		}
	}
}

func TestSignInsEnd(t *testing.T) {
	var s signIns
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	token := []byte(s.add(start))
	if !s.has(token, start.Add(signInFor-1)) {
		t.Error("ended early")
	}
	if s.has(token, start.Add(signInFor)) {
		t.Error("does not end")
	}
	s.add(start.Add(signInFor))
	if len(s.until) != 1 {
		t.Errorf("%d sign-ins are kept, want 1: the other one has ended", len(s.until))
	}
}

// Sign-ins are bounded, and the key always opens the door: the oldest has to go.
func TestSignInsAreBounded(t *testing.T) {
	var s signIns
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tokens := make([]string, maxSignIns+1)
	for i := range tokens {
		tokens[i] = s.add(start.Add(time.Duration(i) * time.Second))
	}
	if len(s.until) != maxSignIns {
		t.Errorf("%d sign-ins are kept, want %d", len(s.until), maxSignIns)
	}
	now := start.Add(time.Hour)
	if s.has([]byte(tokens[0]), now) || !s.has([]byte(tokens[1]), now) || !s.has([]byte(tokens[maxSignIns]), now) {
		t.Error("another one than the oldest has gone")
	}
}

// Every answer, errors too, carries the headers that keep a browser from doing more than it was told.
func TestHeaders(t *testing.T) {
	r := newRig(t)
	cases := []struct {
		method, path string
		status       int
		kind         string
	}{
		{"GET", "/", 200, "text/html"},
		{"HEAD", "/", 200, "text/html"},
		{"GET", "/index.html", 200, "text/html"},
		{"GET", "/app.js", 200, "text/javascript"},
		{"GET", "/style.css", 200, "text/css"},
		{"GET", "/icon.svg", 200, "image/svg+xml"},
		{"GET", "/nothing", 404, "text/plain"},
		{"POST", "/", 405, "text/plain"},
		{"DELETE", "/app.js", 405, "text/plain"},
		{"DELETE", "/signin", 405, "text/plain"},
		{"GET", "/signout", 405, "text/plain"},
		{"POST", "/events", 405, "text/plain"},
		{"GET", "/events", 401, "text/plain"},
		{"POST", "/signin", 401, "text/plain"},
		{"GET", "/signin", 200, "application/json"},
	}
	for _, c := range cases {
		answer := r.ask(c.method, c.path, "", nil)
		h := answer.Header
		kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
		if answer.StatusCode != c.status || kind != c.kind {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, answer.StatusCode, kind, c.status, c.kind)
		}
		if h.Get("Content-Security-Policy") != policy || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s %s: headers are missing: %v", c.method, c.path, h)
		}
		if c.status == 405 && h.Get("Allow") == "" {
			t.Errorf("%s %s: does not say what is allowed", c.method, c.path)
		}
	}
}

// Nothing but the assets can be reached, however a path is written.
func TestPathsOutside(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{
		"/../signin.go", "/../../web.go", "/%2e%2e/signin.go", "/..%2fsignin.go", "/%2e%2e%2fsignin.go", "/..%5csignin.go",
		"/x/../../signin.go", "/./../web.go", "//../web.go", "//", "/assets/app.js", "/assets", "/..", "/.", "/app.js/",
		"/app.js%00", "/signin.go", "/web_test.go", "/%00", "/...", "/app.js/../../web.go",
	} {
		answer := r.ask("GET", path, "", nil)
		body := text(t, answer)
		page := path == "/.." || path == "/." || path == "//" // they are ways to write /
		if answer.StatusCode == 200 && !(page && strings.HasPrefix(body, "<!doctype html>")) ||
			answer.StatusCode != 200 && answer.StatusCode != 404 {
			t.Errorf("%s: %s %.40q", path, answer.Status, body)
		}
	}
}

// stream reads one event after the other.
type stream struct {
	t     *testing.T
	lines *bufio.Scanner
}

func (r *rig) open(cookie string) *stream {
	r.t.Helper()
	answer := r.ask("GET", "/events", cookie, nil)
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || kind != "text/event-stream" {
		r.t.Fatalf("%s %s", answer.Status, kind)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	return &stream{r.t, lines}
}

// next is the next event; ok is false at the end of the stream.
func (s *stream) next() (e event, ok bool) {
	s.t.Helper()
	for s.lines.Scan() {
		if data, ok := strings.CutPrefix(s.lines.Text(), "data: "); ok {
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				s.t.Fatal(err)
			}
			return e, true
		}
	}
	return e, false
}

func TestEvents(t *testing.T) {
	r := newRig(t)
	r.register("+9991000000")
	cookie := r.signIn().Value
	s := r.open(cookie)
	e, ok := s.next()
	if !ok || len(e.Feed) != 1 || e.Feed[0].Offset != 1 {
		t.Fatalf("the first event: %v %+v", ok, e)
	}
	// Nobody has counted the device yet. The stream must not wait for another one to tell that it has been.
	ctx := t.Context()
	go r.fleet.Follow(ctx)
	for e.Devices != 1 {
		if e, ok = s.next(); !ok {
			t.Fatal("the stream has ended")
		}
	}
	if e.States[storage.Registered] != 1 || len(e.Feed) != 0 {
		t.Errorf("want one device registered, and nothing told twice: %+v", e)
	}

	for i := range 2 * streamTail {
		r.register("+99920000" + string(rune('0'+i/10)) + string(rune('0'+i%10)))
	}
	var last uint64
	for last < 1+2*streamTail {
		if e, ok = s.next(); !ok {
			t.Fatal("the stream has ended")
		}
		if len(e.Feed) > streamTail {
			t.Errorf("%d entries in one event, want at most %d", len(e.Feed), streamTail)
		}
		for _, entry := range e.Feed {
			if entry.Offset <= last {
				t.Errorf("entry %d comes after %d", entry.Offset, last)
			}
			last = entry.Offset
		}
	}

	r.ask("POST", "/signout", cookie, nil)
	for ok {
		_, ok = s.next()
	}
}

func TestEventsAreBounded(t *testing.T) {
	r := newRig(t)
	cookie := r.signIn().Value
	for range maxStreams {
		r.open(cookie)
	}
	answer := r.ask("GET", "/events", cookie, nil)
	if answer.StatusCode != 503 || answer.Header.Get("Retry-After") == "" {
		t.Errorf("one stream too many: %s, %v", answer.Status, answer.Header)
	}
}
