package handset

import (
	"encoding/base64"
	"fmt"
	"math/bits"
	"strconv"
	"sync"

	"dmgate/codec/syncml"
)

// A Make is a family of handsets: how its DM client writes, what it demands, what it can not stand, and the models it
// comes in. Makes are shared and never changed.
type Make struct {
	Name string

	// On the wire.
	VerDTD, VerProto string
	Encoding         syncml.Encoding
	Style            syncml.Style
	SessionID        SessionIDForm
	LocName          LocNameRule
	MaxMsgSize       int // the biggest message it takes; also the biggest it sends where the server names no size
	MaxObjSize       int // 0: not announced

	// Proof of identity.
	Auth       AuthRule
	Nonce      NonceForm  // how it reads AAUTHDATA
	ServerAuth ServerAuth // what it demands of the server
	HMAC       bool       // it can HMAC, and uses it where the server asks for it
	NonceOf5   bool       // the nonces it issues are five decimal digits (S60, section 3)

	// Temper.
	Unforgiving    bool // ends the session on a Content-Type with parameters or a body above MaxMsgSize (trap 3)
	LoneStatusEnds bool // ends the session when its reply would be one Status, for SyncHdr (trap 20)
	NoUndo         bool // an Atomic that failed leaves what was done (trap 16)
	NeedsSize      bool // 411 for a large object without Size (trap 17)
	SilentMeta     bool // its SyncHdr has no Meta: the server is not told MaxMsgSize and MaxObjSize (Windows, section 2.2)

	LoginStatus bool // says with package 1 who is logged in: Alert 1224 (Windows, section 2.4)

	// Notifications.
	IgnoresDigest bool // takes a wrong digest, but not that of the last one again (S60, trap 9)
	AsksUser      bool // its profile has the user confirm the session, whatever the ui-mode (S60, trap 26)

	// Beside DM.
	Ranges            bool // it downloads a package in two parts, with Range
	NoUser            bool // nobody looks at it: links are lost on it
	TakesCertificates bool // it takes an application/x-x509-ca-cert into its trust list (section 6.5)

	// The tree.
	limits       uriLimits
	list         int // status of Get ?list=
	properties   bool
	escapes      bool // names are %-escaped, in URIs and in the lists of them (trap 23)
	implicit     bool // Add makes the parents that are missing (trap 14)
	closed       bool // only the leaves of DevInfo and DevDetail can be got; all else is 425
	models       []model
	plant        func(m *model) *node
	account      func(a *account) *node // the node that a DM account appears as
	accounts     []string               // where it appears
	inventory    inventory
	points       []string // where access points stand; nil where the tree has no place for them
	certificates []string // where a server adds root certificates; nil where it can not
}

// Only is the make in one of its models, so that several handsets of a kind can be made. It panics where there is no
// such model.
func (m *Make) Only(mod string) *Make {
	for i := range m.models {
		if m.models[i].mod == mod {
			return m.but(func(m *Make) { m.models = m.models[i : i+1] })
		}
	}
	panic("handset: " + m.Name + " has no model " + mod)
}

// but is a make that differs from m in what change changes.
func (m *Make) but(change func(*Make)) *Make {
	c := *m
	change(&c)
	return &c
}

// ContentType is the media type of its messages.
func (m *Make) ContentType() string {
	if m.Encoding == syncml.XML {
		return "application/vnd.syncml.dm+xml"
	}
	return "application/vnd.syncml.dm+wbxml"
}

// SessionIDForm is how a client prints its 16-bit session id (trap 2).
type SessionIDForm uint8

// Forms of SessionID.
const (
	Hex     SessionIDForm = iota // 1 to 4 upper-case hex digits, as the standard says
	Decimal                      // S60
	Swapped                      // hex of the two bytes swapped: LDM
)

func (f SessionIDForm) format(id uint16) string {
	switch f {
	case Decimal:
		return strconv.Itoa(int(id))
	case Swapped:
		id = bits.ReverseBytes16(id)
	}
	return fmt.Sprintf("%X", id)
}

// LocNameRule says when Source carries the user name as LocName (section 2.1).
type LocNameRule uint8

// Rules for LocName.
const (
	LocNameAlways              LocNameRule = iota
	LocNameNever                           // LDM
	LocNameUntilAuthentication             // S60: with MD5 only, and only until the server has accepted it
)

// AuthRule is which credential opens a session when no challenge has said yet.
type AuthRule uint8

// Rules for the first credential.
const (
	MD5      AuthRule = iota // MD5; without any nonce it sends none and waits to be challenged
	Basic                    // basic
	ByAAData                 // MD5 where APPSRV has AAUTHDATA, else basic (trap 5)
)

// NonceForm is how AAUTHDATA becomes a nonce (trap 5).
type NonceForm uint8

// Forms of AAUTHDATA.
const (
	RawText NonceForm = iota // the text itself
	Base64                   // decoded; the text itself where it is no base64
)

func (f NonceForm) nonce(text string) []byte {
	if f == Base64 {
		if b, err := base64.StdEncoding.DecodeString(text); err == nil {
			return b
		}
	}
	return []byte(text)
}

// other is the form that f is mistaken for.
func (f NonceForm) other() NonceForm {
	if f == RawText {
		return Base64
	}
	return RawText
}

// ServerAuth is what a handset demands of the server before it carries out a command.
type ServerAuth uint8

// Demands on the server. Whatever is demanded, a credential that comes is checked.
const (
	ServerNone ServerAuth = iota
	ServerAny             // basic or MD5
	ServerMD5
)

// A model is one product of a make. Brands are invented.
type model struct {
	man, mod, oem, fwv, swv, hwv, lang string // swv is empty where DevDetail has no SwV

	once sync.Once
	root *node // planted once, shared by all handsets of the model
}

func (m *Make) tree(model int) *node {
	d := &m.models[model]
	d.once.Do(func() { d.root = m.plant(d) })
	return d.root
}

// devInfo is ./DevInfo; DevId is filled in for each handset.
func (m *model) devInfo(dmv string, ext ...*node) *node {
	return interior("DevInfo",
		leaf("DevId", ""), leaf("Man", m.man), leaf("Mod", m.mod), leaf("DmV", dmv), leaf("Lang", m.lang),
		interior("Ext", ext...),
	).object("urn:oma:mo:oma-dm-devinfo:1.0")
}

// devDetail is ./DevDetail with the URI limits as reported, which need not be the real ones.
func (m *model) devDetail(typ string, depth, total, segment string) *node {
	kids := []*node{leaf("DevTyp", typ), leaf("OEM", m.oem), leaf("FwV", m.fwv)}
	if m.swv != "" {
		kids = append(kids, leaf("SwV", m.swv))
	}
	kids = append(kids, leaf("HwV", m.hwv), leaf("LrgObj", "true").as(formatBool),
		interior("URI", leaf("MaxDepth", depth), leaf("MaxTotLen", total), leaf("MaxSegLen", segment)),
		interior("Ext"),
	)
	return interior("DevDetail", kids...).object("urn:oma:mo:oma-dm-devdetail:1.0")
}

// Makes are those of an everyday fleet, in the order in which one uses them.
func Makes() []*Make { return []*Make{RedBend, S60, BasicOnly, LDM} }

// AllMakes are all makes there are: those of an everyday fleet, then those that are hard to find one's way in.
func AllMakes() []*Make {
	return append(Makes(), S60SCOMO, MediaTek, Samsung, Windows, Modem, Liar, Closed, Silent)
}
