package modelfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"dmgate/gateway/fleet"
	"dmgate/storage"
)

// Bounds of a model in a file. What a gateway has learnt keeps within them.
const (
	maxText     = 512  // bytes
	maxURI      = 1024 // bytes
	maxCount    = 1 << 40
	maxMet      = 16
	maxFacts    = 64
	maxNodes    = 512
	maxChildren = 64
	maxLearnt   = 9
	maxOutcomes = 64
	maxReasons  = 8
	maxVariants = 16
)

var (
	tacForm    = regexp.MustCompile(`^[0-9]{8}$`)
	originForm = regexp.MustCompile(`^[a-z0-9]{1,32}$`)
	recipeForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	keyForm    = regexp.MustCompile(`^[A-Za-z0-9._|~-]{1,600}$`)
	secs       = []string{"userpin", "netwpin", "usernetwpin", "userpinmac"}
	forms      = []string{"", "apn"}
)

// checker says what is wrong with a model: the first thing.
type checker struct{ bad *fleet.FieldError }

func (c *checker) wrong(field, format string, args ...any) {
	if c.bad == nil {
		c.bad = &fleet.FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
	}
}

func (c *checker) text(field, s string, most int) {
	switch {
	case len(s) > most:
		c.wrong(field, "%d bytes, want at most %d", len(s), most)
	case strings.ContainsFunc(s, unicode.IsControl):
		c.wrong(field, "%.40q has control characters", s)
	}
}

func (c *checker) count(field string, n int) {
	if n < 0 || n > maxCount {
		c.wrong(field, "%d is not 0 to %d", n, int64(maxCount))
	}
}

// time takes no time that could not be written again.
func (c *checker) time(field string, t time.Time) {
	if year := t.UTC().Year(); !t.IsZero() && (year < 1970 || year > 2200) {
		c.wrong(field, "year %d is not 1970 to 2200", year)
	}
}

func (c *checker) length(field string, n, most int) {
	if n > most {
		c.wrong(field, "%d of them, want at most %d", n, most)
	}
}

func (c *checker) form(field, s string, form *regexp.Regexp) {
	if !form.MatchString(s) {
		c.wrong(field, "%.40q is not of the form %s", s, form)
	}
}

func (m *Model) check() *fleet.FieldError {
	c := &checker{}
	switch {
	case m.TAC != "":
		c.form("tac", m.TAC, tacForm)
		if m.Man != "" || m.Mod != "" || m.FwV != "" {
			c.wrong("tac", "stands beside man, mod or fw_v")
		}
		if m.Reference != nil {
			c.wrong("reference", "a TAC has none")
		}
	case m.Man == "" || m.Mod == "":
		c.wrong("man", "neither man and mod nor tac")
	case m.Models != nil:
		c.wrong("models", "only a TAC has them")
	}
	c.text("man", m.Man, maxText)
	c.text("mod", m.Mod, maxText)
	c.text("fw_v", m.FwV, maxText)
	c.time("created", m.Created)
	c.time("changed", m.Changed)
	c.length("models", len(m.Models), maxMet)
	for i, met := range m.Models {
		c.time(fmt.Sprintf("models[%d].last", i), met.Last)
		c.form(fmt.Sprintf("models[%d].key", i), met.Key, keyForm)
	}
	if m.Reference != nil {
		m.Reference.check(c)
	}
	c.length("learnt", len(m.Learnt), maxLearnt)
	for i := range m.Learnt {
		at := fmt.Sprintf("learnt[%d]", i)
		m.Learnt[i].check(c, at)
		for _, other := range m.Learnt[:i] {
			if other.Origin == m.Learnt[i].Origin {
				c.wrong(at+".origin", "%q is there twice", other.Origin)
			}
		}
	}
	return c.bad
}

func (r *Reference) check(c *checker) {
	if r.Time.IsZero() {
		c.wrong("reference.time", "none")
	}
	c.time("reference.time", r.Time)
	c.text("reference.rules", r.Rules, maxText)
	c.length("reference.facts", len(r.Facts), maxFacts)
	for name, value := range r.Facts {
		c.text("reference.facts", name, maxText)
		c.text("reference.facts", value, maxText)
	}
	if !slices.Contains([]string{"", "yes", "no"}, r.TNDS) {
		c.wrong("reference.tnds", "%.40q is not yes or no", r.TNDS)
	}
	c.length("reference.nodes", len(r.Nodes), maxNodes)
	for i := range r.Nodes {
		n, at := &r.Nodes[i], fmt.Sprintf("reference.nodes[%d].", i)
		c.text(at+"uri", n.URI, maxURI)
		if n.URI == "" {
			c.wrong(at+"uri", "none")
		}
		if i > 0 && n.URI <= r.Nodes[i-1].URI {
			c.wrong(at+"uri", "%.80q is not behind the one before, in order", n.URI)
		}
		if n.Code < 0 || n.Code > 999 {
			c.wrong(at+"code", "%d is not 0 to 999", n.Code)
		}
		c.text(at+"format", n.Format, maxText)
		c.text(at+"type", n.Type, maxText)
		c.text(at+"value", n.Value, maxText)
		c.length(at+"children", len(n.Children), maxChildren)
		for _, name := range n.Children {
			c.text(at+"children", name, maxText)
		}
	}
}

