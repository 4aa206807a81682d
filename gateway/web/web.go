// Package web is the status page: an operator sees at a glance where the devices stand, and it moves while they move.
// It is a reader of the feed and of the API like any other.
package web

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"io/fs"
	"mime"
	"path"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"dmgate/gateway/api"
	"dmgate/storage"
)

//go:embed assets
var embedded embed.FS

// Web serves the page. It is safe for concurrent use.
type Web struct {
	api      *api.API
	store    storage.Store
	sessions signIns
	streams  atomic.Int32
	done     <-chan struct{}
}

// New makes the page over the API that it shows. Streams end when done is closed.
func New(a *api.API, store storage.Store, done <-chan struct{}) *Web {
	return &Web{api: a, store: store, done: done}
}

// policy lets the page load what came with it and talk to where it came from, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Serve answers one request outside the API.
func (w *Web) Serve(ctx *fasthttp.RequestCtx) {
	h := &ctx.Response.Header
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	switch p := string(ctx.Path()); p {
	case "/signin":
		w.signIn(ctx)
	case "/signout":
		w.signOut(ctx)
	case "/events":
		w.events(ctx)
	case "/":
		w.asset(ctx, "index.html")
	default:
		w.asset(ctx, p[1:])
	}
}

// refuse answers with an error. Unlike ctx.Error it keeps the headers that are set already.
func refuse(ctx *fasthttp.RequestCtx, status int, text string) {
	ctx.SetStatusCode(status)
	ctx.SetContentType("text/plain; charset=utf-8")
	ctx.SetBodyString(text)
}

func refuseMethod(ctx *fasthttp.RequestCtx, allowed string) {
	ctx.Response.Header.Set("Allow", allowed)
	refuse(ctx, fasthttp.StatusMethodNotAllowed, "Method not allowed.")
}

func (w *Web) asset(ctx *fasthttp.RequestCtx, name string) {
	if !ctx.IsGet() && !ctx.IsHead() {
		refuseMethod(ctx, "GET, HEAD")
		return
	}
	body, err := fs.ReadFile(embedded, "assets/"+name) // takes no name with ".." or an empty part
	if err != nil {
		refuse(ctx, fasthttp.StatusNotFound, "There is no such page.")
		return
	}
	ctx.Response.Header.Set("Cache-Control", "no-cache")
	ctx.SetContentType(mime.TypeByExtension(path.Ext(name)))
	ctx.SetBody(body)
}

// Bounds of the event streams.
const (
	maxStreams  = 64
	streamEvery = 250 * time.Millisecond
	streamAlive = 2 * time.Second // modems change without a feed entry
	streamTail  = 30              // feed entries shown at most in one event
)

// event is what the page is told: the state of the whole, and the newest entries of the feed.
type event struct {
	api.Overview
	Feed []api.FeedEntry `json:"feed"`
}

// events streams the overview as server-sent events: at once, and whenever something has happened, but at most four
// times a second. A reader that falls behind skips what it has missed; the feed itself is the API's. The stream ends
// with the sign-in.
func (w *Web) events(ctx *fasthttp.RequestCtx) {
	switch {
	case !ctx.IsGet():
		refuseMethod(ctx, "GET")
		return
	case !w.SignedIn(ctx):
		refuse(ctx, fasthttp.StatusUnauthorized, "Sign in first.")
		return
	case w.streams.Add(1) > maxStreams:
		w.streams.Add(-1)
		ctx.Response.Header.Set("Retry-After", "5")
		refuse(ctx, fasthttp.StatusServiceUnavailable, "Too many pages are open.")
		return
	}
	token := bytes.Clone(ctx.Request.Header.Cookie(cookieName)) // the stream outlives the request
	ctx.SetContentType("text/event-stream")
	ctx.Response.Header.Set("Cache-Control", "no-store")
	ctx.SetBodyStreamWriter(func(out *bufio.Writer) {
		defer w.streams.Add(-1)
		w.stream(out, token)
	})
}

func (w *Web) stream(out *bufio.Writer, token []byte) {
	out.WriteString("retry: 1000\n") // ms until the browser tries again when the connection is lost
	var last uint64
	for w.sessions.has(token, time.Now()) {
		grown := w.store.Grown()
		head := w.store.Head()
		entries, err := w.store.Feed(max(last, head-min(head, streamTail)), streamTail)
		if err != nil {
			return
		}
		if len(entries) > 0 {
			last = entries[len(entries)-1].Offset
		}
		now := w.api.Overview()
		if !send(out, event{Overview: now, Feed: api.ShowFeed(entries)}) {
			return
		}
		if now.Offset < head {
			grown = nil // the overview has not counted yet what has been shown: do not wait for more
		}
		if !w.pause(grown) {
			return
		}
	}
}

// pause waits for the time between two events, and then until there is something new to show. A nil grown says that
// there is.
func (w *Web) pause(grown <-chan struct{}) bool {
	least := time.NewTimer(streamEvery)
	defer least.Stop()
	alive := time.NewTimer(streamAlive)
	defer alive.Stop()
	for wait := least.C; grown != nil || wait != nil; {
		select {
		case <-w.done:
			return false
		case <-grown:
			grown = nil
		case <-wait:
			wait = nil
		case <-alive.C:
			return true
		}
	}
	return true
}

func send(out *bufio.Writer, e event) bool {
	body, err := json.Marshal(e)
	if err != nil {
		return false
	}
	out.WriteString("data: ")
	out.Write(body)
	out.WriteString("\n\n")
	return out.Flush() == nil
}
