package syncml

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
)

// xmlItemDoc is an XML message with one Results that holds one Item with the given content.
func xmlItemDoc(content string) string {
	return `<SyncML><SyncHdr/><SyncBody><Results><CmdID>1</CmdID><Item>` + content +
		`</Item></Results></SyncBody></SyncML>`
}

func TestXMLContent(t *testing.T) {
	for _, c := range []struct {
		name, content, want string
		markup              bool
	}{
		{"text", `<Data>abc</Data>`, "abc", false},
		{"white space is kept", "<Data> a\r\n\tb </Data>", " a\r\n\tb ", false},
		{"white space alone", "<Data> \n</Data>", " \n", false},
		{"empty tag", `<Data/>`, "", false},
		{"empty element", `<Data></Data >`, "", false},
		{"entities", `<Data>&lt;a&gt; &amp; &quot;b&apos;</Data>`, `<a> & "b'`, false},
		{"references", `<Data>&#65;&#x42;&#x1F600;&#9;</Data>`, "AB\U0001F600\t", false},
		{"CDATA", `<Data><![CDATA[<a>&amp;]]></Data>`, "<a>&amp;", false},
		{"CDATA joined", `<Data>x<![CDATA[<]]]><![CDATA[]>]]>&amp;y</Data>`, "x<]]>&y", false},
		{"comments and instructions", `<Data>a<!-- <x> & -->b<?pi <x>?>c</Data>`, "abc", false},
		{"comment alone", `<Data><!----></Data>`, "", false},
		{"elements", `<Data><MgmtTree xmlns='syncml:dmddf1.2'><Node a="1>2"/>&amp;</MgmtTree></Data>`,
			`<MgmtTree xmlns='syncml:dmddf1.2'><Node a="1>2"/>&amp;</MgmtTree>`, true},
		{"elements and text", `<Data>&lt; <a/><![CDATA[<b>]]> </Data>`, `&lt; <a/><![CDATA[<b>]]> `, true},
		{"Data inside Data", `<Data><Data>x</Data></Data>`, `<Data>x</Data>`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := read(t, []byte(xmlItemDoc(c.content)), XML)
			it := &m.Commands[0].Items[0]
			if string(it.Data) != c.want || it.Data == nil || it.Markup != c.markup {
				t.Errorf("Data %q markup %v, want %q", it.Data, it.Markup, c.want)
			}
			same(t, read(t, m.Append(nil, XML), XML), m)
		})
	}
}

// The frame around the values: prolog, namespaces, quotes, white space, comments, elements DM does not use.
func TestXMLFrame(t *testing.T) {
	const doc = "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8' standalone=\"yes\"?>\n<!-- a -->" +
		`<!DOCTYPE SyncML PUBLIC "-//SYNCML//DTD SyncML 1.1//EN" "x.dtd" [<!ENTITY e "]>"> <!-- ' ]> --> <?p ]> ?> ]>` +
		"\r\n<s:SyncML\txmlns:s = 'SYNCML:SYNCML1.1' ><s:SyncHdr>\n<!-- b -->" +
		`<?p?><s:Cred><m:Meta xmlns:m="syncml:metinf"><m:MetInf><m:Type >t&#x21;</m:Type></m:MetInf>` +
		`<m:EMI><x y='"'/></m:EMI></m:Meta><Data>d</Data></s:Cred>` +
		`<s:MsgID> 12 </s:MsgID><Vendor a='1'>t<b>u</b><![CDATA[<]]></Vendor></s:SyncHdr>` +
		`<s:SyncBody><s:Get><s:Lang>en</s:Lang><s:CmdID><![CDATA[ 3]]> </s:CmdID></s:Get><s:Final/></s:SyncBody>` +
		"</s:SyncML >\n<!-- c --><?p?>\n"
	m := read(t, []byte(doc), XML)
	want := &Message{Style: Style{Version: V11}, Final: true}
	want.Header.MsgID = []byte("12")
	want.Header.Cred = Cred{Meta: Meta{Type: []byte("t!")}, Data: []byte("d")}
	want.AddCommand(Get).CmdID = []byte("3")
	same(t, m, want)
}

