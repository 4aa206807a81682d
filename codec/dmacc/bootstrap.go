package dmacc

import (
	"strings"

	"dmgate/codec/cp"
	"dmgate/codec/internal/markup"
	"dmgate/codec/push"
	"dmgate/codec/syncml"
	"dmgate/codec/tnds"
)

// Inbox is where a client looks for management objects that it has to put into place itself.
const Inbox = "./Inbox"

// Bootstrap is what a bootstrap message of the DM profile says.
type Bootstrap struct {
	Account cp.DMAccount
	Device  string      // as "IMEI:490154203237518"; empty where it is not known yet
	Node    string      // name of the account's node; empty for one made of the ServerID
	More    []tnds.Node // management objects that come before the account, as a NAP that ToNAPID refers to
}

// Append appends the message: an ordinary DM message in WBXML, with one Add of a tree at ./Inbox. Its CmdID is 1, since
// Motorola looks for that. The client executes it and answers nothing; it then opens a session by itself.
func (b *Bootstrap) Append(dst []byte) []byte {
	var m syncml.Message
	h := &m.Header
	h.VerDTD, h.VerProto = m.Text("1.2"), m.Text("DM/1.2")
	h.SessionID, h.MsgID = m.Number(1), m.Number(1)
	h.Target.URI, h.Source.URI = m.Text(b.Device), m.Text(b.Account.Addr)
	add := m.AddCommand(syncml.Add)
	add.CmdID = m.Number(1)
	it := m.AddItem()
	it.Target.URI = m.Text(Inbox)
	it.Meta.Format, it.Meta.Type = m.Text("bin"), m.Text(tnds.TypeWBXML)
	tree := tnds.Tree{Nodes: append(b.More[:len(b.More):len(b.More)], Node(b.node(), &b.Account))}
	it.Data = tree.AppendWBXML(nil)
	m.Final = true
	return m.Append(dst, syncml.WBXML)
}

func (b *Bootstrap) node() string {
	switch {
	case b.Node != "":
		return b.Node
	case b.Account.ServerID != "":
		return strings.ReplaceAll(b.Account.ServerID, "/", "_")
	}
	return "1"
}

// Push is the message as a push for the phone's DM client, signed with key.
func (b *Bootstrap) Push(sec push.SEC, key push.Key) (push.Push, error) {
	p := push.Push{TID: 1, ContentType: push.TypeDMWBXML, AppID: push.AppDM, HasAppID: true, Signed: true, SEC: sec,
		Body: b.Append(nil)}
	var err error
	p.MAC, err = push.ProfileMAC(sec, key, p.Body)
	return p, err
}

// Read reads the account of a bootstrap message, as a phone does: from the first Add at ./Inbox that holds one. The
// offset of an error is that in the tree.
func Read(m *syncml.Message) (a cp.DMAccount, ok bool, err error) {
	for i := range m.Commands {
		c := &m.Commands[i]
		for j := range c.Items {
			it := &c.Items[j]
			if c.Kind != syncml.Add || !strings.HasPrefix(string(it.Target.URI), Inbox) {
				continue
			}
			data := it.Data
			if string(c.Format(it)) == "b64" {
				data = markup.Decode(data)
			}
			tree, err := tnds.Read(data, nil)
			if err != nil {
				return a, false, err
			}
			for k := range tree.Nodes {
				if a, ok := Account(&tree.Nodes[k]); ok {
					return a, true, nil
				}
			}
		}
	}
	return a, false, nil
}
