package storage

import "time"

//go:generate go tool msgp -file certificate.go -o certificate_gen.go -tests=false -io=false
//msgp:timezone utc
//msgp:limit arrays:65536 maps:65536 marshal:true

// Certificate is a root certificate that devices can be given: one that stands at the end of the chain of a server they
// are to trust.
type Certificate struct {
	ID          string    `msg:"id"` // the first 16 digits of its fingerprint
	Name        string    `msg:"n"`  // the admin's name for it, or else its subject's
	Fingerprint string    `msg:"f"`  // SHA-256 of DER, 64 hexadecimal digits
	DER         []byte    `msg:"d,limit=65536"`
	Created     time.Time `msg:"cr"`
}

// CertificateState says how far a certificate has come on its way to a device.
type CertificateState string

// States of a certificate of a device. That a device has installed it nobody tells: delivered is the most that is
// known, unless the device has shown by a session that it trusts it.
const (
	CertificateOrdered   CertificateState = "ordered"
	CertificateSent      CertificateState = "sent" // no delivery report has come so far
	CertificateDelivered CertificateState = "delivered"
	CertificateInstalled CertificateState = "installed" // it was added to the device's tree, and the device said so
	CertificateFailed    CertificateState = "failed"
)

// Given is a root certificate that a device was given.
type Given struct {
	Certificate string           `msg:"c"` // its ID
	Fingerprint string           `msg:"f"`
	How         string           `msg:"h"` // "push", "si", "sms", "dm"
	State       CertificateState `msg:"s"`
	Time        time.Time        `msg:"t"`           // when State was entered
	Push        uint64           `msg:"p,omitempty"` // the push that carries it, or the link to it
	Order       string           `msg:"o,omitempty"`
}

// Given is what d was given of a certificate; nil where it was not.
func (d *Device) Given(certificate string) *Given {
	for i := range d.Certificates {
		if d.Certificates[i].Certificate == certificate {
			return &d.Certificates[i]
		}
	}
	return nil
}

// Give keeps that d is given a certificate, in place of what was known of that.
func (d *Device) Give(g Given) {
	if known := d.Given(g.Certificate); known != nil {
		*known = g
		return
	}
	d.Certificates = append(d.Certificates, g)
}
