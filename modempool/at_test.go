package modempool

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// script is the other end of an engine: it is told what to expect and what to say, so that what comes late, twice or
// in between is exactly so.
type script struct {
	t    *testing.T
	port net.Conn
	said bytes.Buffer // everything the engine wrote
}

// converse runs say as the modem while talk holds the conversation.
func converse(t *testing.T, say func(s *script), talk func(e *engine)) *script {
	t.Helper()
	here, there := net.Pipe()
	s := &script{t: t, port: there}
	e := newEngine(here, timing{command: 60 * time.Millisecond, prompt: 60 * time.Millisecond,
		send: 60 * time.Millisecond}, &ring{now: time.Now})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		say(s)
		_, _ = io.Copy(&s.said, there) // until the engine hangs up
	}()
	talk(e)
	if err := e.close(); err != nil {
		t.Error(err)
	}
	<-ended
	_ = there.Close()
	return s
}

// hear reads until what the engine wrote ends in text.
func (s *script) hear(text string) {
	buf := make([]byte, 1)
	_ = s.port.SetReadDeadline(time.Now().Add(patience))
	for !strings.HasSuffix(s.said.String(), text) {
		if _, err := s.port.Read(buf); err != nil {
			s.t.Errorf("waited for %q, heard %q: %v", text, s.said.String(), err)
			return
		}
		s.said.Write(buf)
	}
	_ = s.port.SetReadDeadline(time.Time{})
}

func (s *script) say(text string) {
	if text == "" {
		return // a pipe passes an empty write on
	}
	if _, err := io.WriteString(s.port, text); err != nil {
		s.t.Errorf("saying %q: %v", text, err)
	}
}

// D1, D2: an unsolicited line is no answer, and an error is one.
func TestUnsolicitedBeforeError(t *testing.T) {
	var heard []string
	converse(t, func(s *script) {
		s.hear("AT+CSQ\r")
		s.say("\r\nRING\r\n\r\n+CREG: 5\r\n+CME ERROR: 10\r\n")
	}, func(e *engine) {
		e.unsolicited = func(line string) { heard = append(heard, line) }
		err := e.command(t.Context(), "AT+CSQ", nil)
		var cme CMEError
		if !errors.As(err, &cme) || cme != 10 || Classify(err) != ModemFault {
			t.Errorf("error %v", err)
		}
	})
	if strings.Join(heard, " ") != "RING +CREG: 5" {
		t.Errorf("heard %q", heard)
	}
}

// D3: the late answer to a command given up, and those of probes answered together, are nobody else's answers.
func TestLateAnswers(t *testing.T) {
	converse(t, func(s *script) {
		s.hear("AT+ONE\r")
		s.hear("AT+CMEE?\r") // given up
		s.hear("AT+CMEE?\r") // and again
		s.say("\r\n+ONE: 1\r\nOK\r\n\r\n+CMEE: 1\r\nOK\r\n")
		s.hear("AT+TWO\r")
		s.say("\r\n+CMEE: 1\r\n\r\nOK\r\n") // of the second probe
		s.say("\r\n+TWO: 2\r\n\r\nOK\r\n")
		s.hear("AT+THREE\r")
		s.say("\r\n+CMGS: 9\r\n\r\nOK\r\n") // of a send long ago
		s.say("\r\nERROR\r\n")
	}, func(e *engine) {
		var timeout *TimeoutError
		if _, err := e.query(t.Context(), "AT+ONE", "+ONE:"); !errors.As(err, &timeout) || e.dead != nil {
			t.Errorf("error %v, dead %v", err, e.dead)
		}
		if v, err := e.query(t.Context(), "AT+TWO", "+TWO:"); v != "2" || err != nil {
			t.Errorf("AT+TWO: %q %v", v, err)
		}
		if err := e.command(t.Context(), "AT+THREE", nil); !errors.Is(err, ErrRefused) {
			t.Errorf("AT+THREE: %v", err)
		}
	})
}

// What came before a command was given is not its answer.
func TestStaleInput(t *testing.T) {
	converse(t, func(s *script) {
		s.say("\r\nERROR\r\n")
		s.hear("AT\r")
		s.say("\r\nOK\r\n")
	}, func(e *engine) {
		chunk := <-e.chunks // it is there
		e.rest = chunk
		if err := e.command(t.Context(), "AT", nil); err != nil {
			t.Error(err)
		}
	})
}

// D4: an error in place of the prompt ends the send at once and in step; not a byte of the PDU is written.
func TestErrorForPrompt(t *testing.T) {
	s := converse(t, func(s *script) {
		s.hear("AT+CMGS=3\r")
		s.say("\r\n+CMS ERROR: 302\r\n")
		s.hear("AT+CMEE?\r")
		s.say("\r\n+CMEE: 1\r\nOK\r\n")
	}, func(e *engine) {
		_, err := e.submit(t.Context(), []byte{1, 2, 3}, false)
		if !errors.Is(err, CMSError(302)) {
			t.Errorf("error %v", err)
		}
	})
	if strings.Contains(s.said.String(), "010203") {
		t.Errorf("written: %q", s.said.String())
	}
}

