package modempool

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	xlab "github.com/xlab/at"
)

// What lies in the modem's memories is taken out, so that a full SIM does not keep the network from delivering. What
// is not understood is handed on as it is and deleted like all else: no message can stop a modem (D9, D11).

const (
	inboxRound = 20   // messages taken out until sending goes on; a SIM takes some 0.2 s to delete one
	maxListed  = 1024 // messages of one list; a SIM has up to 255
)

// slot is a message in a memory.
type slot struct {
	index  uint16
	stat   int    // 0 unread, 1 read, 2 unsent, 3 sent
	header string // "+CMGL: index,stat,[alpha],length"
	line   string // its PDU, or what came in its place
}

// readSlot reads the header of a message. ok is false where it is none of PDU mode.
func readSlot(line string) (s slot, ok bool) {
	value, listed := strings.CutPrefix(line, "+CMGL:")
	fields := strings.Split(value, ",")
	if !listed || len(fields) < 3 {
		return s, false
	}
	index, err := strconv.ParseUint(strings.TrimSpace(fields[0]), 10, 16)
	if err != nil {
		return s, false
	}
	stat, err := strconv.ParseUint(strings.TrimSpace(fields[1]), 10, 8)
	return slot{index: uint16(index), stat: int(stat), header: line}, err == nil
}

// errTextMode is a list in text mode: the modem has restarted, and PDU mode is lost with all its settings.
var errTextMode = fmt.Errorf("%w: it lists messages as text", errReset)

// list returns the messages in the selected memory, up to maxListed. A long list takes as long as it takes, so the
// time for an answer begins anew with each line.
func (e *engine) list(ctx context.Context, flag int) ([]slot, error) {
	var (
		found   []slot
		missing bool // the PDU of the last one
		text    bool
	)
	err := e.command(ctx, "AT+CMGL="+strconv.Itoa(flag), func(line string) bool {
		switch {
		case len(found) == maxListed && !missing:
			return false
		case strings.HasPrefix(line, "+CMGL:"):
			s, ok := readSlot(line)
			if missing = ok; ok {
				found = append(found, s)
			}
			text = text || !ok && strings.Contains(line, `"`)
			return true
		case missing && !wellFormed(line):
			found[len(found)-1].line, missing = line, false
			return true
		}
		return false
	})
	if err == nil && text {
		err = errTextMode
	}
	return found, err
}

// stored reads one message; nil where there is none.
func (e *engine) stored(ctx context.Context, index uint16) (*slot, error) {
	var found *slot
	err := e.command(ctx, fmt.Sprintf("AT+CMGR=%d", index), func(line string) bool {
		switch {
		case found == nil && strings.HasPrefix(line, "+CMGR:"):
			found = &slot{index: index, header: line}
			return true
		case found != nil && found.line == "" && !wellFormed(line):
			found.line = line
			return true
		}
		return false
	})
	return found, err
}

// inbox is what is known of the messages that lie in the modem's memories.
type inbox struct {
	own     string            // the memory that is selected but for a moment; empty: the modem does not say
	look    []string          // memories to be listed
	listed  []slot            // what the last list showed and has not been taken out
	in      string            // the memory they are in
	undying map[string]string // PDUs that were handed on and could not be deleted, by memory and index
}

// lookInto has a memory listed by the next sweep. What a modem calls it is one of four names, or its own one.
func (b *inbox) lookInto(memory string) {
	if opt := xlab.MemoryTypes.Resolve(memory); opt != xlab.UnknownStringOpt && b.own != "" {
		memory = opt.ID
	} else {
		memory = b.own
	}
	if !slices.Contains(b.look, memory) {
		b.look = append(b.look, memory)
	}
}

// waits says whether there is something for sweep to do.
func (b *inbox) waits() bool { return len(b.look) > 0 || len(b.listed) > 0 }

// notified takes `+CMTI: "SM",3` and `+CDSI: "SR",3`: a message or a report was stored.
func (b *inbox) notified(value string) {
	memory, _, _ := strings.Cut(value, ",")
	b.lookInto(unquoted(memory))
}

