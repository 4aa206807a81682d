package modemsim

import "strings"

// say puts out lines, each an answer of its own.
func (p *port) say(lines ...string) {
	c := &p.modem.c
	for _, text := range lines {
		if !c.NoLead {
			p.put(c.LineEnd)
		}
		p.put(text)
		p.put(c.LineEnd)
	}
}

// put puts text out as it is. It is written by the next flush.
func (p *port) put(text string) { p.out = append(p.out, text...) }

// flush writes what was put. It comes before everything that takes time.
func (p *port) flush() {
	if len(p.out) > 0 {
		p.line.write(p.out, p.modem.c.Chunk, p.modem.c.Gap)
		p.out = p.out[:0]
	}
}

// result puts out a final result code, in words or, after ATV0, as a digit.
func (p *port) result(text string) {
	if !p.verbose {
		switch text {
		case ok:
			p.put("0\r")
			return
		case refused:
			p.put("4\r")
			return
		}
	}
	p.say(text)
}

// noise is a point where what nobody asked for may come: of send n where that is not -1.
func (p *port) noise(at Point, n int) {
	m := p.modem
	if m.c.Says != nil {
		if text := m.c.Says(at, n); text != "" {
			p.put(text)
		}
	}
	if m.c.Garbage > 0 && p.rng.Float64() < m.c.Garbage {
		b := make([]byte, 1+p.rng.IntN(200))
		for i := range b {
			b[i] = byte(p.rng.Uint32()) | 0x80
		}
		p.put(string(b))
	}
	if m.c.Noise > 0 && p.rng.Float64() < m.c.Noise {
		text := m.c.Lines[p.rng.IntN(len(m.c.Lines))]
		if p.curc || !strings.HasPrefix(text, "^") {
			p.say(text)
		}
	}
	m.release(at)
	p.speak()
}

// release lets go of the reports that were held for a point.
func (m *modem) release(at Point) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.held[at]) > 0 {
		m.reports = append(m.reports, m.held[at]...)
		delete(m.held, at)
	}
}

// speak puts out what waits to be said: what Say has left, and what has arrived as far as AT+CNMI has it.
func (p *port) speak() {
	for {
		m := p.modem
		m.mu.Lock()
		if len(p.says) > 0 {
			text := p.says[0]
			p.says = p.says[1:]
			m.mu.Unlock()
			p.put(text)
			continue
		}
		lines := p.pass()
		m.mu.Unlock()
		if lines == nil {
			return
		}
		if len(lines) > 0 {
			p.say(lines[0])
			for _, text := range lines[1:] {
				p.put(text + m.c.LineEnd)
			}
		}
	}
}
