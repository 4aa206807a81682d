package modempool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// modem is one modem behind an open port, from bring-up to the first fault. Like its engine it belongs to one
// goroutine.
type modem struct {
	at       *engine
	pin      *pinGuard
	identity Identity
	poll     time.Duration // between questions for registration and the SIM's state

	echo     bool      // it does not obey ATE0
	codes    bool      // it obeys AT+CMEE=1
	acks     bool      // phase 2+: each report wants an AT+CNMA
	cnmi     string    // the AT+CNMI it took; empty where it can't tell of reports
	restart  bool      // it has restarted
	suspect  bool      // it may have restarted: see verify
	signal   int       // AT+CSQ: 0 to 31, 99 unknown
	inbox    []inbound // what came routed and is not yet acknowledged
	overflow int       // what came and found the inbox full
	stored   inbox     // what lies in its memories

	operator string // name or number; empty where it does not tell
}

// maxInbox bounds the reports that wait. A phase 2+ modem has one under way, a phase 2 modem as many as it likes.
const maxInbox = 1024

func newModem(at *engine, poll time.Duration, s settings) *modem {
	m := &modem{at: at, poll: poll, pin: &pinGuard{settings: s}, signal: 99}
	m.stored.undying = make(map[string]string)
	at.pdu = func(header, hex string) {
		if len(m.inbox) == maxInbox {
			m.overflow++
			return
		}
		m.inbox = append(m.inbox, inbound{header, hex})
	}
	at.unsolicited = func(line string) {
		// What modems say after a start: u-blox and SIMCom, Cinterion; Huawei, which also says it now and then without one.
		switch name, value, _ := strings.Cut(line, ":"); name {
		case "RDY", "^SYSSTART":
			m.restart = true
		case "^BOOT":
			m.suspect = true
		case "+CMTI", "+CDSI":
			m.stored.notified(value)
		}
	}
	return m
}

// Ways to have status reports routed as +CDS, the best first: buffer 1 keeps what comes while the line is busy.
// The last have them stored and told of as +CDSI. Incoming SMS come as +CMT, or stored and told of as +CMTI.
var cnmiWays = []string{"AT+CNMI=1,2,0,1,0", "AT+CNMI=2,2,0,1,0", "AT+CNMI=1,1,0,1,0", "AT+CNMI=2,1,0,1,0",
	"AT+CNMI=2,1,0,2,0", "AT+CNMI=1,1,0,2,0"}

// bringUp readies the modem for sending, in the order of section 7.2. The ATE0 stands alone, as modems lose what
// follows it on its line. progress is told what is being waited for; met, whose error ends it, that the modem has said
// who it is. port stands for one that does not. A port that nobody answers on gives ErrSilent.
func (m *modem) bringUp(ctx context.Context, port, pin string, progress func(State), met func() error) error {
	progress(Starting)
	if err := m.at.greet(ctx); err != nil {
		return err
	}
	m.restart, m.suspect = false, false
	// Refusals are no reason to stop: the engine copes with echo, and without codes errors are just less telling.
	for _, text := range []string{"ATE0", "ATV1", "AT+CMEE=1"} {
		err := m.at.command(ctx, text, nil)
		if err := m.tolerate(err); err != nil {
			return err
		}
		m.codes = err == nil // of the last one
	}
	m.echo = m.at.echoed
	if err := m.identify(ctx); err != nil {
		return err
	}
	if err := met(); err != nil {
		return err
	}
	m.pin.card = cmp.Or(m.identity.ICCID, m.identity.ID(port))
	if strings.Contains(strings.ToLower(m.identity.Maker), "huawei") {
		// Its signal and mode come every few seconds otherwise.
		if err := m.tolerate(m.at.command(ctx, "AT^CURC=0", nil)); err != nil {
			return err
		}
	}
	if err := m.unlock(ctx, pin); err != nil {
		return err
	}
	if err := m.identifySIM(ctx); err != nil {
		return err
	}
	progress(Searching)
	if err := m.register(ctx); err != nil {
		return err
	}
	progress(Starting)
	if err := m.askOperator(ctx); err != nil {
		return err
	}
	if err := m.checkSMSC(ctx); err != nil {
		return err
	}
	err := m.at.command(ctx, "AT+CSMS=1", nil)
	if m.acks = err == nil; m.tolerate(err) != nil {
		return err
	}
	if err := m.pduMode(ctx); err != nil {
		return err
	}
	if err := m.selectMemory(ctx); err != nil {
		return err
	}
	if err := m.routeReports(ctx); err != nil {
		return err
	}
	// Keeps the radio link between the segments of a push. Modems without it are only slower.
	if err := m.tolerate(m.at.command(ctx, "AT+CMMS=2", nil)); err != nil {
		return err
	}
	return m.checkSignal(ctx)
}

// tolerate drops an error that is only a refusal: what remains ends the conversation or the wait for it.
func (m *modem) tolerate(err error) error {
	var timeout *TimeoutError
	switch {
	case err == nil || m.at.dead != nil:
		return m.at.dead
	case errors.As(err, &timeout), errors.Is(err, context.Canceled):
		return err
	}
	return nil
}

// registerPolls bounds the wait for a network. After that the port is opened anew, which helps some modems.
const registerPolls = 60

