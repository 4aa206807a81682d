package cp

// Access points: NAPDEF to NAPDef and back.

import "slices"

// NAPDef is a network access point: an APN and the login it asks for.
type NAPDef struct {
	ID       string // NAPID, at most 16 characters; DMAccount.ToNAPID points here
	Name     string // shown to the user
	APN      string // NAP-ADDRESS with NAP-ADDRTYPE APN
	Internet bool   // INTERNET: the way to any host, for applications that name no access point
	Auth     *Login // NAPAUTHINFO, Type PAP or CHAP; nil where the operator asks for none

	Extra []Parm           // further parms, as DNS-ADDR; one called BEARER replaces the usual GSM-GPRS
	Other []Characteristic // further groups, as VALIDITY
}

var (
	bearerGPRS = Value("BEARER", "GSM-GPRS")
	addressAPN = Value("NAP-ADDRTYPE", "APN")
)

func (n *NAPDef) characteristic() Characteristic {
	c := Characteristic{Type: "NAPDEF"}
	c.Parms = appendValue(c.Parms, "NAPID", n.ID)
	c.Parms = appendValue(c.Parms, "NAME", n.Name)
	if !slices.ContainsFunc(n.Extra, func(p Parm) bool { return p.Name == bearerGPRS.Name }) {
		c.Parms = append(c.Parms, bearerGPRS)
	}
	if n.APN != "" {
		c.Parms = append(c.Parms, Value("NAP-ADDRESS", n.APN), addressAPN)
	}
	if n.Internet {
		c.Parms = append(c.Parms, Flag("INTERNET"))
	}
	c.Parms = append(c.Parms, n.Extra...)
	if n.Auth != nil && !slices.ContainsFunc(n.Other, func(o Characteristic) bool {
		l, _, ok := readLogin(&o, napAuth)
		return ok && l == *n.Auth
	}) {
		c.Children = append(c.Children, n.Auth.characteristic(napAuth, ""))
	}
	c.Children = append(c.Children, n.Other...)
	return c
}

// readNAPDef reads a NAPDEF whose address is an APN. One with another kind of address is not understood.
func readNAPDef(c *Characteristic) (n NAPDef, ok bool) {
	if c.Type != "NAPDEF" {
		return n, false
	}
	ps := c.parms()
	takeDefault(&ps, addressAPN)
	if slices.ContainsFunc(ps, func(p Parm) bool { return p.Name == addressAPN.Name }) {
		return n, false
	}
	takeDefault(&ps, bearerGPRS)
	n.ID = take(&ps, "NAPID")
	n.Name = take(&ps, "NAME")
	n.APN = take(&ps, "NAP-ADDRESS")
	n.Internet = takeFlag(&ps, "INTERNET")
	n.Extra = rest(ps)
	for _, child := range c.Children {
		l, whole, ok := readLogin(&child, napAuth)
		if ok && n.Auth == nil {
			n.Auth = &l
			if whole {
				continue
			}
		}
		n.Other = append(n.Other, child)
	}
	return n, true
}
