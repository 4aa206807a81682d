package recipe

import "fmt"

// maxCode is the largest code that a table may have.
const maxCode = 9999

// A table says what codes mean: statuses of commands, or results of an operation.
type table struct {
	place
	name    string // empty for one that stands in a recipe
	entries []entry
}

// entry is a range of codes, both ends included, and what they mean.
type entry struct {
	place
	from, to int
	verdict  Verdict
}

// tableRef is a table that a recipe goes by: one of its own, or one by name.
type tableRef struct {
	place
	name string
	*table
}

// lookup is what a code means by the first of several tables that knows it.
func lookup(tables []tableRef, code int) (Verdict, bool) {
	for _, t := range tables {
		for i := range t.entries {
			if e := &t.entries[i]; e.from <= code && code <= e.to {
				return e.verdict, true
			}
		}
	}
	return Verdict{}, false
}

// statusTable is the table of the statuses of commands, after those that a recipe names.
const statusTable = "dm-status"

// said is a verdict with the code in front of its words.
func said(v Verdict, what string, code int) Verdict {
	if v.Reason == "" {
		v.Reason = fmt.Sprintf("%s %d", what, code)
	} else {
		v.Reason = fmt.Sprintf("%s %d: %s", what, code, v.Reason)
	}
	return v
}
