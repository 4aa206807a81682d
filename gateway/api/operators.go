package api

import (
	"errors"
	"fmt"
	"iter"
	"mime"

	"github.com/valyala/fasthttp"

	"dmgate/gateway/fleet"
	"dmgate/gateway/operatorlist"
	"dmgate/storage"
)

// operatorsImport takes a file as it comes.
const operatorsImport = "/v1/operators/import"

// maxOperators is how many bytes of a list of access points are taken, unpacked.
const maxOperators = 64 << 20

// OperatorPage is a page of the library of access points.
type OperatorPage struct {
	Operators []operatorlist.Operator `json:"operators"`
	Next      string                  `json:"next,omitempty"` // the ?after of the next page
}

func (a *API) listOperators(r *request) (any, error) {
	limit, err := r.limit()
	if err != nil {
		return nil, err
	}
	found, err := a.fleet.Operators(string(r.QueryArgs().Peek("after")), limit)
	if err != nil {
		return nil, err
	}
	page := OperatorPage{Operators: make([]operatorlist.Operator, len(found))}
	for i := range found {
		page.Operators[i] = operatorlist.Show(&found[i])
	}
	if len(found) == limit && limit > 0 {
		page.Next = found[limit-1].Code
	}
	return page, nil
}

func (a *API) getOperator(r *request) (any, error) {
	o, err := a.fleet.Operator(r.id)
	if err != nil {
		return nil, err
	}
	return operatorlist.Show(o), nil
}

// putOperator replaces an entry. A secret that is not said stays as it was for the same login.
func (a *API) putOperator(r *request) (any, error) {
	var in operatorlist.Operator
	if err := r.read(&in); err != nil {
		return nil, err
	}
	if in.Code != "" && in.Code != r.id {
		return nil, &fleet.FieldError{Field: "code", Reason: fmt.Sprintf("%.20q, and the path says %.20q", in.Code, r.id)}
	}
	err := a.fleet.PutOperator(r.id, func(old *storage.Operator) (*storage.Operator, error) {
		var kept *storage.AccessPoints
		if old != nil {
			kept = &old.Settings
		}
		o := in.Record(kept)
		o.Source = "api"
		return o, nil
	})
	if err != nil {
		return nil, err
	}
	return a.getOperator(r)
}

func (a *API) deleteOperator(r *request) (any, error) {
	return struct{}{}, a.fleet.RemoveOperator(r.id)
}

// ImportedOperators is what has become of a list of access points.
type ImportedOperators struct {
	Operators    int       `json:"operators"` // entries that were written
	AccessPoints int       `json:"access_points"`
	Refused      int       `json:"refused"`
	Problems     []Problem `json:"problems"` // the first 1000 of the lines that were refused
}

// importOperators takes a list of access points as it comes.
func (a *API) importOperators(r *request) (any, error) {
	given := string(r.Request.Header.ContentType())
	kind, _, _ := mime.ParseMediaType(given)
	var read operatorlist.Reader
	source := "json"
	switch kind {
	case "text/csv":
		read, source = operatorlist.CSV, "csv"
	case "application/json", "application/x-ndjson":
		read = operatorlist.JSON
	case "application/xml", "text/xml":
		read, source = operatorlist.XML, "xml"
	default:
		return nil, &problem{
			Title: "unsupported media type", Status: 415,
			Detail: fmt.Sprintf("%.80q, want text/csv, application/json, application/x-ndjson or application/xml", given),
		}
	}
	body := newBody(r.RequestCtx)
	body.within = a.lineWithin
	body.await()
	text, err := r.unpacked(body)
	if err != nil {
		return nil, err
	}
	done, err := a.fleet.ImportOperators(source, a.pass(body, read(&bounded{text, maxOperators})))
	var broken *brokenList
	if errors.As(err, &broken) {
		return nil, broken.problem(&done)
	}
	if err != nil {
		return nil, err
	}
	return showOperators(&done), nil
}

// pass hands entries on as long as they come and the gateway is not to end. Its error is a *brokenList.
func (a *API) pass(b *body, lines iter.Seq2[fleet.OperatorLine, error]) iter.Seq2[fleet.OperatorLine, error] {
	return func(yield func(fleet.OperatorLine, error) bool) {
		for line, err := range lines {
			select {
			case <-a.done:
				err = errEnding
			default:
			}
			if err != nil {
				yield(fleet.OperatorLine{}, &brokenList{err})
				return
			}
			if !yield(line, nil) {
				return
			}
			b.await()
		}
	}
}

// brokenList is a list of access points that did not come to its end, or is none.
type brokenList struct{ err error }

func (e *brokenList) Error() string { return e.err.Error() }

func (e *brokenList) problem(done *fleet.ImportedOperators) *problem {
	p := &problem{Title: "no list of access points", Status: 422, Detail: e.err.Error()}
	var file *operatorlist.FileError
	switch {
	case errors.As(e.err, &file):
	case timedOut(e.err):
		p.Title, p.Status, p.Detail = "the file broke off", 408, "the next line did not come in time"
	case errors.Is(e.err, fasthttp.ErrBodyTooLarge):
		p.Title, p.Status, p.Detail = "the file is too large", 413, fmt.Sprintf("it has more than %d bytes", maxOperators)
	case e.err == errEnding:
		p.Title, p.Status = "the file broke off", 503
	default:
		p.Title, p.Status = "the file broke off", 400
	}
	p.Detail += fmt.Sprintf("; %d operators were taken before", done.Operators)
	return p
}

func showOperators(done *fleet.ImportedOperators) *ImportedOperators {
	out := &ImportedOperators{
		Operators: done.Operators, AccessPoints: done.AccessPoints, Refused: done.Refused,
		Problems: make([]Problem, len(done.Problems)),
	}
	for i, p := range done.Problems {
		out.Problems[i] = Problem(p)
	}
	return out
}

// NewAccessPoints asks for access points to be sent to devices, by a provisioning document of their own.
type NewAccessPoints struct {
	Key      string               `json:"key,omitempty"` // as of NewBootstraps
	Devices  []storage.DeviceID   `json:"devices"`
	Operator string               `json:"operator,omitempty"` // an entry of the library, or "sim"
	NAP      string               `json:"nap,omitempty"`      // the only access point of it that is meant
	NAPs     []operatorlist.NAP   `json:"naps,omitempty"`     // in place of an entry
	Proxies  []operatorlist.Proxy `json:"proxies,omitempty"`
	Sec      string               `json:"sec"`
	PIN      string               `json:"pin"`
	Priority uint8                `json:"priority"`
}

func (a *API) sendAccessPoints(r *request) (any, error) {
	var in NewAccessPoints
	if err := r.read(&in); err != nil {
		return nil, err
	}
	if err := checkBatch(in.Devices, in.Key); err != nil {
		return nil, err
	}
	what := fleet.AccessPoint{Operator: in.Operator, NAP: in.NAP, Sec: in.Sec, PIN: in.PIN}
	if in.NAPs != nil {
		what.Given = operatorlist.Settings(in.NAPs, in.Proxies, false, nil)
	}
	return a.sendAll("access-point", in.Key, in.Devices, func(id storage.DeviceID, batch string) (*fleet.Sending, error) {
		return a.fleet.SendAccessPoint(fleet.SendAccessPoint{
			Device: id, AccessPoint: what, Batch: batch, Key: in.Key, Priority: in.Priority,
		})
	}), nil
}
