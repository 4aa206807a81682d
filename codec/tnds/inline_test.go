package tnds

import (
	"testing"

	"dmgate/codec/internal/vector"
	"dmgate/codec/syncml"
)

// A tree means the same however it comes in a message: as a document in OPAQUE, as tokens of page 2, as elements, and
// as XML in text. The bytes of the value could be text, which they are not.
func TestInMessage(t *testing.T) {
	want := &Tree{VerDTD: "1.2", Nodes: []Node{
		{Name: "a", Props: Properties{Format: "bin"}, Value: []byte("abcd")},
		{Name: "b", Props: Properties{Format: "chr"}, Value: []byte("abcd")},
	}}
	const (
		begin  = "02 A4 01 6A 00 6D 2C 6B 62 54 4F"
		tokens = "60 77 03'1.2'00 01 64 66 03'a'00 01 6F 5C 09 01 01 76 C3 04'abcd'01 01" +
			"64 66 03'b'00 01 6F 5C 0B 01 01 76 C3 04'abcd'01 01 01"
		xmlBegin, xmlEnd = "<SyncML><SyncHdr/><SyncBody><Results><Item><Data>", "</Data></Item></Results></SyncBody></SyncML>"
	)
	opaque := syncml.Message{}
	opaque.AddCommand(syncml.Results)
	opaque.AddItem().Data = want.AppendWBXML(nil)
	inline := syncml.Message{}
	inline.AddCommand(syncml.Results)
	it := inline.AddItem()
	it.Data, it.Markup = want.AppendInline(nil), true
	for name, c := range map[string]struct {
		doc []byte
		enc syncml.Encoding
	}{
		"tokens":           {vector.Bytes(t, begin+"00 02"+tokens+"00 00 01 01 01 01 01"), syncml.WBXML},
		"OPAQUE":           {opaque.Append(nil, syncml.WBXML), syncml.WBXML},
		"elements":         {inline.Append(nil, syncml.XML), syncml.XML},
		"elements as text": {inline.Append(nil, syncml.WBXML), syncml.WBXML},
		"CDATA":            {[]byte(xmlBegin + "<![CDATA[" + string(want.AppendXML(nil)) + "]]>" + xmlEnd), syncml.XML},
	} {
		var m syncml.Message
		if err := m.Read(c.doc, c.enc, nil); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Run(name, func(t *testing.T) { same(t, read(t, m.Commands[0].Items[0].Data), want) })
	}
}
