package fleet

import (
	"errors"

	"dmgate/storage"
)

// Kinds of orders that are one push: done when that is delivered.
const (
	kindCertificate = storage.KindCertificate
	kindAccessPoint = "access-point"
)

// SendCertificate is an order to give one device a root certificate.
type SendCertificate struct {
	Device      storage.DeviceID
	Certificate string // its ID
	Batch       string // the request it came with
	Key         string // of the request, where it may come more than once; see BootstrapOnce
	Priority    uint8  // 0 goes first
}

// Sending is what has come of an order that is a push.
type Sending struct {
	Order    string
	Repeated bool   // it was placed before: by the same request, or another one that is not over yet
	How      string // HowPush, ...; "" where it is repeated
	Why      string
	PIN      string // what the user has to type; it is told only here
}

// SendCertificate places an order: order, push and what the device is given in one commit; or, where the device has an
// account, a job. The error is a *FieldError
// where the device can not take it, or storage.ErrNotFound where the device or the certificate is not known.
func (f *Fleet) SendCertificate(s SendCertificate) (*Sending, error) {
	cert, err := f.Certificate(s.Certificate)
	if err != nil {
		return nil, err
	}
	dev, err := f.store.Device(s.Device)
	if err != nil {
		return nil, err
	}
	name := NewName()
	if s.Key != "" {
		name = KeyedName(kindCertificate, s.Key) + "." + string(dev.ID)
		if known, err := f.hasOrder(dev.ID, name); known || err != nil {
			return &Sending{Order: name, Repeated: true}, err
		}
	}
	if dev.State.Bootstrapped() {
		return f.sendByJob(JobOrder{
			Device: dev.ID, Kind: jobCertificate, ID: name, Batch: s.Batch, Priority: s.Priority,
			Values: map[string]string{valueCertificate: cert.ID},
		})
	}
	before, err := f.carrier(dev, cert)
	if err != nil {
		return nil, err
	}
	job, given, way, err := f.certificatePush(dev, cert, name)
	if err != nil {
		return nil, err
	}
	job.Priority = s.Priority
	now := f.opt.Clock()
	var same string // an order for the same, which is not over
	err = f.store.Commit(&storage.Commit{
		Device: dev.ID, Time: now,
		Edit: func(d *storage.Device) error {
			g := d.Given(cert.ID)
			if g != nil && (before != nil && onItsWay(before) && g.Push == before.ID || moved(dev.Given(cert.ID), g)) {
				same = g.Order
				return errSameOrder
			}
			d.Give(given)
			return nil
		},
		Orders: []storage.Order{{
			ID: name, Device: dev.ID, Batch: s.Batch, Kind: kindCertificate, State: storage.OrderOpen, Created: now,
		}},
		Pushes: []storage.PushJob{job},
		Feed: []storage.FeedEntry{{
			Kind: "order", Order: name, Status: string(storage.OrderOpen),
			Text: "root certificate " + cert.Name + " by " + way.How + ": " + way.Why,
		}},
	})
	if errors.Is(err, errSameOrder) {
		return &Sending{Order: same, Repeated: true}, nil
	}
	if err != nil {
		return nil, err
	}
	f.pushed()
	return &Sending{Order: name, How: way.How, Why: way.Why}, nil
}

// carrier is the push that carries a certificate to a device, or did; nil where there is none.
func (f *Fleet) carrier(dev *storage.Device, cert *storage.Certificate) (*storage.PushJob, error) {
	given := dev.Given(cert.ID)
	if given == nil || given.Push == 0 {
		return nil, nil
	}
	p, err := f.store.Push(dev.ID, given.Push)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return p, err
}

// onItsWay says whether a push has not come to its end.
func onItsWay(p *storage.PushJob) bool { return p.State == storage.PushQueued || p.UnderWay() }

// moved says whether a device was given a certificate anew since it was read.
func moved(was, is *storage.Given) bool { return was == nil || was.Push != is.Push }

// errSameOrder abandons an order that is placed already.
var errSameOrder = errors.New("fleet: the same was ordered already")
