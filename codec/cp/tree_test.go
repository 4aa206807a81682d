package cp

import (
	"reflect"
	"strings"
	"testing"

	"dmgate/codec/internal/vector"
)

// Every form that a parm, a type and a value can take on the wire, and what they say.
func TestForms(t *testing.T) {
	nap := func(ps ...Parm) []Characteristic { return []Characteristic{{Type: "NAPDEF", Parms: ps}} }
	app := func(ps ...Parm) []Characteristic { return []Characteristic{{Type: "APPLICATION", Parms: ps}} }
	for _, v := range []struct {
		name, doc string
		want      []Characteristic
	}{
		{"empty, without attributes", "03 0B 6A 00 45 01", nil},
		{"empty, version 1.0", "03 0B 6A 00 C5 46 01 01", nil},
		{"empty, neither content nor attributes", "03 0B 6A 00 05", nil},
		{"public identifier in text", "03 00 00 6A 1D '-//WAPFORUM//DTD PROV 1.0//EN' 05", nil},
		{"token for a name, text for a value", "03 0B 6A 00 45 C6 55 01 87 11 06 03'N1'00 01 01 01",
			nap(Value("NAPID", "N1"))},
		{"token for a value", "03 0B 6A 00 45 C6 55 01 87 10 06 AB 01 01 01", nap(Value("BEARER", "GSM-GPRS"))},
		{"name in text", "03 0B 6A 00 45 C6 55 01 87 05 03'DNS-ADDR'00 06 03'1.1.1.1'00 01 01 01",
			nap(Value("DNS-ADDR", "1.1.1.1"))},
		{"name and value from the string table", "03 0B 6A 06 'NAPID'00 45 C6 55 01 87 05 83 00 06 83 03 01 01 01",
			nap(Value("NAPID", "ID"))},
		{"names of attributes as literals", "03 0B 6A 10 'name'00 'value'00 'type'00 45 C6 04 0B 03'NAPDEF'00 01" +
			"87 04 00 03'NAPID'00 04 05 03'N1'00 01 01 01", nap(Value("NAPID", "N1"))},
		{"flag", "03 0B 6A 00 45 C6 55 01 87 14 01 01 01", nap(Flag("INTERNET"))},
		{"value of no characters is no flag", "03 0B 6A 00 45 C6 55 01 87 14 06 01 01 01", nap(Value("INTERNET", ""))},
		{"value before name", "03 0B 6A 00 45 C6 55 01 87 06 03'N1'00 11 01 01 01", nap(Value("NAPID", "N1"))},
		{"value in pieces: text, entity, opaque", "03 0B 6A 00 45 C6 55 01 87 11 06 03'N'00 02 31 C3 01 '2' 01 01 01",
			nap(Value("NAPID", "N12"))},
		{"page 1", "03 0B 6A 00 45 C6 00 01 55 01 87 36 06 03'w7'00 01 01 01", app(Value("APPID", "w7"))},
		{"values of page 1 joined", "03 0B 6A 00 45 C6 00 01 55 01 87 33 06 93 90 92 01 87 33 06 91 92 01 01 01",
			app(Value("AAUTHTYPE", "DIGEST,BASIC"), Value("AAUTHTYPE", "HTTP-BASIC"))},
		{"token and text joined", "03 0B 6A 00 45 C6 00 01 55 01 87 33 06 91 03'NTLM'00 01 01 01",
			app(Value("AAUTHTYPE", "HTTP-NTLM"))},
		{"names on both pages",
			"03 0B 6A 00 45 C6 00 01 55 01 87 07 06 03'a'00 01 87 22 06 03'b'00 01 87 00 00 07 06 03'c'00 01" +
				"87 22 06 03'd'00 01 01 01",
			app(Value("NAME", "a"), Value("TO-NAPID", "b"), Value("NAME", "c"), Value("TO-NAPID", "d"))},
		{"the page lasts over the ends of elements",
			"03 0B 6A 00 45 C6 00 01 55 01 C6 56 01 87 34 06 03'a'00 01 01 01 C6 57 01 01 01",
			[]Characteristic{
				{Type: "APPLICATION", Children: []Characteristic{{Type: "APPADDR", Parms: []Parm{Value("ADDR", "a")}}}},
				{Type: "APPAUTH"},
			}},
		{"tags on page 1", "03 0B 6A 00 45 00 01 C6 55 01 87 11 06 03'N1'00 01 01 01", nap(Value("NAPID", "N1"))},
		{"parm with content of nothing", "03 0B 6A 00 45 C6 55 01 C7 14 01 01 01 01", nap(Flag("INTERNET"))},
		{"white space between elements", "03 0B 6A 00 45 03 0A 20 00 02 20 C6 55 01 87 14 01 02 0A 01 01",
			nap(Flag("INTERNET"))},
		{"white space in a parm", "03 0B 6A 00 45 C6 55 01 C7 14 01 03 0A 20 00 02 09 01 01 01", nap(Flag("INTERNET"))},
		{"unknown type", "03 0B 6A 00 45 86 50 03'X-ACME'00 01 01", []Characteristic{{Type: "X-ACME"}}},
		{"Nokia's own names", "03 0B 6A 00 45 C6 55 01 87 61 06 85 01 87 00 01 3C 06 03'r'00 01 01 01",
			nap(Value("DNS-ADDRTYPE", "IPV4"), Value("APPREF", "r"))},
		{"parm behind a child",
			"03 0B 6A 00 45 C6 55 01 87 11 06 03'1'00 01 86 5A 01 87 14 01 86 54 01 87 07 06 03'2'00 01 01 01",
			[]Characteristic{{
				Type:     "NAPDEF",
				Parms:    []Parm{Value("NAPID", "1")},
				Children: []Characteristic{{Type: "NAPAUTHINFO"}, {Type: "VALIDITY"}},
				Tail:     []Parm{Flag("INTERNET"), Value("NAME", "2")},
			}}},
	} {
		t.Run(v.name, func(t *testing.T) {
			tree, err := ReadTree(vector.Bytes(t, v.doc))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(tree.Roots, v.want) {
				t.Errorf("got  %+v\nwant %+v", tree.Roots, v.want)
			}
			again, err := ReadTree(tree.AppendWBXML(nil))
			if err != nil || !reflect.DeepEqual(again.Roots, v.want) {
				t.Errorf("written and read again: %+v, %v", again, err)
			}
			if again, err = ReadTreeXML(tree.AppendXML(nil)); err != nil || !reflect.DeepEqual(again.Roots, v.want) {
				t.Errorf("by way of XML: %+v, %v", again, err)
			}
		})
	}
}

