package fleet

import (
	"errors"
	"fmt"
	"time"

	"dmgate/storage"
)

// Certificates first. A device that does not know our root can not use the account that a bootstrap gives it, so the
// certificate is sent before, as a push of its own, and the bootstrap's push stands behind it (PushJob.Behind).
//
// What holds at every moment, whatever was killed: the push behind is in the queue from the beginning, with a NotBefore
// that says how long it is held at most. Each commit that moves the first push sets that anew in the same commit, by
// what has become of the first one (see behind). So there is nothing to be caught up on after a restart, and a push
// that nobody reports on holds the other no longer than it may.

// needsCertificate is the root certificate that a device has to get before its bootstrap, and why; nil where it needs
// none. One that is on its way to the device already counts as needed: the bootstrap has to wait for it.
func (f *Fleet) needsCertificate(dev *storage.Device) (cert *storage.Certificate, why string, err error) {
	o := &f.opt.Certificate
	if o.Root == "" || o.Send == SendNever || o.Send == SendUnknown && !f.overTLS() {
		return nil, "", nil
	}
	if cert, err = f.Certificate(o.Root); err != nil {
		return nil, "", fmt.Errorf("fleet: root certificate %s (device.certificate.root): %w", o.Root, err)
	}
	if o.Send == SendAlways {
		return cert, "each bootstrap begins with it", nil
	}
	if given := dev.Given(cert.ID); given != nil {
		switch given.State {
		case storage.CertificateDelivered, storage.CertificateInstalled:
			return nil, "", nil
		}
	}
	if dev.Seen.After(cert.Created) { // over TLS: it has taken the chain
		return nil, "", nil
	}
	if f.modelOf(dev).hasWorked(outcomeCertificate+wayBuiltIn+cert.ID) >= enoughBuiltIn {
		return nil, "", nil
	}
	return cert, "the device is not known to trust it", nil
}

// overTLS says whether devices are told an https address.
func (f *Fleet) overTLS() bool { return isHTTPS(f.opt.Address) }

// firstPush is the push that a bootstrap stands behind, or why there is none though there should be one.
type firstPush struct {
	id    uint64           // 0 for none
	job   *storage.PushJob // to be committed; nil where it was before
	given storage.Given
	text  string // for the feed
}

// certificateFirst is what has to be sent before the bootstrap of an order. A device that can not be given the
// certificate gets its bootstrap without: it may know it from its maker.
func (f *Fleet) certificateFirst(dev *storage.Device, order string, priority uint8, flow string) (*firstPush, error) {
	cert, why, err := f.needsCertificate(dev)
	if err != nil || cert == nil {
		return nil, err
	}
	before, err := f.carrier(dev, cert)
	switch {
	case err != nil:
		return nil, err
	case before == nil:
	case onItsWay(before):
		return &firstPush{id: before.ID, text: "behind the root certificate " + cert.Name + ", which is on its way"}, nil
	case before.State == storage.PushDelivered && f.opt.Certificate.Send != SendAlways: // since dev was read
		return nil, nil
	}
	job, given, way, err := f.certificatePush(dev, cert, order)
	var refused *FieldError
	if errors.As(err, &refused) {
		return &firstPush{text: "without the root certificate " + cert.Name + ": " + refused.Reason}, nil
	}
	if err != nil {
		return nil, err
	}
	job.Priority, job.Flow = priority, flow
	text := fmt.Sprintf("root certificate %s first, for %s; by %s: %s", cert.Name, why, way.How, way.Why)
	return &firstPush{job.ID, &job, given, text}, nil
}

// certificateSize is how many segments go before the bootstrap of a device of which no more is known than that.
func (f *Fleet) certificateSize(dev *storage.Device) (int, error) {
	cert, _, err := f.needsCertificate(dev)
	if err != nil || cert == nil {
		return 0, err
	}
	if way := f.certificateWay(dev, cert); way.How != HowPush {
		return 1, nil // a link
	}
	return segments(certificatePDU(cert)), nil
}

// stand puts the bootstrap's push of a commit behind the first one.
func (f *Fleet) stand(first *firstPush, c *storage.Commit) {
	own := &c.Pushes[0]
	order := own.Order
	c.Feed = append(c.Feed, storage.FeedEntry{Kind: storage.KindCertificate, Order: order, Text: first.text})
	if first.id == 0 {
		return
	}
	own.Behind = first.id
	edit := c.Edit
	c.Edit = func(d *storage.Device) error {
		if err := edit(d); err != nil {
			return err
		}
		if first.job != nil {
			d.Give(first.given)
		}
		d.Wait.For = "the root certificate, which goes first"
		return nil
	}
	if first.job != nil {
		own.NotBefore = f.dueBehind(first.job, c.Time)
		c.Pushes = append([]storage.PushJob{*first.job}, c.Pushes...)
		return
	}
	var before storage.PushJob // as it stands at the commit, which the edit before the other has seen
	c.PushEdits = append(c.PushEdits,
		storage.PushEdit{ID: first.id, Edit: func(p *storage.PushJob) error { before = *p; return nil }},
		storage.PushEdit{ID: own.ID, Edit: func(p *storage.PushJob) error {
			p.NotBefore = f.dueBehind(&before, c.Time)
			return nil
		}},
	)
}

