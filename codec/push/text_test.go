package push

import (
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"
)

// textOf reads a segment by itself, as a phone does that knows nothing of the others: 3GPP TS 23.038, written for these
// tests.
func textOf(t testing.TB, s *TextSegment, dcs uint8) (text string, h UDH) {
	t.Helper()
	header := 0
	if s.HasUDH {
		var err error
		if h, _, err = ReadUDH(s.UD); err != nil {
			t.Fatal(err)
		}
		header = int(s.UD[0]) + 1
	}
	if dcs == DCSUCS2 {
		var units []uint16
		for b := s.UD[header:]; len(b) > 1; b = b[2:] {
			units = append(units, uint16(b[0])<<8|uint16(b[1]))
		}
		return string(utf16.Decode(units)), h
	}
	var out strings.Builder
	escaped := false
	for i := (header*8 + 6) / 7; i < int(s.Septets); i++ {
		code := byte(0)
		for bit := range 7 {
			at := i*7 + bit
			code |= s.UD[at/8] >> (at % 8) & 1 << bit
		}
		switch {
		case code == gsm7Escape:
			escaped = true
			continue
		case escaped:
			for c, extended := range gsm7Extension {
				if extended == code {
					out.WriteRune(c)
				}
			}
		default:
			out.WriteRune(gsm7[code])
		}
		escaped = false
	}
	return out.String(), h
}

