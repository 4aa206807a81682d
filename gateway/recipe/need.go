package recipe

import (
	"path"
	"strings"
	"time"
)

// A need is a node that has to be there, or, with absent, may not. The patterns of at are tried in their order. A
// need with where or is looks at values; one that depends on the order is settled by Locate, when there is one.
type need struct {
	place
	name     string
	at       []pattern
	types    []string // globs of the Type property; empty for any
	is       []template
	where    []test // of leaves of the node
	absent   bool
	optional bool
}

// test is a leaf of a node and the values that it may have.
type test struct {
	leaf string
	is   []template
}

// needsValues says whether n depends on the order by itself.
func (n *need) needsValues() bool {
	for i := range n.at {
		if n.at[i].needsValues() {
			return true
		}
	}
	for i := range n.where {
		for k := range n.where[i].is {
			if n.where[i].is[k].has(value) {
				return true
			}
		}
	}
	for i := range n.is {
		if n.is[i].has(value) {
			return true
		}
	}
	return false
}

// condition is a row of facts that all have to hold.
type condition []fact

// fact is a fact by name and the globs of what it may be, in lower case.
type fact struct {
	name string
	is   []string
}

// holds says whether c holds; known is false where a fact is not known that could decide it.
func (c condition) holds(facts map[string]string) (holds, known bool, missing string) {
	for i := range c {
		got, ok := facts[c[i].name]
		switch {
		case !ok && missing == "":
			missing = c[i].name
		case ok && !matchAny(c[i].is, got):
			return false, true, ""
		}
	}
	return missing == "", missing == "", missing
}

// matchAny says whether s matches one of the globs, whatever the case.
func matchAny(globs []string, s string) bool {
	if len(globs) == 0 {
		return true
	}
	s = strings.ToLower(s)
	for _, g := range globs {
		if globs := strings.TrimSuffix(g, "*"); len(globs) < len(g) && !strings.ContainsAny(globs, `*?[\`) {
			if strings.HasPrefix(s, globs) {
				return true
			}
			continue
		}
		if g == s {
			return true
		}
		// A slash is a character like others here.
		if ok, _ := path.Match(strings.ReplaceAll(g, "/", "\x00"), strings.ReplaceAll(s, "/", "\x00")); ok {
			return true
		}
	}
	return false
}

// stage is a part of a recipe that is carried out as one task, with one result.
type stage struct {
	place
	send   []sending
	status []tableRef // of the commands that do it; the first that knows a code decides
	result []tableRef // of the result that comes late
	within time.Duration
	poll   *poll
}

// sending is a command with its templates.
type sending struct {
	place
	kind     string
	uri      template
	source   template // of Copy
	data     template
	hasData  bool
	xml      bool // data is XML: values are escaped
	payload  bool // data is the payload
	format   string
	typ      template
	probe    template
	idle     []string
	code     template // of Alert
	items    []template
	when     string // a value without which the command is left out
	whenAt   place
	optional bool // that it is refused does not matter
}

// acts says whether the command is one that does what the recipe is for, and not one that prepares it.
func (s *sending) acts() bool { return s.kind == "Exec" || s.kind == "Alert" }

// poll is how the result of a stage is asked for.
type poll struct {
	place
	get                   template
	pending, done, failed []reading
	gone                  State // what it means that the node is absent
	every                 time.Duration
	most                  int
}

// reading is a value of a leaf and what it means.
type reading struct {
	is, says string
}
