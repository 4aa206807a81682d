package push

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dmgate/codec/cp"
	"dmgate/codec/internal/oracle"

	"pgregory.net/rapid"
)

// dissect has tshark take frames apart, RP-DATA each, and returns what it prints of each.
func dissect(t *testing.T, frames [][]byte) []string {
	t.Helper()
	text2pcap, tshark := oracle.Need(t, "text2pcap"), oracle.Need(t, "tshark")
	var dump strings.Builder
	for _, f := range frames {
		fmt.Fprintf(&dump, "0000 % x\n", f)
	}
	dir := t.TempDir()
	in, pcap := filepath.Join(dir, "rp.txt"), filepath.Join(dir, "rp.pcap")
	if err := os.WriteFile(in, []byte(dump.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	oracle.Run(t, nil, text2pcap, "-q", "-l", "147", in, pcap)
	out := oracle.Run(t, nil, tshark, "-r", pcap, "-V", "-o",
		`uat:user_dlts:"User 0 (DLT=147)","gsm_a_rp","0","","0",""`)
	parts := regexp.MustCompile(`(?m)^Frame \d+: `).Split(string(out), -1)[1:]
	if len(parts) != len(frames) {
		t.Fatalf("%d frames of %d", len(parts), len(frames))
	}
	return parts
}

// A TPDU in the RP-DATA that carries it, from phone to network and from network to phone.
func rpToNetwork(tpdu []byte) []byte {
	b := AppendSMSC([]byte{0x00, 1, 0}, "+491710760000")
	return append(append(b, byte(len(tpdu))), tpdu...)
}

func rpToPhone(tpdu []byte) []byte {
	b := AppendSMSC([]byte{0x01, 1}, "+491710760000")
	return append(append(b, 0, byte(len(tpdu))), tpdu...)
}

// contains checks that lines stand in dissection, in this order.
func contains(t *testing.T, dissection string, lines ...string) {
	t.Helper()
	left := dissection
	for _, line := range lines {
		i := strings.Index(left, line)
		if i < 0 {
			t.Errorf("no %q where it should be in\n%s", line, dissection)
			return
		}
		left = left[i+len(line):]
	}
}

// A segment of each kind, read line by line.
func TestTsharkReadsTPDUs(t *testing.T) {
	uds, err := Split(make([]byte, 200), Ports{PortPush, PortWSP}, 7)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 8, 1, 12, 34, 56, 0, cest)
	submit := Submit{Destination: "+491701234567", UD: uds[1], HasUDH: true, DCS: DCSClass1, Report: true,
		Validity: 0xA7, HasValidity: true}
	deliver := Deliver{Originator: "12345", UD: []byte("x"), DCS: DCS8Bit, SCTS: at}
	named := Deliver{Originator: "T-Mobil", UD: []byte("x"), DCS: DCS8Bit, SCTS: at.In(nst), MoreMessages: true}
	report := StatusReport{Reference: 42, Recipient: "+491701234567", SCTS: at, Discharge: at.Add(time.Minute),
		Status: 0x46}
	got := dissect(t, [][]byte{rpToNetwork(submit.Append(nil)), rpToPhone(deliver.Append(nil)),
		rpToPhone(named.Append(nil)),
		rpToPhone(report.Append(nil))})
	contains(t, got[0],
		"RP-Destination Address - (491710760000)",
		"TP-UDHI: The beginning of the TP UD field contains a Header",
		"TP-SRR: A status report is requested",
		"TP-VPF: TP-VP field present - relative format",
		"TP-MTI: SMS-SUBMIT",
		"TP-MR: 0",
		"Type of number: International",
		"TP-DA Digits: 491701234567",
		"Message coding: 8 bit data",
		"Message Class: Class 1",
		"TP-Validity-Period: 24 hours 0 minutes",
		"TP-User-Data-Length: (84)",
		"User Data Header Length: 11",
		"Destination port", "(2948)",
		"Originator port", "(9200)",
		"Message identifier: 7",
		"Message parts: 2",
		"Message part number: 2")
	contains(t, got[1],
		"TP-SRI: A status report shall not be returned",
		"TP-MMS: No more messages are waiting",
		"TP-MTI: SMS-DELIVER",
		"Type of number: Unknown",
		"TP-OA Digits: 12345",
		"Year: 24", "Month: 8", "Day: 1", "Hour: 12", "Minutes: 34", "Seconds: 56", "GMT + 2 hours 0 minutes",
		"TP-User-Data-Length: (1)")
	contains(t, got[2], "TP-MMS: More messages are waiting", "Type of number: Alphanumeric", "T-Mobil",
		"Hour: 7", "Minutes: 4", "GMT - 3 hours 30 minutes")
	contains(t, got[3], "SMS-STATUS REPORT", "TP-MR: 42", "TP-RA Digits: 491701234567", "Minutes: 34", "Minutes: 35",
		"SM Validity Period Expired")
}

// Concatenated pushes, down to the WSP headers and, for settings, every name and value of the document.
func TestTsharkReadsPushes(t *testing.T) {
	type message struct {
		push Push
		doc  *cp.Tree
	}
	var messages []message
	for seed := range 40 {
		doc := rapid.Custom(genSettings).Example(seed).Tree()
		p := Push{TID: uint8(seed), ContentType: TypeConnectivityWBXML, Signed: true, SEC: SEC(seed % 4),
			Body: doc.AppendWBXML(nil)}
		if seed%5 == 4 {
			p.AppID, p.HasAppID = AppSyncML, true
		}
		var err error
		if p.MAC, err = MAC(p.SEC, Key{IMSI: vectorIMSI, PIN: "1234"}, p.Body); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, message{p, doc})
	}
	note := Notification{UIMode: UIBackground, ServerInitiated: true, SessionID: 0x1234, ServerID: "com.mgmtsrv.manage"}
	messages = append(messages,
		message{push: Push{TID: 1, ContentType: TypeNotification, HasAppID: true, AppID: AppDM, Body: note.Append(nil,
			nil, nil)}},
		message{push: Push{ContentType: TypeX509CACert, Body: make([]byte, 700)}},
		message{push: Push{ContentType: TypeX509CACert, Signed: true, SEC: NetwPIN, MAC: strings.Repeat("A", 40),
			Body: make([]byte, 700)}},
		message{push: Push{TypeName: "application/x-unheard-of", Body: make([]byte, 300)}})

	var frames [][]byte
	var last []int // frame in which each message is complete
	for i, m := range messages {
		uds, err := Split(m.push.Append(nil), Ports{PortPush, PortWSP}, uint8(i))
		if err != nil {
			t.Fatal(err)
		}
		for _, ud := range uds {
			d := Deliver{Originator: "+491701234567", UD: ud, HasUDH: true, DCS: DCSClass1}
			frames = append(frames, rpToPhone(d.Append(nil)))
		}
		last = append(last, len(frames)-1)
	}
	got := dissect(t, frames)
	for i, m := range messages {
		lines := []string{fmt.Sprintf("Transaction ID: 0x%02x", m.push.TID), "PDU Type: Push (0x06)"}
		contentType := "Content-Type: " + m.push.Type()
		if m.push.Signed {
			contentType += "; SEC=" + strings.ToUpper(m.push.SEC.String())
		}
		if m.push.MAC != "" {
			contentType += "; MAC=" + m.push.MAC
		}
		lines = append(lines, contentType+"\n")
		if m.push.HasAppID { // of one byte: it takes the length of a longer one for the number
			app := map[uint16]string{AppDM: "syncml.dm", AppSyncML: "push.syncml"}[m.push.AppID]
			lines = append(lines, "X-Wap-Application-Id: x-wap-application:"+app+"\n")
		}
		if m.doc != nil {
			lines = append(lines, "-//WAPFORUM//DTD PROV 1.0//EN", "Character Set: UTF-8 (106)")
		}
		contains(t, got[last[i]], lines...)
		if m.doc == nil {
			continue
		}
		if have, want := rendered(got[last[i]]), names(m.doc.Roots); strings.Join(have, "\n") != strings.Join(want,
			"\n") {
			t.Errorf("message %d\ngot  %q\nwant %q", i, have, want)
		}
	}
}

