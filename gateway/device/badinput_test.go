package device

import (
	"fmt"
	"strings"
	"testing"

	"dmgate/codec/syncml"
)

// Beginnings of messages. What comes after them is the content of SyncBody, at offset 8 and 28.
const (
	wbxmlHead = "\x02\xA4\x01\x6A\x00" + "\x6D\x2C\x6B"
	xmlHead   = "<SyncML><SyncHdr/><SyncBody>"
)

// badBodies are bodies that are no DM message, and what the device is told about each.
var badBodies = []struct {
	name string
	enc  syncml.Encoding
	body string
	want string
}{
	{"nothing", syncml.WBXML, "", "wbxml: offset 0: empty document"},
	{"nothing", syncml.XML, "", "xml: offset 0: document without a root element"},
	{"no document", syncml.WBXML, "hello", "wbxml: offset 0: version byte 0x68 (want 0x01 to 0x03)"},
	{"no document", syncml.XML, "hello", `xml: offset 0: text "hello" in front of the root element`},
	{"the other encoding", syncml.WBXML, xmlHead, "wbxml: offset 0: version byte 0x3C (want 0x01 to 0x03)"},
	{"the other encoding", syncml.XML, wbxmlHead,
		"xml: offset 0: text \"\\x02\\xa4\\x01j\\x00m,k\" in front of the root element"},
	{"another document", syncml.WBXML, "\x03\x0B\x6A\x00\x45\x01",
		"wbxml: offset 1: public identifier 0x0B is not SyncML"},
	{"another document", syncml.XML, "<html/>", "xml: offset 0: root element is html, not SyncML"},

	{"truncated", syncml.WBXML, wbxmlHead + "\x46\x4B", "wbxml: offset 10: document ends inside an element (depth 4)"},
	{"truncated", syncml.XML, xmlHead + "<Alert><CmdID>1", `xml: offset 43: document ends inside "CmdID"`},
	{"truncated string", syncml.WBXML, wbxmlHead + "\x46\x4B\x031", "wbxml: offset 10: inline string without its NUL"},
	{"truncated tag", syncml.XML, xmlHead + "<Al", "xml: offset 31: document ends in a tag"},
	{"half a message", syncml.WBXML, wbxmlHead[:6] + "\x2C\x01", "wbxml: offset 8: SyncML without SyncBody"},
	{"half a message", syncml.XML, "<SyncML><SyncHdr/></SyncML>", "xml: offset 27: SyncML without SyncBody"},
	{"more than a message", syncml.WBXML, wbxmlHead + "\x01\x01\x00\x00",
		"wbxml: offset 10: 2 bytes after the root element"},
	{"more than a message", syncml.XML, xmlHead + "</SyncBody></SyncML>..",
		"xml: offset 48: 2 bytes after the root element"},

	{"wrong length of the string table", syncml.WBXML, "\x02\xA4\x01\x6A\x05abc",
		"wbxml: offset 4: string table of 5 bytes, only 3 left"},
	{"string table index past its end", syncml.WBXML, "\x02\xA4\x01\x6A\x02ab\x6D\x2C\x6B\x46\x4B\x83\x02",
		"wbxml: offset 13: string table index 2 past its end (2)"},
	{"wrong opaque length", syncml.WBXML, wbxmlHead + "\x46\x4B\xC3\x051\x01\x01",
		"wbxml: offset 11: opaque data of 5 bytes, only 3 left"},
	{"length of 4 GB", syncml.WBXML, wbxmlHead + "\x46\x4B\xC3\x8F\xFF\xFF\xFF\x7F\x01",
		"wbxml: offset 11: opaque length 4294967295 is too large"},
	{"unknown code page", syncml.WBXML, wbxmlHead + "\x46\x00\x03\x45\x01", "wbxml: offset 11: code page 3 (want 0 to 2)"},
	{"unknown charset", syncml.WBXML, "\x02\xA4\x01\x87\x68\x00\x2D",
		"wbxml: offset 3: charset 1000 (want 106 for UTF-8, 3 for US-ASCII or 4 for ISO-8859-1)"},
	{"unknown encoding", syncml.XML, `<?xml version="1.0" encoding="UTF-7"?><SyncML/>`,
		`xml: offset 20: encoding "UTF-7" (want UTF-8, US-ASCII or ISO-8859-1)`},
	{"UTF-16", syncml.XML, "\xFF\xFE<\x00S\x00", "xml: offset 0: UTF-16 (want UTF-8)"},
	{"no command of DM", syncml.WBXML, wbxmlHead + "\x1F\x01\x01",
		"wbxml: offset 8: Put in SyncBody is no command of OMA DM"},
	{"no command of DM", syncml.XML, xmlHead + "<Put/>", "xml: offset 28: Put in SyncBody is no command of OMA DM"},
	{"wrong end tag", syncml.XML, xmlHead + "<Get></Alert>", `xml: offset 33: end tag "Alert", but "Get" is open`},

	{"a string told over and over", syncml.WBXML,
		"\x02\xA4\x01\x6A\x87\x68" + strings.Repeat("x", 1000) + "\x6D\x2C\x6B\x45\x55" + strings.Repeat("\x83\x00", 60) +
			"\x01\x01\x01\x01",
		"wbxml: offset 1048: text comes to more than 16 times the document"},
	{"entities told over and over", syncml.XML, `<!DOCTYPE x [<!ENTITY a "&a;&a;">]>` + xmlHead +
		"<Get><CmdID>&a;</CmdID>",
		`xml: offset 75: reference "&a;" is none of XML's own`},
	{"nested without end", syncml.WBXML, wbxmlHead + strings.Repeat("\x48", 1000),
		"wbxml: offset 14: elements nested deeper than 8"},
	{"nested without end", syncml.XML, xmlHead + strings.Repeat("<Atomic>", 1000),
		"xml: offset 76: elements nested deeper than 8"},
	{"too many items", syncml.WBXML, wbxmlHead + "\x45" + strings.Repeat("\x14", 5) + "\x01\x01\x01",
		"wbxml: offset 13: more than 4 items (limit Items)"},
	{"too many items", syncml.XML, xmlHead + "<Add>" + strings.Repeat("<Item/>", 5),
		"xml: offset 61: more than 4 items (limit Items)"},
	{"too many commands", syncml.WBXML, wbxmlHead + strings.Repeat("\x05", 17) + "\x01\x01",
		"wbxml: offset 24: more than 16 commands (limit Commands)"},
	{"too long a string", syncml.WBXML, wbxmlHead + "\x45\x4B\x03" + strings.Repeat("7", 65) + "\x00\x01\x01\x01\x01",
		"wbxml: offset 10: text longer than 64 bytes (limit String)"},
	{"too long a string", syncml.XML, xmlHead + "<Add><CmdID>" + strings.Repeat("7", 65) + "</CmdID>",
		"xml: offset 40: text longer than 64 bytes (limit String)"},
	{"too much data", syncml.WBXML, wbxmlHead + "\x45\x54\x4F\xC3\x81\x01" + strings.Repeat("7", 129) +
		"\x01\x01\x01\x01\x01",
		"wbxml: offset 11: text longer than 128 bytes (limit Data)"},
	{"number that is none", syncml.XML, "<SyncML><SyncHdr><Meta><MaxMsgSize>-1</MaxMsgSize>",
		`xml: offset 35: "-1" is no number`},
}

