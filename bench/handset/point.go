package handset

import (
	"slices"
	"strconv"

	"dmgate/codec/cp"
)

// AccessPoint is a way into the network: an APN and the login that it asks for.
type AccessPoint struct {
	ID, Name, APN        string // NAPID, NAME, NAP-ADDRESS
	Auth, User, Password string // PAP or CHAP; empty where it asks for no login
}

// Proxy is a PXLOGICAL with the first address that it has.
type Proxy struct {
	ID, Name, Start string // PROXY-ID, NAME, STARTPAGE
	Addr            string // PXADDR
	Port            int    // PORTNBR; 0 for none
	NAPID           string // TO-NAPID: the AccessPoint it is reached by
}

// AccessPoints are those that provisioning documents have set up or, where the tree has a place for them, the ones that
// stand there now.
func (h *Handset) AccessPoints() []AccessPoint {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.Make.points == nil {
		if h.beside == nil {
			return nil
		}
		return slices.Clone(h.beside.points)
	}
	t := h.tree()
	var all []AccessPoint
	for _, k := range t.find(h.Make.points).kids {
		all = append(all, readPoint(k))
	}
	return all
}

// Proxies are those that provisioning documents have set up.
func (h *Handset) Proxies() []Proxy {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.beside == nil {
		return nil
	}
	return slices.Clone(h.beside.proxies)
}

// takePoints takes the access points and proxies of a document and says how many that is. One that has the ID of an
// older one takes its place.
func (h *Handset) takePoints(d *cp.Document) int {
	n := 0
	for i := range d.NAPDefs {
		p := newPoint(&d.NAPDefs[i])
		b := h.has()
		b.points = put(b.points, p, func(o AccessPoint) bool { return o.ID == p.ID })
		h.change(func(t *tree) { p.show(h.Make, t) })
		n++
	}
	roots := d.Tree().Roots
	for i := range roots {
		if roots[i].Type == "PXLOGICAL" {
			p := newProxy(&roots[i])
			b := h.has()
			b.proxies = put(b.proxies, p, func(o Proxy) bool { return o.ID == p.ID })
			n++
		}
	}
	return n
}

// put is all with one in the place of the first that is the same, or at the end.
func put[T any](all []T, one T, same func(T) bool) []T {
	if i := slices.IndexFunc(all, same); i >= 0 {
		all[i] = one
		return all
	}
	return append(all, one)
}

func newPoint(n *cp.NAPDef) AccessPoint {
	p := AccessPoint{ID: n.ID, Name: n.Name, APN: n.APN}
	if n.Auth != nil {
		p.Auth, p.User, p.Password = n.Auth.Type, n.Auth.Name, n.Auth.Secret
	}
	return p
}

func newProxy(c *cp.Characteristic) Proxy {
	var p Proxy
	p.ID, _ = c.Get("PROXY-ID")
	p.Name, _ = c.Get("NAME")
	p.Start, _ = c.Get("STARTPAGE")
	for i := range c.Children {
		if physical := &c.Children[i]; physical.Type == "PXPHYSICAL" && p.Addr == "" {
			p.Addr, _ = physical.Get("PXADDR")
			p.NAPID, _ = physical.Get("TO-NAPID")
			p.Port = proxyPort(physical)
		}
		p.Port = max(p.Port, proxyPort(c))
	}
	return p
}

// proxyPort is the port that a PORT group of c names; 0 for none.
func proxyPort(c *cp.Characteristic) int {
	for i := range c.Children {
		if port := &c.Children[i]; port.Type == "PORT" {
			text, _ := port.Get("PORTNBR")
			n, _ := strconv.Atoi(text)
			return n
		}
	}
	return 0
}

// nap is ./NAP of ConnMO (section 8.4). Whatever a server calls the access point that it adds, the handset gives it a
// name of its own (trap 22).
func nap() *node {
	text := func(name string) *node { return leaf(name, "").with(mayReplace) }
	hidden := leaf("AuthSecret", "")
	hidden.rights = mayReplace
	ref := interior("").takes(text("ConRef"))
	return interior("NAP").called("NAPId%03d").takes(interior("").takes(
		text("NAPID"), text("Name"), text("Addr"), text("AddrType"), text("BearerType"), text("BearerParams"), text("DNS"),
		text("AutoDNS").as(formatBool), text("IPAddr"), text("NetMask"), text("Gateway"), text("Startpg"),
		interior("AuthInfo").takes(interior("").takes(text("AuthType"), text("AuthName"), hidden)),
		interior("Ports").takes(interior("").takes(text("PortNbr"))),
		interior("ToConRef").takes(ref),
	)).object("urn:oma:mo:oma-connmo-nap:1.0")
}

// show puts p into the tree, where the make has a place for it.
func (p *AccessPoint) show(m *Make, t *tree) {
	all := t.find(m.points)
	if m.points == nil || all == nil {
		return
	}
	name := all.free(all.names, 1)
	for _, k := range all.kids {
		if k.text("NAPID") == p.ID {
			name = k.name
		}
	}
	text := func(name, value string) *node { return leaf(name, value).with(mayReplace | mayDelete) }
	n := interior(name,
		text("NAPID", p.ID), text("Name", p.Name), text("Addr", p.APN), text("AddrType", "APN"),
		text("BearerType", "GSM-GPRS"),
	).with(mayDelete | mayAdd)
	if p.Auth != "" {
		secret := text("AuthSecret", p.Password)
		secret.rights &^= mayGet
		n.kids = append(n.kids, interior("AuthInfo", interior("Auth001",
			text("AuthType", p.Auth), text("AuthName", p.User), secret,
		)))
	}
	t.put(join(m.points, name), n)
}

// readPoint is the access point that n shows.
func readPoint(n *node) AccessPoint {
	p := AccessPoint{ID: n.text("NAPID"), Name: n.text("Name"), APN: n.text("Addr")}
	if info := n.child("AuthInfo"); info != nil && len(info.kids) > 0 {
		a := info.kids[0]
		p.Auth, p.User, p.Password = a.text("AuthType"), a.text("AuthName"), a.text("AuthSecret")
	}
	return p
}
