// Package api is the endpoint that upstream systems use: JSON under /v1, errors as problem documents (RFC 9457), the
// event feed by offset.
package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"dmgate/gateway/certcheck"
	"dmgate/gateway/fleet"
	"dmgate/storage"
)

// Prefix is the path below which the API lives.
const Prefix = "/v1/"

// API answers upstream. It is safe for concurrent use.
type API struct {
	fleet *fleet.Fleet
	store storage.Store
	bank  Bank
	key   [sha256.Size]byte
	log   *zap.Logger
	done  <-chan struct{}

	lineWithin time.Duration // of a file of targets

	Uploads Uploads // to be set before the first request
	// CheckChain looks at the chain that devices are given; to be set before the first request, nil for none.
	CheckChain func(context.Context) certcheck.Report
}

// New makes the API for those who carry key. Long reads end when done is closed.
func New(f *fleet.Fleet, store storage.Store, bank Bank, key string, log *zap.Logger, done <-chan struct{}) *API {
	return &API{
		fleet: f, store: store, bank: bank, key: sha256.Sum256([]byte(key)), log: log, done: done, lineWithin: lineWithin,
	}
}

// Allowed says whether key is the admin's, in constant time.
func (a *API) Allowed(key []byte) bool {
	sum := sha256.Sum256(key)
	return subtle.ConstantTimeCompare(sum[:], a.key[:]) == 1
}

// route is one call of the API. A name in braces stands for one segment of the path, decoded.
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
	{"GET", "/v1/devices/{id}/capabilities", (*API).getCapabilities, 200},
	{"GET", "/v1/devices/{id}/tree", (*API).getTree, 200},
	{"POST", "/v1/devices/{id}/discover", (*API).discover, 202},
	{"POST", "/v1/bootstraps", (*API).createBootstraps, 202},
	{"POST", "/v1/jobs", (*API).createJobs, 202},
	{"GET", "/v1/jobs", (*API).listJobs, 200},
	{"GET", "/v1/devices/{id}/jobs/{job}", (*API).getJob, 200},
	{"POST", "/v1/devices/{id}/jobs/{job}/cancel", (*API).cancelJob, 200},
	{"POST", "/v1/devices/{id}/jobs/{job}/report", (*API).reportJob, 200},
	{"POST", "/v1/campaigns", (*API).createCampaign, 201},
	{"GET", "/v1/campaigns", (*API).listCampaigns, 200},
	{"GET", "/v1/campaigns/{id}", (*API).getCampaign, 200},
	{"PATCH", "/v1/campaigns/{id}", (*API).editCampaign, 200},
	{"POST", "/v1/campaigns/{id}/start", step((*fleet.Fleet).StartCampaign), 200},
	{"POST", "/v1/campaigns/{id}/pause", step((*fleet.Fleet).PauseCampaign), 200},
	{"POST", "/v1/campaigns/{id}/resume", step((*fleet.Fleet).ResumeCampaign), 200},
	{"POST", "/v1/campaigns/{id}/cancel", step((*fleet.Fleet).CancelCampaign), 200},
	{"POST", "/v1/campaigns/{id}/groups/{group}/release", (*API).releaseGroup, 200},
	{"GET", "/v1/campaigns/{id}/plan", (*API).getPlan, 200},
	{"POST", targetsPath, (*API).addTargets, 200},
	{"GET", targetsPath, (*API).listTargets, 200},
	{"GET", "/v1/campaigns/{id}/report.csv", (*API).getReport, 200},
	{"GET", "/v1/models", (*API).listModels, 200},
	{"GET", "/v1/models/export", (*API).exportModels, 200},
	{"POST", importPath, (*API).importModels, 200},
	{"GET", "/v1/models/{key}", (*API).getModel, 200},
	{"DELETE", "/v1/models/{key}", (*API).deleteModel, 200},
	{"POST", "/v1/models/{key}/reset", (*API).resetModel, 200},
	{"POST", "/v1/packages", (*API).createPackage, 201},
	{"GET", "/v1/packages", (*API).listPackages, 200},
	{"GET", "/v1/packages/choose", (*API).choosePackage, 200},
	{"GET", "/v1/packages/{id}", (*API).getPackage, 200},
	{"PATCH", "/v1/packages/{id}", (*API).editPackage, 200},
	{"DELETE", "/v1/packages/{id}", (*API).deletePackage, 200},
	{"PUT", packageFilePath, (*API).putPackageFile, 200},
	{"POST", "/v1/certificates", (*API).createCertificate, 201},
	{"GET", "/v1/certificates", (*API).listCertificates, 200},
	{"GET", "/v1/certificates/check", (*API).checkCertificates, 200},
	{"GET", "/v1/certificates/{id}", (*API).getCertificate, 200},
	{"DELETE", "/v1/certificates/{id}", (*API).deleteCertificate, 200},
	{"POST", "/v1/certificates/{id}/send", (*API).sendCertificate, 202},
	{"GET", "/v1/operators", (*API).listOperators, 200},
	{"POST", operatorsImport, (*API).importOperators, 200},
	{"GET", "/v1/operators/{id}", (*API).getOperator, 200},
	{"PUT", "/v1/operators/{id}", (*API).putOperator, 200},
	{"DELETE", "/v1/operators/{id}", (*API).deleteOperator, 200},
	{"POST", "/v1/access-points", (*API).sendAccessPoints, 202},
	{"GET", "/v1/feed", (*API).getFeed, 200},
	{"GET", "/v1/modems", (*API).listModems, 200},
	{"POST", "/v1/modems", (*API).createModem, 201},
	{"GET", "/v1/modems/{id}", (*API).getModem, 200},
	{"DELETE", "/v1/modems/{id}", (*API).deleteModem, 200},
	{"POST", "/v1/modems/{id}/drain", handle(Bank.Drain), 200},
	{"POST", "/v1/modems/{id}/resume", handle(Bank.Undrain), 200},
	{"POST", "/v1/modems/{id}/reset", handle(Bank.Reset), 200},
	{"GET", "/v1/limits", (*API).getLimits, 200},
	{"PUT", "/v1/limits", (*API).putLimits, 200},
	{"DELETE", "/v1/limits", (*API).deleteLimits, 200},
	{"GET", "/v1/overview", (*API).getOverview, 200},
}

