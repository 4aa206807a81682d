package modemsim

import (
	"fmt"
	"strconv"
	"strings"
)

// maxTyped bounds a command line. What is longer is dropped.
const maxTyped = 1024

// take hears what is typed. A command line ends with CR; ESC empties it.
func (m *modem) take(l *line, b []byte) {
	for i, c := range b {
		if m.echo {
			m.put(l, string(c))
		}
		switch {
		case c == 0x1b:
			m.typed = m.typed[:0]
		case c == '\n':
		case c != '\r':
			if len(m.typed) < maxTyped {
				m.typed = append(m.typed, c)
			}
		default:
			text := string(m.typed)
			m.typed = m.typed[:0]
			rest := m.command(l, text, b[i+1:])
			if rest != nil {
				m.take(l, rest)
			}
			return
		}
	}
}

// command carries out a command line. rest is what was typed after it; what remains of that is returned.
func (m *modem) command(l *line, text string, rest []byte) []byte {
	upper := strings.ToUpper(strings.TrimSpace(text))
	if !strings.HasPrefix(upper, "AT") {
		return rest // not for us
	}
	m.count(func(c *Counts) { c.Commands++ })
	if m.c.Delay > 0 && !m.wait(l, m.c.Delay) {
		return nil
	}
	m.noise(l)
	for _, prefix := range m.c.Refuses {
		if strings.HasPrefix(upper, prefix) {
			m.result(l, "ERROR")
			return rest
		}
	}
	if n, ok := strings.CutPrefix(upper, "AT+CMGS="); ok {
		return m.cmgs(l, n, rest)
	}
	info, result := m.answer(upper[2:])
	for _, line := range info {
		m.say(l, line)
		m.noise(l)
	}
	m.result(l, result)
	m.noise(l)
	return rest
}

const (
	ok      = "OK"
	refused = "ERROR"
)

// answer is the information and the result of a command without its AT.
func (m *modem) answer(body string) (info []string, result string) {
	name, value, set := strings.Cut(body, "=")
	switch {
	case body == "" || body == "Z" || body == "&F" || body == "Q0":
		return nil, ok
	case body == "E0" || body == "E1" || body == "E":
		m.echo = body == "E1" || m.c.StubbornEcho
		return nil, ok
	case body == "V0" || body == "V1":
		m.verbose = body == "V1"
		return nil, ok
	case body == "+CSQ":
		return []string{"+CSQ: 21,99"}, ok
	case body == "+CGSN":
		return []string{fmt.Sprintf("49015420323%04d", m.i)}, ok
	case body == "+CGMI":
		return []string{"modemsim"}, ok
	case body == "+CMEE?":
		return []string{fmt.Sprintf("+CMEE: %d", m.cmee)}, ok
	case set && name == "+CMEE":
		m.cmee, _ = strconv.Atoi(value)
		return nil, ok
	case strings.HasPrefix(body, "+CPIN"):
		return m.cpin(body)
	case body == "+CREG?" || body == "+CEREG?" || body == "+CGREG?":
		return []string{fmt.Sprintf("%s: 0,%d", strings.TrimSuffix(body, "?"), m.registration())}, ok
	}
	if !m.unlocked {
		return nil, m.cme(11)
	}
	switch {
	case body == "+CSCA?":
		if m.c.NoSMSC {
			return []string{`+CSCA: "",129`}, ok
		}
		return []string{`+CSCA: "+491710760000",145`}, ok
	case set && name == "+CSMS":
		m.csms, _ = strconv.Atoi(value)
		return []string{"+CSMS: 1,1,1"}, ok
	case set && name == "+CMGF":
		m.text = value == "1"
		return nil, ok
	case set && name == "+CNMI":
		fields := strings.Split(value, ",")
		m.route = len(fields) > 3 && fields[3] == "1"
		m.repeat()
		m.prod()
		return nil, ok
	case set && name == "+CMMS":
		m.cmms, _ = strconv.Atoi(value)
		return nil, ok
	case set && (name == "+CREG" || name == "+CEREG" || name == "+CSCS" || name == "+CPMS"):
		return nil, ok
	case body == "+CNMA":
		if m.owed == "" {
			return nil, "+CMS ERROR: 340"
		}
		m.owed = ""
		m.count(func(c *Counts) { c.Acks++ })
		m.prod()
		return nil, ok
	}
	return nil, refused
}

// cme is an error of the equipment, as AT+CMEE wants it told.
func (m *modem) cme(code int) string {
	if m.cmee == 0 {
		return refused
	}
	return fmt.Sprintf("+CME ERROR: %d", code)
}

func (m *modem) cpin(body string) (info []string, result string) {
	switch {
	case body == "+CPINR":
		return []string{fmt.Sprintf("+CPINR: SIM PIN,%d,3", m.tries)}, ok
	case body == "+CPIN?" && m.unlocked:
		return []string{"+CPIN: READY"}, ok
	case body == "+CPIN?" && m.tries == 0:
		return []string{"+CPIN: SIM PUK"}, ok
	case body == "+CPIN?":
		return []string{"+CPIN: SIM PIN"}, ok
	}
	value, isSet := strings.CutPrefix(body, "+CPIN=")
	if !isSet {
		return nil, refused
	}
	m.count(func(c *Counts) { c.PINs++ })
	switch {
	case m.unlocked:
		return nil, m.cme(3)
	case m.tries == 0:
		return nil, m.cme(12)
	case strings.Trim(value, `"`) != m.c.PIN:
		m.tries--
		return nil, m.cme(16)
	}
	m.unlocked, m.tries = true, 3
	return nil, ok
}

// registration is 1 (home) once it was asked for often enough, 2 (searching) before.
func (m *modem) registration() int {
	if !m.unlocked {
		return 0
	}
	m.polls++
	if !m.registered() {
		return 2
	}
	return 1
}

func (m *modem) registered() bool { return m.c.RegisterAfter == 0 || m.polls > m.c.RegisterAfter }
