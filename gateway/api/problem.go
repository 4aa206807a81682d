package api

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/valyala/fasthttp"

	"dmgate/gateway/files"
	"dmgate/gateway/fleet"
	"dmgate/modempool"
	"dmgate/storage"
)

// problem is an error as RFC 9457 has it.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Field  string `json:"field,omitempty"` // the field of the request that is at fault

	Kept   *Added          `json:"kept,omitempty"`   // of a file that broke off: what has become of the lines before
	Models *ImportedModels `json:"models,omitempty"` // the same of a file of models

	allow string // of 405: what would be allowed
}

func (p *problem) Error() string { return p.Title + ": " + p.Detail }

func (p *problem) write(ctx *fasthttp.RequestCtx) {
	body, _ := json.Marshal(p) // strings and numbers only
	ctx.SetStatusCode(p.Status)
	ctx.SetContentType("application/problem+json")
	ctx.SetBody(append(body, '\n'))
}

// problemOf says what an error is to the caller. ok is false for an error of ours, which is logged and not told.
func problemOf(err error) (p *problem, ok bool) {
	var field *fleet.FieldError
	var limit *modempool.LimitError
	var port *modempool.PortError
	var state *fleet.StateError
	switch {
	case errors.As(err, &p):
		return p, true
	case errors.As(err, &field):
		return &problem{Title: "invalid value", Status: 422, Field: field.Field, Detail: field.Reason}, true
	case errors.As(err, &limit):
		return &problem{Title: "invalid value", Status: 422, Field: limit.Field, Detail: limit.Reason}, true
	case errors.As(err, &port):
		return &problem{Title: "invalid value", Status: 422, Field: port.Field, Detail: port.Reason}, true
	case errors.Is(err, modempool.ErrNoModem):
		return &problem{Title: "not found", Status: 404, Detail: "there is no such modem"}, true
	case errors.Is(err, modempool.ErrHasModem):
		return &problem{Title: "exists already", Status: 409, Detail: "the port has a modem already"}, true
	case errors.As(err, &state):
		return &problem{Title: "not in this state", Status: 409, Detail: state.Error()}, true
	case errors.Is(err, fleet.ErrHasFile):
		return &problem{Title: "exists already", Status: 409, Detail: "the package has another file: add a package of another version"}, true
	case errors.Is(err, files.ErrTooLarge):
		return &problem{Title: "too large", Status: 413, Detail: strings.TrimPrefix(err.Error(), "files: ")}, true
	case errors.Is(err, files.ErrEmpty):
		return &problem{Title: "bad request", Status: 400, Detail: "the file is empty"}, true
	case errors.Is(err, files.ErrFull):
		return &problem{Title: "no room", Status: 507, Detail: "the gateway's disk is full"}, false
	case errors.Is(err, storage.ErrNotFound):
		return &problem{Title: "not found", Status: 404}, true
	case errors.Is(err, storage.ErrExists):
		return &problem{Title: "exists already", Status: 409, Detail: "a device with this number is known"}, true
	}
	return &problem{Title: "unavailable", Status: 503, Detail: "the gateway could not do this now; see its log"}, false
}
