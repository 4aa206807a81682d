package fleet

import (
	"cmp"
	"time"

	"dmgate/codec/push"
	"dmgate/storage"
)

// certificatePush makes the push that gives a device a root certificate, and the record of that: a push of its own with
// the certificate in it, or with a link to it, by what the device can take. The caller commits both, the record by
// Device.Give. The error is a *FieldError where the device can not be given it by SMS.
func (f *Fleet) certificatePush(
	dev *storage.Device, cert *storage.Certificate, order string,
) (storage.PushJob, storage.Given, CertificateWay, error) {
	way := f.certificateWay(dev, cert)
	now := f.opt.Clock()
	job := storage.PushJob{
		ID: f.newID(now), Device: dev.ID, Order: order, Kind: storage.KindCertificate, MSISDN: dev.MSISDN,
		Flow: f.flow("", dev.MSISDN), State: storage.PushQueued, NotBefore: now, Created: now, Changed: now,
	}
	given := storage.Given{
		Certificate: cert.ID, Fingerprint: cert.Fingerprint, How: way.How, State: storage.CertificateOrdered, Time: now,
		Push: job.ID, Order: order,
	}
	switch way.How {
	case HowPush:
		pdu, err := signedCertificate(dev, cert, way.Sec)
		job.PDU = pdu
		return job, given, way, err
	case HowSI, HowSMS:
		link, err := f.certificateLink(dev, cert, order, way.How)
		if err != nil {
			return job, given, way, err
		}
		link.ID, link.Kind, link.Order = job.ID, job.Kind, job.Order
		return link, given, way, nil
	}
	return job, given, way, &FieldError{"certificate", "the device can not be given it by SMS: " + way.Why}
}

// signedCertificate is the push with a certificate, signed as a bootstrap document is where that is asked for and the
// key is known.
func signedCertificate(dev *storage.Device, cert *storage.Certificate, sec string) ([]byte, error) {
	if sec == "" || dev.IMSI == "" {
		return certificatePDU(cert), nil
	}
	s, err := push.ParseSEC(sec)
	if err != nil {
		return nil, err
	}
	mac, err := push.MAC(s, push.Key{IMSI: dev.IMSI}, cert.DER)
	if err != nil {
		return nil, err
	}
	p := push.Push{TID: 1, ContentType: push.TypeX509CACert, Signed: true, SEC: s, MAC: mac, Body: cert.DER}
	return p.Append(nil), nil
}

// certificateLink makes the push with a link to a certificate: where it was put for that, or by a ticket of our own. A
// device that does not trust us opens a link of ours only after a warning, where that is an https one.
func (f *Fleet) certificateLink(
	dev *storage.Device, cert *storage.Certificate, order, way string,
) (storage.PushJob, error) {
	url := f.opt.Certificate.URL
	if url == "" {
		var err error
		url, _, err = f.newBodyTicket(order, dev.ID, cert.DER, certificateType, cert.ID+".cer", ticketCertificate)
		if err != nil {
			return storage.PushJob{}, err
		}
	}
	return f.linkPush(dev, order, way, url, linkText(f.opt.Tickets.Text, cert.Name, url))
}

// certificateType is the content type of a root certificate in DER.
const certificateType = "application/x-x509-ca-cert"

// CertificateOptions say which root certificate devices are given before their bootstrap, and how. The zero value of a
// field stands for its default.
type CertificateOptions struct {
	Root     string        // ID of the certificate; none is given where it is empty
	Send     string        // SendAlways, SendUnknown or SendNever; SendUnknown
	Within   time.Duration // how long the bootstrap waits for the delivery report of a certificate that was sent; 15 min
	Segments int           // SMS that a certificate may take as a push; 16
	URL      string        // where devices find the certificate by a plain link; empty for links of our own
}

func (o CertificateOptions) withDefaults() CertificateOptions {
	o.Send = cmp.Or(o.Send, SendUnknown)
	o.Within = cmp.Or(o.Within, 15*time.Minute)
	o.Segments = cmp.Or(o.Segments, 16)
	return o
}

// Words for CertificateOptions.Send.
const (
	SendAlways  = "always"  // each bootstrap begins with the root certificate
	SendUnknown = "unknown" // only where the device is not known to trust it
	SendNever   = "never"
)
