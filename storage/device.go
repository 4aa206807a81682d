package storage

import "time"

// Learn keeps what the device says of itself under the name of the node.
func (d *Device) Learn(name, value string) {
	if d.Facts == nil {
		d.Facts = make(map[string]string)
	}
	d.Facts[name] = value
}

// Enter puts the device into state s at a time, waiting for w until w.Until. why is empty unless s is a failed end.
func (d *Device) Enter(s State, at time.Time, why string, w Wait) {
	w.Since = at
	if w.For == "" {
		w = Wait{}
	}
	d.State, d.Since, d.Reason, d.Wait = s, at, why, w
}

// String is what the feed says of a wait: "waits for a modem"; empty where there is none.
func (w Wait) String() string {
	if w.For == "" {
		return ""
	}
	return "waits for " + w.For
}
