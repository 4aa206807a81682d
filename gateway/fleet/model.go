package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"go.uber.org/zap"

	"dmgate/gateway/recipe"
	"dmgate/storage"
)

// model is what is known of devices of one kind: what was learnt of them, below that what was learnt of other firmwares
// of the same model, and below that what the seeds say. It implements recipe.Learned.
type model struct {
	key   string
	own   *storage.Model   // nil where nothing was learnt
	kin   []*storage.Model // the one that was changed last in front
	seeds []*seed
	bar   Bar
	rules func(recipe string) string // the version of its rules: failures under others bar nothing
}

// Bar is when a recipe is not tried any more on a model: when it has failed on so many devices, and on more than a
// share of those on which it has worked or failed. The user's no and our own faults do not count.
type Bar struct {
	Failures int     // 3
	Share    float64 // 0.7
}

// modelOf is what is known of the kind of device that dev is. Where it has not said yet what it is, the models that its
// TAC was met with give hints. It is never nil: what can not be read now is not known.
func (f *Fleet) modelOf(dev *storage.Device) *model {
	name := modelName(dev)
	m := &model{key: name.Key(), bar: f.opt.Bar, rules: f.ruleVersion, seeds: seedsFor(dev.Facts)}
	key, read := m.key, func() (r readModel, err error) {
		if r.own, err = f.readModel(m.key); err == nil {
			r.kin, err = f.readKin(&name)
		}
		return r, err
	}
	if key == "" {
		tac := storage.TACOf(dev.DevID)
		if tac == "" {
			return m
		}
		key, read = storage.TACKey(tac), func() (readModel, error) { return f.readTAC(tac) }
	}
	r, err := f.models.get(key, f.opt.Clock(), read)
	if err != nil && !errors.Is(err, storage.ErrFailed) {
		f.opt.Log.Error("model not read", zap.String("model", key), zap.Error(err))
	}
	m.kin = r.kin
	if m.key != "" {
		m.own = r.own
	} else if len(r.kin) > 0 {
		m.seeds = seedsFor(r.kin[0].Reference.Facts)
	}
	return m
}

// tally is what has worked and what has failed of a recipe on this very model, under the rules of today.
func (m *model) tally(recipe string) (worked, failed int, reason string) {
	if m.own == nil {
		return 0, 0, ""
	}
	rules, most := m.rules(recipe), 0
	for i := range m.own.Learnt {
		o := outcomeIn(&m.own.Learnt[i], recipe)
		if o == nil || o.Rules != rules {
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

// Barred says whether a recipe has failed on this model so often that it is not tried again, and why. Other rules, or
// an upstream that resets the model, let it be tried anew.
func (m *model) Barred(recipe string) (reason string, barred bool) {
	worked, failed, why := m.tally(recipe)
	if failed < m.bar.Failures || float64(failed) <= m.bar.Share*float64(failed+worked) {
		return "", false
	}
	reason = fmt.Sprintf("failed on %d of %d devices of model %s", failed, failed+worked, m.key)
	if why != "" {
		reason += ", mostly: " + why
	}
	return reason, true
}

// What a hint weighs at most against what was seen on the model itself under today's rules, in devices.
const (
	kinWeight  = 4
	seedWeight = 2
)

// rankStep is what it takes for a recipe to go before another one that has the better rank of its own: an outcome or
// two are no proof.
const rankStep = 250

// Rank is negative for a recipe that has worked on this model, positive for one that has failed, 0 where nothing is
// known. It is between -1000 and 1000, in steps.
func (m *model) Rank(recipe string) int {
	worked, failed, _ := m.tally(recipe)
	good, all := float64(worked), float64(worked+failed)
	if w, n := m.hints(recipe); n > 0 {
		weight := min(float64(n), kinWeight)
		good, all = good+weight*float64(w)/float64(n), all+weight
	}
	for _, s := range m.seeds {
		switch {
		case slices.Contains(s.Prefer, recipe):
			good, all = good+seedWeight, all+seedWeight
		case slices.ContainsFunc(s.Avoid, func(a avoided) bool { return a.Recipe == recipe }):
			all += seedWeight
		}
	}
	score := 2000*(good+2)/(all+4) - 1000 // two of each are assumed before anything is seen
	return -int(score/rankStep) * rankStep
}

// hints is what came of a recipe on other firmwares, and on this one under other rules.
func (m *model) hints(recipe string) (worked, all int) {
	count := func(of *storage.Model, but string) {
		for i := range of.Learnt {
			if o := outcomeIn(&of.Learnt[i], recipe); o != nil && o.Rules != but {
				worked += o.Worked
				all += o.Worked + o.Failed
			}
		}
	}
	for _, k := range m.kin {
		count(k, "\x00") // whatever the rules
	}
	if m.own != nil {
		count(m.own, m.rules(recipe))
	}
	return worked, all
}

// reference is the tree that a device of this kind is expected to have, as nodes without evidence, and whether it gives
// its tree at once ("yes", "no" or ""). Another firmware's stands in where this one has none. It is nil where nothing
// is known. All of it has to be confirmed by the device.
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
	for _, k := range m.kin {
		if !k.Reference.Time.IsZero() {
			return &k.Reference
		}
	}
	return nil
}

// ruleVersion is the version of the rule that a recipe is; empty for a fallback, which is none.
func (f *Fleet) ruleVersion(recipe string) string { return f.models.rules[recipe] }

// ruleVersions are the versions of all rules by the names of their recipes.
func ruleVersions(set *recipe.Set) map[string]string {
	versions := make(map[string]string)
	for _, r := range set.Recipes() {
		sum := sha256.Sum256([]byte(r.Text))
		versions[r.Name] = hex.EncodeToString(sum[:4])
	}
	return versions
}
