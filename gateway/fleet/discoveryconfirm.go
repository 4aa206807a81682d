package fleet

import (
	"dmgate/sessions"
	"dmgate/storage"
)

// expect is what a device is asked beside what it is, to see whether its tree is that of its model.
func (f *Fleet) expect(dev *storage.Device, out *sessions.Outcome) []string { return nil }

// confirm goes on with a device that is asked to confirm the tree of its model.
func (f *Fleet) confirm(dev *storage.Device, t *tree, out *sessions.Outcome) ([]question, bool) {
	return nil, false
}
