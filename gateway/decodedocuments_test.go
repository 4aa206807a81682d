package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"dmgate/codec/auth"
	"dmgate/codec/cp"
	"dmgate/codec/devinf"
	"dmgate/codec/dmacc"
	"dmgate/codec/push"
	"dmgate/codec/syncml"
	"dmgate/codec/tnds"
)

const (
	treeXML = `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Node><NodeName>N</NodeName>` +
		`<RTProperties><Format><bin/></Format></RTProperties><Value>AAE=</Value></Node></MgmtTree>`
	devinfXML = `<DevInf xmlns="syncml:devinf"><VerDTD>1.2</VerDTD><Man>m</Man></DevInf>`
)

func decoded(t *testing.T, as string, in []byte) string {
	t.Helper()
	var out bytes.Buffer
	if err := decodeText(&out, as, in); err != nil {
		t.Fatalf("as %s: %v\n%X", as, err, in)
	}
	return out.String()
}

func encoded(t *testing.T, as, in string) []byte {
	t.Helper()
	out, err := encode(as, []byte(in))
	if err != nil {
		t.Fatalf("as %s: %v\n%s", as, err, in)
	}
	return out
}

// The types that come inside others also stand for themselves.
func TestDecodeDocuments(t *testing.T) {
	for _, c := range []struct{ as, xml string }{{"tnds", treeXML}, {"devinf", devinfXML}} {
		doc := encoded(t, c.as, c.xml)
		if got := encoded(t, "auto", c.xml); !bytes.Equal(got, doc) {
			t.Errorf("%s guessed: % X\nwant % X", c.as, got, doc)
		}
		for _, as := range []string{c.as, "auto"} {
			for _, in := range [][]byte{doc, []byte(hex.EncodeToString(doc)), []byte(c.xml)} {
				if got := decoded(t, as, in); !strings.HasSuffix(got, "?>"+c.xml+"\n") {
					t.Errorf("as %s: %s", as, got)
				}
			}
		}
	}
	// A document that names no type is known by its root.
	for in, want := range map[string]string{
		"0201 6A 00 0002 60 77 03312E320001 01": "<MgmtTree", "0201 6A 00 6D 2C 2B 01": "<SyncML",
	} {
		if got := decoded(t, "auto", []byte(in)); !strings.Contains(got, want) {
			t.Errorf("%s: %s", in, got)
		}
	}
}

// XML in its charsets and with whatever may stand in front is known by its root, and written without references by
// number, which clients refuse.
func TestDecodeXMLForms(t *testing.T) {
	const subset = "<!DOCTYPE a [<!ENTITY a '<b>]>'><!-- <b> ' --><?p \" <b> ?>]>"
	for as, doc := range map[string]string{
		"syncml": "<SyncML><SyncHdr><Source><LocURI>%</LocURI></Source></SyncHdr><SyncBody><Final/></SyncBody></SyncML>",
		"cp":     "<wap-provisioningdoc><characteristic type='X'><parm name='NAME' value='%'/></characteristic></wap-provisioningdoc>",
		"si":     "<si><indication href='%'>%</indication></si>",
		"sl":     "<sl href='%'/>",
		"tnds":   "<t:MgmtTree xmlns:t='a'><t:VerDTD>1.2</t:VerDTD><t:Man>%</t:Man></t:MgmtTree>",
		"devinf": "<DevInf><VerDTD>1.2</VerDTD><Man>%</Man></DevInf>",
	} {
		in := func(prolog, text string) []byte { return []byte(prolog + strings.ReplaceAll(doc, "%", text)) }
		const plain = "é&quot;&lt;&gt;&amp;&apos;"
		want := decoded(t, as, in("", plain))
		for prolog, text := range map[string]string{
			"\xEF\xBB\xBF<?xml version='1.0' encoding='UTF-8'?>\n" + subset: plain,
			"<?xml version='1.0' encoding='ISO-8859-1'?>" + subset:          "\xE9&#34;&#x3C;&gt;&amp;&apos;",
			"<?xml version='1.0' encoding='us-ascii'?><!-- \" -->":          "&#233;&#34;&#60;&#62;&#38;&#39;",
		} {
			for _, as := range []string{as, "auto"} {
				if got := decoded(t, as, in(prolog, text)); got != want || strings.Contains(got, "&#") {
					t.Errorf("as %s: %s\ngot  %s\nwant %s", as, in(prolog, text), got, want)
				}
			}
		}
		var out bytes.Buffer
		err := decodeText(&out, "auto", in("<?xml version='1.0' encoding='KOI8-R'?>", "a"))
		if err == nil || !strings.Contains(err.Error(), `xml: offset 20: encoding "KOI8-R" (want UTF-8`) {
			t.Errorf("%s: %v", as, err)
		}
	}
}

