package push

import (
	"bytes"
	"testing"
	"time"

	"github.com/warthog618/sms/encoding/tpdu"
	"pgregory.net/rapid"
)

// Another implementation reads what we write, writes the same octets from it, and is read by us.

func dissectTPDU(t *rapid.T, direction tpdu.Direction, b []byte) tpdu.TPDU {
	msg := tpdu.TPDU{Direction: direction}
	if err := msg.UnmarshalBinary(b); err != nil {
		t.Fatalf("% X: %v", b, err)
	}
	if msg.VP.Format == tpdu.VpfRelative {
		return msg // it writes 5 minutes as 1, which is 10
	}
	again, err := msg.MarshalBinary()
	if err != nil || !bytes.Equal(again, b) {
		t.Fatalf("written % X, %v\nof      % X", again, err, b)
	}
	return msg
}

func sameUD(t *rapid.T, msg *tpdu.TPDU, ud []byte, hasUDH bool) {
	if msg.UDHI() != hasUDH {
		t.Fatalf("UDHI %v", msg.UDHI())
	}
	if !hasUDH {
		if !bytes.Equal(msg.UD, ud) {
			t.Fatalf("user data % X, want % X", msg.UD, ud)
		}
		return
	}
	h, body, err := ReadUDH(ud)
	if err != nil || !bytes.Equal(msg.UD, body) {
		t.Fatalf("user data % X, want % X, %v", msg.UD, body, err)
	}
	if ports, ok := msg.UDH.IE(5); !ok || !bytes.Equal(ports.Data, ud[3:7]) {
		t.Fatalf("ports % X", ports.Data)
	}
	total, seq, ref, ok := msg.ConcatInfo()
	if ok != (h.Total > 0) || uint8(total) != h.Total || uint8(seq) != h.Seq || uint16(ref) != h.Ref {
		t.Fatalf("segment %d of %d of %d, want %+v", seq, total, ref, h)
	}
}

func TestWarthogReadsSubmit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genSubmit(t)
		msg := dissectTPDU(t, tpdu.MO, s.Append(nil))
		if msg.MR != s.Reference || msg.DA.Number() != s.Destination || msg.PID != s.PID || uint8(msg.DCS) != s.DCS ||
			msg.FirstOctet.SRR() != s.Report || msg.FirstOctet.RD() != s.RejectDuplicates ||
			msg.FirstOctet.RP() != s.ReplyPath {
			t.Fatalf("got  %+v\nwant %+v", msg, s)
		}
		if format := msg.VP.Format; s.HasValidity != (format == tpdu.VpfRelative) {
			t.Fatalf("validity %v", format)
		}
		if s.HasValidity && msg.VP.Duration != ValidityPeriod(s.Validity) {
			t.Fatalf("valid for %v, want %v", msg.VP.Duration, ValidityPeriod(s.Validity))
		}
		sameUD(t, &msg, s.UD, s.HasUDH)
	})
}

func TestWarthogReadsDeliver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := genDeliver(t)
		msg := dissectTPDU(t, tpdu.MT, d.Append(nil))
		if msg.OA.Number() != d.Originator || msg.PID != d.PID || uint8(msg.DCS) != d.DCS || !msg.SCTS.Equal(d.SCTS) ||
			msg.FirstOctet.MMS() == d.MoreMessages || msg.FirstOctet.SRI() != d.Report ||
			msg.FirstOctet.RP() != d.ReplyPath {
			t.Fatalf("got  %+v\nwant %+v", msg, d)
		}
		sameUD(t, &msg, d.UD, d.HasUDH)
	})
}

func TestWarthogReadsStatusReport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := StatusReport{
			Reference: rapid.Byte().Draw(t, "reference"),
			Recipient: genNumber().Draw(t, "recipient"),
			SCTS:      genTime().Draw(t, "scts"),
			Discharge: genTime().Draw(t, "discharge"),
			Status:    rapid.Byte().Draw(t, "status"),
		}
		msg := dissectTPDU(t, tpdu.MT, s.Append(nil))
		if msg.MR != s.Reference || msg.RA.Number() != s.Recipient || !msg.SCTS.Equal(s.SCTS) ||
			!msg.DT.Equal(s.Discharge) ||
			msg.ST != s.Status {
			t.Fatalf("got  %+v\nwant %+v", msg, s)
		}
	})
}

// What it writes from its own model, we read. Its options are used in the ways that work: SetUDH, which sets UDHI,
// and an address made by hand for national numbers, which FromNumber would make international.
func TestWeReadWarthog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := genNumber().Draw(t, "number")
		address := tpdu.Address{Addr: number, TOA: tonUnknown}
		if number[0] == '+' {
			address = tpdu.NewAddress(tpdu.FromNumber(number))
		}
		body := rapid.SliceOfN(rapid.Byte(), 0, MaxSegment).Draw(t, "body")
		udh := tpdu.UserDataHeader{{ID: 5, Data: []byte{0x0B, 0x84, 0x23, 0xF0}}, {ID: 0, Data: []byte{7, 3, 2}}}
		ud := append(octetsOf(0x0B, 0x05, 0x04, 0x0B, 0x84, 0x23, 0xF0, 0x00, 0x03, 7, 3, 2), body...)
		at := genTime().Draw(t, "time")

		submit, err := tpdu.NewSubmit()
		if err != nil {
			t.Fatal(err)
		}
		submit.DA, submit.DCS, submit.MR = address, DCSClass1, 9
		submit.SetUDH(udh)
		submit.UD = body
		var vp tpdu.ValidityPeriod
		vp.SetRelative(24 * time.Hour)
		submit.SetVP(vp)
		b, err := submit.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		s, err := ReadSubmit(b)
		if err != nil || s.Reference != 9 || s.Destination != number || s.DCS != DCSClass1 || !s.HasUDH ||
			!bytes.Equal(s.UD, ud) ||
			!s.HasValidity || s.Validity != 0xA7 {
			t.Fatalf("% X\n%+v, %v", b, s, err)
		}
		if again := s.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("written % X\nof      % X", again, b)
		}

		deliver, err := tpdu.NewDeliver()
		if err != nil {
			t.Fatal(err)
		}
		deliver.OA, deliver.DCS, deliver.SCTS = address, DCS8Bit, tpdu.Timestamp{Time: at}
		deliver.SetUDH(udh)
		deliver.UD = body
		if b, err = deliver.MarshalBinary(); err != nil {
			t.Fatal(err)
		}
		d, err := ReadDeliver(b)
		if err != nil || d.Originator != number || !d.SCTS.Equal(at) || !d.HasUDH || !bytes.Equal(d.UD, ud) {
			t.Fatalf("% X\n%+v, %v", b, d, err)
		}
		if again := d.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("written % X\nof      % X", again, b)
		}
	})
}

func octetsOf(b ...byte) []byte { return b }
