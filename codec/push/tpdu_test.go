package push

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dmgate/codec/internal/vector"
)

var (
	cest = time.FixedZone("", 2*3600)
	nst  = time.FixedZone("", -(3*3600 + 1800))
)

// TPDUs octet by octet, written and read.
func TestSubmit(t *testing.T) {
	ud := vector.Bytes(t, "06 05 04 0B 84 23 F0 'push'")
	for _, v := range []struct {
		name string
		sms  Submit
		want string
	}{
		{"one segment of a push, with a report, valid for 24 hours",
			Submit{Destination: "+491701234567", DCS: DCSClass1, UD: ud, HasUDH: true, Report: true, Validity: 0xA7,
				HasValidity: true},
			"71 00 0C 91 947110325476 00 F5 A7 0B 0605040B8423F0 'push'"},
		{"national, an odd number of digits, no validity", Submit{Reference: 7, Destination: "12345", DCS: DCS8Bit,
			UD: []byte("x")},
			"01 07 05 81 2143F5 00 04 01 'x'"},
		{"one digit, empty", Submit{Destination: "1", DCS: DCS8Bit, UD: []byte{}}, "01 00 01 81 F1 00 04 00"},
		{"20 digits", Submit{Destination: "+12345678901234567890", DCS: DCS8Bit, UD: []byte{}},
			"01 00 14 91 21436587092143658709 00 04 00"},
		{"every flag", Submit{Destination: "+1", PID: 0x41, DCS: DCSUCS2, UD: []byte{0, 'x'}, RejectDuplicates: true,
			Report:    true,
			ReplyPath: true}, "A5 00 01 91 F1 41 08 02 00 'x'"},
		{"8 septets in 7 octets", Submit{Destination: "1", UD: vector.Bytes(t, "E8329BFD4697D9"), Septets: 8},
			"01 00 01 81 F1 00 00 08 E8329BFD4697D9"},
	} {
		t.Run(v.name, func(t *testing.T) {
			want := vector.Bytes(t, v.want)
			if got := v.sms.Append(nil); !bytes.Equal(got, want) {
				t.Errorf("got  % X\nwant % X", got, want)
			}
			if got, err := ReadSubmit(want); err != nil || !reflect.DeepEqual(got, v.sms) {
				t.Errorf("read %+v, %v", got, err)
			}
		})
	}
}

