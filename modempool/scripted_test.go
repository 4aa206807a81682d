package modempool

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// scripted is a modem that answers what its script says, and OK to all else. A rule is "COMMAND => REPLY"; of several
// for one command each is used once, the last for ever. A reply is made of parts with "|" between them:
//
//	text        a line: CR LF text CR LF
//	"text"      these bytes, as a Go string
//	wait 3s     time passes; what is typed meanwhile is heard afterwards
//	hang        nothing more is heard or said; "hang 20s" until then
//	unplug      the port goes
//	full 99 PDU so many messages as AT+CMGL lists them, of this PDU without an SMSC
//	nothing     no answer
//
// "AT+CMGS" is the rule for the prompt, "PDU" the one for what comes after Ctrl-Z, "ESC" the one for a PDU cancelled.
type scripted struct {
	port  io.ReadWriteCloser
	in    chan []byte
	says  chan string // unsolicited: parts of a reply
	log   func(who, text string)
	rules *rules

	typed  []byte
	inPDU  bool
	hung   bool
	hungTo time.Time
	done   chan struct{}
}

// rules outlive the port of a modem.
type rules struct {
	mu     sync.Mutex
	byName map[string][]string
}

func (r *rules) add(name, reply string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byName == nil {
		r.byName = make(map[string][]string)
	}
	r.byName[name] = append(r.byName[name], reply)
}

// next returns the reply to a command.
func (r *rules) next(name string) (reply string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.byName[name]
	if len(list) == 0 {
		return "", false
	}
	if len(list) > 1 {
		r.byName[name] = list[1:]
	}
	return list[0], true
}

// plugIn starts a modem on port.
func plugIn(port io.ReadWriteCloser, r *rules, log func(who, text string)) *scripted {
	s := &scripted{port: port, in: make(chan []byte, 4096), says: make(chan string, 16), log: log, rules: r,
		done: make(chan struct{})}
	go func() {
		defer close(s.in)
		buf := make([]byte, 1024)
		for {
			n, err := port.Read(buf)
			if n > 0 {
				s.log("we", string(buf[:n]))
				s.in <- bytes.Clone(buf[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	go s.live()
	return s
}

func (s *scripted) live() {
	defer close(s.done)
	for {
		select {
		case b, open := <-s.in:
			if !open {
				return
			}
			s.hear(b)
		case reply := <-s.says:
			s.reply(reply)
		}
	}
}

func (s *scripted) hear(b []byte) {
	for _, c := range b {
		switch {
		case s.hung && (s.hungTo.IsZero() || time.Now().Before(s.hungTo)):
			s.typed, s.inPDU = nil, false
		case c == 0x1b:
			if s.inPDU {
				s.inPDU, s.typed = false, nil
				s.answer("ESC", `OK`)
			}
			s.typed = nil
		case s.inPDU && c == 0x1a:
			s.inPDU, s.typed = false, nil
			s.answer("PDU", `+CMGS: 7 | OK`)
		case !s.inPDU && c == '\r':
			text := string(s.typed)
			s.typed = nil
			s.command(text)
		case c != '\n':
			s.typed = append(s.typed, c)
		}
	}
}

func (s *scripted) command(text string) {
	name := text
	standard := "OK"
	switch {
	case text == "":
		return
	case strings.HasPrefix(text, "AT+CMGS="):
		name, standard = "AT+CMGS", `"\r\n> "`
		s.inPDU = true
	case text == probe:
		standard = "+CMEE: 1 | OK"
	case text == "AT+CPIN?":
		standard = "+CPIN: READY | OK"
	case text == "AT+CREG?":
		standard = "+CREG: 0,1 | OK"
	case text == "AT+CSQ":
		standard = "+CSQ: 21,99 | OK"
	case text == "AT+CSCA?":
		standard = `+CSCA: "+491710760000",145 | OK`
	case text == "AT+CGSN":
		standard = "490154203237518 | OK"
	case text == "AT+CIMI":
		standard = "262011234567890 | OK"
	case text == "AT+CCID":
		standard = "+CCID: 8949017100000000019 | OK"
	case text == "AT+CGMI":
		standard = "Scripted | OK"
	case text == "AT+CGMM":
		standard = "S1 | OK"
	case text == "AT+COPS?":
		standard = `+COPS: 0,0,"Testnet",7 | OK`
	}
	s.answer(name, standard)
}

func (s *scripted) answer(name, standard string) {
	reply, ok := s.rules.next(name)
	if !ok {
		reply = standard
	}
	s.reply(reply)
}

// reply says the parts of a reply; those between two waits in one write.
func (s *scripted) reply(reply string) {
	var out strings.Builder
	flush := func() {
		if out.Len() > 0 {
			s.log("modem", out.String())
			_, _ = io.WriteString(s.port, out.String()) // the port may have been closed
			out.Reset()
		}
	}
	for part := range strings.SplitSeq(reply, " | ") {
		part = strings.TrimSpace(part)
		verb, arg, _ := strings.Cut(part, " ")
		switch {
		case strings.HasPrefix(part, `"`):
			text, err := strconv.Unquote(part)
			if err != nil {
				panic(fmt.Sprintf("%s: %v", part, err))
			}
			out.WriteString(text)
			if strings.Contains(reply, "ERROR") {
				s.inPDU = false
			}
		case verb == "wait":
			flush()
			<-time.After(duration(arg))
		case verb == "hang":
			flush()
			s.hung, s.inPDU = true, false
			if arg != "" {
				s.hungTo = time.Now().Add(duration(arg))
			}
			s.log("modem", "(hangs)")
			return
		case verb == "unplug":
			flush()
			s.log("modem", "(is unplugged)")
			_ = s.port.Close()
			return
		case verb == "full":
			count, pdu, _ := strings.Cut(arg, " ")
			n, err := strconv.Atoi(count)
			if err != nil {
				panic(err)
			}
			for i := range n {
				fmt.Fprintf(&out, "\r\n+CMGL: %d,1,,%d\r\n%s\r\n", i+1, len(pdu)/2-1, pdu)
			}
		case part == "nothing":
		default:
			if strings.Contains(part, "ERROR") {
				s.inPDU = false
			}
			out.WriteString("\r\n" + part + "\r\n")
		}
	}
	flush()
}

func duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}

// wapPDU is an SMS-DELIVER of 8-bit data with ports, as a WAP push is, behind an empty SMSC.
const wapPDU = "0044099194710100F10004621152600000000A0605040B8423F0010603"
