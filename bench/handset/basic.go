package handset

import "dmgate/codec/syncml"

// BasicOnly is a plain DM 1.1.2 client: XML, basic authentication, small messages, no FUMO, SCOMO or SCM. Its root can
// not be listed, so that a server has to probe the paths it knows (section 9, number 4).
var BasicOnly = &Make{
	Name:     "basic",
	VerDTD:   "1.1",
	VerProto: "DM/1.1",
	Encoding: syncml.XML,
	Style:    syncml.Style{Version: syncml.V11},

	SessionID:  Hex,
	LocName:    LocNameAlways,
	MaxMsgSize: 5000,

	Auth:       Basic,
	Nonce:      RawText,
	ServerAuth: ServerNone,

	limits:     uriLimits{depth: 8, total: 127, segment: 32},
	list:       statusNotAllowed,
	properties: false,
	models: []model{
		{man: "Castra", mod: "C110", oem: "Castra", fwv: "1.07", swv: "1.07-r3", hwv: "A0", lang: "en"},
		{man: "Dovre", mod: "D3 modem", oem: "Generic", fwv: "11.126.13", swv: "11.126", hwv: "CD6", lang: "en"},
	},
	plant:    plantBasic,
	account:  account11,
	accounts: []string{"SyncML", "DMAcc"},
}

func plantBasic(m *model) *node {
	root := interior("",
		m.devInfo("1.1.2"),
		m.devDetail("device", "8", "127", "32"),
		interior("SyncML", interior("DMAcc").with(mayAdd), interior("Con").with(mayAdd)),
	)
	return root.with(barred)
}