// A document inside a message is shown as elements, and goes back to what it was.
func TestDecodeNested(t *testing.T) {
	tree, err := tnds.ToWBXML([]byte(treeXML))
	if err != nil {
		t.Fatal(err)
	}
	inf, err := devinf.ToWBXML([]byte(devinfXML))
	if err != nil {
		t.Fatal(err)
	}
	var m syncml.Message
	for _, v := range []struct {
		kind string
		data []byte
	}{
		{tnds.TypeWBXML, tree}, {devinf.TypeWBXML, inf},
		{"application/x-wbxml", []byte("\x02\x01\x6A\x00\x05")}, {"", []byte("text")},
	} {
		m.AddCommand(syncml.Results).CmdID = m.Number(1)
		it := m.AddItem()
		it.Meta.Format, it.Meta.Type, it.Data = []byte("bin"), []byte(v.kind), v.data
	}
	doc := m.Append(nil, syncml.WBXML)
	text := decoded(t, "auto", doc)
	for _, data := range []string{treeXML, devinfXML, "AgFqAAU="} {
		want := "<Data>" + data + "</Data>"
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	var again syncml.Message
	if err := again.Read(encoded(t, "auto", text), syncml.WBXML, nil); err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]byte{tree, inf} {
		if got := again.Commands[i].Items[0].Data; !bytes.Equal(got, want) {
			t.Errorf("encoded again: % X\nwant % X", got, want)
		}
	}
}

// A document in base64 is shown too, and Meta says what is shown. What is no such document stays as it is.
func TestDecodeNestedBase64(t *testing.T) {
	tree, err := tnds.ToWBXML([]byte(treeXML))
	if err != nil {
		t.Fatal(err)
	}
	const head, tail = "<SyncML><SyncHdr/><SyncBody><Add><CmdID>1</CmdID>", "</Add><Final/></SyncBody></SyncML>"
	meta := func(kind string) string {
		return `<Meta><Format xmlns="syncml:metinf">b64</Format><Type xmlns="syncml:metinf">` + kind +
			`</Type><Size xmlns="syncml:metinf">9</Size></Meta>`
	}
	b64 := func(b []byte) string { return "<Data>" + base64.StdEncoding.EncodeToString(b) + "</Data>" }
	shown := []string{"<Data>" + treeXML + "</Data>", `<Format xmlns="syncml:metinf">xml</Format>`,
		`<Type xmlns="syncml:metinf">` + tnds.TypeXML + "</Type>"}
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"WBXML", "<Item>" + meta(tnds.TypeWBXML) + b64(tree) + "</Item>",
			append(shown, fmt.Sprintf(`<Size xmlns="syncml:metinf">%d</Size>`, len(treeXML)))},
		{"XML", "<Item>" + meta(tnds.TypeXML) + b64([]byte(treeXML)) + "</Item>", shown},
		{"Meta of the command", meta(tnds.TypeWBXML) + "<Item>" + b64(tree) + "</Item>", shown},
		{"another type", "<Item>" + meta("text/plain") + b64(tree) + "</Item>", []string{b64(tree), ">b64<"}},
		{"something else", "<Item>" + meta(tnds.TypeWBXML) + b64([]byte("x")) + "</Item>", []string{b64([]byte("x")), ">b64<"}},
		{"no base64", "<Item>" + meta(tnds.TypeWBXML) + "<Data>?</Data></Item>", []string{"<Data>?</Data>", ">b64<"}},
	} {
		got := decoded(t, "syncml", []byte(head+c.body+tail))
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %s in\n%s", c.name, want, got)
			}
		}
	}
}

