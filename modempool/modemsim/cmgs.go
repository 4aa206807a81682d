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
func (m *modem) cmgs(l *line, length string, rest []byte) []byte {
	var f Fault
	if m.c.Fault != nil {
		f = m.c.Fault(m.sends)
	}
	m.sends++
	switch f.Kind {
	case HangBefore:
		m.deaf(l, f.For)
		return nil
	case RebootBefore:
		m.boot()
		m.unlocked = true
		m.put(l, "AT+CMGS="+length+"\r") // echo is back
	case ErrorForPrompt:
		m.refuse(l, f.CMS)
		return rest
	}
	if !m.unlocked {
		m.refuse(l, 311)
		return rest
	}
	if !m.registered() {
		m.refuse(l, 331)
		return rest
	}
	if m.c.OKFirst {
		m.result(l, ok)
	}
	m.noise(l)
	if len(rest) > 0 && rest[0] != 0x1b {
		m.count(func(c *Counts) { c.Violations++ })
	}
	if f.Kind != NoPrompt {
		m.put(l, m.c.Prompt)
	}
	pdu, rest, sent := m.pdu(l, rest)
	if !sent {
		return rest
	}
	m.transmit(l, length, pdu, f)
	return rest
}

// pdu takes what is typed until Ctrl-Z; sent is false where ESC or a hang-up came first.
func (m *modem) pdu(l *line, b []byte) (pdu string, rest []byte, sent bool) {
	var text []byte
	for {
		for i, c := range b {
			switch {
			case c == 0x1a:
				return strings.TrimSpace(string(text)), b[i+1:], true
			case c == 0x1b:
				m.result(l, ok)
				return "", b[i+1:], false
			case len(text) < maxTyped:
				text = append(text, c)
			}
		}
		if m.echo {
			m.put(l, string(b))
		}
		select {
		case next, open := <-l.in:
			if !open {
				return "", nil, false
			}
			b = next
		case <-m.prodded:
			m.speak(l)
			b = nil
		}
	}
}

// transmit does with a PDU what f says.
func (m *modem) transmit(l *line, length, text string, f Fault) {
	if m.text {
		m.count(func(c *Counts) { c.Misdialled++ })
		m.answerSend(l)
		return
	}
	s, err := parse(length, text)
	if err != nil {
		m.count(func(c *Counts) { c.Violations++ })
		m.refuse(l, 304)
		return
	}
	switch f.Kind {
	case UnplugBefore:
		m.gone(l)
		return
	case RefusePDU:
		m.refuse(l, f.CMS)
		return
	case LosePDU:
		return
	case LateRefusal:
		if m.wait(l, f.For) {
			m.refuse(l, f.CMS)
		}
		return
	}
	m.noise(l)
	if m.bank.options.AirTime > 0 && !m.wait(l, m.bank.options.AirTime) {
		return
	}
	fate := m.bank.options.Network.Submit(m.i, &s)
	if fate.CMS != 0 {
		m.refuse(l, fate.CMS)
		return
	}
	m.mr++
	m.count(func(c *Counts) { c.Accepted++ })
	early := false
	if s.Report && fate.Report {
		early = m.makeReport(&s, fate)
	}
	switch f.Kind {
	case HangAfter:
		m.deaf(l, f.For)
		return
	case UnplugAfter:
		m.gone(l)
		return
	case NoAnswer:
		return
	case LateAnswer:
		if !m.wait(l, f.For) {
			return
		}
	case EagerLate:
		mr := m.mr
		time.AfterFunc(f.For, func() { m.bank.Say(m.i, fmt.Sprintf("\r\n+CMGS: %d\r\n\r\nOK\r\n", mr)) })
		return
	}
	if early {
		m.speak(l)
	}
	m.noise(l)
	m.answerSend(l)
}

// answerSend says that the network has taken an SMS.
func (m *modem) answerSend(l *line) {
	m.say(l, fmt.Sprintf(m.c.Reference, m.mr))
	m.noise(l)
	m.result(l, ok)
	m.noise(l)
}

func (m *modem) refuse(l *line, code int) {
	m.count(func(c *Counts) { c.Refused++ })
	if code == 0 {
		m.result(l, refused)
		return
	}
	m.say(l, fmt.Sprintf("+CMS ERROR: %d", code))
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

// maxReports bounds the reports that wait to be routed.
const maxReports = 4096

// makeReport has the status report of an SMS sent in its time. early says that this is before the SMS is answered.
func (m *modem) makeReport(s *push.Submit, fate Fate) (early bool) {
	var ways ReportWays
	if m.c.Report != nil {
		ways = m.c.Report(m.reported)
	}
	m.reported++
	if ways.Lost {
		return false
	}
	now := time.Now().Truncate(time.Second)
	r := push.StatusReport{Reference: m.mr, Recipient: s.Destination, SCTS: now, Discharge: now, Status: fate.Status}
	if ways.WrongReference {
		r.Reference += 100
	}
	tpdu := r.Append(nil)
	text := fmt.Sprintf("+CDS: %d\n%s", len(tpdu), "07919471016700F0"+strings.ToUpper(hex.EncodeToString(tpdu)))
	deliver := func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.reports) >= maxReports {
			m.counts.Dropped++
			return
		}
		m.reports = append(m.reports, text)
		if ways.Twice {
			m.reports = append(m.reports, text)
		}
	}
	if ways.Early {
		deliver()
		return true
	}
	time.AfterFunc(fate.After+ways.Late, func() {
		deliver()
		m.prod()
	})
	return false
}