// tight are limits that the table's bodies exceed with little effort.
var tight = syncml.Limits{Depth: 8, Items: 4, Commands: 16, String: 64, Data: 128}

// A body that is no message gets 400 and is told where it goes wrong. The session that is open on the same connection
// goes on as if nothing had happened.
func TestBadBodies(t *testing.T) {
	r := newRig(t, Options{Limits: tight})
	d := r.register(1)
	p := r.phone(d)
	p.open(p.basic)
	for _, bad := range badBodies {
		t.Run(fmt.Sprintf("%v/%s", bad.enc, bad.name), func(t *testing.T) {
			contentType := typeWBXML
			if bad.enc == syncml.XML {
				contentType = typeXML
			}
			for _, path := range []string{Path, p.path} { // a stranger's, and in the name of the device
				got := p.line.post(path, contentType, []byte(bad.body))
				if got.status != 400 || string(got.body) != bad.want+"\n" {
					t.Errorf("status %d %q\nwant   400 %q", got.status, got.body, bad.want)
				}
			}
			p.goOn()
		})
	}
	if n, want := r.results(d), len(badBodies); n != want {
		t.Errorf("%d answers of the device are kept, want %d", n, want)
	}
}

// Every beginning of a good message is refused, none is taken for a message, and none harms the session.
func TestEveryTruncation(t *testing.T) {
	r := newRig(t, Options{})
	for i, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
		t.Run(enc.String(), func(t *testing.T) {
			d := r.register(i)
			p := r.phone(d)
			p.enc = enc
			p.open(p.basic)
			next := p.answers()
			for n := range next {
				got := p.line.post(p.path, p.contentType(), next[:n])
				if got.status != 400 || !strings.HasPrefix(string(got.body), enc.String()+": offset ") {
					t.Fatalf("cut to %d bytes: status %d %q", n, got.status, got.body)
				}
			}
			if n := r.results(d); n != 0 {
				t.Errorf("%d answers were taken from halves of a message", n)
			}
			p.post()
			p.expect(200)
			if n := r.results(d); n != 1 {
				t.Errorf("%d answers are kept of the whole message, want 1", n)
			}
		})
	}
}

