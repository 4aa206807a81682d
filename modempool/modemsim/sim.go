package modemsim

import (
	"fmt"
	"slices"
	"time"
)

// Identity is what a modem says of itself and of its SIM.
type Identity struct {
	IMEI  string // 15 digits, the last of which checks the others
	IMSI  string // 15 digits
	ICCID string // 19 digits, the last of which checks the others
}

// Identity returns who modem i is. SwapSIM changes IMSI and ICCID.
func (b *Bank) Identity(i int) Identity {
	m := b.modems[i]
	m.mu.Lock()
	defer m.mu.Unlock()
	return Identity{IMEI: m.imei(), IMSI: m.sim.imsi, ICCID: m.sim.iccid}
}

func (m *modem) imei() string { return luhn(fmt.Sprintf("49015420%06d", m.i)) }

// SwapSIM puts another SIM into modem i, plugged in or not: another IMSI and ICCID, an empty inbox, no SMS sent today,
// the PIN of the Character and all tries for it. A modem that is plugged in wants the PIN at once.
func (b *Bank) SwapSIM(i int) {
	m := b.modems[i]
	m.mu.Lock()
	defer m.mu.Unlock()
	m.insertSIM(nil)
}

// sim is the card in a modem: what stays when the modem restarts.
type sim struct {
	imsi, iccid string
	pin         string
	tries       int // left
	unlocked    bool
	memory      map[string][]stored // "SM" and "ME", by slot
	slots       int                 // of each
	day, sent   int                 // SMS sent on that day of the bank
}

// stored is an SMS or a status report in a slot; tpdu is nil in a free one.
type stored struct {
	tpdu []byte
	read bool
}

// insertSIM puts the next SIM in, with an inbox.
func (m *modem) insertSIM(inbox [][]byte) {
	s := &sim{
		imsi:   fmt.Sprintf("26201%06d%04d", m.i, m.sims),
		iccid:  luhn(fmt.Sprintf("8949020000%04d%04d", m.i, m.sims)),
		pin:    m.c.PIN,
		tries:  m.c.PINTries,
		slots:  max(m.c.Slots, len(inbox)),
		memory: make(map[string][]stored),
	}
	s.unlocked = s.pin == ""
	for _, tpdu := range inbox {
		s.put("SM", tpdu)
	}
	m.sim = s
	m.sims++
}

// put stores a TPDU in the first free slot of a memory.
func (s *sim) put(memory string, tpdu []byte) (slot int, fits bool) {
	slots := s.memory[memory]
	slot = slices.IndexFunc(slots, func(e stored) bool { return e.tpdu == nil })
	if slot < 0 {
		if slot = len(slots); slot >= s.slots {
			return 0, false
		}
		slots = append(slots, stored{})
	}
	slots[slot] = stored{tpdu: tpdu}
	s.memory[memory] = slots
	return slot, true
}

func (s *sim) used(memory string) int {
	n := 0
	for _, e := range s.memory[memory] {
		if e.tpdu != nil {
			n++
		}
	}
	return n
}

// spend counts an SMS against the limit of a day; it is false where that is reached.
func (s *sim) spend(day, limit int) bool {
	if s.day != day {
		s.day, s.sent = day, 0
	}
	if limit > 0 && s.sent >= limit {
		return false
	}
	s.sent++
	return true
}

// day is the day of the bank, from 0 on.
func (b *Bank) day() int { return int(time.Since(b.start) / b.options.Day) }

// Inbox returns the TPDUs stored in modem i, those on the SIM first.
func (b *Bank) Inbox(i int) [][]byte {
	m := b.modems[i]
	m.mu.Lock()
	defer m.mu.Unlock()
	var out [][]byte
	for _, memory := range memories {
		for _, e := range m.sim.memory[memory] {
			if e.tpdu != nil {
				out = append(out, e.tpdu)
			}
		}
	}
	return out
}

var memories = []string{"SM", "ME"}

// luhn appends the digit that checks digits.
func luhn(digits string) string {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}