// Between AT+CMGS and Ctrl-Z nothing is written but the PDU, and a report that comes there is kept.
func TestReportInsideSend(t *testing.T) {
	var pdus []string
	s := converse(t, func(s *script) {
		s.hear("AT+CMGS=2\r")
		s.say("\r\n+CDS: 4\r\n0001020304\r\n\r\n> ")
		s.hear("\x1a")
		s.say("\r\n+CDS: 2\r\n\r\nRING\r\n0A0B\r\n\r\n+CMGS: 255\r\n\r\nOK\r\n")
	}, func(e *engine) {
		e.pdu = func(header, hex string) { pdus = append(pdus, header+" "+hex) }
		if mr, err := e.submit(t.Context(), []byte{0xAB, 0xCD}, false); mr != 255 || err != nil {
			t.Errorf("%d %v", mr, err)
		}
	})
	if got := strings.Join(pdus, "; "); got != "+CDS: 4 0001020304; +CDS: 2 0A0B" {
		t.Errorf("reports %s", got)
	}
	if got := s.said.String(); got != "AT+CMGS=2\r00ABCD\x1a" {
		t.Errorf("written %q", got)
	}
}

// What the modem says after Ctrl-Z, and what it means.
func TestAnswerAfterPDU(t *testing.T) {
	tests := []struct {
		says  string
		mr    uint8
		doubt bool
		probe bool // the engine has to get back in step
		err   error
	}{
		{"+CMGS: 7\r\n\r\nOK\r\n", 7, false, false, nil},
		{"+CMGS:8\r\rOK\r", 8, false, false, nil},
		{"+CMGS: 9,\"26/01/01\"\r\nOK\r\n", 9, false, false, nil},
		{"+CMGS: 7\r\n", 7, false, true, nil},           // no OK: the network has it all the same
		{"OK\r\n+CMGS: 7\r\n", 7, false, false, nil},    // the wrong way round
		{"OK\r\n", 0, true, true, nil},                  // no reference: perhaps
		{"+CMGS: seven\r\nOK\r\n", 0, true, false, nil}, // the same
		{"", 0, true, true, nil},                        // silence
		{"+CMS ERROR: 42\r\n", 0, false, false, CMSError(42)},
		{"ERROR\r\n", 0, false, false, ErrRefused},
	}
	for _, test := range tests {
		converse(t, func(s *script) {
			s.hear("AT+CMGS=1\r")
			s.say(">")
			s.hear("\x1a")
			s.say(test.says)
			if test.probe {
				s.hear("AT+CMEE?\r")
				s.say("\r\n+CMEE: 1\r\n\r\nOK\r\n")
			}
		}, func(e *engine) {
			mr, err := e.submit(t.Context(), []byte{1}, false)
			var doubt *DoubtfulError
			if mr != test.mr || errors.As(err, &doubt) != test.doubt || test.err != nil && !errors.Is(err, test.err) {
				t.Errorf("%q: %d %v", test.says, mr, err)
			}
			if e.dead != nil {
				t.Errorf("%q: %v", test.says, e.dead)
			}
		})
	}
}

// A modem that says nothing more is dead, and so is a port that has gone: no command after that waits for anything.
func TestDead(t *testing.T) {
	converse(t, func(*script) {}, func(e *engine) {
		err := e.command(t.Context(), "AT", nil)
		if Classify(err) != ModemFault || e.dead == nil {
			t.Errorf("error %v", err)
		}
		if err := e.command(t.Context(), "AT", nil); !errors.Is(err, e.dead) {
			t.Errorf("then %v", err)
		}
	})
	converse(t, func(s *script) { _ = s.port.Close() }, func(e *engine) {
		_, err := e.submit(t.Context(), []byte{1}, false)
		if Classify(err) != ModemFault {
			t.Errorf("error %v", err)
		}
	})
	converse(t, func(*script) {}, func(e *engine) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := e.command(ctx, "AT", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

// The ring keeps what helps and masks what is secret.
func TestRing(t *testing.T) {
	r := ring{now: time.Now}
	for range 3 * ringSize {
		r.sent(masked(`AT+CPIN="4711"`))
		for range 2 * maxLines {
			r.line(shown("OK"))
		}
		r.done()
		r.line(shown(`PIN="4711"`))
		r.line(shown(`+CPIN="4711"`))
		r.line(shown("0011000B914711"))
	}
	all := r.exchanges()
	if len(all) != ringSize {
		t.Errorf("%d exchanges", len(all))
	}
	for _, e := range all {
		if strings.Contains(e.Sent+strings.Join(e.Lines, ""), "4711") || len(e.Lines) > maxLines {
			t.Errorf("%+v", e)
		}
	}
}
