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
	offeredTasks = 64
)

// When a device that was put off is to come again, in seconds.
const (
	retryAfter = 2
	retryPlace = 10 // where there is no place for another session
)

// Options are the endpoint's settings. The zero value of a field stands for its default.
type Options struct {
	Sessions sessions.Options
	Limits   syncml.Limits
	Table    sessions.TableOptions // its Lifetime is that of Sessions
	Sources  Sources
	Clock    func() time.Time
	Log      *zap.Logger
	// Transport is the device that the certificate of a request's connection has proved, by a mapping that is trusted;
	// empty for none. Nil where devices have no certificates.
	Transport func(*fasthttp.RequestCtx) storage.DeviceID
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

	limits []limit // of unavailable
}

// limit counts the messages that were put off for one of the table's errors.
type limit struct {
	err     error
	after   int // Retry-After, in seconds
	reached *metrics.Counter
}

// New makes an endpoint over store. Its figures go to set.
func New(o Options, store storage.Store, set *metrics.Set) *Endpoint {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.Sessions = o.Sessions.WithDefaults()
	o.Limits = o.Limits.WithDefaults()
	o.Table.Lifetime = o.Sessions.Lifetime
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
		limits: []limit{
			{sessions.ErrBusy, retryAfter, set.NewCounter(`dmgate_dm_limited_total{limit="device"}`)},
			{sessions.ErrFull, retryPlace, set.NewCounter(`dmgate_dm_limited_total{limit="sessions"}`)},
			{sessions.ErrSource, retryPlace, set.NewCounter(`dmgate_dm_limited_total{limit="source"}`)},
			{sessions.ErrDraining, retryPlace, set.NewCounter(`dmgate_dm_limited_total{limit="draining"}`)},
		},
	}
	set.NewGauge(`dmgate_dm_sessions`, func() float64 { return float64(e.table.Len()) })
	set.NewGauge(`dmgate_dm_sessions_active`, func() float64 { return float64(e.table.Active()) })
	set.NewGauge(`dmgate_dm_sources`, func() float64 { n, _ := e.table.Sources(); return float64(n) })
	set.NewGauge(`dmgate_dm_source_sessions_max`, func() float64 { _, most := e.table.Sources(); return float64(most) })
	return e
}

// Expire lets go of sessions whose devices are silent. It is to be called every second or so.
func (e *Endpoint) Expire() { e.table.Expire(e.opt.Clock()) }

// Sessions is the number of open sessions.
func (e *Endpoint) Sessions() int { return e.table.Len() }

// Active is the number of sessions whose devices have sent a message a moment ago.
func (e *Endpoint) Active() int { return e.table.Active() }

// Drain lets no session begin from now on. Those that are open go on.
func (e *Endpoint) Drain() { e.table.Drain() }

// Draining says whether Drain was called.
func (e *Endpoint) Draining() bool { return e.table.Draining() }

// overtaken is how often a step is taken again that another change of the device has overtaken.
const overtaken = 5

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
	req := sessions.Request{Encoding: enc, Body: ctx.Request.Body()}
	if e.opt.Transport != nil {
		req.Transport = e.opt.Transport(ctx)
	}
	from := e.opt.Sources.Of(ctx.RemoteAddr())
	slot, err := e.enter(ctx, from, req.Transport)
	if err != nil {
		e.unavailable(ctx, err)
		return
	}
	defer func() {
		if slot != nil {
			e.table.Leave(slot, e.opt.Clock())
		}
	}()
	w := e.workers.Get().(*worker)
	defer e.workers.Put(w)
	if err := e.read(ctx, w, &req); err != nil {
		e.counts.malformed.Inc()
		fail(ctx, fasthttp.StatusBadRequest, err.Error())
		return
	}
	if slot == nil {
		var name []byte
		if name, req.Guessed, err = e.identify(w, &req); err == nil {
			slot, err = e.table.Enter(name, from, false)
		}
	}
	if err == nil {
		err = e.step(e.opt.Clock(), slot, w, &req)
		for tries := 0; errors.Is(err, sessions.ErrOvertaken) && tries < overtaken; tries++ {
			err = e.step(e.opt.Clock(), slot, w, &req)
		}
	}
	if err != nil {
		e.refuse(ctx, w, &req, err)
	} else {
		if len(w.out.HMAC) > 0 {
			ctx.Response.Header.SetBytesV(auth.HeaderHMAC, w.out.HMAC)
		}
		write(ctx, w.reply)
	}
	e.counts.steps.UpdateDuration(start)
}

