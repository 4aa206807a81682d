package cp

// DM accounts: APPLICATION w7 to DMAccount and back.

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// DMAccount is an APPLICATION with APPID w7: a DM server and the logins of both sides.
//
// An address or a login of a document that was read may hold more than the fields can say. It is then in the fields
// and, whole, in Other, and the writer takes the one in Other for as long as the fields still agree with it.
type DMAccount struct {
	ServerID string // PROVIDER-ID; at most 23 ASCII characters serve every client (trap 9)
	Name     string // shown to the user
	Addr     string // URL of the server
	Port     int    // PORTNBR; 0 is written as DefaultPort(Addr), read where the document names none
	ToNAPID  string // NAPDef.ID of the access point to use; empty leaves it to the phone
	Device   Login  // APPAUTH APPSRV: how the device proves itself to the server
	Server   Login  // APPAUTH CLIENT: how the server proves itself to the device; Name should be ServerID
	Init     bool   // INIT: start a session at once

	Extra []Parm           // further parms, as TO-PROXY or DEFAULTENCODING
	Other []Characteristic // further groups
}

// Values of AAUTHLEVEL. OBEX, the third, is not ours to write.
const (
	levelDevice = "APPSRV"
	levelServer = "CLIENT"
)

// DefaultPort is the port that addr implies: the one in the URL, 443 for https, else 80. S60 appends :80 to any
// address without one, https too (trap 6), so a document always says it.
func DefaultPort(addr string) int {
	u, err := url.Parse(addr)
	if err == nil {
		if port, ok := parsePort(u.Port()); ok {
			return port
		}
	}
	if strings.HasPrefix(strings.ToLower(addr), "https:") {
		return 443
	}
	return 80
}

func (a *DMAccount) characteristic() Characteristic {
	c := Characteristic{Type: "APPLICATION", Parms: []Parm{Value("APPID", "w7")}}
	c.Parms = appendValue(c.Parms, "PROVIDER-ID", a.ServerID)
	c.Parms = appendValue(c.Parms, "NAME", a.Name)
	c.Parms = appendValue(c.Parms, "TO-NAPID", a.ToNAPID)
	c.Parms = append(c.Parms, a.Extra...)
	if a.Addr != "" && !slices.ContainsFunc(a.Other, func(o Characteristic) bool {
		addr, port, _ := readAddr(&o)
		return addr == a.Addr && port == a.Port
	}) {
		c.Children = append(c.Children, a.address())
	}
	if !a.covered(&a.Device, levelDevice) {
		c.Children = append(c.Children, a.Device.characteristic(appAuth, levelDevice))
	}
	if !a.covered(&a.Server, levelServer) {
		c.Children = append(c.Children, a.Server.characteristic(appAuth, levelServer))
	}
	c.Children = append(c.Children, a.Other...)
	if a.Init {
		if len(c.Children) > 0 {
			c.Tail = []Parm{Flag("INIT")}
		} else {
			c.Parms = append(c.Parms, Flag("INIT"))
		}
	}
	return c
}

func (a *DMAccount) address() Characteristic {
	port := a.Port
	if port == 0 {
		port = DefaultPort(a.Addr)
	}
	return Characteristic{
		Type:  "APPADDR",
		Parms: []Parm{Value("ADDR", a.Addr)},
		Children: []Characteristic{
			{Type: "PORT", Parms: []Parm{Value("PORTNBR", strconv.Itoa(port))}},
		},
	}
}

// covered says that l is empty or that a group of Other holds it.
func (a *DMAccount) covered(l *Login, level string) bool {
	return *l == Login{} || slices.ContainsFunc(a.Other, func(o Characteristic) bool {
		held, _, ok := readAppAuth(&o, level)
		return ok && held == *l
	})
}

// readDMAccount reads an APPLICATION whose first APPID is w7.
func readDMAccount(c *Characteristic) (a DMAccount, ok bool) {
	if c.Type != "APPLICATION" {
		return a, false
	}
	if id, _ := c.Get("APPID"); id != "w7" {
		return a, false
	}
	ps := c.parms()
	take(&ps, "APPID")
	a.ServerID = take(&ps, "PROVIDER-ID")
	a.Name = take(&ps, "NAME")
	a.ToNAPID = take(&ps, "TO-NAPID")
	a.Init = takeFlag(&ps, "INIT")
	a.Extra = rest(ps)
	for _, child := range c.Children {
		if !a.readPart(&child) {
			a.Other = append(a.Other, child)
		}
	}
	return a, true
}

// readPart reads an address or a login into its fields if they are still free. It says whether they hold all of it.
func (a *DMAccount) readPart(c *Characteristic) bool {
	if addr, port, whole := readAddr(c); addr != "" && a.Addr == "" {
		a.Addr, a.Port = addr, port
		return whole
	}
	if l, whole, ok := readAppAuth(c, levelDevice); ok && a.Device == (Login{}) {
		a.Device = l
		return whole
	}
	if l, whole, ok := readAppAuth(c, levelServer); ok && a.Server == (Login{}) {
		a.Server = l
		return whole
	}
	return false
}

// readAppAuth reads an APPAUTH of one level that holds a login for DM. HTTP-BASIC and HTTP-DIGEST are logins at a web
// server or proxy on the way.
func readAppAuth(c *Characteristic, level string) (l Login, whole, ok bool) {
	l, whole, ok = readLogin(c, appAuth)
	if got, _ := c.Get(appAuth.level); !ok || got != level || strings.HasPrefix(l.Type, "HTTP-") || l == (Login{}) {
		return Login{}, false, false
	}
	return l, whole, true
}

// readAddr reads an APPADDR. whole is false where there is more in it than an address and a port.
func readAddr(c *Characteristic) (addr string, port int, whole bool) {
	if c.Type != "APPADDR" {
		return "", 0, false
	}
	ps := c.parms()
	addr = take(&ps, "ADDR")
	whole = len(ps) == 0 && len(c.Children) <= 1
	if len(c.Children) > 0 {
		first := &c.Children[0]
		ps := first.parms()
		text := take(&ps, "PORTNBR")
		n, ok := parsePort(text)
		if first.Type != "PORT" || !ok {
			return addr, 0, false
		}
		port = n
		whole = whole && len(ps) == 0 && len(first.Children) == 0 && text == strconv.Itoa(port)
	}
	return addr, port, whole
}

func parsePort(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil && n > 0
}
