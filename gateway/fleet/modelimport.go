package fleet

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"dmgate/storage"
)

// ModelEntry is one model of a file.
type ModelEntry struct {
	Number int            // from 1
	Model  *storage.Model // nil where Err is set
	Err    *FieldError    // what is wrong with it; it does not sink the rest
}

// ImportedModels is what has become of a file of models.
type ImportedModels struct {
	Added     int // were not known
	Changed   int // were known, and have changed
	Same      int // have said nothing new
	Refused   int
	Problems  []ModelProblem // the first maxModelProblems of those refused
	Conflicts []ModelProblem // the first maxModelProblems places where two do not agree
}

// ModelProblem is an entry that was refused, or that contradicts what is known.
type ModelProblem struct {
	Entry  int
	Model  string // its key, where it has one
	Field  string
	Reason string
}

const maxModelProblems = 1000

// ImportModels takes in models, one after the other, each by itself: what came before an error is kept. They are merged
// with what is known (see mergeModels) or, where replace is set, take its place. An error of entries is passed on.
func (f *Fleet) ImportModels(entries iter.Seq2[ModelEntry, error], replace bool) (done ImportedModels, err error) {
	r, err := f.modelReader(nil)
	if err != nil {
		return done, err
	}
	if r.Origin == "" {
		if r, err = f.modelReader(func(*storage.ModelReader) {}); err != nil {
			return done, err
		}
	}
	defer func() {
		if done.Added > 0 {
			_, failed := f.modelReader(func(r *storage.ModelReader) { r.Kept += done.Added })
			err = errors.Join(err, failed)
		}
	}()
	for e, err := range entries {
		if err != nil {
			return done, err
		}
		if e.Err == nil && r.Kept+done.Added >= f.opt.Models {
			if known, err := f.readModel(e.Model.Key()); err != nil {
				return done, err
			} else if known == nil {
				e.Err = &FieldError{"", fmt.Sprintf("there are %d models, as many as are kept", r.Kept+done.Added)}
			}
		}
		if e.Err != nil {
			done.refuse(&e)
			continue
		}
		if err := f.importModel(&e, r.Origin, replace, &done); err != nil {
			return done, err
		}
	}
	return done, nil
}

func (d *ImportedModels) refuse(e *ModelEntry) {
	d.Refused++
	if len(d.Problems) == maxModelProblems {
		return
	}
	p := ModelProblem{Entry: e.Number, Field: e.Err.Field, Reason: e.Err.Reason}
	if e.Model != nil {
		p.Model = e.Model.Key()
	}
	d.Problems = append(d.Problems, p)
}

// importModel takes in one model.
func (f *Fleet) importModel(e *ModelEntry, own string, replace bool, done *ImportedModels) error {
	key := e.Model.Key()
	var conflicts []string
	var isNew bool
	err := f.store.EditDocument(storage.ModelPrefix+key, func(old []byte) ([]byte, error) {
		known := &storage.Model{}
		if isNew = old == nil; !isNew {
			if err := storage.ReadRecord(old, known); err != nil && !replace { // what is damaged can be replaced
				return nil, err
			}
		}
		before := canonical(known)
		m := *e.Model
		m.Offset = known.Offset
		conflicts = nil
		switch {
		case isNew || replace:
			m.Learnt = slices.Clone(m.Learnt)
			boundOrigins(&m, own)
		default:
			if !sameName(known, &m) {
				conflicts = append(conflicts, "its name differs behind what the key holds: that of before is kept")
			}
			conflicts = append(conflicts, mergeModels(known, &m, own)...)
			m = *known
		}
		if !isNew && slices.Equal(before, canonical(&m)) {
			return nil, errKnown
		}
		return storage.AppendRecord(nil, &m)
	})
	if err != nil && !errors.Is(err, errKnown) {
		return fmt.Errorf("model %s: %w", key, err)
	}
	switch {
	case err != nil:
		done.Same++
	case isNew:
		done.Added++
	default:
		done.Changed++
	}
	f.models.forget(key)
	for _, why := range conflicts {
		if len(done.Conflicts) < maxModelProblems {
			done.Conflicts = append(done.Conflicts, ModelProblem{Entry: e.Number, Model: key, Reason: why})
		}
	}
	return nil
}

func sameName(a, b *storage.Model) bool {
	return a.Man == b.Man && a.Mod == b.Mod && a.FwV == b.FwV && a.TAC == b.TAC
}

// ResetModel forgets what was counted of a recipe on a model, or with an empty one all that was learnt of it but its
// name: what was barred is tried again. ErrNotFound where there is no such model. An import may bring back what other
// gateways have counted.
func (f *Fleet) ResetModel(key, recipe string) error {
	r, err := f.modelReader(func(*storage.ModelReader) {})
	if err != nil {
		return err
	}
	now := f.opt.Clock()
	err = f.store.EditDocument(storage.ModelPrefix+key, func(old []byte) ([]byte, error) {
		if old == nil {
			return nil, storage.ErrNotFound
		}
		m := &storage.Model{}
		if err := storage.ReadRecord(old, m); err != nil {
			return nil, err
		}
		was := learntBy(m, r.Origin).Changed
		if recipe == "" {
			m.Reference, m.Models = storage.ModelReference{}, nil
			m.Learnt = []storage.Learnt{{Origin: r.Origin}}
		}
		for i := range m.Learnt {
			l := &m.Learnt[i]
			l.Outcomes = slices.DeleteFunc(l.Outcomes, func(o storage.RecipeOutcome) bool { return o.Recipe == recipe })
		}
		learntBy(m, r.Origin).Changed = later(was, now)
		m.Changed = later(m.Changed, now)
		return storage.AppendRecord(nil, m)
	})
	f.models.forget(key)
	return err
}
