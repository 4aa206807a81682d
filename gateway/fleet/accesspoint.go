package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"dmgate/codec/cp"
	"dmgate/codec/push"
	"dmgate/storage"
)

// AccessPoint says what a device is to reach its network by: an entry of the library, or settings that are given.
type AccessPoint struct {
	Operator string                // code of an entry of the library, "26201"; OperatorSIM for that of the device's SIM
	NAP      string                // the only access point of it that is meant, by its ID; empty for all
	Given    *storage.AccessPoints // in place of an entry
	Sec, PIN string                // how a document of their own is signed, as Bootstrap.Sec and Bootstrap.PIN
}

// OperatorSIM as AccessPoint.Operator is the network that the device's SIM is of.
const OperatorSIM = "sim"

// accessPoints are the settings that a says for a device, and the network that they are for, which is empty where that
// is not said. The error is a *FieldError where there are none.
func (f *Fleet) accessPoints(dev *storage.Device, a *AccessPoint) (*storage.AccessPoints, string, error) {
	settings, code := a.Given, ""
	if settings == nil {
		o, err := f.entryFor(dev, a.Operator)
		if err != nil {
			return nil, "", err
		}
		settings, code = &o.Settings, o.Code
	} else if a.Operator != "" {
		return nil, "", &FieldError{"operator", "settings are given as well: want one of both"}
	} else if err := checkAccessPoints(settings, ""); err != nil {
		return nil, "", err
	}
	if a.NAP == "" {
		return settings, code, nil
	}
	only := &storage.AccessPoints{Validity: settings.Validity}
	for _, n := range settings.NAPs {
		if n.ID == a.NAP {
			only.NAPs = append(only.NAPs, n)
		}
	}
	if len(only.NAPs) == 0 {
		return nil, "", &FieldError{"nap", fmt.Sprintf("there is no access point %.40q", a.NAP)}
	}
	for _, p := range settings.Proxies {
		if p.NAP == a.NAP {
			only.Proxies = append(only.Proxies, p)
		}
	}
	return only, code, nil
}

func (f *Fleet) entryFor(dev *storage.Device, operator string) (*storage.Operator, error) {
	switch operator {
	case "":
		return nil, &FieldError{"operator", `want the code of an entry of the library, or "` + OperatorSIM + `"`}
	case OperatorSIM:
		return f.operatorOf(dev)
	}
	o, err := f.Operator(operator)
	return o, notFound(err, "operator", "the library has no entry for %.20q", operator)
}

// notFound makes a *FieldError of storage.ErrNotFound, and leaves other errors as they are.
func notFound(err error, field, format string, args ...any) error {
	if errors.Is(err, storage.ErrNotFound) {
		return &FieldError{field, fmt.Sprintf(format, args...)}
	}
	return err
}

const lenMCC = 3 // digits

// Bounds of settings.
const (
	maxNAPs = 16
	maxDNS  = 4
)

// checkAccessPoints says what a device would refuse in settings for a network.
func checkAccessPoints(s *storage.AccessPoints, code string) error {
	if len(s.NAPs) == 0 || len(s.NAPs) > maxNAPs || len(s.Proxies) > maxNAPs {
		return &FieldError{"naps", fmt.Sprintf("%d access points and %d proxies (want 1 to %d, and no more proxies)",
			len(s.NAPs), len(s.Proxies), maxNAPs)}
	}
	for i := range s.NAPs {
		if field, reason := checkNAP(&s.NAPs[i]); field != "" {
			return &FieldError{fmt.Sprintf("naps[%d].%s", i, field), reason}
		}
	}
	for i := range s.Proxies {
		if field, reason := checkProxy(&s.Proxies[i]); field != "" {
			return &FieldError{fmt.Sprintf("proxies[%d].%s", i, field), reason}
		}
	}
	doc := accessPointDocument(s, code)
	if err := doc.Validate(); err != nil {
		return &FieldError{"settings", err.Error()}
	}
	for i := range s.NAPs {
		n := &s.NAPs[i]
		isIt := func(p storage.Proxy) bool { return p.ID == n.MMSProxy && p.NAP == n.ID }
		if n.MMSProxy != "" && !slices.ContainsFunc(s.Proxies, isIt) {
			return &FieldError{
				fmt.Sprintf("naps[%d].mms_proxy", i), fmt.Sprintf("it leads to no proxy %.40q", n.MMSProxy),
			}
		}
	}
	return nil
}

func checkNAP(n *storage.NAP) (field, reason string) {
	switch {
	case n.Auth != "" && n.Auth != "PAP" && n.Auth != "CHAP":
		return "auth", fmt.Sprintf("%.20q is not PAP or CHAP", n.Auth)
	case n.Auth == "" && n.User+n.Secret != "":
		return "auth", "a login without PAP or CHAP"
	case !printable(n.Secret): // said here, where its value is not said with it
		return "secret", "holds a control character, or is no UTF-8"
	case len(n.DNS) > maxDNS:
		return "dns", fmt.Sprintf("%d addresses (at most %d)", len(n.DNS), maxDNS)
	}
	for _, address := range n.DNS {
		if _, err := netip.ParseAddr(address); err != nil {
			return "dns", fmt.Sprintf("%.60q is no IP address", address)
		}
	}
	return "", ""
}

