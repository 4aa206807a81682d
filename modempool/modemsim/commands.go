package modemsim

import (
	"fmt"
	"strconv"
	"strings"
)

// maxTyped bounds a command line. What is longer is dropped.
const maxTyped = 1024

// take hears what is typed. A command line ends with CR; ESC empties it.
func (p *port) take(b []byte) {
	for len(b) > 0 {
		c := b[0]
		b = b[1:]
		if p.echo {
			p.out = append(p.out, c)
		}
		switch {
		case c == 0x1b:
			p.typed = p.typed[:0]
		case c == '\n':
		case c != '\r':
			if len(p.typed) < maxTyped {
				p.typed = append(p.typed, c)
			}
		default:
			text := string(p.typed)
			p.typed = p.typed[:0]
			b = p.command(text, b)
		}
	}
}

// command carries out a command line. rest is what was typed after it; what remains of that is returned.
func (p *port) command(text string, rest []byte) []byte {
	m := p.modem
	text = strings.ToUpper(strings.TrimSpace(text))
	if !strings.HasPrefix(text, "AT") {
		return rest // not for us
	}
	m.count(func(c *Counts) { c.Commands++ })
	delay := m.c.Delay
	if m.c.DelayOf != nil {
		delay += m.c.DelayOf(text)
	}
	if delay > 0 && !p.wait(delay) {
		return nil
	}
	if n, ok := strings.CutPrefix(text, "AT+CMGS="); ok && !p.refuses(text) {
		return p.cmgs(n, rest)
	}
	p.noise(BeforeAnswer, -1)
	info, result := p.compound(text[2:])
	for _, line := range info {
		p.say(line)
		p.noise(InAnswer, -1)
	}
	if result != "" {
		p.result(result)
	}
	p.noise(AfterAnswer, -1)
	return rest
}

func (p *port) refuses(text string) bool {
	for _, prefix := range p.modem.c.Refuses {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

const (
	ok      = "OK"
	refused = "ERROR"
)

// compound answers the commands of one line: basic ones follow one another (E0V1), extended ones are parted by
// semicolons. The first that fails ends it.
func (p *port) compound(body string) (info []string, result string) {
	for {
		n := 0
		for n < len(body) && strings.IndexByte("EVQXZ&", body[n]) >= 0 {
			n++
			for n < len(body) && (body[n] >= '0' && body[n] <= '9' || body[n-1] == '&') {
				n++
			}
			if p.refuses("AT" + body[:n]) {
				return info, refused
			}
			p.basic(body[:n])
			body, n = body[n:], 0
		}
		one, more, again := strings.Cut(body, ";")
		if one != "" {
			if p.refuses("AT" + one) {
				return info, refused
			}
			lines, result := p.answer(one)
			info = append(info, lines...)
			if result != ok {
				return info, result
			}
		}
		if !again {
			return info, ok
		}
		body = more
	}
}

// basic carries out a command of one letter.
func (p *port) basic(body string) {
	switch body {
	case "E", "E0", "E1":
		p.echo = body == "E1" || p.modem.c.StubbornEcho
	case "V", "V0", "V1":
		p.verbose = body == "V1"
	}
}

// answer is the information and the result of an extended command without its AT.
func (p *port) answer(body string) (info []string, result string) {
	m := p.modem
	switch {
	case body == "+CSQ":
		return []string{"+CSQ: 21,99"}, ok
	case strings.HasPrefix(body, "+CMEE"):
		return p.number(body, &p.cmee, 2)
	case strings.HasPrefix(body, "+CPIN"):
		return p.cpin(body)
	case strings.HasPrefix(body, "+CFUN"):
		return p.cfun(body)
	case strings.HasPrefix(body, "+CREG"), strings.HasPrefix(body, "+CGREG"), strings.HasPrefix(body, "+CEREG"):
		return p.creg(body)
	case strings.HasPrefix(body, "^CURC") && strings.HasPrefix(m.c.Maker, "huawei"):
		n := 0
		if p.curc {
			n = 1
		}
		info, result = p.number(body, &n, 1)
		p.curc = n == 1
		return info, result
	}
	if info, result, known := p.equipment(body); known {
		return info, result
	}
	if code := m.locked(); code != 0 {
		return nil, p.cme(code)
	}
	if info, result, known := p.card(body); known {
		return info, result
	}
	name, _, _ := strings.Cut(strings.TrimSuffix(body, "?"), "=")
	switch name {
	case "+CSCA":
		return p.csca(body)
	case "+CSMS":
		info, result = p.number(body, &p.csms, 1)
		if result == ok && !strings.HasSuffix(body, "?") {
			return []string{"+CSMS: 1,1,1"}, ok
		}
		return info, result
	case "+CMGF":
		n := 0
		if p.text {
			n = 1
		}
		info, result = p.number(body, &n, 1)
		p.text = n == 1
		return info, result
	case "+CMMS":
		return p.number(body, &p.cmms, 2)
	case "+CNMI":
		return p.setCNMI(body)
	case "+CSCS":
		return p.setCSCS(body)
	case "+CPMS":
		return p.setCPMS(body)
	case "+CMGL":
		return p.list(body)
	case "+CMGR":
		return p.readSlot(body)
	case "+CMGD":
		return p.deleteSlot(body)
	case "+CNMA":
		if p.owed == nil {
			return nil, "+CMS ERROR: 340"
		}
		p.owed = nil
		m.count(func(c *Counts) { c.Acks++ })
		p.prod()
		return nil, ok
	}
	return nil, refused
}

// cme is an error of the equipment, as AT+CMEE wants it told.
func (p *port) cme(code int) string {
	switch {
	case p.cmee == 0:
		return refused
	case p.cmee == 2 && cmeText[code] != "":
		return "+CME ERROR: " + cmeText[code]
	}
	return fmt.Sprintf("+CME ERROR: %d", code)
}

var cmeText = map[int]string{
	3: "operation not allowed", 10: "SIM not inserted", 11: "SIM PIN required", 12: "SIM PUK required",
	16: "incorrect password",
}

// locked is the code of what keeps the SIM from being used: no SIM, its PIN or its PUK. 0 is nothing.
func (m *modem) locked() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.c.NoSIM:
		return 10
	case m.sim.unlocked:
		return 0
	case m.sim.tries == 0:
		return 12
	}
	return 11
}

