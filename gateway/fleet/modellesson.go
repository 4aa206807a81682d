package fleet

import (
	"errors"
	"slices"
	"time"

	"dmgate/storage"
)

// lesson is what an entry of the feed says of a model.
type lesson struct {
	of     storage.Model // its name, where there is no record yet
	offset uint64
	at     time.Time
	teach  func(m *storage.Model, own *storage.Learnt)
}

// lessons is what a page of the feed says, by the keys of models.
type lessons struct {
	*learner
	devices map[storage.DeviceID]*storage.Device // nil where there is none
	byKey   map[string][]lesson
}

// read takes in an entry of the feed.
func (p *lessons) read(e *storage.FeedEntry) error {
	switch {
	case e.Kind == "outcome":
		return p.outcome(e)
	case e.Kind != "state":
	case e.To == storage.Discovered:
		return p.discovered(e)
	case e.To == storage.Connected || e.To == storage.Unanswered || e.To == storage.Unreachable:
		return p.bootstrapped(e)
	}
	return nil
}

// outcome takes in what came of a recipe.
func (p *lessons) outcome(e *storage.FeedEntry) error {
	if !slices.Contains([]string{outcomeWorked, outcomeFailed, outcomeRefused, outcomeOurs}, e.Status) || e.Recipe == "" {
		return nil
	}
	dev, err := p.device(e.Device)
	if dev == nil {
		return err
	}
	rules := p.ruleVersion(e.Recipe)
	p.add(modelName(dev), e, func(_ *storage.Model, own *storage.Learnt) {
		countOutcome(own, e.Recipe, rules, e.Status, e.Text, e.Time)
	})
	return nil
}

// bootstrapped takes in what has become of a bootstrap, for the device's TAC, and where it fails for its model as well:
// of one that is accepted that is told by the discovery which follows.
func (p *lessons) bootstrapped(e *storage.FeedEntry) error {
	dev, err := p.device(e.Device)
	if dev == nil {
		return err
	}
	v, err := p.variantOf(e)
	if v.sec == "" || e.From.Bootstrapped() {
		return err
	}
	tac := storage.Model{TAC: storage.TACOf(dev.DevID)}
	model := modelName(dev)
	if e.To != storage.Connected {
		count := func(_ *storage.Model, own *storage.Learnt) { countVariant(own, v, e.To, e.Time) }
		p.add(tac, e, count)
		p.add(model, e, count)
		return nil
	}
	p.add(tac, e, func(_ *storage.Model, own *storage.Learnt) {
		takeBack(own, v, e.From)
		countVariant(own, v, e.To, e.Time)
	})
	if known, _, err := p.before(e); err != nil || !known {
		return err // what it is was not known when the verdict fell
	}
	if e.From == storage.Unanswered || e.From == storage.Unreachable {
		p.add(model, e, func(_ *storage.Model, own *storage.Learnt) { takeBack(own, v, e.From) })
	}
	return nil
}

// discovered takes in that a device has said what it is and what it has.
func (p *lessons) discovered(e *storage.FeedEntry) error {
	dev, err := p.device(e.Device)
	if dev == nil {
		return err
	}
	name := modelName(dev)
	if name.Key() == "" {
		return nil
	}
	known, same, err := p.before(e)
	if err != nil {
		return err
	}
	v := variant{}
	if !same {
		if v, err = p.variantOf(e); err != nil {
			return err
		}
	}
	ref, err := p.newReference(dev, &name, e.Time)
	if err != nil {
		return err
	}
	p.add(name, e, func(m *storage.Model, own *storage.Learnt) {
		if !known {
			own.Seen++
		}
		if v.sec != "" {
			countVariant(own, v, e.To, e.Time)
		}
		if ref != nil && wantsReference(m, ref.Rules) {
			m.Reference = *ref
		}
	})
	p.add(storage.Model{TAC: storage.TACOf(dev.DevID)}, e, func(m *storage.Model, own *storage.Learnt) {
		if !known {
			own.Seen++
		}
		addModel(m, storage.ModelMet{Key: name.Key(), Last: e.Time})
	})
	return nil
}

