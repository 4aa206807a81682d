package pebble

import (
	"errors"
	"fmt"
	"maps"

	"dmgate/storage"
)

// device writes the device's record and its due entry, and begins the feed with a change of its state. It says
// whether a unique name changes, which names has to see to.
func (w *writer) device(c *storage.Commit) (renamed bool, err error) {
	if c.New == nil && c.Edit == nil {
		return false, nil
	}
	w.key = appendDeviceKey(w.key[:0], tableDevice, c.Device)
	err = w.s.get(w.key, &w.now)
	switch {
	case err == nil && c.New != nil:
		return false, storage.ErrExists
	case err == nil:
		w.was = w.now // Edit may change maps and slices in place, but none of them is asked for below
	case c.New != nil && errors.Is(err, storage.ErrNotFound):
		w.now = *c.New
	default:
		return false, err
	}
	if c.Edit != nil {
		if c.New != nil {
			w.now.Facts = maps.Clone(c.New.Facts) // the caller's New stays as it is
		}
		if w.now.Facts == nil {
			w.now.Facts = map[string]string{}
		}
		if err := c.Edit(&w.now); err != nil {
			return false, err
		}
		if w.now.ID != c.Device {
			return false, fmt.Errorf("storage: device %q may not become %q", c.Device, w.now.ID)
		}
	}
	if err := w.put(w.key, &w.now); err != nil {
		return false, err
	}
	w.index(dueKey(&w.was), dueKey(&w.now))
	if w.was.State != w.now.State {
		text := w.now.Reason
		if text == "" {
			text = w.now.Wait.String()
		}
		w.entry = storage.FeedEntry{
			Time: c.Time, Device: c.Device, Kind: "state", Order: w.now.Order,
			From: w.was.State, To: w.now.State, Text: text,
		}
		if err := w.append(); err != nil {
			return false, err
		}
	}
	return w.was.MSISDN != w.now.MSISDN || w.was.DevID != w.now.DevID, nil
}

// dueKey is the entry of d among the devices that wait, nil where it waits for nothing.
func dueKey(d *storage.Device) []byte {
	if d.Wait.For == "" {
		return nil
	}
	return appendDeviceDueKey(nil, d)
}

// names takes the device's new names and lets the old ones go.
func (w *writer) names(id storage.DeviceID) error {
	rename := func(table byte, was, is string) error {
		if was == is {
			return nil
		}
		if was != "" {
			w.delete(appendNameKey(nil, table, was))
		}
		if is == "" {
			return nil
		}
		key := appendNameKey(nil, table, is)
		switch owner, err := w.s.owner(key); {
		case err == nil && owner != id:
			return storage.ErrExists
		case err != nil && !errors.Is(err, storage.ErrNotFound):
			return err
		}
		w.set(key, []byte(id))
		return nil
	}
	if err := rename(tableMSISDN, w.was.MSISDN, w.now.MSISDN); err != nil {
		return err
	}
	return rename(tableDevID, w.was.DevID, w.now.DevID)
}
