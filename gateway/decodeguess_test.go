package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"dmgate/codec/push"
)

// fromHex is what digits, with or without spaces, stand for.
func fromHex(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Of random bytes next to nothing is taken for something.
func TestGuessOfNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	taken := 0
	for range 2000 {
		b := make([]byte, 1+r.IntN(200))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		var out bytes.Buffer
		if decode(&out, "auto", []line{{pdu: b}}) == nil {
			taken++
			t.Logf("%X is\n%s", b, out.String())
		}
	}
	if taken >= 10 {
		t.Errorf("%d of 2000 are something", taken)
	}
}

// sentAt is when the SMS of these tests were sent.
var sentAt = time.Date(2024, 8, 1, 12, 30, 0, 0, time.FixedZone("", 7200))

// An SMS is known with its SMSC in front and without, and each kind is what it is.
func TestGuessOfSMS(t *testing.T) {
	si := push.Indication{Href: "https://dm.test/x", Text: "t"}
	p := push.Push{TID: 1, ContentType: push.TypeSIC, Body: si.AppendWBXML(nil)}
	uds, err := push.Split(p.Append(nil), push.Ports{Dst: push.PortPush, Src: push.PortWSP}, 1)
	if err != nil {
		t.Fatal(err)
	}
	submit := push.Submit{Destination: "+491701234567", DCS: push.DCSClass1, UD: uds[0], HasUDH: true}
	deliver := push.Deliver{Originator: "+491701234567", DCS: push.DCSClass1, UD: uds[0], HasUDH: true, SCTS: sentAt}
	named := push.Deliver{Originator: "T-Mobil", DCS: push.DCS8Bit, UD: []byte("x"), SCTS: sentAt}
	report := push.StatusReport{Reference: 7, Recipient: "12345", SCTS: sentAt, Discharge: sentAt}
	unknown := push.StatusReport{Reference: 7, Recipient: "+491701234567", Status: 0x46}
	for _, c := range []struct {
		tpdu []byte
		want string
	}{
		{submit.Append(nil), "SMS-SUBMIT to +491701234567, port 2948\nWSP push"},
		{deliver.Append(nil), "SMS-DELIVER from +491701234567, port 2948\nWSP push"},
		{named.Append(nil), "SMS-DELIVER from T-Mobil\n"},
		{report.Append(nil), "SMS-STATUS-REPORT 7 for 12345: delivered\n"},
		{unknown.Append(nil), "SMS-STATUS-REPORT 7 for +491701234567: failed: validity period expired\n"},
		{append(report.Append(nil), 0), "SMS-STATUS-REPORT 7 for 12345: delivered\n"},
		{append(report.Append(nil), 0x03, 0x00, 0x04), "SMS-STATUS-REPORT 7 for 12345: delivered\n"},
		{append(report.Append(nil), 0x07, 0x00, 0x04, 0x01, 'x'), "SMS-STATUS-REPORT 7 for 12345: delivered\n"},
		{append(report.Append(nil), 0x04, 0x02, 'x', 'y'), "SMS-STATUS-REPORT 7 for 12345: delivered\n"},
	} {
		for _, smsc := range []string{"", "00", "05 91 94 71 10 32", "06 91 94 71 01 67 00", "07 91 94 71 01 67 00 00"} {
			for _, as := range []string{"auto", "sms"} {
				if got := decoded(t, as, append(fromHex(t, smsc), c.tpdu...)); !strings.HasPrefix(got, c.want) {
					t.Errorf("%s behind %q: %s\nwant %s", as, smsc, got, c.want)
				}
			}
		}
	}
}

