package modemsim

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dmgate/codec/push"
)

// turn is what is typed, and everything that comes of it until the next turn. In what is typed {cmgs} begins a send,
// {pdu} is its PDU with Ctrl-Z and {report} one that asks for a report. In what comes, references are counted from
// the first: "+CMGS: #1", and "+CDS#1" stands for the two lines of its report.
type turn struct{ typed, want string }

const (
	urc  = "\r\n^BOOT:20952548,0,0,0,75\r\n"
	cds  = "\r\n+CDS#1\r\n"
	done = "\r\n+CMGS: #1\r\n\r\nOK\r\n"
)

// sent is a send without anything unusual, number n.
func sent(n int) []turn {
	return []turn{{"{cmgs}", "\r\n> "}, {"{pdu}", fmt.Sprintf("\r\n+CMGS: #%d\r\n\r\nOK\r\n", n)}}
}

// The list of what a simulated modem must do, in its order. Each case is a conversation in PDU mode, echo off and
// reports routed, with the exact bytes; counts are SMS accepted.
func TestSpecification(t *testing.T) {
	t.Parallel()
	first := func(f Fault) func(int) Fault { return At(map[int]Fault{0: f}) }
	ways := func(w ReportWays) func(int) ReportWays { return func(int) ReportWays { return w } }
	held := func(at Point) Character { return Character{Report: ways(ReportWays{At: at})} }
	tests := []struct {
		point    string // of the list
		c        Character
		turns    []turn
		accepted int
	}{
		{"stateful echo", Character{}, []turn{
			{"ATE1\r", "\r\nOK\r\n"}, {"AT\r", "AT\r\r\nOK\r\n"}, {"ATE0\r", "ATE0\r\r\nOK\r\n"}, {"AT\r", "\r\nOK\r\n"}}, 0},
		{"echo that stays", Character{StubbornEcho: true}, []turn{
			{"ATE0\r", "\r\nOK\r\n"}, {"AT\r", "AT\r\r\nOK\r\n"}, {"{cmgs}", "AT+CMGS=18\r\r\n> "},
			{"00\x1b", "\r\nOK\r\n"}}, 0},
		{"digits for results", Character{}, []turn{
			{"ATV0\r", "0\r"}, {"AT\r", "0\r"}, {"AT+X\r", "4\r"}, {"ATV1\r", "\r\nOK\r\n"}}, 0},
		{"+CPMS state", Character{}, []turn{
			{"AT+CPMS=\"ME\",\"SM\"\r", "\r\n+CPMS: 0,50,0,50,0,50\r\n\r\nOK\r\n"},
			{"AT+CPMS?\r", "\r\n+CPMS: \"ME\",0,50,\"SM\",0,50,\"SM\",0,50\r\n\r\nOK\r\n"},
			{"AT+CPMS=\"SR\"\r", "\r\n+CMS ERROR: 302\r\n"}}, 0},
		{"+CSCS state", Character{}, []turn{
			{"AT+CSCS?\r", "\r\n+CSCS: \"IRA\"\r\n\r\nOK\r\n"}, {"AT+CSCS=\"UCS2\"\r", "\r\nOK\r\n"},
			{"AT+CSCS?\r", "\r\n+CSCS: \"UCS2\"\r\n\r\nOK\r\n"}, {"AT+CSCS=\"KOI8\"\r", "\r\nERROR\r\n"}}, 0},
		{"+CREG=n state", Character{}, []turn{
			{"AT+CREG?\r", "\r\n+CREG: 0,1\r\n\r\nOK\r\n"}, {"AT+CREG=2\r", "\r\nOK\r\n"},
			{"AT+CREG?\r", "\r\n+CREG: 2,1,\"00C3\",\"A1B2\"\r\n\r\nOK\r\n"},
			{"AT+CGREG?\r", "\r\n+CGREG: 0,1\r\n\r\nOK\r\n"}}, 0},
		{"+CNMI state", Character{}, []turn{
			{"AT+CNMI?\r", "\r\n+CNMI: 2,1,0,1,0\r\n\r\nOK\r\n"}, {"AT+CNMI=1,2,,,1\r", "\r\nOK\r\n"},
			{"AT+CNMI?\r", "\r\n+CNMI: 1,2,0,1,1\r\n\r\nOK\r\n"}, {"AT+CNMI=4\r", "\r\n+CMS ERROR: 305\r\n"}}, 0},
		{"ERROR to unknown commands", Character{}, []turn{
			{"AT+CGSM\r", "\r\nERROR\r\n"}, {"AT^SYSINFO\r", "\r\nERROR\r\n"}, {"hello\rAT\r", "\r\nOK\r\n"}}, 0},

		{"prompt CR LF > space", Character{}, sent(1), 1},
		{"prompt >", Character{Prompt: ">"}, []turn{{"{cmgs}", ">"}, {"{pdu}", done}}, 1},
		{"prompt on a line of its own", Character{Prompt: "\r\n>\r\n"}, []turn{{"{cmgs}", "\r\n>\r\n"}, {"{pdu}", done}}, 1},
		{"OK then >", Character{OKFirst: true}, []turn{{"{cmgs}", "\r\nOK\r\n\r\n> "}, {"{pdu}", done}}, 1},
		{"no prompt; the PDU is taken", Character{Fault: first(Fault{Kind: NoPrompt})}, []turn{
			{"{cmgs}", ""}, {"{pdu}", done}}, 1},
		{"no prompt; recovery by ESC", Character{Fault: first(Fault{Kind: NoPrompt})}, []turn{
			{"{cmgs}", ""}, {"AT\r", ""}, {"\x1b", "\r\nOK\r\n"}, {"AT\r", "\r\nOK\r\n"}}, 0},
		{"38 in place of the prompt", Character{Fault: first(Fault{Kind: ErrorForPrompt, CMS: 38})}, []turn{
			{"{cmgs}", "\r\n+CMS ERROR: 38\r\n"}, {"{cmgs}", "\r\n> "}, {"{pdu}", done}}, 1},
		{"302 in place of the prompt", Character{Fault: first(Fault{Kind: ErrorForPrompt, CMS: 302})}, []turn{
			{"{cmgs}", "\r\n+CMS ERROR: 302\r\n"}}, 0},
		{"500 in place of the prompt", Character{Fault: first(Fault{Kind: ErrorForPrompt, CMS: 500})}, []turn{
			{"{cmgs}", "\r\n+CMS ERROR: 500\r\n"}}, 0},
		{"bare ERROR in place of the prompt", Character{Fault: first(Fault{Kind: ErrorForPrompt})}, []turn{
			{"{cmgs}", "\r\nERROR\r\n"}}, 0},
		{"+CMS ERROR after the PDU", Character{Fault: first(Fault{Kind: RefusePDU, CMS: 500})}, []turn{
			{"{cmgs}", "\r\n> "}, {"{pdu}", "\r\n+CMS ERROR: 500\r\n"}}, 0},
		{"bare ERROR after the PDU", Character{Fault: first(Fault{Kind: RefusePDU})}, []turn{
			{"{cmgs}", "\r\n> "}, {"{pdu}", "\r\nERROR\r\n"}}, 0},
		{"a PDU with something else in it", Character{}, []turn{
			{"{cmgs}", "\r\n> "}, {"00AT+CNMA\r\x1a", "\r\n+CMS ERROR: 304\r\n"}}, 0},

		{"+CMGS without a space", Character{Reference: "+CMGS:%d"}, []turn{
			{"{cmgs}", "\r\n> "}, {"{pdu}", "\r\n+CMGS:#1\r\n\r\nOK\r\n"}}, 1},
		{"+CMGS with a time stamp", Character{Reference: `+CMGS: %d,"26/01/01,10:00:00+04"`}, []turn{
			{"{cmgs}", "\r\n> "}, {"{pdu}", "\r\n+CMGS: #1,\"26/01/01,10:00:00+04\"\r\n\r\nOK\r\n"}}, 1},
		{"missing CR LF", Character{NoLead: true, Prompt: "> "}, []turn{
			{"{cmgs}", "> "}, {"{pdu}", "+CMGS: #1\r\nOK\r\n"}}, 1},
		{"CR only", Character{LineEnd: "\r", Prompt: "\r> "}, []turn{
			{"{cmgs}", "\r> "}, {"{pdu}", "\r+CMGS: #1\r\rOK\r"}, {"AT+CSQ\r", "\r+CSQ: 21,99\r\rOK\r"}}, 1},
		{"byte-wise reads and writes", Character{Sip: 1, Chunk: 1, Gap: 10 * time.Microsecond}, sent(1), 1},
		{"delays", Character{Delay: 5 * time.Millisecond}, sent(1), 1},
		{"delay of one command", Character{DelayOf: func(command string) time.Duration {
			if command == "AT+CSQ" {
				return 100 * time.Millisecond
			}
			return 0
		}}, []turn{{"AT+CSQ\r", ""}, {"AT\r", "\r\n+CSQ: 21,99\r\n\r\nOK\r\n\r\nOK\r\n"}}, 0},

		{"an answer after the time-out", Character{Fault: first(Fault{Kind: LateAnswer, For: 100 * time.Millisecond})},
			[]turn{{"{cmgs}", "\r\n> "}, {"{pdu}", ""}, {"\x1bAT\r", done + "\r\nOK\r\n"}}, 1},
		{"an error after the time-out", Character{Fault: first(Fault{
			Kind: LateRefusal, CMS: 42, For: 100 * time.Millisecond})},
			[]turn{{"{cmgs}", "\r\n> "}, {"{pdu}", ""}, {"\x1bAT\r", "\r\n+CMS ERROR: 42\r\n\r\nOK\r\n"}}, 0},
		{"an answer after that of another", Character{Fault: first(Fault{Kind: EagerLate, For: 100 * time.Millisecond})},
			[]turn{{"{cmgs}", "\r\n> "}, {"{pdu}", ""}, {"\x1bAT\r", "\r\nOK\r\n" + done}}, 1},
		{"lost, and not answered", Character{Fault: first(Fault{Kind: LosePDU})},
			[]turn{{"{cmgs}", "\r\n> "}, {"{pdu}", ""}, {"\x1bAT\r", "\r\nOK\r\n"}}, 0},
		{"sent, and not answered", Character{Fault: first(Fault{Kind: NoAnswer})},
			[]turn{{"{cmgs}", "\r\n> "}, {"{pdu}", ""}, {"\x1bAT\r", "\r\nOK\r\n"}}, 1},
		{"hang before the PDU", Character{Fault: first(Fault{Kind: HangBefore})},
			[]turn{{"{cmgs}", ""}, {"\x1b", ""}, {"AT\r", ""}}, 0},
		{"hang at the prompt", Character{Fault: first(Fault{Kind: HangAtPrompt})},
			[]turn{{"{cmgs}", "\r\n> "}, {"{pdu}", ""}, {"\x1bAT\r", ""}}, 0},
		{"hang after the PDU", Character{Fault: first(Fault{Kind: HangAfter})},
			[]turn{{"{cmgs}", "\r\n> "}, {"{pdu}", ""}, {"\x1bAT\r", ""}}, 1},
		{"recovery by ESC from a lost Ctrl-Z", Character{Fault: first(Fault{Kind: LoseCtrlZ})},
			[]turn{{"{cmgs}", "\r\n> "}, {"{pdu}", ""}, {"AT\r", ""}, {"\x1b", "\r\nOK\r\n"}, {"AT\r", "\r\nOK\r\n"}}, 0},

		{"unasked lines at every point", Character{Says: func(at Point, send int) string {
			if send < 0 {
				return ""
			}
			return fmt.Sprintf("<%d>", at)
		}}, []turn{{"{cmgs}", "<0><3>\r\n> <4>"}, {"{pdu}", "<5><6>\r\n+CMGS: #1\r\n<7>\r\nOK\r\n<8>"}}, 1},
		{"^BOOT between AT+CMGS and its prompt", Character{Says: SaysAt(BeforePrompt, urc)}, []turn{
			{"{cmgs}", urc + "\r\n> "}, {"{pdu}", done}}, 1},
		{"RING inside an answer", Character{Says: SaysAt(InAnswer, "\r\nRING\r\n")}, []turn{
			{"AT+CSQ\r", "\r\n+CSQ: 21,99\r\n\r\nRING\r\n\r\nOK\r\n"}}, 0},
		{"+CREG between +CMGS and OK", Character{Says: SaysAt(BeforeOK, "\r\n+CREG: 5,\"00C3\",\"A1B2\"\r\n")}, []turn{
			{"{cmgs}", "\r\n> "}, {"{pdu}", "\r\n+CMGS: #1\r\n\r\n+CREG: 5,\"00C3\",\"A1B2\"\r\n\r\nOK\r\n"}}, 1},
		{"^RSSI, until AT^CURC=0", Character{Maker: "huawei", Noise: 1, Lines: []string{"^RSSI: 17"}}, []turn{
			{"AT\r", "\r\n^RSSI: 17\r\n\r\nOK\r\n\r\n^RSSI: 17\r\n"}, {"AT^CURC=0\r", "\r\n^RSSI: 17\r\n\r\nOK\r\n"},
			{"AT\r", "\r\nOK\r\n"}}, 0},

		{"+CDS before its answer", Character{Report: ways(ReportWays{Early: true})}, []turn{
			{"{cmgs}", "\r\n> "}, {"{report}", cds + done}}, 1},
		{"+CDS late", Character{Report: ways(ReportWays{Late: 100 * time.Millisecond})}, []turn{
			{"{cmgs}", "\r\n> "}, {"{report}", done}, {"", cds}}, 1},
		{"+CDS twice", Character{Report: ways(ReportWays{Early: true, Twice: true})}, []turn{
			{"{cmgs}", "\r\n> "}, {"{report}", cds + cds + done}}, 1},
		{"+CDS with a wrong reference", Character{Report: ways(ReportWays{Early: true, WrongReference: true})}, []turn{
			{"{cmgs}", "\r\n> "}, {"{report}", "\r\n+CDS#101\r\n" + done}}, 1},
		{"+CDS inside the answer to another command", held(InAnswer), []turn{
			{"{cmgs}", "\r\n> "}, {"{report}", done}, {"AT+CSQ\r", "\r\n+CSQ: 21,99\r\n" + cds + "\r\nOK\r\n"}}, 1},
		{"+CDS after the answer to another command", held(AfterAnswer), []turn{
			{"{cmgs}", "\r\n> "}, {"{report}", done}, {"AT+CSQ\r", "\r\n+CSQ: 21,99\r\n\r\nOK\r\n" + cds}}, 1},
		{"+CDS between AT+CMGS and its prompt", held(BeforePrompt), []turn{
			{"{cmgs}", "\r\n> "}, {"{report}", done}, {"{cmgs}", cds + "\r\n> "}}, 1},
		{"+CDS between prompt and PDU", held(AfterPrompt), []turn{
			{"{cmgs}", "\r\n> "}, {"{report}", done}, {"{cmgs}", "\r\n> " + cds}}, 1},
		{"+CDS of the send before, after the PDU", held(AfterPDU), []turn{
			{"{cmgs}", "\r\n> "}, {"{report}", done}, {"{cmgs}", "\r\n> "},
			{"{pdu}", cds + "\r\n+CMGS: #2\r\n\r\nOK\r\n"}}, 2},
		{"+CDS between +CMGS and its OK", held(BeforeOK), []turn{
			{"{cmgs}", "\r\n> "}, {"{report}", "\r\n+CMGS: #1\r\n" + cds + "\r\nOK\r\n"}}, 1},
		{"+CDS right after OK", held(AfterOK), []turn{{"{cmgs}", "\r\n> "}, {"{report}", done + cds}}, 1},
		{"no +CDS", Character{Report: ways(ReportWays{Lost: true})}, []turn{
			{"{cmgs}", "\r\n> "}, {"{report}", done}, {"", ""}}, 1},

		{"binary garbage", Character{Says: SaysAt(AfterPDU, "\x80\xff\x00\x07~\xfe")}, []turn{
			{"{cmgs}", "\r\n> "}, {"{pdu}", "\x80\xff\x00\x07~\xfe" + done}}, 1},
		{"70 kB without a line feed", Character{Says: SaysAt(BeforeReference, strings.Repeat("junk", 17500))}, []turn{
			{"{cmgs}", "\r\n> "}, {"{pdu}", strings.Repeat("junk", 17500) + done}}, 1},

		{"wrong PIN, then the right one", Character{PIN: "4711"}, []turn{
			{"AT+CMEE=1\r", "\r\nOK\r\n"}, {"AT+CPIN?\r", "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n"},
			{"AT+CIMI\r", "\r\n+CME ERROR: 11\r\n"}, {"{cmgs}", "\r\n+CMS ERROR: 311\r\n"},
			{"AT+CPIN=\"0000\"\r", "\r\n+CME ERROR: 16\r\n"}, {"AT+CPINR\r", "\r\n+CPINR: SIM PIN,2,3\r\n\r\nOK\r\n"},
			{"AT+CMEE=2\r", "\r\nOK\r\n"}, {"AT+CIMI\r", "\r\n+CME ERROR: SIM PIN required\r\n"},
			{"AT+CPIN=\"4711\"\r", "\r\nOK\r\n"}, {"AT+CPIN?\r", "\r\n+CPIN: READY\r\n\r\nOK\r\n"}}, 0},
		{"no SIM", Character{NoSIM: true}, []turn{
			{"AT+CMEE=1\r", "\r\nOK\r\n"}, {"AT+CPIN?\r", "\r\n+CME ERROR: 10\r\n"}, {"{cmgs}", "\r\n+CMS ERROR: 310\r\n"}}, 0},
		{"registration after 2 polls", Character{RegisterAfter: 2}, []turn{
			{"AT+CREG?\r", "\r\n+CREG: 0,2\r\n\r\nOK\r\n"}, {"{cmgs}", "\r\n+CMS ERROR: 331\r\n"},
			{"AT+COPS?\r", "\r\n+COPS: 0\r\n\r\nOK\r\n"}, {"AT+CEREG?\r", "\r\n+CEREG: 0,2\r\n\r\nOK\r\n"},
			{"AT+CREG?\r", "\r\n+CREG: 0,1\r\n\r\nOK\r\n"}}, 0},
		{"roaming", Character{Roaming: true}, []turn{{"AT+CREG?\r", "\r\n+CREG: 0,5\r\n\r\nOK\r\n"}}, 0},
		{"denied", Character{Denied: true}, []turn{{"AT+CREG?\r", "\r\n+CREG: 0,3\r\n\r\nOK\r\n"}}, 0},
		{"radio off", Character{}, []turn{{"AT+CFUN=4\r", "\r\nOK\r\n"}, {"{cmgs}", "\r\n+CMS ERROR: 331\r\n"},
			{"AT+CFUN?\r", "\r\n+CFUN: 4\r\n\r\nOK\r\n"}, {"AT+CFUN=1\r", "\r\nOK\r\n"}, {"{cmgs}", "\r\n> "}}, 0},
		{"no service centre", Character{NoSMSC: true}, []turn{{"AT+CSCA?\r", "\r\n+CSCA: \"\",129\r\n\r\nOK\r\n"},
			{"AT+CSCA=\"+491\",145\r", "\r\nOK\r\n"}, {"AT+CSCA?\r", "\r\n+CSCA: \"+491\",145\r\n\r\nOK\r\n"}}, 0},
		{"a full inbox", Character{Inbox: slices.Repeat([][]byte{{1}}, 101)}, []turn{
			{"AT+CPMS?\r", "\r\n+CPMS: \"SM\",101,101,\"SM\",101,101,\"SM\",101,101\r\n\r\nOK\r\n"}}, 0},
		{"a binary inbox", Character{Inbox: [][]byte{{4, 0xff, 0}}}, []turn{
			{"AT+CMGL=4\r", "\r\n+CMGL: 0,0,,3\r\n07919471016700F004FF00\r\n\r\nOK\r\n"}}, 0},

		{"reboot on AT+CFUN=1,1", Character{RebootTime: time.Millisecond, Greeting: urc}, []turn{
			{"AT+CFUN=1,1\r", "\r\nOK\r\n" + urc}, {"AT+CMGF?\r", "\r\n+CMGF: 1\r\n\r\nOK\r\n"}}, 0},
		{"reboot before a send", Character{Fault: first(Fault{Kind: RebootBefore})}, []turn{
			{"{cmgs}", "AT+CMGS=18\r\r\n> "}, {"\x1b", "\r\nOK\r\n"}, {"AT+CMGF?\r", "\r\n+CMGF: 1\r\n\r\nOK\r\n"}}, 0},
		{"reboot after a send", Character{Fault: first(Fault{Kind: RebootAfter}), Greeting: urc}, []turn{
			{"{cmgs}", "\r\n> "}, {"{pdu}", urc}, {"AT+CMGF?\r", "\r\n+CMGF: 1\r\n\r\nOK\r\n"}}, 1},
		{"a count of accepted PDUs", Character{}, slices.Concat(sent(1), sent(2), sent(3)), 3},
	}
	for _, test := range tests {
		t.Run(test.point, func(t *testing.T) {
			t.Parallel()
			test.c.Silent = true
			var ledger Ledger
			b, c := plugIn(t, Options{Character: plain(test.c), Ledger: &ledger})
			c.converse(b, test.turns)
			if n := b.Counts()[0].Accepted; n != test.accepted {
				t.Errorf("%d accepted, want %d", n, test.accepted)
			}
			if all, _ := ledger.Accepted(); all != test.accepted {
				t.Errorf("the ledger has %d, want %d", all, test.accepted)
			}
		})
	}
}