func checkProxy(p *storage.Proxy) (field, reason string) {
	switch {
	case p.Port < 1 || p.Port > 0xFFFF:
		return "port", fmt.Sprintf("%d is not 1 to 65535", p.Port)
	case !printable(p.Secret):
		return "secret", "holds a control character, or is no UTF-8"
	case p.User == "" && p.Secret != "":
		return "user", "a secret without a name"
	}
	return "", ""
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// accessPointDocument is the provisioning document of settings for a network, without an account: access points, then
// the proxies that they lead to, then what refers to either (section 6.3).
func accessPointDocument(s *storage.AccessPoints, code string) cp.Document {
	var doc cp.Document
	for i := range s.NAPs {
		doc.NAPDefs = append(doc.NAPDefs, napDef(&s.NAPs[i], s.Validity, code))
	}
	for i := range s.Proxies {
		doc.Proxies = append(doc.Proxies, pxLogical(&s.Proxies[i]))
	}
	for i := range s.NAPs {
		if n := &s.NAPs[i]; n.MMSC != "" {
			doc.Other = append(doc.Other, mmsAccount(n))
		}
	}
	return doc
}

func napDef(n *storage.NAP, validity bool, code string) cp.NAPDef {
	def := cp.NAPDef{ID: n.ID, Name: n.Name, APN: n.APN, Internet: n.Internet}
	for _, address := range n.DNS {
		def.Extra = append(def.Extra, cp.Value("DNS-ADDR", address))
	}
	if n.Auth != "" {
		def.Auth = &cp.Login{Type: n.Auth, Name: n.User, Secret: n.Secret}
	}
	if validity && code != "" {
		def.Other = []cp.Characteristic{{Type: "VALIDITY", Parms: []cp.Parm{
			cp.Value("COUNTRY", code[:lenMCC]), cp.Value("NETWORK", code[lenMCC:]),
		}}}
	}
	return def
}

func pxLogical(p *storage.Proxy) cp.PXLogical {
	addr, err := netip.ParseAddr(p.Addr)
	px := cp.PXLogical{ID: p.ID, Name: p.Name, StartPage: p.StartPage, Domains: p.Domains, Hosts: []cp.PXPhysical{{
		ID: p.ID, Addr: p.Addr, IPv4: err == nil && addr.Is4(), ToNAPID: p.NAP,
		Ports: []cp.Port{{Number: p.Port, Service: p.Service}},
	}}}
	if p.User != "" {
		px.Auth = &cp.Login{Type: "HTTP-BASIC", Name: p.User, Secret: p.Secret}
	}
	return px
}

// mmsAccount is the APPLICATION w4 of an access point: where its MMS centre is, and the way to it.
func mmsAccount(n *storage.NAP) cp.Characteristic {
	c := cp.Characteristic{Type: "APPLICATION", Parms: []cp.Parm{cp.Value("APPID", "w4")}}
	if n.Name != "" {
		c.Parms = append(c.Parms, cp.Value("NAME", n.Name))
	}
	if n.MMSProxy != "" {
		c.Parms = append(c.Parms, cp.Value("TO-PROXY", n.MMSProxy))
	} else {
		c.Parms = append(c.Parms, cp.Value("TO-NAPID", n.ID))
	}
	c.Parms = append(c.Parms, cp.Value("ADDR", n.MMSC))
	return c
}

// accessPointPush makes the push with the provisioning document of access points, signed as a bootstrap is. pin is what
// the user has to type, empty for nothing. The caller commits it. The error is a *FieldError where there are no
// settings, or a key to sign with is missing.
func (f *Fleet) accessPointPush(
	dev *storage.Device, a *AccessPoint, order string,
) (job storage.PushJob, pin string, err error) {
	settings, code, err := f.accessPoints(dev, a)
	if err != nil {
		return job, "", err
	}
	doc := accessPointDocument(settings, code)
	body := doc.AppendWBXML(nil)
	pin = cmp.Or(a.PIN, newPIN())
	sec, err := checkSigning(dev, a.Sec, pin)
	if err != nil {
		return job, "", err
	}
	pdu, err := wrap(body, sec, push.Key{IMSI: dev.IMSI, PIN: pin})
	if err != nil {
		return job, "", err
	}
	now := f.opt.Clock()
	return storage.PushJob{
		ID: f.newID(now), Device: dev.ID, Order: order, Kind: kindAccessPoint, MSISDN: dev.MSISDN, PDU: pdu,
		Flow: f.flow("", dev.MSISDN), State: storage.PushQueued, NotBefore: now, Created: now, Changed: now,
	}, userPIN(sec, pin, body), nil
}

// accessPointValues are settings as the values that recipes take, of the first access point: "apn.address", ... One of
// them, "apn.password", is a secret.
func accessPointValues(s *storage.AccessPoints) map[string]string {
	n := &s.NAPs[0]
	values := map[string]string{"apn.id": n.ID, "apn.name": n.Name, "apn.address": n.APN}
	if n.Auth != "" {
		values["apn.auth"], values["apn.user"], values["apn.password"] = n.Auth, n.User, n.Secret
	}
	if len(n.DNS) > 0 {
		values["apn.dns"] = n.DNS[0]
	}
	for i := range s.Proxies {
		if p := &s.Proxies[i]; p.NAP == n.ID && (p.ID != n.MMSProxy || n.Internet) {
			values["apn.proxy"], values["apn.port"] = p.Addr, strconv.Itoa(p.Port)
			if p.StartPage != "" {
				values["apn.homepage"] = p.StartPage
			}
			break
		}
	}
	return values
}
