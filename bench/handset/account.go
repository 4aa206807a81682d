package handset

import (
	"fmt"
	"net"
	"net/url"
	"strconv"

	"dmgate/codec/auth"
	"dmgate/codec/cp"
)

// scheme is a way to prove who one is.
type scheme uint8

const (
	schemeNone scheme = iota // no credential; the server will challenge
	schemeBasic
	schemeMD5
	schemeHMAC // no Cred: a mac beside each message
)

// account is the DM account that a bootstrap document set up: all that the handset knows of its server.
type account struct {
	serverID, name string
	url            string // address and port
	user, password string
	scheme         scheme // remembered over sessions, as S60 does
	nonce          []byte // for the handset's next credential
	serverPassword string
	serverSecret   auth.Secret
	serverNonce    []byte // for the server's next credential
	serverNonceAlt []byte // the other reading of AAUTHDATA, which is no more wrong than ours; nil once it is replaced
	connection     string // TO-NAPID
	init           bool   // start a session at once
}

// newAccount takes the account out of a document, the way make m reads it.
func newAccount(m *Make, d *cp.DMAccount) (*account, error) {
	if d.ServerID == "" || d.Addr == "" || d.Device.Name == "" {
		return nil, fmt.Errorf("w7 account without PROVIDER-ID, ADDR or APPSRV AAUTHNAME") // what S60 requires
	}
	address, err := address(d.Addr, d.Port)
	if err != nil {
		return nil, err
	}
	a := &account{
		serverID: d.ServerID, name: d.Name, url: address, connection: d.ToNAPID, init: d.Init,
		user: d.Device.Name, password: d.Device.Secret,
		serverPassword: d.Server.Secret,
		serverSecret:   auth.NewSecret([]byte(d.ServerID), []byte(d.Server.Secret)),
	}
	if d.Device.Nonce != "" {
		a.nonce = m.Nonce.nonce(d.Device.Nonce)
	}
	if d.Server.Nonce != "" {
		a.serverNonce = m.Nonce.nonce(d.Server.Nonce)
		a.serverNonceAlt = m.Nonce.other().nonce(d.Server.Nonce)
	}
	switch m.Auth {
	case Basic:
		a.scheme = schemeBasic
	case ByAAData:
		a.scheme = schemeBasic
		if d.Device.Nonce != "" {
			a.scheme = schemeMD5
		}
	case MD5:
		if d.Device.Nonce != "" {
			a.scheme = schemeMD5
		}
	}
	return a, nil
}

// address is addr with port. Without any port it is ":80", for https too, as S60 has it (trap 6).
func address(addr string, port int) (string, error) {
	u, err := url.Parse(addr)
	if err != nil {
		return "", fmt.Errorf("ADDR: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("ADDR %q is no http or https URL", addr)
	}
	switch {
	case port != 0:
		u.Host = net.JoinHostPort(u.Hostname(), strconv.Itoa(port))
	case u.Port() == "":
		u.Host = net.JoinHostPort(u.Hostname(), "80")
	}
	return u.String(), nil
}

// credential is the Type and Data of the credential that the handset proves itself with.
func (a *account) credential(nonce []byte) (kind string, data []byte) {
	switch a.scheme {
	case schemeBasic:
		return auth.TypeBasic, auth.AppendBasic(nil, []byte(a.user), []byte(a.password))
	case schemeMD5:
		secret := auth.NewSecret([]byte(a.user), []byte(a.password))
		digest := secret.MD5(nonce)
		return auth.TypeMD5, digest[:]
	}
	return "", nil
}

// generated is the name that a handset makes up for its account's node (section 8.5).
const generated = "DMId000"

// account12 is ./DMAcc/X of DM 1.2 (section 8.1). Secrets and nonces have no Get.
func account12(a *account) *node {
	hidden := func(name, format string) *node {
		n := leaf(name, "").as(format)
		n.rights = mayReplace
		return n
	}
	login := func(name, level, user string) *node {
		return interior(name,
			leaf("AAuthLevel", level), leaf("AAuthType", "DIGEST"), leaf("AAuthName", user).with(mayReplace),
			hidden("AAuthSecret", formatChr), hidden("AAuthData", formatBin),
		)
	}
	n := interior(generated,
		leaf("AppID", "w7"), leaf("ServerID", a.serverID), leaf("Name", a.name).with(mayReplace),
		leaf("PrefConRef", a.connection).with(mayReplace),
		interior("AppAddr", interior("Addr000",
			leaf("Addr", a.url).with(mayReplace), leaf("AddrType", "URI"),
			interior("Port", interior("Port001", leaf("PortNbr", port(a.url)).with(mayReplace))),
		)),
		interior("AppAuth", login("Auth000", "CLCRED", a.user), login("Auth001", "SRVCRED", a.serverID)),
		interior("Ext"),
	)
	return n.with(mayReplace | mayDelete)
}

// account11 is ./SyncML/DMAcc/X of DM 1.1 (section 8.1).
func account11(a *account) *node {
	hidden := func(name string) *node {
		n := leaf(name, "")
		n.rights = mayReplace
		return n
	}
	n := interior(generated,
		leaf("Addr", a.url).with(mayReplace), leaf("AddrType", "1").as(formatInt),
		leaf("PortNbr", port(a.url)).with(mayReplace), leaf("ConRef", a.connection), leaf("ServerId", a.serverID),
		hidden("ServerPW"), hidden("ServerNonce"), leaf("UserName", a.user), hidden("ClientPW"), hidden("ClientNonce"),
		leaf("AuthPref", "BASIC"), leaf("Name", a.name),
	)
	return n.with(mayReplace | mayDelete)
}

func port(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Port()
}