func TestSplitText(t *testing.T) {
	link := "http://dm.example.com/t/abcdefghijklmnopqrstuvwxyz"
	for _, c := range []struct {
		name, text string
		dcs        uint8
		pieces     []string // as each is read by itself; nil for the text in one
	}{
		{"short", "hellohello", 0, nil},
		{"empty fields", "a", 0, nil},
		{"160", strings.Repeat("a", 160), 0, nil},
		{"161", strings.Repeat("a", 161), 0, []string{strings.Repeat("a", 153), "aaaaaaaa"}},
		{"80 of the extension", strings.Repeat("€", 80), 0, nil},
		{"81 of the extension", strings.Repeat("€", 81), 0, []string{strings.Repeat("€", 76), "€€€€€"}}, // 153 is odd
		{"70 of UCS-2", strings.Repeat("ж", 70), DCSUCS2, nil},
		{"71 of UCS-2", strings.Repeat("ж", 71), DCSUCS2, []string{strings.Repeat("ж", 67), "жжжж"}},
		{"pairs", strings.Repeat("😀", 36), DCSUCS2, []string{strings.Repeat("😀", 33), "😀😀😀"}},
		{"a link that would be cut", strings.Repeat("word ", 25) + link + " more", 0,
			[]string{strings.Repeat("word ", 25), link + " more"}},
		{"a link that just fits", strings.Repeat("a", 102) + " " + link + " or so it seems", 0,
			[]string{strings.Repeat("a", 102) + " " + link, " or so it seems"}},
		{"a link of UCS-2", strings.Repeat("ж", 30) + " " + link, DCSUCS2, []string{strings.Repeat("ж", 30) + " ", link}},
		{"a link too long for any", "ab http://" + strings.Repeat("c", 160), 0,
			[]string{"ab http://" + strings.Repeat("c", 143), strings.Repeat("c", 17)}},
		{"no link", strings.Repeat("d", 100) + " " + strings.Repeat("e", 100), 0,
			[]string{strings.Repeat("d", 100) + " " + strings.Repeat("e", 52), strings.Repeat("e", 48)}},
	} {
		segments, dcs, err := SplitText(c.text, 7)
		if err != nil || dcs != c.dcs {
			t.Fatalf("%s: dcs %02X, %v", c.name, dcs, err)
		}
		want := c.pieces
		if want == nil {
			want = []string{c.text}
		}
		if len(segments) != len(want) {
			t.Fatalf("%s: %d segments, want %d", c.name, len(segments), len(want))
		}
		for i := range segments {
			got, h := textOf(t, &segments[i], dcs)
			if got != want[i] {
				t.Errorf("%s: segment %d is %q, want %q", c.name, i, got, want[i])
			}
			if len(want) > 1 && (h.Ref != 7 || int(h.Total) != len(want) || int(h.Seq) != i+1 || h.HasPorts) {
				t.Errorf("%s: segment %d has the header %+v", c.name, i, h)
			}
		}
	}
	// The bytes of a vector from outside: "hellohello" (3GPP TS 23.038 packing, as in every book).
	segments, _, _ := SplitText("hellohello", 0)
	if got := hex.EncodeToString(segments[0].UD); got != "e8329bfd4697d9ec37" || segments[0].Septets != 10 || segments[0].HasUDH {
		t.Errorf("%s %d", got, segments[0].Septets)
	}
	for text, want := range map[string]string{
		"":                             "push: nothing to send",
		"a\xff":                        "push: the text is not UTF-8",
		strings.Repeat("x", 255*153+1): "push: the text takes 256 SMS (at most 255)",
	} {
		if _, _, err := SplitText(text, 0); err == nil || err.Error() != want {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
}

// Whatever is sent, the segments are the text, each fits into an SMS, and a link that fits is in one of them, whole.
func TestSplitTextKeepsTheText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		before := rapid.StringOfN(rapid.SampledFrom([]rune("abc €[]{}~ж😀@\n")), 0, 400, -1).Draw(rt, "before")
		link := "https://x.test/" + rapid.StringMatching(`[a-z0-9]{1,50}`).Draw(rt, "link")
		after := rapid.StringOfN(rapid.SampledFrom([]rune("abc €[")), 0, 200, -1).Draw(rt, "after")
		text := before + " " + link + " " + after
		segments, dcs, err := SplitText(text, 1)
		if err != nil {
			rt.Fatal(err)
		}
		all, found := "", false
		for i := range segments {
			s := Submit{Destination: "+4917012345", DCS: dcs, UD: segments[i].UD, Septets: segments[i].Septets, HasUDH: segments[i].HasUDH}
			if err := s.Validate(); err != nil {
				rt.Fatal(err)
			}
			part, _ := textOf(t, &segments[i], dcs)
			all += part
			if read, ok := ReadText(dcs, s.UD, s.Septets, s.HasUDH); !ok || read != part {
				rt.Fatalf("%q is read as %q", part, read)
			}
			found = found || strings.Contains(part, link)
		}
		if all != text {
			rt.Fatalf("%q\nis not %q", all, text)
		}
		if !found {
			rt.Fatalf("%s is cut in %q", link, text)
		}
	})
}

func TestReadText(t *testing.T) {
	for _, c := range []struct {
		dcs     uint8
		ud      string // in hex
		septets uint8
		udh     bool
		want    string
		ok      bool
	}{
		{0x00, "e8329bfd4697d9ec37", 10, false, "hellohello", true},
		{0x11, "e8329bfd4697d9ec37", 5, false, "hello", true},
		{0x00, "e8329bfd4697d9ec37", 200, false, "hellohello", true}, // a length beyond its end
		{0x00, "1b", 1, false, "", true},                             // an escape of nothing
		{0x00, "9b32", 2, false, "€", true},
		{0x08, "0041d83d", 0, false, "A\ufffd", true},
		{0x08, "00410", 0, false, "A", true},
		{0xE0, "0041", 0, false, "A", true},
		{0x04, "0041", 0, false, "", false},
		{0xF5, "0041", 0, false, "", false},
		{0x00, "05000301", 4, true, "", false},
		{0x00, "", 0, false, "", true},
	} {
		ud, _ := hex.DecodeString(c.ud)
		if got, ok := ReadText(c.dcs, ud, c.septets, c.udh); got != c.want || ok != c.ok {
			t.Errorf("%02X %s: %q %v, want %q", c.dcs, c.ud, got, ok, c.want)
		}
	}
}
