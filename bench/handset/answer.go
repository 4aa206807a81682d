package handset

import "dmgate/codec/syncml"

// An answer is a command of the handset's that waits to be sent. What it holds is its own, since the message that it
// answers may be gone by then.
type answer struct {
	kind       syncml.Kind
	code       int    // Status, Alert
	msgRef     string // Status, Results
	cmdRef     string
	cmd        string
	targetRef  string
	sourceRef  string
	challenge  string // Status for SyncHdr: the nonce for the server's next proof, in base64
	prove      string // with challenge: the type of that proof
	correlator string // Alert 1226
	finding    int    // Alert 1226: its place among the session's findings, plus one
	items      []answerItem
	continued  bool // its item is the rest of a large object
}

type answerItem struct {
	target, source     string
	format, mime, data string
	mark               string
	size               int  // of a large object, with its first chunk
	more               bool // data goes on in the next message
}

// append writes a as the next command of m.
func (a *answer) append(m *syncml.Message) {
	c := m.AddCommand(a.kind)
	c.CmdID = m.Number(len(m.Commands))
	c.MsgRef, c.CmdRef, c.Cmd = m.Text(a.msgRef), m.Text(a.cmdRef), m.Text(a.cmd)
	c.TargetRef, c.SourceRef, c.Correlator = m.Text(a.targetRef), m.Text(a.sourceRef), m.Text(a.correlator)
	if a.kind == syncml.Status || a.kind == syncml.Alert {
		c.Data = m.Number(a.code)
	}
	if a.challenge != "" {
		c.Chal = syncml.Meta{Type: m.Text(a.prove), Format: m.Text("b64"), NextNonce: m.Text(a.challenge)}
	}
	for i := range a.items {
		it := &a.items[i]
		out := m.AddItem()
		out.Target.URI, out.Source.URI = m.Text(it.target), m.Text(it.source)
		out.Meta = syncml.Meta{Format: m.Text(it.format), Type: m.Text(it.mime), Mark: m.Text(it.mark), Size: it.size}
		out.Data, out.MoreData = m.Text(it.data), it.more
	}
}

// due is whether a command of the handset's gets a Status.
type due uint8

const (
	never    due = iota // Status itself
	optional            // Results, which need one only where something is wrong
	owed
	answered
)

// sentMessage is a message that the server has to answer. Its commands stand by CmdID; the first is SyncHdr.
type sentMessage struct {
	id       int
	commands []sentCommand
}

type sentCommand struct {
	kind    syncml.Kind // None for SyncHdr
	due     due
	finding int
}

func (c *sentCommand) name() string {
	if c.kind == syncml.None {
		return "SyncHdr"
	}
	return c.kind.String()
}

// acknowledged tells of each answer in the last message, which the server has just taken. Those that came with a
// challenge of the server's credential say no more than that nothing was carried out.
func (s *session) acknowledged() {
	if s.world.Observe == nil {
		return
	}
	for i := range s.out.Commands {
		c := &s.out.Commands[i]
		if c.Kind != syncml.Status && c.Kind != syncml.Results {
			continue
		}
		if string(c.CmdRef) == "0" {
			if isChallenge(c.Code()) {
				return
			}
			continue
		}
		t := Taken{
			Session: s.id, MsgID: s.msgID, MsgRef: string(c.MsgRef), CmdRef: string(c.CmdRef), Cmd: string(c.Cmd),
			URI: string(c.TargetRef), Code: c.Code(),
		}
		if c.Kind == syncml.Results {
			it := &c.Items[0]
			t.IsValue, t.URI, t.Code, t.Data = true, string(it.Source.URI), 0, string(it.Data)
		}
		s.world.Observe(Event{Handset: s.h, Kind: AnswerTaken, Taken: t})
	}
}