// What is no DM request at all is told what one would be, on a connection that stays open.
func TestNoRequestForDevices(t *testing.T) {
	r := newRig(t, Options{})
	p := r.phone(r.register(1))
	p.open(p.basic)
	wbxml := "Content-Type: " + typeWBXML + "\r\n"
	for _, c := range []struct {
		method, path, header string
		status               int
		want                 string
	}{
		{"POST", "/", wbxml, 404, "devices post to /dm"},
		{"POST", "/dm/", wbxml, 404, "devices post to /dm"},
		{"POST", "/DM", wbxml, 404, "devices post to /dm"},
		{"POST", "/v1/devices", wbxml, 404, "devices post to /dm"},
		{"GET", "/dm", "", 405, "a DM message is a POST"},
		{"PUT", "/dm", wbxml, 405, "a DM message is a POST"},
		{"DELETE", "/dm?d=x", "", 405, "a DM message is a POST"},
		{"BREW", "/dm", wbxml, 405, "a DM message is a POST"},
		{"POST", "/dm", "", 415, "want Content-Type " + typeWBXML + " or " + typeXML},
		{"POST", "/dm", "Content-Type: text/xml\r\n", 415, "want Content-Type " + typeWBXML + " or " + typeXML},
		{"POST", "/dm", "Content-Type: application/vnd.syncml.dm+json\r\n", 415, "want Content-Type " + typeWBXML + " or " +
			typeXML},
		{"POST", "/dm", "Content-Type: ;\r\n", 415, "want Content-Type " + typeWBXML + " or " + typeXML},
	} {
		t.Run(c.method+" "+c.path+" "+strings.TrimSpace(c.header), func(t *testing.T) {
			got := p.line.request(c.method, c.path, c.header, []byte("x"))
			if got.status != c.status || string(got.body) != c.want+"\n" {
				t.Errorf("status %d %q\nwant   %d %q", got.status, got.body, c.status, c.want)
			}
			if c.status == 405 && got.header.Get("Allow") != "POST" {
				t.Errorf("Allow %q", got.header.Get("Allow"))
			}
			p.goOn()
		})
	}
}
