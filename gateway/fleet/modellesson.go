package fleet

import (
	"errors"
	"slices"
	"strings"
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
	case e.Kind == "capabilities":
		return p.discovered(e)
	case e.Kind != "state":
	case e.To == storage.Discovered:
		return p.accepted(e)
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
	known, _, err := p.before(e) // what it is, when it was sent to
	if err != nil {
		return err
	}
	late := e.To == storage.Connected && (e.From == storage.Unanswered || e.From == storage.Unreachable)
	p.add(storage.Model{TAC: storage.TACOf(dev.DevID)}, e, func(_ *storage.Model, own *storage.Learnt) {
		if late {
			takeBack(own, v, e.From)
		}
		countVariant(own, v, e.To, e.Time)
	})
	if !known {
		return nil
	}
	p.add(modelName(dev), e, func(_ *storage.Model, own *storage.Learnt) {
		if late {
			takeBack(own, v, e.From)
		}
		if e.To != storage.Connected {
			countVariant(own, v, e.To, e.Time)
		}
	})
	return nil
}

// accepted takes in that the device of a bootstrap that was accepted has said what it is: its model takes such ones.
func (p *lessons) accepted(e *storage.FeedEntry) error {
	dev, err := p.device(e.Device)
	if dev == nil {
		return err
	}
	v, err := p.variantOf(e)
	if v.sec == "" {
		return err
	}
	if _, same, err := p.before(e); same || err != nil {
		return err
	}
	p.add(modelName(dev), e, func(_ *storage.Model, own *storage.Learnt) { countVariant(own, v, e.To, e.Time) })
	return nil
}

// discovered takes in that a walk through a device's tree has come to its end.
func (p *lessons) discovered(e *storage.FeedEntry) error {
	dev, err := p.device(e.Device)
	if dev == nil {
		return err
	}
	name := modelName(dev)
	key := name.Key()
	if key == "" {
		return nil
	}
	met := strings.HasPrefix(dev.Walk.Why, "software ")
	if e.Order != "" && !met { // it was ordered
		if met, _, err = p.before(e); err != nil {
			return err
		}
	}
	refer, err := p.refer(dev, key, e.Time)
	if err != nil {
		return err
	}
	p.add(name, e, func(m *storage.Model, own *storage.Learnt) {
		if !met {
			own.Seen++
		}
		refer(&m.Reference)
	})
	p.add(storage.Model{TAC: storage.TACOf(dev.DevID)}, e, func(m *storage.Model, own *storage.Learnt) {
		if !met {
			own.Seen++
		}
		addModel(m, storage.ModelMet{Key: key, Last: e.Time})
	})
	return nil
}

// refer says what the walk of a device means for the reference of its model. It becomes the reference where there is
// none, where that is from before the rules wanted to know what they want to know today, and where more devices have
// denied it, which were asked for all and said otherwise, than have confirmed it. A walk that was cut, and one that is
// not that of the entry any more, means nothing.
func (p *lessons) refer(dev *storage.Device, key string, at time.Time) (func(*storage.ModelReference), error) {
	w, rules := &dev.Walk, p.opt.Rules.Version()
	if w.Ended.IsZero() || w.Short != "" {
		return func(*storage.ModelReference) {}, nil
	}
	if m, err := p.readModel(key); err != nil {
		return func(*storage.ModelReference) {}, p.skip("model not read", key, err)
	} else if m != nil && w.Model == key && m.Reference.Rules == rules {
		return func(r *storage.ModelReference) { r.Confirmed++ }, nil
	}
	t, err := p.treeOf(dev)
	if err != nil {
		return func(*storage.ModelReference) {}, p.skip("tree not read", string(dev.ID), err)
	}
	now := referenceOf(dev, t.nodes)
	now.Time, now.Rules = at, rules
	return func(r *storage.ModelReference) {
		switch {
		case r.Time.IsZero() && w.Model != "": // it was reset since: what the device has confirmed is not known any more
		case r.Time.IsZero():
			*r = now
		case w.Model == key:
			confirmed, denied := r.Confirmed+1, r.Denied
			if r.Rules != rules {
				now.Nodes = boundNodes(slices.Concat(r.Nodes, now.Nodes))
				*r = now
			}
			r.Confirmed, r.Denied = confirmed, denied
		case w.Model != "": // that of another firmware
		case r.Rules != rules:
			*r = now
		case r.Device == dev.ID:
		case agree(r.Nodes, now.Nodes):
			r.Confirmed++
		default:
			if r.Denied++; r.Denied > r.Confirmed {
				*r = now
			}
		}
	}, nil
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

// before says whether the device of an entry was discovered before it, and whether that was by the same order.
func (p *lessons) before(e *storage.FeedEntry) (known, same bool, err error) {
	after := uint64(0)
	for read := 0; read < timelineRead; read += learnPage {
		page, err := p.store.Timeline(e.Device, after, learnPage)
		if err != nil {
			return false, false, p.skip("timeline not read", string(e.Device), err)
		}
		for i := range page {
			if page[i].Offset >= e.Offset {
				return known, same, nil
			}
			if page[i].Kind == e.Kind && (e.Kind != "state" || page[i].To == storage.Discovered) {
				known = true
				same = same || page[i].Order == e.Order
			}
		}
		if len(page) < learnPage {
			return known, same, nil
		}
		after = page[len(page)-1].Offset
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