// register waits for the network: AT+CREG? for circuit-switched domains, AT+CEREG? for LTE, AT+CGREG? for packets.
func (m *modem) register(ctx context.Context) error {
	asks := []string{"CREG", "CEREG", "CGREG"}
	last := 0
	for range registerPolls {
		for _, name := range asks {
			stat := -1
			err := m.at.command(ctx, "AT+"+name+"?", func(line string) bool {
				n, ok := registration(line, "+"+name+":")
				if ok {
					stat = n
				}
				return ok
			})
			if err := m.tolerate(err); err != nil {
				return err
			}
			switch stat {
			case 1, 5, 6, 7: // home, roaming, and both for SMS only
				return nil
			case -1: // not told
			default:
				last = stat
			}
		}
		if err := pause(ctx, m.poll); err != nil {
			return err
		}
	}
	return faultError(fmt.Sprintf("no network: registration state %d", last))
}

// registration reads the answer "+CREG: n,stat[,...]". The unsolicited line of the same name has no n: "+CREG: stat"
// or `+CREG: stat,"lac","ci"`.
func registration(line, prefix string) (stat int, ok bool) {
	value, ok := strings.CutPrefix(line, prefix)
	if !ok {
		return 0, false
	}
	fields := strings.Split(value, ",")
	if len(fields) < 2 {
		return 0, false
	}
	stat, err := strconv.Atoi(strings.TrimSpace(fields[1]))
	return stat, err == nil
}

// checkSMSC makes sure that the SIM knows its SMSC: without one each send would end with +CMS ERROR: 330.
func (m *modem) checkSMSC(ctx context.Context) error {
	value, err := m.at.query(ctx, "AT+CSCA?", "+CSCA:")
	if err != nil {
		return m.tolerate(err)
	}
	number, _, _ := strings.Cut(value, ",")
	if strings.Trim(number, `" `) == "" {
		return faultError("no SMSC address in the SIM (AT+CSCA?)")
	}
	return nil
}

// routeReports asks for status reports, in the first way the modem takes.
func (m *modem) routeReports(ctx context.Context) error {
	m.cnmi = ""
	for _, text := range cnmiWays {
		err := m.at.command(ctx, text, nil)
		if err == nil {
			m.cnmi = text
			return nil
		}
		if err := m.tolerate(err); err != nil {
			return err
		}
	}
	return nil
}

// unroute has nothing routed to this port any more: what would come here is for another port of the modem to hear.
func (m *modem) unroute(ctx context.Context) {
	if m.cnmi != "" {
		_ = m.at.command(ctx, "AT+CNMI=0,0,0,0,0", nil) // one that refuses goes on as it was
	}
}

// checkSignal asks for the signal strength; it also tells whether the modem is still there.
func (m *modem) checkSignal(ctx context.Context) error {
	value, err := m.at.query(ctx, "AT+CSQ", "+CSQ:")
	if err != nil {
		return m.tolerate(err)
	}
	rssi, _, _ := strings.Cut(value, ",")
	if n, err := strconv.Atoi(rssi); err == nil {
		m.signal = n
	}
	return nil
}

// pduMode sets PDU mode.
func (m *modem) pduMode(ctx context.Context) error {
	if err := m.commands(ctx).CMGF(false); err != nil {
		return fmt.Errorf("PDU mode: %w", err)
	}
	return nil
}

// prepare makes sure, before a burst, that the modem is there and as bring-up has left it. A modem that has restarted
// unnoticed mostly echoes again; one whose echo tells nothing is at least put back into PDU mode.
func (m *modem) prepare(ctx context.Context) error {
	if err := m.pduMode(ctx); err != nil {
		return err
	}
	if m.restart || m.at.echoed && !m.echo {
		return errReset
	}
	if m.suspect {
		return m.verify(ctx)
	}
	return nil
}

// verify finds out whether a modem has restarted: error codes are off again then (AT+CMEE). A modem that does not tell
// has not, as far as anyone knows.
func (m *modem) verify(ctx context.Context) error {
	m.suspect = false
	if !m.codes {
		return nil
	}
	codes, err := m.at.query(ctx, "AT+CMEE?", "+CMEE:")
	if err != nil {
		return m.tolerate(err)
	}
	if m.restart = codes == "0"; m.restart {
		return errReset
	}
	return nil
}

// send sends one SMS-SUBMIT and returns its message reference. See engine.submit for its errors.
func (m *modem) send(ctx context.Context, tpdu []byte) (mr uint8, err error) {
	if m.restart {
		return 0, errReset
	}
	return m.commands(ctx).CMGS(len(tpdu), tpdu)
}

// acknowledge tells the network that what came last is safe. A modem that got no acknowledgement in its time has
// stopped routing, so an error makes us ask for the routing again. It fails only where the conversation ends.
func (m *modem) acknowledge(ctx context.Context) error {
	if !m.acks {
		return nil
	}
	err := m.at.command(ctx, "AT+CNMA", nil)
	if err != nil && m.at.dead == nil && ctx.Err() == nil && m.cnmi != "" {
		if err := m.verify(ctx); err != nil {
			return err
		}
		err = m.at.command(ctx, m.cnmi, nil)
	}
	if err != nil && m.at.dead == nil {
		return ctx.Err()
	}
	return m.at.dead
}
