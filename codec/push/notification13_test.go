package push

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"dmgate/codec/auth"
	"dmgate/codec/internal/vector"

	"pgregory.net/rapid"
)

// One with every option, as laid out in the comment of Notification13.
const doc13 = "03 58 00 00 06 12 34 | 10 0A 'dm.example' | 20 01 07 | 20 02 01 02 | 30 01 09 | 40 01 03 |" +
	"50 04 'fota' | 60 02 FF 00 | 00112233445566778899AABBCCDDEEFF"

func TestNotification13(t *testing.T) {
	doc := vector.Bytes(t, doc13)
	n, err := ReadNotification13(doc)
	if err != nil {
		t.Fatal(err)
	}
	if n.Version != 13 || n.UIMode != UIBackground || !n.ServerInitiated || n.Future != 6 || n.SessionID != 0x1234 {
		t.Errorf("head %+v", n)
	}
	var lines []string
	for _, o := range n.Options {
		lines = append(lines, o.Name()+" "+o.String())
	}
	const want = `Server-ID "dm.example"|Targeted-MO 7|Targeted-MO 258|Requested-MO 9|Preferred-Bearer 3|` +
		`Connect-Reason "fota"|Vendor-Info FF00`
	if got := strings.Join(lines, "|"); got != want {
		t.Errorf("options %s\nwant    %s", got, want)
	}
	if n.ServerID() != "dm.example" || (&Notification13{}).ServerID() != "" {
		t.Errorf("server %q", n.ServerID())
	}
	if got := fmt.Sprintf("%X", n.Digest); got != "00112233445566778899AABBCCDDEEFF" {
		t.Errorf("digest %s", got)
	}
	if again := n.Append(nil, nil, nil); string(again) != string(doc) {
		t.Errorf("written % X", again)
	}
	if o := (&Option{Number: 9, Value: []byte{1}}); o.Name() != "option 9" || o.String() != "01" {
		t.Errorf("an option of a later version is %s %s", o.Name(), o)
	}
}

// Neither form passes for the other.
func TestNotificationForms(t *testing.T) {
	id := "com.mgmtsrv.manage"
	old := Notification{SessionID: 1, ServerID: id, ServerInitiated: true}
	secret := auth.NewSecret([]byte(id), []byte("secret"))
	if _, err := ReadNotification13(old.Append(nil, &secret, nil)); err == nil {
		t.Error("one of DM 1.2 is read as one of DM 1.3")
	}
	n := Notification13{SessionID: 1, Options: []Option{{OptionServerID, []byte(id)}}}
	if _, err := ReadNotification(n.Append(nil, &secret, nil)); err == nil {
		t.Error("one of DM 1.3 is read as one of DM 1.2")
	}
}

func TestMalformedNotification13(t *testing.T) {
	const head, digest = "03 58 00 00 01 12 34", "00112233445566778899AABBCCDDEEFF"
	id := head + "10 01 's'"
	for _, v := range []struct{ name, doc, want string }{
		{"nothing", "", "notification: offset 0: DM 1.3 notification of 0 bytes (want at least 26)"},
		{"no options", head + digest, "notification: offset 23: DM 1.3 notification of 23 bytes (want at least 26)"},
		{"of DM 1.2", "02 D8 00 00 01 12 34 10 01 's'" + digest, "notification: offset 0: version 11 (want 12 or 13)"},
		{"version 14", "03 98 00 00 01 12 34 10 01 's'" + digest, "notification: offset 0: version 14 (want 12 or 13)"},
		{"option 0", head + "00 01 's'" + digest, "notification: offset 7: option 0 (want 1 to 15)"},
		{"no Server-ID", head + "20 01 07" + digest,
			"notification: offset 7: Targeted-MO in front of Server-ID, or without it"},
		{"second Server-ID", id + "10 01 't'" + digest, "notification: offset 10: second Server-ID"},
		{"second Connect-Reason", id + "50 01 'a' 50 01 'b'" + digest, "notification: offset 13: second Connect-Reason"},
		{"descending", id + "40 01 03 30 01 01" + digest,
			"notification: offset 13: Requested-MO behind option 4 (want ascending numbers)"},
		{"option of no length", id + "50 00" + digest, "notification: offset 10: Connect-Reason without a value"},
		{"bearer of two bytes", id + "40 02 00 01" + digest,
			"notification: offset 10: Preferred-Bearer of 2 bytes (at most 1)"},
		{"MO of three bytes", id + "20 03 00 00 01" + digest,
			"notification: offset 10: Targeted-MO of 3 bytes (at most 2)"},
		{"Server-ID of 257 bytes", head + "11 01" + digest,
			"notification: offset 25: DM 1.3 notification of 25 bytes (want at least 26)"},
		{"Server-ID of 257 bytes", head + "11 01 's'" + digest,
			"notification: offset 7: Server-ID of 257 bytes (at most 256)"},
		{"value cut off", id + "50 05 'abcd'" + digest, "notification: offset 10: Connect-Reason of 5 bytes, only 4 left"},
		{"option's head cut off", id + "50" + digest, "notification: offset 10: options end in the head of one"},
		{"too many options", id + strings.Repeat("40 01 01", 64) + digest,
			"notification: offset 199: more than 64 options"},
	} {
		t.Run(v.name, func(t *testing.T) {
			_, err := ReadNotification13(vector.Bytes(t, v.doc))
			expect(t, err, v.want)
		})
	}
}

func TestNotification13RoundTrip(t *testing.T) {
	option := func(number uint8, max int) *rapid.Generator[Option] {
		return rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, max), func(v []byte) Option { return Option{number, v} })
	}
	rapid.Check(t, func(t *rapid.T) {
		n := Notification13{
			Version:         rapid.Uint16Range(12, 13).Draw(t, "version"),
			UIMode:          UIMode(rapid.IntRange(0, 3).Draw(t, "ui")),
			ServerInitiated: rapid.Bool().Draw(t, "server"),
			Future:          rapid.Uint32Max(1<<27-1).Draw(t, "future"),
			SessionID:       rapid.Uint16().Draw(t, "session"),
			Options:         []Option{option(OptionServerID, 256).Draw(t, "server id")},
		}
		for number, form := range optionForms {
			times := 0
			if number > OptionServerID {
				times = rapid.IntRange(0, 1).Draw(t, "times")
			}
			if times > 0 && form.repeat {
				times = 3
			}
			for range times {
				n.Options = append(n.Options, option(uint8(number), max(form.max&0x3FF, 1)).Draw(t, "option"))
			}
		}
		nonce := rapid.SliceOf(rapid.Byte()).Draw(t, "nonce")
		secret := auth.NewSecret([]byte(n.ServerID()), []byte("secret"))
		b := n.Append(nil, &secret, nonce)
		got, err := ReadNotification13(b)
		if err != nil || !got.Verify(&secret, nonce) {
			t.Fatalf("%+v, %v", got, err)
		}
		n.Digest = got.Digest
		if !reflect.DeepEqual(got, n) {
			t.Fatalf("got  %+v\nwant %+v", got, n)
		}
		b[rapid.IntRange(0, len(b)-17).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if got, err = ReadNotification13(b); err == nil && got.Verify(&secret, nonce) {
			t.Fatal("verified after a bit was turned")
		}
	})
}
