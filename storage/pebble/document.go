package pebble

import (
	"errors"
	"hash/maphash"

	"dmgate/storage"
)

// Document reads what is kept under a name.
func (s *Store) Document(name string) ([]byte, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	return s.document(name)
}

func (s *Store) document(name string) (value []byte, err error) {
	key := appendNameKey(nil, tableDocument, name)
	read, closer, err := s.db.Get(key)
	if err != nil {
		return nil, s.readError(key, err)
	}
	defer closeRead(closer, &err)
	return append([]byte{}, read...), nil
}

// PutDocument keeps a value under a name.
func (s *Store) PutDocument(name string, value []byte) error {
	return s.EditDocument(name, func([]byte) ([]byte, error) { return append([]byte{}, value...), nil })
}

// EditDocument replaces a document by what edit makes of it.
func (s *Store) EditDocument(name string, edit func(old []byte) ([]byte, error)) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	return s.write(func(w *writer) (uint64, error) {
		own := &s.devices[maphash.String(s.seed, name)%uint64(len(s.devices))]
		own.Lock()
		defer own.Unlock()
		old, err := s.document(name)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return 0, err
		}
		value, err := edit(old)
		if err != nil {
			return 0, err
		}
		if w.key = appendNameKey(w.key[:0], tableDocument, name); value == nil {
			w.delete(w.key)
		} else {
			w.set(w.key, value)
		}
		return s.publish(w, "")
	})
}

// Documents lists documents by name.
func (s *Store) Documents(prefix, behind string, limit int) ([]storage.Document, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if limit < 1 {
		return nil, nil
	}
	lower := appendNameKey(nil, tableDocument, prefix)
	upper := after(lower)
	if behind >= prefix {
		lower = append(appendNameKey(nil, tableDocument, behind), 0)
	}
	var list []storage.Document
	if string(lower) >= string(upper) {
		return nil, nil
	}
	err := s.scan(lower, upper, func(key, value []byte) (bool, error) {
		list = append(list, storage.Document{Name: string(key[1:]), Value: append([]byte{}, value...)})
		return len(list) < limit, nil
	})
	return list, err
}
