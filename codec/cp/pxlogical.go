package cp

// Proxies: PXLOGICAL to PXLogical and back.

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

// PXLogical is a proxy by its name, and the hosts that stand for it.
type PXLogical struct {
	ID        string   // PROXY-ID, at most 40 characters; TO-PROXY points here
	Name      string   // shown to the user
	StartPage string   // STARTPAGE, URL
	Domains   []string // DOMAIN: the hosts that it is for; none for all
	Auth      *Login   // PXAUTHINFO, Type HTTP-BASIC or HTTP-DIGEST; nil where it asks for none
	Hosts     []PXPhysical
}

// PXPhysical is a host of a proxy.
type PXPhysical struct {
	ID      string // PHYSICAL-PROXY-ID, at most 40 characters
	Addr    string // PXADDR: a host name or an IPv4 address
	IPv4    bool   // PXADDRTYPE IPV4; without it PXADDRTYPE is left out, and the phone tells by looking
	ToNAPID string // NAPDef.ID of the access point that leads to it
	Ports   []Port
}

// Port is a port of a proxy and what it speaks there.
type Port struct {
	Number  int    // PORTNBR
	Service string // SERVICE: CO-WSP, CL-WSP, OTA-HTTP-TO, ...; empty leaves it out, which is HTTP
}

// pxAuth is the form of PXAUTHINFO.
var pxAuth = loginForm{group: "PXAUTHINFO", kind: "PXAUTH-TYPE", name: "PXAUTH-ID", secret: "PXAUTH-PW"}

func (p *PXLogical) characteristic() Characteristic {
	c := Characteristic{Type: "PXLOGICAL"}
	c.Parms = appendValue(c.Parms, "PROXY-ID", p.ID)
	c.Parms = appendValue(c.Parms, "NAME", p.Name)
	c.Parms = appendValue(c.Parms, "STARTPAGE", p.StartPage)
	for _, d := range p.Domains {
		c.Parms = append(c.Parms, Value("DOMAIN", d))
	}
	if p.Auth != nil {
		c.Children = append(c.Children, p.Auth.characteristic(pxAuth, ""))
	}
	for i := range p.Hosts {
		c.Children = append(c.Children, p.Hosts[i].characteristic())
	}
	return c
}

func (p *PXPhysical) characteristic() Characteristic {
	c := Characteristic{Type: "PXPHYSICAL"}
	c.Parms = appendValue(c.Parms, "PHYSICAL-PROXY-ID", p.ID)
	c.Parms = appendValue(c.Parms, "PXADDR", p.Addr)
	if p.IPv4 {
		c.Parms = append(c.Parms, Value("PXADDRTYPE", "IPV4"))
	}
	c.Parms = appendValue(c.Parms, "TO-NAPID", p.ToNAPID)
	for _, port := range p.Ports {
		of := Characteristic{Type: "PORT", Parms: []Parm{Value("PORTNBR", strconv.Itoa(port.Number))}}
		of.Parms = appendValue(of.Parms, "SERVICE", port.Service)
		c.Children = append(c.Children, of)
	}
	return c
}

// readPXLogical reads a PXLOGICAL that the fields can say whole, and in the order in which they are written.
func readPXLogical(c *Characteristic) (p PXLogical, ok bool) {
	if c.Type != "PXLOGICAL" {
		return p, false
	}
	for _, parm := range c.Parms {
		switch parm.Name {
		case "PROXY-ID":
			p.ID = parm.Value
		case "NAME":
			p.Name = parm.Value
		case "STARTPAGE":
			p.StartPage = parm.Value
		case "DOMAIN":
			p.Domains = append(p.Domains, parm.Value)
		}
	}
	for i := range c.Children {
		child := &c.Children[i]
		if l, _, isAuth := readLogin(child, pxAuth); isAuth {
			p.Auth = &l
		} else {
			p.Hosts = append(p.Hosts, readPXPhysical(child))
		}
	}
	return p, p.ID != "" && p.characteristic().equal(c)
}

func readPXPhysical(c *Characteristic) (p PXPhysical) {
	for _, parm := range c.Parms {
		switch parm.Name {
		case "PHYSICAL-PROXY-ID":
			p.ID = parm.Value
		case "PXADDR":
			p.Addr = parm.Value
		case "PXADDRTYPE":
			p.IPv4 = parm.Value == "IPV4"
		case "TO-NAPID":
			p.ToNAPID = parm.Value
		}
	}
	for i := range c.Children {
		of := &c.Children[i]
		number, _ := of.Get("PORTNBR")
		port := Port{}
		port.Number, _ = parsePort(number)
		port.Service, _ = of.Get("SERVICE")
		p.Ports = append(p.Ports, port)
	}
	return p
}

func (p *PXLogical) validate(naps map[string]bool) error {
	checks := []check{
		{"PROXY-ID", p.ID, maxProxyID, true},
		{"NAME", p.Name, maxName, false},
		{"STARTPAGE", p.StartPage, maxAddr, false},
	}
	for _, d := range p.Domains {
		checks = append(checks, check{"DOMAIN", d, maxAddr, true})
	}
	if l := p.Auth; l != nil {
		if l.Type != "HTTP-BASIC" && l.Type != "HTTP-DIGEST" {
			return fmt.Errorf("PXAUTH-TYPE %q (want HTTP-BASIC or HTTP-DIGEST)", l.Type)
		}
		checks = append(checks, check{"PXAUTH-ID", l.Name, maxUser, true}, check{"PXAUTH-PW", l.Secret, maxSecret, false})
	}
	if err := all(checks); err != nil {
		return err
	}
	if len(p.Hosts) == 0 {
		return errors.New("PXPHYSICAL is missing")
	}
	for i := range p.Hosts {
		if err := p.Hosts[i].validate(naps); err != nil {
			return fmt.Errorf("PXPHYSICAL %d: %w", i+1, err)
		}
	}
	return nil
}

func (p *PXPhysical) validate(naps map[string]bool) error {
	err := all([]check{
		{"PHYSICAL-PROXY-ID", p.ID, maxProxyID, true},
		{"PXADDR", p.Addr, maxAddr, true},
		{"TO-NAPID", p.ToNAPID, maxNAPID, true},
	})
	if err != nil {
		return err
	}
	if !naps[p.ToNAPID] {
		return fmt.Errorf("TO-NAPID %q has no NAPDEF", p.ToNAPID)
	}
	if addr, err := netip.ParseAddr(p.Addr); p.IPv4 && (err != nil || !addr.Is4()) {
		return fmt.Errorf("PXADDR %q is no IPv4 address", p.Addr)
	}
	for _, port := range p.Ports {
		if port.Number < 1 || port.Number > 0xFFFF {
			return fmt.Errorf("PORTNBR %d (want 1 to 65535)", port.Number)
		}
	}
	return nil
}

// equal says whether c and o are the same element by element.
func (c Characteristic) equal(o *Characteristic) bool {
	return c.Type == o.Type && slices.Equal(c.Parms, o.Parms) && slices.Equal(c.Tail, o.Tail) &&
		slices.EqualFunc(c.Children, o.Children, func(a, b Characteristic) bool { return a.equal(&b) })
}