// A SUBMIT in forms that others write: a validity by date, and digits that are none.
func TestSubmitForms(t *testing.T) {
	for _, v := range []struct{ name, tpdu, number string }{
		{"absolute validity", "19 00 01 81 F1 00 04 42801021436580 01 'x'", "1"},
		{"enhanced validity", "09 00 01 81 F1 00 04 42801021436580 01 'x'", "1"},
		{"star and hash", "01 00 05 81 1AB2FC 00 04 01 'x'", "*12#a"},
		{"type of number national", "01 00 02 A1 21 00 04 01 'x'", "12"},
	} {
		t.Run(v.name, func(t *testing.T) {
			got, err := ReadSubmit(vector.Bytes(t, v.tpdu))
			if err != nil || got.Destination != v.number || string(got.UD) != "x" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestDeliver(t *testing.T) {
	for _, v := range []struct {
		name string
		sms  Deliver
		want string
	}{
		{"one segment of a push", Deliver{Originator: "+491701234567", DCS: DCSClass1, SCTS: time.Date(2024, 8, 1, 12,
			34, 56, 0, cest),
			UD: vector.Bytes(t, "00 'x'"), HasUDH: true}, "44 0C 91 947110325476 00 F5 42801021436580 02 00 'x'"},
		{"west of Greenwich, more to come", Deliver{Originator: "12345", DCS: DCS8Bit, SCTS: time.Date(2024, 12, 31,
			23, 59, 59, 0, nst),
			UD: []byte{}, MoreMessages: true}, "00 05 81 2143F5 00 04 42211332959549 00"},
		{"a name for a number", Deliver{Originator: "Vodafone", DCS: DCS8Bit, UD: []byte{}},
			"04 0E D0 D637396C7EBBCB 00 04 00000000000000 00"},
		{"a name of seven characters", Deliver{Originator: "T-Mobil", DCS: DCS8Bit, UD: []byte{}, Report: true,
			ReplyPath: true},
			"A4 0D D0 D456F32D4EB301 00 04 00000000000000 00"},
	} {
		t.Run(v.name, func(t *testing.T) {
			want := vector.Bytes(t, v.want)
			if got := v.sms.Append(nil); !bytes.Equal(got, want) {
				t.Errorf("got  % X\nwant % X", got, want)
			}
			got, err := ReadDeliver(want)
			if !got.SCTS.Equal(v.sms.SCTS) {
				t.Errorf("time %v", got.SCTS)
			}
			got.SCTS = v.sms.SCTS
			if err != nil || !reflect.DeepEqual(got, v.sms) {
				t.Errorf("read %+v, %v", got, err)
			}
		})
	}
}

func TestStatusReport(t *testing.T) {
	report := StatusReport{Reference: 42, Recipient: "+491701234567", SCTS: time.Date(2024, 8, 1, 12, 34, 56, 0, cest),
		Discharge: time.Date(2024, 8, 1, 12, 34, 57, 0, cest), Status: 0x46}
	want := vector.Bytes(t, "06 2A 0C 91 947110325476 42801021436580 42801021437580 46")
	if got := report.Append(nil); !bytes.Equal(got, want) {
		t.Errorf("got  % X\nwant % X", got, want)
	}
	for _, b := range [][]byte{want, append(want, vector.Bytes(t, "06 00 04 01 'x'")...)} {
		got, err := ReadStatusReport(b)
		if err != nil || got.Reference != 42 || got.Recipient != report.Recipient || got.Status != 0x46 ||
			!got.SCTS.Equal(report.SCTS) || !got.Discharge.Equal(report.Discharge) {
			t.Errorf("read %+v, %v", got, err)
		}
	}
	if got := (&StatusReport{Recipient: "x"}).Append(nil); got != nil {
		t.Errorf("without a number: % X", got)
	}
}

func TestStatus(t *testing.T) {
	for _, v := range []struct {
		status           byte
		final, delivered bool
		text             string
	}{
		{0x00, true, true, "delivered"},
		{0x01, true, true, "forwarded, delivery not confirmed"},
		{0x02, true, false, "replaced by the service centre"},
		{0x05, true, false, "not delivered: status 0x05"},
		{0x12, true, true, "delivered: status 0x12"},
		{0x22, false, false, "still trying: no response from the phone"},
		{0x30, false, false, "still trying: status 0x30"},
		{0x46, true, false, "failed: validity period expired"},
		{0x55, true, false, "failed: status 0x55"},
		{0x60, true, false, "given up: congestion"},
		{0x70, true, false, "given up: status 0x70"},
		{0xFF, true, false, "failed: status 0xFF"},
	} {
		final, delivered := StatusFinal(v.status)
		if final != v.final || delivered != v.delivered || StatusText(v.status) != v.text {
			t.Errorf("0x%02X: %v, %v, %s", v.status, final, delivered, StatusText(v.status))
		}
	}
}

// Time stamps that are none are the zero time: networks send zeros or FF where they do not know.
func TestTimestamps(t *testing.T) {
	for _, v := range []struct{ octets, want string }{
		{"42801021436580", "2024-08-01T12:34:56+02:00"},
		{"99211332959500", "1999-12-31T23:59:59Z"},
		{"0010100000000A", "2000-01-01T00:00:00-05:00"},
		{"00000000000000", "0001-01-01T00:00:00Z"},
		{"FFFFFFFFFFFFFF", "0001-01-01T00:00:00Z"},
		{"42200300000000", "0001-01-01T00:00:00Z"}, // February 30
	} {
		r := tpduReader{b: vector.Bytes(t, v.octets)}
		got, err := r.timestamp("")
		if s := got.Format(time.RFC3339); err != nil || s != v.want {
			t.Errorf("%s: %s, %v; want %s", v.octets, s, err, v.want)
		}
	}
	far := time.FixedZone("", 20*3600)
	for _, zero := range []time.Time{{}, time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got := appendTimestamp(nil, zero); !bytes.Equal(got, make([]byte, 7)) {
			t.Errorf("%v: % X", zero, got)
		}
	}
	got := appendTimestamp(nil, time.Date(2024, 8, 1, 20, 0, 0, 0, far))
	if !bytes.Equal(got, vector.Bytes(t, "42801000000000")) {
		t.Errorf("zone of 20 hours: % X", got)
	}
}

func TestValidity(t *testing.T) {
	const day = 24 * time.Hour
	for _, v := range []struct {
		d    time.Duration
		want uint8
	}{
		{0, 0}, {5 * time.Minute, 0}, {9 * time.Minute, 0}, {10 * time.Minute, 1}, {12 * time.Hour, 143},
		{12*time.Hour + 29*time.Minute, 143}, {12*time.Hour + 30*time.Minute, 144}, {day, 0xA7}, {2*day - 1, 0xA7},
		{2 * day, 0xA8},
		{30 * day, 196}, {34 * day, 196}, {35 * day, 197}, {63 * 7 * day, 255}, {1000 * day, 255},
	} {
		if got := RelativeValidity(v.d); got != v.want {
			t.Errorf("%v: %d, want %d", v.d, got, v.want)
		}
		if p := ValidityPeriod(v.want); p > v.d && v.want > 0 {
			t.Errorf("%v: lasts %v", v.d, p)
		}
	}
}

func TestNumbers(t *testing.T) {
	for number, want := range map[string]string{
		"+491701234567":          "<nil>",
		"12345":                  "<nil>",
		"+12345678901234567890":  "<nil>",
		"+123456789012345678901": "push: number of 21 digits (at most 20)",
		"":                       `push: number "" (want digits, or + and digits)`,
		"+":                      `push: number "+" (want digits, or + and digits)`,
		"++1":                    `push: number "++1" (want digits, or + and digits)`,
		"+49 170":                `push: number "+49 170" (want digits, or + and digits)`,
		"0049*1":                 `push: number "0049*1" (want digits, or + and digits)`,
		"Vodafone":               `push: number "Vodafone" (want digits, or + and digits)`,
	} {
		if got := fmt.Sprint(ValidateNumber(number)); got != want {
			t.Errorf("%q: %s, want %s", number, got, want)
		}
	}
}

// What can not be sent is not written: no SMS is better than one to another number.
func TestNotWritten(t *testing.T) {
	for _, v := range []struct {
		sms  Submit
		want string
	}{
		{Submit{Destination: "+49x"}, `push: number "+49x" (want digits, or + and digits)`},
		{Submit{Destination: "1", DCS: DCS8Bit, UD: make([]byte, 141)}, "push: user data of 141 octets (at most 140)"},
		{Submit{Destination: "1", UD: []byte("x"), Septets: 9}, "push: 9 septets in 1 octets of user data"},
		{Submit{Destination: "1", DCS: DCS8Bit, UD: []byte("x"), Septets: 1},
			"push: 1 septets in 1 octets of user data"},
		{Submit{Destination: "1", DCS: DCS8Bit, HasUDH: true}, "tpdu: offset 0: no user data header"},
	} {
		if got := fmt.Sprint(v.sms.Validate()); got != v.want || v.sms.Append(nil) != nil {
			t.Errorf("got %s, want %s", got, v.want)
		}
	}
	for _, name := range []string{"", "ABCDEFGHIJKL", "日本", "123456789012345678901"} {
		d := Deliver{Originator: name}
		if d.Validate() == nil || d.Append(nil) != nil {
			t.Errorf("%q was written", name)
		}
	}
}

func TestSMSC(t *testing.T) {
	for _, v := range []struct{ number, want string }{
		{"+491710760000", "07 91 947101670000"},
		{"12345", "04 81 2143F5"},
		{"", "00"},
		{"x", "00"},
	} {
		got := append(AppendSMSC(nil, v.number), "tpdu"...)
		if want := vector.Bytes(t, v.want+"'tpdu'"); !bytes.Equal(got, want) {
			t.Errorf("%s: % X, want % X", v.number, got, want)
		}
		smsc, tpdu, err := CutSMSC(got)
		if v.number == "x" {
			v.number = ""
		}
		if err != nil || smsc != v.number || string(tpdu) != "tpdu" {
			t.Errorf("cut %q, %q, %v", smsc, tpdu, err)
		}
	}
	_, _, err := CutSMSC(nil)
	expect(t, err, "tpdu: offset 0: no SMSC length")
	_, _, err = CutSMSC([]byte{7, 0x91})
	expect(t, err, "tpdu: offset 0: SMSC of 7 bytes, only 1 left")
}

func TestMalformedTPDU(t *testing.T) {
	submit := func(b []byte) error { _, err := ReadSubmit(b); return err }
	deliver := func(b []byte) error { _, err := ReadDeliver(b); return err }
	report := func(b []byte) error { _, err := ReadStatusReport(b); return err }
	for _, v := range []struct {
		name, tpdu string
		read       func([]byte) error
		want       string
	}{
		{"nothing", "", submit, "tpdu: offset 0: ends before the first octet"},
		{"a DELIVER", "04", submit, "tpdu: offset 0: message type 0 (want 1, SUBMIT)"},
		{"reference", "01", submit, "tpdu: offset 1: ends before the reference"},
		{"number", "01 00", submit, "tpdu: offset 2: ends before the destination"},
		{"type of number", "01 00 01", submit, "tpdu: offset 3: ends before the destination"},
		{"number too long", "01 00 15 91", submit, "tpdu: offset 2: destination of 21 semi-octets (at most 20)"},
		{"number cut off", "01 00 04 91 21", submit, "tpdu: offset 4: destination of 2 octets, only 1 left"},
		{"number filled up early", "01 00 04 91 21 F3 00", submit,
			"tpdu: offset 5: destination ends after 3 of 4 digits"},
		{"protocol", "01 00 01 91 F1", submit, "tpdu: offset 5: ends before the protocol identifier"},
		{"coding", "01 00 01 91 F1 00", submit, "tpdu: offset 6: ends before the data coding scheme"},
		{"validity", "11 00 01 91 F1 00 04", submit, "tpdu: offset 7: ends before the validity period"},
		{"long validity", "19 00 01 91 F1 00 04 00", submit,
			"tpdu: offset 7: validity period of 7 octets, only 1 left"},
		{"length", "01 00 01 91 F1 00 04", submit, "tpdu: offset 7: ends before the user data length"},
		{"too long", "01 00 01 91 F1 00 04 8D", submit, "tpdu: offset 7: user data of 141 octets (at most 140)"},
		{"too many septets", "01 00 01 91 F1 00 00 A1", submit,
			"tpdu: offset 7: user data of 141 octets (at most 140)"},
		{"cut off", "01 00 01 91 F1 00 04 02 'x'", submit, "tpdu: offset 8: user data of 2 octets, only 1 left"},
		{"too much", "01 00 01 91 F1 00 04 01 'xy'", submit, "tpdu: offset 9: 1 bytes after the user data"},
		{"a SUBMIT", "01", deliver, "tpdu: offset 0: message type 1 (want 0, DELIVER)"},
		{"originator", "04 02", deliver, "tpdu: offset 2: ends before the originator"},
		{"protocol of a DELIVER", "04 01 91 F1", deliver, "tpdu: offset 4: ends before the protocol identifier"},
		{"coding of a DELIVER", "04 01 91 F1 00", deliver, "tpdu: offset 5: ends before the data coding scheme"},
		{"reference of a report", "06", report, "tpdu: offset 1: ends before the reference"},
		{"recipient", "06 00 02 91", report, "tpdu: offset 4: recipient of 1 octets, only 0 left"},
		{"time stamp of a report", "06 00 01 91 F1 00", report, "tpdu: offset 5: time stamp of 7 octets, only 1 left"},
		{"time stamp", "04 01 91 F1 00 04 42 80", deliver, "tpdu: offset 6: time stamp of 7 octets, only 2 left"},
		{"a DELIVER", "04", report, "tpdu: offset 0: message type 0 (want 2, STATUS-REPORT)"},
		{"discharge time", "06 00 01 91 F1 00000000000000 00", report,
			"tpdu: offset 12: discharge time of 7 octets, only 1 left"},
		{"status", "06 00 01 91 F1 00000000000000 00000000000000", report, "tpdu: offset 19: ends before the status"},
	} {
		t.Run(v.name, func(t *testing.T) { expect(t, v.read(vector.Bytes(t, v.tpdu)), v.want) })
	}
}

// is7Bit for whole groups of data coding schemes.
func TestAlphabets(t *testing.T) {
	for dcs, want := range map[uint8]bool{0x00: true, 0x04: false, 0x08: false, 0x0C: true, 0x10: true, 0x15: false,
		0x20: false,
		0x80: true, 0xC0: true, 0xD8: true, 0xE0: false, 0xF0: true, 0xF5: false} {
		if is7Bit(dcs) != want {
			t.Errorf("0x%02X: %v", dcs, !want)
		}
	}
}

func genNumber() *rapid.Generator[string] { return rapid.StringMatching(`\+?[0-9]{1,20}`) }

func genTime() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		zone := time.FixedZone("", 900*rapid.IntRange(-56, 56).Draw(t, "quarters"))
		return time.Date(2000, 1, 2, 0, 0, rapid.IntRange(0, 2_000_000_000).Draw(t, "seconds"), 0, zone)
	})
}

func genUD(t *rapid.T) (ud []byte, hasUDH bool) {
	uds, err := Split(rapid.SliceOfN(rapid.Byte(), 1, 400).Draw(t, "pdu"), Ports{rapid.Uint16().Draw(t, "dst"),
		PortWSP},
		rapid.Byte().Draw(t, "ref"))
	if err != nil {
		t.Fatal(err)
	}
	if ud = rapid.SampledFrom(uds).Draw(t, "segment"); rapid.Bool().Draw(t, "without header") {
		return ud[7:], false
	}
	return ud, true
}

func genSubmit(t *rapid.T) Submit {
	s := Submit{
		Reference:        rapid.Byte().Draw(t, "reference"),
		Destination:      genNumber().Draw(t, "destination"),
		PID:              rapid.Byte().Draw(t, "pid"),
		DCS:              rapid.SampledFrom([]uint8{DCS8Bit, DCSClass1}).Draw(t, "dcs"),
		Report:           rapid.Bool().Draw(t, "report"),
		RejectDuplicates: rapid.Bool().Draw(t, "rd"),
		ReplyPath:        rapid.Bool().Draw(t, "rp"),
		HasValidity:      rapid.Bool().Draw(t, "vp"),
	}
	if s.HasValidity {
		s.Validity = rapid.Byte().Draw(t, "validity")
	}
	s.UD, s.HasUDH = genUD(t)
	return s
}

func genDeliver(t *rapid.T) Deliver {
	name := rapid.StringMatching(`[A-Z][A-Za-z &-]{0,9}[a-z]`)
	d := Deliver{
		Originator:   rapid.OneOf(genNumber(), name).Draw(t, "originator"),
		PID:          rapid.Byte().Draw(t, "pid"),
		DCS:          rapid.SampledFrom([]uint8{DCS8Bit, DCSClass1}).Draw(t, "dcs"),
		SCTS:         genTime().Draw(t, "scts"),
		MoreMessages: rapid.Bool().Draw(t, "mms"),
		Report:       rapid.Bool().Draw(t, "report"),
		ReplyPath:    rapid.Bool().Draw(t, "rp"),
	}
	d.UD, d.HasUDH = genUD(t)
	return d
}

func TestTPDURoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genSubmit(t)
		if got, err := ReadSubmit(s.Append(nil)); err != nil || !reflect.DeepEqual(got, s) {
			t.Fatalf("got  %+v, %v\nwant %+v", got, err, s)
		}
		d := genDeliver(t)
		got, err := ReadDeliver(d.Append(nil))
		if !got.SCTS.Equal(d.SCTS) {
			t.Fatalf("time %v", got.SCTS)
		}
		got.SCTS = d.SCTS
		if err != nil || !reflect.DeepEqual(got, d) {
			t.Fatalf("got  %+v, %v\nwant %+v", got, err, d)
		}
	})
}
