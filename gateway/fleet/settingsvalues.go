package fleet

import (
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"maps"
	"strconv"

	"dmgate/codec/push"
	"dmgate/storage"
)

// What jobs of kind certificate and access-point are ordered with, and what follows from it: the push that needs no
// account, and the values that recipes take.
//
// A certificate is named by "certificate.id". Access points are named by "apn.operator", which is a code of the library
// or "sim", with "apn.nap" for one of them; or they are given, as one access point, by the values that recipes take:
// "apn.address", "apn.name", "apn.auth", "apn.user", "apn.password", "apn.dns", "apn.proxy", "apn.port",
// "apn.homepage".

const (
	valueCertificate = "certificate.id"
	valueOperator    = "apn.operator"
	valueNAP         = "apn.nap"
)

// settingsPush makes the push of a job of kind certificate or access-point. The caller commits the push, and keep in
// its edit of the device, which is nil where there is nothing to keep. text says what it is, for a timeline. The error
// is a *FieldError where there is nothing that could be sent.
func (f *Fleet) settingsPush(dev *storage.Device, kind, order string, values map[string]string, sec, pin string) (
	job storage.PushJob, keep func(*storage.Device), text string, err error,
) {
	if kind == kindAccessPoint {
		a, err := accessPointOf(values)
		if err != nil {
			return job, nil, "", err
		}
		if a.Sec, a.PIN, err = signing(dev, sec, pin); err != nil {
			return job, nil, "", err
		}
		job, _, err = f.accessPointPush(dev, a, order)
		return job, nil, "access points by a provisioning document", err
	}
	cert, err := f.certificateOf(values)
	if err != nil {
		return job, nil, "", err
	}
	job, given, way, err := f.certificatePush(dev, cert, order)
	return job, func(d *storage.Device) { d.Give(given) },
		"root certificate " + cert.Name + " by " + way.How + ": " + way.Why, err
}

// signing is how the document of a job is signed, whose user is told no PIN that the order does not have.
func signing(dev *storage.Device, sec, pin string) (string, string, error) {
	network := push.NetwPIN.String()
	switch {
	case sec == "" && pin == "" && dev.IMSI != "":
		return network, "", nil
	case sec != network && pin == "":
		return "", "", &FieldError{"pin", "the device's IMSI is not known, and the order has no PIN for its user"}
	}
	return sec, pin, nil
}

// installed keeps that the device of a job has the certificate in its tree.
func (t *jobTurn) installed(j *storage.Job) {
	cert, err := t.certificateOf(j.What.Values)
	if err != nil {
		return // it was removed meanwhile
	}
	given := storage.Given{
		Certificate: cert.ID, Fingerprint: cert.Fingerprint, How: HowDM, State: storage.CertificateInstalled, Time: t.now,
		Order: j.ID,
	}
	t.change(func(d *storage.Device) { d.Give(given) })
}

// sendByJob places a job in place of a push, for a device that has an account: what its tree does not take goes by the
// push all the same.
func (f *Fleet) sendByJob(o JobOrder) (*Sending, error) {
	placed, err := f.PlaceJob(o)
	if err != nil {
		return nil, err
	}
	return &Sending{
		Order: placed.Job.ID, Repeated: placed.Repeated || placed.Same, How: HowDM,
		Why: "a job: in the device's tree where it takes that, else by a push",
	}, nil
}

// recipeValues are the values of a job of kind certificate or access-point as recipes take them.
func (f *Fleet) recipeValues(dev *storage.Device, kind string, values map[string]string) (map[string]string, error) {
	all := maps.Clone(values)
	switch kind {
	case kindCertificate:
		cert, err := f.certificateOf(values)
		if err != nil {
			return nil, err
		}
		all["certificate.base64"] = base64.StdEncoding.EncodeToString(cert.DER)
		all["certificate.sha1"] = fmt.Sprintf("%X", sha1.Sum(cert.DER))
		all["certificate.name"] = cert.Name
	case kindAccessPoint:
		a, err := accessPointOf(values)
		if err != nil {
			return nil, err
		}
		settings, _, err := f.accessPoints(dev, a)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, accessPointValues(settings))
	}
	return all, nil
}

// certificateOf is the certificate that values name.
func (f *Fleet) certificateOf(values map[string]string) (*storage.Certificate, error) {
	cert, err := f.Certificate(values[valueCertificate])
	if err != nil {
		return nil, notFound(err, valueCertificate, "there is no certificate %.40q", values[valueCertificate])
	}
	return cert, nil
}

// accessPointOf is what values say of access points.
func accessPointOf(values map[string]string) (*AccessPoint, error) {
	if values[valueOperator] != "" {
		return &AccessPoint{Operator: values[valueOperator], NAP: values[valueNAP]}, nil
	}
	n := storage.NAP{
		ID: cmp.Or(values["apn.id"], "N1"), Name: cmp.Or(values["apn.name"], values["apn.address"]),
		APN: values["apn.address"], Auth: values["apn.auth"], User: values["apn.user"], Secret: values["apn.password"],
		Internet: true,
	}
	if dns := values["apn.dns"]; dns != "" {
		n.DNS = []string{dns}
	}
	given := &storage.AccessPoints{NAPs: []storage.NAP{n}}
	if addr := values["apn.proxy"]; addr != "" {
		port, err := strconv.Atoi(values["apn.port"])
		if err != nil {
			return nil, &FieldError{"values", fmt.Sprintf("apn.port: %.20q is no number", values["apn.port"])}
		}
		given.Proxies = []storage.Proxy{{
			ID: "P1", Name: n.Name, Addr: addr, Port: port, NAP: n.ID, StartPage: values["apn.homepage"],
		}}
	}
	if err := checkAccessPoints(given, ""); err != nil {
		return nil, err
	}
	return &AccessPoint{Given: given}, nil
}
