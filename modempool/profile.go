package modempool

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	xlab "github.com/xlab/at"
)

// profile is the vocabulary of commands over an engine, in the shape of xlab's at.DeviceProfile: set as the Commands
// of an at.Device it gives that library an engine without the faults of its own (D1 to D17).
//
// A command that the modem refuses fails with a CMSError, CMEError or ErrRefused, one that it does not answer with a
// *TimeoutError, a lost SMS with a *DoubtfulError, and an answer that can't be read with an *AnswerError.
type profile struct {
	ctx  context.Context // of the commands: the interface has none
	at   *engine
	echo bool // the modem does not obey ATE0
}

var _ xlab.DeviceProfile = (*profile)(nil)

// commands is the vocabulary for as long as ctx lasts.
func (m *modem) commands(ctx context.Context) *profile {
	return &profile{ctx: ctx, at: m.at, echo: m.echo}
}

// AnswerError is a command that succeeded without the answer that it should have had.
type AnswerError struct {
	Command string
	Line    string // what was there in its place; empty: nothing that could be taken for it
}

func (e *AnswerError) Error() string {
	if e.Line == "" {
		return e.Command + ": no answer before its OK"
	}
	return fmt.Sprintf("%s: can't read %q", e.Command, e.Line)
}

// do says a command that has no answer but its result.
func (p *profile) do(format string, args ...any) error {
	return p.at.command(p.ctx, fmt.Sprintf(format, args...), nil)
}

// ask says a command and returns its one line of information, without prefix.
func (p *profile) ask(text, prefix string) (string, error) {
	value, err := p.at.query(p.ctx, text, prefix)
	if err == nil && value == "" {
		err = &AnswerError{Command: text}
	}
	return value, err
}

// Init readies the modem for PDUs and tells d, if there is one, what it is. Unlike xlab's it needs no vendor's command
// and leaves the inbox as it is (D9): nothing in there can keep a modem from being used.
func (p *profile) Init(d *xlab.Device) error {
	if err := p.at.greet(p.ctx); err != nil {
		return err
	}
	for _, text := range []string{"ATE0", "ATV1", "AT+CMEE=1"} {
		if err := p.do("%s", text); p.over(err) {
			return err
		}
	}
	p.echo = p.at.echoed
	if err := p.CMGF(false); err != nil {
		return fmt.Errorf("PDU mode: %w", err)
	}
	if d == nil {
		return nil
	}
	state := xlab.NewDeviceState()
	var err error
	if state.ModelName, err = p.ModelName(); p.over(err) {
		return err
	}
	if state.IMEI, err = p.IMEI(); p.over(err) {
		return err
	}
	if state.OperatorName, err = p.OperatorName(); p.over(err) {
		return err
	}
	info, err := p.SYSINFO()
	if p.over(err) {
		return err
	}
	if err == nil {
		state.ServiceState, state.ServiceDomain, state.RoamingState = info.ServiceState, info.ServiceDomain, info.RoamingState
		state.SystemMode, state.SystemSubmode, state.SimState = info.SystemMode, info.SystemSubmode, info.SimState
	}
	d.State = state
	return nil
}

// over says whether err ends the conversation.
func (p *profile) over(err error) bool { return err != nil && (p.at.dead != nil || p.ctx.Err() != nil) }

// CMGS sends a TPDU of length octets; octets may have the SMSC part before it, as xlab's sms writes it.
func (p *profile) CMGS(length int, octets []byte) (byte, error) {
	switch {
	case length > 0 && length == len(octets):
		return p.at.submit(p.ctx, octets, p.echo)
	case length > 0 && len(octets) > 0 && length == len(octets)-1-int(octets[0]):
		return p.at.submitVia(p.ctx, octets, length, p.echo)
	}
	return 0, fmt.Errorf("AT+CMGS: TPDU of %d octets in a PDU of %d", length, len(octets))
}

// CMGR reads the message at index. In the octets the SMSC part goes before the TPDU.
func (p *profile) CMGR(index uint16) ([]byte, error) {
	s, err := p.at.stored(p.ctx, index)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, &AnswerError{Command: fmt.Sprintf("AT+CMGR=%d", index)}
	}
	return s.octets(fmt.Sprintf("AT+CMGR=%d", index))
}

// CMGL lists the messages in the selected memory that flag is for. One that can't be read has no payload, so that it
// can be deleted.
func (p *profile) CMGL(flag xlab.Opt) ([]xlab.MessageSlot, error) {
	found, err := p.at.list(p.ctx, flag.ID)
	if err != nil {
		return nil, err
	}
	slots := make([]xlab.MessageSlot, len(found))
	for i := range found {
		octets, _ := found[i].octets("AT+CMGL")
		slots[i] = xlab.MessageSlot{Index: found[i].index, Payload: octets}
	}
	return slots, nil
}