// Which of the forms the writer picks. All begin with 03 0B 6A 00 C5 46 01 and stand in one group.
func TestWritten(t *testing.T) {
	for _, v := range []struct {
		name, group string
		parm        Parm
		want        string
	}{
		{"token", "NAPDEF", Value("NAP-ADDRTYPE", "APN"), "55 01 87 09 06 89 01"},
		{"a name that reads like a token stays text", "NAPDEF", Value("NAME", "APN"), "55 01 87 07 06 03'APN'00 01"},
		{"a value that has no token", "NAPDEF", Value("BEARER", "X"), "55 01 87 10 06 03'X'00 01"},
		{"a secret too", "NAPAUTHINFO", Value("AUTHSECRET", "PAP"), "5A 01 87 0E 06 03'PAP'00 01"},
		{"no token on Spreadtrum", "NAPDEF", Value("DNS-ADDR", "::1"), "55 01 87 05 03'DNS-ADDR'00 06 03'::1'00 01"},
		{"the other page's name", "NAPDEF", Value("URI", "u"), "55 01 87 00 01 3A 06 03'u'00 01"},
		{"the page at hand", "APPLICATION", Value("NAME", "n"), "00 01 55 01 87 07 06 03'n'00 01"},
		{"TO-NAPID is looked for on page 0", "APPLICATION", Value("TO-NAPID", "n"),
			"00 01 55 01 87 00 00 22 06 03'n'00 01"},
		{"no value of another page", "APPADDR", Value("ADDRTYPE", "IPV4"), "00 01 56 01 87 35 06 03'IPV4'00 01"},
		{"joined values (trap 8)", "APPAUTH", Value("AAUTHTYPE", "DIGEST,BASIC"), "00 01 57 01 87 33 06 93 90 92 01"},
		{"not in tokens alone", "APPAUTH", Value("AAUTHTYPE", "DIGEST,X"), "00 01 57 01 87 33 06 03'DIGEST,X'00 01"},
		{"CLIENTIDENTITY from page 0", "CLIENTIDENTITY", Flag("X"), "58 01 87 05 03'X'00 01"},
		{"unknown type", "X", Value("Y", ""), "50 03'X'00 01 87 05 03'Y'00 06 03 00 01"},
	} {
		t.Run(v.name, func(t *testing.T) {
			tree := Tree{Roots: []Characteristic{{Type: v.group, Parms: []Parm{v.parm}}}}
			want := vector.Bytes(t, "03 0B 6A 00 C5 46 01 C6"+v.want+"01 01")
			if got := tree.AppendWBXML(nil); string(got) != string(want) {
				t.Errorf("got  % X\nwant % X", got, want)
			}
		})
	}
	if got := (&Document{}).AppendWBXML(nil); string(got) != string(vector.Bytes(t, "03 0B 6A 00 85 46 01")) {
		t.Errorf("empty document: % X", got)
	}
}

