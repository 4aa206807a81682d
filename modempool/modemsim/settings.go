package modemsim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// equipment answers what needs no SIM: who the modem is.
func (p *port) equipment(body string) (info []string, result string, known bool) {
	c := &p.modem.c
	switch body {
	case "+CGSN", "+GSN":
		return []string{fmt.Sprintf(c.IMEIFormat, p.modem.imei())}, ok, true
	case "+CGMI", "+GMI":
		return []string{c.Maker}, ok, true
	case "+CGMM", "+GMM":
		return []string{c.Model}, ok, true
	case "+CGMR", "+GMR":
		return []string{"1.0"}, ok, true
	case "I":
		return []string{"Manufacturer: " + c.Maker, "Model: " + c.Model, "IMEI: " + p.modem.imei()}, ok, true
	}
	return nil, "", false
}

// card answers who the SIM is, and where it is.
func (p *port) card(body string) (info []string, result string, known bool) {
	m := p.modem
	m.mu.Lock()
	imsi, iccid := m.sim.imsi, m.sim.iccid
	m.mu.Unlock()
	switch {
	case body == "+CIMI":
		return []string{imsi}, ok, true
	case body == m.c.ICCIDQuery && body == "^ICCID?":
		return []string{"^ICCID: " + iccid + "F"}, ok, true
	case body == m.c.ICCIDQuery && body == "+ICCID":
		return []string{"ICCID: " + iccid}, ok, true
	case body == m.c.ICCIDQuery:
		return []string{fmt.Sprintf("%s: %q", strings.TrimSuffix(body, "?"), iccid)}, ok, true
	case body == "+COPS?" && !m.registered():
		return []string{"+COPS: 0"}, ok, true
	case body == "+COPS?" && p.cops == 2:
		return []string{`+COPS: 0,2,"26201"`}, ok, true
	case body == "+COPS?":
		return []string{fmt.Sprintf(`+COPS: 0,%d,"Testnet"`, p.cops)}, ok, true
	}
	if value, isSet := strings.CutPrefix(body, "+COPS=3,"); isSet {
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 2 {
			return nil, refused, true
		}
		p.cops = n
		return nil, ok, true
	}
	return nil, "", false
}

// cfun answers AT+CFUN: 1 is on, 0 and 4 are off, and "1,1" restarts the modem.
func (p *port) cfun(body string) (info []string, result string) {
	m := p.modem
	switch body {
	case "+CFUN?":
		return []string{fmt.Sprintf("+CFUN: %d", m.fun)}, ok
	case "+CFUN=0", "+CFUN=1", "+CFUN=4", "+CFUN=1,0":
		m.fun = int(body[6] - '0')
		return nil, ok
	case "+CFUN=1,1":
		p.result(ok)
		m.count(func(c *Counts) { c.Reboots++ })
		p.reboot()
		return nil, ""
	}
	return nil, refused
}

// restarting is how long a modem takes to leave its line, so that its last OK may be read.
const restarting = 20 * time.Millisecond

// reboot restarts the modem from inside: it is deaf for a while, or leaves its lines and comes back.
func (p *port) reboot() {
	m := p.modem
	if m.c.RebootDrops {
		b := m.bank
		p.wait(restarting)
		p.leave()
		time.AfterFunc(m.c.RebootTime, func() { b.back(m.i) })
		return
	}
	if m.c.RebootTime > 0 {
		p.deaf(m.c.RebootTime)
	}
	m.boot()
	p.start()
}

// back plugs a modem in that has left by itself, unless somebody has done so or the bank is closed.
func (b *Bank) back(i int) {
	b.closing.RLock()
	defer b.closing.RUnlock()
	if !b.closed {
		_ = b.Replug(i)
	}
}

func (p *port) csca(body string) (info []string, result string) {
	m := p.modem
	if body == "+CSCA?" {
		kind := 129
		if strings.HasPrefix(m.smsc, "+") {
			kind = 145
		}
		return []string{fmt.Sprintf("+CSCA: %q,%d", m.smsc, kind)}, ok
	}
	value, _, _ := strings.Cut(strings.TrimPrefix(body, "+CSCA="), ",")
	m.smsc = strings.Trim(value, `"`)
	return nil, ok
}

// setCNMI reads or sets what is routed. Fields that are left out stay.
func (p *port) setCNMI(body string) (info []string, result string) {
	n := &p.cnmi
	switch body {
	case "+CNMI?":
		return []string{fmt.Sprintf("+CNMI: %d,%d,%d,%d,%d", n[0], n[1], n[2], n[3], n[4])}, ok
	case "+CNMI=?":
		return []string{"+CNMI: (0-3),(0-3),(0-3),(0-2),(0,1)"}, ok
	}
	fields := strings.Split(strings.TrimPrefix(body, "+CNMI="), ",")
	want := *n
	for i, f := range fields {
		if i >= len(want) {
			return nil, badParameter
		}
		if f = strings.TrimSpace(f); f == "" {
			continue
		}
		v, err := strconv.Atoi(f)
		if err != nil || v < 0 || v > [...]int{3, 3, 3, 2, 1}[i] {
			return nil, badParameter
		}
		want[i] = v
	}
	*n = want
	p.repeat()
	p.prod()
	return nil, ok
}

var charsets = []string{"IRA", "GSM", "UCS2"}

func (p *port) setCSCS(body string) (info []string, result string) {
	switch body {
	case "+CSCS?":
		return []string{fmt.Sprintf("+CSCS: %q", p.cscs)}, ok
	case "+CSCS=?":
		return []string{`+CSCS: ("IRA","GSM","UCS2")`}, ok
	}
	value := strings.Trim(strings.TrimPrefix(body, "+CSCS="), `"`)
	if !slices.Contains(charsets, value) {
		return nil, refused
	}
	p.cscs = value
	return nil, ok
}

// setCPMS reads or sets the memories: for reading, for writing, for what comes in.
func (p *port) setCPMS(body string) (info []string, result string) {
	m := p.modem
	m.mu.Lock()
	defer m.mu.Unlock()
	switch body {
	case "+CPMS?":
		var parts []string
		for _, name := range p.mem {
			parts = append(parts, fmt.Sprintf("%q,%d,%d", name, m.sim.used(name), m.sim.slots))
		}
		return []string{"+CPMS: " + strings.Join(parts, ",")}, ok
	case "+CPMS=?":
		return []string{`+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")`}, ok
	}
	want := p.mem
	for i, name := range strings.Split(strings.TrimPrefix(body, "+CPMS="), ",") {
		name = strings.Trim(name, `" `)
		if i >= len(want) || !slices.Contains(memories, name) {
			return nil, "+CMS ERROR: 302"
		}
		want[i] = name
	}
	p.mem = want
	var parts []string
	for _, name := range p.mem {
		parts = append(parts, fmt.Sprintf("%d,%d", m.sim.used(name), m.sim.slots))
	}
	return []string{"+CPMS: " + strings.Join(parts, ",")}, ok
}
