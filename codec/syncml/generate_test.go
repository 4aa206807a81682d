package syncml

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sketch says what generated messages are made of.
type sketch struct {
	text   *rapid.Generator[string] // of strings that are kept as they come
	data   *rapid.Generator[string] // of Data
	format []string
	markup bool
}

// words are strings whose edges hold no white space, which readers trim from some elements.
var words = rapid.StringMatching(`[A-Za-z0-9./:-]{1,12}`)

// Sketches of what an encoding can carry unchanged.
var (
	anyBytes = rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 40), func(b []byte) string { return string(b) })
	anyText  = rapid.Map(rapid.StringN(0, 24, 96), func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
				return ' '
			}
			return r
		}, s)
	})
	forWBXML = sketch{text: anyBytes, data: anyBytes, format: []string{"", "chr", "int", "bin", "b64", "node", "xml"}}
	forXML   = sketch{text: anyText, data: anyText, format: []string{"", "chr", "int", "b64", "node", "xml"}, markup: true}
)

// messages generates messages.
func (s sketch) messages() *rapid.Generator[*Message] {
	return rapid.Custom(func(t *rapid.T) *Message {
		d := drawer{t, s}
		m := &Message{Style: Style{
			Version:    rapid.SampledFrom([]Version{V12, V11}).Draw(t, "version"),
			TextPublic: d.yes(),
			WBXML:      rapid.Uint8Range(0, 3).Draw(t, "wbxml"),
			Latin1:     d.yes(),
		}}
		m.Header = Header{
			VerDTD: d.word(), VerProto: d.word(), SessionID: d.word(), MsgID: d.word(),
			Target: d.location(), Source: d.location(), RespURI: d.maybe(), NoResp: d.yes(), Cred: d.cred(), Meta: d.meta(),
		}
		d.commands(m, rapid.IntRange(0, 6).Draw(t, "commands"), 0)
		m.Final = d.yes()
		return m
	})
}

type drawer struct {
	t *rapid.T
	s sketch
}

func (d drawer) yes() bool { return rapid.Bool().Draw(d.t, "yes") }
func (d drawer) number() int {
	return rapid.SampledFrom([]int{0, 0, 1, 4096, 1<<31 - 1}).Draw(d.t, "number")
}
func (d drawer) word() []byte   { return []byte(words.Draw(d.t, "word")) }
func (d drawer) format() []byte { return []byte(rapid.SampledFrom(d.s.format).Draw(d.t, "format")) }
func (d drawer) location() Location {
	return Location{URI: d.maybe(), Name: d.text()}
}

// maybe is a text that readers trim, or nil.
func (d drawer) maybe() []byte { return trim(d.text()) }

// text is nil half of the time: most elements are optional.
func (d drawer) text() []byte {
	if d.yes() {
		return nil
	}
	return []byte(d.s.text.Draw(d.t, "text"))
}

func (d drawer) meta() (m Meta) {
	if d.yes() {
		m = Meta{Format: d.format(), Type: d.maybe(), Mark: d.text(), NextNonce: d.text(), Version: d.text()}
		m.Size, m.MaxMsgSize, m.MaxObjSize = d.number(), d.number(), d.number()
	}
	return m
}

func (d drawer) cred() (c Cred) {
	if d.yes() {
		c = Cred{Meta: d.meta(), Data: d.word()}
	}
	return c
}

func (d drawer) commands(m *Message, n int, depth uint8) {
	for range n {
		k := Kind(rapid.IntRange(int(Add), int(Status)).Draw(d.t, "kind"))
		container := k == Atomic || k == Sequence
		c := m.AddCommand(k)
		c.Depth, c.NoResp = depth, d.yes()
		c.CmdID, c.Meta = d.word(), d.meta()
		switch k {
		case Status, Results:
			c.MsgRef, c.CmdRef, c.Cmd = d.word(), d.word(), d.word()
			c.TargetRef, c.SourceRef = d.maybe(), d.maybe()
			for len(c.TargetRef) > 0 && len(c.SourceRef) > 0 && d.yes() {
				c.MoreRefs = append(c.MoreRefs, Ref{URI: d.word(), Source: d.yes()})
			}
			c.Chal, c.Cred = d.meta(), d.cred()
			c.Data = d.word()
		case Alert, Exec:
			c.Correlator, c.Data = d.text(), d.word()
		}
		if container && depth < 4 {
			d.commands(m, rapid.IntRange(0, 3).Draw(d.t, "members"), depth+1)
		}
		if !container {
			for range rapid.IntRange(0, 3).Draw(d.t, "items") {
				d.item(m.AddItem())
			}
		}
	}
}

func (d drawer) item(it *Item) {
	it.Target, it.Source, it.Meta, it.MoreData = d.location(), d.location(), d.meta(), d.yes()
	switch {
	case d.s.markup && rapid.IntRange(0, 5).Draw(d.t, "markup") == 0:
		it.Markup = true
		it.Data = []byte(`<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Node>` +
			string(appendText(nil, d.text())) + `<x/></Node></MgmtTree>`)
	case d.yes():
		it.Data = []byte(d.s.data.Draw(d.t, "data"))
	}
}

// What is written is read as it was.
func TestRoundTrip(t *testing.T) {
	for _, c := range []struct {
		enc Encoding
		s   sketch
	}{{WBXML, forWBXML}, {XML, forXML}} {
		t.Run(c.enc.String(), func(t *testing.T) {
			gen := c.s.messages()
			var got Message // reused: what an earlier message held must not show
			rapid.Check(t, func(t *rapid.T) {
				m := gen.Draw(t, "message")
				doc := m.Append(nil, c.enc)
				if err := got.Read(doc, c.enc, nil); err != nil {
					t.Fatalf("%v\n%q", err, doc)
				}
				if g, w := dump(&got), dump(m); g != w {
					t.Fatal(difference(g, w))
				}
				if again := got.Append(nil, c.enc); string(again) != string(doc) {
					t.Fatalf("written again:\n%q\nat first:\n%q", again, doc)
				}
			})
		})
	}
}

// A message that one encoding brought is the same once it went through the other.
func TestTranscode(t *testing.T) {
	s := forXML
	s.markup = false // WBXML carries it as text
	gen := s.messages()
	rapid.Check(t, func(t *rapid.T) {
		m := gen.Draw(t, "message")
		var viaWBXML, viaXML Message
		if err := viaWBXML.Read(m.Append(nil, WBXML), WBXML, nil); err != nil {
			t.Fatal(err)
		}
		if err := viaXML.Read(viaWBXML.Append(nil, XML), XML, nil); err != nil {
			t.Fatal(err)
		}
		if g, w := dump(&viaXML), dump(m); g != w {
			t.Fatal(difference(g, w))
		}
	})
}