// White space that a pretty-printer put around a value is none of it, save where it could be.
func TestPretty(t *testing.T) {
	doc := "<SyncML><SyncHdr><VerDTD> 1.2 </VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>2</MsgID>" +
		"<Target><LocURI>IMEI:1</LocURI><LocName>me</LocName></Target><Source><LocURI>http://s</LocURI></Source>" +
		"<RespURI>http://r</RespURI><Cred><Meta><Format>b64</Format><Type>syncml:auth-md5</Type></Meta><Data>x</Data></Cred>" +
		"</SyncHdr><SyncBody><Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd>" +
		"<TargetRef>http://s</TargetRef><SourceRef>IMEI:1</SourceRef><Chal><Meta><NextNonce>bm8=</NextNonce></Meta></Chal>" +
		"<Data>200</Data></Status><Alert><CmdID>2</CmdID><Data>1226</Data><Correlator>c</Correlator><Item><Source>" +
		"<LocURI>./X</LocURI></Source><Meta><Format>chr</Format><Type>t</Type><Mark>m</Mark><Size>1</Size></Meta>" +
		"<Data>x</Data></Item></Alert></SyncBody></SyncML>"
	want := read(t, []byte(doc), XML)
	pretty := regexp.MustCompile(`>([^<]+)<`).ReplaceAllString(doc, ">\r\n\t $1 \n<")
	got := read(t, []byte(pretty), XML)
	item := &got.Commands[1].Items[0]
	for _, v := range []*[]byte{&got.Header.Target.Name, &got.Header.Cred.Data, &got.Commands[0].Chal.NextNonce,
		&got.Commands[1].Correlator, &item.Meta.Mark, &item.Data} {
		if string(*v) == string(trim(*v)) {
			t.Errorf("%q was trimmed", *v)
		}
		*v = trim(*v)
	}
	same(t, got, want)
}

// The version of an XML message is that of its root's namespace, else what VerDTD says.
func TestXMLVersion(t *testing.T) {
	for _, c := range []struct {
		attrs, verDTD string
		want          Version
	}{
		{``, "1.2", V12}, {``, "1.1", V11}, {``, "", V12},
		{`xmlns="SYNCML:SYNCML1.2"`, "1.1", V12}, {`xmlns="SYNCML:SYNCML1.1"`, "1.2", V11},
		{`xmlns="syncml:syncml1.0"`, "", V11}, {`xmlns="urn:x"`, "1.1", V11},
		{`xmlns="SYNCML:SYNCML1.1" a="SYNCML:SYNCML1.2"`, "1.2", V11},
		{`xmlns="SYNCML:SYNCML1.1" xmlns:s="SYNCML:SYNCML1.2"`, "1.2", V11}, {`xmlnsx="SYNCML:SYNCML1.1"`, "1.2", V12},
		{`xmlns:="SYNCML:SYNCML1.1"`, "1.2", V12},
	} {
		doc := "<SyncML " + c.attrs + "><SyncHdr><VerDTD>\n" + c.verDTD + "\n</VerDTD></SyncHdr><SyncBody/></SyncML>"
		if m := read(t, []byte(doc), XML); m.Style.Version != c.want {
			t.Errorf("%s: version %d, want %d", doc, m.Style.Version, c.want)
		}
	}
	for _, c := range []struct {
		attrs string
		want  Version
	}{
		{`xmlns:s="SYNCML:SYNCML1.1" xmlns="SYNCML:SYNCML1.2"`, V11}, {`xmlns="SYNCML:SYNCML1.2" xmlns:s='SYNCML:SYNCML1.1'`, V11},
		{`xmlns:t="SYNCML:SYNCML1.1"`, V12}, {`xmlns="SYNCML:SYNCML1.1"`, V12}, {`xmlns:ss="SYNCML:SYNCML1.1"`, V12},
		{`s:xmlns="SYNCML:SYNCML1.1"`, V12},
	} {
		doc := "<s:SyncML " + c.attrs + "><SyncHdr/><SyncBody/></s:SyncML>"
		if m := read(t, []byte(doc), XML); m.Style.Version != c.want {
			t.Errorf("%s: version %d, want %d", doc, m.Style.Version, c.want)
		}
	}
}

