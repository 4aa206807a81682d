package main

import (
	"bytes"
	"testing"

	"dmgate/codec/push"
)

// A text is shown as its user sees it, segment by segment.
func TestDecodeShowsTexts(t *testing.T) {
	text := "Почта, длинный текст, и ссылка, которую никто не разрежет: http://dm.test/t/abc"
	segments, dcs, err := push.SplitText(text, 9)
	if err != nil {
		t.Fatal(err)
	}
	var in []byte
	for _, s := range segments {
		m := push.Submit{Destination: "+491701234567", DCS: dcs, UD: s.UD, Septets: s.Septets, HasUDH: s.HasUDH}
		for _, b := range m.Append(nil) {
			in = append(in, "0123456789ABCDEF"[b>>4], "0123456789ABCDEF"[b&0xF])
		}
		in = append(in, '\n')
	}
	var out bytes.Buffer
	if err := decodeText(&out, "sms", in); err != nil {
		t.Fatal(err)
	}
	want := "SMS-SUBMIT to +491701234567, segment 1 of 2\ntext: \"Почта, длинный текст, и ссылка, которую никто не разрежет: \"\n" +
		"SMS-SUBMIT to +491701234567, segment 2 of 2\ntext: \"http://dm.test/t/abc\"\n"
	if out.String() != want {
		t.Errorf("%s\nwant %s", out.String(), want)
	}
}
