package fleet

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"dmgate/storage"
)

// The library of access points: what the subscribers of a network need to reach it, by MCC and MNC. Its entries are
// kept as documents.

const operatorPrefix = "operator/"

var (
	operatorCode = regexp.MustCompile(`^[0-9]{5,6}$`)
	countryCode  = regexp.MustCompile(`^([A-Z]{2})?$`)
)

// PutOperator keeps what change makes of the entry of a network; nil is given where there is none. change may run more
// than once. The error is a *FieldError where a device would refuse what the entry says.
func (f *Fleet) PutOperator(code string, change func(old *storage.Operator) (*storage.Operator, error)) error {
	if !operatorCode.MatchString(code) {
		return &FieldError{"code", fmt.Sprintf("%.20q is no MCC and MNC of 5 or 6 digits", code)}
	}
	return f.store.EditDocument(operatorPrefix+code, func(value []byte) ([]byte, error) {
		var old *storage.Operator
		if value != nil {
			old = new(storage.Operator)
			if err := storage.ReadRecord(value, old); err != nil {
				return nil, err
			}
		}
		o, err := change(old)
		if err != nil {
			return nil, err
		}
		o.Code, o.Changed = code, f.opt.Clock()
		if err := checkOperator(o); err != nil {
			return nil, err
		}
		return storage.AppendRecord(nil, o)
	})
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

// RemoveOperator forgets an entry. The error is storage.ErrNotFound where there is none.
func (f *Fleet) RemoveOperator(code string) error {
	return f.store.EditDocument(operatorPrefix+code, func(old []byte) ([]byte, error) {
		if old == nil {
			return nil, storage.ErrNotFound
		}
		return nil, nil
	})
}

func checkOperator(o *storage.Operator) error {
	if n := len([]rune(o.Name)); n > maxLabel {
		return &FieldError{"name", fmt.Sprintf("%d characters (at most %d)", n, maxLabel)}
	}
	if !countryCode.MatchString(o.Country) {
		return &FieldError{"country", fmt.Sprintf("%.20q is no ISO 3166 code of two capitals", o.Country)}
	}
	return checkAccessPoints(&o.Settings, o.Code)
}

// operatorOf is the entry of the network that a device's SIM is of. Whether its MNC has two or three digits the IMSI
// does not say, so the library does: the longer one that it has. The error is a *FieldError where there is no telling.
func (f *Fleet) operatorOf(dev *storage.Device) (*storage.Operator, error) {
	codes := simCodes(dev)
	if len(codes) == 0 {
		return nil, &FieldError{"operator", "neither an IMSI nor a session of the device tells its network"}
	}
	for _, code := range codes {
		o, err := f.Operator(code)
		if !errors.Is(err, storage.ErrNotFound) {
			return o, err
		}
	}
	return nil, &FieldError{"operator", "the library has no entry for " + strings.Join(codes, " or ")}
}

// simCodes are the codes that the network of a device's SIM may have, the likeliest first: by its IMSI, else by what it
// has said itself, which Samsung's clients do (section 8.5).
func simCodes(dev *storage.Device) (codes []string) {
	const short, long = 5, 6
	if len(dev.IMSI) >= long {
		return []string{dev.IMSI[:long], dev.IMSI[:short]}
	}
	for _, names := range [][2]string{{"SIMCardMcc", "SIMCardMnc"}, {"Ext/SIMCardMcc", "Ext/SIMCardMnc"}} {
		mcc, mnc := dev.Facts[names[0]], dev.Facts[names[1]]
		if len(mnc) == 1 {
			mnc = "0" + mnc
		}
		if code := mcc + mnc; len(mcc) == 3 && operatorCode.MatchString(code) {
			codes = append(codes, code)
		}
	}
	return codes
}
