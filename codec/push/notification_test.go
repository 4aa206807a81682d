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

// The vector of section 5.1.
func TestNotificationVector(t *testing.T) {
	secret := auth.NewSecret([]byte("com.mgmtsrv.manage"), []byte("secret"))
	n := Notification{UIMode: UIBackground, ServerInitiated: true, SessionID: 0x1234, ServerID: "com.mgmtsrv.manage"}
	want := vector.Bytes(t, `00943DD49AE64416B0788E0B4CDA3ED2
		02 D8 00 00 00 12 34 12 636F6D2E6D676D747372762E6D616E616765`)
	if got := n.Append(nil, &secret, []byte("1234")); string(got) != string(want) {
		t.Errorf("got  % X\nwant % X", got, want)
	}
	got, err := ReadNotification(want)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Verify(&secret, []byte("1234")) {
		t.Error("not verified")
	}
	if got.Verify(&secret, []byte("1235")) {
		t.Error("verified with another nonce")
	}
	if again := got.Append(nil, nil, nil); string(again) != string(want) {
		t.Errorf("as read: % X", again)
	}
	n.Digest, n.Version = got.Digest, Version11
	if !reflect.DeepEqual(got, n) {
		t.Errorf("read %+v", got)
	}
}

// The five bytes version to future use, section 5.1, for both versions, initiators and all ui-modes.
func TestNotificationHeads(t *testing.T) {
	for _, v := range []struct {
		version uint16
		server  bool
		heads   [4]string
	}{
		{Version11, true, [4]string{"02 C8", "02 D8", "02 E8", "02 F8"}},
		{Version11, false, [4]string{"02 C0", "02 D0", "02 E0", "02 F0"}},
		{Version10, true, [4]string{"02 88", "02 98", "02 A8", "02 B8"}},
		{Version10, false, [4]string{"02 80", "02 90", "02 A0", "02 B0"}},
	} {
		for mode, head := range v.heads {
			n := Notification{Version: v.version, UIMode: UIMode(mode), ServerInitiated: v.server, SessionID: 1,
				ServerID: "s"}
			b := n.Append(nil, nil, nil)
			if got := fmt.Sprintf("% X", b[16:21]); got != head+" 00 00 00" {
				t.Errorf("version %d, ui-mode %s: %s, want %s", v.version, n.UIMode, got, head)
			}
			if got, err := ReadNotification(b); err != nil || !reflect.DeepEqual(got, n) {
				t.Errorf("read %+v, %v", got, err)
			}
		}
	}
}

// A notification with a ServerID of 103 bytes fits one SMS, one of 104 does not (section 5.2).
func TestNotificationFitsOneSMS(t *testing.T) {
	for size, want := range map[int]int{103: 1, 104: 2} {
		n := Notification{SessionID: 1, ServerID: strings.Repeat("s", size)}
		p := Push{ContentType: TypeNotification, HasAppID: true, AppID: AppDM, Body: n.Append(nil, nil, nil)}
		if got := SegmentCount(len(p.Append(nil))); got != want {
			t.Errorf("ServerID of %d bytes: %d SMS, want %d", size, got, want)
		}
	}
}

func TestMalformedNotification(t *testing.T) {
	digest := strings.Repeat("00", 16)
	for _, v := range []struct{ name, doc, want string }{
		{"nothing", "", "notification: offset 0: notification of 0 bytes (want at least 24)"},
		{"without its last byte", digest + "02 D8 00 00 00 00 01",
			"notification: offset 23: notification of 23 bytes (want at least 24)"},
		{"version 12", digest + "03 18 00 00 00 00 01 00", "notification: offset 16: version 12 (want 10 or 11)"},
		{"ServerID cut off", digest + "02 D8 00 00 00 00 01 02 's'",
			"notification: offset 23: ServerID of 2 bytes, only 1 left"},
	} {
		t.Run(v.name, func(t *testing.T) {
			_, err := ReadNotification(vector.Bytes(t, v.doc))
			expect(t, err, v.want)
		})
	}
}

func TestNotificationValidate(t *testing.T) {
	for _, v := range []struct {
		change func(n *Notification)
		want   string
	}{
		{func(n *Notification) {}, "<nil>"},
		{func(n *Notification) { n.Version = 12 }, "notification: version 12 (want 10 or 11)"},
		{func(n *Notification) { n.UIMode = 4 }, "notification: ui-mode 4 (want 0 to 3)"},
		{func(n *Notification) { n.SessionID = 0 }, "notification: session id 0 (want 1 to 65535)"},
		{func(n *Notification) { n.ServerID = "" }, "notification: ServerID of 0 bytes (want 1 to 255)"},
		{func(n *Notification) { n.ServerID = strings.Repeat("x", 256) },
			"notification: ServerID of 256 bytes (want 1 to 255)"},
		{func(n *Notification) { n.Future = 1 << 27 }, "notification: future use 0x8000000 takes more than 27 bits"},
	} {
		n := Notification{SessionID: 1, ServerID: "s"}
		v.change(&n)
		if got := fmt.Sprint(n.Validate()); got != v.want {
			t.Errorf("got %s, want %s", got, v.want)
		}
	}
}

func TestNotificationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := Notification{
			Version:         rapid.SampledFrom([]uint16{Version10, Version11}).Draw(t, "version"),
			UIMode:          UIMode(rapid.IntRange(0, 3).Draw(t, "ui")),
			ServerInitiated: rapid.Bool().Draw(t, "server"),
			Future:          rapid.Uint32Max(1<<27-1).Draw(t, "future"),
			SessionID:       rapid.Uint16Min(1).Draw(t, "session"),
			ServerID:        rapid.StringN(1, 60, 255).Draw(t, "id"),
		}
		if vendor := rapid.SliceOf(rapid.Byte()).Draw(t, "vendor"); len(vendor) > 0 {
			n.Vendor = vendor
		}
		nonce := rapid.SliceOf(rapid.Byte()).Draw(t, "nonce")
		secret := auth.NewSecret([]byte(n.ServerID), []byte("secret"))
		b := n.Append(nil, &secret, nonce)
		got, err := ReadNotification(b)
		if err != nil || !got.Verify(&secret, nonce) {
			t.Fatalf("%+v, %v", got, err)
		}
		n.Digest = got.Digest
		if !reflect.DeepEqual(got, n) {
			t.Fatalf("got  %+v\nwant %+v", got, n)
		}
		b[16+rapid.IntRange(0, len(b)-17).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if got, err = ReadNotification(b); err == nil && got.Verify(&secret, nonce) {
			t.Fatal("verified after a bit was turned")
		}
	})
}

func TestUIModeNames(t *testing.T) {
	for m, want := range map[UIMode]string{UINotSpecified: "not specified", UIInteraction: "user interaction",
		4: "ui-mode 4"} {
		if got := m.String(); got != want {
			t.Errorf("%d: got %q, want %q", uint8(m), got, want)
		}
	}
}
