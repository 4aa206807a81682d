package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/valyala/fasthttp"

	"dmgate/gateway/fleet"
	"dmgate/gateway/modelfile"
	"dmgate/storage"
)

const importPath = "/v1/models/import"

// Model is a model in a list: what it is, and how its recipes do.
type Model struct {
	Key      string    `json:"key"`
	Man      string    `json:"man,omitempty"`
	Mod      string    `json:"mod,omitempty"`
	FwV      string    `json:"fw_v,omitempty"`
	TAC      string    `json:"tac,omitempty"`
	Seen     int       `json:"seen"` // devices
	Changed  time.Time `json:"changed"`
	Sec      string    `json:"sec,omitempty"` // of a TAC: how a bootstrap is signed where the order leaves it open
	Recipes  []Recipe  `json:"recipes,omitempty"`
	Families []Family  `json:"families,omitempty"`
}

// Recipe is what is known of a recipe on a model.
type Recipe struct {
	Recipe  string `json:"recipe"`
	Worked  int    `json:"worked"`
	Failed  int    `json:"failed"`
	Refused int    `json:"refused,omitempty"`
	Ours    int    `json:"ours,omitempty"`
	Barred  string `json:"barred,omitempty"` // why it is not tried any more
	Rank    int    `json:"rank"`             // the lowest goes first
	Hint    string `json:"hint,omitempty"`
}

// Family is a family of devices that the model is of.
type Family struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Traps []int  `json:"traps,omitempty"`
	Note  string `json:"note,omitempty"`
}

// ModelPage is a page of models.
type ModelPage struct {
	Models []Model `json:"models"`
	Next   string  `json:"next,omitempty"` // the ?after of the next page
}

// ModelDetail is a model whole.
type ModelDetail struct {
	Model
	Origin string          `json:"origin"` // under which this gateway has counted in Record
	Record modelfile.Model `json:"record"`
}

// ResetModel is what is to be forgotten of a model.
type ResetModel struct {
	Recipe string `json:"recipe"` // its outcomes; empty for all that was learnt
}

// ImportedModels is what has become of a file of models.
type ImportedModels struct {
	Added     int            `json:"added"`
	Changed   int            `json:"changed"`
	Same      int            `json:"same"`
	Refused   int            `json:"refused"`
	Problems  []ModelProblem `json:"problems,omitempty"`  // the first 1000 of those refused
	Conflicts []ModelProblem `json:"conflicts,omitempty"` // the first 1000
}

