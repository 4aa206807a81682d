package fuzz

import (
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"strings"
	"testing"

	"dmgate/gateway/fleet"
	"dmgate/gateway/targetlist"
	"dmgate/storage"
)

// FuzzTargetCSV: a line means the same wherever it stands, whatever is in front of it; and what was read comes back when
// it is written and read again.
func FuzzTargetCSV(f *testing.F) {
	for _, seed := range []string{
		"msisdn,imsi,dev_id,pin,device\n+491701234567,262010000000001,IMEI:490154203237518,1234,\n",
		"\xEF\xBB\xBFdevice;pin\r\n\"abc\";\"1\"\"2\"\r\n\r\nd;e;f\r\n",
		"msisdn\n\"open\n+49\xFF\n" + strings.Repeat("1", targetlist.MaxLine+1) + "\n2",
		"msisdn,PIN \n \"1\" , 2\n\"1\"x,2\n1\"2,3\n,\n",
		"phone,pin\n1,2\n", "\n\nmsisdn", "\xFF\xFEm\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		lines := collect(t, targetlist.CSV, file)
		text := bytes.SplitAfter(bytes.TrimPrefix(file, []byte("\xEF\xBB\xBF")), []byte{'\n'})
		head := 0
		for head < len(text) && len(bytes.Trim(bytes.TrimRight(text[head], "\r\n"), " \t")) == 0 {
			head++
		}
		again := []byte("msisdn;imsi;dev_id;pin;device\n")
		for _, l := range lines {
			if int(l.Number) <= head+1 {
				t.Fatalf("line %d is none: the header is line %d", l.Number, head+1)
			}
			alone := collect(t, targetlist.CSV, append(bytes.Clone(text[head]), text[l.Number-1]...))
			if len(alone) != 1 {
				t.Fatalf("line %d alone makes %d", l.Number, len(alone))
			}
			same(t, alone[0], l)
			for i, v := range []string{l.MSISDN, l.IMSI, l.DevID, l.PIN, string(l.Device)} {
				if i > 0 {
					again = append(again, ';')
				}
				again = append(again, `"`+strings.ReplaceAll(v, `"`, `""`)+`"`...)
			}
			again = append(again, "\r\n"...)
		}
		repeats(t, lines, collect(t, targetlist.CSV, again))
	})
}

// FuzzTargetNDJSON: the same of the other form.
func FuzzTargetNDJSON(f *testing.F) {
	for _, seed := range []string{
		`{"msisdn":"+491701234567","imsi":"262010000000001","dev_id":"IMEI:490154203237518","pin":"1234"}` + "\n",
		"{\"device\":\"\\u0061\\ud83d\\ude00\"}\r\n\r\n{\"pin\":null}\n{}{}\n[]\n",
		"{\"pin\":\"1\",\"pin\":\"1\"}\n{\"pin\":{\"pin\":[]}}\n{\"pin\":1}\nnull\n{\"a\":\"\xFF\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		lines := collect(t, targetlist.NDJSON, file)
		text := bytes.SplitAfter(bytes.TrimPrefix(file, []byte("\xEF\xBB\xBF")), []byte{'\n'})
		var again []byte
		for _, l := range lines {
			alone := collect(t, targetlist.NDJSON, append([]byte{'\n'}, text[l.Number-1]...)) // a mark is one only in front
			if len(alone) != 1 {
				t.Fatalf("line %d alone makes %d", l.Number, len(alone))
			}
			same(t, alone[0], l)
			if l.Err == nil {
				var other struct {
					MSISDN, IMSI, PIN string
					DevID             string `json:"dev_id"`
					Device            storage.DeviceID
				}
				if err := json.Unmarshal(text[l.Number-1], &other); err != nil {
					t.Fatalf("line %d: %v", l.Number, err)
				}
				same(t, l, fleet.Line{
					MSISDN: other.MSISDN, IMSI: other.IMSI, DevID: other.DevID, PIN: other.PIN, Device: other.Device,
				})
			}
			out, err := json.Marshal(map[string]string{
				"msisdn": l.MSISDN, "imsi": l.IMSI, "dev_id": l.DevID, "pin": l.PIN, "device": string(l.Device),
			})
			if err != nil {
				t.Fatal(err)
			}
			again = append(append(again, out...), '\n')
		}
		repeats(t, lines, collect(t, targetlist.NDJSON, again))
	})
}

// collect reads a file. Its lines come in their order, each once, and bad ones carry nothing.
func collect(t *testing.T, read func(io.Reader) iter.Seq2[fleet.Line, error], file []byte) (lines []fleet.Line) {
	last, broken := uint64(0), false
	for l, err := range read(bytes.NewReader(file)) {
		if broken {
			t.Fatal("something follows an error")
		}
		if err != nil {
			broken = true
			continue
		}
		if l.Number <= last || l.Number > uint64(bytes.Count(file, []byte{'\n'}))+1 {
			t.Fatalf("line %d follows line %d", l.Number, last)
		}
		if l.Err != nil {
			same(t, fleet.Line{Number: l.Number, Err: l.Err}, l)
		}
		last = l.Number
		lines = append(lines, l)
	}
	return lines
}

// same compares two lines, their numbers aside.
func same(t *testing.T, got, want fleet.Line) {
	if (got.Err == nil) != (want.Err == nil) || got.Err != nil && got.Err.Error() != want.Err.Error() {
		t.Fatalf("got  %v\nwant %v", got.Err, want.Err)
	}
	got.Err, want.Err, got.Number, want.Number = nil, nil, 0, 0
	if got != want {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

// repeats checks that what was read again is what was read at first. What quotes and escapes add may make a line too
// long.
func repeats(t *testing.T, lines, again []fleet.Line) {
	if len(again) != len(lines) {
		t.Fatalf("%d lines, and %d when they are read again", len(lines), len(again))
	}
	for i, l := range lines {
		if l.Err == nil && again[i].Err == nil {
			same(t, again[i], l)
		} else if l.Err == nil && !strings.HasPrefix(again[i].Err.Error(), "longer than") {
			t.Fatalf("line %d: %v", l.Number, again[i].Err)
		}
	}
}
