//go:build !race

package sessions

import (
	"fmt"
	"testing"
	"time"

	"dmgate/codec/auth"
	"dmgate/codec/syncml"
	"dmgate/storage"
)

// silent is a planner that has nothing to add.
type silent struct{}

func (silent) Proved(time.Time, *storage.Device, *Outcome) []storage.Task { return nil }

func (silent) Answered(time.Time, *storage.Device, *storage.Task, []storage.Answer, bool, *Outcome) []storage.Task {
	return nil
}

// A step in the middle of a session, four answers in and four commands out, with its decoding, encoding and
// checkpoint, allocates nothing.
func TestStepAllocatesNothing(t *testing.T) {
	for _, proof := range []Proof{ByMD5, ByHMAC} {
		for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
			t.Run(fmt.Sprint(proof, "/", enc), func(t *testing.T) {
				d := newDialogue(proof, enc)
				for range 4 {
					d.step() // buffers grow to their size
				}
				if n := testing.AllocsPerRun(200, d.step); n != 0 {
					t.Errorf("%v allocations in a step", n)
				}
				if d.answers == 0 || d.session.ended || (proof == ByHMAC) != (len(d.out.HMAC) > 0) {
					t.Errorf("%d answers were taken, ended %v, x-syncml-hmac %q", d.answers, d.session.ended, d.out.HMAC)
				}
			})
		}
	}
}

// Neither does the way through the table to the session and back, whoever else is in it, and nor does a turn of the
// wheel.
func TestTableAllocatesNothing(t *testing.T) {
	table := NewTable(TableOptions{})
	for i := range 1000 {
		use(t, table, fmt.Sprint("device ", i), 0, open())
	}
	name, now := []byte("device 7"), epoch
	n := testing.AllocsPerRun(1000, func() {
		if err := table.Admit(here); err != nil {
			t.Fatal(err)
		}
		for _, named := range []bool{true, false} {
			slot, err := table.Enter(name, there, named)
			if err != nil {
				t.Fatal(err)
			}
			table.Leave(slot, now)
		}
		now = now.Add(time.Second)
		table.Expire(now)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
	if table.Len() != 1 || table.Active() != 1 {
		t.Errorf("%d open, %d in memory, want the one in use", table.Len(), table.Active())
	}
}

func BenchmarkTable(b *testing.B) {
	table := NewTable(TableOptions{})
	names := make([][]byte, 100_000)
	for i := range names {
		names[i] = fmt.Append(nil, "device ", i)
		slot, err := table.Enter(names[i], Exempt, true)
		if err != nil {
			b.Fatal(err)
		}
		slot.Session = open()
		table.Leave(slot, epoch)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		slot, err := table.Enter(names[i%len(names)], Exempt, true)
		if err != nil {
			b.Fatal(err)
		}
		table.Leave(slot, epoch)
		i++
	}
}

func BenchmarkStep(b *testing.B) {
	for _, proof := range []Proof{ByMD5, ByHMAC} {
		b.Run(proof.String(), func(b *testing.B) {
			d := newDialogue(proof, syncml.WBXML)
			b.ReportAllocs()
			for b.Loop() {
				d.step()
			}
		})
	}
}

// dialogue is a session with work without end: each step answers the four commands of the last one.
type dialogue struct {
	enc     syncml.Encoding
	session *Session
	device  syncml.Message
	in      syncml.Message
	req     Request
	out     Outcome
	body    []byte
	reply   []byte
	hmac    []byte
	now     time.Time
	answers int
}

func newDialogue(proof Proof, enc syncml.Encoding) *dialogue {
	opt := Options{Address: testServer, Planner: silent{}, Random: func([]byte) {}, Messages: 1 << 30}.WithDefaults()
	dev := &storage.Device{ID: testUser, State: storage.Discovered}
	d := &dialogue{enc: enc, now: epoch}
	account := &storage.Account{Device: testUser, ServerID: "gw", Password: testPassword}
	d.session = New(&opt, dev, account, []byte("1"), epoch, nil)
	d.session.proof, d.session.planned, d.session.serverOK = proof, true, true
	return d
}

func (d *dialogue) step() {
	s := d.session
	s.received = 6                                               // of the device's endless message 7
	if len(s.tasks) == 0 || s.tasks[0].Next+20 >= len(endless) { // well before its end, which would be the session's
		s.tasks = append(s.tasks[:0], task{Task: storage.Task{ID: 1, Commands: endless}, Open: storage.Open{ID: 1}})
	}
	d.compose()
	if err := d.in.Read(d.body, d.enc, nil); err != nil {
		panic(err)
	}
	d.req = Request{Message: &d.in, Encoding: d.enc, Body: d.body}
	if s.proof == ByHMAC {
		d.prove()
	}
	s.digest = [16]byte{}
	s.Step(d.now, &d.req, &d.out)
	d.reply = d.out.Reply.Append(d.reply[:0], d.enc)
	s.Seal(&d.out, d.reply)
	for i := range d.out.Commit.Results {
		d.answers += len(d.out.Commit.Results[i].Answers)
	}
}

// prove makes the mac of message 7.
func (d *dialogue) prove() {
	secret := auth.NewSecret([]byte(testUser), []byte(testPassword))
	mac := secret.MAC(d.session.account.ClientNonce, d.body)
	d.hmac = auth.AppendHMAC(d.hmac[:0], testUser, mac[:])
	var err error
	if d.req.HMAC, err = auth.ReadHMAC(d.hmac); err != nil {
		panic(err)
	}
}

var endless = func() []storage.Command {
	c := make([]storage.Command, 400)
	for i := range c {
		c[i] = storage.Command{Kind: "Get", URI: "./DevDetail/Ext/Some/Node"}
	}
	return c
}()

// compose makes message 7: a Status and a Results for each command that waits, and room for four more.
func (d *dialogue) compose() {
	m := &d.device
	m.Reset()
	h := &m.Header
	h.VerDTD, h.VerProto, h.SessionID, h.MsgID = m.Text("1.2"), m.Text("DM/1.2"), m.Text("1"), m.Text("7")
	h.Target.URI, h.Source.URI = m.Text(testServer), m.Text("IMEI:490154203237518")
	h.Meta.MaxMsgSize = 1000
	if d.enc == syncml.XML {
		h.Meta.MaxMsgSize = 6000
	}
	if d.session.proof == ByHMAC {
		st := m.AddCommand(syncml.Status)
		st.CmdID, st.MsgRef, st.CmdRef, st.Cmd = m.Number(1), m.Text("1"), m.Text("0"), m.Text("SyncHdr")
		st.Data, st.Chal.Type, st.Chal.NextNonce = m.Text("200"), m.Text(auth.TypeMAC), m.Base64(d.session.digest[:])
	}
	for _, p := range d.session.pending {
		st := m.AddCommand(syncml.Status)
		st.CmdID, st.MsgRef, st.CmdRef = m.Number(len(m.Commands)), m.Number(int(p.MsgID)), m.Number(int(p.CmdID))
		st.Cmd, st.Data = m.Text("Get"), m.Text("200")
		res := m.AddCommand(syncml.Results)
		res.CmdID, res.MsgRef, res.CmdRef = m.Number(len(m.Commands)), m.Number(int(p.MsgID)), m.Number(int(p.CmdID))
		it := m.AddItem()
		it.Source.URI, it.Data = m.Text("./DevDetail/Ext/Some/Node"), m.Text("a value of some length")
	}
	m.Final = true
	d.body = m.Append(d.body[:0], d.enc)
}

func (silent) GivenUp(*storage.Task, string, *Outcome) {}
