//go:build linux

package modempool

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"
	xlab "github.com/xlab/at"
	"github.com/xlab/at/sms"
	"golang.org/x/sys/unix"

	"dmgate/codec/push"
)

// What was found wrong in xlab/at v1.0.0, D1 to D17 of the modem facts, each shown not to be ours. Where it is cheap
// xlab's own is put through the same, so that the test is known to say something.
func TestDefects(t *testing.T) {
	for _, d := range []struct {
		name string
		test func(t *testing.T)
	}{
		{"D1 an unsolicited line before +CMGS fails a send that went out", unsolicitedBeforeReference},
		{"D2 an error after a foreign line is success", errorAfterForeignLine},
		{"D3 a late answer is taken for the next command's", lateAnswerTaken},
		{"D4 an error in place of the prompt waits, is lost, and gets no ESC", errorForPrompt},
		{"D5 a time-out is not told from other errors", timeoutTyped},
		{"D6 commands of two goroutines mix", concurrentCommands},
		{"D7 a reference without a space or with a time stamp is refused", referenceForms},
		{"D8 one port for commands and notifications is refused", onePort},
		{"D9 bring-up needs AT^SYSINFO and a readable inbox", bringUpOfStrangers},
		{"D10 delivery reports are not known", reportsKnown},
		{"D11 a full SIM hangs the bring-up", fullSIM},
		{"D12 the port becomes the controlling terminal", noControllingTerminal},
		{"D13 the port is left in the mode it was in", rawMode},
		{"D14 8-bit data can be neither sent nor read", eightBit},
		{"D15 a national number loses its zero", nationalNumber},
		{"D16 a header that is not there panics", missingHeader},
		{"D17 unplugging is noticed late, and nobody reconnects", unpluggedAndBack},
	} {
		t.Run(d.name, d.test)
	}
}

// stage is a conversation under a fake clock with a modem of these rules.
func stage(t *testing.T, act func(t *testing.T, th *theatre), script ...string) {
	synctest.Test(t, func(t *testing.T) {
		th := &theatre{t: t, began: time.Now(), settings: newSettings()}
		for _, rule := range script {
			name, reply, _ := strings.Cut(rule, " => ")
			th.rules.add(name, reply)
		}
		th.open()
		act(t, th)
		th.hangUp()
	})
}

// theirs is xlab's own device on a pty with a modem of these rules behind it.
func theirs(t *testing.T, script ...string) *xlab.Device {
	t.Helper()
	var r rules
	for _, rule := range script {
		name, reply, _ := strings.Cut(rule, " => ")
		r.add(name, reply)
	}
	command, notify := terminal(t), terminal(t)
	if p, err := OpenPort(command.path); err != nil { // which leaves it in the mode that xlab does not set (D13)
		t.Fatal(err)
	} else if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	other := plugIn(command.master, &r, func(string, string) {})
	d := &xlab.Device{CommandPort: command.path, NotifyPort: notify.path, Timeout: 200 * time.Millisecond}
	if err := d.Open(); err != nil {
		t.Fatal(err)
	}
	_ = d.Init(xlab.DeviceE173()) // fails, as a stranger knows no AT^SYSINFO (D9), but is enough to send
	t.Cleanup(func() {
		_ = d.Close()
		_ = command.slave.Close() // which ends the modem's reading
		<-other.done
	})
	return d
}

type terminalPair struct {
	master, slave *os.File
	path          string
}

func terminal(t *testing.T) terminalPair {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		_ = slave.Close()
		_ = master.Close()
	})
	return terminalPair{master, slave, slave.Name()}
}

func unsolicitedBeforeReference(t *testing.T) {
	const says = `PDU => ^RSSI:12 | +CMGS: 5 | OK`
	stage(t, func(t *testing.T, th *theatre) {
		if mr, err := th.m.commands(t.Context()).CMGS(2, []byte{1, 2}); mr != 5 || err != nil {
			t.Errorf("%d %v", mr, err)
		}
	}, says)
	mr, err := theirs(t, says).Commands.CMGS(2, []byte{0, 1, 2})
	if err == nil { // it says "sequence", or waits too long
		t.Errorf("xlab's has learnt it: %d %v", mr, err)
	}
}

