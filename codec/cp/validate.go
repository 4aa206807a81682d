package cp

// What a phone would refuse.

import (
	"fmt"
	"unicode/utf8"

	"dmgate/codec/internal/xmldoc"
)

// Lengths in characters that the S60 client takes (section 6.2); the others in the field take no less.
const (
	maxNAPID    = 16
	maxProxyID  = 40
	maxAPN      = 100
	maxName     = 100
	maxAddr     = 150
	maxServerID = 150
	maxUser     = 100
	maxSecret   = 50
)

// anyNAPDef in TO-NAPID stands for whichever access point has the flag INTERNET.
const anyNAPDef = "INTERNET"

// Validate says what a phone would refuse or cut short: the first thing that is missing, too long, out of order, or
// refers to an access point that is not there.
func (d *Document) Validate() error {
	ids := map[string]bool{anyNAPDef: true}
	for i := range d.NAPDefs {
		n := &d.NAPDefs[i]
		if err := n.validate(); err != nil {
			return fmt.Errorf("cp: NAPDEF %d: %w", i+1, err)
		}
		if ids[n.ID] {
			return fmt.Errorf("cp: NAPDEF %d: NAPID %q is taken", i+1, n.ID)
		}
		ids[n.ID] = true
	}
	for i := range d.Other {
		if c := &d.Other[i]; c.Type == "NAPDEF" {
			id, _ := c.Get("NAPID")
			ids[id] = true
		}
	}
	proxies := map[string]bool{}
	for i := range d.Proxies {
		p := &d.Proxies[i]
		if err := p.validate(ids); err != nil {
			return fmt.Errorf("cp: PXLOGICAL %d: %w", i+1, err)
		}
		if proxies[p.ID] {
			return fmt.Errorf("cp: PXLOGICAL %d: PROXY-ID %q is taken", i+1, p.ID)
		}
		proxies[p.ID] = true
	}
	for i := range d.Accounts {
		a := &d.Accounts[i]
		if err := a.validate(); err != nil {
			return fmt.Errorf("cp: account %d: %w", i+1, err)
		}
		if a.ToNAPID != "" && !ids[a.ToNAPID] {
			return fmt.Errorf("cp: account %d: TO-NAPID %q has no NAPDEF", i+1, a.ToNAPID)
		}
	}
	t := d.Tree()
	for i := range t.Roots {
		if err := t.Roots[i].validate(2); err != nil {
			return fmt.Errorf("cp: %w", err)
		}
	}
	return nil
}

func (n *NAPDef) validate() error {
	checks := []check{
		{"NAPID", n.ID, maxNAPID, true},
		{"NAME", n.Name, maxName, false},
		{"NAP-ADDRESS", n.APN, maxAPN, true},
	}
	if l := n.Auth; l != nil {
		if l.Type != "PAP" && l.Type != "CHAP" {
			return fmt.Errorf("AUTHTYPE %q (want PAP or CHAP)", l.Type)
		}
		checks = append(checks, check{"AUTHNAME", l.Name, maxUser, true}, check{"AUTHSECRET", l.Secret, maxSecret,
			false})
	}
	return all(checks)
}

func (a *DMAccount) validate() error {
	checks := []check{
		{"PROVIDER-ID", a.ServerID, maxServerID, true},
		{"NAME", a.Name, maxName, false},
		{"ADDR", a.Addr, maxAddr, true},
		{"TO-NAPID", a.ToNAPID, maxNAPID, false},
		{"APPSRV AAUTHNAME", a.Device.Name, maxUser, true},
		{"APPSRV AAUTHSECRET", a.Device.Secret, maxSecret, false},
	}
	if a.Server != (Login{}) {
		checks = append(checks,
			check{"CLIENT AAUTHNAME", a.Server.Name, maxUser, true},
			check{"CLIENT AAUTHSECRET", a.Server.Secret, maxSecret, false})
	}
	if a.Port < 0 || a.Port > 0xFFFF {
		return fmt.Errorf("PORTNBR %d (want 1 to 65535)", a.Port)
	}
	for _, l := range []*Login{&a.Device, &a.Server} {
		switch l.Type {
		case "", "BASIC", "DIGEST", "HMAC", "DIGEST,BASIC", "BASIC,DIGEST":
		default:
			return fmt.Errorf("AAUTHTYPE %q (want BASIC, DIGEST, both with a comma, or HMAC)", l.Type)
		}
	}
	return all(checks)
}

// check is a value and what holds for it. Lengths are in characters.
type check struct {
	name, value string
	max         int
	required    bool
}

func all(checks []check) error {
	for _, c := range checks {
		if c.required && c.value == "" {
			return fmt.Errorf("%s is missing", c.name)
		}
		if n := utf8.RuneCountInString(c.value); n > c.max {
			return fmt.Errorf("%s of %d characters (at most %d)", c.name, n, c.max)
		}
	}
	return nil
}

// validate checks what holds for any group: its depth, its text, and the order of parms that clients rely on.
func (c *Characteristic) validate(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s: nested deeper than %d", c.Type, maxDepth)
	}
	if !xmldoc.IsAttr(c.Type) {
		return fmt.Errorf("control character or broken UTF-8 in type %q", c.Type)
	}
	ps := c.parms()
	for _, p := range ps {
		if !xmldoc.IsAttr(p.Name) || !xmldoc.IsAttr(p.Value) {
			return fmt.Errorf("%s: control character or broken UTF-8 in %s=%q", c.Type, p.Name, p.Value)
		}
	}
	if c.Type == "APPLICATION" && (len(ps) == 0 || ps[0].Name != "APPID") {
		return fmt.Errorf("APPLICATION: APPID must be the first parm")
	}
	if c.Type == appAuth.group {
		for _, p := range ps {
			if p.Name == appAuth.level {
				break
			}
			if p.Name == appAuth.name || p.Name == appAuth.secret {
				return fmt.Errorf("APPAUTH: %s before AAUTHLEVEL", p.Name)
			}
		}
	}
	for i := range c.Children {
		if err := c.Children[i].validate(depth + 1); err != nil {
			return err
		}
	}
	return nil
}
