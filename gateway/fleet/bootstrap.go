package fleet

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"dmgate/codec/cp"
	"dmgate/codec/push"
	"dmgate/storage"
)

// Bootstrap is an order to send one device its provisioning document.
type Bootstrap struct {
	Device   storage.DeviceID
	Batch    string // the request it came with
	Sec      string // "userpin", "netwpin", "usernetwpin", "userpinmac"; where empty what devices of its TAC take best
	PIN      string // 4 to 10 digits; where empty one of six digits is made. With userpinmac its first half
	Priority uint8  // 0 goes first
	APN      string // an access point to set up along with the account; empty for none
	// AccessPoint is more than an APN, in its place: what the library has, or what is given. How it is signed does not
	// matter.
	AccessPoint *AccessPoint
}

// Ordered is what an order has led to.
type Ordered struct {
	Order string
	PIN   string // what the user has to type; empty where the network's PIN is the key. It is told only here
}

var pin = regexp.MustCompile(`^[0-9]{4,10}$`)

// pinDigits is the length of the PINs we make.
const pinDigits = 6

// Bootstrap places an order: order, push and the device's new state in one commit. The error is a *FieldError, or
// storage.ErrNotFound where the device is not known.
func (f *Fleet) Bootstrap(b Bootstrap) (*Ordered, error) {
	dev, err := f.store.Device(b.Device)
	if err != nil {
		return nil, err
	}
	b.Sec = f.secFor(&b, dev)
	if b.PIN == "" {
		b.PIN = newPIN()
	}
	return f.bootstrap(&b, NewName(), "", dev, nil)
}

// bootstrap orders b under a name. dev is the device as it was found: with an account it is a new one, which the commit
// makes known, else what is in it and not in its record is learnt. campaign is the one that the order is of, if any.
func (f *Fleet) bootstrap(
	b *Bootstrap, name, campaign string, dev *storage.Device, account *storage.Account,
) (*Ordered, error) {
	b.Sec = f.secFor(b, dev)
	sec, err := checkSigning(dev, b.Sec, b.PIN)
	if err != nil {
		return nil, err
	}
	settings, err := f.settings(dev, b)
	if err != nil {
		return nil, err
	}
	isNew := account != nil
	if !isNew {
		if account, err = f.store.Account(dev.ID); err != nil {
			return nil, err
		}
	}
	body, err := f.document(account, settings)
	if err != nil {
		return nil, err
	}
	pdu, err := wrap(body, sec, push.Key{IMSI: dev.IMSI, PIN: b.PIN})
	if err != nil {
		return nil, err
	}

	flow := f.flow(campaign, dev.MSISDN)
	first, err := f.certificateFirst(dev, name, b.Priority, flow)
	if err != nil {
		return nil, err
	}
	now := f.opt.Clock()
	c := storage.Commit{
		Device: dev.ID, Time: now,
		Edit: func(d *storage.Device) error {
			if err := f.canBootstrap(d, dev, campaign != ""); err != nil {
				return err
			}
			d.Order, d.IMSI, d.DevID = name, cmp.Or(d.IMSI, dev.IMSI), cmp.Or(d.DevID, dev.DevID)
			d.Enter(storage.Ordered, now, "", f.waitForModem("a modem", now, now))
			return nil
		},
		Orders: []storage.Order{{
			ID: name, Device: dev.ID, Batch: b.Batch, Kind: kindBootstrap, State: storage.OrderOpen, Created: now,
			Variant: variant{sec.String(), formOf(b)}.String(),
		}},
		Pushes: []storage.PushJob{{
			ID: f.newID(now), Device: dev.ID, Order: name, Kind: "bootstrap", MSISDN: dev.MSISDN, PDU: pdu,
			Priority: b.Priority, Flow: flow, State: storage.PushQueued,
			NotBefore: now, Created: now, Changed: now,
		}},
		Feed: []storage.FeedEntry{{
			Kind: "order", Order: name, Status: string(storage.OrderOpen), Text: "bootstrap with " + sec.String(),
		}},
	}
	if isNew {
		c.New, c.Account = dev, account
	} else if dev.Order != "" { // nobody waits for it any more
		c.Ends = []storage.OrderEnd{{ID: dev.Order, State: storage.OrderFailed, Reason: "replaced by order " + name}}
	}
	if first != nil {
		f.stand(first, &c)
	}
	if err := f.store.Commit(&c); err != nil {
		return nil, err
	}
	f.pushed()
	return &Ordered{Order: name, PIN: userPIN(sec, b.PIN, body)}, nil
}

