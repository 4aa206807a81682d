package fuzz

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"dmgate/codec/auth"
	"dmgate/codec/push"
)

func addHex(f *testing.F, seeds ...string) {
	for _, seed := range seeds {
		b, err := hex.DecodeString(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// FuzzPush: a push that was read is the same after it was written and read again, and verifying it never panics.
func FuzzPush(f *testing.F) {
	signed := push.Push{TID: 1, ContentType: push.TypeConnectivityWBXML, Signed: true, SEC: push.UserPIN,
		MAC: "AB7CE0EDD71F700B738D6BD3D53926BE235E2486", Body: provisioning().AppendWBXML(nil)}
	f.Add(signed.Append(nil))
	addHex(f,
		"010603C4AF87",
		"00060A09B681EA918192414200",                // charset, SEC, MAC
		"00060C0BB673656300816D6163004142",          // names in text
		"000606C47F0201AF8762",                      // page shift
		"000605B5AF02904462",                        // application id of two bytes
		"0006801F1F1DB691819222"+"4142434445462200", // lengths in long form, quotes
	)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := push.ReadPush(b)
		if err != nil {
			return
		}
		again, err := push.ReadPush(p.Append(nil))
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%v\ngot  %+v\nwant %+v", err, again, p)
		}
		push.Verify(p.SEC, p.MAC, push.Key{IMSI: "262011234567890", PIN: "12341447"}, p.Body)
		push.Verify(p.SEC, p.MAC, push.Key{IMSI: p.MAC, PIN: p.MAC}, p.Body)
	})
}

// FuzzNotification: every notification that is read is written again bit by bit, and its digest is that of its bits.
func FuzzNotification(f *testing.F) {
	addHex(f, "00943DD49AE64416B0788E0B4CDA3ED202D80000001234"+"12636F6D2E6D676D747372762E6D616E616765",
		"0000000000000000000000000000000002880000000001"+"0173"+"76656E646F72")
	secret := auth.NewSecret([]byte("com.mgmtsrv.manage"), []byte("secret"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := push.ReadNotification(b)
		if err != nil {
			return
		}
		if again := n.Append(nil, nil, nil); !bytes.Equal(again, b) {
			t.Fatalf("written % X\nof      % X", again, b)
		}
		digest := secret.Digest([]byte("1234"), b[16:])
		if n.Verify(&secret, []byte("1234")) != bytes.Equal(digest[:], b[:16]) {
			t.Fatal("verified by something else than its bits")
		}
	})
}

// FuzzSubmit: each kind of TPDU that can be written is the same after it was read, written and read again.
func FuzzSubmit(f *testing.F) {
	addHex(f,
		"71000C9194711032547600F5A70B0605040B8423F070757368",
		"01000181F1000008E8329BFD4697D9",
		"19000181F100044280102143658001"+"78",
		"440C9194711032547600F5428010214365800200"+"78",
		"040ED0D637396C7EBBCB00040000000000000000",
		"062A0C919471103254764280102143658042801021437580"+"46",
	)
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := push.ReadSubmit(b); err == nil && s.Validate() == nil {
			again, err := push.ReadSubmit(s.Append(nil))
			if err != nil || !reflect.DeepEqual(again, s) {
				t.Fatalf("%v\ngot  %+v\nwant %+v", err, again, s)
			}
		}
		if d, err := push.ReadDeliver(b); err == nil && d.Validate() == nil {
			again, err := push.ReadDeliver(d.Append(nil))
			if !again.SCTS.Equal(d.SCTS) {
				t.Fatalf("time %v, want %v", again.SCTS, d.SCTS)
			}
			again.SCTS = d.SCTS
			if err != nil || !reflect.DeepEqual(again, d) {
				t.Fatalf("%v\ngot  %+v\nwant %+v", err, again, d)
			}
		}
		if s, err := push.ReadStatusReport(b); err == nil {
			if w := s.Append(nil); w != nil {
				again, err := push.ReadStatusReport(w)
				if err != nil || again.Recipient != s.Recipient || again.Status != s.Status ||
					!again.SCTS.Equal(s.SCTS) ||
					!again.Discharge.Equal(s.Discharge) {
					t.Fatalf("%v\ngot  %+v\nwant %+v", err, again, s)
				}
			}
		}
		if smsc, tpdu, err := push.CutSMSC(b); err == nil && push.ValidateNumber(smsc) == nil {
			again, rest, err := push.CutSMSC(append(push.AppendSMSC(nil, smsc), tpdu...))
			if err != nil || again != smsc || !bytes.Equal(rest, tpdu) {
				t.Fatalf("SMSC %q, want %q, %v", again, smsc, err)
			}
		}
	})
}

