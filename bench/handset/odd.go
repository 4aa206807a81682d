package handset

import "dmgate/codec/syncml"

// Liar looks like RedBend, does what it is told on a tree that it throws away, and reports that all went well.
var Liar = RedBend.but(func(m *Make) {
	m.Name = "liar"
	m.models = []model{
		{man: "Vinter", mod: "V1 Pro", oem: "Vinter", fwv: "V1P-1.0.9", swv: "1.0.9", hwv: "MP", lang: "en-US"},
		{man: "Vinter", mod: "V2", oem: "Vinter", fwv: "V2-2.2.0", swv: "2.2.0", hwv: "MP", lang: "nl-NL"},
	}
	m.plant = func(m *model) *node {
		return operating(plantRedBend(m), func(op *operation) {
			honest := op.run
			op.start = nil
			op.run = func(w *work) (int, string) {
				root, done := w.root, w.done
				result, target := honest(w)
				w.root, w.done.Locks, w.done.Wipes = root, done.Locks, done.Wipes
				return result, target
			}
		})
	}
})

// Silent looks like RedBend and does the work, but never sends an alert. Who asks Download/X/Status can follow it: 30
// in the session of the Exec, 50 in the next one, 10 in the one after, when the inventory shows the component as well.
var Silent = RedBend.but(func(m *Make) {
	m.Name = "silent"
	m.models = []model{
		{man: "Stilla", mod: "S300", oem: "Stilla", fwv: "S300-5.1", swv: "5.1", hwv: "2", lang: "en-US"},
		{man: "Stilla", mod: "S310", oem: "Stilla", fwv: "S310-5.3", swv: "5.3", hwv: "2", lang: "da-DK"},
	}
	m.plant = func(m *model) *node {
		root := operating(plantRedBend(m), func(op *operation) { op.alert = nil })
		scomo := root.child("SCOMO")
		operating(scomo.child("Download"), func(op *operation) { op.run = slowly(op.run) })
		return root
	}
})

// Closed lets the server see the leaves of DevInfo and DevDetail and nothing else: whatever else it wants to get is
// 425, the root too, and there is nothing else to be had by other commands.
var Closed = &Make{
	Name:     "closed",
	VerDTD:   "1.2",
	VerProto: "DM/1.2",
	Encoding: syncml.WBXML,
	Style:    syncml.Style{Version: syncml.V12, WBXML: 0x02},

	SessionID:  Hex,
	LocName:    LocNameAlways,
	MaxMsgSize: 8192,

	Auth:       MD5,
	Nonce:      Base64,
	ServerAuth: ServerNone,

	limits:     uriLimits{},
	list:       statusUnsupported,
	properties: false,
	closed:     true,
	models: []model{
		{man: "Murviken", mod: "M4", oem: "Murviken", fwv: "4.0.2", swv: "4.0", hwv: "1", lang: "en"},
		{man: "Murviken", mod: "M6", oem: "Murviken", fwv: "6.1.0", swv: "6.1", hwv: "1", lang: "en"},
	},
	plant:    func(m *model) *node { return interior("", m.devInfo("1.2"), m.devDetail("phone", "0", "0", "0")) },
	account:  account12,
	accounts: []string{"DMAcc"},
}

// operating lets change change each operation below n, which is being built, and returns n.
func operating(n *node, change func(*operation)) *node {
	if n.exec != nil {
		op := *n.exec
		change(&op)
		n.exec = &op
	}
	for _, k := range n.kids {
		operating(k, change)
	}
	return n
}

// slowly makes an operation on Download/X take one session more: it downloads after the session of the Exec, and does
// the rest after the next.
func slowly(run func(*work) (int, string)) func(*work) (int, string) {
	return func(w *work) (int, string) {
		if w.pkg != nil {
			return run(w)
		}
		if result := w.loadPackage(scomoLeaves); result != scomoSuccess {
			return result, ""
		}
		w.set(join(w.path[:len(w.path)-2], "Status"), scomoInstalling)
		return running, ""
	}
}
