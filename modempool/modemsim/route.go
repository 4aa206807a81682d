package modemsim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dmgate/codec/push"
)

// smsc is the service centre that everything comes from, as it precedes a TPDU.
const smsc = "07919471016700F0"

// Receive has an SMS come in for modem i. It becomes a +CMT, a +CMTI or lies there unannounced, as AT+CNMI has it; a
// full memory, a locked SIM and an unplugged modem leave it with the network until that has changed.
func (b *Bank) Receive(i int, sms push.Deliver) error {
	if err := sms.Validate(); err != nil {
		return err
	}
	b.ReceiveTPDU(i, sms.Append(nil))
	return nil
}

// ReceiveTPDU is Receive for what is no good SMS.
func (b *Bank) ReceiveTPDU(i int, tpdu []byte) {
	b.modems[i].arrive(arrival{tpdu: slices.Clone(tpdu)}, 1)
}

// Waiting is the number of SMS and reports for modem i that are still with the network.
func (b *Bank) Waiting(i int) int {
	m := b.modems[i]
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.reports) + len(m.incoming)
}

// Values of AT+CNMI's fields.
const (
	routeNone  = 0 // mt: stored silently; ds: not passed on
	routeStore = 1 // mt: stored, +CMTI
	routeTE    = 2 // mt: +CMT
	routeClass = 3 // mt: +CMT for class 3, else as routeStore

	reportTE    = 1 // ds: +CDS
	reportStore = 2 // ds: stored, +CDSI
)

// pass takes one arrival that may be passed on. lines is what is said of it: empty where it is stored silently, nil
// where there is none. work and mu are held.
func (p *port) pass() (lines []string) {
	m := p.modem
	if p.owed != nil || !m.sim.unlocked || m.c.NoSIM {
		return nil
	}
	if len(m.reports) > 0 && p.cnmi[0] != 0 {
		a := m.reports[0]
		switch p.cnmi[3] {
		case reportTE:
			m.reports = m.reports[1:]
			m.counts.Reports++
			p.owe(a)
			return p.render("+CDS", a.tpdu)
		case reportStore:
			if at, fits := m.sim.put(p.mem[2], a.tpdu); fits {
				m.reports = m.reports[1:]
				m.counts.Reports++
				return []string{fmt.Sprintf("+CDSI: %q,%d", p.mem[2], at+m.c.FirstSlot)}
			}
		}
	}
	if len(m.incoming) > 0 {
		a := m.incoming[0]
		mt := p.cnmi[1]
		if mt == routeClass {
			mt = routeStore
			if d, err := push.ReadDeliver(a.tpdu); err == nil && d.DCS&0xf3 == 0xf3 {
				mt = routeTE
			}
		}
		if mt == routeTE {
			if p.cnmi[0] == 0 {
				return nil
			}
			m.incoming = m.incoming[1:]
			m.counts.Received++
			p.owe(a)
			return p.render("+CMT", a.tpdu)
		}
		if mt == routeNone && m.routes() {
			return nil
		}
		if at, fits := m.sim.put(p.mem[2], a.tpdu); fits {
			m.incoming = m.incoming[1:]
			m.counts.Received++
			if mt == routeNone || p.cnmi[0] == 0 {
				return []string{}
			}
			return []string{fmt.Sprintf("+CMTI: %q,%d", p.mem[2], at+m.c.FirstSlot)}
		}
	}
	return nil
}

// routes says whether a port wants to hear of SMS, so that no other stores them silently. work is held.
func (m *modem) routes() bool {
	return slices.ContainsFunc(m.ports, func(p *port) bool { return p.boots == m.boots && p.cnmi[1] != routeNone })
}

// owe remembers what AT+CNMA is due for.
func (p *port) owe(a arrival) {
	if p.csms > 0 {
		p.owed, p.ackDue = &a, time.Now().Add(p.modem.bank.options.Ack)
	}
}

// render is the two lines of a +CDS or +CMT, or the one of a +CDS in text mode.
func (p *port) render(name string, tpdu []byte) []string {
	switch {
	case !p.text && name == "+CMT":
		return []string{fmt.Sprintf("+CMT: ,%d", len(tpdu)), hexPDU(tpdu)}
	case !p.text:
		return []string{fmt.Sprintf("%s: %d", name, len(tpdu)), hexPDU(tpdu)}
	case name == "+CDS":
		return []string{"+CDS: " + describe(tpdu)}
	}
	return []string{"+CMT: " + describe(tpdu), body(tpdu)}
}

// hexPDU is a TPDU with its service centre, as modems write it.
func hexPDU(tpdu []byte) string { return smsc + fmt.Sprintf("%X", tpdu) }

// describe is what text mode says of a TPDU before its text.
func describe(tpdu []byte) string {
	if r, err := push.ReadStatusReport(tpdu); err == nil {
		return fmt.Sprintf("6,%d,%q,145,%q,%q,%d", r.Reference, r.Recipient, stamp(r.SCTS), stamp(r.Discharge), r.Status)
	}
	d, err := push.ReadDeliver(tpdu)
	if err != nil {
		return `"",,""`
	}
	return fmt.Sprintf("%q,,%q", d.Originator, stamp(d.SCTS))
}

// body is the text of an SMS in text mode: always in hex, as modems write what is not of their character set.
func body(tpdu []byte) string {
	d, err := push.ReadDeliver(tpdu)
	if err != nil {
		return ""
	}
	return strings.ToUpper(fmt.Sprintf("%x", d.UD))
}

func stamp(t time.Time) string {
	_, offset := t.Zone()
	return t.Format("06/01/02,15:04:05") + fmt.Sprintf("%+03d", offset/900)
}
