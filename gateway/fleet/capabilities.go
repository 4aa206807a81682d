package fleet

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"dmgate/gateway/recipe"
	"dmgate/storage"
)

// ByModel is the confidence in a way that the device has not shown itself: others of its model have, and the device has
// confirmed what tells them apart.
const ByModel recipe.Confidence = "model"

// Capabilities is what a device can do, and how: compiled from what it has said, what was learnt of its model, and the
// rules. It is a function of these: the same have the same.
type Capabilities struct {
	Device   storage.DeviceID
	Version  string    // digest of all below, evidence and times aside
	Rules    string    // the rules' version
	Model    string    // key of the model; empty where the device has not said what it is
	Compiled time.Time // when the last thing was said of which it is made; zero where nothing was
	Complete bool      // the walk through its tree has come to its end
	Short    string    // the bound at which the walk was cut; empty for none
	// Reference is the model whose tree stands for what the device was not asked, and ReferenceOf the device that has
	// shown that tree; both are empty where it was asked for all, and the device where the model was imported.
	Reference   string
	ReferenceOf storage.DeviceID
	Message     int // bytes of a message that the device takes; 0 where it has not said
	Object      int // bytes of a large object that it takes; 0 where it has not said
	List        []recipe.Capability
}

// Capabilities compiles what is known of a device. The error is storage.ErrNotFound where there is none.
func (f *Fleet) Capabilities(id storage.DeviceID) (*Capabilities, error) {
	dev, err := f.store.Device(id)
	if err != nil {
		return nil, err
	}
	t, err := f.treeOf(dev)
	if err != nil {
		return nil, err
	}
	return f.compile(dev, t)
}

// Find is the capability of a name; nil where the rules know none.
func (c *Capabilities) Find(name string) *recipe.Capability {
	for i := range c.List {
		if c.List[i].Name == name {
			return &c.List[i]
		}
	}
	return nil
}

func (f *Fleet) compile(dev *storage.Device, t *tree) (*Capabilities, error) {
	w := &dev.Walk
	m := f.modelOf(dev)
	c := &Capabilities{
		Device: dev.ID, Rules: f.opt.Rules.Version(), Model: m.key, Complete: !w.Ended.IsZero(), Short: w.Short,
		Compiled: w.Ended,
	}
	c.Message, _ = strconv.Atoi(dev.Facts[storage.FactMaxMsgSize])
	c.Object, _ = strconv.Atoi(dev.Facts[storage.FactMaxObjSize])
	for i := range t.nodes {
		if at := t.nodes[i].Time; at.After(c.Compiled) {
			c.Compiled = at
		}
	}
	nodes := t.nodes
	if w.Model != "" && c.Complete {
		of, err := f.readModel(w.Model)
		if err != nil {
			return nil, err
		}
		if of != nil {
			reference, _ := (&model{own: of}).reference()
			nodes = t.over(reference)
			c.Reference, c.ReferenceOf = w.Model, of.Reference.Device
		}
	}
	c.List = f.opt.Rules.Compile(recipe.NewKnown(dev.Facts, nodes), m)
	if c.Reference != "" {
		c.mark(t)
	}
	c.Version = c.digest()
	return c, nil
}

// mark notes which ways the device has not shown itself.
func (c *Capabilities) mark(t *tree) {
	for i := range c.List {
		for k := range c.List[i].Ways {
			w := &c.List[i].Ways[k]
			if slices.ContainsFunc(w.Evidence, func(e recipe.Evidence) bool { return !t.has(e.URI) }) {
				w.Confidence = ByModel
			}
		}
	}
}

// digest is 16 hexadecimal digits that are the same for the same content.
func (c *Capabilities) digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %d %d\n", c.Rules, c.Model, c.Reference, c.Message, c.Object)
	for i := range c.List {
		is := &c.List[i]
		fmt.Fprintf(h, "%q %q %q\n", is.Name, is.Possible, is.Why)
		for k := range is.Ways {
			w := &is.Ways[k]
			fmt.Fprintf(h, "by %q %q\n", w.Recipe.Name, w.Confidence)
			for _, name := range slices.Sorted(maps.Keys(w.Names)) {
				fmt.Fprintf(h, "%q %q\n", name, w.Names[name])
			}
		}
		for k := range is.Not {
			fmt.Fprintf(h, "not %q %q %q\n", is.Not[k].Recipe.Name, is.Not[k].Possible, is.Not[k].Why)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// summary is what the feed tells of a device whose discovery has ended.
func (c *Capabilities) summary(short string) string {
	var can []string
	for i := range c.List {
		if c.List[i].Possible == recipe.Yes {
			can = append(can, c.List[i].Name)
		}
	}
	text := "can: " + cmp.Or(strings.Join(can, ", "), "nothing that the rules know")
	if short != "" {
		text += " (not looked at whole: " + short + ")"
	}
	return text
}
