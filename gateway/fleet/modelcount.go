package fleet

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"dmgate/storage"
)

// Bounds of the record of a model.
const (
	maxOutcomes  = 64  // recipes of one origin
	maxReasons   = 8   // of each of them
	maxWhy       = 160 // bytes of one
	maxVariants  = 16  // of one origin
	maxOrigins   = 8   // other gateways of which something was imported
	maxTACModels = 16  // of a TAC
)

// learntBy is what the gateway of a name has counted of m.
func learntBy(m *storage.Model, origin string) *storage.Learnt {
	i := slices.IndexFunc(m.Learnt, func(l storage.Learnt) bool { return l.Origin == origin })
	if i < 0 {
		m.Learnt = append(m.Learnt, storage.Learnt{Origin: origin})
		i = len(m.Learnt) - 1
	}
	return &m.Learnt[i]
}

// outcomeIn is what l has of a recipe; nil where it has nothing.
func outcomeIn(l *storage.Learnt, recipe string) *storage.RecipeOutcome {
	i := slices.IndexFunc(l.Outcomes, func(o storage.RecipeOutcome) bool { return o.Recipe == recipe })
	if i < 0 {
		return nil
	}
	return &l.Outcomes[i]
}

// countOutcome counts what came of a recipe under some version of its rules. Where there are more recipes than are
// kept, the one that was tried longest ago goes.
func countOutcome(l *storage.Learnt, recipe, rules, what, reason string, at time.Time) {
	o := outcomeIn(l, recipe)
	if o == nil {
		if len(l.Outcomes) == maxOutcomes {
			l.Outcomes = slices.Delete(l.Outcomes, oldestOutcome(l), oldestOutcome(l)+1)
		}
		l.Outcomes = append(l.Outcomes, storage.RecipeOutcome{Recipe: recipe})
		o = &l.Outcomes[len(l.Outcomes)-1]
	}
	if o.Rules != rules { // it is another recipe now
		*o = storage.RecipeOutcome{Recipe: recipe, Rules: rules}
	}
	switch what {
	case outcomeWorked:
		o.Worked++
		o.Last = at
	case outcomeFailed:
		o.Failed++
		o.Bad = at
		countReason(o, reason, at)
	case outcomeRefused:
		o.Refused++
	case outcomeOurs:
		o.Ours++
	}
}

func oldestOutcome(l *storage.Learnt) int {
	oldest := 0
	for i := range l.Outcomes {
		if tried(&l.Outcomes[i]).Before(tried(&l.Outcomes[oldest])) {
			oldest = i
		}
	}
	return oldest
}

// tried is when a recipe was last tried, as far as that is kept.
func tried(o *storage.RecipeOutcome) time.Time {
	if o.Bad.After(o.Last) {
		return o.Bad
	}
	return o.Last
}

// countReason counts why a recipe has failed. Where there are more reasons than are kept, the rarest one goes, and of
// several the one that is longest ago.
func countReason(o *storage.RecipeOutcome, text string, at time.Time) {
	text = plain(text, maxWhy)
	i := slices.IndexFunc(o.Reasons, func(r storage.ReasonCount) bool { return r.Text == text })
	switch {
	case i >= 0:
	case len(o.Reasons) < maxReasons:
		o.Reasons = append(o.Reasons, storage.ReasonCount{Text: text})
		i = len(o.Reasons) - 1
	default:
		i = maxReasons - 1 // they stand in order
		o.Reasons[i] = storage.ReasonCount{Text: text}
	}
	o.Reasons[i].Count++
	o.Reasons[i].Last = at
	slices.SortStableFunc(o.Reasons, func(a, b storage.ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), b.Last.Compare(a.Last), cmp.Compare(a.Text, b.Text))
	})
}

// variantIn is what l has of a variant of bootstraps; nil where it has nothing, or where there is no place for more and
// add asks for one.
func variantIn(l *storage.Learnt, v variant, add bool) *storage.VariantOutcome {
	i := slices.IndexFunc(l.Variants, func(o storage.VariantOutcome) bool { return o.Sec == v.sec && o.Form == v.form })
	if i < 0 {
		if !add || len(l.Variants) == maxVariants {
			return nil
		}
		l.Variants = append(l.Variants, storage.VariantOutcome{Sec: v.sec, Form: v.form})
		i = len(l.Variants) - 1
	}
	return &l.Variants[i]
}

// countVariant counts what a bootstrap has led to: the state that its device has entered.
func countVariant(l *storage.Learnt, v variant, to storage.State, at time.Time) {
	o := variantIn(l, v, true)
	if o == nil {
		return
	}
	o.Last = at
	switch to {
	case storage.Connected, storage.Discovered:
		o.Accepted++
	case storage.Unanswered:
		o.Unanswered++
	case storage.Unreachable:
		o.Unreachable++
	}
}

// takeBack undoes a verdict on a bootstrap: its session has come after all.
func takeBack(l *storage.Learnt, v variant, was storage.State) {
	o := variantIn(l, v, false)
	switch {
	case o == nil:
	case was == storage.Unanswered && o.Unanswered > 0:
		o.Unanswered--
	case was == storage.Unreachable && o.Unreachable > 0:
		o.Unreachable--
	}
}

// addModel says that a device of a TAC was found to be of a model.
func addModel(m *storage.Model, met storage.ModelMet) {
	i := slices.IndexFunc(m.Models, func(o storage.ModelMet) bool { return o.Key == met.Key })
	switch {
	case i < 0:
		m.Models = append(m.Models, met)
	case met.Last.After(m.Models[i].Last):
		m.Models[i].Last = met.Last
	}
	slices.SortFunc(m.Models, func(a, b storage.ModelMet) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Key, b.Key))
	})
	m.Models = m.Models[:min(len(m.Models), maxTACModels)]
}

// plain is a device's text, or one with some of it in it, as it may stand in a record and on a page: no control
// characters, sound UTF-8, at most limit bytes.
func plain(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "")
	}
	return text
}
