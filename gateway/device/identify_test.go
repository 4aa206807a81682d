package device

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/sessions"
	"dmgate/storage"
)

// A device says who it is in one of four ways. The credential has to be that of the account found so.
func TestIdentify(t *testing.T) {
	for _, c := range []struct {
		name  string
		alter func(p *phone)
		cred  func(p *phone) func(*syncml.Message)
		want  int
	}{
		{"basic user name", func(p *phone) { p.devID = "IMEI:unheard-of" }, (*phone).withBasic, 212},
		{"LocName", func(p *phone) { p.devID, p.locName = "IMEI:unheard-of", p.user }, (*phone).withMD5, 212},
		{"DevId", func(*phone) {}, (*phone).withMD5, 212},
		{"address", func(p *phone) { p.devID, p.path = "IMEI:unheard-of", Path+"?d="+p.user }, (*phone).withMD5, 212},
		{"nothing", func(p *phone) { p.devID = "" }, (*phone).withMD5, 401},
		{"DevId in another case", func(p *phone) { p.devID = "imei:1" }, (*phone).withMD5, 401},
		{"LocName of nobody", func(p *phone) { p.locName = "nobody" }, (*phone).withMD5, 401},
		{"address of nobody", func(p *phone) { p.path = Path + "?d=nobody" }, (*phone).withMD5, 401},
		{"basic of nobody", func(p *phone) { p.user = "nobody" }, (*phone).withBasic, 401},
		{"wrong password", func(p *phone) { p.password += "x" }, (*phone).withMD5, 401},
		{"no password", func(p *phone) { p.password = "" }, (*phone).withBasic, 401},
		{"basic that is no base64", func(*phone) {}, (*phone).withNonsense, 401},
		{"no credential", func(*phone) {}, func(*phone) func(*syncml.Message) { return nil }, 407},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Options{})
			p := r.phone(r.register(1))
			c.alter(p)
			p.package1(c.cred(p))
			p.post()
			p.expect(c.want)
		})
	}
}

func (p *phone) withBasic() func(*syncml.Message) { return p.basic }
func (p *phone) withMD5() func(*syncml.Message)   { return p.md5 }
func (p *phone) withNonsense() func(*syncml.Message) {
	return func(m *syncml.Message) {
		m.Header.Cred.Meta.Type, m.Header.Cred.Data = m.Text(auth.TypeBasic), m.Text("%%%")
	}
}

// A device's credential is worth nothing for another one's session.
func TestSomebodyElsesSession(t *testing.T) {
	r := newRig(t, Options{})
	victim, thief := r.phone(r.register(1)), r.phone(r.register(2))
	victim.open(victim.basic)
	thief.path, thief.devID = victim.path, victim.devID
	thief.session = "77"
	thief.package1(thief.basic)
	thief.post()
	thief.expect(401)
}

// A device that is not known is answered as a known one with the same wrong credential is: nothing but the nonce
// differs, so that nobody can find out which devices are managed.
func TestStrangersLookLikeAnyone(t *testing.T) {
	for _, c := range []struct {
		name string
		cred func(p *phone) func(*syncml.Message)
		fill func(m *syncml.Message)
		path string
		opt  Options
	}{
		{name: "no credential", cred: func(*phone) func(*syncml.Message) { return nil }},
		{name: "wrong digest", cred: (*phone).withMD5},
		{name: "nonsense", cred: (*phone).withNonsense},
		{name: "no Status wanted", cred: (*phone).withMD5, fill: func(m *syncml.Message) { m.Header.NoResp = true }},
		{name: "wrong type", cred: (*phone).withMD5, opt: Options{Sessions: sessions.Options{Scheme: "hmac"}}},
		{name: "impossible version", cred: (*phone).withMD5,
			fill: func(m *syncml.Message) { m.Header.VerDTD = m.Text("2.0") }},
		{name: "impossible protocol", cred: (*phone).withMD5,
			fill: func(m *syncml.Message) { m.Header.VerProto = m.Text("DM/9") }},
		{name: "MsgID that is none", cred: (*phone).withMD5, fill: func(m *syncml.Message) { m.Header.MsgID = m.Text("x") }},
		{name: "old style", cred: (*phone).withMD5, fill: func(m *syncml.Message) {
			m.Style = syncml.Style{Version: syncml.V11, TextPublic: true, WBXML: 1}
		}},
	} {
		for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
			t.Run(fmt.Sprintf("%s/%v", c.name, enc), func(t *testing.T) {
				r := newRig(t, c.opt)
				known := r.phone(r.register(1))
				unknown := r.phone(r.register(1000))
				unknown.devID = "IMEI:9" // as long as the other's
				for _, p := range []*phone{known, unknown} {
					p.enc, p.password = enc, "a guess"
				}
				for turn := 1; turn <= 3; turn++ {
					var says [2]answer
					for i, p := range []*phone{known, unknown} {
						p.compose(func(m *syncml.Message) {
							if cred := c.cred(p); cred != nil {
								cred(m)
							}
							m.AddCommand(syncml.Alert).CmdID = m.Number(1)
							m.Commands[0].Data = m.Text("1201")
							m.AddCommand(syncml.Get).CmdID = m.Number(2)
							if c.fill != nil {
								c.fill(m)
							}
						})
						p.post()
						says[i] = p.got
					}
					compare(t, turn, says, enc)
				}
			})
		}
	}
}

