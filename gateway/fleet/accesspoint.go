package fleet

import (
	"dmgate/storage"
)

// AccessPoint says what a device is to reach its network by: an entry of the library, or settings that are given.
type AccessPoint struct {
	Operator string                // code of an entry of the library, "26201"; "sim" for that of the device's SIM
	NAP      string                // the only access point of it that is meant, by its ID; empty for all
	Given    *storage.AccessPoints // in place of an entry
	Sec, PIN string                // how its document is signed, as that of a bootstrap
}

// OperatorSIM as AccessPoint.Operator is the network that the device's SIM is of.
const OperatorSIM = "sim"

// accessPoints are the settings that a says for a device. The error is a *FieldError where there are none.
func (f *Fleet) accessPoints(dev *storage.Device, a *AccessPoint) (*storage.AccessPoints, error) {
	_ = dev
	if a.Given != nil {
		return a.Given, nil
	}
	o, err := f.Operator(a.Operator)
	if err != nil {
		return nil, err
	}
	return &o.Settings, nil
}

// accessPointPush makes the push with the provisioning document of access points, signed as a bootstrap is. pin is what
// the user has to type, empty for nothing. The caller commits it. The error is a *FieldError where a device would refuse
// what is in it.
func (f *Fleet) accessPointPush(
	dev *storage.Device, a *AccessPoint, order string,
) (job storage.PushJob, pin string, err error) {
	return storage.PushJob{}, "", &FieldError{"access_point", "not yet"}
}

// accessPointValues are the settings of a as the values that recipes take: "apn.address", "apn.name", "apn.auth",
// "apn.user", "apn.secret", "proxy.address", "proxy.port", ... Those whose name ends in ".secret" are secrets.
func accessPointValues(s *storage.AccessPoints) map[string]string {
	return nil
}
