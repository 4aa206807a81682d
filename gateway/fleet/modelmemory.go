package fleet

import (
	"errors"
	"sync"
	"time"

	"dmgate/storage"
)

// How long what was read of models is taken for true, and of how many. Another process may learn, too.
const (
	modelsFresh = 10 * time.Second
	modelsKept  = 4096
	kinRead     = 16 // other firmwares of a model
)

// models is what was read of models of late. All of it can be read again.
type models struct {
	mu   sync.Mutex
	read map[string]readModel // by key
}

type readModel struct {
	own *storage.Model
	kin []storage.Model
	at  time.Time
}

// get is the model with these facts, without seeds. Where there is an error it holds nothing but what it is.
func (c *models) get(f *Fleet, man, mod, fwV string) (*model, error) {
	m := &model{key: storage.ModelKey(man, mod, fwV), rules: f.ruleVersion(), bar: f.barring()}
	now := f.opt.Clock()
	c.mu.Lock()
	r, ok := c.read[m.key]
	c.mu.Unlock()
	if !ok || now.Sub(r.at) > modelsFresh {
		own, err := f.readModel(m.key)
		if err != nil {
			return m, err
		}
		kin, err := f.readKin(storage.KinPrefix(man, mod), m.key)
		if err != nil {
			return m, err
		}
		r = readModel{own, kin, now}
		c.mu.Lock()
		if c.read == nil || len(c.read) >= modelsKept {
			c.read = make(map[string]readModel)
		}
		c.read[m.key] = r
		c.mu.Unlock()
	}
	m.own, m.kin = r.own, r.kin
	return m, nil
}

// forget has models read anew.
func (c *models) forget() {
	c.mu.Lock()
	c.read = nil
	c.mu.Unlock()
}

// readModel is the record of a model; nil where there is none.
func (f *Fleet) readModel(key string) (*storage.Model, error) {
	value, err := f.store.Document(storage.ModelPrefix + key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m := &storage.Model{}
	return m, storage.ReadRecord(value, m)
}

// readKin are the other firmwares of a model, at most kinRead of them, the one that was changed last in front.
func (f *Fleet) readKin(prefix, but string) ([]storage.Model, error) {
	return nil, nil
}

func (f *Fleet) barring() barring { return barring{3, 0.7} }

func (f *Fleet) ruleVersion() string { return "" }

func (f *Fleet) modelOfTAC(dev *storage.Device) *model {
	return &model{rules: f.ruleVersion(), bar: f.barring()}
}
