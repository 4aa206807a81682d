// Package api is the endpoint that upstream systems use: JSON under /v1, errors as problem documents (RFC 9457), the
// event feed by offset.
package api

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"dmgate/gateway/fleet"
	"dmgate/modempool"
	"dmgate/storage"
)

// Prefix is the path below which the API lives.
const Prefix = "/v1/"

// API answers upstream. It is safe for concurrent use.
type API struct {
	fleet  *fleet.Fleet
	store  storage.Store
	modems func() []modempool.Status
	key    [sha256.Size]byte
	log    *zap.Logger
	done   <-chan struct{}
}

// New makes the API for those who carry key. Long reads end when done is closed.
func New(f *fleet.Fleet, store storage.Store, modems func() []modempool.Status, key string, log *zap.Logger, done <-chan struct{}) *API {
	return &API{fleet: f, store: store, modems: modems, key: sha256.Sum256([]byte(key)), log: log, done: done}
}

// Allowed says whether key is the admin's, in constant time.
func (a *API) Allowed(key []byte) bool {
	sum := sha256.Sum256(key)
	return subtle.ConstantTimeCompare(sum[:], a.key[:]) == 1
}

// route is one call of the API. A name in braces stands for one segment of the path.
type route struct {
	method string
	path   string
	handle func(a *API, r *request) (any, error)
	status int // of success
}

var routes = []route{
	{"POST", "/v1/devices", (*API).createDevice, 201},
	{"GET", "/v1/devices", (*API).listDevices, 200},
	{"GET", "/v1/devices/{id}", (*API).getDevice, 200},
	{"GET", "/v1/devices/{id}/results", (*API).getResults, 200},
	{"POST", "/v1/bootstraps", (*API).createBootstraps, 202},
	{"GET", "/v1/feed", (*API).getFeed, 200},
	{"GET", "/v1/modems", (*API).getModems, 200},
	{"GET", "/v1/overview", (*API).getOverview, 200},
}

// request is a call that has found its route.
type request struct {
	*fasthttp.RequestCtx
	id string // the path's {id}
}

// Serve answers one request below Prefix. signedIn says that it comes from the status page, which may only read.
func (a *API) Serve(ctx *fasthttp.RequestCtx, signedIn bool) {
	key, bearer := bytes.CutPrefix(ctx.Request.Header.Peek("Authorization"), []byte("Bearer "))
	if !(bearer && a.Allowed(key)) && !(signedIn && ctx.IsGet()) {
		ctx.Response.Header.Set("WWW-Authenticate", "Bearer")
		(&problem{Title: "not allowed", Status: 401, Detail: "want the admin key as a bearer token"}).write(ctx)
		return
	}
	r, id, err := find(string(ctx.Method()), string(ctx.Path()))
	if err == nil {
		var answer any
		if answer, err = r.handle(a, &request{ctx, id}); err == nil {
			writeJSON(ctx, r.status, answer)
			return
		}
	}
	p, known := problemOf(err)
	if !known {
		a.log.Error("request failed", zap.ByteString("path", ctx.Path()), zap.Error(err))
		ctx.Response.Header.Set("Retry-After", "2")
	}
	p.write(ctx)
}

// find looks a route up.
func find(method, path string) (*route, string, error) {
	var allowed []string
	for i := range routes {
		id, ok := match(routes[i].path, path)
		if !ok {
			continue
		}
		if routes[i].method == method {
			return &routes[i], id, nil
		}
		allowed = append(allowed, routes[i].method)
	}
	if allowed != nil {
		return nil, "", &problem{Title: "method not allowed", Status: 405, Detail: "want " + strings.Join(allowed, " or ")}
	}
	return nil, "", &problem{Title: "not found", Status: 404, Detail: "there is no such path"}
}

func match(pattern, path string) (id string, ok bool) {
	before, after, named := strings.Cut(pattern, "{id}")
	if !named {
		return "", path == pattern
	}
	rest, ok := strings.CutPrefix(path, before)
	if !ok {
		return "", false
	}
	id, ok = strings.CutSuffix(rest, after)
	return id, ok && id != "" && !strings.Contains(id, "/")
}

func writeJSON(ctx *fasthttp.RequestCtx, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		(&problem{Title: "answer can not be written", Status: 500}).write(ctx)
		return
	}
	ctx.SetStatusCode(status)
	ctx.SetContentType("application/json")
	ctx.SetBody(append(body, '\n'))
}

// read decodes the body into v and says what and where it is wrong: line, column, field.
func (r *request) read(v any) error {
	body := r.PostBody()
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return malformed(body, d.InputOffset(), "more than one JSON value")
		}
		return nil
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return malformed(body, syntax.Offset, syntax.Error())
	case errors.As(err, &kind):
		p := malformed(body, kind.Offset, fmt.Sprintf("%s in place of %s", kind.Value, kind.Type))
		p.Field = kind.Field
		return p
	case errors.Is(err, io.EOF):
		return malformed(body, 0, "empty body")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return malformed(body, int64(len(body)), "the JSON text ends too early")
	}
	return malformed(body, d.InputOffset(), strings.TrimPrefix(err.Error(), "json: "))
}

func malformed(body []byte, offset int64, what string) *problem {
	before := body[:min(int(offset), len(body))]
	line := 1 + bytes.Count(before, []byte{'\n'})
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return &problem{
		Title: "malformed JSON", Status: 400, Detail: fmt.Sprintf("line %d, column %d: %s", line, column, what),
	}
}

// number reads a query argument; def where it is not given.
func (r *request) number(name string, def, most uint64) (uint64, error) {
	arg := r.QueryArgs().Peek(name)
	if len(arg) == 0 {
		return def, nil
	}
	n, err := strconv.ParseUint(string(arg), 10, 63)
	if err != nil || n > most {
		return 0, &problem{
			Title: "invalid value", Status: 422, Field: name, Detail: fmt.Sprintf("%.40q is no number from 0 to %d", arg, most),
		}
	}
	return n, nil
}