// Whatever is cut short or not supported ends in the error of what it is, with the offset in the input.
func TestGuessOfBadInput(t *testing.T) {
	const fpi = "2D2F2F4F4D412F2F4454442053594E434D4C2D444D20312E322F2F454E"
	const report = "06070B919471103254F6 62210113100000 62210113100500"
	notification := "00943DD49AE64416B0788E0B4CDA3ED2 02D8000000123412"
	for _, c := range []struct{ name, hex, want string }{
		{"SyncML in UCS-2", "02 A401 8777 00 6D", "wbxml: offset 3: charset 1015"},
		{"MetInf", "02 A402 6A 00 6D", "wbxml: offset 1: public identifier 0x1202 is not SyncML"},
		{"SyncML of another name", "02 00 00 6A 1D" + fpi + "6D 6C", `wbxml: offset 1: document type "-//OMA//DTD SYNCML-DM 1.2//EN"`},
		{"the same in UCS-2", "02 00 00 8777 1D" + fpi + "6D 6C", "wbxml: offset 3: charset 1015"},
		{"CP in UCS-2", "03 0B 8777 00 45", "wbxml: offset 2: charset 1015"},
		{"SI with a long string table", "02 05 6A 7F 45", "wbxml: offset 3: string table of 127 bytes, only 1 left"},
		{"SUBMIT cut short", "61000C9194711032547600F50503", "tpdu: offset 13: user data of 5 octets, only 1 left"},
		{"the same behind an SMSC", "07 91947101670000 61000C9194711032547600F50503",
			"tpdu: offset 21: user data of 5 octets, only 1 left"},
		{"DELIVER cut short", "440C9194711032547600F54280102143", "tpdu: offset 11: time stamp of 7 octets, only 5 left"},
		{"report without its status", report, "tpdu: offset 24: ends before the status"},
		{"report without a discharge", report[:35], "tpdu: offset 17: discharge time of 7 octets, only 0 left"},
		{"report with more behind", report + "00 08", "offset 0: neither"},
		{"report with less behind", report + "00 04 05 41", "offset 0: neither"},
		{"report with dates that are none", strings.Replace(report, "62210113100500", "622101131005AB", 1) + "00",
			"offset 0: neither"},
		{"report for nobody", "0607008162210113100000622101131005" + "0000", "offset 0: neither"},
		{"notification cut short", notification + "636F6D", "notification: offset 23: ServerID of 18 bytes, only 3 left"},
		{"push cut short", "01 06 2F 1F 2D B6 91", "push: offset 2: headers of 47 bytes, only 4 left"},
		{"push of nothing", "01 06 03 C4 AF 87", "push: offset 6: push without a body"},
		{"document in a push", "01 06 01 AE 02 05 6A 00 45 86 20 01 01", "push: offset 10: unknown attribute token 0x20 on page 0"},
		{"notification in a push", "01 06 01 C4" + notification, "notification: offset 27: ServerID of 18 bytes, only 0 left"},
	} {
		var out bytes.Buffer
		err := decode(&out, "auto", []line{{pdu: fromHex(t, c.hex)}})
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s\n%s", c.name, err, c.want, out.String())
		}
	}
	err := decodeText(&bytes.Buffer{}, "sms", []byte(report+"00 08"))
	if want := "tpdu: offset 0: status report whose number, dates or end are none"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A notification is shown in a push whose content type is in words, with parameters or without.
func TestNotificationByTypeName(t *testing.T) {
	old := push.Notification{SessionID: 1, ServerID: "dm.example"}
	now := push.Notification13{SessionID: 1, Options: []push.Option{{Number: push.OptionServerID, Value: []byte("dm.example")}}}
	for _, c := range []struct {
		kind string
		body []byte
		want string
	}{
		{"application/vnd.syncml.notification", old.Append(nil, nil, nil), "DM notification, version 11"},
		{"Application/vnd.syncml.notification ; a=b", old.Append(nil, nil, nil), "DM notification, version 11"},
		{"application/vnd.syncml.dm.notification", now.Append(nil, nil, nil), "DM 1.3 notification, version 13"},
	} {
		p := push.Push{TypeName: c.kind, Body: c.body}
		for _, as := range []string{"push", "auto"} {
			if got := decoded(t, as, p.Append(nil)); !strings.Contains(got, c.want) {
				t.Errorf("%s as %s: %s", c.kind, as, got)
			}
		}
	}
}

