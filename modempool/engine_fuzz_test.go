package modempool

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	xlab "github.com/xlab/at"

	"dmgate/codec/push"
)

// replies separates what the modem says to one command from what it says to the next, in a fuzzer's input.
const replies = '\x1e'

// Whatever a modem says, at any point, from bring-up to its reset: nothing panics or waits for ever, nothing but the
// PDU is typed between AT+CMGS and its end, and an SMS counts as sent only where the modem said so.
func FuzzEngine(f *testing.F) {
	paths, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		if b, err := os.ReadFile("testdata/" + path.Name()); err == nil && strings.HasSuffix(path.Name(), ".txt") {
			f.Add(spoken(b), byte(0))
			f.Add(spoken(b), byte(7))
		}
	}
	f.Add([]byte("\r\n+CMEE: 1\r\n\r\nOK\r\n"), byte(1))
	f.Fuzz(func(t *testing.T, says []byte, piece byte) {
		synctest.Test(t, func(t *testing.T) { babble(t, says, int(piece)) })
	})
}

// spoken is what the modem says in a script, a reply for each command.
func spoken(script []byte) []byte {
	const (
		modem = "  modem  "
		left  = 7 // characters of the time before it
	)
	raw := strings.NewReplacer("<CR LF>", "\r\n", "<CR>", "\r", "<LF>", "\n", "<SP>", " ")
	var out []byte
	speaks := false
	for line := range strings.Lines(string(script)) {
		line = strings.TrimSuffix(line, "\n")
		more, goesOn := strings.CutPrefix(line, strings.Repeat(" ", left+len(modem)))
		switch {
		case len(line) > left && strings.HasPrefix(line[left:], modem):
			if speaks = true; len(out) > 0 {
				out = append(out, replies)
			}
			out = append(out, raw.Replace(line[left+len(modem):])...)
		case goesOn && speaks:
			out = append(out, raw.Replace(more)...)
		default:
			speaks = false
		}
	}
	return out
}

func babble(t *testing.T, says []byte, piece int) {
	here, there := net.Pipe()
	var typed bytes.Buffer
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		next := bytes.Split(says, []byte{replies})
		buf := make([]byte, 1)
		for length := 0; ; {
			if _, err := there.Read(buf); err != nil {
				return
			}
			typed.Write(buf)
			if length++; buf[0] == esc[0] {
				length = 0
			}
			if (buf[0] != '\r' && buf[0] != ctrlZ[0]) || length < 2 || len(next) == 0 {
				continue
			}
			length = 0
			go func(b []byte) {
				for len(b) > 0 {
					n := min(len(b), max(piece, 1))
					if piece == 0 {
						n = len(b)
					}
					if _, err := there.Write(b[:n]); err != nil {
						return
					}
					b = b[n:]
				}
			}(next[0])
			next = next[1:]
		}
	}()
	e := newEngine(here, timing{command: 5 * time.Second, prompt: 10 * time.Second, send: time.Minute},
		&ring{now: time.Now})
	m := newModem(e, 2*time.Second, newSettings())
	began := time.Now()
	ctx := context.Background()
	_ = m.bringUp(ctx, "port", "1234", func(State) {}, func() error { return nil })
	if i := m.identity; len(i.IMEI) > 16 || len(i.IMSI) > 15 || len(i.ICCID) > 20 || len(i.Maker) > maxToldName {
		t.Errorf("identity %+v", i)
	}
	for range 3 {
		m.restart = false
		tpdu := []byte{0x01, 0x02, 0x03}
		mr, err := m.send(ctx, tpdu)
		if err == nil && !bytes.Contains(says, fmt.Append(nil, mr)) {
			t.Errorf("sent with reference %d, which nobody said", mr)
		}
		var doubt *DoubtfulError
		if (err == nil || errors.As(err, &doubt)) && !bytes.Contains(typed.Bytes(), []byte("00010203\x1a")) {
			t.Errorf("%v, and no PDU was typed: %q", err, typed.Bytes())
		}
		_, _ = m.sweep(ctx, func(in inbound) error {
			_ = in.told()
			return nil
		})
		m.lookAtStore()
		_ = m.acknowledge(ctx)
	}
	p := m.commands(ctx)
	_, _ = p.CMGL(xlab.MessageFlags.Any)
	_, _ = p.CMGR(1)
	_, _ = p.SYSINFO()
	_, _ = p.OperatorName()
	_ = m.reset(ctx)
	if d := time.Since(began); d > 3*time.Hour {
		t.Errorf("it took %s", d)
	}
	if len(m.inbox) > maxInbox {
		t.Errorf("%d in the inbox", len(m.inbox))
	}
	if err := e.close(); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	_ = there.Close()
	<-ended
	checkTyped(t, typed.String())
}

// checkTyped looks at what was typed after each AT+CMGS: the PDU and Ctrl-Z, or ESC.
func checkTyped(t *testing.T, typed string) {
	for rest := typed; ; {
		_, after, ok := strings.Cut(rest, "AT+CMGS=3\r")
		if !ok {
			return
		}
		if after != "" && !strings.HasPrefix(after, "00010203") && !strings.HasPrefix(after, esc) {
			t.Errorf("typed after AT+CMGS: %q", after)
		}
		rest = after
	}
}

// Every SMS is readable or kept whole, and a slot's header never makes the inbox lose track.
func FuzzReceived(f *testing.F) {
	for _, pdu := range []string{wapPDU, "0004099194710100F100006211526000000005C8329BFD06",
		"000407D049B7F90D0000621152600000000CE337B90CDAA06E9BD4A60C",
		"0004048110170008621152600000000E0047007200FC00DF006500202713",
		"0044099194710100F100006211526000000011050003090201E061391DF476975920",
		"0044099194710100F100046211526000000000", "000607099194710100F1621152600000006211526000000030"} {
		b, err := hex.DecodeString(pdu)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, "+CMGL: 1,0,,"+fmt.Sprint(len(b)-1))
	}
	f.Fuzz(func(t *testing.T, pdu []byte, header string) {
		in := inbound{header, fmt.Sprintf("%X", pdu)}
		_ = in.isReport()
		if r := in.received("m"); r.Text == "" && r.Data == "" && r.Problem == "" {
			tpdu, err := in.tpdu()
			if err != nil {
				t.Fatalf("nothing of % X, and no problem", pdu)
			}
			if d, err := push.ReadDeliver(tpdu); err != nil || len(d.UD) > 0 && !textless(&d) {
				t.Fatalf("nothing of % X, and no problem: %+v", pdu, d)
			}
		}
		if s, ok := readSlot(header); ok && (s.stat < 0 || s.stat > 255 || s.header != header) {
			t.Fatalf("%q: %+v", header, s)
		}
		if id, ok := readICCID(header); ok && (len(id) < 18 || len(id) > 20) {
			t.Fatalf("%q: ICCID %q", header, id)
		}
	})
}

// textless says whether an SMS has no text behind its header.
func textless(d *push.Deliver) bool {
	if !d.HasUDH {
		return false
	}
	_, body, err := push.ReadUDH(d.UD)
	return err == nil && len(body) <= 1 // at most the bits that fill a septet
}
