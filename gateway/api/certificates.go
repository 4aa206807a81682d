package api

import (
	"context"
	"encoding/pem"
	"mime"
	"time"

	"dmgate/gateway/certcheck"
	"dmgate/gateway/fleet"
	"dmgate/storage"
)

// NewCertificate is a root certificate that devices can be given. It may also be the body itself, in PEM or DER.
type NewCertificate struct {
	Name string `json:"name"`
	PEM  string `json:"pem"`
}

// Certificate is a root certificate as the API shows it.
type Certificate struct {
	ID          string              `json:"id"`
	Name        string              `json:"name"`
	Fingerprint string              `json:"fingerprint"` // SHA-256, in hex
	Created     time.Time           `json:"created"`
	Bytes       int                 `json:"bytes"`
	PEM         string              `json:"pem,omitempty"`
	Warnings    []certcheck.Warning `json:"warnings"` // what devices are known to reject
}

// CertificatePage is a page of certificates.
type CertificatePage struct {
	Certificates []Certificate `json:"certificates"`
	Next         string        `json:"next,omitempty"` // the ?after of the next page
}

// given is a certificate that a device was given.
type given struct {
	Certificate string                   `json:"certificate"`
	Fingerprint string                   `json:"fingerprint"`
	How         string                   `json:"how"` // "push", "si", "sms", "dm"
	State       storage.CertificateState `json:"state"`
	Time        time.Time                `json:"time"`
	Order       string                   `json:"order,omitempty"`
}

func (a *API) createCertificate(r *request) (any, error) {
	var in NewCertificate
	text := r.PostBody()
	if kind, _, _ := mime.ParseMediaType(string(r.Request.Header.ContentType())); kind == "application/json" {
		if err := r.read(&in); err != nil {
			return nil, err
		}
		text = []byte(in.PEM)
	} else {
		in.Name = string(r.QueryArgs().Peek("name"))
	}
	c, warnings, err := a.fleet.AddCertificate(in.Name, text)
	if err != nil {
		return nil, err
	}
	r.Response.Header.Set("Location", Prefix+"certificates/"+c.ID)
	return showCertificate(c, warnings), nil
}

func (a *API) listCertificates(r *request) (any, error) {
	limit, err := r.limit()
	if err != nil {
		return nil, err
	}
	found, err := a.fleet.Certificates(string(r.QueryArgs().Peek("after")), limit)
	if err != nil {
		return nil, err
	}
	page := CertificatePage{Certificates: make([]Certificate, len(found))}
	for i := range found {
		if page.Certificates[i], err = a.showStored(&found[i]); err != nil {
			return nil, err
		}
	}
	if len(found) == limit && limit > 0 {
		page.Next = found[limit-1].ID
	}
	return page, nil
}

func (a *API) getCertificate(r *request) (any, error) {
	c, err := a.fleet.Certificate(r.id)
	if err != nil {
		return nil, err
	}
	out, err := a.showStored(c)
	out.PEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.DER}))
	return out, err
}

func (a *API) deleteCertificate(r *request) (any, error) {
	return struct{}{}, a.fleet.RemoveCertificate(r.id)
}

func (a *API) showStored(c *storage.Certificate) (Certificate, error) {
	warnings, err := a.fleet.CertificateWarnings(c)
	return showCertificate(c, warnings), err
}

func showCertificate(c *storage.Certificate, warnings []certcheck.Warning) Certificate {
	if warnings == nil {
		warnings = []certcheck.Warning{}
	}
	return Certificate{
		ID: c.ID, Name: c.Name, Fingerprint: c.Fingerprint, Created: c.Created, Bytes: len(c.DER), Warnings: warnings,
	}
}

// checkCertificates looks at the chain that devices are given, now.
func (a *API) checkCertificates(r *request) (any, error) {
	if a.CheckChain == nil {
		return nil, &problem{Title: "not found", Status: 404, Detail: "there is no chain to be checked"}
	}
	return a.CheckChain(context.Background()), nil // it has a limit of its own
}

// NewSending asks for a certificate to be sent to devices.
type NewSending struct {
	Key      string             `json:"key,omitempty"` // as of NewBootstraps
	Devices  []storage.DeviceID `json:"devices"`
	Priority uint8              `json:"priority"`
}

// Sendings is what has become of an order that is a push to each of several devices.
type Sendings struct {
	Batch    string    `json:"batch"`
	Ordered  int       `json:"ordered"`
	Repeated int       `json:"repeated,omitempty"` // ordered before, and not over where the request had no key
	Refused  int       `json:"refused"`
	Orders   []Sending `json:"orders"` // in the order of the request's devices
}

// Sending is what has become of one device's order. The PIN is told here and nowhere else.
type Sending struct {
	Device   storage.DeviceID `json:"device"`
	Order    string           `json:"order,omitempty"`
	Repeated bool             `json:"repeated,omitempty"`
	How      string           `json:"how,omitempty"` // "push", "si", "sms", "dm"
	Why      string           `json:"why,omitempty"`
	PIN      string           `json:"pin,omitempty"`
	Error    *problem         `json:"error,omitempty"`
}

// sendCertificate gives a certificate to each device. One that can not be given it does not sink the rest.
func (a *API) sendCertificate(r *request) (any, error) {
	var in NewSending
	if err := r.read(&in); err != nil {
		return nil, err
	}
	if err := checkBatch(in.Devices, in.Key); err != nil {
		return nil, err
	}
	if _, err := a.fleet.Certificate(r.id); err != nil {
		return nil, err
	}
	return a.sendAll("certificate", in.Key, in.Devices, func(id storage.DeviceID, batch string) (*fleet.Sending, error) {
		return a.fleet.SendCertificate(fleet.SendCertificate{
			Device: id, Certificate: r.id, Batch: batch, Key: in.Key, Priority: in.Priority,
		})
	}), nil
}

// sendAll orders a push for each device.
func (a *API) sendAll(
	kind, key string, devices []storage.DeviceID, send func(id storage.DeviceID, batch string) (*fleet.Sending, error),
) Sendings {
	out := Sendings{Batch: fleet.NewName(), Orders: make([]Sending, len(devices))}
	if key != "" {
		out.Batch = fleet.KeyedName(kind, key)
	}
	batch(len(devices), func(i int) {
		id := devices[i]
		placed, err := send(id, out.Batch)
		if err != nil {
			out.Orders[i] = Sending{Device: id, Error: a.refusal(err, kind+" not ordered", id)}
			return
		}
		out.Orders[i] = Sending{id, placed.Order, placed.Repeated, placed.How, placed.Why, placed.PIN, nil}
	})
	for i := range out.Orders {
		switch {
		case out.Orders[i].Error != nil:
			out.Refused++
		case out.Orders[i].Repeated:
			out.Repeated++
		default:
			out.Ordered++
		}
	}
	return out
}
