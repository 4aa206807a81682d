package api

import (
	"time"

	"dmgate/gateway/fleet"
	"dmgate/storage"
)

type NewDevice struct {
	MSISDN string `json:"msisdn"`
	IMSI   string `json:"imsi"`
	DevID  string `json:"dev_id"`
}

// device is a device as the API shows it.
type Device struct {
	ID      storage.DeviceID  `json:"id"`
	MSISDN  string            `json:"msisdn"`
	IMSI    string            `json:"imsi,omitempty"`
	DevID   string            `json:"dev_id,omitempty"`
	Created time.Time         `json:"created"`
	State   storage.State     `json:"state"`
	Since   time.Time         `json:"since"`
	Reason  string            `json:"reason,omitempty"`
	Wait    *wait             `json:"waits,omitempty"`
	Order   string            `json:"order,omitempty"`
	Seen    *time.Time        `json:"seen,omitempty"`
	Facts   map[string]string `json:"facts,omitempty"`
	Objects []object          `json:"objects,omitempty"`
	Given   []given           `json:"certificates,omitempty"` // root certificates that it was given
	// Capabilities is their version when the device was last discovered.
	Capabilities string      `json:"capabilities,omitempty"`
	Orders       []order     `json:"orders,omitempty"`
	Pushes       []pushJob   `json:"pushes,omitempty"`
	Timeline     []FeedEntry `json:"timeline,omitempty"`
}

type wait struct {
	For   string    `json:"for"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	Next  string    `json:"next"`
}

type object struct {
	URI      string   `json:"uri"`
	Type     string   `json:"type,omitempty"`
	Children []string `json:"children,omitempty"`
}

type order struct {
	ID      string             `json:"id"`
	Batch   string             `json:"batch"`
	Kind    string             `json:"kind"`
	State   storage.OrderState `json:"state"`
	Created time.Time          `json:"created"`
	Ended   *time.Time         `json:"ended,omitempty"`
	Reason  string             `json:"reason,omitempty"`
}

type pushJob struct {
	Order    string            `json:"order"`
	Kind     string            `json:"kind"`
	State    storage.PushState `json:"state"`
	Modem    string            `json:"modem,omitempty"`
	Attempts int               `json:"attempts"`
	Segments int               `json:"segments"`
	Changed  time.Time         `json:"changed"`
	Error    string            `json:"error,omitempty"`
}

// How many things a list shows unless told otherwise, and at most.
const (
	pageSize = 100
	maxPage  = 1000
)

func (a *API) createDevice(r *request) (any, error) {
	var in NewDevice
	if err := r.read(&in); err != nil {
		return nil, err
	}
	d, err := a.fleet.Register(fleet.NewDevice(in))
	if err != nil {
		return nil, err
	}
	r.Response.Header.Set("Location", Prefix+"devices/"+string(d.ID))
	return showDevice(d), nil
}

func (a *API) listDevices(r *request) (any, error) {
	limit, err := r.limit()
	if err != nil {
		return nil, err
	}
	if number := string(r.QueryArgs().Peek("msisdn")); number != "" {
		return a.findDevice(number)
	}
	found, err := a.store.Devices(storage.DeviceID(r.QueryArgs().Peek("after")), limit)
	if err != nil {
		return nil, err
	}
	page := DevicePage{Devices: make([]*Device, len(found))}
	for i := range found {
		page.Devices[i] = showDevice(&found[i])
	}
	if len(found) == limit && len(found) > 0 {
		page.Next = found[len(found)-1].ID
	}
	return page, nil
}

type DevicePage struct {
	Devices []*Device        `json:"devices"`
	Next    storage.DeviceID `json:"next,omitempty"` // the ?after of the next page
}

func (a *API) findDevice(msisdn string) (any, error) {
	page := DevicePage{Devices: []*Device{}}
	id, err := a.store.FindDevice(storage.ByMSISDN, msisdn)
	if err == storage.ErrNotFound {
		return page, nil
	}
	if err != nil {
		return nil, err
	}
	d, err := a.store.Device(id)
	if err != nil {
		return nil, err
	}
	page.Devices = append(page.Devices, showDevice(d))
	return page, nil
}

// getDevice shows a device whole: its state, its orders, its timeline, what was discovered.
func (a *API) getDevice(r *request) (any, error) {
	id := storage.DeviceID(r.id)
	d, err := a.store.Device(id)
	if err != nil {
		return nil, err
	}
	out := showDevice(d)
	objects, err := a.fleet.Objects(d)
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		out.Objects = append(out.Objects, object(o))
	}
	out.Capabilities = d.Walk.Capabilities
	out.Facts = d.Facts
	for _, g := range d.Certificates {
		out.Given = append(out.Given, given{g.Certificate, g.Fingerprint, g.How, g.State, g.Time, g.Order})
	}
	orders, err := a.store.Orders(id)
	if err != nil {
		return nil, err
	}
	for _, o := range orders {
		out.Orders = append(out.Orders, order{
			ID: o.ID, Batch: o.Batch, Kind: o.Kind, State: o.State, Created: o.Created, Ended: instant(o.Ended), Reason: o.Reason,
		})
	}
	pushes, err := a.store.Pushes(id)
	if err != nil {
		return nil, err
	}
	for _, p := range pushes {
		out.Pushes = append(out.Pushes, pushJob{
			Order: p.Order, Kind: p.Kind, State: p.State, Modem: p.Modem, Attempts: p.Attempts, Segments: p.Total,
			Changed: p.Changed, Error: p.Error,
		})
	}
	timeline, err := a.latest(id)
	if err != nil {
		return nil, err
	}
	out.Timeline = ShowFeed(timeline)
	return out, nil
}

// latest is the end of a device's timeline: its last maxPage entries, oldest first.
func (a *API) latest(id storage.DeviceID) ([]storage.FeedEntry, error) {
	var end []storage.FeedEntry
	after := uint64(0)
	for {
		page, err := a.store.Timeline(id, after, maxPage)
		if err != nil || len(page) == 0 {
			return end, err
		}
		after = page[len(page)-1].Offset
		end = append(end, page...)
		end = end[max(0, len(end)-maxPage):]
	}
}

func showDevice(d *storage.Device) *Device {
	out := &Device{
		ID: d.ID, MSISDN: d.MSISDN, IMSI: d.IMSI, DevID: d.DevID, Created: d.Created, State: d.State, Since: d.Since,
		Reason: d.Reason, Order: d.Order, Seen: instant(d.Seen),
	}
	if d.Wait.For != "" {
		w := wait(d.Wait)
		out.Wait = &w
	}
	return out
}

// instant is nil for a time that was never set.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (a *API) getResults(r *request) (any, error) {
	limit, err := r.limit()
	if err != nil {
		return nil, err
	}
	after, err := r.number("after", 0, 0, 1<<62)
	if err != nil {
		return nil, err
	}
	if _, err := a.store.Device(storage.DeviceID(r.id)); err != nil {
		return nil, err
	}
	results, err := a.store.Results(storage.DeviceID(r.id), after, limit)
	if err != nil {
		return nil, err
	}
	page := ResultPage{Answers: showAnswers(results)}
	if n := len(results); n >= limit { // a page holds whole tasks
		page.Next = results[n-1].Task
	}
	return page, nil
}
