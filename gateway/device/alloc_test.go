package device

import (
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/valyala/fasthttp"

	"dmgate/codec/syncml"
	"dmgate/gateway/fleet"
	"dmgate/sessions"
	"dmgate/storage"
)

// forgetful is a store that keeps nothing, for one device that it knows.
type forgetful struct {
	storage.Store
	device  storage.Device
	account storage.Account
}

func (f *forgetful) Commit(c *storage.Commit) error { return nil }

func (f *forgetful) Device(storage.DeviceID) (*storage.Device, error) {
	d := f.device
	return &d, nil
}

func (f *forgetful) Account(storage.DeviceID) (*storage.Account, error) { return &f.account, nil }

func (f *forgetful) Checkpoint(storage.DeviceID) (*storage.Checkpoint, error) {
	return nil, storage.ErrNotFound
}

func (f *forgetful) OpenTasks(storage.DeviceID, uint64, int) ([]storage.Task, error) { return nil, nil }

// batch gives a device a task with more commands than a test will see.
type batch struct{ idle }

func (batch) Proved(_ time.Time, d *storage.Device, _ *sessions.Outcome) []storage.Task {
	return []storage.Task{{ID: 1, Device: d.ID, Commands: make([]storage.Command, 1<<20)}}
}

// newForgetful makes an endpoint whose store costs nothing, and the phone that it knows.
func newForgetful() (*Endpoint, *phone) {
	const user, password = "abcdefghijklmnop", "secret"
	e := New(Options{Sessions: sessions.Options{
		Address: "http://dm.example" + Path, Planner: batch{}, Random: fleet.Random, MaxMsg: 2000, Messages: 1 << 30,
	}}, &forgetful{
		device:  storage.Device{ID: user},
		account: storage.Account{Device: user, ServerID: "dmgate", Password: password},
	}, metrics.NewSet())
	return e, &phone{user: user, password: password, devID: "IMEI:1", session: "1"}
}

// record is what a phone says in the first n messages of a session.
func record(tb testing.TB, n int) (bodies [][]byte) {
	e, p := newForgetful()
	var ctx fasthttp.RequestCtx
	for range n {
		if len(bodies) == 0 {
			p.package1(p.basic)
		} else {
			p.answers()
		}
		bodies = append(bodies, p.sent)
		serve(tb, e, &ctx, p.sent)
		if err := p.in.Read(append([]byte(nil), ctx.Response.Body()...), syncml.WBXML, nil); err != nil {
			tb.Fatal(err)
		}
	}
	return bodies
}

// serve has an endpoint answer one message.
func serve(tb testing.TB, e *Endpoint, ctx *fasthttp.RequestCtx, body []byte) {
	ctx.Request.Header.SetMethod("POST")
	ctx.Request.Header.SetContentType(typeWBXML)
	ctx.Request.SetRequestURI(Path + "?d=abcdefghijklmnop")
	ctx.Request.SetBody(body)
	ctx.Response.Reset()
	e.Serve(ctx)
	if ctx.Response.StatusCode() != 200 {
		tb.Fatalf("status %d %s", ctx.Response.StatusCode(), ctx.Response.Body())
	}
}

// A message in the middle of a session, some twenty answers in and as many commands out, from fasthttp's request to its
// response, allocates nothing. What the store allocates is the store's.
func TestServeAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	const warm, runs = 20, 100
	bodies := record(t, warm+runs+1)
	e, _ := newForgetful()
	var ctx fasthttp.RequestCtx
	next := func() {
		serve(t, e, &ctx, bodies[0])
		bodies = bodies[1:]
	}
	for range warm {
		next()
	}
	if n := testing.AllocsPerRun(runs, next); n != 0 {
		t.Errorf("%v allocations for a message", n)
	}
	if len(bodies) != 0 {
		t.Errorf("%d messages left", len(bodies))
	}
}

func (batch) GivenUp(*storage.Task, string, *sessions.Outcome) {}
