package fleet

import (
	"errors"
	"fmt"
	"io"
	"time"

	"dmgate/storage"
)

// The catalogue: packages with the rules that choose among them.

// maxPackages bounds the catalogue. It is read from end to end where a package is chosen, so many at a time.
const (
	maxPackages = 10_000
	catalogPage = 256
)

// AddPackage puts a package into the catalogue. One without a URL is chosen once its file is there (SetPackageFile). A
// key makes it safe to repeat: what was added under it is returned as it is, and repeated says so. The error is a
// *FieldError where p can not be.
func (f *Fleet) AddPackage(key string, p storage.Package) (added *storage.Package, repeated bool, err error) {
	p.ID, p.Created, p.Removed, p.File.Uploaded = NewName(), f.opt.Clock(), time.Time{}, time.Time{}
	if key != "" {
		p.ID = KeyedName("package", key)
	}
	if err := checkPackage(&p); err != nil {
		return nil, false, err
	}
	n := 0
	if err := f.eachPackage(func(*storage.Package) error { n++; return nil }); err != nil {
		return nil, false, err
	}
	if n >= maxPackages {
		return nil, false, &FieldError{"name", fmt.Sprintf("the catalogue has %d packages, at most that many", n)}
	}
	added = &p
	err = f.store.EditDocument(storage.PackageDocument+p.ID, func(old []byte) ([]byte, error) {
		added, repeated = &p, false
		if old != nil {
			added, repeated = new(storage.Package), true
			return old, storage.ReadRecord(old, added)
		}
		return storage.AppendRecord(nil, &p)
	})
	return added, repeated, err
}

// Package reads one package.
func (f *Fleet) Package(id string) (*storage.Package, error) {
	value, err := f.store.Document(storage.PackageDocument + id)
	if err != nil {
		return nil, err
	}
	p := new(storage.Package)
	return p, storage.ReadRecord(value, p)
}

