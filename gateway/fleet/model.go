package fleet

import (
	"fmt"
	"slices"

	"go.uber.org/zap"

	"dmgate/storage"
)

// model is what is known of devices of one kind: what was learnt of them, below that what was learnt of other firmwares
// of the same model, and below that what the seeds say. It implements recipe.Learned.
type model struct {
	key   string
	rules string         // the version of the rules: failures under others bar nothing
	own   *storage.Model // nil where nothing was learnt
	kin   []storage.Model
	seeds []*seed
	bar   barring
}

// barring is when a recipe is not tried any more on a model.
type barring struct {
	failures int     // as many failures at least
	share    float64 // and more than this share of all that worked or failed
}

// modelOf is what is known of the kind of device that dev is. Where it has not said yet what it is, its TAC may tell. It
// is never nil: what can not be read now is not known.
func (f *Fleet) modelOf(dev *storage.Device) *model {
	man, mod, fwV := dev.Facts["Man"], dev.Facts["Mod"], dev.Facts["FwV"]
	if man == "" || mod == "" {
		return f.modelOfTAC(dev)
	}
	m, err := f.models.get(f, man, mod, fwV)
	if err != nil {
		f.opt.Log.Error("model not read", zap.String("model", storage.ModelKey(man, mod, fwV)), zap.Error(err))
	}
	m.seeds = seedsFor(dev.Facts)
	return m
}

// tally is what has worked and what has failed of a recipe on this very model, under the rules of today.
func (m *model) tally(recipe string) (worked, failed int, reason string) {
	if m.own == nil {
		return 0, 0, ""
	}
	most := 0
	for i := range m.own.Learnt {
		o := outcomeIn(&m.own.Learnt[i], recipe)
		if o == nil || o.Rules != m.rules {
			continue
		}
		worked += o.Worked
		failed += o.Failed
		if len(o.Reasons) > 0 && o.Reasons[0].Count > most {
			reason, most = o.Reasons[0].Text, o.Reasons[0].Count
		}
	}
	return worked, failed, reason
}

// Barred says whether a recipe has failed on this model so often that it is not tried again, and why. Other rules, or an
// upstream that resets the model, let it be tried anew.
func (m *model) Barred(recipe string) (reason string, barred bool) {
	worked, failed, why := m.tally(recipe)
	if failed < m.bar.failures || float64(failed) <= m.bar.share*float64(failed+worked) {
		return "", false
	}
	reason = fmt.Sprintf("failed on %d of %d devices of model %s", failed, failed+worked, m.key)
	if why != "" {
		reason += ", mostly: " + why
	}
	return reason, true
}

// What a hint weighs against what was seen on the model itself, in devices.
const (
	kinWeight  = 4
	seedWeight = 2
)

// Rank tells recipes apart by what is known of them on this model: the higher, the likelier to work; 0 where nothing is
// known. It is between -1000 and 1000.
func (m *model) Rank(recipe string) int {
	worked, failed, _ := m.tally(recipe)
	good, all := float64(worked), float64(worked+failed)
	if w, n := m.kinTally(recipe); n > 0 {
		weight := min(float64(n), kinWeight)
		good, all = good+weight*float64(w)/float64(n), all+weight
	}
	for _, s := range m.seeds {
		switch {
		case slices.Contains(s.Prefer, recipe):
			good, all = good+seedWeight, all+seedWeight
		case slices.ContainsFunc(s.Avoid, func(a avoid) bool { return a.Recipe == recipe }):
			all += seedWeight
		}
	}
	return int(2000*(good+1)/(all+2)) - 1000 // one of each is assumed before anything is seen
}

// kinTally is what came of a recipe on other firmwares, under whatever rules.
func (m *model) kinTally(recipe string) (worked, all int) {
	for i := range m.kin {
		for j := range m.kin[i].Learnt {
			if o := outcomeIn(&m.kin[i].Learnt[j], recipe); o != nil {
				worked += o.Worked
				all += o.Worked + o.Failed
			}
		}
	}
	return worked, all
}

// reference is the tree that a device of this kind is expected to have, as nodes without evidence, and whether it gives
// its tree at once ("yes", "no" or ""). Another firmware's stands in where this one has none. It is nil where nothing is
// known. All of it has to be confirmed by the device.
func (m *model) reference() (nodes []storage.Node, tnds string) {
	r := m.referenced()
	if r == nil {
		return nil, ""
	}
	nodes = make([]storage.Node, len(r.Nodes))
	for i, n := range r.Nodes {
		nodes[i] = storage.Node{
			URI: n.URI, Code: n.Code, Format: n.Format, Type: n.Type, Children: n.Children, Value: n.Value, Cut: n.Cut,
		}
	}
	return nodes, r.TNDS
}

// referenced is the reference that holds for this model; nil where there is none.
func (m *model) referenced() *storage.ModelReference {
	if m.own != nil && !m.own.Reference.Time.IsZero() {
		return &m.own.Reference
	}
	for i := range m.kin {
		if !m.kin[i].Reference.Time.IsZero() {
			return &m.kin[i].Reference
		}
	}
	return nil
}

// outcomeIn is what l has of a recipe; nil where it has nothing.
func outcomeIn(l *storage.Learnt, recipe string) *storage.RecipeOutcome {
	i := slices.IndexFunc(l.Outcomes, func(o storage.RecipeOutcome) bool { return o.Recipe == recipe })
	if i < 0 {
		return nil
	}
	return &l.Outcomes[i]
}
