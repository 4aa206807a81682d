package storage

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// RecordVersion stands in front of every record. It counts up only when a program that knows the old version would
// misread the new one; a field more or less does not need it, because records are maps.
const RecordVersion = 1

// AppendRecord appends r with its version and returns the extended buffer. It keeps nothing of r.
func AppendRecord(dst []byte, r msgp.Marshaler) ([]byte, error) {
	return r.MarshalMsg(append(dst, RecordVersion))
}

// ReadRecord reads what AppendRecord wrote into r, which has to be a zero value: a key that was not written leaves
// its field alone. r keeps nothing of src. Empty slices and maps are not told from nil ones.
func ReadRecord(src []byte, r msgp.Unmarshaler) error {
	if len(src) == 0 {
		return fmt.Errorf("%w: no bytes", ErrDamaged)
	}
	if src[0] != RecordVersion {
		return fmt.Errorf("%w: record version %d, this program reads %d", ErrDamaged, src[0], RecordVersion)
	}
	rest, err := r.UnmarshalMsg(src[1:])
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: %d bytes after its end", ErrDamaged, len(rest))
	}
	return nil
}
