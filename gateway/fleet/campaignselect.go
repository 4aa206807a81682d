package fleet

import (
	"errors"
	"slices"
	"strings"
	"time"

	"dmgate/storage"
)

// selectPage is how many devices are looked at in one step.
const selectPage = 500

// selectTargets adds the next page of the devices that the campaign's filter selects, and remembers in the same commit
// how far it has come. Devices that become known meanwhile may be missed.
func (e *engine) selectTargets(r *running, _ time.Time) (bool, error) {
	if !r.Selecting || ended(&r.Campaign) {
		return false, nil
	}
	page, err := e.store.Devices(r.Selected, selectPage)
	if err != nil {
		return false, err
	}
	var lines []Line
	for i := range page {
		if d := &page[i]; e.selects(&r.Filter, d) {
			lines = append(lines, Line{MSISDN: d.MSISDN, Device: d.ID})
		}
	}
	more := len(page) == selectPage
	err = e.addChunk(r.ID, lines, func(c *storage.Campaign) {
		c.Selecting = more
		if len(page) > 0 {
			c.Selected = page[len(page)-1].ID
		}
	}, &Added{})
	if err != nil && !errors.As(err, new(*StateError)) { // it was cancelled meanwhile
		return false, err
	}
	return true, e.reload(r.ID)
}

// selects says whether a filter selects a device.
func (f *Fleet) selects(by *storage.Filter, d *storage.Device) bool {
	is := func(want, got string) bool { return want == "" || strings.EqualFold(want, got) }
	return is(by.Make, d.Facts["Man"]) && is(by.Model, d.Facts["Mod"]) &&
		(by.TAC == "" || strings.HasPrefix(d.DevID, "IMEI:"+by.TAC)) &&
		(by.Operator == "" || is(by.Operator, f.opt.Destination(d.MSISDN).Operator)) &&
		(len(by.States) == 0 || slices.Contains(by.States, d.State))
}