// Elements that can not be the WBXML that Meta says they are fail, at their place in the message.
func TestEncodeNestedBadInput(t *testing.T) {
	const doc = `<SyncML><SyncHdr/><SyncBody><Add><CmdID>1</CmdID><Item><Meta><Type xmlns="syncml:metinf">` +
		`application/vnd.syncml.dmtnds+wbxml</Type></Meta><Data><MgmtTree><Vendor/></MgmtTree></Data></Item></Add>` +
		`</SyncBody></SyncML>`
	_, err := encode("syncml", []byte(doc))
	want := fmt.Sprintf(`tnds: offset %d: element "Vendor" has no tag in WBXML`, strings.Index(doc, "<Vendor"))
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Each of a hundred notifications, whose digests are as good as random, is known for what it is: alone, and in a push.
func TestDecodeNotifications(t *testing.T) {
	secret := auth.NewSecret([]byte("dm.example"), []byte("secret"))
	for i := range 100 {
		nonce := []byte{byte(i)}
		old := push.Notification{SessionID: uint16(i + 1), ServerID: "dm.example", ServerInitiated: true}
		now := push.Notification13{SessionID: uint16(i + 1), Options: []push.Option{
			{Number: push.OptionServerID, Value: []byte("dm.example")}, {Number: push.OptionTargetedMO, Value: []byte{7}}}}
		for _, c := range []struct {
			body  []byte
			kind  uint8
			first string
			says  string
		}{
			{old.Append(nil, &secret, nonce), push.TypeNotification, "DM notification, version 11", "server: dm.example"},
			{now.Append(nil, &secret, nonce), push.TypeNotification13, "DM 1.3 notification, version 13", "Targeted-MO: 7"},
		} {
			pushed := push.Push{TID: 1, ContentType: c.kind, AppID: push.AppDM, HasAppID: true, Body: c.body}
			for as, in := range map[string][]byte{"auto": c.body, "notification": c.body, "push": pushed.Append(nil)} {
				if got := decoded(t, as, in); !strings.Contains(got, c.first) || !strings.Contains(got, c.says) {
					t.Fatalf("as %s: %s\nwant %s", as, got, c.first)
				}
			}
			if got := decoded(t, "auto", pushed.Append(nil)); !strings.HasPrefix(got, "WSP push") {
				t.Fatalf("a push as %s", got)
			}
		}
	}
	var out bytes.Buffer
	if err := decodeText(&out, "notification", make([]byte, 30)); err == nil ||
		err.Error() != "notification: offset 16: version 0 (want 10 or 11)" {
		t.Error(err)
	}
}

// The bootstrap of the DM profile reads from the push down to the account.
func TestDecodeBootstrap(t *testing.T) {
	b := dmacc.Bootstrap{Account: cp.DMAccount{ServerID: "dm.example", Addr: "https://dm.example/dm"}}
	p, err := b.Push(push.UserPIN, push.Key{PIN: "1234"})
	if err != nil {
		t.Fatal(err)
	}
	text := decoded(t, "auto", p.Append(nil))
	for _, want := range []string{"application/vnd.syncml.dm+wbxml", "SEC: userpin", "<LocURI>./Inbox</LocURI>",
		"<Value>https://dm.example/dm</Value>"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func TestDecodeDocumentsBadInput(t *testing.T) {
	for _, c := range []struct{ as, in, want string }{
		{"tnds", "02016A0000026064760301", "wbxml: offset 9: inline string without its NUL"},
		{"tnds", "<MgmtTree><Node/>", "xml: offset 17: unexpected EOF"},
		{"devinf", "02A4036A004A2F01", "devinf: offset 6: unknown tag 0x2F on page 0"},
		{"auto", "02A4036A004A2F01", "devinf: offset 6: unknown tag 0x2F on page 0"},
		{"syncml", "02A4010500", "wbxml: offset 3: charset 5"},
	} {
		var out bytes.Buffer
		err := decodeText(&out, c.as, []byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) || out.Len() > 0 {
			t.Errorf("as %s: %v, want %s", c.as, err, c.want)
		}
	}
}