// newReference is what a device says for its model, where that has no reference yet, or one from before the rules wanted
// to know what they want to know today.
func (p *lessons) newReference(dev *storage.Device, name *storage.Model, at time.Time) (*storage.ModelReference, error) {
	rules := p.rulesVersion()
	m, err := p.readModel(name.Key())
	if err != nil {
		return nil, p.skip("model not read", name.Key(), err)
	}
	if m != nil && !wantsReference(m, rules) || !wholly(dev) {
		return nil, nil
	}
	nodes, err := p.readTree(dev.ID)
	if err != nil {
		return nil, p.skip("tree not read", string(dev.ID), err)
	}
	ref := referenceOf(dev, nodes)
	ref.Time, ref.Rules = at, rules
	return &ref, nil
}

func wantsReference(m *storage.Model, rules string) bool {
	return m.Reference.Time.IsZero() || m.Reference.Rules != rules
}

// add keeps a lesson for the model with a name, where it has one.
func (p *lessons) add(of storage.Model, e *storage.FeedEntry, teach func(*storage.Model, *storage.Learnt)) {
	if key := of.Key(); key != "" {
		p.byKey[key] = append(p.byKey[key], lesson{of: of, offset: e.Offset, at: e.Time, teach: teach})
	}
}

// device is a device as it stands now; nil where it can not be read.
func (p *lessons) device(id storage.DeviceID) (*storage.Device, error) {
	dev, ok := p.devices[id]
	if ok {
		return dev, nil
	}
	dev, err := p.store.Device(id)
	if err != nil {
		dev = nil
		if errors.Is(err, storage.ErrNotFound) {
			err = nil
		}
	}
	p.devices[id] = dev
	return dev, p.skip("device not read", string(id), err)
}

// variantOf is how the bootstrap was made that an entry is about; the zero variant where that is not known.
func (p *lessons) variantOf(e *storage.FeedEntry) (variant, error) {
	if e.Order == "" {
		return variant{}, nil
	}
	order, err := p.store.Order(e.Device, e.Order)
	if errors.Is(err, storage.ErrNotFound) {
		return variant{}, nil
	}
	if err != nil {
		return variant{}, p.skip("order not read", e.Order, err)
	}
	return parseVariant(order.Variant), nil
}

// timelineRead bounds how far back a device's life is looked at, in entries.
const timelineRead = 4096

// before says whether the device of an entry was discovered before it, and by the same order.
func (p *lessons) before(e *storage.FeedEntry) (known, same bool, err error) {
	after := uint64(0)
	for read := 0; read < timelineRead; {
		page, err := p.store.Timeline(e.Device, after, learnPage)
		if err != nil {
			return false, false, p.skip("timeline not read", string(e.Device), err)
		}
		for i := range page {
			if page[i].Offset >= e.Offset {
				return known, same, nil
			}
			if page[i].Kind == "state" && page[i].To == storage.Discovered {
				known = true
				same = same || page[i].Order == e.Order
			}
		}
		if len(page) < learnPage {
			return known, same, nil
		}
		after = page[len(page)-1].Offset
		read += len(page)
	}
	return true, true, nil // it is older than all that is learnt here
}

// modelName is the name of the model that a device is of; without one where the device has not said.
func modelName(dev *storage.Device) storage.Model {
	man, mod := dev.Facts["Man"], dev.Facts["Mod"]
	if man == "" || mod == "" {
		return storage.Model{}
	}
	return storage.Model{Man: plain(man, maxValue), Mod: plain(mod, maxValue), FwV: plain(dev.Facts["FwV"], maxValue)}
}

// wholly says whether all was asked of a device that the rules want to know.
func wholly(dev *storage.Device) bool { return true }