// FuzzReassemble: b is a stream of segments, each behind a byte for its length. Whatever they are, what is held stays
// within bounds, and a message that comes out is what a fresh Reassembler makes of its segments.
func FuzzReassemble(f *testing.F) {
	stream := func(uds [][]byte) (b []byte) {
		for _, ud := range uds {
			b = append(append(b, byte(len(ud))), ud...)
		}
		return b
	}
	for _, n := range []int{1, 134, 400} {
		uds, err := push.Split(make([]byte, n), push.Ports{Dst: push.PortPush, Src: push.PortWSP}, 7)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(stream(uds))
		f.Add(append(stream(uds[len(uds)-1:]), stream(uds)...))
	}
	addHex(f, "0805000307020178780805000307020279"+"79", "0705000307030178070500030703037907050003070302"+"7A")
	f.Fuzz(func(t *testing.T, b []byte) {
		r := push.Reassembler{MaxMessages: 4, MaxBytes: 1000}
		for len(b) > 0 {
			n := min(int(b[0]), len(b)-1)
			ud := b[1 : 1+n]
			b = b[1+n:]
			pdu, ports, done, err := r.Add("+49", ud)
			if err != nil && (done || pdu != nil) {
				t.Fatalf("an error and a message: %v", err)
			}
			if r.Pending() > 4 {
				t.Fatalf("%d messages", r.Pending())
			}
			if !done || push.SegmentCount(len(pdu)) == 0 || push.SegmentCount(len(pdu)) > push.MaxSegments {
				continue
			}
			uds, err := push.Split(pdu, ports, 1)
			if err != nil {
				t.Fatal(err)
			}
			var fresh push.Reassembler
			var again []byte
			var to push.Ports
			for _, ud := range uds {
				if again, to, done, err = fresh.Add("", ud); err != nil {
					t.Fatal(err)
				}
			}
			if !done || to != ports || !bytes.Equal(again, pdu) {
				t.Fatalf("%v, %v, % X\nwant %v, % X", done, to, again, ports, pdu)
			}
		}
	})
}

// FuzzLinks: an SI or SL that is read is the same after it was written and read again.
func FuzzLinks(f *testing.F) {
	addHex(f, "02056A0045C60E03646D2E746573742F7800110331000803476574206170700001"+"01",
		"02056A0045860D03612F001103690"+"00AC30620240801123010C304202408021203630009"+"0101",
		"02066A00850B03646D2E746573742F780006"+"01", "02066A00850A0361636D6500850378000701",
		"02056A1368726566"+"0073692D6964006372656174656400"+"45C6040003610001C30162"+"01"+"01")
	f.Add([]byte("<si><indication href='a' created='2024-08-01T00:00:00Z'>&#13;b<![CDATA[<]]></indication></si>"))
	f.Add([]byte("<?xml version='1.0' encoding='ISO-8859-1'?><!DOCTYPE sl><sl href='\xE9' action='cache'/>"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		if s, err := push.ReadIndication(doc); err == nil {
			again, err := push.ReadIndication(s.AppendWBXML(nil))
			if err != nil || !reflect.DeepEqual(again, s) {
				t.Fatalf("%v\ngot  %+v\nwant %+v", err, again, s)
			}
			sameXML(t, s)
		}
		if s, err := push.ReadLoading(doc); err == nil {
			again, err := push.ReadLoading(s.AppendWBXML(nil))
			if err != nil || again != s {
				t.Fatalf("%v\ngot  %+v\nwant %+v", err, again, s)
			}
		}
		if s, err := push.ReadIndicationXML(doc); err == nil {
			sameXML(t, s)
		}
		if s, err := push.ReadLoadingXML(doc); err == nil {
			if again, err := push.ReadLoadingXML(s.AppendXML(nil)); err != nil || again != s {
				t.Fatalf("%v\ngot  %+v\nwant %+v", err, again, s)
			}
		}
	})
}

// sameXML: s is the same by way of XML, in which line breaks are LF.
func sameXML(t *testing.T, s push.Indication) {
	t.Helper()
	text := s.AppendXML(nil)
	s.Text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s.Text)
	again, err := push.ReadIndicationXML(text)
	if err != nil || !reflect.DeepEqual(again, s) || bytes.Contains(text, []byte("&#")) {
		t.Fatalf("%v\ngot  %+v\nwant %+v\n%s", err, again, s, text)
	}
}

// FuzzNotification13: every notification of DM 1.3 that is read is written again bit by bit, and its digest is that of
// its bits.
func FuzzNotification13(f *testing.F) {
	const digest = "00112233445566778899AABBCCDDEEFF"
	addHex(f,
		"03580000061234"+"100A646D2E6578616D706C65"+"200107200201023001094001035004666F74616002FF00"+
			digest,
		"03180000010001"+"100173"+digest, "03180000010001"+"100173"+"F00100F00101"+digest,
	)
	secret := auth.NewSecret([]byte("dm.example"), []byte("secret"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := push.ReadNotification13(b)
		if err != nil {
			return
		}
		if again := n.Append(nil, nil, nil); !bytes.Equal(again, b) {
			t.Fatalf("written % X\nof      % X", again, b)
		}
		sum := secret.Digest([]byte("1234"), b[:len(b)-16])
		if n.Verify(&secret, []byte("1234")) != bytes.Equal(sum[:], b[len(b)-16:]) {
			t.Fatal("verified by something else than its bits")
		}
		if n.ServerID() == "" || len(n.Options) == 0 {
			t.Fatalf("without a Server-ID: %+v", n)
		}
		for i := range n.Options {
			_, _ = n.Options[i].Name(), n.Options[i].String()
		}
	})
}
