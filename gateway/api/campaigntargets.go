package api

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/valyala/fasthttp"

	"dmgate/gateway/fleet"
	"dmgate/gateway/targetlist"
	"dmgate/storage"
)

// maxFile is how many bytes of a list of targets are taken, unpacked.
const maxFile = 1 << 30

// lineWithin is how long a client may take for one line of it.
const lineWithin = time.Minute

const targetsPath = "/v1/campaigns/{id}/targets"

// streamed says whether a call takes its body as it comes.
func streamed(method, path string) bool {
	_, targets := match(targetsPath, path)
	_, file := match(packageFilePath, path)
	if file {
		return method == fasthttp.MethodPut
	}
	return method == fasthttp.MethodPost && (targets || path == importPath || path == operatorsImport)
}

// Target is one device of a campaign.
type Target struct {
	Number    uint64              `json:"number"`
	Line      uint64              `json:"line,omitempty"`
	MSISDN    string              `json:"msisdn,omitempty"`
	IMSI      string              `json:"imsi,omitempty"`
	DevID     string              `json:"dev_id,omitempty"`
	Device    storage.DeviceID    `json:"device,omitempty"`
	State     storage.TargetState `json:"state"`
	Stage     string              `json:"stage,omitempty"`
	Since     time.Time           `json:"since"`
	NotBefore *time.Time          `json:"not_before,omitempty"` // of pending
	Attempts  int                 `json:"attempts"`
	Order     string              `json:"order,omitempty"`
	Canary    bool                `json:"canary,omitempty"`
	Reason    string              `json:"reason,omitempty"`
}

// TargetPage is a page of targets.
type TargetPage struct {
	Targets []Target `json:"targets"`
	Next    uint64   `json:"next,omitempty"` // the ?after of the next page
}

// Added is what has become of a list of targets.
type Added struct {
	Accepted int       `json:"accepted"`
	Repeated int       `json:"repeated"` // are targets already
	Refused  int       `json:"refused"`
	Problems []Problem `json:"problems"` // the first 1000 of those refused
}

// Problem is a line that was refused.
type Problem struct {
	Line   uint64 `json:"line"`
	Reason string `json:"reason"`
}

// addTargets takes a file of targets as it comes.
func (a *API) addTargets(r *request) (any, error) {
	read, err := r.format()
	if err != nil {
		return nil, err
	}
	if _, err := a.store.Campaign(r.id); err != nil {
		return nil, err
	}
	body := newBody(r.RequestCtx)
	body.within = a.lineWithin
	body.await()
	text, err := r.unpacked(body)
	if err != nil {
		return nil, err
	}
	added, err := a.fleet.AddTargets(r.id, a.upload(body, read(&bounded{text, maxFile})))
	var broken *uploadError
	if errors.As(err, &broken) {
		return nil, broken.problem(&added)
	}
	if err != nil {
		return nil, err
	}
	return showAdded(&added), nil
}

// format is how the body is to be read.
func (r *request) format() (func(io.Reader) iter.Seq2[fleet.Line, error], error) {
	given := string(r.Request.Header.ContentType())
	kind, parameters, err := mime.ParseMediaType(given)
	charset := strings.ToLower(parameters["charset"])
	if err == nil && (charset == "" || charset == "utf-8" || charset == "us-ascii") {
		switch kind {
		case "text/csv":
			return targetlist.CSV, nil
		case "application/x-ndjson":
			return targetlist.NDJSON, nil
		}
	}
	return nil, &problem{
		Title: "unsupported media type", Status: 415,
		Detail: fmt.Sprintf("%.80q, want text/csv or application/x-ndjson, in UTF-8", given),
	}
}

// unpacked is the body without its Content-Encoding.
func (r *request) unpacked(body io.Reader) (io.Reader, error) {
	switch coding := string(r.Request.Header.ContentEncoding()); coding {
	case "", "identity":
		return body, nil
	case "gzip":
		text, err := gzip.NewReader(body)
		if err != nil {
			return nil, (&uploadError{err: err}).problem(&fleet.Added{})
		}
		return text, nil
	default:
		return nil, &problem{
			Title: "unsupported content encoding", Status: 415, Detail: fmt.Sprintf("%.40q, want gzip or none", coding),
		}
	}
}

// bounded is a reader that has at most left bytes.
type bounded struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fasthttp.ErrBodyTooLarge
	}
	return n, err
}

