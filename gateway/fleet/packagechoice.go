package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dmgate/gateway/recipe"
	"dmgate/storage"
)

// anyClient is the name that stands for every package that is upstream's own client, beside those called so.
const anyClient = "client"

// defaultAbility is what a device has to be able to do for a package that does not say.
const defaultAbility = "install"

// abilities is what a device can do, as far as a choice of package asks: by capability ("install"), the recipes by
// which it is possible. Nil is a device of which that is not known, or does not matter.
type abilities map[string][]string

// errNoPackage is a choice that no package fits. What it is wrapped in says why.
var errNoPackage = errors.New("fleet: no package fits")

// Candidate is a package of the name that was asked for, and what became of it.
type Candidate struct {
	Package storage.Package
	Chosen  bool
	Why     string // by which fact and rule it is not chosen, or why it is
}

// choosePackage picks the package of a name for a device: of those that fit, the highest version; of the same version
// the one with more rules, then the older one. version asks for that one only; it is empty for the best. why has a line
// for each candidate: chosen, or by which fact and which rule it is not. The error is errNoPackage, wrapped, where none
// fits.
//
// can says what the device is able to do, for a package that device management is to install; nil for one that is
// fetched by a link, or where it is not known yet.
func (f *Fleet) choosePackage(
	dev *storage.Device, can abilities, name, version string,
) (pkg *storage.Package, why []string, err error) {
	candidates, err := f.candidates(dev, can, name, version)
	if err != nil {
		return nil, nil, err
	}
	for i := range candidates {
		c := &candidates[i]
		if c.Chosen {
			pkg = &c.Package
		}
		why = append(why, fmt.Sprintf("%s %s (%s): %s", c.Package.Name, c.Package.Version, c.Package.ID, c.Why))
	}
	switch {
	case pkg != nil:
		return pkg, why, nil
	case why == nil:
		return nil, nil, fmt.Errorf("%w: the catalogue has no %q", errNoPackage, name)
	}
	return nil, why, fmt.Errorf("%w: %s", errNoPackage, strings.Join(why, "; "))
}

// Candidates says what would become of each package of a name on a device, the best first: as a link, or by device
// management, for which the device has to be able to take it.
func (f *Fleet) Candidates(id storage.DeviceID, name, version string, byLink bool) ([]Candidate, error) {
	dev, err := f.store.Device(id)
	if err != nil {
		return nil, err
	}
	var can abilities
	if !byLink {
		if can, err = f.abilitiesOf(dev); err != nil {
			return nil, err
		}
	}
	return f.candidates(dev, can, name, version)
}

// abilitiesOf is what a device can do; nil where its tree was not looked through yet.
func (f *Fleet) abilitiesOf(dev *storage.Device) (abilities, error) {
	caps, err := f.Capabilities(dev.ID)
	if err != nil || !caps.Complete {
		return nil, err
	}
	can := abilities{}
	for i := range caps.List {
		c := &caps.List[i]
		if c.Possible != recipe.Yes {
			continue
		}
		for k := range c.Ways {
			can[c.Name] = append(can[c.Name], c.Ways[k].Recipe.Name)
		}
	}
	return can, nil
}

// candidates are all packages of a name, the best first, each with what became of it.
func (f *Fleet) candidates(dev *storage.Device, can abilities, name, version string) ([]Candidate, error) {
	var list []Candidate
	err := f.eachPackage(func(p *storage.Package) error {
		if p.Name == name || name == anyClient && p.Client {
			list = append(list, Candidate{Package: *p})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b Candidate) int { return better(&a.Package, &b.Package) })
	facts := f.packageFacts(dev)
	chosen := ""
	for i := range list {
		c := &list[i]
		switch c.Why = unfit(&c.Package, facts, can, version); {
		case c.Why != "":
		case chosen == "":
			chosen = c.Package.Version
			c.Chosen, c.Why = true, "chosen: "+fits(&c.Package, facts)
		case CompareVersions(c.Package.Version, chosen) == 0:
			c.Why = "fits, but another one of the same version goes first"
		default:
			c.Why = "fits, but " + chosen + " is newer"
		}
	}
	return list, nil
}

// better puts the better one of two packages that fit first. The order is the same at any time.
func better(a, b *storage.Package) int {
	return cmp.Or(
		CompareVersions(b.Version, a.Version), cmp.Compare(len(b.Rules), len(a.Rules)), a.Created.Compare(b.Created),
		strings.Compare(a.ID, b.ID),
	)
}

// unfit says why a package can not be chosen for a device; empty where it can.
func unfit(p *storage.Package, facts map[string]string, can abilities, version string) string {
	switch {
	case version != "" && p.Version != version:
		return "version " + version + " is asked for"
	case !p.Removed.IsZero():
		return "it was deleted"
	case !p.Enabled:
		return "it is not enabled"
	case !p.Available():
		return "its file was not uploaded yet"
	}
	for i := range p.Rules {
		if why := broken(&p.Rules[i], facts); why != "" {
			return fmt.Sprintf("%s (rule %d)", why, i+1)
		}
	}
	if can == nil {
		return ""
	}
	need := cmp.Or(p.Capability, defaultAbility)
	recipes := can[need]
	if len(recipes) == 0 {
		return fmt.Sprintf("the device can not %s", need)
	}
	for _, r := range recipes {
		if carries(p, r) {
			return ""
		}
	}
	return fmt.Sprintf("the device can %s by %s only, want %s", need, strings.Join(recipes, ", "), quoted(p.Recipes))
}

// carries says whether a recipe can be used for a package.
func carries(p *storage.Package, recipe string) bool {
	for _, pattern := range p.Recipes {
		if matchGlob(pattern, recipe) {
			return true
		}
	}
	return len(p.Recipes) == 0
}

// fits says by which facts a package fits a device.
func fits(p *storage.Package, facts map[string]string) string {
	if len(p.Rules) == 0 {
		return "the newest that fits, for any device"
	}
	by := make([]string, 0, len(p.Rules))
	for i := range p.Rules {
		by = append(by, fmt.Sprintf("%s is %q", p.Rules[i].Fact, facts[p.Rules[i].Fact]))
	}
	return "the newest that fits: " + strings.Join(by, ", ")
}