// A push in an SMS that turns out to be none is shown as it is, and so is what a header that is none has to say.
func TestBrokenSMS(t *testing.T) {
	const to = "41000C9194711032547600F5"
	for in, want := range map[string]string{
		to + "0B 06 0504 0B84 23F0 010602C4": ", port 2948\ncontent: 010602C4\n(push: offset 2: headers of 2 bytes, only 1 left)\n",
		to + "0A 06 0504 0B85 23F0 010601":   ", port 2949\ncontent: 010601\n",
		to + "04 05 000302":                  "SMS-SUBMIT to +491701234567, tpdu: offset 13: user data header of 5 bytes, only 3 left\n",
		to + "07 05 0003070302 78":           "SMS-SUBMIT to +491701234567, segment 2 of 3\n(segments are missing)\n",
	} {
		if got := decoded(t, "sms", []byte(in)); !strings.HasSuffix(got, want) {
			t.Errorf("%s: %s\nwant %s", in, got, want)
		}
	}
}

// Of several lines the error names the one that is bad.
func TestBadLines(t *testing.T) {
	const (
		first  = "41000C9194711032547600F507 05 0003070201 78"
		second = "41000C9194711032547600F507 05 0003070302 78"
	)
	for _, c := range []struct{ as, in, want string }{
		{"sms", first + "\n\n4100", "line 3: tpdu: offset 2: ends before the destination"},
		{"auto", first + "\n\n4100", "line 3: tpdu: offset 2: ends before the destination"},
		{"auto", first + "\n" + second, "line 2: tpdu: offset 13: message 7 has 3 segments here and 2 before"},
		{"auto", first + "\n\n 41 00 xy", `line 3: offset 7: "xy" is not hexadecimal`},
		{"sms", "+CMGL: 1\n" + first, `line 1: offset 0: "+CMGL" is not hexadecimal`},
		{"sms", "410", "offset 1: half an octet of hexadecimal"},
		{"cp", "00000000: 030b 6a00 45  ..j.E\n", "line 1: offset 0: a dump with offsets (want bare hexadecimal"},
		{"cp", "030b6a00\n00000010: 030b 6a00 45  ..j.E\n", "line 2: offset 0: a dump with offsets (want bare hexadecimal"},
		{"auto", "hello\nworld", "offset 0: neither"},
	} {
		var out bytes.Buffer
		if err := decodeText(&out, c.as, []byte(c.in)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %s\n%s", c.in, err, c.want, out.String())
		}
	}
}

// Hexadecimal as people paste it, of a document and of an SMS.
func TestHexForms(t *testing.T) {
	for _, v := range []struct{ as, hex, want string }{
		{"si", "02056A0045C60E03646D2E746573742F780011033100080103476574206170700001" + "01", "https://dm.test/x"},
		{"sms", "06070B9194711032547662210113100000622101131005" + "0000", "SMS-STATUS-REPORT 7 for +49170123456"},
	} {
		b := fromHex(t, v.hex)
		each := func(format, between string, inLine int) string {
			var s strings.Builder
			for i, c := range b {
				fmt.Fprintf(&s, format, c)
				if i+1 < len(b) {
					s.WriteString(between)
				}
				if inLine > 0 && i%inLine == inLine-1 {
					s.WriteString("\r\n")
				}
			}
			return s.String()
		}
		for name, in := range map[string]string{
			"xxd -p":       each("%02x", "", 10) + "\n",
			"od -An -tx1":  each(" %02x", "", 16),
			"half octets":  v.hex[:3] + "\n" + v.hex[3:10] + "\n" + v.hex[10:],
			"0x once":      "0x" + v.hex,
			"0x each":      each("0X%02X", " ", 0),
			"as in C":      each("0x%x", ", ", 8),
			"with colons":  each("%02x", ":", 0),
			"with commas":  each("%02X", ",", 10),
			"empty before": "\n \n" + v.hex,
		} {
			for _, as := range []string{v.as, "auto"} {
				if got := decoded(t, as, []byte(in)); !strings.Contains(got, v.want) {
					t.Errorf("%s as %s: %s", name, as, got)
				}
			}
		}
	}
}
