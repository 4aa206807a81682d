package modelfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"dmgate/gateway/fleet"
)

// MaxModel bounds one model of a file, in bytes, give or take what is read ahead, and MaxModels how many there are.
const (
	MaxModel  = 4 << 20
	MaxModels = 200_000
)

// FileError is a file that is none of models, or breaks off. Models counts those that came before.
type FileError struct {
	Offset int64 // in bytes from the start of the file: behind what was understood
	Models int
	Msg    string
	err    error // of the reader; nil where the text is at fault
}

func (e *FileError) Error() string {
	return fmt.Sprintf("byte %d, behind %d models: %s", e.Offset, e.Models, e.Msg)
}

func (e *FileError) Unwrap() error { return e.err }

// Read reads a file as it comes, a model at a time. A model that is not sound carries what is wrong with it; a file
// that is none ends with a *FileError.
func Read(r io.Reader) iter.Seq2[fleet.ModelEntry, error] {
	return func(yield func(fleet.ModelEntry, error) bool) {
		f := &file{limit: &limited{r: r}, yield: yield}
		f.json = json.NewDecoder(f.limit)
		if err := f.read(); err != nil && !errors.Is(err, errStopped) {
			yield(fleet.ModelEntry{}, f.broken(err))
		}
	}
}

// file is a file that is being read.
type file struct {
	limit  *limited
	json   *json.Decoder
	yield  func(fleet.ModelEntry, error) bool
	models int
}

// limited is a reader that has a limit between two models.
type limited struct {
	r    io.Reader
	left int
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLong
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

var (
	errTooLong = fmt.Errorf("a model has more than %d bytes", MaxModel)
	errStopped = errors.New("nobody wants more")
)

// wrong is a text that is not what it should be.
type wrong string

func (w wrong) Error() string { return string(w) }

// broken is what an error is to who reads the file.
func (f *file) broken(err error) *FileError {
	e := &FileError{Offset: f.json.InputOffset(), Models: f.models, Msg: strings.TrimPrefix(err.Error(), "json: ")}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Msg, e.err = "the file ends too early", io.ErrUnexpectedEOF
	case !errors.As(err, new(wrong)) && !errors.As(err, new(*json.SyntaxError)) && !errors.Is(err, errTooLong):
		e.err = err
	}
	return e
}

func (f *file) read() error {
	f.limit.left = MaxModel
	if err := f.delim('{', "a JSON object"); err != nil {
		return err
	}
	schema := false
	for f.json.More() {
		key, err := f.json.Token()
		if err != nil {
			return err
		}
		switch key {
		case "schema":
			if err := f.schema(); err != nil {
				return err
			}
			schema = true
		case "models":
			if !schema {
				return wrong(`no "schema" in front of "models"`)
			}
			if err := f.list(); err != nil {
				return err
			}
			return f.end()
		default:
			if err := f.json.Decode(new(json.RawMessage)); err != nil {
				return err
			}
		}
	}
	return wrong(`no list "models"`)
}

func (f *file) delim(want json.Delim, what string) error {
	got, err := f.json.Token()
	if err == nil && got != want {
		return wrong(fmt.Sprintf("%.40q in place of %s", fmt.Sprint(got), what))
	}
	return err
}

func (f *file) schema() error {
	var n json.RawMessage
	if err := f.json.Decode(&n); err != nil {
		return err
	}
	if want := fmt.Sprint(Schema); string(n) != want {
		return wrong(fmt.Sprintf("schema %.40s, this program reads %s", n, want))
	}
	return nil
}

func (f *file) list() error {
	if err := f.delim('[', "a list of models"); err != nil {
		return err
	}
	for f.json.More() {
		if f.models == MaxModels {
			return wrong(fmt.Sprintf("more than %d models", MaxModels))
		}
		var text json.RawMessage
		if err := f.json.Decode(&text); err != nil {
			return err
		}
		f.models++
		f.limit.left = MaxModel
		e := fleet.ModelEntry{Number: f.models}
		if m, bad := parse(text); bad != nil {
			e.Err = bad
		} else {
			e.Model = m.record()
		}
		if !f.yield(e, nil) {
			return errStopped
		}
	}
	return f.delim(']', "the end of the list")
}

// end reads what may stand behind the models.
func (f *file) end() error {
	for f.json.More() {
		if _, err := f.json.Token(); err != nil {
			return err
		}
		if err := f.json.Decode(new(json.RawMessage)); err != nil {
			return err
		}
	}
	if err := f.delim('}', "the end of the file"); err != nil {
		return err
	}
	if _, err := f.json.Token(); err != io.EOF {
		if err == nil {
			return wrong("something stands behind the end")
		}
		return err
	}
	return nil
}

// parse reads one model and says what is wrong with it.
func parse(text []byte) (*Model, *fleet.FieldError) {
	m := &Model{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return nil, &fleet.FieldError{Field: kind.Field, Reason: fmt.Sprintf("%s in place of %s", kind.Value, kind.Type)}
		}
		msg := strings.TrimPrefix(err.Error(), "json: ")
		if name, ok := strings.CutPrefix(msg, "unknown field "); ok {
			return nil, &fleet.FieldError{Field: strings.Trim(name, `"`), Reason: "unknown field"}
		}
		return nil, &fleet.FieldError{Reason: msg}
	}
	if bad := m.check(); bad != nil {
		return nil, bad
	}
	return m, nil
}
