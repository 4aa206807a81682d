package push

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dmgate/codec/internal/vector"
)

const vectorMAC = "AB7CE0EDD71F700B738D6BD3D53926BE235E2486"

// Pushes as they go out, and read again. The first two are those of sections 5.2 and 6.1.
func TestPush(t *testing.T) {
	for _, v := range []struct {
		name string
		push Push
		want string
	}{
		{"notification", Push{TID: 1, ContentType: TypeNotification, AppID: AppDM, HasAppID: true, Body: []byte("b")},
			"01 06 03 C4 AF 87 | 'b'"},
		{"settings with a MAC", Push{TID: 2, ContentType: TypeConnectivityWBXML, Signed: true, SEC: UserPIN,
			MAC:  vectorMAC,
			Body: vectorBody}, "02 06 2F 1F 2D B6 91 81 92 '" + vectorMAC + "' 00 | 03 0B 6A 00 C5 46 01"},
		{"settings whose PIN is the MAC", Push{ContentType: TypeConnectivityWBXML, Signed: true, SEC: UserPINMAC,
			Body: vectorBody}, "00 06 04 03 B6 91 83 | 03 0B 6A 00 C5 46 01"},
		{"settings with a MAC for an application", Push{ContentType: TypeDMWBXML, Signed: true, MAC: vectorMAC,
			AppID:    AppDM,
			HasAppID: true, Body: []byte{}}, "00 06 31 1F 2D C2 91 80 92 '" + vectorMAC + "' 00 AF 87"},
		{"text that begins like a number", Push{ContentType: TypeSIC, Signed: true, SEC: UserPIN, MAC: "\x84",
			Body: []byte{}},
			"00 06 08 07 AE 91 81 92 7F 84 00"},
		{"service indication", Push{ContentType: TypeSIC, Body: []byte("si")}, "00 06 01 AE 'si'"},
		{"content type in text", Push{TypeName: "text/x", Body: []byte{}}, "00 06 07 'text/x' 00"},
		{"application id of two bytes", Push{ContentType: TypeConnectivityXML, AppID: 0x9044, HasAppID: true,
			Body: []byte{}},
			"00 06 05 B5 AF 02 90 44"},
		{"application id of one byte above 127", Push{ContentType: 0, AppID: 0xFF, HasAppID: true, Body: []byte{}},
			"00 06 04 80 AF 01 FF"},
	} {
		t.Run(v.name, func(t *testing.T) {
			want := vector.Bytes(t, v.want)
			if got := v.push.Append(nil); string(got) != string(want) {
				t.Errorf("got  % X\nwant % X", got, want)
			}
			if got, err := ReadPush(want); err != nil || !reflect.DeepEqual(got, v.push) {
				t.Errorf("read %+v, %v\nwant %+v", got, err, v.push)
			}
		})
	}
}

