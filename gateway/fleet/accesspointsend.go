package fleet

import (
	"fmt"

	"dmgate/storage"
)

// SendAccessPoint is an order to give one device access points, by a provisioning document of their own.
type SendAccessPoint struct {
	Device      storage.DeviceID
	AccessPoint AccessPoint
	Batch       string // the request it came with
	Key         string // of the request, where it may come more than once; see BootstrapOnce
	Priority    uint8  // 0 goes first
}

// SendAccessPoint places an order: order and push in one commit; or, where the device has an account and the settings
// are in the library, a job, which makes no PIN. A PIN that is left to us follows from the order's name where the
// request has a key, as that of a bootstrap does. The error is a *FieldError, or storage.ErrNotFound where the device
// is not known.
func (f *Fleet) SendAccessPoint(s SendAccessPoint) (*Sending, error) {
	dev, err := f.store.Device(s.Device)
	if err != nil {
		return nil, err
	}
	name := NewName()
	if s.Key != "" {
		name = KeyedName(kindAccessPoint, s.Key) + "." + string(dev.ID)
		if s.AccessPoint.PIN == "" {
			account, err := f.store.Account(dev.ID)
			if err != nil {
				return nil, err
			}
			s.AccessPoint.PIN = pinFor(account, name)
		}
	}
	a := &s.AccessPoint
	if dev.State.Bootstrapped() && a.Given == nil {
		return f.sendByJob(JobOrder{
			Device: dev.ID, Kind: jobAccessPoint, ID: name, Batch: s.Batch, Priority: s.Priority, Sec: a.Sec, PIN: a.PIN,
			Values: map[string]string{valueOperator: a.Operator, valueNAP: a.NAP},
		})
	}
	job, pin, err := f.accessPointPush(dev, &s.AccessPoint, name)
	if err != nil {
		return nil, err
	}
	if s.Key != "" {
		if known, err := f.hasOrder(dev.ID, name); known || err != nil {
			return &Sending{Order: name, Repeated: true, PIN: pin}, err
		}
	}
	job.Priority = s.Priority
	now := f.opt.Clock()
	err = f.store.Commit(&storage.Commit{
		Device: dev.ID, Time: now,
		Orders: []storage.Order{{
			ID: name, Device: dev.ID, Batch: s.Batch, Kind: kindAccessPoint, State: storage.OrderOpen, Created: now,
		}},
		Pushes: []storage.PushJob{job},
		Feed: []storage.FeedEntry{{
			Kind: "order", Order: name, Status: string(storage.OrderOpen),
			Text: fmt.Sprintf("access points, %d SMS", segments(job.PDU)),
		}},
	})
	if err != nil {
		return nil, err
	}
	f.pushed()
	return &Sending{Order: name, How: HowPush, PIN: pin}, nil
}