// XML carries bytes that are no text as base64, and says so.
func TestBinaryInXML(t *testing.T) {
	for _, c := range []struct {
		meta Meta
		data string
		want string
	}{
		{Meta{Format: []byte("bin"), Size: 3}, "\x00\x01\xFF",
			`<Meta><Format xmlns="syncml:metinf">b64</Format><Size xmlns="syncml:metinf">4</Size></Meta><Data>AAH/</Data>`},
		{Meta{Format: []byte("bin"), Size: 99}, "text",
			`<Meta><Format xmlns="syncml:metinf">b64</Format><Size xmlns="syncml:metinf">99</Size></Meta><Data>dGV4dA==</Data>`},
		{Meta{}, "a\x01", `<Meta><Format xmlns="syncml:metinf">b64</Format></Meta><Data>YQE=</Data>`},
		{Meta{}, "\xC3\x28", `<Meta><Format xmlns="syncml:metinf">b64</Format></Meta><Data>wyg=</Data>`},
		{Meta{Format: []byte("bin")}, "", `<Meta><Format xmlns="syncml:metinf">bin</Format></Meta><Data/>`},
		{Meta{}, "\u00e9\U0001F600", "<Data>\u00e9\U0001F600</Data>"},
	} {
		var m Message
		m.AddCommand(Add)
		it := m.AddItem()
		it.Meta, it.Data = c.meta, []byte(c.data)
		if doc := string(m.Append(nil, XML)); !strings.Contains(doc, "<Item>"+c.want+"</Item>") {
			t.Errorf("%q in\n%s\nwant %s", c.data, doc, c.want)
		}
		// WBXML carries them as they are.
		got := read(t, m.Append(nil, WBXML), WBXML).Commands[0].Items[0]
		if string(got.Data) != c.data || string(got.Meta.Format) != string(c.meta.Format) || got.Meta.Size != c.meta.Size {
			t.Errorf("%q through WBXML became %q, %+v", c.data, got.Data, got.Meta)
		}
	}
	var m Message
	m.Header.Cred.Data = []byte("\x00\x01")
	if doc := string(m.Append(nil, XML)); !strings.Contains(doc, `b64</Format></Meta><Data>AAE=</Data></Cred>`) {
		t.Errorf("raw digest as\n%s", doc)
	}
}

// The Format of an Item is that of its command unless it has its own.
func TestFormatOfCommand(t *testing.T) {
	const b64 = `<Meta><Format xmlns="syncml:metinf">b64</Format></Meta><Data>YWI=</Data>`
	for _, c := range []struct{ command, item, data, xml, wbxml string }{
		{"bin", "", "ab", b64, "4F C3 02 'ab' 01"},
		{"bin", "chr", "ab", `<Meta><Format xmlns="syncml:metinf">chr</Format></Meta><Data>ab</Data>`, "4F 03 'ab' 00 01"},
		{"chr", "bin", "ab", b64, "4F C3 02 'ab' 01"},
		{"chr", "", "ab", `<Data>ab</Data>`, "4F 03 'ab' 00 01"},
		{"b64", "", "YWI=", `<Data>YWI=</Data>`, "4F 03 'YWI=' 00 01"},
		{"bin", "", "", `<Data/>`, "0F"},
	} {
		var m Message
		cmd := m.AddCommand(Results)
		cmd.Meta.Format = []byte(c.command)
		it := m.AddItem()
		it.Meta.Format, it.Data = []byte(c.item), []byte(c.data)
		if doc := string(m.Append(nil, XML)); !strings.Contains(doc, "<Item>"+c.xml+"</Item>") {
			t.Errorf("%+v as\n%s", c, doc)
		}
		if doc := string(m.Append(nil, WBXML)); !strings.Contains(doc, string(wire(t, c.wbxml+"01"))) {
			t.Errorf("%+v as\n% X", c, doc)
		}
	}
}

