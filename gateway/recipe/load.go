package recipe

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

//go:embed rules/*.yaml
var embedded embed.FS

// source is the text of a rules file.
type source struct {
	name string
	text []byte
}

// builtin are the rules of the product.
var builtin = sync.OnceValue(func() []source {
	sources, err := filesIn(embedded, "rules", "embedded:")
	if err != nil {
		panic(err) // they are in the program
	}
	return sources
})

// Load reads the embedded rules and those of a folder over them; an empty folder name stands for none. Its error joins
// all that is wrong with them, each an *Error with file, line and column.
func Load(folder string) (*Set, error) {
	var own []source
	if folder != "" {
		var err error
		if own, err = sources(folder); err != nil {
			return nil, err
		}
	}
	set, faults := compile(builtin(), own)
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return set, nil
}

// Check says what is wrong with a file or a folder of rules, over the embedded ones; an empty path checks these. Each
// error is an *Error, but for a file that can not be read.
func Check(path string) []error {
	var own []source
	if path != "" {
		var err error
		if own, err = sources(path); err != nil {
			return []error{err}
		}
	}
	_, faults := compile(builtin(), own)
	return faults
}

// sources are the rules files in a folder, by name, or the one that path is.
func sources(path string) ([]source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return filesIn(os.DirFS(path), ".", path+string(filepath.Separator))
	}
	text, err := os.ReadFile(path)
	return []source{{path, text}}, err
}

func filesIn(from fs.FS, folder, prefix string) ([]source, error) {
	entries, err := fs.ReadDir(from, folder)
	if err != nil {
		return nil, err
	}
	var all []source
	for _, e := range entries {
		if name := e.Name(); !e.IsDir() && (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")) {
			text, err := fs.ReadFile(from, strings.TrimPrefix(folder+"/"+name, "./"))
			if err != nil {
				return nil, err
			}
			all = append(all, source{prefix + name, text})
		}
	}
	return all, nil
}

// compile makes a set of the rules of the product and those of the operator. There are recipes in it also where
// something is wrong with them.
func compile(product, own []source) (*Set, []error) {
	var f faults
	set := &Set{byName: make(map[string]*Recipe)}
	tables := make(map[string]*table)
	digest := sha256.New()
	for _, layer := range [][]source{product, own} {
		set.layer(layer, tables, digest, &f)
	}
	for _, r := range set.byName {
		r.resolve(tables, &f)
		set.recipes = append(set.recipes, r)
	}
	slices.SortFunc(set.recipes, func(a, b *Recipe) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Name, b.Name))
	})
	set.version = hex.EncodeToString(digest.Sum(nil)[:8])
	slices.SortStableFunc(f.all, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	errs := make([]error, len(f.all))
	for i, e := range f.all {
		errs[i] = e
	}
	return set, errs
}

// layer adds the rules of some files. They go over those that are there already; among themselves no name may be there
// twice.
func (s *Set) layer(files []source, tables map[string]*table, digest hash.Hash, f *faults) {
	recipes, codes := make(map[string]place), make(map[string]place)
	twice := func(seen map[string]place, what, name string, at place) {
		if first, ok := seen[name]; ok {
			f.add(at, "%s %s is there already, in %s:%d", what, name, first.file, first.line)
			return
		}
		seen[name] = at
	}
	for _, file := range files {
		fmt.Fprintf(digest, "%d:", len(file.text))
		digest.Write(file.text)
		got := readRules(file.name, file.text, f)
		for _, t := range got.tables {
			twice(codes, "table", t.name, t.place)
			tables[t.name] = t
		}
		for _, o := range got.off {
			twice(recipes, "recipe", o.name, o.place)
			if s.byName[o.name] == nil {
				f.add(o.place, "recipe %s is off: there is none", o.name)
			}
			delete(s.byName, o.name)
		}
		for _, r := range got.recipes {
			twice(recipes, "recipe", r.Name, r.place)
			s.byName[r.Name] = r
		}
	}
}

// resolve finds the tables that r names, and checks that it holds together.
func (r *Recipe) resolve(tables map[string]*table, f *faults) {
	for i := range r.stages {
		for _, refs := range [][]tableRef{r.stages[i].status, r.stages[i].result} {
			for k := range refs {
				if refs[k].table != nil {
					continue
				}
				if refs[k].table = tables[refs[k].name]; refs[k].table == nil {
					f.add(refs[k].place, "there is no table %s", quoted(refs[k].name))
					refs[k].table = &table{}
				}
			}
		}
	}
	r.check(f)
}
