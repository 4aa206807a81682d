package modemsim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dmgate/codec/push"
)

const patience = 10 * time.Second

// terminal is somebody at a modem's port.
type terminal struct {
	t    *testing.T
	port *os.File
	text string // heard and not yet expected
	all  string // heard
}

func plugIn(t *testing.T, o Options) (*Bank, *terminal) {
	t.Helper()
	b, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b, dial(t, b.Paths()[0])
}

func dial(t *testing.T, path string) *terminal {
	t.Helper()
	port, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = port.Close() })
	return &terminal{t: t, port: port}
}

// typed types text.
func (c *terminal) typed(text string) {
	c.t.Helper()
	if _, err := c.port.WriteString(text); err != nil {
		c.t.Fatal(err)
	}
}

// expect reads until want has come, and drops what was before it.
func (c *terminal) expect(want string) {
	c.t.Helper()
	for {
		if i := strings.Index(c.text, want); i >= 0 {
			c.text = c.text[i+len(want):]
			return
		}
		c.read(want)
	}
}

// await waits until text was heard n times in all, for what may come at any point.
func (c *terminal) await(text string, n int) {
	c.t.Helper()
	for strings.Count(c.all, text) < n {
		c.read(text)
	}
}

func (c *terminal) read(want string) {
	c.t.Helper()
	_ = c.port.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 256)
	n, err := c.port.Read(buf)
	if err != nil {
		c.t.Fatalf("waited for %q, heard %q: %v", want, c.text, err)
	}
	c.text += string(buf[:n])
	c.all += string(buf[:n])
}

// ends reads what is left and fails the test unless the port hangs up.
func (c *terminal) ends() {
	c.t.Helper()
	_ = c.port.SetReadDeadline(time.Now().Add(patience))
	for buf := make([]byte, 256); ; {
		n, err := c.port.Read(buf)
		if c.text += string(buf[:n]); errors.Is(err, os.ErrDeadlineExceeded) {
			c.t.Fatal("the port does not hang up")
		} else if err != nil || n == 0 {
			return
		}
	}
}

// eventually waits until cond holds, for what nobody announces.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); !cond(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited for %s", what)
		}
	}
}

func glob(dir, pattern string) []string {
	names, _ := filepath.Glob(filepath.Join(dir, pattern))
	return names
}

// chat is a conversation: what is typed and what must come, in turns.
func (c *terminal) chat(turns ...string) {
	c.t.Helper()
	for i := 0; i+1 < len(turns); i += 2 {
		if turns[i] != "" {
			c.typed(turns[i])
		}
		c.expect(turns[i+1])
	}
}

func pdu(s push.Submit) (length int, text string) {
	tpdu := s.Append(nil)
	return len(tpdu), fmt.Sprintf("00%X\x1a", tpdu)
}

func tpdu(d push.Deliver) []byte { return d.Append(nil) }

var date = time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))

var sms = push.Submit{Destination: "+491711234567", DCS: push.DCS8Bit, UD: []byte("hello"), Report: true}

func plain(c Character) func(int) Character { return func(int) Character { return c } }

// A day in a modem's life.
func TestDialog(t *testing.T) {
	var mu sync.Mutex
	var got []push.Submit
	b, c := plugIn(t, Options{Character: plain(Character{PIN: "4711", RegisterAfter: 1}), Network: netFunc(
		func(_ int, s *push.Submit) Fate {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, *s)
			return Fate{Report: true}
		})})
	n, text := pdu(sms)
	cmgs := fmt.Sprintf("AT+CMGS=%d\r", n)
	c.chat(
		"AT\r", "AT\r\r\nOK\r\n", // with echo
		"ATE0\r", "\r\nOK\r\n",
		"hello\rAT\r", "\r\nOK\r\n", // what does not start with AT is not for it
		"AT+NONSENSE\r", "\r\nERROR\r\n",
		"AT+CSCA?\r", "\r\nERROR\r\n",
		"AT+CMEE=1\r", "\r\nOK\r\n",
		"AT+CSCA?\r", "\r\n+CME ERROR: 11\r\n",
		"AT+CPIN?\r", "+CPIN: SIM PIN\r\n\r\nOK\r\n",
		"AT+CPIN=\"0000\"\r", "+CME ERROR: 16\r\n",
		"AT+CPINR\r", "+CPINR: SIM PIN,2,3\r\n\r\nOK\r\n",
		cmgs, "+CMS ERROR: 311\r\n",
		"AT+CPIN=\"4711\"\r", "\r\nOK\r\n",
		"AT+CPIN?\r", "+CPIN: READY\r\n\r\nOK\r\n",
		cmgs, "+CMS ERROR: 331\r\n",
		"AT+CREG?\r", "+CREG: 0,2\r\n\r\nOK\r\n",
		"AT+CREG?\r", "+CREG: 0,1\r\n\r\nOK\r\n",
		"AT+CMGF=0\r", "\r\nOK\r\n",
		"AT+CSMS=1\r", "\r\nOK\r\n",
		cmgs, "\r\n> ",
		"00\x1b", "\r\nOK\r\n",
		"AT+CNMA\r", "+CMS ERROR: 340\r\n",
		"AT+CNMI=1,2,0,1,0\r", "\r\nOK\r\n",
		cmgs, "\r\n> ",
		text, "\r\n+CMGS: ",
		"", "\r\nOK\r\n",
	)
	c.await("\r\n+CDS: ", 1)
	c.chat(
		"AT+CNMA\r", "\r\nOK\r\n",
		cmgs, "\r\n> ",
		"0011AT+CNMA\r\x1a", "+CMS ERROR: 304\r\n",
		"ATV0\r", "0\r",
	)
	want := Counts{Commands: 25, Accepted: 1, Refused: 3, Reports: 1, Acks: 1, PINs: 2, Violations: 1}
	if counts := b.Counts()[0]; counts != want {
		t.Errorf("counts %+v, want %+v", counts, want)
	}
	if len(got) != 1 || got[0].Destination != sms.Destination || string(got[0].UD) != "hello" {
		t.Errorf("over the air went %+v", got)
	}
}

