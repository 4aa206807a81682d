// Package device is the endpoint that phones connect to: fasthttp on one side, codec and sessions on the other.
//
// Source: OMA-SyncML-HTTPBinding; section 4 of the fact sheet.
package device

import (
	"bytes"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/sessions"
	"dmgate/storage"
)

// Path is where devices post their messages.
const Path = "/dm"

// Content types of DM messages. Answers carry them bare: old clients compare the whole header (trap 3).
const (
	typeWBXML    = "application/vnd.syncml.dm+wbxml"
	typeXML      = "application/vnd.syncml.dm+xml"
	typeWBXML11  = "application/vnd.syncml+wbxml" // of some 1.1 clients
	typeXML11    = "application/vnd.syncml+xml"
	retryAfter   = 2 // seconds
	offeredTasks = 64
)

// Options are the endpoint's settings. The zero value of a field stands for its default.
type Options struct {
	Sessions sessions.Options
	Limits   syncml.Limits
	Table    sessions.TableOptions
	Clock    func() time.Time
	Log      *zap.Logger
}

// Endpoint answers devices. It is safe for concurrent use.
type Endpoint struct {
	opt     Options
	store   storage.Store
	table   *sessions.Table
	workers sync.Pool
	counts  counts
}

type counts struct {
	messages, refused, malformed, unavailable, repeated, failed *metrics.Counter
	steps                                                       *metrics.Histogram
}

// New makes an endpoint over store. Its figures go to set.
func New(o Options, store storage.Store, set *metrics.Set) *Endpoint {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.Sessions = o.Sessions.WithDefaults()
	o.Limits = o.Limits.WithDefaults()
	e := &Endpoint{opt: o, store: store, table: sessions.NewTable(o.Table)}
	e.workers.New = func() any { return new(worker) }
	e.counts = counts{
		messages:    set.NewCounter(`dmgate_dm_messages_total`),
		repeated:    set.NewCounter(`dmgate_dm_repeated_total`),
		refused:     set.NewCounter(`dmgate_dm_refused_total`),
		malformed:   set.NewCounter(`dmgate_dm_malformed_total`),
		unavailable: set.NewCounter(`dmgate_dm_unavailable_total`),
		failed:      set.NewCounter(`dmgate_dm_commit_errors_total`),
		steps:       set.NewHistogram(`dmgate_dm_message_seconds`),
	}
	set.NewGauge(`dmgate_dm_sessions`, func() float64 { return float64(e.table.Len()) })
	return e
}

// Expire forgets sessions that have been silent for too long. It is to be called every few seconds.
func (e *Endpoint) Expire() { e.table.Expire(e.opt.Clock()) }

// Sessions is the number of sessions in memory.
func (e *Endpoint) Sessions() int { return e.table.Len() }

// worker is the memory that one message needs.
type worker struct {
	in    syncml.Message
	out   sessions.Outcome
	reply []byte
	user  [256]byte
}

// Serve answers one request.
func (e *Endpoint) Serve(ctx *fasthttp.RequestCtx) {
	if string(ctx.Path()) != Path {
		fail(ctx, fasthttp.StatusNotFound, "devices post to "+Path)
		return
	}
	if !ctx.IsPost() {
		ctx.Response.Header.Set("Allow", "POST")
		fail(ctx, fasthttp.StatusMethodNotAllowed, "a DM message is a POST")
		return
	}
	enc, ok := encodingOf(ctx.Request.Header.ContentType())
	if !ok {
		fail(ctx, fasthttp.StatusUnsupportedMediaType, "want Content-Type "+typeWBXML+" or "+typeXML)
		return
	}
	e.counts.messages.Inc()
	start := time.Now()
	w := e.workers.Get().(*worker)
	defer e.workers.Put(w)
	req := sessions.Request{Message: &w.in, Encoding: enc, Body: ctx.Request.Body()}
	if err := w.in.Read(req.Body, enc, &e.opt.Limits); err != nil {
		e.counts.malformed.Inc()
		fail(ctx, fasthttp.StatusBadRequest, err.Error())
		return
	}
	e.answer(ctx, w, &req)
	e.counts.steps.UpdateDuration(start)
}

// answer drives one step: step, commit, write.
func (e *Endpoint) answer(ctx *fasthttp.RequestCtx, w *worker, req *sessions.Request) {
	id, err := e.identify(ctx, w)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		e.counts.refused.Inc()
		sessions.Stranger(&e.opt.Sessions, req, &w.out)
		w.reply = w.out.Reply.Append(w.reply[:0], req.Encoding)
		write(ctx, w.reply)
		return
	case err != nil:
		e.unavailable(ctx, err)
		return
	}
	slot, err := e.table.Enter(id)
	if err != nil {
		e.unavailable(ctx, err)
		return
	}
	defer func() { e.table.Leave(slot, e.opt.Clock()) }()
	now := e.opt.Clock()
	if slot.Session == nil || !slot.Session.Takes(req) {
		if slot.Session, err = e.open(now, id, req); err != nil {
			e.unavailable(ctx, err)
			return
		}
	}
	s := slot.Session
	if s.Hungry() {
		tasks, err := e.store.OpenTasks(id, 0, offeredTasks)
		if err != nil {
			e.unavailable(ctx, err)
			return
		}
		s.Offer(tasks)
	}

	s.Step(now, req, &w.out)
	if w.out.Repeat != nil {
		e.counts.repeated.Inc()
		write(ctx, w.out.Repeat)
		return
	}
	w.reply = w.out.Reply.Append(w.reply[:0], req.Encoding)
	if w.out.Kept {
		s.Seal(&w.out, w.reply)
		if err := e.commit(&w.out.Commit, w.in.Header.Source.URI); err != nil {
			slot.Session = nil // it believes what is not kept
			e.counts.failed.Inc()
			e.unavailable(ctx, err)
			return
		}
	}
	write(ctx, w.reply)
}

