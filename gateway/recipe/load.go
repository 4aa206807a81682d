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

// file is a rules file that was read: what it says, and what is wrong with it by itself.
type file struct {
	text []byte
	*rules
	faults []*Error
}

func newFile(name string, text []byte) file {
	var f faults
	return file{text, readRules(name, text, &f), f.all}
}

// builtin are the rules of the product.
var builtin = sync.OnceValue(func() []file {
	files, err := filesIn(embedded, "rules", "embedded:")
	if err != nil {
		panic(err) // they are in the program
	}
	return files
})

// Load reads the embedded rules and those of a folder over them; an empty folder name stands for none. Its error joins
// all that is wrong with them, each an *Error with file, line and column.
func Load(folder string) (*Set, error) {
	var own []file
	if folder != "" {
		var err error
		if own, err = files(folder); err != nil {
			return nil, err
		}
	}
	return loaded(own)
}

// Parse reads the embedded rules and one file over them, which is called by a name in errors. They are as those of
// Load.
func Parse(name string, text []byte) (*Set, error) { return loaded([]file{newFile(name, text)}) }

func loaded(own []file) (*Set, error) {
	set, faults := compile(builtin(), own)
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return set, nil
}

// Check says what is wrong with a file or a folder of rules, over the embedded ones; an empty path checks these. Each
// error is an *Error, but for a file that can not be read.
func Check(path string) []error {
	var own []file
	if path != "" {
		var err error
		if own, err = files(path); err != nil {
			return []error{err}
		}
	}
	_, faults := compile(builtin(), own)
	return faults
}

// files are the rules files in a folder, by name, or the one that path is.
func files(path string) ([]file, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return filesIn(os.DirFS(path), ".", path+string(filepath.Separator))
	}
	text, err := os.ReadFile(path)
	return []file{newFile(path, text)}, err
}

func filesIn(from fs.FS, folder, prefix string) ([]file, error) {
	entries, err := fs.ReadDir(from, folder)
	if err != nil {
		return nil, err
	}
	var all []file
	for _, e := range entries {
		if name := e.Name(); !e.IsDir() && (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")) {
			text, err := fs.ReadFile(from, strings.TrimPrefix(folder+"/"+name, "./"))
			if err != nil {
				return nil, err
			}
			all = append(all, newFile(prefix+name, text))
		}
	}
	return all, nil
}

// compile makes a set of the rules of the product and those of the operator. There are recipes in it also where
// something is wrong with them.
func compile(product, own []file) (*Set, []error) {
	var f faults
	set := &Set{byName: make(map[string]*Recipe)}
	tables := make(map[string]*table)
	digest := sha256.New()
	for _, layer := range [][]file{product, own} {
		set.layer(layer, tables, digest, &f)
	}
	for _, r := range set.byName {
		r = r.resolved(tables, &f)
		set.byName[r.Name] = r
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
func (s *Set) layer(files []file, tables map[string]*table, digest hash.Hash, f *faults) {
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
		f.all = append(f.all, file.faults...)
		for _, t := range file.tables {
			twice(codes, "table", t.name, t.place)
			tables[t.name] = t
		}
		for _, o := range file.off {
			twice(recipes, "recipe", o.name, o.place)
			if s.byName[o.name] == nil {
				f.add(o.place, "recipe %s is off: there is none", o.name)
			}
			delete(s.byName, o.name)
		}
		for _, r := range file.recipes {
			twice(recipes, "recipe", r.Name, r.place)
			s.byName[r.Name] = r
		}
	}
}

// resolved is r with the tables that it names. That it holds together is checked.
func (r *Recipe) resolved(tables map[string]*table, f *faults) *Recipe {
	out := *r
	out.stages = slices.Clone(r.stages)
	find := func(refs []tableRef) []tableRef {
		refs = slices.Clone(refs)
		for i := range refs {
			if refs[i].table != nil {
				continue
			}
			if refs[i].table = tables[refs[i].name]; refs[i].table == nil {
				f.add(refs[i].place, "there is no table %s", quoted(refs[i].name))
				refs[i].table = &table{}
			}
		}
		return refs
	}
	for i := range out.stages {
		st := &out.stages[i]
		st.status, st.result = find(st.status), find(st.result)
	}
	out.check(f)
	return &out
}