// upload passes lines on as long as they come and the gateway is not to end. Its error is an *uploadError.
func (a *API) upload(b *body, lines iter.Seq2[fleet.Line, error]) iter.Seq2[fleet.Line, error] {
	return func(yield func(fleet.Line, error) bool) {
		last := uint64(0)
		for line, err := range lines {
			select {
			case <-a.done:
				err = errEnding
			default:
			}
			if err != nil {
				yield(fleet.Line{}, &uploadError{last, err})
				return
			}
			last = line.Number
			if !yield(line, nil) {
				return
			}
			b.await()
		}
	}
}

var errEnding = errors.New("the gateway is ending")

// uploadError is a file of targets that did not come to its end, or is none.
type uploadError struct {
	last uint64 // line that came
	err  error
}

func (e *uploadError) Error() string { return fmt.Sprintf("after line %d: %v", e.last, e.err) }

// problem says what has come of the lines before.
func (e *uploadError) problem(added *fleet.Added) *problem {
	var header *targetlist.HeaderError
	if errors.As(e.err, &header) {
		return &problem{Title: "no list of targets", Status: 422, Detail: header.Error()}
	}
	p := &problem{Title: "the file broke off", Status: 400, Kept: showAdded(added)}
	why := "it ends too early"
	switch {
	case timedOut(e.err):
		p.Status, why = 408, "the next line did not come in time"
	case errors.Is(e.err, fasthttp.ErrBodyTooLarge):
		p.Status, why = 413, fmt.Sprintf("it has more than %d bytes", maxFile)
	case e.err == errEnding:
		p.Status, why = 503, e.err.Error()
	case errors.Is(e.err, gzip.ErrHeader) || errors.Is(e.err, gzip.ErrChecksum):
		why = "it is no sound gzip"
	case !errors.Is(e.err, io.ErrUnexpectedEOF):
		why = e.err.Error()
	}
	p.Detail = fmt.Sprintf("after line %d: %s; what came before is kept: send the file again", e.last, why)
	return p
}

func showAdded(added *fleet.Added) *Added {
	out := &Added{
		Accepted: added.Accepted, Repeated: added.Repeated, Refused: added.Refused,
		Problems: make([]Problem, len(added.Problems)),
	}
	for i, p := range added.Problems {
		out.Problems[i] = Problem(p)
	}
	return out
}

// maxScan is how many targets are looked at for one page of those in a state.
const maxScan = 20_000

var targetStates = []storage.TargetState{
	storage.TargetPending, storage.TargetHeld, storage.TargetBegun, storage.TargetDone, storage.TargetFailed,
	storage.TargetRefused, storage.TargetCancelled,
}

// listTargets lists targets by number, with ?state= those in that state. Such a page may be short, or empty, and have a
// next one all the same.
func (a *API) listTargets(r *request) (any, error) {
	limit, err := r.limit()
	if err != nil {
		return nil, err
	}
	after, err := r.number("after", 0, 0, 1<<62)
	if err != nil {
		return nil, err
	}
	state := storage.TargetState(r.QueryArgs().Peek("state"))
	if state != "" && !slices.Contains(targetStates, state) {
		return nil, &fleet.FieldError{Field: "state", Reason: fmt.Sprintf("%.40q is no state of a target", state)}
	}
	if _, err := a.store.Campaign(r.id); err != nil {
		return nil, err
	}
	page := TargetPage{Targets: []Target{}}
	for range maxScan / maxPage {
		found, err := a.store.Targets(r.id, after, maxPage)
		if err != nil {
			return nil, err
		}
		for i := range found {
			after = found[i].Number
			if state != "" && found[i].State != state {
				continue
			}
			page.Targets = append(page.Targets, showTarget(&found[i]))
			if len(page.Targets) == limit {
				page.Next = after
				return page, nil
			}
		}
		if len(found) < maxPage {
			return page, nil
		}
	}
	page.Next = after
	return page, nil
}

func showTarget(t *storage.Target) Target {
	out := Target{
		Number: t.Number, Line: t.Line, MSISDN: t.MSISDN, IMSI: t.IMSI, DevID: t.DevID, Device: t.Device, State: t.State,
		Stage: t.Stage, Since: t.Since, Attempts: t.Attempts, Order: t.Order, Canary: t.Canary, Reason: t.Reason,
	}
	if t.State == storage.TargetPending || t.State == storage.TargetHeld {
		out.NotBefore = instant(t.NotBefore)
	}
	return out
}
