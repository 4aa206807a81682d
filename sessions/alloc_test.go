//go:build !race

package sessions

import (
	"fmt"
	"testing"
	"time"

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
	for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
		t.Run(fmt.Sprint(enc), func(t *testing.T) {
			d := newDialogue(enc)
			for range 4 {
				d.step() // buffers grow to their size
			}
			if n := testing.AllocsPerRun(200, d.step); n != 0 {
				t.Errorf("%v allocations in a step", n)
			}
			if d.answers == 0 {
				t.Error("no answer was ever taken")
			}
		})
	}
}

func BenchmarkStep(b *testing.B) {
	d := newDialogue(syncml.WBXML)
	b.ReportAllocs()
	for b.Loop() {
		d.step()
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
	now     time.Time
	answers int
}

func newDialogue(enc syncml.Encoding) *dialogue {
	opt := Options{Address: testServer, Planner: silent{}, Random: func([]byte) {}, Messages: 1 << 30}.WithDefaults()
	dev := &storage.Device{ID: testUser, State: storage.Discovered}
	d := &dialogue{enc: enc, now: epoch}
	d.session = New(&opt, dev, &storage.Account{Device: testUser, ServerID: "gw"}, []byte("1"), epoch, nil)
	d.session.proof, d.session.planned, d.session.serverOK = ByMD5, true, true
	return d
}

func (d *dialogue) step() {
	s := d.session
	s.received = 6 // of the device's endless message 7
	if len(s.tasks) == 0 || s.tasks[0].Next >= len(s.tasks[0].Commands) {
		s.tasks = append(s.tasks[:0], task{Task: storage.Task{ID: 1, Commands: endless}, Open: storage.Open{ID: 1}})
	}
	d.compose()
	if err := d.in.Read(d.body, d.enc, nil); err != nil {
		panic(err)
	}
	d.req = Request{Message: &d.in, Encoding: d.enc, Body: d.body}
	s.digest = [16]byte{}
	s.Step(d.now, &d.req, &d.out)
	d.reply = d.out.Reply.Append(d.reply[:0], d.enc)
	s.Seal(&d.out, d.reply)
	for i := range d.out.Commit.Results {
		d.answers += len(d.out.Commit.Results[i].Answers)
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