func errorAfterForeignLine(t *testing.T) {
	const says = `AT+CMGF=0 => "RING\r\n\r\n+CME ERROR: 10\r\n"`
	stage(t, func(t *testing.T, th *theatre) {
		if err := th.m.commands(t.Context()).CMGF(false); !errors.Is(err, CMEError(10)) {
			t.Errorf("error %v", err)
		}
	}, says)
	if err := theirs(t, says).Commands.CMGF(false); err != nil {
		t.Errorf("xlab's has learnt it: %v", err)
	}
}

func lateAnswerTaken(t *testing.T) {
	stage(t, func(t *testing.T, th *theatre) {
		p := th.m.commands(t.Context())
		var timeout *TimeoutError
		if _, err := p.ModelName(); !errors.As(err, &timeout) {
			t.Errorf("error %v", err)
		}
		if imei, err := p.IMEI(); imei != "490154203237518" || err != nil {
			t.Errorf("IMEI %q %v", imei, err)
		}
	}, `AT+CGMM => wait 7s | 111111111111111 | OK`)
}

func errorForPrompt(t *testing.T) {
	const says = `AT+CMGS => +CMS ERROR: 302`
	stage(t, func(t *testing.T, th *theatre) {
		_, err := th.m.commands(t.Context()).CMGS(1, []byte{1})
		if !errors.Is(err, CMSError(302)) || time.Since(th.began) != 0 {
			t.Errorf("after %s: %v", time.Since(th.began), err)
		}
		if out := th.out.String(); !strings.Contains(out, "<ESC>") || strings.Contains(out, "<Ctrl-Z>") {
			t.Errorf("no ESC, or a PDU:\n%s", out)
		}
	}, says)
	if _, err := theirs(t, says).Commands.CMGS(1, []byte{0, 1}); err == nil || strings.Contains(err.Error(), "302") {
		t.Errorf("xlab's has learnt it: %v", err)
	}
}

func timeoutTyped(t *testing.T) {
	stage(t, func(t *testing.T, th *theatre) {
		err := th.m.commands(t.Context()).CMGF(false)
		var timeout *TimeoutError
		if !errors.As(err, &timeout) || timeout.For != "answer" || timeout.After != 5*time.Second {
			t.Errorf("error %v", err)
		}
	}, `AT+CMGF=0 => nothing`)
	if got := xlab.FinalResults.Resolve(xlab.KillCmd); got != xlab.FinalResults.Noop {
		t.Errorf("xlab's has learnt it: %v", got)
	}
}

func concurrentCommands(t *testing.T) {
	stage(t, func(t *testing.T, th *theatre) {
		p := th.m.commands(t.Context())
		type answer struct {
			want, got string
			err       error
		}
		answers := make(chan answer)
		for range 20 {
			go func() {
				v, err := p.ModelName()
				answers <- answer{"S1", v, err}
			}()
			go func() {
				v, err := p.IMEI()
				answers <- answer{"490154203237518", v, err}
			}()
		}
		for range 40 {
			if a := <-answers; a.got != a.want || a.err != nil {
				t.Errorf("%q %v, want %q", a.got, a.err, a.want)
			}
		}
	}, `AT+CGMM => wait 10ms | S1 | OK`, `AT+CGSN => wait 10ms | 490154203237518 | OK`)
}

func referenceForms(t *testing.T) {
	for _, says := range []string{`+CMGS:12`, `+CMGS: 12`, `+CMGS: 12,"26/11/25,07:00:00+04"`} {
		stage(t, func(t *testing.T, th *theatre) {
			if mr, err := th.m.commands(t.Context()).CMGS(1, []byte{1}); mr != 12 || err != nil {
				t.Errorf("%s: %d %v", says, mr, err)
			}
		}, "PDU => "+says+" | OK")
	}
	mr, err := theirs(t, `PDU => +CMGS:12 | OK`).Commands.CMGS(1, []byte{0, 1})
	if err == nil { // it says "sequence", or waits too long
		t.Errorf("xlab's has learnt it: %d %v", mr, err)
	}
}