// selectMemory chooses the SIM for what comes in, or the modem's own memory where there is no other.
func (m *modem) selectMemory(ctx context.Context) error {
	p := m.commands(ctx)
	for _, mem := range []xlab.StringOpt{xlab.MemoryTypes.Sim, xlab.MemoryTypes.NvRAM} {
		err := p.CPMS(mem, mem, mem)
		if err == nil {
			m.stored.own = mem.ID
			break
		}
		if err := m.tolerate(err); err != nil {
			return err
		}
	}
	m.lookAtStore()
	return nil
}

// lookAtStore has the modem's memory looked into by the next sweep, for what came without a word.
func (m *modem) lookAtStore() { m.stored.lookInto("") }

// sweep takes out up to inboxRound messages. Each is handed to take and deleted once that has succeeded; an error of
// take ends the round, and the message stays for a later one. more says that there is more. The error is the end of
// the conversation.
//
// A message that could not be deleted is not handed on twice in one life of the modem, but may be in the next.
func (m *modem) sweep(ctx context.Context, take func(inbound) error) (more bool, err error) {
	defer func() {
		if home := m.leave(ctx); err == nil {
			err = home
		}
	}()
	b := &m.stored
	for n := 0; n < inboxRound && b.waits(); n++ {
		if len(b.listed) == 0 { // a list counts as well, for a modem that has news with each of them
			if err := m.listNext(ctx); err != nil {
				return false, err
			}
			continue
		}
		s := b.listed[0]
		if s.stat > 1 { // written by somebody, not received
			b.listed = b.listed[1:]
			continue
		}
		done, err := m.takeOut(ctx, s, take)
		if err != nil || !done {
			return true, err
		}
		b.listed = b.listed[1:]
	}
	return b.waits(), nil
}

// listNext lists the next memory that is to be looked into. One that can't be is passed over.
func (m *modem) listNext(ctx context.Context) error {
	b := &m.stored
	b.in, b.look = b.look[0], b.look[1:]
	p := m.commands(ctx)
	if b.in != b.own {
		if err := p.CPMS(xlab.StringOpt{ID: b.in}, xlab.StringOpt{}, xlab.StringOpt{}); err != nil {
			return m.tolerate(err)
		}
	}
	found, err := m.at.list(ctx, xlab.MessageFlags.Any.ID)
	if err == errTextMode {
		m.restart = true
		return err
	}
	b.listed = found
	return m.tolerate(err)
}

// leave selects the modem's usual memory again.
func (m *modem) leave(ctx context.Context) error {
	b := &m.stored
	if b.in == b.own || b.own == "" || m.at.dead != nil || ctx.Err() != nil {
		return m.gone(ctx, m.at.dead)
	}
	if len(b.listed) > 0 { // the rest is found again
		b.look = append(b.look, b.in)
		b.listed = nil
	}
	b.in = b.own
	return m.tolerate(m.commands(ctx).CPMS(xlab.StringOpt{ID: b.own}, xlab.StringOpt{}, xlab.StringOpt{}))
}

// takeOut hands one message on and deletes it. done is false where it was not taken.
func (m *modem) takeOut(ctx context.Context, s slot, take func(inbound) error) (done bool, err error) {
	if !pduFits(s.header, s.line) {
		// Perhaps only the line was noisy.
		again, err := m.at.stored(ctx, s.index)
		if err := m.tolerate(err); err != nil {
			return false, err
		}
		if again != nil && pduFits(again.header, again.line) {
			s.header, s.line = again.header, again.line
		}
	}
	key := m.stored.in + " " + strconv.Itoa(int(s.index))
	if m.stored.undying[key] != s.line {
		if err := take(inbound{s.header, s.line}); err != nil {
			return false, nil
		}
	}
	err = m.commands(ctx).CMGD(s.index, xlab.DeleteOptions.Index)
	if err == nil {
		delete(m.stored.undying, key)
		return true, nil
	}
	m.stored.undying[key] = s.line // also where it is not known whether it was deleted
	return true, m.tolerate(err)
}
