package operatorlist

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"dmgate/storage"
)

// said is what a reader makes of a file, a line each.
func said(read Reader, file string) (list []string) {
	for l, err := range read(strings.NewReader(file)) {
		if err != nil {
			return append(list, "error: "+err.Error())
		}
		if l.Err != nil {
			list = append(list, fmt.Sprintf("%d: refused: %v", l.Number, l.Err))
			continue
		}
		list = append(list, fmt.Sprintf("%d: %s", l.Number, brief(&l.Operator)))
	}
	return list
}

// brief is an entry in one line.
func brief(o *storage.Operator) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %q", o.Code, o.Country, o.Name)
	for _, n := range o.Settings.NAPs {
		fmt.Fprintf(&b, " | %s %q %s", n.ID, n.Name, n.APN)
		if n.Internet {
			b.WriteString(" internet")
		}
		if n.Auth != "" {
			fmt.Fprintf(&b, " %s %s/%s", n.Auth, n.User, n.Secret)
		}
		if len(n.DNS) > 0 {
			fmt.Fprintf(&b, " dns %s", n.DNS)
		}
		if n.MMSC != "" {
			fmt.Fprintf(&b, " mmsc %s by %s", n.MMSC, n.MMSProxy)
		}
	}
	for _, p := range o.Settings.Proxies {
		fmt.Fprintf(&b, " | %s %s:%d for %s", p.ID, p.Addr, p.Port, p.NAP)
	}
	return b.String()
}

