package fleet

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"dmgate/storage"
)

// How long what was read of models is taken for true, and of how many. Another process may learn, too.
const (
	modelsFresh = 10 * time.Second
	modelsKept  = 1024
	kinRead     = 64 // other firmwares of a model that are looked at,
	kinKept     = 16 // and of those that were changed last, how many are kept
	tacKin      = 4  // models of a TAC that are taken for the kin of a device that has not said what it is
)

// models is what was read of models of late, which can be read again, and what does not change.
type models struct {
	rules map[string]string // versions by the names of recipes

	mu   sync.Mutex
	read map[string]readModel // by key
}

// readModel is what was read of a model: its record, nil where there is none, and those of its kin, the one that was
// changed last in front. They are shared and may not be changed.
type readModel struct {
	own *storage.Model
	kin []*storage.Model
	at  time.Time
}

// get is what is known of the model with a key, by read where it was not read of late.
func (c *models) get(key string, now time.Time, read func() (readModel, error)) (readModel, error) {
	c.mu.Lock()
	r, ok := c.read[key]
	c.mu.Unlock()
	if age := now.Sub(r.at); ok && age >= 0 && age <= modelsFresh {
		return r, nil
	}
	r, err := read()
	if err != nil {
		return readModel{}, err
	}
	r.at = now
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read == nil || len(c.read) >= modelsKept {
		c.read = make(map[string]readModel)
	}
	c.read[key] = r
	return r, nil
}

// forget has a model read anew, and all other firmwares of it: it is kin to them.
func (c *models) forget(key string) {
	kin := key[:strings.LastIndexByte(key, '|')+1] // of a TAC there is none
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.read, key)
	maps.DeleteFunc(c.read, func(k string, _ readModel) bool { return kin != "" && strings.HasPrefix(k, kin) })
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
	if err := storage.ReadRecord(value, m); err != nil {
		return nil, err
	}
	return m, nil
}

// readKin are the other firmwares of a model.
func (f *Fleet) readKin(of *storage.Model) ([]*storage.Model, error) {
	page, err := f.store.Documents(storage.ModelPrefix+storage.KinPrefix(of.Man, of.Mod), "", kinRead)
	if err != nil {
		return nil, err
	}
	var kin []*storage.Model
	for i := range page {
		m := &storage.Model{}
		if page[i].Name == storage.ModelPrefix+of.Key() || storage.ReadRecord(page[i].Value, m) != nil {
			continue // what is damaged there is no hint here
		}
		kin = append(kin, m)
	}
	slices.SortFunc(kin, func(a, b *storage.Model) int {
		return cmp.Or(b.Changed.Compare(a.Changed), cmp.Compare(a.FwV, b.FwV))
	})
	return kin[:min(len(kin), kinKept)], nil
}

// readTAC are the models whose devices have had a TAC, the one that was seen last in front, behind what is known of the
// TAC itself.
func (f *Fleet) readTAC(tac string) (r readModel, err error) {
	if r.own, err = f.readModel(storage.TACKey(tac)); err != nil || r.own == nil {
		return r, err
	}
	for _, met := range r.own.Models[:min(len(r.own.Models), tacKin)] {
		m, err := f.readModel(met.Key)
		if err != nil {
			return r, err
		}
		if m != nil {
			r.kin = append(r.kin, m)
		}
	}
	return r, nil
}
