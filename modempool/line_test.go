package modempool

import (
	"slices"
	"strings"
	"testing"
)

// cut is what tok makes of chunks, a prompt as ">".
func cut(tok *tokenizer, chunks ...[]byte) []string {
	var out []string
	for _, b := range chunks {
		for len(b) > 0 {
			t, n, ok := tok.next(b)
			b = b[n:]
			switch {
			case ok && t.prompt:
				out = append(out, ">")
			case ok:
				out = append(out, t.line)
			}
		}
	}
	return out
}

// bytewise is b in chunks of one byte.
func bytewise(b string) [][]byte {
	var out [][]byte
	for i := range len(b) {
		out = append(out, []byte{b[i]})
	}
	return out
}

func TestTokenizer(t *testing.T) {
	const cmgs = "AT+CMGS=23"
	long := strings.Repeat("x", 3*maxLine)
	tests := []struct {
		says   string
		prompt bool
		want   []string
	}{
		{"\r\nOK\r\n", false, []string{"OK"}},
		{"OK\r", false, []string{"OK"}},
		{"OK\n\nRING\n", false, []string{"OK", "RING"}},
		{"AT\r\r\nOK\r\n", false, []string{"AT", "OK"}},
		{"\r\n+CMGS: 12  \r\n\r\nOK\r\n", false, []string{"+CMGS: 12", "OK"}},
		{"\r\nOK", false, nil},
		{"\r\n> ", true, []string{">"}},
		{">", true, []string{">"}},
		{"\r\n>\r\n", true, []string{">"}},
		{"\r\nOK\r\n\r\n> ", true, []string{"OK", ">"}},
		{cmgs + "\r\r\n> ", true, []string{cmgs, ">"}},
		{cmgs + "> ", true, []string{">"}},
		{"\r\n^RSSI: 3\r\n\r\n> 00\x1a\r\n+CMGS: 1\r\n", true, []string{"^RSSI: 3", ">", "00", "+CMGS: 1"}},
		{"\r\n> \r\n> \r\n", true, []string{">", ">"}}, // the second is only a line
		{"\r\n> \r\n", false, []string{">"}},           // so is this
		{"a > b\r\n", true, []string{"a > b"}},
		{"\x00\xff\x80OK\x11\r\n", false, []string{"OK"}},
		{long + "\r\nOK\r\n", false, []string{"OK"}},
		{long + ">\r\n> ", true, []string{">"}},
	}
	for _, test := range tests {
		whole := cut(&tokenizer{prompt: test.prompt, echo: cmgs}, []byte(test.says))
		split := cut(&tokenizer{prompt: test.prompt, echo: cmgs}, bytewise(test.says)...)
		if !slices.Equal(whole, test.want) || !slices.Equal(split, test.want) {
			t.Errorf("%.60q: %.60q, byte by byte %.60q, want %.60q", test.says, whole, split, test.want)
		}
	}
}

// Whatever comes, in whatever pieces: the same tokens, none over-long, none with a control character, one prompt.
func FuzzTokenizer(f *testing.F) {
	f.Add([]byte("AT+CMGS=23\r\r\n> \r\n+CMGS: 4\r\n\r\nOK\r\n"), uint8(3), true)
	f.Add([]byte("\r\n+CDS: 25\r\n07919471016700F00601\r\n"), uint8(1), false)
	f.Add([]byte(">\x00\xff>\r>\n"), uint8(1), true)
	f.Add([]byte(strings.Repeat("A", maxLine+1)+"\rOK\r"), uint8(200), false)
	f.Fuzz(func(t *testing.T, b []byte, piece uint8, prompt bool) {
		whole := tokenizer{prompt: prompt, echo: "AT+CMGS=23"}
		split := whole
		want := cut(&whole, b)
		got := cut(&split, slices.Collect(slices.Chunk(b, int(piece)+1))...)
		if !slices.Equal(got, want) {
			t.Fatalf("in pieces of %d: %q, whole %q", int(piece)+1, got, want)
		}
		for _, line := range want {
			control := func(r rune) bool { return r < ' ' || r > '~' }
			if line == "" || len(line) > maxLine || strings.ContainsFunc(line, control) {
				t.Fatalf("token %q", line)
			}
		}
	})
}

// No line makes the readers of lines fail, or the engine wait for a PDU that does not fit.
func FuzzLines(f *testing.F) {
	f.Add("+CDS: 25", "07919471016700F006010B919471107600F1622092110000806220921100008000")
	f.Add("+CMT: ,3", "00010203")
	f.Add("+CMS ERROR: 38", "+CMGS: 255,\"x\"")
	f.Add("+CREG: 0,1", "+CREG: 5,\"00C3\"")
	f.Fuzz(func(t *testing.T, a, b string) {
		_, _ = final(a)
		_, _ = reference(a)
		_, _ = registration(a, "+CREG:")
		if wellFormed(shown(a)) && !wellFormed(a) {
			t.Fatalf("%q is shown as %q", a, shown(a))
		}
		if strings.HasPrefix(a, "+CDS:") && pduFits(a, b) {
			_, _ = inbound{a, b}.statusReport()
		}
	})
}