// request is a call that has found its route.
type request struct {
	*fasthttp.RequestCtx
	id     string // the path's {id}
	part   string // the name in braces behind it, where there is one
	status int    // of success
}

// Serve answers one request below Prefix. signedIn says that it comes from the status page, which may only read.
func (a *API) Serve(ctx *fasthttp.RequestCtx, signedIn bool) {
	scheme, key, _ := bytes.Cut(ctx.Request.Header.Peek("Authorization"), []byte{' '})
	bearer := bytes.EqualFold(scheme, []byte("Bearer"))
	if !(bearer && a.Allowed(key)) && !(signedIn && ctx.IsGet()) {
		ctx.Response.Header.Set("WWW-Authenticate", "Bearer")
		(&problem{Title: "not allowed", Status: 401, Detail: "want the admin key as a bearer token"}).write(ctx)
		return
	}
	found, r, err := find(ctx)
	if err == nil {
		var answer any
		if answer, err = found.handle(a, r); err == nil {
			if answer != written {
				writeJSON(ctx, r.status, answer)
			}
			return
		}
	}
	p, known := problemOf(err)
	if p.allow != "" {
		ctx.Response.Header.Set("Allow", p.allow)
	}
	if !known {
		a.log.Error("request failed", zap.ByteString("path", ctx.Path()), zap.Error(err))
	}
	if p.Status == fasthttp.StatusServiceUnavailable {
		ctx.Response.Header.Set("Retry-After", "2")
	}
	p.write(ctx)
}

// written is the answer of a call that has written its own.
var written any = struct{ written bool }{true}

// find looks a route up.
func find(ctx *fasthttp.RequestCtx) (*route, *request, error) {
	method, path := string(ctx.Method()), string(ctx.Path())
	var allowed []string
	for i := range routes {
		names, ok := match(routes[i].path, path)
		if !ok {
			continue
		}
		if routes[i].method == method {
			return &routes[i], &request{ctx, names[0], names[1], routes[i].status}, nil
		}
		allowed = append(allowed, routes[i].method)
	}
	if allowed != nil {
		return nil, nil, &problem{
			Title: "method not allowed", Status: 405, Detail: "want " + strings.Join(allowed, " or "),
			allow: strings.Join(allowed, ", "),
		}
	}
	return nil, nil, &problem{Title: "not found", Status: 404, Detail: "there is no such path"}
}

// match compares a path with the pattern of a route and tells what stands for its names, of which there are at most two.
func match(pattern, path string) (names [2]string, ok bool) {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return names, false
	}
	n := 0
	for i, w := range want {
		switch {
		case strings.HasPrefix(w, "{") && have[i] != "":
			names[n] = have[i]
			n++
		case w != have[i]:
			return names, false
		}
	}
	return names, true
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
		if more := bytes.TrimLeft(body[d.InputOffset():], " \t\r\n"); len(more) > 0 {
			return malformed(body, len(body)-len(more), "more than one JSON value")
		}
		return nil
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax): // its offset is that behind the offending byte
		return malformed(body, int(syntax.Offset)-1, syntax.Error())
	case errors.As(err, &kind): // the same, behind the value
		p := malformed(body, int(kind.Offset)-1, fmt.Sprintf("%s in place of %s", kind.Value, kind.Type))
		p.Field = kind.Field
		return p
	case errors.Is(err, io.EOF):
		return malformed(body, 0, "empty body")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return malformed(body, len(body), "the JSON text ends too early")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		field, _ := strconv.Unquote(name)
		p := malformed(body, keyAt(body, field), "unknown field")
		p.Field = field
		return p
	}
	return malformed(body, int(d.InputOffset()), strings.TrimPrefix(err.Error(), "json: "))
}

// keyAt is where a key of the object in body begins.
func keyAt(body []byte, key string) int {
	d := json.NewDecoder(bytes.NewReader(body))
	if _, err := d.Token(); err != nil {
		return 0
	}
	for d.More() {
		behind := int(d.InputOffset())
		name, err := d.Token()
		if err != nil {
			break
		}
		if name == key {
			return behind + bytes.IndexByte(body[behind:], '"')
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			break
		}
	}
	return 0
}

// malformed is the problem with the byte at an offset of body.
func malformed(body []byte, at int, what string) *problem {
	before := body[:max(0, min(at, len(body)))]
	line := 1 + bytes.Count(before, []byte{'\n'})
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return &problem{
		Title: "malformed JSON", Status: 400, Detail: fmt.Sprintf("line %d, column %d: %s", line, column, what),
	}
}

// limit reads how many things a list is to show.
func (r *request) limit() (int, error) {
	n, err := r.number("limit", pageSize, 1, maxPage)
	return int(n), err
}

// number reads a query argument; def where it is not given.
func (r *request) number(name string, def, least, most uint64) (uint64, error) {
	arg := r.QueryArgs().Peek(name)
	if len(arg) == 0 {
		return def, nil
	}
	n, err := strconv.ParseUint(string(arg), 10, 63)
	if err != nil || n < least || n > most {
		return 0, &problem{
			Title: "invalid value", Status: 422, Field: name,
			Detail: fmt.Sprintf("%.40q is no number from %d to %d", arg, least, most),
		}
	}
	return n, nil
}