// read reads the message, and its mac where there is one.
func (e *Endpoint) read(ctx *fasthttp.RequestCtx, w *worker, req *sessions.Request) (err error) {
	req.Message = &w.in
	if err = w.in.Read(req.Body, req.Encoding, &e.opt.Limits); err != nil {
		return err
	}
	if mac := ctx.Request.Header.Peek(auth.HeaderHMAC); len(mac) > 0 {
		req.HMAC, err = auth.ReadHMAC(mac)
	}
	return err
}

// enter takes the slot of the device that the connection's certificate has proved, or that the address names: it is one
// of those that we gave a device once it had proved itself. Without either it is nil, and the message says later whose
// it is, if there is room for any. All that is known here is known before the body is looked at.
func (e *Endpoint) enter(ctx *fasthttp.RequestCtx, from sessions.Source, proved storage.DeviceID) (*sessions.Slot, error) {
	name := ctx.QueryArgs().Peek("d")
	if proved != "" {
		name = []byte(proved)
	}
	if len(name) > 0 {
		return e.table.Enter(name, from, true)
	}
	return nil, e.table.Admit(from)
}

// step drives one step, up to the commit that has to precede the answer, and leaves the answer in w.reply.
func (e *Endpoint) step(now time.Time, slot *sessions.Slot, w *worker, req *sessions.Request) error {
	id := slot.Device
	s, err := e.session(now, slot, req)
	if err != nil {
		return err
	}
	if s.Hungry() {
		tasks, err := e.store.OpenTasks(id, 0, s.Open()+offeredTasks) // those it holds are among the oldest
		if err != nil {
			slot.Session, slot.Guest = nil, nil // a new session believes that it has taken over
			return err
		}
		s.Offer(tasks)
	}
	// Until its step is durable a session believes what is not kept. It comes back into its slot only then, and not at all
	// where nothing is kept.
	own, guest := slot.Session, slot.Guest
	slot.Session, slot.Guest = nil, nil
	s.Step(now, req, &w.out)
	if w.out.Repeat != nil {
		e.counts.repeated.Inc()
		w.reply = append(w.reply[:0], w.out.Repeat...)
		slot.Session, slot.Guest = own, guest
		return nil
	}
	if s == guest && s.Proved() {
		own, guest = s, nil
	}
	w.reply = w.out.Reply.Append(w.reply[:0], req.Encoding)
	if w.out.Kept {
		s.Seal(&w.out, w.reply)
		if s == guest {
			w.out.Commit.Checkpoint = nil // that of the proved session stays
		}
		if err := e.commit(&w.out.Commit, w.in.Header.Source.URI); err != nil {
			e.counts.failed.Inc()
			return err
		}
		slot.Session, slot.Guest = own, guest
	}
	return nil
}

