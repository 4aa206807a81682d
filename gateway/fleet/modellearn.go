package fleet

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"dmgate/storage"
)

// How the fleet learns. Nothing waits for it.
const (
	learnTick   = time.Second
	learnSettle = 250 * time.Millisecond
	learnPage   = 1000   // feed entries at a time
	learnBehind = 10_000 // feed entries without a lesson that are read again after a crash, at most
)

// RunModels learns from what happens to devices what those of their model can do, until ctx ends. It is a reader of the
// feed. Each record of a model keeps the offset up to which it has counted, so an entry counts once, also after a crash
// and where several processes learn: what is read again is known by its offset. Only a device that changes its firmware
// between two readings of one entry may count on both models.
func (f *Fleet) RunModels(ctx context.Context) error {
	tick := time.NewTicker(learnTick)
	defer tick.Stop()
	for ctx.Err() == nil {
		l := &learner{Fleet: f}
		err := l.run(ctx)
		if err == nil || errors.Is(err, storage.ErrClosed) {
			return nil
		}
		if !errors.Is(err, storage.ErrFailed) {
			f.opt.Log.Error("nothing is learnt, to be tried again", zap.Error(err))
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

// learner reads the feed and counts. What it keeps in memory is true as long as nothing that it wrote has failed.
type learner struct {
	*Fleet
	storage.ModelReader        // as far as it has come
	saved               uint64 // Offset as it is kept in the store
	full                bool   // it was said that there is no place for more models
}

func (l *learner) run(ctx context.Context) error {
	if err := l.load(); err != nil {
		return err
	}
	for ctx.Err() == nil {
		grown := l.store.Grown()
		if worked, err := l.round(); err != nil {
			return err
		} else if worked {
			continue
		}
		select {
		case <-ctx.Done():
		case <-grown:
			settle := time.NewTimer(learnSettle)
			select {
			case <-ctx.Done():
			case <-settle.C:
			}
			settle.Stop()
		}
	}
	return nil
}

// load finds out how far the feed was read.
func (l *learner) load() error {
	r, err := l.modelReader(nil)
	if err != nil {
		return err
	}
	l.ModelReader, l.saved = *r, r.Offset
	return nil
}

// modelReader is where the gateway stands that learns, changed by change where that is not nil. It gives the gateway a
// name where it has none yet.
func (f *Fleet) modelReader(change func(*storage.ModelReader)) (*storage.ModelReader, error) {
	r := &storage.ModelReader{}
	value, err := f.store.Document(storage.ModelReaderName)
	if err == nil && change == nil {
		return r, storage.ReadRecord(value, r)
	}
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	err = f.store.EditDocument(storage.ModelReaderName, func(old []byte) ([]byte, error) {
		*r = storage.ModelReader{}
		if old == nil {
			r.Origin = NewName()
		} else if err := storage.ReadRecord(old, r); err != nil {
			return nil, err
		}
		if change != nil {
			change(r)
		}
		return storage.AppendRecord(nil, r)
	})
	return r, err
}

// round takes in a page of the feed. It says whether there may be more.
func (l *learner) round() (worked bool, err error) {
	entries, err := l.store.Feed(l.Offset, learnPage)
	if err != nil || len(entries) == 0 {
		return false, err
	}
	p := &lessons{learner: l, devices: make(map[storage.DeviceID]*storage.Device), byKey: make(map[string][]lesson)}
	for i := range entries {
		if err := p.read(&entries[i]); err != nil {
			return false, err
		}
	}
	made := 0
	for _, key := range slices.Sorted(maps.Keys(p.byKey)) {
		isNew, err := l.teach(key, p.byKey[key])
		if err := l.skip("model not written", key, err); err != nil {
			return false, err
		}
		if isNew {
			made++
		}
	}
	l.Offset = entries[len(entries)-1].Offset
	if made > 0 || len(p.byKey) > 0 || l.Offset-l.saved > learnBehind {
		err := l.keep(made)
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// keep makes durable how far the feed was read.
func (l *learner) keep(made int) error {
	at := l.Offset
	r, err := l.modelReader(func(r *storage.ModelReader) {
		r.Offset = max(r.Offset, at)
		r.Kept += made
	})
	if err != nil {
		return err
	}
	l.Kept, l.saved = r.Kept, r.Offset
	return nil
}

// errKnown abandons an edit that would change nothing, and errFull one that would make a model too many.
var (
	errKnown = errors.New("fleet: it is known already")
	errFull  = errors.New("fleet: there are as many models as are kept")
)

// teach has a model take in what was read of it. isNew says that there was none.
func (l *learner) teach(key string, list []lesson) (isNew bool, err error) {
	err = l.store.EditDocument(storage.ModelPrefix+key, func(old []byte) ([]byte, error) {
		m := &storage.Model{}
		if isNew = old == nil; !isNew {
			if err := storage.ReadRecord(old, m); err != nil {
				return nil, err
			}
		} else {
			if l.Kept >= l.opt.Models {
				return nil, errFull
			}
			*m = list[0].of
			m.Created = list[0].at
		}
		before := m.Offset
		own := learntBy(m, l.Origin)
		for i := range list {
			if list[i].offset <= before {
				continue // counted before a crash, or by another process
			}
			list[i].teach(m, own)
			m.Offset = list[i].offset
			own.Changed = later(own.Changed, list[i].at)
		}
		if m.Offset == before {
			return nil, errKnown
		}
		m.Changed = later(m.Changed, own.Changed)
		return storage.AppendRecord(nil, m)
	})
	switch {
	case errors.Is(err, errKnown):
		return false, nil
	case errors.Is(err, errFull):
		if !l.full {
			l.full = true
			l.opt.Log.Warn("nothing is learnt of new models: there are as many as are kept", zap.Int("models", l.Kept))
		}
		return false, nil
	case err == nil:
		l.models.forget(key)
	}
	return isNew, err
}

// later is a time that is after the last one: of two snapshots of one gateway the later one can be told, also where its
// clock was set back.
func later(last, now time.Time) time.Time {
	if now.After(last) {
		return now
	}
	return last.Add(1)
}

// skip lets pass what can not be read or written of one model: one bad item never sinks the rest.
func (l *learner) skip(what, of string, err error) error {
	if err == nil || errors.Is(err, storage.ErrFailed) || errors.Is(err, storage.ErrClosed) {
		return err
	}
	l.opt.Log.Error(what, zap.String("of", of), zap.Error(err))
	return nil
}
