package syncml

import (
	"encoding/xml"
	"testing"
)

// BenchmarkEncodingXML reads the corpus with the standard library.
func BenchmarkEncodingXML(b *testing.B) {
	for _, name := range corpus {
		doc := file(b, name+".xml")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var m xmlMessage
				if err := xml.Unmarshal(doc, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// xmlMessage is a message as the standard library reads it.
type xmlMessage struct {
	XMLName xml.Name  `xml:"SyncML"`
	Header  xmlHeader `xml:"SyncHdr"`
	Body    xmlBody   `xml:"SyncBody"`
}

type xmlHeader struct {
	VerDTD, VerProto, SessionID, MsgID string
	Target, Source                     xmlLocation
	RespURI                            string
	NoResp                             *struct{}
	Cred                               *xmlCred
	Meta                               xmlMeta
}

type xmlLocation struct{ LocURI, LocName string }

type xmlCred struct {
	Meta xmlMeta
	Data string
}

type xmlMeta struct {
	Format, Type, Mark, NextNonce, Version string
	Size, MaxMsgSize, MaxObjSize           int
}

type xmlBody struct {
	Commands []xmlCommand `xml:",any"`
}

type xmlCommand struct {
	XMLName               xml.Name
	NoResp                *struct{}
	CmdID, MsgRef, CmdRef string
	Cmd                   string
	TargetRef, SourceRef  string
	Correlator, Data      string
	Meta                  xmlMeta
	Cred                  *xmlCred
	Chal                  *xmlChal
	Item                  []xmlItem
	Members               []xmlCommand `xml:",any"`
}

type xmlChal struct{ Meta xmlMeta }

type xmlItem struct {
	Target, Source xmlLocation
	Meta           xmlMeta
	Data           *xmlData
	MoreData       *struct{}
}

type xmlData struct {
	Text     string     `xml:",chardata"`
	Inner    string     `xml:",innerxml"`
	Elements []struct{} `xml:",any"`
}

// byStdlib reads doc with the standard library and returns it as a Message.
func byStdlib(t testing.TB, doc []byte) *Message {
	t.Helper()
	var x xmlMessage
	if err := xml.Unmarshal(doc, &x); err != nil {
		t.Fatalf("%v\n%q", err, doc)
	}
	m := new(Message)
	if x.XMLName.Space == "SYNCML:SYNCML1.1" {
		m.Style.Version = V11
	}
	h := &x.Header
	m.Header = Header{
		VerDTD: []byte(h.VerDTD), VerProto: []byte(h.VerProto), SessionID: []byte(h.SessionID), MsgID: []byte(h.MsgID),
		Target: h.Target.location(), Source: h.Source.location(),
		RespURI: []byte(h.RespURI), NoResp: h.NoResp != nil, Cred: h.Cred.cred(), Meta: h.Meta.meta(),
	}
	for i := range x.Body.Commands {
		x.Body.Commands[i].add(m, 0)
	}
	return m
}

func (x *xmlLocation) location() Location {
	return Location{URI: []byte(x.LocURI), Name: []byte(x.LocName)}
}

func (x *xmlMeta) meta() Meta {
	return Meta{
		Format: []byte(x.Format), Type: []byte(x.Type), Mark: []byte(x.Mark), NextNonce: []byte(x.NextNonce),
		Version: []byte(x.Version), Size: x.Size, MaxMsgSize: x.MaxMsgSize, MaxObjSize: x.MaxObjSize,
	}
}

func (x *xmlCred) cred() (c Cred) {
	if x != nil {
		c = Cred{Meta: x.Meta.meta(), Data: []byte(x.Data)}
	}
	return c
}

// add appends x and its members to m.
func (x *xmlCommand) add(m *Message, depth uint8) {
	if x.XMLName.Local == "Final" {
		m.Final = true
		return
	}
	c := m.AddCommand(KindOf([]byte(x.XMLName.Local)))
	c.Depth, c.NoResp = depth, x.NoResp != nil
	c.CmdID, c.MsgRef, c.CmdRef, c.Cmd = []byte(x.CmdID), []byte(x.MsgRef), []byte(x.CmdRef), []byte(x.Cmd)
	c.TargetRef, c.SourceRef = []byte(x.TargetRef), []byte(x.SourceRef)
	c.Correlator, c.Data = []byte(x.Correlator), []byte(x.Data)
	c.Meta, c.Cred = x.Meta.meta(), x.Cred.cred()
	if x.Chal != nil {
		c.Chal = x.Chal.Meta.meta()
	}
	for i := range x.Item {
		xi := &x.Item[i]
		it := m.AddItem()
		it.Target, it.Source, it.Meta = xi.Target.location(), xi.Source.location(), xi.Meta.meta()
		it.MoreData = xi.MoreData != nil
		if d := xi.Data; d != nil {
			it.Data, it.Markup = []byte(d.Text), len(d.Elements) > 0
			if it.Markup {
				it.Data = []byte(d.Inner)
			}
		}
	}
	for i := range x.Members {
		x.Members[i].add(m, depth+1)
	}
}