// dueBehind is when a push may go that stands behind another one, by what has become of that at a time.
func (f *Fleet) dueBehind(first *storage.PushJob, now time.Time) time.Time {
	switch {
	case first.State == storage.PushQueued || first.State == storage.PushSending:
		return first.Created.Add(f.opt.SendWithin) // the order behind it has failed by then
	case first.Awaits():
		return now.Add(f.opt.Certificate.Within)
	}
	return now // delivered, given up, or nobody will tell
}

// commitCertificate changes a push with a certificate by edit, which is expected to make job of it, together with what
// follows from that: for what is known of the device, for the push behind it, and for an order of its own.
func (f *Fleet) commitCertificate(job *storage.PushJob, edit func(*storage.PushJob) error) error {
	for {
		err := f.tryCertificate(job, edit)
		if !errors.Is(err, errOrdered) {
			return err
		}
	}
}

// errOrdered abandons a commit: a bootstrap was ordered meanwhile, which may stand behind the push.
var errOrdered = errors.New("fleet: a bootstrap was ordered meanwhile")

func (f *Fleet) tryCertificate(job *storage.PushJob, edit func(*storage.PushJob) error) error {
	dev, err := f.store.Device(job.Device) // before its pushes: an order that comes in between shows in it
	if err != nil {
		return err
	}
	behind, err := f.pushBehind(job)
	if err != nil {
		return err
	}
	now := f.opt.Clock()
	c := storage.Commit{
		Device: job.Device, Time: now, PushEdits: []storage.PushEdit{{ID: job.ID, Edit: edit}},
		Edit: func(d *storage.Device) error {
			if d.Order != dev.Order {
				return errOrdered
			}
			f.cameTo(d, job, now)
			if behind != nil && d.Order == behind.Order && d.State == storage.Ordered {
				f.waitBehind(d, job, now)
			}
			return nil
		},
	}
	if behind != nil {
		c.PushEdits = append(c.PushEdits, storage.PushEdit{ID: behind.ID, Edit: func(p *storage.PushJob) error {
			if p.State != storage.PushQueued || p.Attempts > 0 {
				return nil
			}
			if due := f.dueBehind(job, now); due.Before(p.NotBefore) || !job.Awaits() && due.After(now) {
				p.NotBefore, p.Changed = due, now
			}
			return nil
		}})
	}
	if c.Ends, err = f.endDelivery(job); err != nil {
		return err
	}
	if err := f.store.Commit(&c); err != nil {
		return err
	}
	if behind != nil && !job.Awaits() {
		f.pushed()
	}
	return nil
}

// pushBehind is the push that stands behind job and waits; nil where there is none.
func (f *Fleet) pushBehind(job *storage.PushJob) (*storage.PushJob, error) {
	pushes, err := f.store.Pushes(job.Device)
	if err != nil {
		return nil, err
	}
	for i := range pushes {
		if p := &pushes[i]; p.Behind == job.ID && p.State == storage.PushQueued && p.Attempts == 0 {
			return p, nil
		}
	}
	return nil, nil
}

// cameTo keeps how far the certificate of a push has come on its way to d.
func (f *Fleet) cameTo(d *storage.Device, job *storage.PushJob, now time.Time) {
	state := storage.CertificateOrdered
	switch job.State {
	case storage.PushSent, storage.PushDoubtful:
		state = storage.CertificateSent
	case storage.PushDelivered:
		state = storage.CertificateDelivered
	case storage.PushFailed:
		state = storage.CertificateFailed
	}
	for i := range d.Certificates {
		if g := &d.Certificates[i]; g.Push == job.ID && g.State != state {
			g.State, g.Time = state, now
		}
	}
}

// waitBehind says what a device waits for whose bootstrap stands behind job.
func (f *Fleet) waitBehind(d *storage.Device, job *storage.PushJob, now time.Time) {
	switch {
	case job.Awaits():
		within := f.opt.Certificate.Within.String()
		d.Wait = f.waitForModem("the root certificate to be delivered, "+within+" at most, then a modem", now, now)
	case job.State == storage.PushSending:
		d.Wait = f.waitForModem(job.Modem+", which sends the root certificate", now, now)
	case job.State == storage.PushQueued:
		d.Wait.For = "a modem for the root certificate, which goes first"
	default:
		d.Wait = f.waitForModem("a modem", now, now)
	}
}

// endDelivery ends the order of a push that is all that the order is for: with the push. It fails with it, and it is
// done when the push is delivered, or sent and nobody will tell more. A job ends its order by itself, and so does a
// bootstrap.
func (f *Fleet) endDelivery(job *storage.PushJob) ([]storage.OrderEnd, error) {
	end := storage.OrderEnd{ID: job.Order, State: storage.OrderDone}
	switch {
	case job.Order == "" || job.State == storage.PushQueued || job.State == storage.PushSending || job.Awaits():
		return nil, nil
	case job.State == storage.PushFailed:
		end.State, end.Reason = storage.OrderFailed, job.Error
	}
	order, err := f.store.Order(job.Device, job.Order)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case order.Kind != kindCertificate && order.Kind != kindAccessPoint:
		return nil, nil
	}
	switch _, err := f.store.Job(job.Device, job.Order); {
	case err == nil:
		return nil, nil
	case !errors.Is(err, storage.ErrNotFound):
		return nil, err
	}
	return []storage.OrderEnd{end}, nil
}