func TestReaders(t *testing.T) {
	for _, c := range []struct {
		name string
		read Reader
		file string
		want []string
	}{
		{"CSV", CSV, "code,operator,country,name,apn,auth,user,secret,dns,proxy,port,mmsc,mms_proxy,mms_port\n" +
			"26201,Example,de,Web,internet.example,pap,u,s,192.0.2.1 192.0.2.2,010.000.000.001,8080,,,\n\n" +
			"26201,Example,de,MMS,mms.example,,,,,,,http://mms.example/,mms.example,9201\r\n" +
			"310150,Other,us,,\"a \"\"b\"\"\",CHAP,x,,,,,,,\n", []string{
			`2: 26201 DE "Example" | N1 "Web" internet.example internet PAP u/s dns [192.0.2.1 192.0.2.2] | P1 10.0.0.1:8080 for N1`,
			`4: 26201 DE "Example" | N1 "MMS" mms.example mmsc http://mms.example/ by P2 | P2 mms.example:9201 for N1`,
			`5: 310150 US "Other" | N1 "a \"b\"" a "b" internet CHAP x/`,
		}},
		{"CSV with semicolons, in parts, with a mark", CSV, "\xEF\xBB\xBFMCC;mnc;apn;internet\n262;1;a;no\n", []string{
			`2: 26201  "" | N1 "a" a`,
		}},
		{"CSV with bad lines", CSV, "code,apn,internet,port,proxy\n26201,a\n26201,a,maybe,,\n262,a,,,\n" +
			"26201,\xFF,,,\n26201,a,,x,p\n26201,a\"b,,,\n26201,good,,,\n", []string{
			"2: refused: 2 fields, want 5 as in the header", `3: refused: internet: "maybe" is not yes or no`,
			`4: refused: code: "262" is no MCC and MNC of 5 or 6 digits`, "5: refused: apn: no UTF-8",
			`6: refused: proxy: "x" is no port`, `7: refused: column 8: bare " in non-quoted-field`,
			`8: 26201  "" | N1 "good" good`,
		}},
		{"no CSV", CSV, "", []string{"error: line 1: the file is empty, want a header line with some of " + columnNames}},
		{"CSV of something else", CSV, "phone,apn\n", []string{`error: line 1: unknown column "phone"; want some of ` + columnNames}},
		{"CSV with a column twice", CSV, "apn,APN\n", []string{`error: line 1: column "apn" is there twice`}},
		{"CSV without a code", CSV, "apn,mcc\n",
			[]string{`error: line 1: want the columns "apn" and "code", or "mcc" and "mnc" in its place`}},

		{"JSON in an array", JSON, "[\n {\"code\":\"26201\",\"name\":\"Example\",\"naps\":[{\"id\":\"N1\",\"apn\":\"a\",\n" +
			"\"auth\":\"PAP\",\"user\":\"u\",\"secret\":\"s\"}]},\n{\"code\":\"26202\",\"naps\":[],\"nap\":1},\n" +
			"{\"code\":26203},\n {\"code\":\"26204\",\"naps\":[]}]", []string{
			`2: 26201  "Example" | N1 "" a PAP u/s`, `4: refused: unknown field "nap"`, `5: refused: code: number in place of string`,
			`6: 26204  ""`,
		}},
		{"JSON line by line", JSON, `{"code":"26201","naps":[]}` + "\n" + `{"code":"26202","naps":[]}` + "\n", []string{
			`1: 26201  ""`, `2: 26202  ""`,
		}},
		{"no JSON", JSON, "", []string{"error: line 1: the JSON text ends too early"}},
		{"JSON that breaks off", JSON, "[{},\n{\"code\"", []string{`1:   ""`, "error: line 2: the JSON text ends too early"}},
		{"JSON that is damaged", JSON, "[{},\n{},\n}]",
			[]string{`1:   ""`, `2:   ""`, "error: line 3: invalid character '}' looking for beginning of value"}},
		{"JSON and more", JSON, "[]{}", []string{"error: line 1: text behind the array"}},

		{"apns-conf", XML, `<?xml version="1.0"?>
<apns version="8">
  <apn carrier="Example Internet" mcc="262" mnc="01" apn="internet" user="u" password="s" authtype="1" type="default,supl"
    proxy="" port="" mmsc="http://unused/"/>
  <!-- the same network -->
  <apn carrier="Example MMS" mcc="262" mnc="01" apn="mms" type="mms" mmsc="http://mms/" mmsproxy="010.0.0.1" mmsport="8080"/>
  <apn carrier="Any" mcc="310" mnc="150" apn="any"/>
  <apn carrier="Bad" mcc="310" mnc="150" apn="any" proxy="p" port="0"/>
</apns>`, []string{
			`4: 26201  "Example Internet" | N1 "Example Internet" internet internet PAP u/s`,
			`6: 26201  "Example MMS" | N1 "Example MMS" mms mmsc http://mms/ by P2 | P2 10.0.0.1:8080 for N1`,
			`7: 310150  "Any" | N1 "Any" any internet`, `8: refused: proxy: "0" is no port`,
		}},
		{"serviceproviders", XML, `<?xml version="1.0"?>
<serviceproviders format="2.0">
<country code="de">
	<provider primary="true">
		<name>Example</name>
		<name xml:lang="en">Example (en)</name>
		<gsm>
			<network-id mcc="262" mnc="01"/>
			<network-id mcc="262" mnc="06"/>
			<apn value="internet">
				<usage type="internet"/><plan type="postpaid"/>
				<name>Web</name><name>Other</name>
				<username>u</username><password>s</password><authentication method="chap"/>
				<dns>192.0.2.1</dns><dns>192.0.2.2</dns><gateway>192.0.2.3</gateway>
			</apn>
			<apn value="mms"><usage type="mms"/><mmsc>http://mms/</mmsc><mmsproxy>10.0.0.1:8080</mmsproxy></apn>
		</gsm>
		<cdma><sid value="1"/></cdma>
	</provider>
	<provider><name>Second</name><gsm><network-id mcc="262" mnc="02"/><apn value="b"/></gsm></provider>
	<provider><name>None</name><gsm><apn value="c"/></gsm></provider>
</country>
</serviceproviders>`, []string{
			`10: 26201 DE "Example" | N1 "Web" internet internet CHAP u/s dns [192.0.2.1 192.0.2.2] | P1 192.0.2.3:80 for N1`,
			`10: 26206 DE "Example" | N1 "Web" internet internet CHAP u/s dns [192.0.2.1 192.0.2.2] | P1 192.0.2.3:80 for N1`,
			`16: 26201 DE "Example" | N1 "mms" mms mmsc http://mms/ by P2 | P2 10.0.0.1:8080 for N1`,
			`16: 26206 DE "Example" | N1 "mms" mms mmsc http://mms/ by P2 | P2 10.0.0.1:8080 for N1`,
			`20: 26202 DE "Second" | N1 "b" b internet`,
		}},
		{"no XML", XML, "", []string{"error: line 1: no XML element"}},
		{"XML of something else", XML, "<html/>", []string{`error: line 1: root "html", want apns or serviceproviders`}},
		{"XML that breaks off", XML, "<apns>\n<apn apn=\"a\" mcc=\"262\" mnc=\"01\"/>\n",
			[]string{`2: 26201  "" | N1 "a" a internet`, "error: line 3: unexpected EOF"}},
		{"XML with an entity of its own", XML, "<!DOCTYPE apns [<!ENTITY a \"b\">]>\n<apns><apn apn=\"&a;\"/></apns>",
			[]string{"error: line 2: invalid character entity &a;"}},
		{"XML that is no UTF-8", XML, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><apns>\n<apn carrier=\"\xE4\"/></apns>",
			[]string{"error: line 2: invalid UTF-8"}},
	} {
		if got := said(c.read, c.file); !slices.Equal(got, c.want) {
			t.Errorf("%s\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// A reader that breaks off is told as such, and not as a file that is wrong.
func TestReadersBreakOff(t *testing.T) {
	broken := errors.New("the line went dead")
	for name, c := range map[string]struct {
		read Reader
		file string
	}{
		"CSV": {CSV, "code,apn\n26201,a\n"}, "JSON": {JSON, `[{"code":"26201","naps":[]},`},
		"XML": {XML, `<apns><apn apn="a" mcc="262" mnc="01"/>`},
	} {
		lines, last := 0, error(nil)
		for _, err := range c.read(io.MultiReader(strings.NewReader(c.file), iotest.ErrReader(broken))) {
			if last = err; err == nil {
				lines++
			}
		}
		if lines != 1 || !errors.Is(last, broken) {
			t.Errorf("%s: %d lines, %v", name, lines, last)
		}
	}
}

// What is shown holds no secret, and put back it keeps those that there are.
func TestSecretsStay(t *testing.T) {
	kept := &storage.Operator{Code: "26201", Settings: storage.AccessPoints{
		NAPs:    []storage.NAP{{ID: "N1", APN: "a", Auth: "PAP", User: "u", Secret: "s3cret"}},
		Proxies: []storage.Proxy{{ID: "P1", Addr: "p", Port: 80, NAP: "N1", User: "x", Secret: "hidden"}},
	}}
	shown := Show(kept)
	if text := fmt.Sprintf("%+v", shown); strings.Contains(text, "s3cret") || strings.Contains(text, "hidden") {
		t.Errorf("shown: %s", text)
	}
	if !shown.NAPs[0].HasSecret || !shown.Proxies[0].HasSecret {
		t.Error("not said that there are secrets")
	}
	again := shown.Record(&kept.Settings)
	if again.Settings.NAPs[0].Secret != "s3cret" || again.Settings.Proxies[0].Secret != "hidden" {
		t.Errorf("put back: %+v", again.Settings)
	}
	other := shown
	other.NAPs = slices.Clone(shown.NAPs)
	other.NAPs[0].User = "v"
	if got := other.Record(&kept.Settings); got.Settings.NAPs[0].Secret != "" {
		t.Error("the secret of another login was kept")
	}
	none := ""
	other.NAPs[0].User, other.NAPs[0].Secret = "u", &none
	if got := other.Record(&kept.Settings); got.Settings.NAPs[0].Secret != "" {
		t.Error("a secret that was taken away is still there")
	}
}