// genSettings makes documents of the kind we send, in text that tshark prints as it is.
func genSettings(t *rapid.T) *cp.Document {
	text := func(label string) string { return rapid.StringMatching(`[a-zA-Z0-9:/.-]{1,20}`).Draw(t, label) }
	d := &cp.Document{
		NAPDefs: []cp.NAPDef{{
			ID: text("id"), Name: text("name"), APN: text("apn"),
			Internet: rapid.Bool().Draw(t, "internet"),
			Extra:    []cp.Parm{cp.Value("DNS-ADDR", text("dns"))},
		}},
		Accounts: []cp.DMAccount{{
			ServerID: text("server"), Name: text("name"), Addr: "https://" + text("addr"), ToNAPID: text("napid"),
			Device: cp.Login{Name: text("user"), Secret: text("secret"), Nonce: text("nonce")},
			Server: cp.Login{Name: text("user"), Secret: text("secret"), Nonce: text("nonce")},
			Init:   rapid.Bool().Draw(t, "init"),
		}},
	}
	if rapid.Bool().Draw(t, "proxy") {
		d.Proxies = []cp.PXLogical{{
			ID: text("proxy"), StartPage: "http://" + text("page"), Domains: []string{text("domain")},
			Auth: &cp.Login{Type: "HTTP-BASIC", Name: text("user"), Secret: text("secret")},
			Hosts: []cp.PXPhysical{{
				ID: text("host"), Addr: "10.0.0.1", IPv4: true, ToNAPID: d.NAPDefs[0].ID,
				Ports: []cp.Port{{Number: 9201, Service: "CO-WSP"}},
			}},
		}}
	}
	if rapid.Bool().Draw(t, "auth") {
		d.NAPDefs[0].Auth = &cp.Login{Type: rapid.SampledFrom([]string{"PAP", "CHAP"}).Draw(t, "type"),
			Name: text("user"), Secret: text("secret")}
	}
	return d
}