// Packages lists packages by ID.
func (f *Fleet) Packages(after string, limit int) ([]storage.Package, error) {
	if after != "" {
		after = storage.PackageDocument + after
	}
	documents, err := f.store.Documents(storage.PackageDocument, after, limit)
	if err != nil {
		return nil, err
	}
	list := make([]storage.Package, len(documents))
	for i := range documents {
		if err := storage.ReadRecord(documents[i].Value, &list[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", documents[i].Name, err)
		}
	}
	return list, nil
}

// eachPackage calls visit with every package of the catalogue.
func (f *Fleet) eachPackage(visit func(*storage.Package) error) error {
	after := ""
	for {
		page, err := f.Packages(after, catalogPage)
		if err != nil {
			return err
		}
		for i := range page {
			if err := visit(&page[i]); err != nil {
				return err
			}
			after = page[i].ID
		}
		if len(page) < catalogPage {
			return nil
		}
	}
}

// EditPackage changes a package. edit may run more than once. What the package is and what its bytes are stays: its ID,
// and once it can be fetched its name, version and file.
func (f *Fleet) EditPackage(id string, edit func(*storage.Package) error) (*storage.Package, error) {
	return f.editPackage(id, func(p *storage.Package) error {
		was := *p
		if err := edit(p); err != nil {
			return err
		}
		if err := checkPackage(p); err != nil {
			return err
		}
		return unchanged(&was, p)
	})
}

// editPackage changes a package as it stands when it is written.
func (f *Fleet) editPackage(id string, edit func(*storage.Package) error) (*storage.Package, error) {
	var after storage.Package
	err := f.store.EditDocument(storage.PackageDocument+id, func(old []byte) ([]byte, error) {
		if old == nil {
			return nil, storage.ErrNotFound
		}
		after = storage.Package{}
		if err := storage.ReadRecord(old, &after); err != nil {
			return nil, err
		}
		if err := edit(&after); err != nil {
			return nil, err
		}
		return storage.AppendRecord(nil, &after)
	})
	if err != nil {
		return nil, err
	}
	return &after, nil
}

// unchanged refuses an edit that would make another package of one that jobs may have chosen.
func unchanged(was, is *storage.Package) error {
	fixed := func(field string) error {
		return &FieldError{field, "stays what it is once the package can be fetched: want another package"}
	}
	switch {
	case !was.Removed.IsZero():
		return storage.ErrNotFound
	case !was.Available():
		return nil
	case was.Name != is.Name:
		return fixed("name")
	case was.Version != is.Version:
		return fixed("version")
	case was.URL != is.URL:
		return fixed("url")
	case was.File.SHA256 != is.File.SHA256:
		return fixed("sha256")
	case was.File.Size != is.File.Size:
		return fixed("size")
	}
	return nil
}

// ErrHasFile is an upload of other bytes for a package that has its file.
var ErrHasFile = errors.New("fleet: the package has another file already")

// SetPackageFile says that the file of a package is there, with what was found of its bytes. The error is a *FieldError
// where that is not what was announced, and ErrHasFile where the package has another one.
func (f *Fleet) SetPackageFile(id, sha256 string, size int64) (*storage.Package, error) {
	now := f.opt.Clock()
	return f.editPackage(id, func(p *storage.Package) error {
		if err := announced(p, sha256, size); err != nil {
			return err
		}
		p.File.SHA256, p.File.Size = sha256, size
		if p.File.Uploaded.IsZero() {
			p.File.Uploaded = now
		}
		return nil
	})
}

// Announced says whether bytes may become the file of a package, before they are kept: sum is their SHA-256 in hex,
// empty where only their size is known yet. The error is a *FieldError where they are not what was announced, and
// ErrHasFile where the package has another file.
func (f *Fleet) Announced(id, sum string, size int64) error {
	p, err := f.Package(id)
	if err != nil {
		return err
	}
	return announced(p, sum, size)
}

// announced refuses bytes that are not those that were announced. sha256 is empty where only the size is known yet.
func announced(p *storage.Package, sha256 string, size int64) error {
	switch {
	case !p.Removed.IsZero():
		return storage.ErrNotFound
	case p.URL != "":
		return &FieldError{"url", "the package is fetched from there: it takes no file"}
	case !p.File.Uploaded.IsZero() && sha256 != "" && sha256 != p.File.SHA256:
		return ErrHasFile
	case p.File.Size != 0 && size != p.File.Size:
		return &FieldError{"size", fmt.Sprintf("%d bytes, announced were %d", size, p.File.Size)}
	case p.File.SHA256 != "" && sha256 != "" && sha256 != p.File.SHA256:
		return &FieldError{"sha256", fmt.Sprintf("%s, announced was %s", sha256, p.File.SHA256)}
	}
	return nil
}

// RemovePackage takes a package out of the catalogue: it is chosen no more. It stays readable until no job uses it
// (SweepPackages).
func (f *Fleet) RemovePackage(id string) (*storage.Package, error) {
	now := f.opt.Clock()
	return f.editPackage(id, func(p *storage.Package) error {
		if p.Removed.IsZero() {
			p.Removed = now
		}
		return nil
	})
}

// packagePayload reads the bytes of a package, for a way that carries them in the session itself: at most most bytes of
// them.
func (f *Fleet) packagePayload(p *storage.Package, most int64) ([]byte, error) {
	switch {
	case p.File.Uploaded.IsZero() || f.opt.File == nil:
		return nil, fmt.Errorf("fleet: package %s has no file here", p.ID)
	case p.File.Size > most:
		return nil, fmt.Errorf("fleet: package %s has %d bytes, at most %d go in a session", p.ID, p.File.Size, most)
	}
	file, err := f.opt.File(p.File.SHA256)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data := make([]byte, p.File.Size)
	_, err = io.ReadFull(file, data)
	return data, err
}
