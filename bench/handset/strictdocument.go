package handset

import "dmgate/codec/cp"

// checkDocument holds a bootstrap document to what every client takes (section 6.2, traps 5, 6 and 9).
func (h *Handset) checkDocument(d *cp.Document) {
	if len(d.Accounts) > 1 {
		h.blame(RuleDocument, "%d DM accounts", len(d.Accounts))
	}
	a := &d.Accounts[0]
	if len(a.ServerID) > 23 || !printable(a.ServerID) {
		h.blame(RuleDocument, "PROVIDER-ID %q (want at most 23 ASCII characters, trap 9)", a.ServerID)
	}
	if a.Port == 0 {
		h.blame(RuleDocument, "no PORTNBR (trap 6)")
	}
	if a.Server.Name != a.ServerID {
		h.blame(RuleDocument, "CLIENT AAUTHNAME %q is not PROVIDER-ID %q (trap 9)", a.Server.Name, a.ServerID)
	}
	if a.Server.Secret == "" {
		h.blame(RuleDocument, "no CLIENT AAUTHSECRET: the server can not prove itself")
	}
	if a.Device.Secret == "" {
		h.blame(RuleDocument, "no APPSRV AAUTHSECRET")
	}
	for _, f := range []struct {
		name, text string
		max        int
	}{
		{"ADDR", a.Addr, 150}, {"NAME", a.Name, 100},
		{"APPSRV AAUTHNAME", a.Device.Name, 100}, {"APPSRV AAUTHSECRET", a.Device.Secret, 50},
		{"CLIENT AAUTHNAME", a.Server.Name, 100}, {"CLIENT AAUTHSECRET", a.Server.Secret, 50},
	} {
		if len(f.text) > f.max {
			h.blame(RuleDocument, "%s of %d characters (at most %d)", f.name, len(f.text), f.max)
		}
	}
	if a.ToNAPID == "" || a.ToNAPID == "INTERNET" {
		return
	}
	for _, n := range d.NAPDefs {
		if n.ID == a.ToNAPID {
			return
		}
	}
	h.blame(RuleDocument, "TO-NAPID %q is no NAPID of the document", a.ToNAPID)
}

func printable(s string) bool {
	for _, c := range []byte(s) {
		if c < 0x20 || c > 0x7E {
			return false
		}
	}
	return true
}
