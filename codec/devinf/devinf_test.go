package devinf

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"dmgate/codec"
	"dmgate/codec/internal/oracle"
	"dmgate/codec/internal/vector"
)

// every is a document with each element of a version once, around text.
func every(version string, names []string) string {
	doc := `<DevInf xmlns="syncml:devinf"><VerDTD>` + version + `</VerDTD>`
	for _, name := range names {
		if name != "" && name != "DevInf" && name != "VerDTD" {
			doc += "<Ext><" + name + ">x &lt;" + name + "</" + name + "><" + name + "/></Ext>"
		}
	}
	return doc + "</DevInf>"
}

func TestConvert(t *testing.T) {
	const doc = `<DevInf xmlns="syncml:devinf"><VerDTD>1.2</VerDTD><Man>m</Man><UTC/></DevInf>`
	want := vector.Bytes(t, "02 A4 03 6A 00 4A 65 03'1.2'00 01 51 03'm'00 01 28 01")
	got, err := ToWBXML([]byte(doc))
	if err != nil || string(got) != string(want) {
		t.Errorf("%v\ngot  % X\nwant % X", err, got, want)
	}
	if back, err := ToInline(want); err != nil || string(back) != doc {
		t.Errorf("%v\n%s", err, back)
	}
	if back, err := ToXML(want); err != nil || string(back) != `<?xml version="1.0" encoding="UTF-8"?>`+doc {
		t.Errorf("%v\n%s", err, back)
	}
}

// The code that changed its name with 1.2.
func TestVersions(t *testing.T) {
	const body = "4A 5C 03'9'00 01 01"
	for header, want := range map[string]string{
		"02 9F 52 6A 00": "Size", "02 9F 54 6A 00": "Size", "02 A4 03 6A 00": "MaxSize", "02 01 6A 00": "MaxSize",
		"02 00 00 6A 1D '-//SYNCML//DTD DevInf 1.1//EN'": "Size", "02 00 00 6A 1D '-//SYNCML//DTD DevInf 1.2//EN'": "MaxSize",
	} {
		doc, err := ToInline(vector.Bytes(t, header+body))
		if err != nil || !strings.Contains(string(doc), "<"+want+">9</"+want+">") {
			t.Errorf("%s: %v %s, want %s", header, err, doc, want)
		}
	}
	for doc, want := range map[string]byte{
		"<DevInf><VerDTD>1.1</VerDTD></DevInf>": 0x54, "<DevInf><VerDTD> 1.0</VerDTD></DevInf>": 0x54,
		"<DevInf><VerDTD>1.2</VerDTD></DevInf>": 0x03, "<DevInf><Man>1.1</Man></DevInf>": 0x03, "<DevInf/>": 0x03,
	} {
		if got, err := ToWBXML([]byte(doc)); err != nil || got[2] != want {
			t.Errorf("%s: %v % X", doc, err, got)
		}
	}
}

// libwbxml has the same tables, both ways.
func TestByOracle(t *testing.T) {
	toXML, toWBXML := oracle.Need(t, "wbxml2xml"), oracle.Need(t, "xml2wbxml")
	for version, names := range map[string][]string{"1.1": names11(), "1.2": names} {
		doc := every(version, names)
		ours, err := ToWBXML([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		back, err := ToInline(oracle.Run(t, ours, toXML, "-m", "0", "-o", "-", "-"))
		if err != nil || string(back) != doc {
			t.Errorf("%v\nlibwbxml reads %s\nwe wrote       %s", err, back, doc)
		}
		withType := `<!DOCTYPE DevInf PUBLIC "-//SYNCML//DTD DevInf ` + version + `//EN" "x">` + doc
		for _, o := range [][]string{{}, {"-n"}, {"-v", "1.1"}} {
			theirs := oracle.Run(t, []byte(withType), toWBXML, append(o, "-o", "-", "-")...)
			if back, err = ToInline(theirs); err != nil || string(back) != doc {
				t.Errorf("%v\nwe read        %s\nlibwbxml wrote %s", err, back, doc)
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, v := range []struct{ doc, want string }{
		{"", "wbxml: offset 0: empty document"},
		{"02 A4 01 6A 00 6D", "devinf: offset 1: public identifier 0x1201 is not of a DevInf"},
		{"02 00 00 6A 02'ab'6D", `devinf: offset 1: public identifier "ab" (want one with "DTD DevInf")`},
		{"02 A4 03 6A 00 51 01", `devinf: offset 5: root element is "Man", not DevInf`},
		{"02 A4 03 6A 00 4A 2F 01", "devinf: offset 6: unknown tag 0x2F on page 0"},
		{"02 9F 54 6A 00 4A 2B 01", "devinf: offset 6: unknown tag 0x2B on page 0"},
		{"02 A4 03 6A 00 4A 00 01 07 01", "devinf: offset 8: code page 1 (want 0)"},
		{"02 A4 03 6A 00 4A 51 03'm'00", "wbxml: offset 10: document ends inside an element (depth 2)"},
		{"02 A4 03 6A 00 4A 51 40 'x'00 01 01", "wbxml: offset 7: extension token 0x40 has no meaning in this document type"},
		{"02 A4 03 6A 00" + strings.Repeat("4A", 17), "wbxml: offset 21: elements nested deeper than 16"},
		{"02 A4 03 6A 00 4A 03'x'00 51 01", `devinf: offset 9: element "Man" in DevInf, which holds text`},
	} {
		_, err := ToXML(vector.Bytes(t, v.doc))
		expect(t, v.doc, err, v.want)
	}
	for _, v := range []struct{ doc, want string }{
		{"<SyncML/>", `devinf: offset 0: root element is "SyncML", not DevInf`},
		{"<DevInf><x/></DevInf>", `devinf: offset 8: element "x" has no tag in WBXML`},
		{"<DevInf><VerDTD>1.1</VerDTD><MaxSize/></DevInf>", `devinf: offset 28: element "MaxSize" has no tag in WBXML`},
		{"<DevInf>", "xml: offset 8: unexpected EOF"},
	} {
		_, err := ToWBXML([]byte(v.doc))
		expect(t, v.doc, err, v.want)
	}
}

func expect(t *testing.T, doc string, err error, want string) {
	t.Helper()
	var syntax *codec.SyntaxError
	if !errors.As(err, &syntax) || fmt.Sprint(err) != want {
		t.Errorf("%s\ngot  %v\nwant %s", doc, err, want)
	}
}