// What an inline type must be preceded by: page 0, for S60.
func TestUnknownTypeAfterPage1(t *testing.T) {
	tree := Tree{Version: "1.1", Roots: []Characteristic{{Type: "APPLICATION"}, {Type: "X"}}}
	want := vector.Bytes(t, "03 0B 6A 00 C5 45 03'1.1'00 01 86 00 01 55 01 86 00 00 50 03'X'00 01 01")
	if got := tree.AppendWBXML(nil); string(got) != string(want) {
		t.Errorf("got % X", got)
	}
}

func TestXML(t *testing.T) {
	const doc = `<?xml version="1.0"?>
<!DOCTYPE wap-provisioningdoc PUBLIC "-//WAPFORUM//DTD PROV 1.0//EN" "http://www.wapforum.org/DTD/prov.dtd">
<wap-provisioningdoc version="1.1" xmlns="urn:x">
	<!-- the user's own -->
	<characteristic type="NAPDEF">
		<parm name="NAPID" value="a&amp;b &#x263A;"/>
		<parm name="INTERNET"></parm>
	</characteristic>
</wap-provisioningdoc>`
	d, err := ReadXML([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	want := &Document{Version: "1.1", NAPDefs: []NAPDef{{ID: "a&b ☺", Internet: true}}}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got %+v", d)
	}
	const written = `<?xml version="1.0" encoding="UTF-8"?>
<wap-provisioningdoc version="1.1">
  <characteristic type="NAPDEF">
    <parm name="NAPID" value="a&amp;b ☺"/>
    <parm name="BEARER" value="GSM-GPRS"/>
    <parm name="INTERNET"/>
  </characteristic>
</wap-provisioningdoc>
`
	if got := string(d.AppendXML(nil)); got != written {
		t.Errorf("written:\n%s", got)
	}
}

// A document in ISO-8859-1 means what it says.
func TestLatin1(t *testing.T) {
	doc := vector.Bytes(t, "03 0B 04 02 FC 00 45 C6 55 01 87 07 06 03 'T' E9 'l' E9 00 83 00 02 A0 2C 01 01 01")
	tree, err := ReadTree(doc)
	if err != nil {
		t.Fatal(err)
	}
	if name, _ := tree.Roots[0].Get("NAME"); name != "Téléü\u102C" {
		t.Errorf("%q", name)
	}
}

// What may stand around and between, and the other charset.
func TestXMLForms(t *testing.T) {
	const root = `<wap-provisioningdoc version="T%s"/>`
	for _, v := range []struct{ name, prolog, e string }{
		{"nothing", "", "é"},
		{"byte order mark", "\xEF\xBB\xBF", "é"},
		{"white space in front", " \n<?xml version='1.0' encoding = 'iso-8859-1' ?>\n", "\xE9"},
		{"ISO-8859-1", `<?xml version="1.0" encoding="ISO-8859-1"?>`, "\xE9"},
		{"US-ASCII", `<?xml version="1.0" encoding="us-ascii"?>`, "&#233;"},
		{"no encoding", `<?xml version="1.1"?>`, "&#xE9;"},
		{"DOCTYPE with a subset", `<!DOCTYPE a PUBLIC "-//>" '[' [<!ENTITY e "]>"> <!-- ' ]> --> <?p " ]> ?>]>`, "é"},
		{"comments and instructions", "<?p <a/> ?><!-- <a/> --><!DOCTYPE a><!-- -->", "é"},
	} {
		tree, err := ReadTreeXML([]byte(v.prolog + strings.Replace(root, "%s", v.e, 1) + "<!-- --><?p?>\n"))
		if err != nil || tree.Version != "Té" {
			t.Errorf("%s: %+v, %v", v.name, tree, err)
		}
	}
}

// No references by number: clients refuse them. What would need one is refused by Validate and goes as near as it can.
func TestWrittenXMLHasNoNumbers(t *testing.T) {
	all := "&<>\"'\t\r\n\x01\xFF\uFFFEé\U0001F600"
	tree := Tree{Version: all, Roots: []Characteristic{{Type: all, Parms: []Parm{Value(all, all)}}}}
	const want = "\"&amp;&lt;&gt;&quot;'  \uFFFD\uFFFD\uFFFDé\U0001F600\""
	if text := string(tree.AppendXML(nil)); strings.Contains(text, "&#") || strings.Count(text, want) != 4 {
		t.Error(text)
	}
}
