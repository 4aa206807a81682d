package handset

import (
	"fmt"

	"dmgate/codec/cp"
	"dmgate/codec/push"
)

const maxPINTries = 3 // section 6.1

// document is a bootstrap document that waits for its PIN.
type document struct {
	sec   push.SEC
	mac   string
	body  []byte
	tries int
}

// Receive takes the user data, with its header, of one short message. Segments may come in any order. Who sent them is
// not looked at: a bootstrap is proved by its MAC.
func (h *Handset) Receive(ud []byte) {
	h.mu.Lock()
	defer h.unlock()
	h.result.SMS++
	h.note(GotSMS, "")
	if h.box == nil {
		h.box = new(push.Reassembler)
	}
	pdu, ports, done, err := h.box.Add("", ud)
	if h.box.Pending() == 0 {
		h.box = nil
	}
	switch {
	case err != nil:
		h.blame(RuleSMS, "%v", err)
	case !done:
	case ports.Dst != push.PortPush:
		h.blame(RuleSMS, "destination port %d (want %d)", ports.Dst, push.PortPush)
	default:
		h.receivePush(pdu)
	}
}

func (h *Handset) receivePush(pdu []byte) {
	h.result.Pushes++
	p, err := push.ReadPush(pdu)
	if err != nil {
		h.blame(RulePush, "%v", err)
		return
	}
	if p.TypeName == "" && p.ContentType == push.TypeConnectivityWBXML {
		h.receiveDocument(&p)
		return
	}
	h.note(GotPush, p.Type())
	switch {
	case p.TypeName != "":
	case p.ContentType == push.TypeX509CACert:
		h.trust(p.Body)
	case p.ContentType == push.TypeNotification:
		h.notification(&p)
	case p.ContentType >= push.TypeSI && p.ContentType <= push.TypeSLC:
		h.indication(&p)
	}
}

func (h *Handset) receiveDocument(p *push.Push) {
	h.result.Documents++
	h.note(GotDocument, fmt.Sprintf("SEC %d, %d bytes", p.SEC, len(p.Body)))
	switch {
	case !p.Signed:
		h.blame(RulePush, "bootstrap document without SEC and MAC")
		h.note(DroppedPush, "unsigned")
		return
	case p.MAC != "" && p.MAC == h.lastMAC:
		h.result.Duplicates++
		h.note(DroppedPush, "applied already")
		return
	case p.MAC != "" && h.doc != nil && p.MAC == h.doc.mac:
		h.result.Duplicates++
		h.note(DroppedPush, "waits for its PIN already")
		return
	}
	if p.SEC != push.UserPINMAC {
		h.checkMACForm(p.MAC)
	}
	h.doc = &document{sec: p.SEC, mac: p.MAC, body: append([]byte(nil), p.Body...)}
	if p.SEC == push.NetwPIN {
		h.open()
		return
	}
	if h.Temper.Refuses {
		h.doc, h.state = nil, Refused
		h.note(UserRefused, "")
		return
	}
	if h.account == nil {
		h.state = AwaitsPIN
	}
	h.note(AskedPIN, "")
	h.typePIN()
}

// checkMACForm holds the server to upper-case hex: one client compares the text (section 6.1).
func (h *Handset) checkMACForm(mac string) {
	if len(mac) != 40 {
		h.blame(RuleMAC, "MAC of %d characters (want 40)", len(mac))
		return
	}
	for _, c := range mac {
		if (c < '0' || c > '9') && (c < 'A' || c > 'F') {
			h.blame(RuleMAC, "MAC %q is not upper-case hex", mac)
			return
		}
	}
}

// open checks a document that needs no user.
func (h *Handset) open() {
	if push.Verify(h.doc.sec, h.doc.mac, push.Key{IMSI: h.IMSI}, h.doc.body) {
		h.apply()
		return
	}
	h.blame(RuleMAC, "MAC does not fit the IMSI")
	h.note(DroppedPush, "wrong MAC")
	h.doc = nil
}

// Tell tells the user a PIN. It serves one document, there already or still to come.
func (h *Handset) Tell(pin string) {
	h.mu.Lock()
	defer h.unlock()
	h.pin = pin
	h.typePIN()
}

// typePIN lets the user type until the document opens, his tries are up, or he needs to be told again.
func (h *Handset) typePIN() {
	for h.doc != nil && h.pin != "" {
		typed := h.pin
		mistake := h.mistypes > 0
		if mistake {
			h.mistypes--
			typed = misspelt(typed)
		}
		h.result.PINTries++
		h.doc.tries++
		if push.Verify(h.doc.sec, h.doc.mac, push.Key{IMSI: h.IMSI, PIN: typed}, h.doc.body) {
			h.apply()
			return
		}
		h.note(WrongPIN, typed)
		if !mistake {
			h.blame(RuleMAC, "MAC does not fit the PIN that the user was told")
			h.pin = ""
		}
		if h.doc.tries == maxPINTries {
			h.doc, h.pin = nil, ""
			if h.account == nil {
				h.state = Lost
			}
			h.note(DroppedPush, "no tries left")
			return
		}
		h.note(AskedPIN, "")
	}
}

// misspelt is pin with its last digit wrong.
func misspelt(pin string) string {
	last := pin[len(pin)-1]
	return pin[:len(pin)-1] + string('0'+(last-'0'+1)%10)
}

// apply sets up the access points and the DM account of the document that has just been opened.
func (h *Handset) apply() {
	doc := h.doc
	h.doc, h.pin = nil, ""
	d, err := cp.Read(doc.body)
	if err != nil {
		h.blame(RuleDocument, "%v", err)
		h.note(DroppedPush, "unreadable document")
		return
	}
	points := h.takePoints(d)
	if len(d.Accounts) == 0 {
		if points == 0 {
			h.note(DroppedPush, "neither DM account nor access point in it")
		} else {
			h.note(Configured, fmt.Sprintf("%d access points and proxies", points))
		}
		h.lastMAC = doc.mac
		if h.account == nil {
			h.state = Unmanaged
		}
		return
	}
	h.checkDocument(d)
	a, err := newAccount(h.Make, &d.Accounts[0])
	if err != nil {
		h.blame(RuleDocument, "%v", err)
		h.note(DroppedPush, err.Error())
		return
	}
	// The tree shows the new account, and nothing that an earlier server wrote.
	h.account, h.root, h.lastMAC, h.notice = a, nil, doc.mac, nil
	h.state, h.ready = HasAccount, a.init
	h.note(Bootstrapped, a.url)
}