// compare compares two answers field by field, and in all that is no message.
func compare(t *testing.T, turn int, says [2]answer, enc syncml.Encoding) {
	t.Helper()
	if says[0].status != says[1].status || !reflect.DeepEqual(says[0].header, says[1].header) {
		t.Errorf("message %d: known %d %v, unknown %d %v", turn, says[0].status, says[0].header, says[1].status,
			says[1].header)
	}
	var m [2]syncml.Message
	for i := range m {
		if err := m[i].Read(says[i].body, enc, nil); err != nil {
			t.Fatal(err)
		}
		m[i].Header.Target.URI = nil // echoed
		for k := range m[i].Commands {
			c := &m[i].Commands[k]
			if len(c.Chal.NextNonce) > 0 {
				c.Chal.NextNonce = fmt.Append(nil, len(c.Chal.NextNonce), " characters")
			}
			c.SourceRef = nil // echoed
		}
	}
	known, unknown := m[0].Append(nil, syncml.XML), m[1].Append(nil, syncml.XML)
	if !bytes.Equal(known, unknown) || m[0].Style != m[1].Style {
		t.Errorf("message %d:\nknown   %s\nunknown %s", turn, known, unknown)
	}
}

// A SIM has moved to another handset: the account that proves itself there takes the DevId over from the device that
// had it, and only when it has proved itself.
func TestMovedSIM(t *testing.T) {
	r := newRig(t, Options{})
	old, moved := r.register(1), r.register(2)
	p := r.phone(moved)
	p.locName, p.devID = p.user, old.DevID

	password := p.password
	p.password = "a guess"
	p.package1(p.basic)
	p.post()
	p.expect(401)
	owner(t, r, old.DevID, old.ID)

	p.password, p.session, p.turn = password, "2", 0
	p.open(p.basic)
	p.goOn()
	owner(t, r, old.DevID, moved.ID)
	if d, err := r.disk.Device(old.ID); err != nil || d.DevID != "" {
		t.Errorf("the device that had the handset: DevId %q, %v", d.DevID, err)
	}
	if _, err := r.disk.FindDevice(storage.ByDevID, moved.DevID); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the handset that the SIM has left still finds it: %v", err)
	}
	timeline, err := r.disk.Timeline(old.ID, 0, 100)
	if err != nil || len(timeline) == 0 ||
		timeline[len(timeline)-1].Text != "its handset is now that of device "+string(moved.ID) {
		t.Errorf("timeline %+v, %v", timeline, err)
	}

	// The other account is still good, in whatever handset it turns up.
	q := r.phone(old)
	q.locName, q.devID = q.user, moved.DevID
	q.open(q.md5)
	q.goOn()
	owner(t, r, moved.DevID, old.ID)
}

func owner(t *testing.T, r *rig, devID string, want storage.DeviceID) {
	t.Helper()
	if id, err := r.disk.FindDevice(storage.ByDevID, devID); err != nil || id != want {
		t.Errorf("%s is %s (%v), want %s", devID, id, err, want)
	}
}
