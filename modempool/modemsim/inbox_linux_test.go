package modemsim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dmgate/codec/push"
)

// Who a modem and its SIM say they are; another SIM is another.
func TestIdentity(t *testing.T) {
	b, c := plugIn(t, Options{Character: plain(Character{Silent: true})})
	id := b.Identity(0)
	if want := (Identity{"490154200000000", "262010000000000", "8949020000000000006"}); id != want {
		t.Errorf("identity %+v, want %+v", id, want)
	}
	c.chat(
		"AT+CGSN\r", "\r\n490154200000000\r\n\r\nOK\r\n",
		"AT+CIMI\r", "\r\n262010000000000\r\n\r\nOK\r\n",
		"AT+CCID\r", "\r\n+CCID: \"8949020000000000006\"\r\n\r\nOK\r\n",
		"AT^ICCID?\r", "\r\nERROR\r\n",
		"AT+CGMI;+CGMM;+CGMR\r", "\r\nmodemsim\r\n\r\n1\r\n\r\n1.0\r\n\r\nOK\r\n",
		"AT+COPS?\r", "\r\n+COPS: 0,0,\"Testnet\"\r\n",
		"AT+COPS=3,2\r", "OK", "AT+COPS?\r", "\r\n+COPS: 0,2,\"26201\"\r\n",
		"AT^CURC=0\r", "\r\nERROR\r\n",
	)
	if imei := luhn("49015420323751"); imei != "490154203237518" { // the example of 3GPP TS 23.003
		t.Errorf("checked as %s", imei)
	}
	b.SwapSIM(0)
	c.chat("AT+CIMI\r", "\r\n262010000000001\r\n", "AT+CCID\r", "\"8949020000000000014\"", "AT+CGSN\r", "490154200000000")
	_, c = plugIn(t, Options{Character: plain(Character{Maker: "huawei", ICCIDQuery: "^ICCID?",
		IMEIFormat: `+CGSN: "%s"`, LTEOnly: true})})
	c.chat(
		"ATE0\r", "OK",
		"AT^ICCID?\r", "\r\n^ICCID: 8949020000000000006F\r\n",
		"AT+CGSN\r", "\r\n+CGSN: \"490154200000000\"\r\n",
		"AT^CURC=0\r", "OK", "AT^CURC?\r", "^CURC: 0",
		"AT+CREG?\r", "+CREG: 0,0", "AT+CEREG=2\r", "OK", "AT+CEREG?\r", `+CEREG: 2,1,"00C3","A1B2",7`,
	)
}

// An SMS comes in as AT+CNMI has it.
func TestReceive(t *testing.T) {
	sms := push.Deliver{Originator: "+491701234567", DCS: push.DCS8Bit, UD: []byte("hello"), SCTS: date}
	hex := fmt.Sprintf("%X", sms.Append(nil))
	tpdu := len(hex) / 2
	for _, test := range []struct{ setting, want string }{
		{"AT+CNMI=2,1,0,0,0", "\r\n+CMTI: \"SM\",0\r\n"},
		{"AT+CNMI=2,2,0,0,0", fmt.Sprintf("\r\n+CMT: ,%d\r\n07919471016700F0%s\r\n", tpdu, hex)},
		{"AT+CNMI=2,3,0,0,0", "\r\n+CMTI: \"SM\",0\r\n"},
		{"AT+CPMS=\"ME\",\"ME\",\"ME\";+CNMI=1,1", "\r\n+CMTI: \"ME\",0\r\n"},
		{"AT+CMGF=1;+CNMI=2,2", "\r\n+CMT: \"+491701234567\",,\"26/01/02,03:04:05+04\"\r\n68656C6C6F\r\n"},
	} {
		b, c := plugIn(t, Options{Character: plain(Character{Silent: true})})
		c.chat("AT+CMGF=0\r", "OK", test.setting+"\r", "OK\r\n")
		if err := b.Receive(0, sms); err != nil {
			t.Fatal(err)
		}
		c.expect(test.want)
		if c.text != "" {
			t.Errorf("%s: and %q", test.setting, c.text)
		}
	}
	b, _ := plugIn(t, Options{Character: plain(Character{})})
	if err := b.Receive(0, push.Deliver{Originator: "a name that is too long"}); err == nil {
		t.Error("an SMS from nobody")
	}
}