// checkSigning says how a document for a device is signed, by USERPIN where sec is empty.
func checkSigning(dev *storage.Device, sec, userPIN string) (push.SEC, error) {
	s, err := push.ParseSEC(cmp.Or(sec, push.UserPIN.String()))
	if err != nil {
		return 0, &FieldError{"sec", err.Error()}
	}
	if !pin.MatchString(userPIN) && (userPIN != "" || s != push.NetwPIN) {
		return 0, &FieldError{"pin", "not 4 to 10 digits"}
	}
	if dev.IMSI == "" && needsIMSI(s) {
		return 0, &FieldError{"sec", s.String() + " needs the device's IMSI, which is not known"}
	}
	return s, nil
}

// settings are the access points that go with a bootstrap; none where it has none.
func (f *Fleet) settings(dev *storage.Device, b *Bootstrap) (cp.Document, error) {
	switch {
	case b.AccessPoint != nil && b.APN != "":
		return cp.Document{}, &FieldError{"apn", "an access point is given as well: want one of both"}
	case b.AccessPoint != nil:
		s, code, err := f.accessPoints(dev, b.AccessPoint)
		if err != nil {
			return cp.Document{}, err
		}
		return accessPointDocument(s, code), nil
	case b.APN != "":
		return cp.Document{NAPDefs: []cp.NAPDef{{ID: "N1", Name: f.opt.AccountName, APN: b.APN, Internet: true}}}, nil
	}
	return cp.Document{}, nil
}

// canBootstrap refuses a device that waits for a push already, or for which something was ordered since it was found. A
// campaign leaves alone what waits for its user, too: it would only take the place of another.
func (f *Fleet) canBootstrap(d, found *storage.Device, campaign bool) error {
	if d.State == storage.Ordered || d.Order != found.Order || campaign && waitsForPush(d) {
		return &FieldError{"device", "a bootstrap is ordered already: " + d.Order}
	}
	return nil
}

// needsIMSI says whether the network's PIN is part of the key.
func needsIMSI(sec push.SEC) bool { return sec == push.NetwPIN || sec == push.UserNetwPIN }

// flow is the name of the place in the queue of pushes to a number: those of one campaign, or of none, to one
// destination.
func (f *Fleet) flow(campaign, msisdn string) string {
	return campaign + "/" + f.opt.Destination(msisdn).Prefix
}

// userPIN is what the user has to type.
func userPIN(sec push.SEC, pin string, body []byte) string {
	switch sec {
	case push.NetwPIN:
		return ""
	case push.UserPINMAC:
		return push.UserPINMACPin(pin, body)
	}
	return pin
}

// document is the provisioning document of an account, which is reached by the first access point of doc.
func (f *Fleet) document(a *storage.Account, doc cp.Document) ([]byte, error) {
	address, err := url.Parse(f.opt.Address)
	if err != nil {
		return nil, fmt.Errorf("fleet: address of the device endpoint: %w", err)
	}
	port := 80
	if isHTTPS(f.opt.Address) {
		port = 443
	}
	if p := address.Port(); p != "" {
		port, _ = strconv.Atoi(p)
	}
	account := cp.DMAccount{
		ServerID: a.ServerID, Name: f.opt.AccountName, Addr: f.opt.Address, Port: port, Init: true,
		Device: cp.Login{Name: string(a.Device), Secret: a.Password, Nonce: nonceText(a.ClientNonce)},
		Server: cp.Login{Name: a.ServerID, Secret: a.ServerPassword, Nonce: nonceText(a.ServerNonce)},
	}
	if len(doc.NAPDefs) > 0 {
		account.ToNAPID = doc.NAPDefs[0].ID
	}
	doc.Accounts = []cp.DMAccount{account}
	if err := doc.Validate(); err != nil {
		return nil, err
	}
	return doc.AppendWBXML(nil), nil
}

func isHTTPS(address string) bool { return strings.HasPrefix(strings.ToLower(address), "https:") }

func nonceText(n []byte) string { return base64.StdEncoding.EncodeToString(n) }

// wrap makes the WSP push around a provisioning document.
func wrap(body []byte, sec push.SEC, key push.Key) ([]byte, error) {
	mac, err := push.MAC(sec, key, body)
	if err != nil {
		return nil, err
	}
	p := push.Push{TID: 1, ContentType: push.TypeConnectivityWBXML, Signed: true, SEC: sec, MAC: mac, Body: body}
	return p.Append(nil), nil
}

func newPIN() string {
	n, _ := rand.Int(rand.Reader, big.NewInt(1_000_000)) // crypto/rand does not fail
	return fmt.Sprintf("%0*d", pinDigits, n)
}