// octets is the PDU of a message.
func (s *slot) octets(command string) ([]byte, error) {
	b, err := hex.DecodeString(s.line)
	if err != nil || len(b) == 0 {
		return nil, &AnswerError{Command: command, Line: shown(s.line)}
	}
	return b, nil
}

// CMGD deletes the message at index, or those that option names. The default option is left out: old modems do not
// know it.
func (p *profile) CMGD(index uint16, option xlab.Opt) error {
	if option.ID == xlab.DeleteOptions.Index.ID {
		return p.do("AT+CMGD=%d", index)
	}
	return p.do("AT+CMGD=%d,%d", index, option.ID)
}

// CMGF selects text mode or PDU mode. In text mode AT+CMGS would take the length of a PDU for a number.
func (p *profile) CMGF(text bool) error { return p.do("AT+CMGF=%d", flag(text)) }

// CNMI says how what the network sends is to be told of.
func (p *profile) CNMI(mode, mt, bm, ds, bfr int) error {
	return p.do("AT+CNMI=%d,%d,%d,%d,%d", mode, mt, bm, ds, bfr)
}

// CPMS selects the memories to read from, to write to, and for what comes in. Without the last two only the first.
func (p *profile) CPMS(mem1, mem2, mem3 xlab.StringOpt) error {
	if mem2.ID == "" {
		return p.do("AT+CPMS=%q", mem1.ID)
	}
	return p.do("AT+CPMS=%q,%q,%q", mem1.ID, mem2.ID, mem3.ID)
}

// COPS says how the operator is to be named, and with auto that it is to be chosen by itself. Without auto the choice
// stays as it is.
func (p *profile) COPS(auto, text bool) error {
	mode, format := 3, 2
	if auto {
		mode = 0
	}
	if text {
		format = 0
	}
	return p.do("AT+COPS=%d,%d", mode, format)
}

// OperatorName asks which operator serves the modem: `+COPS: 0,0,"name",7`. It is a number where COPS said so.
func (p *profile) OperatorName() (string, error) {
	const command = "AT+COPS?"
	value, err := p.ask(command, "+COPS:")
	if err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(value, ",")
	_, rest, _ = strings.Cut(rest, ",")
	name := ""
	if quoted, ok := strings.CutPrefix(strings.TrimSpace(rest), `"`); ok {
		name, _, _ = strings.Cut(quoted, `"`) // it may hold a comma
	} else {
		name, _, _ = strings.Cut(rest, ",")
	}
	if name == "" {
		return "", &AnswerError{Command: command, Line: "+COPS: " + value}
	}
	return name[:min(len(name), maxToldName)], nil
}

// ModelName asks for the model.
func (p *profile) ModelName() (string, error) { return p.name("AT+CGMM", "+CGMM:") }

// IMEI asks for the IMEI, 14 to 16 digits: with or without its check digit, or with the software version.
func (p *profile) IMEI() (string, error) { return p.digits("AT+CGSN", "+CGSN:", 14, 16) }

// SYSINFO asks a Huawei modem for its state.
func (p *profile) SYSINFO() (*xlab.SystemInfoReport, error) {
	const command = "AT^SYSINFO"
	value, err := p.ask(command, "^SYSINFO:")
	if err != nil {
		return nil, err
	}
	info := new(xlab.SystemInfoReport)
	if err := info.Parse(value); err != nil {
		return nil, &AnswerError{Command: command, Line: "^SYSINFO:" + value}
	}
	return info, nil
}

// SYSCFG switches roaming, and calls beside packets, on a Huawei modem.
func (p *profile) SYSCFG(roaming, cellular bool) error {
	return p.do("AT^SYSCFG=2,2,3FFFFFFF,%d,%d", flag(roaming), 1+flag(cellular))
}

// CUSD sends an USSD request. Its reply comes unsolicited.
func (p *profile) CUSD(reporting xlab.Opt, octets []byte, enc xlab.Encoding) error {
	return p.do(`AT+CUSD=%d,"%X",%d`, reporting.ID, octets, enc)
}

// CLIP says whether callers are to be told of.
func (p *profile) CLIP(on bool) error { return p.do("AT+CLIP=%d", flag(on)) }

// CHUP hangs up.
func (p *profile) CHUP() error { return p.do("AT+CHUP") }

// BOOT answers the token that a Huawei modem says after its start.
func (p *profile) BOOT(token uint64) error {
	return p.do("AT^BOOT=%s,0", strconv.FormatUint(token, 10))
}

func flag(on bool) int {
	if on {
		return 1
	}
	return 0
}

// Refused says whether err is a modem's refusal: it answered, and will not.
func refusal(err error) bool {
	var cms CMSError
	var cme CMEError
	return errors.As(err, &cms) || errors.As(err, &cme) || errors.Is(err, ErrRefused)
}