// Forms that we do not write and gateways do.
func TestPushForms(t *testing.T) {
	cp := Push{ContentType: TypeConnectivityWBXML, Signed: true, SEC: UserPIN, MAC: "AB", Body: []byte("b")}
	forApp := func(id uint16) Push {
		return Push{ContentType: TypeNotification, AppID: id, HasAppID: true, Body: []byte("b")}
	}
	named := cp
	named.ContentType, named.TypeName = 0, "application/vnd.wap.connectivity-wbxml"
	for _, v := range []struct {
		name, doc string
		want      Push
	}{
		{"MAC before SEC", "00 06 08 07 B6 92 'AB' 00 91 81 'b'", cp},
		{"MAC in quotes", "00 06 09 08 B6 91 81 92 22 'AB' 00 'b'", cp},
		{"MAC in quotes at both ends", "00 06 0A 09 B6 91 81 92 22 'AB' 22 00 'b'", cp},
		{"MAC without its NUL", "00 06 07 06 B6 91 81 92 'AB' 'b'", cp},
		{"SEC in text", "00 06 0B 0A B6 'SEC' 00 '1' 00 92 'AB' 'b'", cp},
		{"SEC as a long integer", "00 06 09 08 B6 91 01 01 92 'AB' 00 'b'", cp},
		{"names in text", "00 06 0D 0C B6 'sec' 00 81 'mac' 00 'AB' 'b'", cp},
		{"a charset before them", "00 06 0A 09 B6 81 EA 91 81 92 'AB' 00 'b'", cp},
		{"long form of a short length", "00 06 09 1F 07 B6 91 81 92 'AB' 00 'b'", cp},
		{"length of headers in two bytes", "00 06 80 08 07 B6 91 81 92 'AB' 00 'b'", cp},
		{"content type as a long integer", "00 06 09 08 01 36 91 81 92 'AB' 00 'b'", cp},
		{"content type in text with parameters", "00 06 2F 1F 2D 'application/vnd.wap.connectivity-wbxml' 00" +
			"91 81 92 'AB' 00 'b'", named},
		{"content length before the application id", "00 06 05 C4 8D 90 AF 87 'b'", forApp(AppDM)},
		{"application id before the content length", "00 06 05 C4 AF 87 8D 90 'b'", forApp(AppDM)},
		{"application id in a long integer of one byte", "00 06 04 C4 AF 01 07 'b'", forApp(AppDM)},
		{"application id as a URI", "00 06 1E C4 AF 'x-wap-application:syncml.dm' 00 'b'", forApp(AppDM)},
		{"application id's header in text", "00 06 17 C4 'x-wap-application-id' 00 84 'b'", forApp(AppMMS)},
		{"application id nobody knows", "00 06 06 C4 AF 'x:y' 00 'b'", Push{ContentType: TypeNotification,
			Body: []byte("b")}},
		{"the same number on another page", "00 06 04 C4 02 AF 87 'b'", Push{ContentType: TypeNotification,
			Body: []byte("b")}},
		{"there and back", "00 06 06 C4 7F 02 01 AF 87 'b'", forApp(AppDM)},
		{"a header in text", "00 06 08 C4 'X' 00 'yz' 00 AF 87 'b'", forApp(AppDM)},
	} {
		t.Run(v.name, func(t *testing.T) {
			got, err := ReadPush(vector.Bytes(t, v.doc))
			if err != nil || !reflect.DeepEqual(got, v.want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, v.want)
			}
		})
	}
}

func TestMalformedPush(t *testing.T) {
	for _, v := range []struct{ name, doc, want string }{
		{"nothing", "", "push: offset 0: push of 0 bytes (want at least 3)"},
		{"too short", "01 06", "push: offset 2: push of 2 bytes (want at least 3)"},
		{"a reply", "01 04 00", "push: offset 1: WSP PDU type 0x04 (want 0x06, push)"},
		{"headers too long", "01 06 04 C4 AF 87", "push: offset 2: headers of 4 bytes, only 3 left"},
		{"headers' length cut off", "01 06 80", "push: offset 3: headers end in the headers' length"},
		{"headers' length without end", "01 06 80 80 80 80 80 80",
			"push: offset 2: headers' length takes more than five bytes"},
		{"no headers", "01 06 00 'b'", "push: offset 3: no content type"},
		{"content type too long", "01 06 02 05 B6", "push: offset 3: content type of 5 bytes, only 1 left"},
		{"content type of no length", "01 06 01 00", "push: offset 4: headers end before the content type"},
		{"long length cut off", "01 06 01 1F", "push: offset 4: headers end in the value's length"},
		{"content type's number too large", "01 06 04 03 02 01 00",
			"push: offset 4: content type is not a number below 0x80"},
		{"content type of five bytes", "01 06 07 06 05 00 00 00 00 36",
			"push: offset 4: content type is not a number below 0x80"},
		{"application id of five bytes", "01 06 08 C4 AF 05 00 00 00 00 07",
			"push: offset 5: application id is not a number below 0x10000"},
		{"content type of no characters", "01 06 02 7F 00", "push: offset 3: content type of no characters"},
		{"SEC without a value", "01 06 03 02 B6 91", "push: offset 6: headers end before the parameter's value"},
		{"SEC of 4", "01 06 04 03 B6 91 84", "push: offset 6: SEC is not 0 to 3"},
		{"SEC of 4 in text", "01 06 05 04 B6 91 '4' 00", "push: offset 6: SEC is not 0 to 3"},
		{"SEC in words", "01 06 08 07 B6 91 'USER' 00", "push: offset 6: SEC is not 0 to 3"},
		{"SEC of six bytes", "01 06 0A 09 B6 91 06 00 00 00 00 00 01", "push: offset 6: SEC is not 0 to 3"},
		{"MAC in bytes", "01 06 06 05 B6 92 02 AB CD", "push: offset 6: MAC is not text"},
		{"parameter's value too long", "01 06 05 04 B6 81 04 00",
			"push: offset 6: parameter's value of 4 bytes, only 1 left"},
		{"parameter's name too long", "01 06 04 03 B6 03 01", "push: offset 5: parameter's name of 3 bytes, only 1 left"},
		{"long length of a value cut off", "01 06 04 C4 AF 1F 80", "push: offset 7: headers end in the value's length"},
		{"header without a value", "01 06 02 C4 AF", "push: offset 5: headers end before the header's value"},
		{"header of nothing", "01 06 02 C4 00", "push: offset 4: header's name begins with NUL"},
		{"page shift cut off", "01 06 02 C4 7F", "push: offset 4: headers end in a page shift"},
		{"application id of three bytes", "01 06 06 C4 AF 03 01 00 00",
			"push: offset 5: application id is not a number below 0x10000"},
	} {
		t.Run(v.name, func(t *testing.T) {
			_, err := ReadPush(vector.Bytes(t, v.doc))
			expect(t, err, v.want)
		})
	}
}

