package fuzz

import (
	"testing"

	"dmgate/codec/push"
)

// FuzzText: a text that was cut into SMS says the same when they are read one by one, and what came from a network is
// read without a panic.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"Mail: http://dm.test/t/abc", "\u20ac[]{}", "\u0434\u043b\u0438\u043d\u043d\u044b\u0439", "\U0001f600"} {
		f.Add(seed, []byte(seed), uint8(0), uint8(len(seed)), false)
	}
	f.Add("", []byte{5, 0, 3, 1, 2, 1, 0x90}, uint8(0), uint8(8), true)
	f.Fuzz(func(t *testing.T, text string, ud []byte, dcs, septets uint8, udh bool) {
		push.ReadText(dcs, ud, septets, udh)
		segments, dcs, err := push.SplitText(text, 1)
		if err != nil {
			return
		}
		all := ""
		for i := range segments {
			s := &segments[i]
			part, ok := push.ReadText(dcs, s.UD, s.Septets, s.HasUDH)
			if len(s.UD) > push.MaxUD || !ok {
				t.Fatalf("segment %d of %q: %d octets", i, text, len(s.UD))
			}
			all += part
		}
		if all != text {
			t.Fatalf("%q is read as %q", text, all)
		}
	})
}
