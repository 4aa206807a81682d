package modempool

import (
	"cmp"
	"context"
	"errors"
	"strings"
)

// Identity is what a modem and its SIM tell about themselves. Fields are empty where they do not tell.
type Identity struct {
	IMEI  string // 14 to 16 digits; of the equipment
	IMSI  string // of the subscription
	ICCID string // of the SIM card; tells a swapped SIM also before its PIN
	Maker string
	Model string
}

// ID names the modem for records and counters, whatever port it is found at.
func (i Identity) ID(port string) string {
	if i.IMEI == "" {
		return port
	}
	return "IMEI " + i.IMEI
}

// SIM is the card's name, of what is known of it the most certain.
func (i Identity) SIM() string { return cmp.Or(i.ICCID, i.IMSI) }

// maxToldName bounds the names of maker, model and operator, in characters.
const maxToldName = 64

// identify asks for what is known before the PIN is given. What is refused stays empty.
//
// The ICCID may be read from a locked SIM, though not all modems do: it is asked for again by identifySIM.
func (m *modem) identify(ctx context.Context) error {
	p := m.commands(ctx)
	m.identity = Identity{}
	var err error
	if m.identity.Maker, err = p.name("AT+CGMI", "+CGMI:"); m.gone(ctx, err) != nil {
		return m.gone(ctx, err)
	}
	if m.identity.Model, err = p.ModelName(); m.gone(ctx, err) != nil {
		return m.gone(ctx, err)
	}
	if m.identity.IMEI, err = p.IMEI(); m.gone(ctx, err) != nil {
		return m.gone(ctx, err)
	}
	m.identity.ICCID, err = p.iccid()
	return m.gone(ctx, err)
}

// identifySIM asks for what an unlocked SIM tells.
func (m *modem) identifySIM(ctx context.Context) error {
	p := m.commands(ctx)
	var err error
	if m.identity.ICCID == "" {
		if m.identity.ICCID, err = p.iccid(); m.gone(ctx, err) != nil {
			return m.gone(ctx, err)
		}
	}
	m.identity.IMSI, err = p.digits("AT+CIMI", "+CIMI:", 6, 15)
	return m.gone(ctx, err)
}

// askOperator asks which network serves the modem.
func (m *modem) askOperator(ctx context.Context) (err error) {
	m.operator, err = m.commands(ctx).OperatorName()
	return m.gone(ctx, err)
}

// gone is what remains of an error of a question that may go unanswered: the conversation's end.
func (m *modem) gone(ctx context.Context, err error) error {
	if err == nil || m.at.dead != nil {
		return m.at.dead
	}
	return ctx.Err()
}

// digits says text and returns the first line of min to max digits; with or without a prefix and quotes.
func (p *profile) digits(text, prefix string, min, max int) (string, error) {
	return p.first(text, func(line string) (string, bool) {
		v := unquoted(strings.TrimPrefix(line, prefix))
		return v, len(v) >= min && len(v) <= max && strings.Trim(v, "0123456789") == ""
	})
}

// name says text and returns the first line that is no unsolicited one; with or without a prefix and quotes.
func (p *profile) name(text, prefix string) (string, error) {
	return p.first(text, func(line string) (string, bool) {
		v, ours := strings.CutPrefix(line, prefix)
		if !ours && wellFormed(line) {
			return "", false
		}
		v = unquoted(v)
		return v[:min(len(v), maxToldName)], v != ""
	})
}

// first says text and returns what read makes of the first line that it takes.
func (p *profile) first(text string, read func(line string) (string, bool)) (string, error) {
	var value string
	err := p.at.command(p.ctx, text, func(line string) bool {
		if value != "" {
			return false
		}
		v, ok := read(line)
		if ok {
			value = v
		}
		return ok
	})
	if err == nil && value == "" {
		err = &AnswerError{Command: text}
	}
	return value, err
}

func unquoted(s string) string { return strings.TrimSpace(strings.Trim(strings.TrimSpace(s), `"`)) }

// Ways to ask for the ICCID. The last reads the file EF_ICCID, two digits an octet, the first in the low half.
var iccidWays = []struct{ text, prefix string }{
	{"AT+CCID", "+CCID:"},
	{"AT^ICCID?", "^ICCID:"},
	{"AT+ICCID", "+ICCID:"},
	{"AT+CRSM=176,12258,0,0,10", "+CRSM: 144,0,"},
}

func (p *profile) iccid() (string, error) {
	var err error
	for _, way := range iccidWays {
		var value string
		value, err = p.first(way.text, func(line string) (string, bool) {
			return readICCID(strings.TrimPrefix(line, way.prefix))
		})
		var timeout *TimeoutError
		if err == nil || p.at.dead != nil || errors.As(err, &timeout) || p.ctx.Err() != nil {
			return value, err
		}
	}
	return "", err
}

// readICCID reads an ICCID of 18 to 20 digits, which begins with 89 (E.118). Some modems leave its digits swapped as
// they are in the file, and the F that fills the last octet.
func readICCID(s string) (string, bool) {
	s = strings.ToUpper(unquoted(s))
	if len(s) < 18 || len(s) > 20 || !isHex(s) {
		return "", false
	}
	if strings.HasPrefix(s, "98") && len(s)%2 == 0 {
		b := []byte(s)
		for i := 0; i < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
		s = string(b)
	}
	s = strings.TrimRight(s, "F")
	return s, strings.HasPrefix(s, "89") && len(s) >= 18 && strings.Trim(s, "0123456789") == ""
}
