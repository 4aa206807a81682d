package main

import (
	"crypto/rand"
	"fmt"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/sessions"
	"dmgate/storage"
)

// silence is a table of sessions whose devices have said one thing and then nothing more. Each is taken there by the
// way that the gateway takes: message in, step, reply, checkpoint. The store keeps nothing; what it hands out comes out
// of the records' encoding, as from a real one.
type silence struct {
	count int
	table *sessions.Table
	opt   sessions.Options
	now   time.Time

	message, in syncml.Message
	out         sessions.Outcome
	body, reply []byte
	record      []byte
}

const (
	keep       = 10 * time.Second // as the gateway keeps sessions in memory
	ourAddress = "http://dm.example.net:8080/dm"
	password   = "a password of its own, 32 bytes."
)

func newSilence(count int) *silence {
	return &silence{
		count: count, now: time.Now(),
		table: sessions.NewTable(sessions.TableOptions{Sessions: count, Keep: keep, Idle: time.Hour}),
		opt: sessions.Options{Address: ourAddress, Planner: curious{}, Random: func(b []byte) {
			rand.Read(b)
		}}.WithDefaults(),
	}
}

// curious is a planner that asks a device what it is, with as many commands as the gateway's discovery.
type curious struct{}

var leaves = []string{
	"DevTyp", "OEM", "FwV", "SwV", "HwV", "LrgObj", "URI/MaxDepth", "URI/MaxTotLen", "URI/MaxSegLen",
}

// Proved implements sessions.Planner.
func (curious) Proved(now time.Time, dev *storage.Device, _ *sessions.Outcome) []storage.Task {
	t := storage.Task{ID: uint64(now.UnixNano()), Device: dev.ID, Purpose: "discovery", Created: now}
	for _, leaf := range leaves {
		t.Commands = append(t.Commands, storage.Command{Kind: "Get", URI: "./DevDetail/" + leaf})
	}
	t.Commands = append(t.Commands, storage.Command{Kind: "Get", URI: "."})
	return []storage.Task{t}
}

// Answered implements sessions.Planner.
func (curious) Answered(time.Time, *storage.Device, *storage.Task, []storage.Answer, bool,
	*sessions.Outcome) []storage.Task {
	return nil
}

// GivenUp implements sessions.Planner.
func (curious) GivenUp(*storage.Task, string, *sessions.Outcome) {}

// begin has every device begin a session, and lets those of a batch come to rest before the next begins.
func (s *silence) begin(batch int) error {
	for i := range s.count {
		if i > 0 && i%batch == 0 {
			if err := s.rest(); err != nil {
				return err
			}
		}
		if err := s.first(i); err != nil {
			return fmt.Errorf("session %d: %w", i, err)
		}
	}
	if n := s.table.Len(); n != s.count {
		return fmt.Errorf("%d sessions open, want %d", n, s.count)
	}
	return nil
}

// rest lets time go by until every session is at rest.
func (s *silence) rest() error {
	s.now = s.now.Add(keep)
	s.table.Expire(s.now)
	if n := s.table.Active(); n != 0 {
		return fmt.Errorf("%d sessions are in memory after %v", n, keep)
	}
	return nil
}

// first is the first message of device i.
func (s *silence) first(i int) error {
	dev, account, err := s.records(i)
	if err != nil {
		return err
	}
	s.body = s.package1(i, account)
	if err := s.in.Read(s.body, syncml.WBXML, nil); err != nil {
		return err
	}
	slot, err := s.table.Enter([]byte(dev.ID), sessions.Source{1, byte(i >> 16), byte(i >> 8), byte(i)}, false)
	if err != nil {
		return err
	}
	session := sessions.New(&s.opt, dev, account, s.in.Header.SessionID, s.now, nil)
	session.Step(s.now, &sessions.Request{Message: &s.in, Encoding: syncml.WBXML, Body: s.body}, &s.out)
	s.reply = s.out.Reply.Append(s.reply[:0], syncml.WBXML)
	session.Seal(&s.out, s.reply)
	s.record, err = storage.AppendRecord(s.record[:0], s.out.Commit.Checkpoint)
	slot.Session = session
	s.table.Leave(slot, s.now)
	if !session.Proved() || len(s.out.Commit.Checkpoint.Commands) != len(leaves)+1 {
		return fmt.Errorf("proved %v, %d commands in the reply, want %d", session.Proved(),
			len(s.out.Commit.Checkpoint.Commands), len(leaves)+1)
	}
	return err
}

// records are what the store has of device i.
func (s *silence) records(i int) (*storage.Device, *storage.Account, error) {
	id := storage.DeviceID(fmt.Sprintf("device%010d", i))
	dev, account := new(storage.Device), new(storage.Account)
	var err error
	if s.record, err = storage.AppendRecord(s.record[:0], &storage.Device{
		ID: id, MSISDN: fmt.Sprintf("+9990%09d", i), IMSI: fmt.Sprintf("99901%010d", i), Created: s.now,
		State: storage.Delivered, Since: s.now, Order: fmt.Sprintf("order%010d", i),
		Wait: storage.Wait{For: "a session", Since: s.now, Until: s.now.Add(time.Hour), Next: "it counts as unanswered"},
	}); err != nil {
		return nil, nil, err
	}
	if err := storage.ReadRecord(s.record, dev); err != nil {
		return nil, nil, err
	}
	if s.record, err = storage.AppendRecord(s.record[:0], &storage.Account{
		Device: id, ServerID: "dmgate", Password: password, ServerPassword: password,
		ClientNonce: []byte("0123456789abcdef"), ServerNonce: []byte("fedcba9876543210"),
	}); err != nil {
		return nil, nil, err
	}
	return dev, account, storage.ReadRecord(s.record, account)
}

// package1 is what a phone says first: that it begins, what it is, and a credential that proves it.
func (s *silence) package1(i int, account *storage.Account) []byte {
	m := &s.message
	m.Reset()
	h := &m.Header
	h.VerDTD, h.VerProto, h.SessionID, h.MsgID = m.Text("1.2"), m.Text("DM/1.2"), m.Text("1"), m.Number(1)
	h.Target.URI, h.Source.URI = m.Text(ourAddress), m.Text(fmt.Sprintf("IMEI:99%013d", i))
	h.Source.Name = m.Text(string(account.Device))
	h.Meta.MaxMsgSize = 16 << 10
	secret := auth.NewSecret([]byte(account.Device), []byte(account.Password))
	digest := secret.MD5(account.ClientNonce)
	h.Cred.Meta.Type, h.Cred.Meta.Format = m.Text(auth.TypeMD5), m.Text("b64")
	h.Cred.Data = m.Text(string(digest[:]))
	c := m.AddCommand(syncml.Alert)
	c.CmdID, c.Data = m.Number(1), m.Text("1201")
	c = m.AddCommand(syncml.Replace)
	c.CmdID = m.Number(2)
	for _, leaf := range [][2]string{
		{"DevId", string(h.Source.URI)}, {"Man", "Example Telecom"}, {"Mod", "Example 9 Pro"}, {"DmV", "1.2"},
		{"Lang", "en-US"},
	} {
		it := m.AddItem()
		it.Source.URI, it.Data = m.Text("./DevInfo/"+leaf[0]), m.Text(leaf[1])
	}
	m.Final = true
	return m.Append(s.body[:0], syncml.WBXML)
}
