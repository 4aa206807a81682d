package recipe

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"dmgate/storage"
)

// Possible says whether a device can do something.
type Possible string

// Answers to whether a device can do something.
const (
	Yes     Possible = "yes"
	No      Possible = "no"
	Unknown Possible = "unknown" // its tree could not be seen well enough, or not yet
)

// Capability is something that a device can do or not, and how.
type Capability struct {
	Name     string
	Possible Possible
	Ways     []Way   // in the order in which they are to be tried; perhaps also where Possible is Unknown
	Not      []Unfit // recipes that do it on other devices
	Why      string  // in words: by which recipe, or why not
}

// Unfit is a recipe that can not be used on a device.
type Unfit struct {
	Recipe   *Recipe
	Possible Possible  // No, or Unknown where not all was seen that it needs
	Why      string    // the first thing it misses
	Evidence *Evidence // that it misses it; nil where nothing was asked
}

// Confidence says how well it is known that a way can be gone.
type Confidence string

// Levels of confidence.
const (
	Seen    Confidence = "seen"    // the device has shown all that it needs
	Likely  Confidence = "likely"  // some of it is trusted by its name only
	Assumed Confidence = "assumed" // nothing in the tree speaks for it or against it
)

// Evidence is a result of a session that speaks for something.
type Evidence struct {
	URI     string // of the Get
	Code    int
	Session string
	Task    uint64
	MsgID   uint32
	Time    time.Time
	Says    string // what it shows, in words
}

// Learned is what other devices of the same model have taught.
type Learned interface {
	// Barred says whether a recipe is not to be used on this model, and why.
	Barred(recipe string) (reason string, barred bool)
	// Rank goes before the rank of the recipe: the lowest goes first. It is 0 for a recipe of which nothing is known,
	// negative for one that has worked, positive for one that has failed.
	Rank(recipe string) int
}

// Compile says of each capability, in the order of Names, whether the device has it, and all ways in their order.
// Nothing may be learnt yet: l is nil then.
func (s *Set) Compile(k *Known, l Learned) []Capability {
	all := make([]Capability, len(Names))
	for i, name := range Names {
		all[i] = Capability{Name: name, Possible: No}
	}
	sv := solver{known: k, most: maxInstances, buf: make([]byte, 0, 256), explain: true}
	for _, r := range s.recipes {
		way, unfit := sv.try(r, l)
		for _, name := range r.Does {
			c := &all[slices.Index(Names, name)]
			if way != nil {
				c.Ways = append(c.Ways, *way)
			} else {
				c.Not = append(c.Not, *unfit)
			}
		}
	}
	for i := range all {
		all[i].conclude(l)
	}
	return all
}

// try says how r is done on the device, or why not.
func (s *solver) try(r *Recipe, l Learned) (*Way, *Unfit) {
	if l != nil {
		if reason, barred := l.Barred(r.Name); barred {
			return nil, &Unfit{Recipe: r, Possible: No, Why: reason}
		}
	}
	out, missing := r.ruledOut(s.known.facts)
	switch {
	case out:
		return nil, &Unfit{Recipe: r, Possible: No, Why: "it is for other devices: " + r.mismatch(s.known.facts)}
	case missing != "":
		return nil, &Unfit{Recipe: r, Possible: Unknown, Why: "the device has not told its " + missing}
	}
	s.of(r)
	if !s.solve(0) {
		return nil, s.unfit(r)
	}
	return s.way(r), nil
}

// unfit is why no nodes were found that meet the needs of r.
func (s *solver) unfit(r *Recipe) *Unfit {
	u := &Unfit{Recipe: r, Possible: No, Why: s.miss.uri + " " + s.miss.says}
	if s.unknown {
		u.Possible = Unknown
	}
	if s.miss.node != nil {
		e := evidence(s.miss.node, u.Why)
		u.Evidence = &e
	}
	return u
}

// way is r with what was found.
func (s *solver) way(r *Recipe) *Way {
	w := &Way{
		Recipe: r, Names: make(map[string]string, len(s.names)), Takes: r.takesOn(s.known.facts), Confidence: Seen,
	}
	for name, uri := range s.names {
		if uri != "" {
			w.Names[name] = uri
		}
	}
	for i := range s.proofs {
		p := &s.proofs[i]
		if p.node == nil {
			continue
		}
		uri := p.uri
		says := uri + " is there"
		switch p.way {
		case byList:
			says = uri + " is in the list"
		case byRefusal:
			says = uri + " is there and is not to be read"
		case byBar:
			says = uri + " is barred by an ACL"
			w.doubt = true
		}
		if !p.typed && w.Confidence == Seen {
			w.Confidence = Likely
		}
		if k := len(w.Evidence); k == 0 || w.Evidence[k-1].Says != says {
			w.Evidence = append(w.Evidence, evidence(p.node, says))
		}
	}
	for _, c := range r.when {
		if holds, _, _ := c.holds(s.known.facts); holds {
			return w.assume(true)
		}
	}
	return w.assume(false)
}

// assume lowers the confidence of a way for which nothing speaks but the recipe.
func (w *Way) assume(byFact bool) *Way {
	if w.doubt || len(w.Evidence) == 0 && !byFact {
		w.Confidence = Assumed
	}
	return w
}

// evidence is what a node says.
func evidence(n *storage.Node, says string) Evidence {
	return Evidence{URI: n.URI, Code: n.Code, Session: n.Session, Task: n.Task, MsgID: n.MsgID, Time: n.Time, Says: says}
}

// conclude puts the ways into their order and says what they come to.
func (c *Capability) conclude(l Learned) {
	if l != nil {
		slices.SortStableFunc(c.Ways, func(a, b Way) int { return cmp.Compare(l.Rank(a.Recipe.Name), l.Rank(b.Recipe.Name)) })
	}
	for i := range c.Ways {
		if w := &c.Ways[i]; !w.doubt {
			c.Possible, c.Why = Yes, "by recipe "+w.Recipe.Name
			return
		}
	}
	if len(c.Ways) > 0 {
		c.Possible, c.Why = Unknown, "recipe "+c.Ways[0].Recipe.Name+" needs nodes that an ACL bars"
		return
	}
	for i := range c.Not {
		if u := &c.Not[i]; u.Possible == Unknown {
			c.Possible, c.Why = Unknown, "recipe "+u.Recipe.Name+": "+u.Why
			return
		}
	}
	c.Why = "no recipe fits"
	if len(c.Not) == 0 {
		c.Why = "there is no recipe for it"
	}
}

// mismatch is what the facts are that rule r out.
func (r *Recipe) mismatch(facts map[string]string) string {
	for _, c := range r.unless {
		if holds, _, _ := c.holds(facts); holds {
			return c[0].name + " is " + quoted(facts[c[0].name])
		}
	}
	for i := range r.when[0] {
		f := &r.when[0][i]
		if got, ok := facts[f.name]; ok && !matchAny(f.is, got) {
			return f.name + " is " + quoted(got)
		}
	}
	return ""
}

// quoted is a value for people, cut to what is worth telling.
func quoted(s string) string { return fmt.Sprintf("%.80q", s) }

// takesOn is what r takes on a device with these facts.
func (r *Recipe) takesOn(facts map[string]string) Takes {
	t := r.takes
	if r.takesMax != "" {
		if n, err := strconv.ParseInt(facts[r.takesMax], 10, 64); err == nil && n > 0 {
			t.Max = n
		}
	}
	return t
}