// Chunks of a large object that were cut from its base64 join to it, however the cut falls.
func TestChunks(t *testing.T) {
	object := []byte("\x00\x01\x02 a large object \xFF")
	var m Message
	whole := m.Base64(object)
	size, joined := len(whole), []byte(nil)
	for cut := 7; len(whole) > 0; whole = whole[cut:] {
		cut = min(cut, len(whole))
		var chunk Message
		chunk.AddCommand(Replace)
		it := chunk.AddItem()
		it.Meta = Meta{Format: []byte("b64"), Size: size}
		it.Data, it.MoreData = whole[:cut], cut < len(whole)
		got := read(t, chunk.Append(nil, XML), XML).Commands[0].Items[0]
		if joined = append(joined, got.Data...); got.Meta.Size != size || got.MoreData != (cut < len(whole)) {
			t.Errorf("%+v", got)
		}
	}
	if got, err := base64.StdEncoding.DecodeString(string(joined)); err != nil || string(got) != string(object) {
		t.Errorf("%v %q", err, got)
	}
}

// Of what XML can not hold, a replacement character is left where base64 has no place.
func TestTextInXML(t *testing.T) {
	for in, want := range map[string]string{
		`a<b>&"'`:           `a&lt;b&gt;&amp;"'`,
		"\x00a\x1Fb":        "\uFFFDa\uFFFDb",
		"\xFF\xC3\xA9":      "\uFFFD\u00e9",
		"\uFFFD\uFFFE":      "\uFFFD\uFFFD",
		"\t\r\n]]>":         "\t\r\n]]&gt;",
		"\xED\xA0\x80":      "\uFFFD\uFFFD\uFFFD", // a surrogate
		"plain \U0010FFFD.": "plain \U0010FFFD.",
	} {
		if got := string(appendText(nil, []byte(in))); got != want {
			t.Errorf("%q as %q, want %q", in, got, want)
		}
		if got := isText([]byte(in)); got != !strings.Contains(want, "\uFFFD") {
			t.Errorf("isText(%q) = %v", in, got)
		}
	}
}

// Markup, which WBXML has no tokens for in general, travels there as its text.
func TestMarkupToWBXML(t *testing.T) {
	m := read(t, []byte(xmlItemDoc(`<Data><MgmtTree/></Data>`)), XML)
	it := &read(t, m.Append(nil, WBXML), WBXML).Commands[0].Items[0]
	if string(it.Data) != "<MgmtTree/>" || it.Markup {
		t.Errorf("Data %q markup %v", it.Data, it.Markup)
	}
}

// A member whose Atomic is missing, and a zero Command, do not upset the writer.
func TestOddDepths(t *testing.T) {
	m := Message{Commands: []Command{{Kind: Get, Depth: 2}, {}, {Kind: Atomic, Depth: 1}, {Kind: Add, Depth: 9},
		{Kind: Exec, Depth: 2}, {Kind: Alert}, {Kind: 200}}}
	const want = `<SyncBody><Get><CmdID/></Get><Atomic><CmdID/><Add><CmdID/></Add><Exec><CmdID/></Exec></Atomic>` +
		`<Alert><CmdID/></Alert></SyncBody>`
	if doc := string(m.Append(nil, XML)); !strings.Contains(doc, want) {
		t.Error(doc)
	}
	got := read(t, m.Append(nil, WBXML), WBXML)
	var depths []uint8
	for _, c := range got.Commands {
		depths = append(depths, c.Depth)
	}
	if string(depths) != "\x00\x00\x01\x01\x00" {
		t.Error(depths)
	}
}

func TestGuessEncoding(t *testing.T) {
	for doc, want := range map[string]struct {
		enc Encoding
		ok  bool
	}{
		"\x02\xA4\x01": {WBXML, true}, "\x03": {WBXML, true}, " \n<x/>": {XML, true}, "<": {XML, true},
		"\xEF\xBB\xBF<x/>": {XML, true}, "\xFF\xFE<\x00": {XML, true}, "": {WBXML, false}, "hello": {WBXML, false},
		"\x00": {WBXML, false}, "\x04": {WBXML, false}, "  ": {WBXML, false},
	} {
		if enc, ok := GuessEncoding([]byte(doc)); enc != want.enc || ok != want.ok {
			t.Errorf("%q: %v %v, want %v", doc, enc, ok, want)
		}
	}
}
