package modempool

import (
	"cmp"
	"context"
	"regexp"
	"strings"
)

// Identity is what a modem tells of itself and its SIM; empty where it does not. (27.007: +CGSN, +CIMI, +CGMI, +CGMM;
// the ICCID has no command of the standard.)
type Identity struct {
	IMEI, IMSI, ICCID, Maker, Model string
}

// ID is the modem's name wherever it is plugged in: what PushJob.Modem says, and what message references belong to. port
// stands for one that does not tell its IMEI.
func (i Identity) ID(port string) string {
	if i.IMEI == "" {
		return port
	}
	return "IMEI " + i.IMEI
}

// SIM is the card's name, of what is known of it the most certain.
func (i Identity) SIM() string { return cmp.Or(i.ICCID, i.IMSI) }

var (
	imeiForm  = regexp.MustCompile(`\b[0-9]{15}\b`)
	imsiForm  = regexp.MustCompile(`\b[0-9]{6,15}\b`)
	nameForm  = regexp.MustCompile(`[0-9A-Za-z][ !#-~]{1,63}`)
	iccidForm = regexp.MustCompile(`\b89[0-9]{16,18}[0-9Ff]?\b`)
)

// iccidWays are how modems tell the ICCID: Sierra, Quectel and SIMCom; u-blox and Telit; Huawei.
var iccidWays = []string{"AT+CCID", "AT+ICCID", "AT^ICCID?"}

// ask says text and returns the first line of information that has form in it. A modem that refuses tells nothing.
func (m *modem) ask(ctx context.Context, text string, form *regexp.Regexp) (string, error) {
	found := ""
	err := m.at.command(ctx, text, func(line string) bool {
		own, mine := strings.CutPrefix(line, "+"+strings.TrimRight(strings.TrimPrefix(text, "AT+"), "?")+":")
		if found != "" || !mine && wellFormed(line) && !strings.HasPrefix(line, "^ICCID:") { // it came unasked
			return false
		}
		found = form.FindString(own)
		return found != ""
	})
	return found, m.tolerate(err)
}

// identifyModem asks for what does not need the SIM.
func (m *modem) identifyModem(ctx context.Context) (err error) {
	if m.identity.IMEI, err = m.ask(ctx, "AT+CGSN", imeiForm); err != nil {
		return err
	}
	if m.identity.Maker, err = m.ask(ctx, "AT+CGMI", nameForm); err != nil {
		return err
	}
	m.identity.Model, err = m.ask(ctx, "AT+CGMM", nameForm)
	return err
}

// identifyICCID asks for the card's number, which many modems tell before its PIN.
func (m *modem) identifyICCID(ctx context.Context) (err error) {
	for _, way := range iccidWays {
		if m.identity.ICCID, err = m.ask(ctx, way, iccidForm); err != nil || m.identity.ICCID != "" {
			return err
		}
	}
	return nil
}

// identifySIM asks for what the SIM tells once it is open.
func (m *modem) identifySIM(ctx context.Context) (err error) {
	if m.identity.ICCID == "" {
		if err = m.identifyICCID(ctx); err != nil {
			return err
		}
	}
	m.identity.IMSI, err = m.ask(ctx, "AT+CIMI", imsiForm)
	return err
}
