// Package handset is a simulated device for tests, the demo and the load harness: it takes short messages, has a user
// who types a PIN, keeps a management tree, and holds device management sessions over HTTP. It is strict: whatever the
// server does that the standard or a client in the field does not allow is kept as a Violation.
//
// A Handset knows only what a bootstrap document told it. One handset is driven by hand:
//
//	h := handset.New(handset.S60, handset.NewIdentity(1, seed), handset.Temper{}, world)
//	h.Receive(ud)           // each short message of the bootstrap push
//	h.Tell("1234")          // the admin tells the user the PIN
//	err := h.Session(ctx)   // one session, to its end
//	h.ReceiveText("get it at http://dl.example/x")
//	err = h.OpenLinks(ctx)  // the user opens what he was shown
//	h.Receive(ud)           // a notification: h.Ready() again
//
// A Fleet is many of them behind a modem bank.
//
// What a handset can do, and how, is a matter of its Make. What the server's Exec starts is done once the session is
// over: a package is really fetched, and what it installs stands in the tree when the handset comes again.
//
//	RedBend    FUMO, SCOMO with the fixed child RB_DP, LAWMO
//	S60        SCM; it never says what came of an Exec
//	BasicOnly  DM 1.1.2 in XML; nothing to install by, and a root that can not be listed
//	LDM        FUMO; no LocName, no undo
//	S60SCOMO   SCOMO by URL or in-band, results as XML in a text, access points under names of its own
//	MediaTek   SCOMO and FUMO; the server adds each node itself, names are spelt in other ways
//	Samsung    ./FUMO/DownloadAndUpdate and nothing else
//	Windows    XML; MSI, root certificates, wipe and lock below ./Device/Vendor/MSFT
//	Modem      ./FwUpdate; messages of 2 KiB, no SwV, no user
//	Liar       as RedBend; reports success and does nothing
//	Closed     425 to all but the leaves of DevInfo and DevDetail
//	Silent     as RedBend; does the work in two sessions and sends no alert
//
// A notification brings a handset that has an account: it checks it as its make does and opens a session with Alert 1200
// and the SessionID that the notification names. See Agree for users who have a say in that.
//
// A handset also has a user, who opens the links that come by SMS unless his Temper is another. By pushes it takes
// access points and, where the make does, root certificates; see AccessPoints, Trusts and Installed.
//
// Source: the fact sheet; comments name the section or the trap.
package handset

import (
	"math/rand/v2"
	"sync"

	"dmgate/codec/push"
)

// Temper is how a handset's user and radio behave. The zero value is a user who does what he is told.
type Temper struct {
	Mistypes int  // how often the PIN goes wrong before it goes right
	Refuses  bool // throws every document away
	Off      bool // the handset is never on: short messages expire
	Late     bool // it is off at first

	IgnoresLinks bool // opens no link that comes by SMS

	// When a notification lets the user have a say (trap 26), he
	Hesitates bool // answers late: see Agree
	Declines  bool // wants no session
}

func (t Temper) String() string {
	switch {
	case t.Off:
		return "off"
	case t.Refuses:
		return "refuses"
	case t.Late:
		return "late"
	case t.Mistypes > 0:
		return "mistypes"
	case t.IgnoresLinks:
		return "ignores links"
	case t.Hesitates:
		return "hesitates"
	case t.Declines:
		return "declines"
	}
	return "steady"
}

// Handset is one simulated device. Its methods may be called from any goroutine.
type Handset struct {
	Identity
	Make   *Make
	Temper Temper

	world *World
	model uint8

	mu         sync.Mutex
	state      State
	ready      bool // it wants to open a session
	busy       bool // a session is open
	queued     bool // a fleet has it among those that wait for a session
	sessionID  uint16
	mistypes   int    // of Temper.Mistypes, still to come
	pin        string // what the user was told, until a document takes it
	lastMAC    string // of the document applied last
	box        *push.Reassembler
	doc        *document
	notice     *notice // nil before the first notification
	account    *account
	root       *node // nil while the tree is that of the model
	findings   []finding
	jobs       []job         // that go on after the next session
	later      []func(*tree) // changes of the tree that wait until the handset is not busy
	beside     *beside       // what it has by other ways than DM; nil for nothing
	result     Result
	violations []Violation
	events     []Event // to be told once mu is free
}