func (l *Learnt) check(c *checker, at string) {
	c.form(at+".origin", l.Origin, originForm)
	c.time(at+".changed", l.Changed)
	c.count(at+".seen", l.Seen)
	c.length(at+".outcomes", len(l.Outcomes), maxOutcomes)
	for i := range l.Outcomes {
		o, at := &l.Outcomes[i], fmt.Sprintf("%s.outcomes[%d].", at, i)
		c.form(at+"recipe", o.Recipe, recipeForm)
		c.text(at+"rules", o.Rules, maxText)
		c.count(at+"worked", o.Worked)
		c.count(at+"failed", o.Failed)
		c.count(at+"refused", o.Refused)
		c.count(at+"ours", o.Ours)
		c.time(at+"last_worked", o.Last)
		c.time(at+"last_failed", o.Bad)
		c.length(at+"reasons", len(o.Reasons), maxReasons)
		for j, r := range o.Reasons {
			c.time(fmt.Sprintf("%sreasons[%d].last", at, j), r.Last)
			c.text(fmt.Sprintf("%sreasons[%d].text", at, j), r.Text, maxText)
			c.count(fmt.Sprintf("%sreasons[%d].count", at, j), r.Count)
		}
		for _, other := range l.Outcomes[:i] {
			if other.Recipe == o.Recipe {
				c.wrong(at+"recipe", "%q is there twice", o.Recipe)
			}
		}
	}
	c.length(at+".variants", len(l.Variants), maxVariants)
	for i := range l.Variants {
		v, at := &l.Variants[i], fmt.Sprintf("%s.variants[%d].", at, i)
		if !slices.Contains(secs, v.Sec) {
			c.wrong(at+"sec", "%.40q is not one of %s", v.Sec, strings.Join(secs, ", "))
		}
		if !slices.Contains(forms, v.Form) {
			c.wrong(at+"form", "%.40q is not apn or nothing", v.Form)
		}
		c.time(at+"last", v.Last)
		c.count(at+"accepted", v.Accepted)
		c.count(at+"unanswered", v.Unanswered)
		c.count(at+"unreachable", v.Unreachable)
		for _, other := range l.Variants[:i] {
			if other.Sec == v.Sec && other.Form == v.Form {
				c.wrong(at+"sec", "%s is there twice", v.Sec)
			}
		}
	}
}

// record is a model that was checked.
func (m *Model) record() *storage.Model {
	out := &storage.Model{Man: m.Man, Mod: m.Mod, FwV: m.FwV, TAC: m.TAC, Created: m.Created, Changed: m.Changed}
	for _, met := range m.Models {
		out.Models = append(out.Models, storage.ModelMet(met))
	}
	if r := m.Reference; r != nil {
		out.Reference = storage.ModelReference{Time: r.Time, Rules: r.Rules, Facts: r.Facts, TNDS: r.TNDS}
		for _, n := range r.Nodes {
			out.Reference.Nodes = append(out.Reference.Nodes, storage.ModelNode(n))
		}
	}
	for i := range m.Learnt {
		out.Learnt = append(out.Learnt, m.Learnt[i].record())
	}
	return out
}

func (l *Learnt) record() storage.Learnt {
	out := storage.Learnt{Origin: l.Origin, Changed: l.Changed, Seen: l.Seen}
	for i := range l.Outcomes {
		o := &l.Outcomes[i]
		kept := storage.RecipeOutcome{
			Recipe: o.Recipe, Rules: o.Rules, Worked: o.Worked, Failed: o.Failed, Refused: o.Refused, Ours: o.Ours,
			Last: o.Last, Bad: o.Bad,
		}
		for _, r := range o.Reasons {
			kept.Reasons = append(kept.Reasons, storage.ReasonCount(r))
		}
		out.Outcomes = append(out.Outcomes, kept)
	}
	for _, v := range l.Variants {
		out.Variants = append(out.Variants, storage.VariantOutcome(v))
	}
	return out
}