// names are all types, names and values of a document in the order they stand in.
func names(cs []cp.Characteristic) (out []string) {
	parms := func(ps []cp.Parm) {
		for _, p := range ps {
			out = append(out, p.Name)
			if p.HasValue {
				out = append(out, p.Value)
			}
		}
	}
	for _, c := range cs {
		out = append(out, c.Type)
		parms(c.Parms)
		out = append(out, names(c.Children)...)
		parms(c.Tail)
	}
	return out
}

// rendered are the same as tshark shows them: name='X', type='X' or 'X' at the end of a line of its table. It knows
// no name= and value= on page 1, which are then missing from the table but not from the document.
func rendered(dissection string) (out []string) {
	line := regexp.MustCompile(`(?m)^.*\| A +\d .*\| +(?:name=|type=)?'([^']*)'$`)
	for _, m := range line.FindAllStringSubmatch(dissection, -1) {
		out = append(out, m[1])
	}
	if len(out) > 0 && out[0] == "1.0" {
		return out[1:]
	}
	return out
}

// Texts of both alphabets: of each segment what it says by itself, of the last what all of them say.
func TestTsharkReadsTexts(t *testing.T) {
	link := "http://dm.example.com/t/abcdefghijklmnopqrstuvwxyz"
	texts := []string{
		"Mail 1.10: " + link,
		"@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà^{}\\[~]|€",
		"Почта: " + link,
		strings.Repeat("a text that is longer than one segment, ", 6) + link + " and goes on",
		strings.Repeat("длинный текст ", 12) + link,
		strings.Repeat("[€]", 60),
	}
	var frames [][]byte
	var want []struct{ text, coding, segment string }
	for ref, text := range texts {
		segments, dcs, err := SplitText(text, uint8(ref))
		if err != nil {
			t.Fatal(err)
		}
		for i := range segments {
			s := Submit{
				Destination: "+491701234567", DCS: dcs, UD: segments[i].UD, Septets: segments[i].Septets, HasUDH: segments[i].HasUDH,
			}
			if err := s.Validate(); err != nil {
				t.Fatal(err)
			}
			frames = append(frames, rpToNetwork(s.Append(nil)))
			part, _ := textOf(t, &segments[i], dcs)
			w := struct{ text, coding, segment string }{text: part, coding: "TP-DCS: 0"}
			if dcs == DCSUCS2 {
				w.coding = "TP-DCS: 8"
			}
			if n := len(segments); n > 1 {
				w.segment = fmt.Sprintf("Message part number: %d\n", i+1)
				if i == n-1 {
					w.text = text
				}
			}
			want = append(want, w)
		}
	}
	shown := regexp.MustCompile(`(?m)^ *SMS text: (.*)$`)
	for i, got := range dissect(t, frames) {
		text := ""
		for _, m := range shown.FindAllStringSubmatch(got, -1) {
			text += m[1]
		}
		if text != want[i].text {
			t.Errorf("frame %d: %q, want %q", i, text, want[i].text)
		}
		contains(t, got, "TP-MTI: SMS-SUBMIT", want[i].coding)
		if s := want[i].segment; s != "" {
			contains(t, got, "User Data Header Length: 5", "Concatenated short messages, 8-bit reference number", s)
		}
	}
}
