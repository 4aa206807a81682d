package api

import (
	"bytes"
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"dmgate/storage"
)

// getReport is the report of a campaign as CSV, a line for each target. It is written as it is read, page by page.
func (a *API) getReport(r *request) (any, error) {
	c, err := a.store.Campaign(r.id)
	if err != nil {
		return nil, err
	}
	r.Response.Header.Set("Content-Disposition", `attachment; filename="campaign-`+c.ID+`.csv"`)
	r.SetContentType("text/csv; charset=utf-8; header=present")
	r.SetBodyStream(newReport(a.store, c.ID), -1)
	return written, nil
}

var reportHeader = []string{
	"number", "line", "msisdn", "device", "state", "stage", "attempts", "order", "since", "reason",
}

// report is the report of a campaign, as a reader. An error of the store breaks it off, and with it the connection: half
// a report must not look like a whole one.
type report struct {
	store    storage.Store
	campaign string
	after    uint64
	ended    bool
	text     bytes.Buffer // not read yet
	lines    *csv.Writer  // to text
	row      []string
}

func newReport(store storage.Store, campaign string) *report {
	r := &report{store: store, campaign: campaign}
	r.lines = csv.NewWriter(&r.text)
	r.lines.UseCRLF = true
	r.lines.Write(reportHeader) // a buffer takes all
	return r
}

// Read implements io.Reader.
func (r *report) Read(p []byte) (int, error) {
	if r.text.Len() == 0 {
		if err := r.more(); err != nil {
			return 0, err
		}
	}
	return r.text.Read(p)
}

// more puts the next page into text.
func (r *report) more() error {
	if r.ended {
		return io.EOF
	}
	targets, err := r.store.Targets(r.campaign, r.after, maxPage)
	if err != nil {
		return err
	}
	for i := range targets {
		r.after = targets[i].Number
		r.add(&targets[i])
	}
	r.ended = len(targets) < maxPage
	r.lines.Flush()
	return nil
}

func (r *report) add(t *storage.Target) {
	line := ""
	if t.Line > 0 {
		line = strconv.FormatUint(t.Line, 10)
	}
	r.row = append(r.row[:0], strconv.FormatUint(t.Number, 10), line, t.MSISDN, string(t.Device), string(t.State), t.Stage,
		strconv.Itoa(t.Attempts), t.Order, t.Since.UTC().Format(time.RFC3339), t.Reason)
	for i, cell := range r.row {
		r.row[i] = harmless(cell)
	}
	r.lines.Write(r.row)
}

// harmless is a cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe in front. A number
// in international form is left as it is.
func harmless(cell string) string {
	if cell == "" {
		return cell
	}
	switch cell[0] {
	case '+':
		if digits(cell[1:]) {
			return cell
		}
	case '=', '-', '@', '\t', '\r':
	default:
		return cell
	}
	return "'" + cell
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
