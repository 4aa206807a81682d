package fleet

import (
	"fmt"
	"regexp"

	"dmgate/storage"
)

// The library of access points: what the subscribers of a network need to reach it, by MCC and MNC.

const operatorPrefix = "operator/"

var operatorCode = regexp.MustCompile(`^[0-9]{5,6}$`)

// PutOperator keeps an entry of the library, in place of the one that was there. A login or a proxy without a secret
// keeps the one that it had there. The error is a *FieldError where a device would refuse what it says.
func (f *Fleet) PutOperator(o *storage.Operator) error {
	if err := checkOperator(o); err != nil {
		return err
	}
	o.Changed = f.opt.Clock()
	value, err := storage.AppendRecord(nil, o)
	if err != nil {
		return err
	}
	return f.store.PutDocument(operatorPrefix+o.Code, value)
}

// Operator reads the entry of a network. The error is storage.ErrNotFound where there is none.
func (f *Fleet) Operator(code string) (*storage.Operator, error) {
	value, err := f.store.Document(operatorPrefix + code)
	if err != nil {
		return nil, err
	}
	o := new(storage.Operator)
	return o, storage.ReadRecord(value, o)
}

// Operators lists entries by code.
func (f *Fleet) Operators(after string, limit int) ([]storage.Operator, error) {
	docs, err := f.store.Documents(operatorPrefix, operatorPrefix+after, limit)
	if err != nil {
		return nil, err
	}
	list := make([]storage.Operator, len(docs))
	for i := range docs {
		if err := storage.ReadRecord(docs[i].Value, &list[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", docs[i].Name, err)
		}
	}
	return list, nil
}

// RemoveOperator forgets an entry.
func (f *Fleet) RemoveOperator(code string) error {
	return f.store.EditDocument(operatorPrefix+code, func(old []byte) ([]byte, error) {
		if old == nil {
			return nil, storage.ErrNotFound
		}
		return nil, nil
	})
}

func checkOperator(o *storage.Operator) error {
	if !operatorCode.MatchString(o.Code) {
		return &FieldError{"code", fmt.Sprintf("%.20q is no MCC and MNC of 5 or 6 digits", o.Code)}
	}
	return nil
}