// commit makes a step durable. Where the DevId that the device has proved to be its own stands with another device, a
// SIM has moved to this handset: the other one loses it.
func (e *Endpoint) commit(c *storage.Commit, devID []byte) error {
	err := e.store.Commit(c)
	if !errors.Is(err, storage.ErrExists) {
		return err
	}
	other, err := e.store.FindDevice(storage.ByDevID, string(devID))
	if err != nil {
		return err
	}
	err = e.store.Commit(&storage.Commit{
		Device: other, Time: c.Time,
		Edit: func(d *storage.Device) error {
			if d.DevID == string(devID) {
				d.DevID = ""
			}
			return nil
		},
		Feed: []storage.FeedEntry{{Kind: "device", Text: "its handset is now that of device " + string(c.Device)}},
	})
	if err != nil {
		return err
	}
	return e.store.Commit(c)
}

// open restores the session that req goes on with, or begins the one that it opens.
func (e *Endpoint) open(now time.Time, id storage.DeviceID, req *sessions.Request) (*sessions.Session, error) {
	dev, err := e.store.Device(id)
	if err != nil {
		return nil, err
	}
	account, err := e.store.Account(id)
	if err != nil {
		return nil, err
	}
	cp, err := e.store.Checkpoint(id)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	if err == nil && now.Sub(cp.Updated) < e.table.Idle() {
		tasks, err := e.store.OpenTasks(id, 0, offeredTasks)
		if err != nil {
			return nil, err
		}
		if s := sessions.Restore(&e.opt.Sessions, dev, account, cp, tasks); s.Takes(req) {
			return s, nil
		}
	}
	return sessions.New(&e.opt.Sessions, dev, account, req.Message.Header.SessionID, now), nil
}

// identify finds out who the device says it is: by the address we gave it once it had proved itself, by the user name in
// its credential, by its LocName, or by its DevId. Only the credential proves it.
func (e *Endpoint) identify(ctx *fasthttp.RequestCtx, w *worker) (storage.DeviceID, error) {
	h := &w.in.Header
	name := ctx.QueryArgs().Peek("d")
	if len(name) == 0 && string(h.Cred.Meta.Type) == auth.TypeBasic {
		name, _, _ = auth.SplitBasic(w.user[:], h.Cred.Data)
	}
	if len(name) == 0 {
		name = h.Source.Name
	}
	if len(name) > 0 {
		id := storage.DeviceID(name)
		_, err := e.store.Account(id)
		return id, err
	}
	return e.store.FindDevice(storage.ByDevID, string(h.Source.URI))
}

func encodingOf(contentType []byte) (syncml.Encoding, bool) {
	t, _, _ := bytes.Cut(contentType, []byte{';'})
	switch string(bytes.ToLower(bytes.TrimSpace(t))) {
	case typeWBXML, typeWBXML11:
		return syncml.WBXML, true
	case typeXML, typeXML11:
		return syncml.XML, true
	}
	return 0, false
}

// write sends an answer in the request's own type, with its length, never chunked (trap 4).
func write(ctx *fasthttp.RequestCtx, reply []byte) {
	h := &ctx.Response.Header
	h.SetNoDefaultContentType(true)
	t, _, _ := bytes.Cut(ctx.Request.Header.ContentType(), []byte{';'})
	h.SetContentTypeBytes(bytes.TrimSpace(t))
	h.Set("Cache-Control", "no-store")
	ctx.Response.SetBody(reply)
}

// unavailable refuses a message for now: nothing of it was done, and the device is to send it again.
func (e *Endpoint) unavailable(ctx *fasthttp.RequestCtx, err error) {
	e.counts.unavailable.Inc()
	if !errors.Is(err, sessions.ErrBusy) && !errors.Is(err, sessions.ErrFull) {
		e.opt.Log.Error("message not taken", zap.Error(err))
	}
	ctx.Response.Header.Set("Retry-After", strconv.Itoa(retryAfter))
	fail(ctx, fasthttp.StatusServiceUnavailable, "try again later")
}

func fail(ctx *fasthttp.RequestCtx, code int, text string) {
	ctx.SetStatusCode(code)
	ctx.SetContentType("text/plain; charset=utf-8")
	ctx.SetBodyString(text + "\n")
}
