package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"dmgate/gateway/certcheck"
	"dmgate/storage"
)

// Root certificates that devices can be given. They are kept as documents, under the first digits of their fingerprint.

const (
	certificatePrefix = "certificate/"
	certificateID     = 16  // digits
	maxLabel          = 100 // characters of a name that an admin gives
)

// AddCertificate keeps a root certificate, given as PEM or DER. One that is there already gets the new name, if there
// is one. What devices are known to reject comes as warnings; what none can use is a *FieldError.
func (f *Fleet) AddCertificate(name string, text []byte) (*storage.Certificate, []certcheck.Warning, error) {
	list, err := certcheck.Read(text)
	if err != nil {
		return nil, nil, &FieldError{"certificate", err.Error()}
	}
	if len(list) != 1 {
		return nil, nil, &FieldError{"certificate", fmt.Sprintf("%d certificates, want the root alone", len(list))}
	}
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxLabel {
		return nil, nil, &FieldError{"name", fmt.Sprintf("not at most %d characters", maxLabel)}
	}
	root := list[0]
	warnings := certcheck.Root(root, f.opt.Clock())
	for _, w := range warnings {
		if w.Fatal {
			return nil, nil, &FieldError{"certificate", w.String()}
		}
	}
	fingerprint := fingerprint(root.Raw)
	added := &storage.Certificate{
		ID: CertificateID(root.Raw), Name: name, Fingerprint: fingerprint, DER: root.Raw, Created: f.opt.Clock(),
	}
	if added.Name == "" {
		added.Name = strings.ToValidUTF8(root.Subject.CommonName, "?")
	}
	err = f.store.EditDocument(certificatePrefix+added.ID, func(old []byte) ([]byte, error) {
		if old != nil {
			var known storage.Certificate
			if err := storage.ReadRecord(old, &known); err != nil {
				return nil, err
			}
			if known.Fingerprint != fingerprint {
				return nil, &FieldError{"certificate", "another one is kept under " + known.ID}
			}
			added.Created = known.Created
			if name == "" {
				added.Name = known.Name
			}
		}
		return storage.AppendRecord(nil, added)
	})
	if err != nil {
		return nil, nil, err
	}
	return added, warnings, nil
}

// CertificateID is the ID of the certificate with this DER.
func CertificateID(der []byte) string { return fingerprint(der)[:certificateID] }

// fingerprint is the SHA-256 of a certificate's DER, in hex.
func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// Certificate reads a root certificate. The error is storage.ErrNotFound where there is none.
func (f *Fleet) Certificate(id string) (*storage.Certificate, error) {
	value, err := f.store.Document(certificatePrefix + id)
	if err != nil {
		return nil, err
	}
	c := new(storage.Certificate)
	return c, storage.ReadRecord(value, c)
}

// Certificates lists root certificates by ID.
func (f *Fleet) Certificates(after string, limit int) ([]storage.Certificate, error) {
	docs, err := f.store.Documents(certificatePrefix, certificatePrefix+after, limit)
	if err != nil {
		return nil, err
	}
	list := make([]storage.Certificate, len(docs))
	for i := range docs {
		if err := storage.ReadRecord(docs[i].Value, &list[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", docs[i].Name, err)
		}
	}
	return list, nil
}

// RemoveCertificate forgets a root certificate. Devices keep it, and so does what is known of them. The one that is
// given before bootstraps is a *StateError.
func (f *Fleet) RemoveCertificate(id string) error {
	if id == f.opt.Certificate.Root && f.opt.Certificate.Send != SendNever {
		return &FieldError{"id", "it is the one that devices are given before their bootstrap (device.certificate.root)"}
	}
	return f.store.EditDocument(certificatePrefix+id, func(old []byte) ([]byte, error) {
		if old == nil {
			return nil, storage.ErrNotFound
		}
		return nil, nil
	})
}

// CertificateWarnings looks at a root certificate that is kept, as it is today.
func (f *Fleet) CertificateWarnings(c *storage.Certificate) ([]certcheck.Warning, error) {
	list, err := certcheck.Read(c.DER)
	if err != nil {
		return nil, errors.Join(storage.ErrDamaged, err)
	}
	return certcheck.Root(list[0], f.opt.Clock()), nil
}

// Root is the root certificate that devices are given before their bootstrap; nil where there is none.
func (f *Fleet) Root() (*storage.Certificate, error) {
	if f.opt.Certificate.Root == "" {
		return nil, nil
	}
	return f.Certificate(f.opt.Certificate.Root)
}
