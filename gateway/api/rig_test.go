package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"dmgate/gateway/api"
	"dmgate/gateway/files"
	"dmgate/gateway/fleet"
	"dmgate/gateway/web"
	"dmgate/storage"
	"dmgate/storage/pebble"
)

const (
	adminKey  = "an-admin-key-of-these-tests"
	bodyLimit = 4 << 20

	uploadLimit = 8 << 20
)

// rig is the API, and the page whose cookie it knows, over a real store and a real socket.
type rig struct {
	t      *testing.T
	base   string // URL
	store  *pebble.Store
	broken *brokenStore // between the API and the store
	fleet  *fleet.Fleet
	api    *api.API
	bank   *bank
	folder string        // of uploaded files
	log    *bytes.Buffer // all that was logged, at every level
	done   chan struct{}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	store, err := pebble.Open(t.TempDir(), pebble.Options{NoSync: true, CacheSize: 1 << 20, MemTableSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{
		t: t, base: "http://" + l.Addr().String(), store: store, broken: &brokenStore{Store: store}, log: new(bytes.Buffer),
		bank: newBank(),
		done: make(chan struct{}),
	}
	log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()),
		zapcore.Lock(zapcore.AddSync(r.log)), zapcore.DebugLevel))
	r.fleet = fleet.New(fleet.Options{Address: "http://dm.example/dm", Log: log}, r.broken, func() {})
	if err := r.fleet.Load(); err != nil {
		t.Fatal(err)
	}
	r.api = api.New(r.fleet, r.broken, r.bank, adminKey, log, r.done)
	r.folder = t.TempDir()
	uploads, err := files.Open(r.folder)
	if err != nil {
		t.Fatal(err)
	}
	r.api.Uploads = api.Uploads{Store: uploads, Limit: uploadLimit}
	page := web.New(r.api, store, r.done)
	server := &fasthttp.Server{NoDefaultServerHeader: true, Logger: zap.NewStdLog(log), ErrorHandler: api.BadRequest,
		StreamRequestBody: true, DisablePreParseMultipartForm: true,
		Handler: api.Bounded(bodyLimit, func(ctx *fasthttp.RequestCtx) {
			if bytes.HasPrefix(ctx.Path(), []byte(api.Prefix)) {
				r.api.Serve(ctx, page.SignedIn(ctx))
				return
			}
			page.Serve(ctx)
		})}
	go server.Serve(tellingListener{l})
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, stop := context.WithTimeout(context.Background(), time.Second) // connections never used would be waited for
		defer stop()
		server.ShutdownWithContext(ctx)
		store.Close()
	})
	return r
}

// brokenStore is a store whose device records can not be read as long as err is set, and that fails once after some
// pages of targets.
type brokenStore struct {
	storage.Store
	err     error
	targets atomic.Int64
}

func (b *brokenStore) Targets(campaign string, after uint64, limit int) ([]storage.Target, error) {
	if b.targets.Load() > 0 && b.targets.Add(-1) == 0 {
		return nil, storage.ErrFailed
	}
	return b.Store.Targets(campaign, after, limit)
}

func (b *brokenStore) Device(id storage.DeviceID) (*storage.Device, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Store.Device(id)
}

// reply is an answer of the API.
type reply struct {
	status int
	header http.Header
	body   string
}

// problem is a problem document, read as a caller reads it.
type problem struct {
	Title, Detail, Field string
	Status               int
}

// call makes a call with the admin key.
func (r *rig) call(method, path, body string) reply {
	r.t.Helper()
	return r.send(http.DefaultClient, method, path, body, "Bearer "+adminKey)
}

func (r *rig) send(client *http.Client, method, path, body, authorization string) reply {
	r.t.Helper()
	req, err := http.NewRequest(method, r.base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(text)}
}

// get calls path, which has to work, and reads the answer into out.
func (r *rig) get(path string, out any) {
	r.t.Helper()
	r.want(r.call("GET", path, ""), 200, out)
}

// want checks a successful answer and reads it into out. A field that out does not know is an error.
func (r *rig) want(got reply, status int, out any) {
	r.t.Helper()
	if got.status != status || got.header.Get("Content-Type") != "application/json" {
		r.t.Fatalf("status %d %s, want %d: %s", got.status, got.header.Get("Content-Type"), status, got.body)
	}
	d := json.NewDecoder(strings.NewReader(got.body))
	d.DisallowUnknownFields()
	if err := d.Decode(out); err != nil {
		r.t.Fatalf("%v: %s", err, got.body)
	}
}

// refused checks a problem document and returns it.
func (r *rig) refused(got reply, status int) problem {
	r.t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(got.body), &p); err != nil {
		r.t.Fatalf("%v: %s", err, got.body)
	}
	if got.status != status || p.Status != status || got.header.Get("Content-Type") != "application/problem+json" ||
		p.Title == "" {
		r.t.Fatalf("status %d %s, want a problem with %d: %s", got.status, got.header.Get("Content-Type"), status, got.body)
	}
	return p
}

// device makes device i known, by the API.
func (r *rig) device(i int) *api.Device {
	r.t.Helper()
	body := fmt.Sprintf(`{"msisdn":"+49170%07d","imsi":"26201%010d","dev_id":"IMEI:%d"}`, i, i, i)
	var d api.Device
	r.want(r.call("POST", "/v1/devices", body), 201, &d)
	return &d
}

// browser signs in to the page, which takes the key for a cookie.
func (r *rig) browser() *http.Client {
	r.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	resp, err := client.PostForm(r.base+"/signin", url.Values{"key": {adminKey}})
	if err != nil || resp.StatusCode != 204 {
		r.t.Fatalf("sign-in: %v %v", resp, err)
	}
	resp.Body.Close()
	return client
}
