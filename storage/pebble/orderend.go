package pebble

import "dmgate/storage"

// orderEnd carries out c.Ends[i]: it ends an order that is open, and tells the feed. An order that was placed in this
// very commit is not in the store yet.
func (w *writer) orderEnd(c *storage.Commit, i int) error {
	end := &c.Ends[i]
	for k := range c.Ends[:i] {
		if c.Ends[k].ID == end.ID { // it ends once
			return nil
		}
	}
	var o storage.Order
	w.key = appendOrderKey(w.key[:0], c.Device, end.ID)
	if err := w.s.get(w.key, &o); err != nil {
		return err
	}
	if o.State != storage.OrderOpen {
		return nil
	}
	o.State, o.Ended, o.Reason = end.State, c.Time, end.Reason
	if err := w.put(w.key, &o); err != nil {
		return err
	}
	w.entry = storage.FeedEntry{
		Time: c.Time, Device: c.Device, Kind: "order", Order: o.ID, Status: string(o.State), Text: o.Reason,
	}
	return w.append()
}
