package fleet

import (
	"fmt"
	"slices"
	"strings"

	"dmgate/storage"
)

// ModelView is what is known of a model, as upstream is told.
type ModelView struct {
	Key      string
	Model    *storage.Model
	Seen     int          // devices, over all gateways that have counted
	Recipes  []RecipeView // tried or spoken of, the best first
	Families []FamilyView // that the model is of
	Origin   string       // the name under which this gateway counts
	Sec      string       // of a TAC: how a bootstrap is signed where its order leaves all of that open
}

// RecipeView is what is known of a recipe on a model.
type RecipeView struct {
	Recipe  string
	Worked  int // under today's rules, over all gateways
	Failed  int
	Refused int    // by users
	Ours    int    // by faults of ours
	Barred  string // why it is not tried any more; empty where it is
	Rank    int    // see model.Rank
	Hint    string // what a family says: "preferred", or why it is left for last
}

// FamilyView is a family of devices that ships with the product.
type FamilyView struct {
	Name  string
	Title string
	Traps []int // known defects, by their numbers in the list of traps
	Note  string
}

// Model is what is known of a model. ErrNotFound where nothing was learnt of it.
func (f *Fleet) Model(key string) (*ModelView, error) {
	record, err := f.readModel(key)
	if err != nil {
		return nil, err
	}
	if record == nil {
		return nil, storage.ErrNotFound
	}
	r, err := f.modelReader(nil)
	if err != nil {
		return nil, err
	}
	v := f.viewModel(record)
	v.Origin = r.Origin
	return v, nil
}

// Models lists models by key, those of a maker where man is not empty. next is the key of the last one that was looked
// at, where there may be more.
func (f *Fleet) Models(man, after string, limit int) (list []*ModelView, next string, err error) {
	prefix := storage.ModelPrefix
	if man != "" {
		prefix += strings.TrimSuffix(storage.KinPrefix(man, ""), "|")
	}
	if after != "" {
		after = storage.ModelPrefix + after
	}
	page, err := f.store.Documents(prefix, after, limit)
	if err != nil {
		return nil, "", err
	}
	for i := range page {
		m := &storage.Model{}
		if err := storage.ReadRecord(page[i].Value, m); err != nil {
			return nil, "", fmt.Errorf("%s: %w", page[i].Name, err)
		}
		list = append(list, f.viewModel(m))
	}
	if len(page) == limit && limit > 0 {
		next = strings.TrimPrefix(page[limit-1].Name, storage.ModelPrefix)
	}
	return list, next, nil
}

func (f *Fleet) viewModel(record *storage.Model) *ModelView {
	v := &ModelView{Key: record.Key(), Model: record}
	for i := range record.Learnt {
		v.Seen += record.Learnt[i].Seen
	}
	if record.TAC != "" {
		v.Sec = f.bestSec(record.TAC, "", true, false)
		return v
	}
	facts := map[string]string{"Man": record.Man, "Mod": record.Mod, "FwV": record.FwV}
	for name, value := range record.Reference.Facts {
		facts[name] = value
	}
	m := &model{key: v.Key, own: record, bar: f.opt.Bar, rules: f.ruleVersion, seeds: seedsFor(facts)}
	for _, s := range m.seeds {
		v.Families = append(v.Families, FamilyView{Name: s.Name, Title: s.Title, Traps: s.Traps, Note: s.Note})
	}
	for _, name := range m.recipes() {
		v.Recipes = append(v.Recipes, m.view(name))
	}
	slices.SortStableFunc(v.Recipes, func(a, b RecipeView) int { return a.Rank - b.Rank })
	return v
}

// recipes are the names of all recipes of which something is known, in order.
func (m *model) recipes() []string {
	var names []string
	for i := range m.own.Learnt {
		for j := range m.own.Learnt[i].Outcomes {
			names = append(names, m.own.Learnt[i].Outcomes[j].Recipe)
		}
	}
	for _, s := range m.seeds {
		names = append(names, s.Prefer...)
		for _, a := range s.Avoid {
			names = append(names, a.Recipe)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (m *model) view(recipe string) RecipeView {
	v := RecipeView{Recipe: recipe, Rank: m.Rank(recipe)}
	v.Worked, v.Failed, _ = m.tally(recipe)
	v.Barred, _ = m.Barred(recipe)
	for i := range m.own.Learnt {
		if o := outcomeIn(&m.own.Learnt[i], recipe); o != nil {
			v.Refused += o.Refused
			v.Ours += o.Ours
		}
	}
	for _, s := range m.seeds {
		if slices.Contains(s.Prefer, recipe) {
			v.Hint = "preferred"
		}
		for _, a := range s.Avoid {
			if a.Recipe == recipe {
				v.Hint = a.Why
			}
		}
	}
	return v
}

// ForgetModel removes a model and all that was learnt of it. ErrNotFound where there is none.
func (f *Fleet) ForgetModel(key string) error {
	err := f.store.EditDocument(storage.ModelPrefix+key, func(old []byte) ([]byte, error) {
		if old == nil {
			return nil, storage.ErrNotFound
		}
		return nil, nil
	})
	if err != nil {
		return err
	}
	f.models.forget(key)
	_, err = f.modelReader(func(r *storage.ModelReader) { r.Kept = max(0, r.Kept-1) })
	return err
}
