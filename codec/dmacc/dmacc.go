// Package dmacc writes and reads a DM account as the management object DMAcc, and the bootstrap message of the DM
// profile, which brings one to a phone that does not take OMA client provisioning.
//
// An account is a cp.DMAccount in both profiles: who orders a bootstrap need not know which of them the phone takes.
//
// Sources: OMA-TS-DM_StdObj 1.2 and OMA-TS-DM_Bootstrap 1.2; sections 6.2, 6.4 and 8.1 of the fact sheet.
package dmacc

import (
	"strconv"
	"strings"

	"dmgate/codec/cp"
	"dmgate/codec/tnds"
)

// ID is the id of the management object.
const ID = "urn:oma:mo:oma-dm-dmacc:1.0"

// Values of AAuthLevel: who proves itself with a login, and to whom.
const (
	levelDevice = "CLCRED"  // APPSRV in a provisioning document
	levelServer = "SRVCRED" // CLIENT in a provisioning document
)

const appID = "w7"

// Node is account a as a node of its own called name. Its ACL lets the server read, change and remove the account, as
// it does for one that was provisioned; nothing else could give the server a right to it.
//
// A login without a type is DIGEST where it has a nonce and BASIC where not; of several types the first is written.
// What a has in Extra and Other, terms of provisioning documents, has no place here.
func Node(name string, a *cp.DMAccount) tnds.Node {
	n := tnds.Interior(name, leaf("AppID", appID), leaf("ServerID", a.ServerID))
	n.Props.DDFName = ID
	n.Props.ACL = "Get=" + a.ServerID + "&Replace=" + a.ServerID + "&Delete=" + a.ServerID
	if a.Name != "" {
		n.Children = append(n.Children, leaf("Name", a.Name))
	}
	if a.ToNAPID != "" {
		n.Children = append(n.Children, tnds.Interior("ToConRef", tnds.Interior("1", leaf("ConRef", a.ToNAPID))))
	}
	port := a.Port
	if port == 0 {
		port = cp.DefaultPort(a.Addr) // trap 6
	}
	n.Children = append(n.Children, tnds.Interior("AppAddr", tnds.Interior("1",
		leaf("Addr", a.Addr), leaf("AddrType", "URI"),
		tnds.Interior("Port", tnds.Interior("1", leaf("PortNbr", strconv.Itoa(port)))))))
	if a.Device != (cp.Login{}) {
		n.Children = append(n.Children, leaf("AAuthPref", authType(&a.Device)))
	}
	auth := tnds.Interior("AppAuth")
	for _, l := range []struct {
		level string
		login *cp.Login
	}{{levelDevice, &a.Device}, {levelServer, &a.Server}} {
		if *l.login != (cp.Login{}) {
			auth.Children = append(auth.Children, login(strconv.Itoa(len(auth.Children)+1), l.level, l.login))
		}
	}
	if auth.Children != nil {
		n.Children = append(n.Children, auth)
	}
	return n
}

func leaf(name, value string) tnds.Node { return tnds.Leaf(name, "chr", value) }

func login(name, level string, l *cp.Login) tnds.Node {
	n := tnds.Interior(name, leaf("AAuthLevel", level), leaf("AAuthType", authType(l)), leaf("AAuthName", l.Name),
		leaf("AAuthSecret", l.Secret))
	if l.Nonce != "" {
		data := tnds.Leaf("AAuthData", "bin", l.Nonce)
		data.Props.Type = "application/octet-stream"
		n.Children = append(n.Children, data)
	}
	return n
}

func authType(l *cp.Login) string {
	first, _, _ := strings.Cut(l.Type, ",")
	switch {
	case first != "":
		return first
	case l.Nonce != "":
		return "DIGEST"
	}
	return "BASIC"
}

// Account reads an account from the node of a DMAcc. ok is false where n is none: it has no ServerID or no address.
func Account(n *tnds.Node) (a cp.DMAccount, ok bool) {
	a.ServerID, a.Name = text(n, "ServerID"), text(n, "Name")
	if refs := n.Child("ToConRef"); refs != nil && len(refs.Children) > 0 {
		a.ToNAPID = text(&refs.Children[0], "ConRef")
	}
	if addrs := n.Child("AppAddr"); addrs != nil && len(addrs.Children) > 0 {
		first := &addrs.Children[0]
		a.Addr = text(first, "Addr")
		if ports := first.Child("Port"); ports != nil && len(ports.Children) > 0 {
			port, _ := strconv.ParseUint(text(&ports.Children[0], "PortNbr"), 10, 16) // 0 where it is none
			a.Port = int(port)
		}
	}
	if auth := n.Child("AppAuth"); auth != nil {
		for i := range auth.Children {
			c := &auth.Children[i]
			l := cp.Login{Type: text(c, "AAuthType"), Name: text(c, "AAuthName"), Secret: text(c, "AAuthSecret"),
				Nonce: text(c, "AAuthData")}
			switch text(c, "AAuthLevel") {
			case levelDevice:
				a.Device = l
			case levelServer:
				a.Server = l
			}
		}
	}
	return a, a.ServerID != "" && a.Addr != ""
}

// text is the value of the leaf of n called name; empty where there is none.
func text(n *tnds.Node, name string) string {
	if c := n.Child(name); c != nil {
		return string(c.Value)
	}
	return ""
}