type netFunc func(modem int, s *push.Submit) Fate

func (f netFunc) Submit(modem int, s *push.Submit) Fate { return f(modem, s) }

// Three wrong PINs block the SIM, and no restart helps.
func TestPUK(t *testing.T) {
	b, c := plugIn(t, Options{Character: plain(Character{PIN: "4711"})})
	c.chat("ATE0\r", "OK", "AT+CMEE=1\r", "OK")
	for range 3 {
		c.chat("AT+CPIN=\"0000\"\r", "+CME ERROR: 16")
	}
	c.chat("AT+CPIN=\"4711\"\r", "+CME ERROR: 12")
	b.Unplug(0)
	if err := b.Replug(0); err != nil {
		t.Fatal(err)
	}
	dial(t, b.Paths()[0]).chat("AT+CPIN?\r", "+CPIN: SIM PUK")
}

// A report that is not acknowledged in time ends their routing; after the next AT+CNMI the rest comes.
func TestUnacknowledged(t *testing.T) {
	_, c := plugIn(t, Options{Ack: 1, Character: plain(Character{})})
	n, text := pdu(sms)
	cmgs := fmt.Sprintf("AT+CMGS=%d\r", n)
	c.chat("ATE0\r", "OK", "AT+CMGF=0\r", "OK", "AT+CSMS=1\r", "OK", "AT+CNMI=2,1,0,1,0\r", "OK",
		cmgs, "> ", text, "+CMGS: ")
	c.await("+CDS: ", 1)
	c.chat("AT+CNMA\r", "+CMS ERROR: 340", cmgs, "> ", text, "OK\r\n", "AT+CSQ\r", "+CSQ",
		"AT+CNMI=2,1,0,1,0\r", "OK")
	c.await("+CDS: ", 2)
	if i := strings.Index(c.all, "+CSQ"); strings.Count(c.all[:i], "+CDS") != 1 {
		t.Errorf("%q", c.all)
	}
}

// Unplugged, a port hangs up and goes; plugged in again it has its old name, and what it was told is forgotten.
func TestReplug(t *testing.T) {
	b, c := plugIn(t, Options{Character: plain(Character{})})
	c.chat("ATE0\r", "OK", "AT\r", "\r\nOK")
	b.Unplug(0)
	b.Unplug(0)
	if n, err := c.port.Read(make([]byte, 64)); err == nil && n == 0 {
		t.Error("no end")
	}
	if _, err := os.Stat(b.Paths()[0]); !os.IsNotExist(err) {
		t.Errorf("the port is still there: %v", err)
	}
	if err := b.Replug(0); err != nil {
		t.Fatal(err)
	}
	if err := b.Replug(0); err == nil {
		t.Error("plugged in twice")
	}
	dial(t, b.Paths()[0]).chat("AT\r", "AT\r\r\nOK")
}

// The same seed gives the same faults and the same references.
func TestDeterministic(t *testing.T) {
	f := Rarely(7, 0.3, Fault{Kind: NoAnswer}, Fault{Kind: HangAfter})
	g := Rarely(7, 0.3, Fault{Kind: NoAnswer}, Fault{Kind: HangAfter})
	faults := 0
	for i := range 1000 {
		if f(i) != g(i) {
			t.Fatalf("send %d", i)
		}
		if f(i).Kind != None {
			faults++
		}
	}
	if faults < 200 || faults > 400 {
		t.Errorf("%d faults of 1000", faults)
	}
	var heard [2]string
	for i := range heard {
		_, c := plugIn(t, Options{Seed: 5, Character: plain(Character{Noise: 0.5})})
		n, text := pdu(sms)
		c.chat("ATE0\r", "OK", "AT+CMGF=0\r", "OK", fmt.Sprintf("AT+CMGS=%d\r", n), "> ", text, "+CMGS: ",
			"", "OK", "AT+CGSN\r", "49015")
		heard[i] = c.all[:strings.Index(c.all, "49015")]
	}
	if heard[0] != heard[1] {
		t.Errorf("%q and %q", heard[0], heard[1])
	}
}

// A modem that is not read goes on working, and does not hold Close up.
func TestNobodyReads(t *testing.T) {
	b, c := plugIn(t, Options{Character: plain(Character{})})
	for range 2000 {
		b.Say(0, "\r\n^RSSI: 17\r\n")
	}
	c.expect("^RSSI")
}