func onePort(t *testing.T) {
	stage(t, func(t *testing.T, th *theatre) {
		th.other.says <- "+CDS: 2 | 0A0B"
		synctest.Wait()
		err := th.m.commands(t.Context()).CMGF(false)
		if err != nil || len(th.m.inbox) != 1 {
			t.Errorf("%v, inbox %v", err, th.m.inbox)
		}
	})
	port := terminal(t).path
	d := &xlab.Device{CommandPort: port, NotifyPort: port}
	if err := d.Open(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Init(xlab.DeviceE173()); !errors.Is(err, xlab.ErrClosed) {
		t.Errorf("xlab's has learnt it: %v", err)
	}
}

func bringUpOfStrangers(t *testing.T) {
	binary := `AT+CMGL=4 => +CMGL: 1,1,,28 | ` + wapPDU + ` | OK`
	stage(t, func(t *testing.T, th *theatre) {
		if err := th.bringUp(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		var in []Received
		if more, err := th.m.sweep(t.Context(), func(i inbound) error {
			in = append(in, i.received("m"))
			return nil
		}); more || err != nil || len(in) != 1 || in[0].Data == "" || in[0].Problem != "" {
			t.Errorf("%+v %t %v", in, more, err)
		}
		var d xlab.Device
		if err := th.m.commands(t.Context()).Init(&d); err != nil || d.State.IMEI != "490154203237518" {
			t.Errorf("Init: %v, state %+v", err, d.State)
		}
	}, `AT^SYSINFO => ERROR`, binary)
}

func reportsKnown(t *testing.T) {
	r := push.StatusReport{Reference: 7, Recipient: "+491710001", Status: 0x46}
	stage(t, func(t *testing.T, th *theatre) {
		if err := th.bringUp(t.Context(), ""); err != nil || th.m.cnmi == "" {
			t.Fatal(th.m.cnmi, err)
		}
		th.other.says <- strings.ReplaceAll(strings.TrimSpace(cds(7, r.Recipient, r.Status)), "\r\n", " | ")
		synctest.Wait()
		if err := th.at.settle(); err != nil || len(th.m.inbox) != 1 {
			t.Fatal(err, th.m.inbox)
		}
		got, err := th.m.inbox[0].statusReport()
		if err != nil || got.Reference != 7 || got.Recipient != r.Recipient || got.Status != r.Status {
			t.Errorf("%+v %v", got, err)
		}
	})
	if got := xlab.Reports.Resolve("+CDS: 25"); got != xlab.UnknownStringOpt {
		t.Errorf("xlab's has learnt it: %v", got)
	}
}

func fullSIM(t *testing.T) {
	stage(t, func(t *testing.T, th *theatre) {
		if err := th.bringUp(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		taken := 0
		take := func(inbound) error { taken++; return nil }
		rounds := 0
		for more := true; more; rounds++ {
			var err error
			if more, err = th.m.sweep(t.Context(), take); err != nil {
				t.Fatal(err)
			}
			if _, err := th.m.send(t.Context(), []byte{1}); err != nil {
				t.Fatal(err)
			}
		}
		if taken != 255 || rounds != 13 {
			t.Errorf("%d taken in %d rounds", taken, rounds)
		}
	}, "AT+CMGL=4 => full 255 "+wapPDU+" | OK", "AT+CMGL=4 => OK")
}

// leader makes this test a program that opens a port as the leader of a session without a terminal.
const leader = "DMGATE_TEST_LEADER"

func noControllingTerminal(t *testing.T) {
	if path := os.Getenv(leader); path != "" {
		open := func() (any, error) { return OpenPort(path) }
		if os.Getenv(leader+"_PLAIN") != "" {
			open = func() (any, error) { return os.OpenFile(path, os.O_RDWR, 0) } // as xlab does
		}
		_, err := open()
		if tty, ttyErr := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil && ttyErr == nil {
			_ = tty.Close()
			t.Fatal("it is the controlling terminal")
		}
		return
	}
	for _, plain := range []string{"", "yes"} {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestDefects$/^D12")
		cmd.Env = append(os.Environ(), leader+"="+terminal(t).path, leader+"_PLAIN="+plain)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		out, err := cmd.CombinedOutput()
		if taken := strings.Contains(string(out), "it is the controlling terminal"); taken != (plain != "") {
			t.Errorf("plain %q: taken %t, %v\n%s", plain, taken, err, out)
		}
	}
}

func rawMode(t *testing.T) {
	pair := terminal(t)
	mode := func() (*unix.Termios, bool) {
		tio, err := unix.IoctlGetTermios(int(pair.slave.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return tio, tio.Lflag&(unix.ECHO|unix.ICANON|unix.ISIG) == 0 && tio.Iflag&(unix.ICRNL|unix.IXON) == 0 &&
			tio.Oflag&unix.OPOST == 0
	}
	if _, raw := mode(); raw {
		t.Error("a fresh terminal is raw: this test says nothing")
	}
	p, err := OpenPort(pair.path)
	if err != nil {
		t.Fatal(err)
	}
	if tio, raw := mode(); !raw {
		t.Errorf("modes %+v", tio)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func eightBit(t *testing.T) {
	s := push.Submit{Destination: "+491710001", DCS: push.DCSClass1, UD: []byte{1, 2, 0xFF}}
	tpdu := s.Append(nil)
	stage(t, func(t *testing.T, th *theatre) {
		if _, err := th.m.commands(t.Context()).CMGS(len(tpdu), tpdu); err != nil {
			t.Error(err)
		}
		if out := th.out.String(); !strings.Contains(out, "0102FF<Ctrl-Z>") {
			t.Errorf("sent:\n%s", out)
		}
	})
	if r := readReceived(unhex(wapPDU)[1:]); r.Data != "0605040B8423F0010603" || r.Text != "" || r.Problem != "" {
		t.Errorf("%+v", r)
	}
	var theirs sms.Message
	if _, err := theirs.ReadFrom(unhex(wapPDU)); !errors.Is(err, sms.ErrUnknownEncoding) {
		t.Errorf("xlab's has learnt it: %v", err)
	}
}

func nationalNumber(t *testing.T) {
	d := push.Deliver{Originator: "01710001", DCS: push.DCS8Bit, UD: []byte{1}}
	if r := readReceived(d.Append(nil)); r.Sender != d.Originator {
		t.Errorf("%+v", r)
	}
	s := push.Submit{Destination: "01710001", DCS: push.DCS8Bit, UD: []byte{1}}
	if got, err := push.ReadSubmit(s.Append(nil)); err != nil || got.Destination != s.Destination {
		t.Errorf("%+v %v", got, err)
	}
	n, octets, err := sms.PhoneNumber("01710001").PDU()
	if err != nil {
		t.Fatal(err)
	}
	if want := []byte{0xA1, 0x10, 0x17, 0x00, 0x10}; n == 8 && string(octets) == string(want) {
		t.Errorf("xlab's has learnt it: %d % X", n, octets)
	}
}

func missingHeader(t *testing.T) {
	pdu := unhex("0044099194710100F100006211526000000000") // UDHI, and a UDL of 0
	if r := readReceived(pdu[1:]); r.Problem == "" || r.Data != "44099194710100F100006211526000000000" {
		t.Errorf("%+v", r)
	}
	defer func() {
		if recover() == nil {
			t.Error("xlab's has learnt it")
		}
	}()
	var theirs sms.Message
	_, _ = theirs.ReadFrom(pdu)
}

// The end of the port ends the conversation at once; see TestUnplug and the transcripts for what becomes of a push.
func unpluggedAndBack(t *testing.T) {
	stage(t, func(t *testing.T, th *theatre) {
		_, err := th.m.send(t.Context(), []byte{1})
		var doubt *DoubtfulError
		if !errors.As(err, &doubt) || Classify(err) != ModemFault || time.Since(th.began) != 0 {
			t.Errorf("after %s: %v", time.Since(th.began), err)
		}
		th.open()
		if err := th.bringUp(t.Context(), ""); err != nil {
			t.Error(err)
		}
		if mr, err := th.m.send(t.Context(), []byte{1}); mr != 7 || err != nil {
			t.Errorf("%d %v", mr, err)
		}
	}, `PDU => unplug`, `PDU => +CMGS: 7 | OK`)
}
