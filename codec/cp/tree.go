package cp

// A document as it stands on the wire, and what readers of its parms share.

import "slices"

// Tree is a document as it stands on the wire.
type Tree struct {
	Version string // of the document type; empty for "1.0"
	Roots   []Characteristic
}

// Characteristic is a named group of parms.
//
// A parm behind a child, as INIT often is, goes to Tail. Order among the parms before, among the children and among
// the parms after is kept; parms between two children move behind the last.
type Characteristic struct {
	Type     string // "NAPDEF"
	Parms    []Parm
	Children []Characteristic
	Tail     []Parm // parms that stand after the children; nil where there are no children
}

// Parm is one setting. INIT and INTERNET are flags: they say all by being there and have no value.
type Parm struct {
	Name, Value string
	HasValue    bool
}

// Value is a parm that has a value.
func Value(name, value string) Parm { return Parm{Name: name, Value: value, HasValue: true} }

// Flag is a parm without a value.
func Flag(name string) Parm { return Parm{Name: name} }

// Get is the value of the first parm called name that has one.
func (c *Characteristic) Get(name string) (value string, ok bool) {
	for _, ps := range [][]Parm{c.Parms, c.Tail} {
		for _, p := range ps {
			if p.Name == name && p.HasValue {
				return p.Value, true
			}
		}
	}
	return "", false
}

const defaultVersion = "1.0"

const (
	maxDepth = 8         // elements, the document among them; the deepest of the standard is 5
	maxText  = 256 << 10 // bytes of names and values of one document: a string table can be referred to without end
)

// parms is a copy of all parms of c, for a reader to take apart.
func (c *Characteristic) parms() []Parm { return slices.Concat(c.Parms, c.Tail) }

// take removes the first parm called name whose value is not empty, and returns its value. Repeated and empty ones
// stay: the reader keeps what it can not express.
func take(ps *[]Parm, name string) string {
	for i, p := range *ps {
		if p.Name == name && p.Value != "" {
			*ps = slices.Delete(*ps, i, i+1)
			return p.Value
		}
	}
	return ""
}

// takeFlag removes the first parm called name that has no value, and says whether there was one.
func takeFlag(ps *[]Parm, name string) bool {
	i := slices.Index(*ps, Flag(name))
	if i >= 0 {
		*ps = slices.Delete(*ps, i, i+1)
	}
	return i >= 0
}

// takeDefault removes the parm that the writer puts in of itself, unless another of that name changes its meaning.
func takeDefault(ps *[]Parm, p Parm) {
	named := func(q Parm) bool { return q.Name == p.Name }
	i := slices.IndexFunc(*ps, named)
	if i >= 0 && (*ps)[i] == p && !slices.ContainsFunc((*ps)[i+1:], named) {
		*ps = slices.Delete(*ps, i, i+1)
	}
}

// appendValue appends a parm unless value is empty.
func appendValue(ps []Parm, name, value string) []Parm {
	if value == "" {
		return ps
	}
	return append(ps, Value(name, value))
}

// rest is ps, or nil where it is empty, so that what is read compares equal to what was written.
func rest(ps []Parm) []Parm {
	if len(ps) == 0 {
		return nil
	}
	return ps
}
