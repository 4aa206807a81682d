package syncml

import (
	"encoding/xml"
	"testing"

	"dmgate/codec/syncml/baseline"
)

// byStdlib reads doc with the standard library and returns it as a Message.
func byStdlib(t testing.TB, doc []byte) *Message {
	t.Helper()
	m, err := stdlibRead(doc)
	if err != nil {
		t.Fatalf("%v\n%q", err, doc)
	}
	return m
}

func stdlibRead(doc []byte) (*Message, error) {
	var x baseline.SyncML
	if err := x.Read(doc); err != nil {
		return nil, err
	}
	m := new(Message)
	if x.XMLName.Space == "SYNCML:SYNCML1.1" {
		m.Style.Version = V11
	}
	h := &x.Header
	m.Header = Header{
		VerDTD: []byte(h.VerDTD), VerProto: []byte(h.VerProto), SessionID: []byte(h.SessionID), MsgID: []byte(h.MsgID),
		Target: locationOf(&h.Target), Source: locationOf(&h.Source),
		RespURI: []byte(h.RespURI), NoResp: h.NoResp != nil, Cred: credOf(h.Cred), Meta: metaOf(h.Meta),
	}
	m.addStdlib(x.Body.Commands, 0)
	return m, nil
}

func locationOf(x *baseline.Location) (l Location) {
	if x != nil {
		l = Location{URI: []byte(x.LocURI), Name: []byte(x.LocName)}
	}
	return l
}

func metaOf(x *baseline.Meta) (m Meta) {
	if x != nil {
		m = Meta{
			Format: []byte(x.Format), Type: []byte(x.Type), Mark: []byte(x.Mark), NextNonce: []byte(x.NextNonce),
			Version: []byte(x.Version), Size: x.Size, MaxMsgSize: x.MaxMsgSize, MaxObjSize: x.MaxObjSize,
		}
	}
	return m
}

func credOf(x *baseline.Cred) (c Cred) {
	if x != nil {
		c = Cred{Meta: metaOf(x.Meta), Data: []byte(x.Data)}
	}
	return c
}

// addStdlib appends commands and their members to m.
func (m *Message) addStdlib(commands []baseline.Command, depth uint8) {
	for i := range commands {
		x := &commands[i]
		if x.XMLName.Local == "Final" {
			m.Final = true
			continue
		}
		c := m.AddCommand(KindOf([]byte(x.XMLName.Local)))
		c.Depth, c.NoResp = depth, x.NoResp != nil
		c.CmdID, c.MsgRef, c.CmdRef, c.Cmd = []byte(x.CmdID), []byte(x.MsgRef), []byte(x.CmdRef), []byte(x.Cmd)
		c.addRefs(&c.TargetRef, x.TargetRef, false)
		c.addRefs(&c.SourceRef, x.SourceRef, true)
		c.Correlator, c.Data = []byte(x.Correlator), []byte(x.Data)
		c.Meta, c.Cred = metaOf(x.Meta), credOf(x.Cred)
		if x.Chal != nil {
			c.Chal = metaOf(x.Chal.Meta)
		}
		for j := range x.Item {
			xi := &x.Item[j]
			it := m.AddItem()
			it.Target, it.Source, it.Meta = locationOf(xi.Target), locationOf(xi.Source), metaOf(xi.Meta)
			it.MoreData = xi.MoreData != nil
			if d := xi.Data; d != nil {
				it.Data, it.Markup = []byte(d.Text+d.Inner), d.Inner != ""
			}
		}
		m.addStdlib(x.Members, depth+1)
	}
}

func (c *Command) addRefs(first *[]byte, refs []string, source bool) {
	for i, uri := range refs {
		if i == 0 {
			*first = []byte(uri)
		} else {
			c.MoreRefs = append(c.MoreRefs, Ref{URI: []byte(uri), Source: source})
		}
	}
}

// What the standard library writes of the corpus is what the corpus says: its structs, which bench measures, hold
// whole messages.
func TestStdlibWriter(t *testing.T) {
	for _, name := range corpus {
		doc := file(t, name+".xml")
		var x baseline.SyncML
		if err := x.Read(doc); err != nil {
			t.Fatal(err)
		}
		out, err := xml.Marshal(&x)
		if err != nil {
			t.Fatal(err)
		}
		same(t, read(t, out, XML), read(t, doc, XML))
	}
}

// BenchmarkEncodingXML reads the corpus with the standard library.
func BenchmarkEncodingXML(b *testing.B) {
	for _, name := range corpus {
		doc := file(b, name+".xml")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var m baseline.SyncML
				if err := xml.Unmarshal(doc, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
