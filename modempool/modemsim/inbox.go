package modemsim

import (
	"fmt"
	"strconv"
	"strings"
)

// Errors of the memory.
const (
	badParameter = "+CMS ERROR: 305"
	badIndex     = "+CMS ERROR: 321"
)

// listing is what AT+CMGL lists: by number in PDU mode, by word in text mode.
var listing = map[string]func(read bool) bool{
	"0": func(read bool) bool { return !read }, `"REC UNREAD"`: func(read bool) bool { return !read },
	"1": func(read bool) bool { return read }, `"REC READ"`: func(read bool) bool { return read },
	"2": func(bool) bool { return false }, `"STO UNSENT"`: func(bool) bool { return false },
	"3": func(bool) bool { return false }, `"STO SENT"`: func(bool) bool { return false },
	"4": func(bool) bool { return true }, `"ALL"`: func(bool) bool { return true },
}

// list answers AT+CMGL. What it lists is read from then on.
func (p *port) list(body string) (info []string, result string) {
	if body == "+CMGL=?" {
		if p.text {
			return []string{`+CMGL: ("REC UNREAD","REC READ","STO UNSENT","STO SENT","ALL")`}, ok
		}
		return []string{"+CMGL: (0-4)"}, ok
	}
	which := strings.TrimPrefix(strings.TrimPrefix(body, "+CMGL"), "=")
	if which == "" {
		which = "0"
	} else if p.text != strings.HasPrefix(which, `"`) {
		return nil, badParameter
	}
	wanted := listing[which]
	if wanted == nil {
		return nil, badParameter
	}
	m := p.modem
	m.mu.Lock()
	defer m.mu.Unlock()
	slots := m.sim.memory[p.mem[0]]
	for i := range slots {
		if e := &slots[i]; e.tpdu != nil && wanted(e.read) {
			header, text := p.shown(e)
			info = append(info, fmt.Sprintf("+CMGL: %d,%s", i+m.c.FirstSlot, header)+m.c.LineEnd+text)
			e.read = true
		}
	}
	return info, ok
}

// shown is a stored SMS without its command and slot.
func (p *port) shown(e *stored) (header, text string) {
	if p.text {
		status := `"REC UNREAD"`
		if e.read {
			status = `"REC READ"`
		}
		return status + "," + describe(e.tpdu), body(e.tpdu)
	}
	status := 0
	if e.read {
		status = 1
	}
	return fmt.Sprintf("%d,,%d", status, len(e.tpdu)), hexPDU(e.tpdu)
}

// slot is the one that a command names, or nil. mu is held.
func (p *port) slot(number string) *stored {
	m := p.modem
	n, err := strconv.Atoi(number)
	slots := m.sim.memory[p.mem[0]]
	if n -= m.c.FirstSlot; err != nil || n < 0 || n >= len(slots) || slots[n].tpdu == nil {
		return nil
	}
	return &slots[n]
}

// readSlot answers AT+CMGR.
func (p *port) readSlot(body string) (info []string, result string) {
	m := p.modem
	m.mu.Lock()
	defer m.mu.Unlock()
	e := p.slot(strings.TrimPrefix(body, "+CMGR="))
	if e == nil {
		return nil, badIndex
	}
	header, text := p.shown(e)
	e.read = true
	return []string{"+CMGR: " + header + m.c.LineEnd + text}, ok
}

// deleteSlot answers AT+CMGD: one slot, or with a second number of 1 to 3 all that was read, of 4 all.
func (p *port) deleteSlot(body string) (info []string, result string) {
	m := p.modem
	number, flag, _ := strings.Cut(strings.TrimPrefix(body, "+CMGD="), ",")
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.prod() // there may be room for what waits
	switch flag {
	case "", "0":
		n, err := strconv.Atoi(number)
		if n -= m.c.FirstSlot; err != nil || n < 0 || n >= m.sim.slots {
			return nil, badIndex
		}
		if e := p.slot(number); e != nil {
			*e = stored{}
		}
		return nil, ok
	case "1", "2", "3", "4":
		slots := m.sim.memory[p.mem[0]]
		for i := range slots {
			if flag == "4" || slots[i].read {
				slots[i] = stored{}
			}
		}
		return nil, ok
	}
	return nil, badParameter
}