// Deaf for a while: what is typed meanwhile is lost.
func TestDeaf(t *testing.T) {
	t.Parallel()
	_, c := plugIn(t, Options{Character: plain(Character{Silent: true, Fault: At(map[int]Fault{
		0: {Kind: HangBefore, For: 100 * time.Millisecond}})})})
	start := time.Now()
	c.chat("AT+CMGF=0\r", "OK\r\n", "AT+CMGS=17\rAT+CSQ\r", "")
	for !strings.Contains(c.all, "21,99") || time.Since(start) > patience {
		c.typed("AT+CSQ\r")
		_ = c.port.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		buf := make([]byte, 256)
		n, _ := c.port.Read(buf)
		c.all += string(buf[:n])
	}
	if d := time.Since(start); d < 100*time.Millisecond {
		t.Errorf("deaf for %s only", d)
	}
}

// Hung from outside: nothing is answered until the modem is plugged in again.
func TestHang(t *testing.T) {
	t.Parallel()
	b, c := plugIn(t, Options{Character: plain(Character{Silent: true})})
	c.converse(b, sent(1))
	b.Hang(0, 0)
	c.typed("AT\r\x1bAT\r")
	if c.more(50*time.Millisecond) && c.text != "" {
		t.Errorf("heard %q", c.text)
	}
	b.Unplug(0)
	if err := b.Replug(0); err != nil {
		t.Fatal(err)
	}
	dial(t, b.Paths()[0]).converse(b, sent(1))
}