// refuse answers a message that no session takes: a device that is not known, or a store that can not say.
func (e *Endpoint) refuse(ctx *fasthttp.RequestCtx, w *worker, req *sessions.Request, err error) {
	if !errors.Is(err, storage.ErrNotFound) {
		e.unavailable(ctx, err)
		return
	}
	e.counts.refused.Inc()
	sessions.Stranger(&e.opt.Sessions, req, &w.out)
	w.reply = w.out.Reply.Append(w.reply[:0], req.Encoding)
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

// session is the session that req belongs to: the device's own, or one that begins with req. As long as the device has
// a proved session open, that one is not given up for one that may be anybody's.
func (e *Endpoint) session(now time.Time, slot *sessions.Slot, req *sessions.Request) (*sessions.Session, error) {
	id := slot.Device
	if slot.Session == nil {
		var err error
		if slot.Session, err = e.restore(now, id); err != nil {
			return nil, err
		}
	}
	if s := slot.Takes(now, req); s != nil {
		return s, nil
	}
	if e.table.Draining() {
		return nil, sessions.ErrDraining
	}
	dev, account, err := e.device(id)
	if err != nil {
		return nil, err
	}
	s := sessions.New(&e.opt.Sessions, dev, account, req.Message.Header.SessionID, now, slot.Session)
	if own := slot.Session; own != nil && own.Running(now) {
		slot.Guest = s
	} else {
		slot.Session, slot.Guest = s, nil // which knows no guest, and what it has to take over from
	}
	return s, nil
}

// restore is the session of the device's checkpoint, which may be over; nil where there is none.
func (e *Endpoint) restore(now time.Time, id storage.DeviceID) (*sessions.Session, error) {
	cp, err := e.store.Checkpoint(id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	dev, account, err := e.device(id)
	if err != nil {
		return nil, err
	}
	tasks, err := e.store.OpenTasks(id, 0, offeredTasks)
	if err != nil {
		return nil, err
	}
	for _, begun := range cp.Tasks { // not all of them need be among the oldest
		t, err := e.store.Task(id, begun.ID)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, *t)
	}
	return sessions.Restore(&e.opt.Sessions, dev, account, cp, tasks, now), nil
}

func (e *Endpoint) device(id storage.DeviceID) (*storage.Device, *storage.Account, error) {
	dev, err := e.store.Device(id)
	if err != nil {
		return nil, nil, err
	}
	account, err := e.store.Account(id)
	return dev, account, err
}

// identify finds out who the device says it is where its address does not: by the user name in its credential, by its
// LocName, or, which is a mere guess, by its DevId. Only the credential proves it. name is good until w is used again.
func (e *Endpoint) identify(w *worker, req *sessions.Request) (name []byte, guessed bool, err error) {
	h := &w.in.Header
	if string(h.Cred.Meta.Type) == auth.TypeBasic {
		name, _, _ = auth.SplitBasic(w.user[:], h.Cred.Data)
	}
	if len(name) == 0 {
		name = req.HMAC.User
	}
	if len(name) == 0 {
		name = h.Source.Name
	}
	if len(name) > 0 {
		return name, false, nil
	}
	id, err := e.store.FindDevice(storage.ByDevID, string(h.Source.URI))
	return []byte(id), true, err
}

func encodingOf(contentType []byte) (syncml.Encoding, bool) {
	t, _, _ := bytes.Cut(contentType, []byte{';'})
	t = bytes.TrimSpace(t)
	for _, k := range [...]struct {
		name string
		enc  syncml.Encoding
	}{{typeWBXML, syncml.WBXML}, {typeXML, syncml.XML}, {typeWBXML11, syncml.WBXML}, {typeXML11, syncml.XML}} {
		if len(t) == len(k.name) && bytes.EqualFold(t, []byte(k.name)) {
			return k.enc, true
		}
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
	after := 0
	for _, l := range e.counts.limits {
		if errors.Is(err, l.err) {
			l.reached.Inc()
			after = l.after
		}
	}
	if after == 0 {
		if !errors.Is(err, storage.ErrFailed) { // the store has said so, once
			e.opt.Log.Error("message not taken", zap.Error(err))
		}
		after = retryAfter
	}
	ctx.Response.Header.Set("Retry-After", strconv.Itoa(after))
	fail(ctx, fasthttp.StatusServiceUnavailable, "try again later")
}

func fail(ctx *fasthttp.RequestCtx, code int, text string) {
	ctx.SetStatusCode(code)
	ctx.SetContentType("text/plain; charset=utf-8")
	ctx.SetBodyString(text + "\n")
}