// The inbox: what lies there is listed, read and deleted; what does not fit waits with the network.
func TestInbox(t *testing.T) {
	report := (&push.StatusReport{Reference: 7, Recipient: "+49171", SCTS: date, Discharge: date}).Append(nil)
	inbox := [][]byte{tpdu(Text("+49171", "Hello")), report}
	b, c := plugIn(t, Options{Character: plain(Character{Silent: true, Inbox: inbox, Slots: 3, FirstSlot: 1})})
	first := fmt.Sprintf("07919471016700F0%X", inbox[0])
	second := fmt.Sprintf("07919471016700F0%X", report)
	c.chat(
		"AT+CMGF=0\r", "OK",
		"AT+CPMS?\r", `+CPMS: "SM",2,3,"SM",2,3,"SM",2,3`,
		"AT+CMGL\r", fmt.Sprintf("\r\n+CMGL: 1,0,,%d\r\n%s\r\n\r\n+CMGL: 2,0,,%d\r\n%s\r\n\r\nOK\r\n",
			len(inbox[0]), first, len(report), second),
		"AT+CMGL=0\r", "\r\nOK\r\n",
		"AT+CMGR=1\r", fmt.Sprintf("\r\n+CMGR: 1,,%d\r\n%s\r\n\r\nOK\r\n", len(inbox[0]), first),
		"AT+CMGR=3\r", "+CMS ERROR: 321", "AT+CMGD=0\r", "+CMS ERROR: 321", "AT+CMGL=\"ALL\"\r", "+CMS ERROR: 305",
		"AT+CMGF=1\r", "OK", "AT+CMGL=4\r", "+CMS ERROR: 305",
		"AT+CMGL=\"ALL\"\r", "+CMGL: 1,\"REC READ\",\"+49171\",,", "", "\r\nC8329BFD06\r\n", "", "OK\r\n",
		"AT+CMGF=0\r", "OK",
		"AT+CNMI=2,1\r", "OK",
	)
	for range 2 {
		b.ReceiveTPDU(0, tpdu(Text("+49171", "more")))
	}
	c.chat("", "\r\n+CMTI: \"SM\",3\r\n", "AT+CMGD=1\r", "OK", "", "\r\n+CMTI: \"SM\",1\r\n")
	c.chat("AT+CMGD=1,1\r", "OK", "AT+CPMS=\"SM\"\r", "+CPMS: 2,3,2,3,2,3\r\n\r\nOK", "AT+CMGD=1,4\r", "OK")
	if left := b.Inbox(0); len(left) != 0 || b.Waiting(0) != 0 {
		t.Errorf("left %X, %d wait", left, b.Waiting(0))
	}
	full := slices.Repeat([][]byte{tpdu(Binary("+49171", []byte{1, 2, 3}))}, 101)
	_, c = plugIn(t, Options{Character: plain(Character{Silent: true, Inbox: full})})
	c.chat("AT+CMGF=0\r", "OK", "AT+CPMS?\r", `"SM",101,101`, "AT+CMGL=4\r", "+CMGL: 100,", "", "OK\r\n")
	if n := strings.Count(c.all, "+CMGL:"); n != 101 {
		t.Errorf("%d listed", n)
	}
}

// Reports that AT+CNMI has stored are announced by +CDSI and read like SMS.
func TestStoredReports(t *testing.T) {
	_, c := plugIn(t, Options{Character: plain(Character{Silent: true})})
	n, text := pdu(sms)
	c.chat("AT+CMGF=0\r", "OK", "AT+CNMI=2,1,0,2\r", "OK", fmt.Sprintf("AT+CMGS=%d\r", n), "> ", text, "+CMGS")
	c.await("\r\n+CDSI: \"SM\",0\r\n", 1)
	c.chat("AT+CMGR=0\r", "+CMGR: 0,,25\r\n07919471016700F006")
}

// AT+CFUN=1,1 restarts the modem, on its line or under another pty.
func TestReboot(t *testing.T) {
	b, c := plugIn(t, Options{Character: plain(Character{PIN: "1234", Greeting: "\r\nRDY\r\n"})})
	c.chat("", "\r\nRDY\r\n", "ATE0\r", "OK", "AT+CPIN=1234;+CMGF=0\r", "OK", "AT+CFUN=1,1\r", "\r\nOK\r\n\r\nRDY\r\n",
		"AT+CPIN?\r", "AT+CPIN?\r\r\n+CPIN: SIM PIN\r\n")
	if n := b.Counts()[0].Reboots; n != 1 {
		t.Errorf("%d reboots", n)
	}
	b, c = plugIn(t, Options{Character: plain(Character{RebootDrops: true, Ports: []Role{Answers, Mute}})})
	was := c.port.Name()
	c.chat("ATE0\r", "OK", "AT+CFUN=1,1\r", "")
	c.ends()
	eventually(t, "its return", func() bool { return b.Usage(0).Gone > 0 && len(glob(b.dir, "modem0")) == 1 })
	if was != b.Paths()[0] {
		t.Errorf("comes back as %s", b.Paths()[0])
	}
	dial(t, b.Paths()[0]).chat("AT\r", "AT\r\r\nOK")
}

// A modem of several ports, and one that comes back under another name.
func TestPorts(t *testing.T) {
	b, c := plugIn(t, Options{Character: plain(Character{Ports: []Role{Answers, Mute, Answers, Diag}})})
	ports, ttys := b.Ports(0), b.TTYs(0)
	if len(ports) != 4 || len(ttys) != 4 || !strings.HasSuffix(ports[2], "modem0-if02") ||
		!strings.HasSuffix(ttys[3], "ttyUSB3") || ports[0] != b.Paths()[0] {
		t.Fatalf("%v %v", ports, ttys)
	}
	second, diag := dial(t, ports[2]), dial(t, ttys[3])
	c.chat("ATE0\r", "OK", "AT+CGSN\r", b.Identity(0).IMEI)
	second.chat("AT+CGSN\r", "AT+CGSN\r\r\n"+b.Identity(0).IMEI, "AT+CMGF=0\r", "OK", "AT+CNMI=2,1\r", "OK")
	diag.chat("AT\r", "\x7e")
	b.ReceiveTPDU(0, tpdu(Text("+49171", "Hello")))
	second.expect("+CMTI")
	c.chat("AT+CPMS?\r", `"SM",1,50`)
	b.Unplug(0)
	if err := b.ReplugAs(0, "ttyACM7"); err != nil {
		t.Fatal(err)
	}
	if ttys := b.TTYs(0); !strings.HasSuffix(ttys[0], "/ttyACM7") || !strings.HasSuffix(ttys[1], "/ttyUSB0") {
		t.Errorf("%v", ttys)
	}
	for _, path := range []string{b.Paths()[0], b.TTYs(0)[0]} {
		dial(t, path).chat("ATE0\r", "OK", "AT+CGSN\r", b.Identity(0).IMEI)
	}
	if got := glob(b.dir, "tty*"); len(got) != 4 {
		t.Errorf("names %v", got)
	}
}
