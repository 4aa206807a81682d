package fuzz

import (
	"bytes"
	"encoding/json"
	"testing"

	"dmgate/gateway/fleet"
	"dmgate/gateway/operatorlist"
)

// FuzzOperatorImport: whatever is in a file, its lines come in order, and what was read of a sound one comes back when it
// is written as JSON and read again.
func FuzzOperatorImport(f *testing.F) {
	for _, seed := range []string{
		"code,operator,country,name,apn,auth,user,secret,internet,dns,proxy,port,mmsc,mms_proxy,mms_port\n" +
			"26201,Example,de,Web,internet,pap,u,s,yes,192.0.2.1,010.0.0.1,8080,http://mms/,mms,9201\n",
		"\xEF\xBB\xBFmcc;mnc;apn\r\n262;1;\"a\"\"b\"\r\n262;\"open\n",
		`[{"code":"26201","name":"Example","country":"DE","validity":true,"naps":[{"id":"N1","name":"Web","apn":"a",` +
			`"auth":"PAP","user":"u","secret":"s","internet":true,"dns":["192.0.2.1"],"mmsc":"http://m/","mms_proxy":"P1"}],` +
			`"proxies":[{"id":"P1","addr":"p","port":80,"service":"CO-WSP","nap":"N1","start_page":"x","domains":["d"],` +
			`"user":"u","secret":"s"}]}]`,
		"{\"code\":\"26201\"}\n{\"code\":1}\n[", "[{},\n{},\n}]", "[]{}", " \n[",
		`<apns version="8"><apn carrier="C" mcc="262" mnc="1" apn="a" authtype="3" user="u" password="p" type="default,mms" ` +
			`proxy="1.2.3.4" port="80" mmsc="http://m/" mmsproxy="m:1" mmsport=""/></apns>`,
		`<serviceproviders><country code="de"><provider><name>N</name><gsm><network-id mcc="262" mnc="01"/><apn value="a">` +
			`<usage type="mms"/><name>W</name><username>u</username><authentication method="pap"/><dns>1.1.1.1</dns>` +
			`<mmsc>http://m/</mmsc><mmsproxy>m:8</mmsproxy></apn></gsm></provider></country></serviceproviders>`,
		"<apns><a><b></a></apns>", "<!DOCTYPE x [<!ENTITY a 'b'>]><apns>&a;</apns>",
	} {
		for format := range uint8(3) {
			f.Add(format, []byte(seed))
		}
	}
	readers := []operatorlist.Reader{operatorlist.CSV, operatorlist.JSON, operatorlist.XML}
	f.Fuzz(func(t *testing.T, format uint8, file []byte) {
		last := uint64(1)
		for l, err := range readers[int(format)%len(readers)](bytes.NewReader(file)) {
			if err != nil {
				return
			}
			if most := uint64(bytes.Count(file, []byte{'\n'}) + bytes.Count(file, []byte{'\r'}) + 1); l.Number < last || l.Number > most {
				t.Fatalf("line %d behind line %d of %d", l.Number, last, most)
			}
			last = l.Number
			if l.Err == nil {
				comesBack(t, &l)
			}
		}
	})
}

func comesBack(t *testing.T, l *fleet.OperatorLine) {
	out := operatorlist.Show(&l.Operator)
	out.Changed, out.Source = nil, ""
	for i := range out.NAPs {
		out.NAPs[i].HasSecret, out.NAPs[i].Secret = false, &l.Operator.Settings.NAPs[i].Secret
	}
	for i := range out.Proxies {
		out.Proxies[i].HasSecret, out.Proxies[i].Secret = false, &l.Operator.Settings.Proxies[i].Secret
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	for again, err := range operatorlist.JSON(bytes.NewReader(text)) {
		if err != nil || again.Err != nil {
			t.Fatalf("%s: %v, %v", text, err, again.Err)
		}
		second, _ := json.Marshal(operatorlist.Show(&again.Operator))
		first, _ := json.Marshal(operatorlist.Show(&l.Operator))
		if !bytes.Equal(first, second) {
			t.Fatalf("read   %s\nagain  %s", first, second)
		}
	}
}