// A modem that was unplugged comes back under another pty, though its old one is still open. The master is
// non-blocking and not for children: otherwise the unplug would never happen.
func TestUnplugsForReal(t *testing.T) {
	t.Parallel()
	b, c := plugIn(t, Options{Character: plain(Character{})})
	l := b.modems[0].lines()[0]
	for _, f := range []*os.File{l.master, l.slave} {
		conn, err := f.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Control(func(fd uintptr) {
			if flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("%s stays open in children: %v", f.Name(), err)
			}
			if flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0); f == l.master && (err != nil || flags&unix.O_NONBLOCK == 0) {
				t.Errorf("the master blocks: %v", err)
			}
		})
	}
	was, err := os.Readlink(b.Paths()[0])
	if err != nil {
		t.Fatal(err)
	}
	b.Unplug(0)
	c.ends()
	if err := b.Replug(0); err != nil {
		t.Fatal(err)
	}
	if is, err := os.Readlink(b.Paths()[0]); err != nil || is == was {
		t.Errorf("%s is %s again: %v", b.Paths()[0], is, err)
	}
}

var spoken = regexp.MustCompile(`\+CDS: 25\r\n07919471016700F0([0-9A-F]{50})|(\+CMGS: ?)(\d+)`)

// converse has turns, after bringing the modem into PDU mode where its SIM lets it.
func (c *terminal) converse(b *Bank, turns []turn) {
	c.t.Helper()
	base := b.modems[0].mr
	c.typed("AT+CMGF=0;+CNMI=2,1,0,1,0\r")
	c.match(regexp.MustCompile("OK|ERROR"))
	for c.more(10 * time.Millisecond) {
	}
	c.text = ""
	s := sms
	withReport := s.Append(nil)
	s.Report = false
	without := s.Append(nil)
	replace := strings.NewReplacer("{cmgs}", fmt.Sprintf("AT+CMGS=%d\r", len(without)),
		"{pdu}", fmt.Sprintf("00%X\x1a", without), "{report}", fmt.Sprintf("00%X\x1a", withReport))
	heard := func() string {
		return spoken.ReplaceAllStringFunc(c.text, func(line string) string {
			part := spoken.FindStringSubmatch(line)
			if part[3] != "" {
				n, _ := strconv.Atoi(part[3])
				return fmt.Sprintf("%s#%d", part[2], uint8(n)-base)
			}
			var tpdu []byte
			_, _ = fmt.Sscanf(part[1], "%X", &tpdu)
			r, err := push.ReadStatusReport(tpdu)
			if err != nil {
				return err.Error()
			}
			return fmt.Sprintf("+CDS#%d", r.Reference-base)
		})
	}
	for _, turn := range turns {
		c.typed(replace.Replace(turn.typed))
		deadline := time.Now().Add(patience)
		const digits = 8 // by which a text may be shorter than one with references counted
		for len(c.text)+digits < len(turn.want) && time.Now().Before(deadline) {
			c.more(patience)
		}
		for heard() != turn.want && time.Now().Before(deadline) && len(c.text) < len(turn.want)+400 {
			c.more(patience)
		}
		if turn.want == "" {
			c.more(20 * time.Millisecond)
		}
		if got := heard(); got != turn.want {
			c.t.Fatalf("to %q came %.300q, want %.300q", turn.typed, got, turn.want)
		}
		c.text = ""
	}
	if c.more(20*time.Millisecond) && c.text != "" {
		c.t.Errorf("and then %q", c.text)
	}
}

// more reads what comes within d; it is false if nothing does.
func (c *terminal) more(d time.Duration) bool {
	c.t.Helper()
	_ = c.port.SetReadDeadline(time.Now().Add(d))
	buf := make([]byte, 1024)
	n, err := c.port.Read(buf)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal(err)
	}
	c.text += string(buf[:n])
	c.all += string(buf[:n])
	return n > 0
}
