package targetlist

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/iotest"

	"dmgate/gateway/fleet"
)

// shown is what comes of a file, a line each.
func shown(lines iter.Seq2[fleet.Line, error]) string {
	var b strings.Builder
	for l, err := range lines {
		switch {
		case err != nil:
			fmt.Fprintf(&b, "broken: %v\n", err)
		case l.Err != nil:
			fmt.Fprintf(&b, "%d bad: %v\n", l.Number, l.Err)
		default:
			fmt.Fprintf(&b, "%d %s|%s|%s|%s|%s\n", l.Number, l.MSISDN, l.IMSI, l.DevID, l.PIN, l.Device)
		}
	}
	return b.String()
}

type example struct{ name, file, want string }

func check(t *testing.T, read func(io.Reader) iter.Seq2[fleet.Line, error], examples []example) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			want := strings.TrimPrefix(e.want, "\n")
			if got := shown(read(strings.NewReader(e.file))); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			if got := shown(read(iotest.OneByteReader(strings.NewReader(e.file)))); got != want {
				t.Errorf("byte by byte: got\n%swant\n%s", got, want)
			}
		})
	}
}

func TestCSV(t *testing.T) {
	const all = "msisdn, imsi, dev_id, pin, device"
	long := strings.Repeat("1", MaxLine-1)
	check(t, CSV, []example{
		{"plain", "msisdn,imsi,dev_id,pin,device\n+491,262,IMEI:1,1234,abc\n+492,,,,\n", `
2 +491|262|IMEI:1|1234|abc
3 +492||||
`},
		{"any order and case", "PIN,Dev_ID,msisdn\n1,2,3", "2 3||2|1|\n"},
		{"one column", "device\nabc\n\nx\n", "2 ||||abc\n4 ||||x\n"},
		{"mark, CRLF, semicolons", "\xEF\xBB\xBFmsisdn;pin\r\n+491;0000\r\n\r\n+492;\"0;1\"\r\n",
			"2 +491|||0000|\n4 +492|||0;1|\n"},
		{"empty lines", "\n \t\r\nmsisdn\n\n+491\n\r\n  \n+492\n\n", "5 +491||||\n8 +492||||\n"},
		{"blanks", " msisdn ,\tpin\n  +491\t,  1 2 \n \"+492\" , \" 3\" \n", "2 +491|||1 2|\n3 +492||| 3|\n"},
		{"quotes", "\"msisdn\",\"dev_id\"\n\"a,b\",\"c\"\"d\"\n\"\",\"\"\"\"\n", "2 a,b||c\"d||\n3 ||\"||\n"},
		{"bad quotes", "msisdn,pin\na\"b,c\nd,\"e\n\"f\"g,h\ni,\"j\"\"\nk,l\n", `
2 bad: column 2: a quote within a field that does not begin with one
3 bad: column 3: the quote is not closed on this line
4 bad: column 4: text behind the closing quote
5 bad: column 3: the quote is not closed on this line
6 k|||l|
`},
		{"number of fields", "msisdn,pin\na\nb,c,d\ne,f,\n,\ng,h\n", `
2 bad: 1 fields, want 2 as in the header
3 bad: 3 fields, want 2 as in the header
4 bad: 3 fields, want 2 as in the header
5 ||||
6 g|||h|
`},
		{"no UTF-8", "msisdn\n+49\xFF1\nä\xC3\nü\n", "2 bad: column 4: no UTF-8\n3 bad: column 3: no UTF-8\n4 ü||||\n"},
		{"long lines", "msisdn\n" + long + "1\n" + long + "11\r\n" + strings.Repeat("x", 1<<20) + "\n7\n" + long + "11",
			"2 " + long + "1||||\n3 bad: longer than 4096 bytes\n4 bad: longer than 4096 bytes\n5 7||||\n" +
				"6 bad: longer than 4096 bytes\n"},

		{"nothing", "", "broken: line 1: the file is empty, want a header line with some of " + all + "\n"},
		{"nothing but lines", "\n\r\n", "broken: line 1: the file is empty, want a header line with some of " + all + "\n"},
		{"unknown columns", "msisdn,number,Phone model\n1,2,3\n",
			`broken: line 1: unknown columns "number", "Phone model"; want some of ` + all + "\n"},
		{"two separators", "msisdn;imsi,pin\n",
			"broken: line 1: no header line: want the names of the columns, some of " + all + "\n"},
		{"no header", "\n+491701234567,1234\n",
			"broken: line 2: no header line: want the names of the columns, some of " + all + "\n"},
		{"empty column", "msisdn,,pin\n",
			"broken: line 1: no header line: want the names of the columns, some of " + all + "\n"},
		{"column twice", "msisdn,pin,MSISDN\n", "broken: line 1: column \"msisdn\" is there twice\n"},
		{"nobody named", "imsi,pin\n1,2\n", "broken: line 1: neither a column \"msisdn\" nor a column \"device\"\n"},
		{"bad quote in the header", "\"msisdn,pin\n1,2\n",
			"broken: line 1: column 1: the quote is not closed on this line\n"},
		{"long header", strings.Repeat("m", MaxLine+1) + "\n", "broken: line 1: longer than 4096 bytes\n"},
		{"header in another encoding", "msisdn,pr\xE4fix\n", "broken: line 1: column 10: no UTF-8\n"},
		{"UTF-16", "\xFF\xFEm\x00s\x00\n\x00", "broken: line 1: the file is UTF-16, want UTF-8\n"},
		{"UTF-16, the other", "\xFE\xFF\x00m\x00s\x00\n", "broken: line 1: the file is UTF-16, want UTF-8\n"},
	})
}

