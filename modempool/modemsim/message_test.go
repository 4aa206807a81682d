package modemsim

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"dmgate/codec/push"
)

// Texts are read back as what they are: by coding, length, and place in a concatenation.
func TestTexts(t *testing.T) {
	for _, test := range []struct {
		sms  push.Deliver
		want string // DCS, septets, user data
	}{
		{Text("+491", "Hello"), "00 5 C8329BFD06"},
		{Text("+491", "1234567"), "00 7 31D98C56B3DD00"},
		{Text("+491", "a@b"), "08 0 006100400062"},
		{Text("+491", "größe"), "08 0 0067007200F600DF0065"},
		{Binary("+491", []byte{0, 0xff}), "04 0 00FF"},
	} {
		d, err := push.ReadDeliver(test.sms.Append(nil))
		if got := fmt.Sprintf("%02X %d %X", d.DCS, d.Septets, d.UD); err != nil || got != test.want {
			t.Errorf("%s: %v, want %s", got, err, test.want)
		}
	}
	text := strings.Repeat("ö", 150)
	parts := LongText("+491", text, 42)
	var got []byte
	for i, d := range parts {
		if err := d.Validate(); err != nil {
			t.Fatal(err)
		}
		h, rest, err := push.ReadUDH(d.UD)
		if err != nil || h.Ref != 42 || int(h.Total) != len(parts) || int(h.Seq) != i+1 {
			t.Errorf("part %d has %+v: %v", i, h, err)
		}
		got = append(got, rest...)
	}
	if len(parts) != 3 || !bytes.Equal(got, ucs2(text)) {
		t.Errorf("%d parts, %X", len(parts), got)
	}
}
