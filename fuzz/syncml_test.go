package fuzz

import (
	"os"
	"path/filepath"
	"testing"

	"dmgate/codec/syncml"
)

// FuzzSyncMLWBXML reads WBXML. What is accepted must come through writing and reading unchanged, in both encodings.
func FuzzSyncMLWBXML(f *testing.F) {
	addFiles(f, "../codec/syncml/baseline/corpus/*.wbxml")
	const frame = "\x02\xA4\x01\x6A\x00\x6D\x6C\x01\x6B\x62\x4B\x031\x00\x01\x54\x4F"
	for _, data := range []string{
		// A MgmtTree, a document in OPAQUE, entities.
		"\x00\x02\x60\x77\x031.2\x00\x01\x64\x66\x03a&b\x00\x01\x6F\x5C\x25\x01\x01\x01\x01\x01\x00\x00",
		"\xC3\x0A\x03\x00\x00\x6A\x03x/y\x60\x01\x01",
		"\x02\x3C\x03a\x00\x02\x84\x80\x00\x01",
	} {
		f.Add([]byte(frame + data + "\x01\x01\x12\x01\x01"))
	}
	f.Add([]byte("\x02\x00\x00\x6A\x1D-//SYNCML//DTD SyncML 1.2//EN\x6D\x2C\x2B\x01"))
	f.Add([]byte("\x02\xA4\x01\x6A\x04Val\x00" + // literals
		"\x6D\x6C\x01\x6B\x60\x54\x4F\x44\x00\x03x\x00\x01\x04\x00\x01\x01\x01\x01\x01"))
	f.Add([]byte("\x02\xA4\x01\x04\x03\xE4b\x00" + // ISO-8859-1
		"\x6D\x6C\x01\x6B\x60\x54\x4F\x03a\xE9\x00\x02\xA0\x2C\x83\x00\x01\x01\x54\x4F\x04\x00\x01\x01\x01\x01\x01"))
	f.Fuzz(func(t *testing.T, doc []byte) { rewrite(t, doc, syncml.WBXML) })
}

// FuzzSyncMLXML reads XML. What is accepted must come through writing and reading unchanged, in both encodings.
func FuzzSyncMLXML(f *testing.F) {
	addFiles(f, "../codec/syncml/baseline/corpus/*.xml")
	for _, data := range []string{
		`<![CDATA[<a>&amp;]]>&lt;&#x41;`, `<MgmtTree xmlns='x'><Node a="1>2"/>&amp;<!-- c --></MgmtTree>`, ` <?p?> `,
	} {
		f.Add([]byte("\xEF\xBB\xBF<!DOCTYPE a [<!-- ' -->]><s:SyncML xmlns:s='SYNCML:SYNCML1.1'><SyncHdr/><SyncBody><Add>" +
			"<Item><Data>" + data + "</Data></Item></Add><Atomic><Get/></Atomic></SyncBody></s:SyncML >"))
	}
	f.Add([]byte("<?xml version='1.0' encoding='ISO-8859-1'?><SyncML><SyncHdr><MsgID>\xE9</MsgID></SyncHdr><SyncBody><Add>" +
		"<Item><Data>\xFC&#x102C;</Data></Item><Item><Data><x>\xFC</x></Data></Item></Add></SyncBody></SyncML>"))
	f.Fuzz(func(t *testing.T, doc []byte) { rewrite(t, doc, syncml.XML) })
}

// rewrite reads doc and makes sure that what is written of it is a fixed point: read and written again, it is the same.
func rewrite(t *testing.T, doc []byte, enc syncml.Encoding) {
	var m, again syncml.Message
	if m.Read(doc, enc, nil) != nil {
		return
	}
	for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
		first := m.Append(nil, enc)
		if err := again.Read(first, enc, &wider); err != nil {
			t.Fatalf("our own %v is refused: %v\n%q", enc, err, first)
		}
		if second := again.Append(nil, enc); string(second) != string(first) {
			t.Fatalf("no fixed point:\n%q\n%q", first, second)
		}
	}
}

// wider takes what we write of a message within the default limits: bytes that XML can not hold take up to three there.
var wider = syncml.Limits{String: 3 * 4096, Data: 3 << 20}

// addFiles makes seeds of the files that match pattern.
func addFiles(f *testing.F, pattern string) {
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds in %s (%v)", pattern, err)
	}
	for _, name := range names {
		seed, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
}
