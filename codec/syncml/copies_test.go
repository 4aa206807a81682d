package syncml

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"dmgate/codec/wbxml"
)

// allocated is how many bytes f allocates.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// Data of whatever parts is copied once at most when it is read into a new message, and once when it is written.
func TestCopies(t *testing.T) {
	const size = 1_000_000
	var buffer []byte
	if n := allocated(func() { buffer = slices.Grow(buffer, size) }); n > size*3/2 {
		t.Skip("under the race detector the room that Grow makes is allocated twice")
	}
	half := strings.Repeat("x", size/2)
	number := func(n uint32) string { return string(wbxml.AppendNumber(nil, n)) }
	wb := func(charset byte, data string) []byte {
		return []byte("\x02\xA4\x01" + string(charset) + "\x00\x6D\x2C\x6B\x45\x54\x4F" + data + "\x01\x01\x01\x01\x01")
	}
	latin1 := func(data string) []byte {
		return []byte("<?xml version='1.0' encoding='ISO-8859-1'?>" + xmlItemDoc("<Data>"+data+"</Data>"))
	}
	text := func(data string) []byte { return []byte(xmlItemDoc("<Data>" + data + "</Data>")) }
	for _, c := range []struct {
		name   string
		doc    []byte
		enc    Encoding
		copies float64
	}{
		{"text", text(half + half), XML, 0},
		{"one CDATA", text("<![CDATA[" + half + half + "]]>"), XML, 0},
		{"two CDATA", text("<![CDATA[" + half + "]]><![CDATA[" + half + "]]>"), XML, 1},
		{"many CDATA", text(strings.Repeat("<![CDATA[0123456789]]>", size/10)), XML, 1},
		{"a comment", text(half + "<!-- -->" + half), XML, 1},
		{"references", text(strings.Repeat("x&lt;", size/2)), XML, 1},
		{"references alone", text(strings.Repeat("&#x102C;", size/3)), XML, 1},
		{"a reference in front", text("&lt;" + half + "<?p?>" + half), XML, 1},
		{"Latin-1", latin1(strings.Repeat("x\xE9", size/3)), XML, 1},
		{"Latin-1 in parts", latin1(strings.Repeat("x\xE9<![CDATA[\xE9]]>&amp;", size/6)), XML, 1},
		{"elements", text("<a>" + half + half + "</a>"), XML, 0},
		{"elements in Latin-1", latin1("<a>" + strings.Repeat("x\xE9", size/3) + "</a>"), XML, 1},
		{"OPAQUE", wb(0x6A, "\xC3"+number(size)+half+half), WBXML, 0},
		{"STR_I", wb(0x6A, "\x03"+half+half+"\x00"), WBXML, 0},
		{"two STR_I", wb(0x6A, "\x03"+half+"\x00\x03"+half+"\x00"), WBXML, 1},
		{"many STR_I", wb(0x6A, strings.Repeat("\x030123456789\x00", size/10)), WBXML, 1},
		{"many OPAQUE", wb(0x6A, strings.Repeat("\xC3\x0A0123456789", size/10)), WBXML, 1},
		{"ENTITY", wb(0x6A, strings.Repeat("\x02\x41", size)), WBXML, 1},
		{"ENTITY and STR_I", wb(0x6A, strings.Repeat("\x02\xA0\x2C\x03x\x00", size/4)), WBXML, 1},
		{"Latin-1 STR_I", wb(0x04, "\x03"+strings.Repeat("x\xE9", size/3)+"\x00"), WBXML, 1},
		{"many Latin-1 STR_I", wb(0x04, strings.Repeat("\x03x\xE9\x00", size/3)), WBXML, 1},
		{"rendered text", wb(0x6A, "\x00\x02\x64\x03"+half+half+"\x00\x01\x00\x00"), WBXML, 1},
	} {
		const slack = 64 << 10 // what grows besides, and what a size of memory is rounded to
		var m Message
		n := allocated(func() {
			if err := m.Read(c.doc, c.enc, nil); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		})
		data := m.Commands[0].Items[0].Data
		if len(data) < size*9/10 {
			t.Errorf("%s: %d bytes of data", c.name, len(data))
		}
		if most := int(1.02*c.copies*float64(len(data))) + slack; n > most {
			t.Errorf("%s: reading %d bytes allocates %d, more than %d", c.name, len(data), n, most)
		}
		for _, as := range []struct {
			enc    Encoding
			latin1 bool
		}{{WBXML, false}, {WBXML, true}, {XML, false}} {
			m.Style.Latin1 = as.latin1
			var out []byte
			n := allocated(func() { out = m.Append(nil, as.enc) })
			// Text that ISO-8859-1 has no letters for is a token a character.
			foreign := as.latin1 && strings.ContainsRune(string(data), '\u102C')
			if most := len(out) + len(out)/50 + slack; n > most && !foreign {
				t.Errorf("%s: writing %d bytes of %v, Latin-1 %v, allocates %d", c.name, len(out), as.enc, as.latin1, n)
			}
		}
	}
}

// The room for a value is that of its own and not of what follows it in a large document.
func TestRoom(t *testing.T) {
	rest := strings.Repeat("x", 900_000)
	for _, c := range []struct {
		doc []byte
		enc Encoding
	}{
		{[]byte(xmlItemDoc("<Data>a&lt;</Data></Item><Item><Data>" + rest + "</Data>")), XML},
		{[]byte("\x02\xA4\x01\x6A\x00\x6D\x2C\x6B\x45\x54\x4F\x03a\x00\x03b\x00\x01\x01\x54\x4F\x03" + rest +
			"\x00\x01\x01\x01\x01\x01"), WBXML},
	} {
		if m := read(t, c.doc, c.enc); cap(m.scratch) > 1000 {
			t.Errorf("%v: %d bytes of scratch for two", c.enc, cap(m.scratch))
		}
	}
}

// What lenText says is what appendText does.
func TestLenText(t *testing.T) {
	for _, s := range []string{"", "plain", "a<b>&", "\x00\x1F", "é\U0001F600", "\xFF\xC3", "\uFFFE\uFFFF\uFFFD", "\xED\xA0\x80<"} {
		if got, want := lenText([]byte(s)), len(appendText(nil, []byte(s))); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}
