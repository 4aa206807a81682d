package fleet

import (
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"dmgate/storage"
)

// entries are models as a file has them.
func entries(models ...*storage.Model) iter.Seq2[ModelEntry, error] {
	return func(yield func(ModelEntry, error) bool) {
		for i, m := range models {
			e := ModelEntry{Number: i + 1, Model: m}
			if m == nil {
				e.Err = &FieldError{"man", "none"}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func TestImportModels(t *testing.T) {
	s := newSchool(t)
	lifeOfMany(s)
	s.learn()
	from := func(origin string, failed int) *storage.Model {
		m := &storage.Model{Man: "Nokia", Mod: "E71", FwV: "0", Created: epoch}
		l := storage.Learnt{Origin: origin, Changed: epoch.Add(time.Duration(failed))}
		for range failed {
			countOutcome(&l, "scomo", "", outcomeFailed, "no memory", epoch)
		}
		m.Learnt = []storage.Learnt{l}
		return m
	}
	other := &storage.Model{Man: "X", Mod: "Y", Learnt: []storage.Learnt{{Origin: "far", Changed: epoch, Seen: 7}}}
	for _, c := range []struct {
		what    string
		models  []*storage.Model
		replace bool
		want    string
		counted string
	}{
		{
			"merged", []*storage.Model{from("far", 10), nil, other}, false, "{1 1 0 1 [{2  man none}] []}",
			"seen 3, scomo 2/1/0/0 no memory*1, userpin 2/0/0, netwpin 1/0/0, scomo 0/10/0/0 no memory*10, 1 nodes 2/0",
		},
		{
			"again", []*storage.Model{from("far", 10), other}, false, "{0 0 2 0 [] []}",
			"seen 3, scomo 2/1/0/0 no memory*1, userpin 2/0/0, netwpin 1/0/0, scomo 0/10/0/0 no memory*10, 1 nodes 2/0",
		},
		{
			"older", []*storage.Model{from("far", 9)}, false, "{0 0 1 0 [] []}",
			"seen 3, scomo 2/1/0/0 no memory*1, userpin 2/0/0, netwpin 1/0/0, scomo 0/10/0/0 no memory*10, 1 nodes 2/0",
		},
		{"replaced", []*storage.Model{from("near", 2)}, true, "{0 1 0 0 [] []}", "seen 0, scomo 0/2/0/0 no memory*2"},
		{"replaced again", []*storage.Model{from("near", 2)}, true, "{0 0 1 0 [] []}", "seen 0, scomo 0/2/0/0 no memory*2"},
	} {
		done, err := s.ImportModels(entries(c.models...), c.replace)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(done); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
		if got := counted(s.Fleet, "Nokia|E71|0"); got != c.counted {
			t.Errorf("%s: %s, want %s", c.what, got, c.counted)
		}
	}
	if got := counted(s.Fleet, "X|Y|"); got != "seen 7" {
		t.Errorf("another model: %s", got)
	}
	// What was read of the feed before is not read again, into a record that was replaced either.
	if _, err := s.modelReader(func(r *storage.ModelReader) { r.Offset = 0 }); err != nil {
		t.Fatal(err)
	}
	s.learn()
	if got := counted(s.Fleet, "Nokia|E71|0"); got != "seen 0, scomo 0/2/0/0 no memory*2" {
		t.Errorf("read again: %s", got)
	}
	if r, err := s.modelReader(nil); err != nil || r.Kept != 5 {
		t.Errorf("%+v: %v", r, err)
	}

	s.opt.Models = 5
	done, err := s.ImportModels(entries(&storage.Model{Man: "X", Mod: "Z"}, other), false)
	if got, want := fmt.Sprint(done), "{0 0 1 1 [{1 X|Z|  there are 5 models, as many as are kept}] []}"; err != nil || got != want {
		t.Errorf("full: %s: %v, want %s", got, err, want)
	}
}

// What came before a file broke off is kept.
func TestImportBreaksOff(t *testing.T) {
	s := newSchool(t)
	broken := errors.New("broken")
	done, err := s.ImportModels(func(yield func(ModelEntry, error) bool) {
		_ = yield(ModelEntry{Number: 1, Model: &storage.Model{Man: "X", Mod: "Y"}}, nil) && yield(ModelEntry{}, broken)
	}, false)
	if !errors.Is(err, broken) || done.Added != 1 || counted(s.Fleet, "X|Y|") != "seen 0" {
		t.Errorf("%+v: %v", done, err)
	}
	if r, err := s.modelReader(nil); err != nil || r.Kept != 1 {
		t.Errorf("%+v: %v", r, err)
	}
}
