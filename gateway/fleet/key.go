package fleet

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// KeyedName is the name that belongs to a key which upstream has given to a request of some kind: the same key always has
// the same name, so that a request that comes again finds what it has led to. It has 16 characters, as NewName has.
func KeyedName(kind, key string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + key))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}
