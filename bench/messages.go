package main

import (
	"fmt"
	"strings"

	"dmgate/codec/syncml"
	"dmgate/codec/syncml/baseline"
)

// message is a DM message in both encodings.
type message struct {
	name       string // "p1", "items_10"
	items      int
	wbxml, xml []byte
}

func (m *message) doc(enc syncml.Encoding) []byte {
	if enc == syncml.XML {
		return m.xml
	}
	return m.wbxml
}

// limits let through all of what is measured: the gateway's would refuse 10,000 items.
var limits = &syncml.Limits{Items: 20_000}

// corpus is p1, p3 and p4.
func corpus() (ms []*message, err error) {
	for _, name := range baseline.Names {
		m := &message{name: name}
		if m.wbxml, err = baseline.File(name + ".wbxml"); err != nil {
			return nil, err
		}
		if m.xml, err = baseline.File(name + ".xml"); err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	return ms, nil
}

// itemCounts are the sizes at which the cost of an item is looked at. Each is ten times the one before.
var itemCounts = []int{10, 100, 1_000, 10_000}

// scale is a message with as many items as each of itemCounts says: a Results that brings a part of the tree.
func scale() (ms []*message) {
	for _, n := range itemCounts {
		var m syncml.Message
		begin(&m, syncml.Results)
		for i := range n {
			it := m.AddItem()
			it.Source.URI = m.Text("./Vendor/Ext/Apps/", fmt.Sprint(i), "/Version")
			it.Meta = syncml.Meta{Format: []byte("chr"), Type: []byte("text/plain")}
			it.Data = m.Text("4.2.", fmt.Sprint(i))
		}
		ms = append(ms, inBoth(fmt.Sprint("items_", n), &m))
	}
	return ms
}

// mebibyte is the size of the large item, and the most that the gateway takes.
const mebibyte = 1 << 20

// large is a message with one Item of 1 MiB, whose text has references in XML.
func large() *message {
	var m syncml.Message
	begin(&m, syncml.Replace)
	it := m.AddItem()
	it.Target.URI = []byte("./Vendor/Ext/Config")
	it.Meta = syncml.Meta{Format: []byte("chr"), Type: []byte("text/plain")}
	line := "log & report = yes; when load > 80, every <minutes> minutes\n"
	it.Data = []byte(strings.Repeat(line, mebibyte/len(line)+1)[:mebibyte])
	return inBoth("item_1mb", &m)
}

// begin starts a message like those of a phone, with one command of kind k.
func begin(m *syncml.Message, k syncml.Kind) {
	m.Final = true
	m.Header = syncml.Header{
		VerDTD: []byte("1.2"), VerProto: []byte("DM/1.2"), SessionID: []byte("3F2"), MsgID: []byte("2"),
		Target: syncml.Location{URI: []byte("https://dm.example.net/dm")},
		Source: syncml.Location{URI: []byte("IMEI:490154203237518")},
	}
	c := m.AddCommand(k)
	c.CmdID, c.MsgRef, c.CmdRef = []byte("1"), []byte("1"), []byte("4")
}

func inBoth(name string, m *syncml.Message) *message {
	items := 0
	for i := range m.Commands {
		items += len(m.Commands[i].Items)
	}
	return &message{name, items, m.Append(nil, syncml.WBXML), m.Append(nil, syncml.XML)}
}
