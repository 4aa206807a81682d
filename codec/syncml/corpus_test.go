package syncml

import (
	"testing"

	"dmgate/codec/syncml/baseline"
)

var corpus = baseline.Names

// file reads a file of the corpus.
func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := baseline.File(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read reads doc into a new message or fails the test.
func read(t testing.TB, doc []byte, enc Encoding) *Message {
	t.Helper()
	m := new(Message)
	if err := m.Read(doc, enc, nil); err != nil {
		t.Fatalf("%v\n%q", err, doc)
	}
	return m
}

// All forms of a corpus message read to the same message, and what we write of it does, too.
func TestCorpus(t *testing.T) {
	for _, name := range corpus {
		t.Run(name, func(t *testing.T) {
			want := read(t, file(t, name+".xml"), XML)
			if len(want.Commands) == 0 || !want.Final {
				t.Fatalf("message without commands or Final:\n%s", dump(want))
			}
			for _, form := range []string{".wbxml", ".inl.wbxml", ".st.wbxml"} {
				same(t, read(t, file(t, name+form), WBXML), want)
			}
			for _, enc := range []Encoding{WBXML, XML} {
				for _, style := range []Style{{}, {Version: V11}, {TextPublic: true}, {Version: V11, TextPublic: true}} {
					want.Style = style
					same(t, read(t, want.Append(nil, enc), enc), want)
				}
			}
		})
	}
}

// A reused message and a reused buffer allocate nothing.
func TestAllocs(t *testing.T) {
	forms := []struct {
		suffix string
		enc    Encoding
	}{{".wbxml", WBXML}, {".inl.wbxml", WBXML}, {".st.wbxml", WBXML}, {".xml", XML}}
	for _, name := range corpus {
		for _, f := range forms {
			doc := file(t, name+f.suffix)
			var m Message
			var lim *Limits
			read := func() {
				if err := m.Read(doc, f.enc, lim); err != nil {
					t.Fatal(err)
				}
			}
			for _, lim = range []*Limits{nil, {Depth: 12}} {
				if n := testing.AllocsPerRun(100, read); n != 0 {
					t.Errorf("reading %s%s allocates %v times", name, f.suffix, n)
				}
			}
			var out []byte
			write := func() { out = m.Append(out[:0], f.enc) }
			if n := testing.AllocsPerRun(100, write); n != 0 {
				t.Errorf("writing %s as %v allocates %v times", name, f.enc, n)
			}
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for _, name := range corpus {
		for _, enc := range []Encoding{WBXML, XML} {
			doc := file(b, name+"."+enc.String())
			b.Run(name+"/"+enc.String(), func(b *testing.B) {
				var m Message
				b.SetBytes(int64(len(doc)))
				b.ReportAllocs()
				for b.Loop() {
					if err := m.Read(doc, enc, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, name := range corpus {
		for _, enc := range []Encoding{WBXML, XML} {
			m := read(b, file(b, name+".xml"), XML)
			b.Run(name+"/"+enc.String(), func(b *testing.B) {
				var out []byte
				b.ReportAllocs()
				for b.Loop() {
					out = m.Append(out[:0], enc)
				}
				b.SetBytes(int64(len(out)))
			})
		}
	}
}

// BenchmarkFloor passes over the corpus and does nothing with it: what reading costs at least.
func BenchmarkFloor(b *testing.B) {
	for _, name := range corpus {
		for _, enc := range []Encoding{WBXML, XML} {
			doc, walk := file(b, name+"."+enc.String()), baseline.WalkWBXML
			if enc == XML {
				walk = baseline.WalkXML
			}
			b.Run(name+"/"+enc.String(), func(b *testing.B) {
				for b.Loop() {
					walk(doc)
				}
			})
		}
	}
}
