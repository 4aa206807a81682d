package push

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"dmgate/codec/internal/vector"
)

// Sizes at all borders: 133 octets fit one SMS, each of several holds 128.
func TestSegmentBorders(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 1, 132: 1, 133: 1, 134: 2, 255: 2, 256: 2, 257: 3, 383: 3, 384: 3, 385: 4,
		254 * 128: 254, 255 * 128: 255, 255*128 + 1: 256} {
		if got := SegmentCount(n); got != want {
			t.Errorf("%d octets: %d segments, want %d", n, got, want)
		}
		uds, err := Split(make([]byte, n), Ports{PortPush, PortPush}, 1)
		if want < 1 || want > 255 {
			if err == nil {
				t.Errorf("%d octets were split", n)
			}
			continue
		}
		if err != nil || len(uds) != want {
			t.Errorf("%d octets: split into %d, %v", n, len(uds), err)
		}
		for _, ud := range uds {
			if len(ud) > MaxUD {
				t.Errorf("%d octets: a segment of %d", n, len(ud))
			}
		}
	}
	_, err := Split(make([]byte, 255*128+1), Ports{}, 1)
	if fmt.Sprint(err) != "push: 32641 octets take 256 SMS (at most 255)" {
		t.Error(err)
	}
	if _, err = Split(nil, Ports{}, 1); fmt.Sprint(err) != "push: nothing to send" {
		t.Error(err)
	}
}

// The headers of section 7.1, byte by byte.
func TestSegmentHeaders(t *testing.T) {
	uds, err := Split([]byte("push"), Ports{Dst: PortPush, Src: 0xC002}, 9)
	if want := vector.Bytes(t, "06 05 04 0B 84 C0 02 'push'"); err != nil || !bytes.Equal(uds[0], want) {
		t.Errorf("single: % X, %v", uds[0], err)
	}
	uds, err = Split(make([]byte, 134), Ports{Dst: PortPush, Src: PortWSP}, 0xAB)
	if err != nil {
		t.Fatal(err)
	}
	for i, head := range []string{"0B 05 04 0B 84 23 F0 00 03 AB 02 01", "0B 05 04 0B 84 23 F0 00 03 AB 02 02"} {
		if got := uds[i][:12]; !bytes.Equal(got, vector.Bytes(t, head)) {
			t.Errorf("segment %d: % X", i+1, got)
		}
	}
	if len(uds[0]) != 140 || len(uds[1]) != 12+6 {
		t.Errorf("sizes %d, %d", len(uds[0]), len(uds[1]))
	}
}

func TestUDH(t *testing.T) {
	for _, v := range []struct {
		name, ud string
		want     UDH
		body     string
	}{
		{"empty", "00 'x'", UDH{}, "x"},
		{"ports of 8 bits", "04 04 02 F0 F1 'x'", UDH{HasPorts: true, Ports: Ports{0xF0, 0xF1}}, "x"},
		{"reference of 16 bits", "0C 05 04 0B 84 0B 84 08 04 12 34 03 02 'x'",
			UDH{HasPorts: true, Ports: Ports{PortPush, PortPush}, Ref: 0x1234, Wide: true, Total: 3, Seq: 2}, "x"},
		{"segment before ports", "0B 00 03 07 03 02 05 04 0B 84 0B 84 'x'",
			UDH{HasPorts: true, Ports: Ports{PortPush, PortPush}, Ref: 7, Total: 3, Seq: 2}, "x"},
		{"elements of other kinds", "0B 01 02 80 01 70 00 00 03 07 02 01", UDH{Ref: 7, Total: 2, Seq: 1}, ""},
		{"the last of two counts", "08 04 02 01 02 04 02 03 04", UDH{HasPorts: true, Ports: Ports{3, 4}}, ""},
	} {
		t.Run(v.name, func(t *testing.T) {
			got, body, err := ReadUDH(vector.Bytes(t, v.ud))
			if err != nil || got != v.want || string(body) != v.body {
				t.Errorf("got %+v, %q, %v", got, body, err)
			}
		})
	}
}

func TestMalformedUDH(t *testing.T) {
	for _, v := range []struct{ name, ud, want string }{
		{"nothing", "", "tpdu: offset 0: no user data header"},
		{"too long", "05 00 03", "tpdu: offset 0: user data header of 5 bytes, only 2 left"},
		{"ends in an element", "01 05", "tpdu: offset 1: user data header ends in an element"},
		{"element too long", "03 05 04 0B 84", "tpdu: offset 2: element 0x05 of 4 bytes, only 1 left"},
		{"ports of three bytes", "05 05 03 0B 84 0B", "tpdu: offset 2: element 0x05 of 3 bytes (want 4)"},
		{"segment 0", "05 00 03 07 02 00", "tpdu: offset 3: segment 0 of 2"},
		{"segment 3 of 2", "05 00 03 07 02 03", "tpdu: offset 3: segment 3 of 2"},
		{"segment 1 of 0", "05 00 03 07 00 01", "tpdu: offset 3: segment 1 of 0"},
	} {
		t.Run(v.name, func(t *testing.T) {
			_, _, err := ReadUDH(vector.Bytes(t, v.ud))
			expect(t, err, v.want)
		})
	}
}

func TestUDHRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h UDH
		if h.HasPorts = rapid.Bool().Draw(t, "ports"); h.HasPorts {
			h.Ports = Ports{rapid.Uint16().Draw(t, "dst"), rapid.Uint16().Draw(t, "src")}
		}
		if rapid.Bool().Draw(t, "cut") {
			h.Wide = rapid.Bool().Draw(t, "wide")
			h.Ref = rapid.Uint16().Draw(t, "ref")
			if !h.Wide {
				h.Ref &= 0xFF
			}
			h.Total = rapid.ByteMin(1).Draw(t, "total")
			h.Seq = rapid.ByteRange(1, h.Total).Draw(t, "seq")
		}
		got, body, err := ReadUDH(append(h.Append(nil), 'x'))
		if err != nil || got != h || string(body) != "x" {
			t.Fatalf("got %+v, %q, %v", got, body, err)
		}
	})
}

// What was split comes together again, in any order and with any number of duplicates before the last.
func TestReassembleProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pdu := rapid.SliceOfN(rapid.Byte(), 1, 2000).Draw(t, "pdu")
		ports := Ports{rapid.Uint16().Draw(t, "dst"), rapid.Uint16().Draw(t, "src")}
		uds, err := Split(pdu, ports, rapid.Byte().Draw(t, "ref"))
		if err != nil {
			t.Fatal(err)
		}
		uds = rapid.Permutation(uds).Draw(t, "order")
		var r Reassembler
		for i, ud := range uds {
			again := rapid.IntRange(0, i).Draw(t, "again")
			if _, _, done, err := r.Add("+49", ud); done != (i == len(uds)-1) || err != nil {
				t.Fatalf("segment %d of %d: %v, %v", i+1, len(uds), done, err)
			} else if done {
				break
			}
			if _, _, done, err := r.Add("+49", uds[again]); done || err != nil {
				t.Fatalf("the same again: %v, %v", done, err)
			}
		}
		if r.Pending() != 0 || r.bytes != 0 {
			t.Fatalf("%d messages, %d bytes are left", r.Pending(), r.bytes)
		}
		r = Reassembler{}
		var got []byte
		for _, ud := range uds {
			got, ports, _, err = r.Add("", ud)
		}
		if err != nil || !reflect.DeepEqual(got, pdu) {
			t.Fatalf("got % X on %v, %v", got, ports, err)
		}
	})
}