// ModelProblem is a model of a file that was refused, or that contradicts what was known.
type ModelProblem struct {
	Entry  int    `json:"entry"` // from 1
	Model  string `json:"model,omitempty"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
}

func (a *API) listModels(r *request) (any, error) {
	limit, err := r.limit()
	if err != nil {
		return nil, err
	}
	found, next, err := a.fleet.Models(string(r.QueryArgs().Peek("man")), string(r.QueryArgs().Peek("after")), limit)
	if err != nil {
		return nil, err
	}
	page := ModelPage{Models: make([]Model, len(found)), Next: next}
	for i, v := range found {
		page.Models[i] = showModel(v)
	}
	return page, nil
}

func (a *API) getModel(r *request) (any, error) {
	v, err := a.fleet.Model(r.id)
	if err != nil {
		return nil, err
	}
	return ModelDetail{Model: showModel(v), Origin: v.Origin, Record: modelfile.Show(v.Model)}, nil
}

func (a *API) resetModel(r *request) (any, error) {
	var in ResetModel
	if len(r.PostBody()) > 0 {
		if err := r.read(&in); err != nil {
			return nil, err
		}
	}
	if err := a.fleet.ResetModel(r.id, in.Recipe); err != nil {
		return nil, err
	}
	return a.getModel(r)
}

func (a *API) deleteModel(r *request) (any, error) {
	if err := a.fleet.ForgetModel(r.id); err != nil {
		return nil, err
	}
	return struct{}{}, nil
}

func showModel(v *fleet.ModelView) Model {
	m := v.Model
	out := Model{
		Key: v.Key, Man: m.Man, Mod: m.Mod, FwV: m.FwV, TAC: m.TAC, Seen: v.Seen, Changed: m.Changed, Sec: v.Sec,
	}
	for _, s := range v.Recipes {
		out.Recipes = append(out.Recipes, Recipe(s))
	}
	for _, s := range v.Families {
		out.Families = append(out.Families, Family(s))
	}
	return out
}

// exportModels is a file of all models, written as it is read, page by page.
func (a *API) exportModels(r *request) (any, error) {
	r.Response.Header.Set("Content-Disposition", `attachment; filename="models.json"`)
	r.SetContentType("application/json")
	r.SetBodyStream(&modelExport{store: a.store, at: time.Now()}, -1)
	return written, nil
}

// modelExport is a file of models, as a reader. An error of the store breaks it off, and with it the connection: half a
// file must not look like a whole one.
type modelExport struct {
	store storage.Store
	at    time.Time
	after string
	begun bool
	some  bool // a model is in it
	ended bool
	text  bytes.Buffer // not read yet
}

// exportPage is how many models are read at a time: they may be large.
const exportPage = 50

// Read implements io.Reader.
func (e *modelExport) Read(p []byte) (int, error) {
	for e.text.Len() == 0 {
		if e.ended {
			return 0, io.EOF
		}
		if err := e.more(); err != nil {
			return 0, err
		}
	}
	return e.text.Read(p)
}

func (e *modelExport) more() error {
	text := e.text.AvailableBuffer()
	if !e.begun {
		e.begun = true
		text = modelfile.AppendHeader(text, e.at)
	}
	page, err := e.store.Documents(storage.ModelPrefix, e.after, exportPage)
	if err != nil {
		return err
	}
	for i := range page {
		e.after = page[i].Name
		m := &storage.Model{}
		if err := storage.ReadRecord(page[i].Value, m); err != nil {
			return fmt.Errorf("%s: %w", page[i].Name, err)
		}
		if text, err = modelfile.AppendModel(text, m, !e.some); err != nil {
			return fmt.Errorf("%s: %w", page[i].Name, err)
		}
		e.some = true
	}
	if len(page) < exportPage {
		e.ended = true
		text = append(text, modelfile.Footer...)
	}
	e.text.Write(text)
	return nil
}

// importModels takes a file of models as it comes, and merges it with what is known or, with ?mode=replace, puts its
// models in the place of what is known of them.
func (a *API) importModels(r *request) (any, error) {
	given := string(r.Request.Header.ContentType())
	if kind, _, err := mime.ParseMediaType(given); err != nil || kind != "application/json" {
		return nil, &problem{
			Title: "unsupported media type", Status: 415, Detail: fmt.Sprintf("%.80q, want application/json", given),
		}
	}
	mode := string(r.QueryArgs().Peek("mode"))
	if mode != "" && mode != "merge" && mode != "replace" {
		return nil, &fleet.FieldError{Field: "mode", Reason: fmt.Sprintf("%.40q is not merge or replace", mode)}
	}
	body := newBody(r.RequestCtx)
	body.within = a.lineWithin
	body.await()
	text, err := r.unpacked(body)
	if err != nil {
		return nil, err
	}
	done, err := a.fleet.ImportModels(a.uploadModels(body, modelfile.Read(&bounded{text, maxFile})), mode == "replace")
	var broken *modelfile.FileError
	if errors.As(err, &broken) {
		return nil, brokenModels(broken, &done)
	}
	if err != nil {
		return nil, err
	}
	return showImported(&done), nil
}

// uploadModels passes models on as long as they come and the gateway is not to end.
func (a *API) uploadModels(b *body, entries iter.Seq2[fleet.ModelEntry, error]) iter.Seq2[fleet.ModelEntry, error] {
	return func(yield func(fleet.ModelEntry, error) bool) {
		for e, err := range entries {
			select {
			case <-a.done:
				yield(fleet.ModelEntry{}, &problem{Title: "unavailable", Status: 503, Detail: errEnding.Error()})
				return
			default:
			}
			if !yield(e, err) || err != nil {
				return
			}
			b.await()
		}
	}
}

// brokenModels says what has come of the models in front of where a file broke off.
func brokenModels(e *modelfile.FileError, done *fleet.ImportedModels) *problem {
	p := &problem{Title: "no file of models", Status: 422, Detail: e.Error()}
	if e.Models > 0 {
		p.Models = showImported(done)
		p.Detail += "; what came before is kept: send the file again"
	}
	switch {
	case timedOut(e):
		p.Status, p.Title = 408, "the file broke off"
	case errors.Is(e, fasthttp.ErrBodyTooLarge):
		p.Status, p.Title = 413, "the file is too large"
	case errors.Is(e, io.ErrUnexpectedEOF), errors.Is(e, gzip.ErrHeader), errors.Is(e, gzip.ErrChecksum):
		p.Status, p.Title = 400, "the file broke off"
	}
	return p
}

func showImported(d *fleet.ImportedModels) *ImportedModels {
	out := &ImportedModels{Added: d.Added, Changed: d.Changed, Same: d.Same, Refused: d.Refused}
	for _, p := range d.Problems {
		out.Problems = append(out.Problems, ModelProblem(p))
	}
	for _, p := range d.Conflicts {
		out.Conflicts = append(out.Conflicts, ModelProblem(p))
	}
	return out
}