func (p *port) cpin(body string) (info []string, result string) {
	m := p.modem
	code := m.locked()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case code == 10:
		return nil, p.cme(10)
	case body == "+CPINR":
		return []string{fmt.Sprintf("+CPINR: SIM PIN,%d,3", m.sim.tries)}, ok
	case body == "+CPIN?":
		return []string{"+CPIN: " + map[int]string{0: "READY", 11: "SIM PIN", 12: "SIM PUK"}[code]}, ok
	}
	value, isSet := strings.CutPrefix(body, "+CPIN=")
	if !isSet {
		return nil, refused
	}
	m.counts.PINs++
	switch {
	case code == 0:
		return nil, p.cme(3)
	case code == 12:
		return nil, p.cme(12)
	case strings.Trim(value, `"`) != m.sim.pin:
		m.sim.tries--
		return nil, p.cme(16)
	}
	m.sim.unlocked, m.sim.tries = true, 3
	m.prod()
	return nil, ok
}

// creg answers AT+CREG, AT+CGREG and AT+CEREG.
func (p *port) creg(body string) (info []string, result string) {
	m := p.modem
	name, isRead := strings.CutSuffix(body, "?")
	name, _, _ = strings.Cut(name, "=")
	kind := map[string]int{"+CREG": 0, "+CGREG": 1, "+CEREG": 2}[name]
	if !isRead {
		return p.number(body, &p.reg[kind], 2)
	}
	text := fmt.Sprintf("%s: %d,%d", name, p.reg[kind], m.registration(kind))
	if p.reg[kind] == 2 {
		text += `,"00C3","A1B2"`
		if kind == 2 {
			text += ",7"
		}
	}
	return []string{text}, ok
}

// registration is 1 (home) or 5 (roaming) once it was asked for often enough, 2 (searching) before; 0 is not and 3
// denied. kind is as in state.reg.
func (m *modem) registration(kind int) int {
	if m.locked() != 0 || m.fun != 1 || m.c.LTEOnly && kind != 2 {
		return 0
	}
	m.polls++
	switch {
	case m.c.Denied:
		return 3
	case !m.registered():
		return 2
	case m.c.Roaming:
		return 5
	}
	return 1
}

func (m *modem) registered() bool {
	return m.fun == 1 && !m.c.Denied && (m.c.RegisterAfter == 0 || m.polls > m.c.RegisterAfter)
}

// number is a setting of one number between 0 and top: read, set, or asked for its range.
func (p *port) number(body string, n *int, top int) (info []string, result string) {
	if name, isRead := strings.CutSuffix(body, "?"); isRead {
		if name, isTest := strings.CutSuffix(name, "="); isTest {
			return []string{fmt.Sprintf("%s: (0-%d)", name, top)}, ok
		}
		return []string{fmt.Sprintf("%s: %d", name, *n)}, ok
	}
	_, value, _ := strings.Cut(body, "=")
	v, err := strconv.Atoi(value)
	if err != nil || v < 0 || v > top {
		return nil, refused
	}
	*n = v
	return nil, ok
}
