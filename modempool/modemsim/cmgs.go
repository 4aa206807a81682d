package modemsim

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dmgate/codec/push"
)

// cmgs carries out AT+CMGS. rest is what was typed after the command line; what remains is returned.
func (p *port) cmgs(length string, rest []byte) []byte {
	m := p.modem
	send := m.sends
	m.sends++
	var f Fault
	if m.c.Fault != nil {
		f = m.c.Fault(send)
	}
	m.enter(typed)
	defer m.enter(idle)
	p.noise(BeforeAnswer, send)
	switch f.Kind {
	case HangBefore:
		p.deaf(f.For)
		return nil
	case RebootBefore:
		m.boot()
		m.mu.Lock()
		m.sim.unlocked = true
		m.mu.Unlock()
		p.start()
		p.put("AT+CMGS=" + length + "\r") // echo is back
	case ErrorForPrompt:
		p.refuse(f.CMS)
		p.noise(AfterOK, send)
		return rest
	}
	if code := m.unfit(); code != 0 {
		p.refuse(code)
		return rest
	}
	if m.c.OKFirst {
		p.result(ok)
	}
	p.noise(BeforePrompt, send)
	if len(rest) > 0 && rest[0] != 0x1b {
		m.count(func(c *Counts) { c.Violations++ })
	}
	if f.Kind != NoPrompt {
		p.put(m.c.Prompt)
	}
	p.noise(AfterPrompt, send)
	if f.Kind == HangAtPrompt {
		p.deaf(f.For)
		return nil
	}
	pdu, rest, sent := p.pdu(rest, f.Kind == LoseCtrlZ)
	if !sent {
		return rest
	}
	p.transmit(send, length, pdu, f)
	return rest
}

// unfit is the code of what keeps the modem from sending, 0 nothing.
func (m *modem) unfit() int {
	switch m.locked() {
	case 10:
		return 310
	case 11:
		return 311
	case 12:
		return 316
	}
	if !m.registered() {
		return 331
	}
	return 0
}

// pdu takes what is typed until Ctrl-Z, or with endless past it until ESC; sent is false where ESC or a hang-up came
// first. Other ports may work meanwhile.
func (p *port) pdu(b []byte, endless bool) (pdu string, rest []byte, sent bool) {
	m := p.modem
	var text []byte
	for {
		for i, c := range b {
			switch {
			case c == 0x1a && !endless:
				return strings.TrimSpace(string(text)), b[i+1:], true
			case c == 0x1b:
				p.result(ok)
				return "", b[i+1:], false
			case len(text) < maxTyped:
				text = append(text, c)
			}
		}
		if p.echo {
			p.out = append(p.out, b...)
		}
		p.flush()
		m.work.Unlock()
		var open, prodded bool
		select {
		case b, open = <-p.line.in:
		case <-p.prodded:
			b, open, prodded = nil, true, true
		}
		m.work.Lock()
		if !open {
			return "", nil, false
		}
		if prodded {
			p.speak()
		}
	}
}

// transmit does with the PDU of a send what f says.
func (p *port) transmit(send int, length, text string, f Fault) {
	m := p.modem
	if p.text {
		m.count(func(c *Counts) { c.Misdialled++ })
		p.answerSend(send)
		return
	}
	s, err := parse(length, text)
	if err != nil {
		m.count(func(c *Counts) { c.Violations++ })
		p.refuse(304)
		return
	}
	switch f.Kind {
	case UnplugBefore:
		p.leave()
		return
	case RefusePDU:
		p.refuse(f.CMS)
		return
	case LosePDU:
		return
	case LateRefusal:
		if p.wait(f.For) {
			p.refuse(f.CMS)
		}
		return
	}
	p.noise(AfterPDU, send)
	m.enter(onAir)
	fate, landed := p.fly(send, &s)
	if !landed {
		return
	}
	if fate.CMS != 0 {
		p.refuse(fate.CMS)
		return
	}
	m.mr++
	m.count(func(c *Counts) { c.Accepted++ })
	if m.bank.options.Ledger != nil {
		m.bank.options.Ledger.record(m.i, &s, m.mr)
	}
	early := s.Report && fate.Report && m.makeReport(&s, fate)
	switch f.Kind {
	case HangAfter:
		p.deaf(f.For)
		return
	case RebootAfter:
		p.reboot()
		return
	case UnplugAfter:
		p.leave()
		return
	case NoAnswer:
		return
	case LateAnswer:
		if !p.wait(f.For) {
			return
		}
	case EagerLate:
		text := fmt.Sprintf("\r\n+CMGS: %d\r\n\r\nOK\r\n", m.mr)
		time.AfterFunc(f.For, func() { p.tell(text) })
		return
	}
	if early {
		p.speak()
	}
	p.answerSend(send)
}

// fly is the time on the air and what comes of it; it is false where the modem is unplugged before the network has
// the SMS.
func (p *port) fly(send int, s *push.Submit) (fate Fate, landed bool) {
	m := p.modem
	air := m.bank.options.AirTime
	if m.c.Air != (Span{}) {
		air = m.c.Air.draw(m.draw(airTimes, send))
	}
	if air > 0 && !p.wait(air) {
		return Fate{}, false
	}
	if m.c.ErrorRate > 0 {
		if r := m.draw(errorsByRate, send); r.Float64() < m.c.ErrorRate {
			return Fate{CMS: m.c.Errors[r.IntN(len(m.c.Errors))]}, true
		}
	}
	m.mu.Lock()
	good := m.sim.spend(m.bank.day(), m.c.DayLimit)
	m.mu.Unlock()
	if !good {
		return Fate{CMS: m.c.DayCMS}, true
	}
	p.flush()
	return m.bank.options.Network.Submit(m.i, s), true
}

// answerSend says that the network has taken an SMS.
func (p *port) answerSend(send int) {
	p.noise(BeforeReference, send)
	p.say(fmt.Sprintf(p.modem.c.Reference, p.modem.mr))
	p.noise(BeforeOK, send)
	p.result(ok)
	p.noise(AfterOK, send)
}

func (p *port) refuse(code int) {
	p.modem.count(func(c *Counts) { c.Refused++ })
	if code == 0 {
		p.result(refused)
		return
	}
	p.say(fmt.Sprintf("+CMS ERROR: %d", code))
}

// parse reads a PDU as typed: the SMSC part, then the TPDU, whose octets AT+CMGS has announced.
func parse(length, text string) (push.Submit, error) {
	n, err := strconv.Atoi(length)
	if err != nil {
		return push.Submit{}, err
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return push.Submit{}, err
	}
	_, tpdu, err := push.CutSMSC(b)
	if err != nil {
		return push.Submit{}, err
	}
	if len(tpdu) != n {
		return push.Submit{}, fmt.Errorf("TPDU of %d octets where %d were announced", len(tpdu), n)
	}
	return push.ReadSubmit(tpdu)
}
