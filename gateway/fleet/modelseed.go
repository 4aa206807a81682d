package fleet

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// seed is what is known of a family of devices before the first of them is met. What is learnt of a model outweighs it.
type seed struct {
	Name  string `yaml:"name"`
	Title string `yaml:"title"`
	// When are globs by the name of a fact, of which one has to match; all facts named have to match. Case is one.
	When      map[string][]string `yaml:"when"`
	Prefer    []string            `yaml:"prefer"` // names of recipes
	Avoid     []avoided           `yaml:"avoid"`
	Bootstrap seedBootstrap       `yaml:"bootstrap"`
	Traps     []int               `yaml:"traps"` // known defects, by their numbers in the list of traps
	Note      string              `yaml:"note"`

	file string
	line int
}

// avoided is a recipe that is known not to do, and why.
type avoided struct {
	Recipe string `yaml:"recipe"`
	Why    string `yaml:"why"`
}

// seedBootstrap is how a family takes bootstraps best.
type seedBootstrap struct {
	Sec string `yaml:"sec"` // "userpin", "netwpin" or "usernetwpin"; empty where nothing is known
	Why string `yaml:"why"`
}

//go:embed seeds/*.yaml
var seedFiles embed.FS

// seeds are those that ship with the product.
var seeds = sync.OnceValue(func() []*seed {
	list, err := readSeeds(seedFiles, nil)
	if err != nil {
		panic(err) // a test reads them
	}
	return list
})

// seedsFor are the seeds of the families that a device with these facts is of.
func seedsFor(facts map[string]string) []*seed {
	if facts["Man"] == "" && facts["Mod"] == "" && facts["DevTyp"] == "" {
		return nil
	}
	var found []*seed
	for _, s := range seeds() {
		if s.matches(facts) {
			found = append(found, s)
		}
	}
	return found
}

func (s *seed) matches(facts map[string]string) bool {
	for name, globs := range s.When {
		value := facts[name]
		if !slices.ContainsFunc(globs, func(glob string) bool { return matchGlob(glob, value) }) {
			return false
		}
	}
	return true
}

// seedError is a fault in a file of seeds.
type seedError struct {
	file string
	line int
	msg  string
}

func (e *seedError) Error() string { return fmt.Sprintf("%s:%d: %s", e.file, e.line, e.msg) }

// readSeeds reads all seeds of files. Its error joins all that is wrong with them. recipe says whether there is a
// recipe of a name; nil takes any.
func readSeeds(files fs.FS, recipe func(name string) bool) ([]*seed, error) {
	names, err := fs.Glob(files, "seeds/*.yaml")
	if err != nil {
		return nil, err
	}
	var all []*seed
	var errs []error
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		list, err := parseSeeds(name, text)
		if err != nil {
			errs = append(errs, err)
		}
		for _, s := range list {
			errs = append(errs, s.check(recipe))
			if i := slices.IndexFunc(all, func(o *seed) bool { return o.Name == s.Name }); i >= 0 {
				errs = append(errs, s.wrong("%q is the name of the family in %s:%d, too", s.Name, all[i].file, all[i].line))
			}
			all = append(all, s)
		}
	}
	return all, errors.Join(errs...)
}

// parseSeeds reads a file: a list of families.
func parseSeeds(name string, text []byte) ([]*seed, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, yamlError(name, err)
	}
	var list []*seed
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&list); err != nil && err != io.EOF {
		return nil, yamlError(name, err)
	}
	for i, s := range list {
		if s == nil {
			return nil, &seedError{name, 1, fmt.Sprintf("family %d is empty", i+1)}
		}
		s.file, s.line = name, lineOf(file, i)
	}
	return list, nil
}

// yamlError is what a YAML reader says, by file and line.
func yamlError(name string, err error) error {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		return &seedError{name, at.GetToken().Position.Line, at.GetMessage()}
	}
	return &seedError{name, 1, err.Error()}
}

// lineOf is the line on which element i of the list in a file begins.
func lineOf(file *ast.File, i int) int {
	p, err := yaml.PathString(fmt.Sprintf("$[%d]", i))
	if err != nil {
		return 1
	}
	node, err := p.FilterFile(file)
	if err != nil {
		return 1
	}
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken().Position.Line
	}
	return node.GetToken().Position.Line
}

func (s *seed) wrong(format string, args ...any) error {
	return &seedError{s.file, s.line, fmt.Sprintf(format, args...)}
}

var seedName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,63}$`)

// lastTrap is the number of the last trap in the list.
const lastTrap = 35

// check says what is wrong with a seed.
func (s *seed) check(recipe func(string) bool) error {
	var errs []error
	if !seedName.MatchString(s.Name) {
		errs = append(errs, s.wrong("name %q is not 1 to 64 of a-z, 0-9, - and .", s.Name))
	}
	if s.Title == "" {
		errs = append(errs, s.wrong("%s has no title", s.Name))
	}
	if len(s.When) == 0 {
		errs = append(errs, s.wrong("%s has no facts under when: it would be all devices", s.Name))
	}
	for fact, globs := range s.When {
		if !slices.Contains(modelFacts, fact) {
			errs = append(errs, s.wrong("%s: when: %s is no fact of a model", s.Name, fact))
		}
		for _, glob := range globs {
			if _, err := path.Match(glob, ""); err != nil || glob == "" {
				errs = append(errs, s.wrong("%s: when: %s: %q is no glob", s.Name, fact, glob))
			}
		}
	}
	for _, trap := range s.Traps {
		if trap < 1 || trap > lastTrap {
			errs = append(errs, s.wrong("%s: traps: %d is not 1 to %d", s.Name, trap, lastTrap))
		}
	}
	if sec := s.Bootstrap.Sec; sec != "" && !slices.Contains(openSecs, sec) {
		errs = append(errs, s.wrong("%s: bootstrap: sec %q is not %s", s.Name, sec, strings.Join(openSecs, ", ")))
	}
	names := slices.Clone(s.Prefer)
	for _, a := range s.Avoid {
		if names = append(names, a.Recipe); a.Why == "" {
			errs = append(errs, s.wrong("%s: avoid: %s: no why", s.Name, a.Recipe))
		}
		if slices.Contains(s.Prefer, a.Recipe) {
			errs = append(errs, s.wrong("%s: %s is preferred and avoided", s.Name, a.Recipe))
		}
	}
	for _, name := range names {
		if recipe != nil && !recipe(name) {
			errs = append(errs, s.wrong("%s: there is no recipe %q", s.Name, name))
		}
	}
	return errors.Join(errs...)
}