// Headers of any length, whose number takes from one byte to three.
func TestLongHeaders(t *testing.T) {
	for _, n := range []int{1, 30, 31, 100, 127, 128, 16000, 17000} {
		p := Push{TypeName: "a/" + strings.Repeat("x", n), Signed: true, SEC: UserPIN, MAC: vectorMAC, Body: []byte("b")}
		if got, err := ReadPush(p.Append(nil)); err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestTypeNames(t *testing.T) {
	if got := (&Push{ContentType: TypeNotification}).Type(); got != "application/vnd.syncml.notification" {
		t.Error(got)
	}
	if got := (&Push{ContentType: TypeNotification, TypeName: "text/x"}).Type(); got != "text/x" {
		t.Error(got)
	}
}

func TestPushRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Push{TID: rapid.Byte().Draw(t, "tid"), Body: rapid.SliceOf(rapid.Byte()).Draw(t, "body")}
		if rapid.Bool().Draw(t, "text") {
			p.TypeName = rapid.StringMatching(`[a-z]{1,20}/[a-z.+-]{1,200}`).Draw(t, "type")
		} else {
			p.ContentType = rapid.Byte().Draw(t, "type") & 0x7F
		}
		if p.HasAppID = rapid.Bool().Draw(t, "for an application"); p.HasAppID {
			p.AppID = rapid.Uint16().Draw(t, "application")
		}
		if p.Signed = rapid.Bool().Draw(t, "signed"); p.Signed {
			p.SEC = SEC(rapid.IntRange(0, 3).Draw(t, "sec"))
			p.MAC = rapid.StringMatching(`[0-9A-F]{0,40}`).Draw(t, "mac")
		}
		b := p.Append([]byte("keep"))
		got, err := ReadPush(b[4:])
		if err != nil || string(b[:4]) != "keep" || !reflect.DeepEqual(got, p) {
			t.Fatalf("got %+v, %v\nof  % X", got, err, b)
		}
	})
}

// A push of settings, from the document to its segments and back.
func TestThereAndBack(t *testing.T) {
	body := []byte(strings.Repeat("settings ", 60))
	mac, err := MAC(UserPIN, Key{PIN: "1234"}, body)
	if err != nil {
		t.Fatal(err)
	}
	p := Push{TID: 1, ContentType: TypeConnectivityWBXML, Signed: true, SEC: UserPIN, MAC: mac, Body: body}
	uds, err := Split(p.Append(nil), Ports{Dst: PortPush, Src: PortWSP}, 7)
	if err != nil || len(uds) != 5 {
		t.Fatalf("%d segments, %v", len(uds), err)
	}
	var phone Reassembler
	for i, ud := range uds {
		sms := Submit{Destination: "+491701234567", UD: ud, HasUDH: true, DCS: DCSClass1}
		got, err := ReadSubmit(sms.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		pdu, ports, done, err := phone.Add("+49", got.UD)
		if err != nil || done != (i == len(uds)-1) {
			t.Fatalf("segment %d: %v, %v", i+1, done, err)
		}
		if !done {
			continue
		}
		received, err := ReadPush(pdu)
		if err != nil || ports != (Ports{PortPush, PortWSP}) || !reflect.DeepEqual(received, p) {
			t.Errorf("got %+v on %v, %v", received, ports, err)
		}
		if !Verify(received.SEC, received.MAC, Key{PIN: "1234"}, received.Body) {
			t.Error("not verified")
		}
	}
}