// New makes a handset in world. Its model is drawn by id.Seed.
func New(m *Make, id Identity, t Temper, world *World) *Handset {
	h := new(Handset)
	h.init(m, id, t, world)
	return h
}

func (h *Handset) init(m *Make, id Identity, t Temper, world *World) {
	r := rand.New(rand.NewPCG(id.Seed, 1))
	h.Identity, h.Make, h.Temper, h.world = id, m, t, world
	h.model = uint8(r.IntN(len(m.models)))
	h.sessionID = uint16(r.Uint32())
	h.mistypes = t.Mistypes
}

// Result is what became of the handset so far.
func (h *Handset) Result() Result {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.result
	r.State = h.state
	return r
}

// Ready says whether the handset wants to open a session: its bootstrap document said INIT, a notification asks for it,
// or it has the result of an Exec to report.
func (h *Handset) Ready() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ready && !h.busy
}

// Want makes the handset want a session, as when its user looks for updates. Without an account it can not have one.
func (h *Handset) Want() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready = h.account != nil
}

// claim says whether the handset has something to do, a session or links to open: true once until that begins.
func (h *Handset) claim() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	links := h.beside != nil && len(h.beside.links) > 0
	if !h.ready && !links || h.busy || h.queued {
		return false
	}
	h.queued = true
	return true
}

// due says whether the handset, which was claimed, is to open a session now. Where not, it can be claimed again.
func (h *Handset) due() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ready && !h.busy {
		return true
	}
	h.queued = false
	return false
}

// Model is the manufacturer, the model and the firmware version that the handset was made with.
func (h *Handset) Model() (man, mod, fwv string) {
	m := &h.Make.models[h.model]
	return m.man, m.mod, m.fwv
}

// Lookup reads the value at a LocURI as the handset itself sees it. ok is false where there is none.
func (h *Handset) Lookup(uri string) (value string, ok bool) {
	h.mu.Lock()
	t := h.tree()
	h.mu.Unlock()
	path, _, ok := uriLimits{}.split(uri)
	if !ok {
		return "", false
	}
	n := t.find(t.resolve(path))
	if n == nil {
		return "", false
	}
	if !n.isLeaf() {
		return n.list(false), true
	}
	return n.value, true
}

// tree is the handset's tree. One that nobody has written to is put together from the model's each time: that costs
// less than 100,000 copies.
func (h *Handset) tree() tree {
	if h.root != nil {
		return tree{root: h.root}
	}
	t := tree{root: h.Make.tree(int(h.model))}
	t.set([]string{"DevInfo", "DevId"}, h.DevID())
	if h.account != nil {
		n := h.Make.account(h.account)
		t.put(join(h.Make.accounts, n.name), n)
	}
	if h.beside != nil {
		h.beside.show(h.Make, &t)
	}
	return t
}

// note keeps an event until mu is free: an observer may look at the handset.
func (h *Handset) note(k EventKind, detail string) {
	if h.world.Observe != nil {
		h.events = append(h.events, Event{Handset: h, Kind: k, Detail: detail})
	}
}

// unlock frees mu and tells the events noted meanwhile.
func (h *Handset) unlock() {
	events := h.events
	h.events = nil
	h.mu.Unlock()
	for _, e := range events {
		h.world.Observe(e)
	}
}

// tell is note for whoever does not hold mu.
func (h *Handset) tell(k EventKind, detail string) {
	if h.world.Observe != nil {
		h.world.Observe(Event{Handset: h, Kind: k, Detail: detail})
	}
}