func TestNDJSON(t *testing.T) {
	check(t, NDJSON, []example{
		{"plain", `{"msisdn": "+491", "imsi": "262", "dev_id": "IMEI:1", "pin": "1234", "device": "abc"}` + "\n" +
			`{"device":"x"}` + "\n", "1 +491|262|IMEI:1|1234|abc\n2 ||||x\n"},
		{"mark, CRLF, no last end", "\xEF\xBB\xBF{\"msisdn\":\"1\"}\r\n\r\n \t {\"msisdn\":\"\\u0032\"} ",
			"1 1||||\n3 2||||\n"},
		{"null stands for none", `{"msisdn":"1","pin":null}`, "1 1||||\n"},
		{"empty object", `{}`, "1 ||||\n"},
		{"nothing", "", ""},
		{"nothing but lines", "\n \n\r\n", ""},
		{"no JSON", "hello\n{\"msisdn\":\"1\"\n{\"msisdn\" \"1\"}\n" +
			"{\"msisdn\":\"1\",}\n{\"msisdn\":\"\t\"}\n{\"msisdn\":\"1\"}\n", `
1 bad: column 1: invalid character 'h' looking for beginning of value
2 bad: column 13: unexpected end of JSON input
3 bad: column 11: invalid character '"' after object key
4 bad: column 15: invalid character '}' looking for beginning of object key string
5 bad: column 12: invalid character '\t' in string literal
6 1||||
`},
		{"more than one", `{"msisdn":"1"} {"msisdn":"2"}`, "1 bad: column 16: invalid character '{' after top-level value\n"},
		{"no object", "7\n\"+491\"\n[{\"msisdn\":\"1\"}]\nnull\ntrue\n", `
1 bad: a number in place of an object
2 bad: a string in place of an object
3 bad: an array in place of an object
4 bad: null in place of an object
5 bad: a boolean in place of an object
`},
		{"no strings", `{"msisdn": 491701234567}
{"msisdn":"1","pin":1234}
{"imsi":{"a":1}}
{"dev_id":["a"]}
{"device":false}
`, `
1 bad: msisdn: a number in place of a string
2 bad: pin: a number in place of a string
3 bad: imsi: an object in place of a string
4 bad: dev_id: an array in place of a string
5 bad: device: a boolean in place of a string
`},
		{"keys", `{"msisdn":"1","phone":"2"}
{"MSISDN":"1"}
{"msisdn":"1","pin":"2","pin":"2"}
{"msisdn":"1","":null}
`, `
1 bad: unknown field "phone"
2 bad: unknown field "MSISDN"
3 bad: field "pin" is there twice
4 bad: unknown field ""
`},
		{"no UTF-8", "{\"msisdn\":\"\xE4\"}\n{\"msisdn\":\"1\"}", "1 bad: column 12: no UTF-8\n2 1||||\n"},
		{"long line", `{"msisdn":"` + strings.Repeat("1", MaxLine) + "\"}\n{\"msisdn\":\"1\"}\n",
			"1 bad: longer than 4096 bytes\n2 1||||\n"},
		{"UTF-16", "\xFF\xFE{\x00}\x00", "broken: line 1: the file is UTF-16, want UTF-8\n"},
	})
}

// A reader that breaks off in the middle of a line: half a number is another number, so what there is of that line is
// nothing.
func TestBrokenOff(t *testing.T) {
	broken := errors.New("reset by peer")
	for _, c := range []struct {
		name string
		read func(io.Reader) iter.Seq2[fleet.Line, error]
		file string
		want string
	}{
		{"CSV", CSV, "msisdn\n+491701234567\n+49170123", "2 +491701234567||||\nbroken: reset by peer\n"},
		{"CSV, at a line's end", CSV, "msisdn\n+491701234567\n", "2 +491701234567||||\nbroken: reset by peer\n"},
		{"CSV, in the header", CSV, "msisdn", "broken: reset by peer\n"},
		{"CSV, in a long line", CSV, "msisdn\n" + strings.Repeat("1", 2*MaxLine), "broken: reset by peer\n"},
		{"NDJSON", NDJSON, "{\"msisdn\":\"1\"}\n{\"msisdn\":\"2\"}", "1 1||||\nbroken: reset by peer\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := io.MultiReader(strings.NewReader(c.file), iotest.ErrReader(broken))
			if got := shown(c.read(file)); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// Who has enough takes no more.
func TestStops(t *testing.T) {
	for range CSV(strings.NewReader("msisdn\n1\n2\n")) {
		break
	}
	for range NDJSON(strings.NewReader("{}\n{}\n")) {
		break
	}
	for range CSV(strings.NewReader("")) {
		break
	}
}

// What a million lines cost is a million times this.
func BenchmarkLine(b *testing.B) {
	for _, c := range []struct {
		name       string
		read       func(io.Reader) iter.Seq2[fleet.Line, error]
		head, line string
	}{
		{"csv", CSV, "msisdn,imsi,pin\n", "+491701234567,262011234567890,471100\n"},
		{"ndjson", NDJSON, "", `{"msisdn":"+491701234567","imsi":"262011234567890","pin":"471100"}` + "\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			lines := 0
			file := io.MultiReader(strings.NewReader(c.head), &repeated{line: c.line, left: b.N})
			for l, err := range c.read(file) {
				if err != nil || l.Err != nil {
					b.Fatal(err, l.Err)
				}
				lines++
			}
			if lines != b.N {
				b.Fatalf("%d lines, want %d", lines, b.N)
			}
		})
	}
}

// repeated is a line so many times.
type repeated struct {
	line string
	left int
	at   int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) && r.left > 0 {
		k := copy(p[n:], r.line[r.at:])
		n += k
		if r.at += k; r.at == len(r.line) {
			r.at = 0
			r.left--
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
