package handset

import "dmgate/codec/syncml"

// Modem is a radio module in a machine: small messages, firmware at ./FwUpdate and nothing else, no SwV, no user.
// Source: sections 8.2 and 9.
var Modem = &Make{
	Name:     "modem",
	VerDTD:   "1.2",
	VerProto: "DM/1.2",
	Encoding: syncml.WBXML,
	Style:    syncml.Style{Version: syncml.V12, WBXML: 0x02},

	SessionID:  Hex,
	LocName:    LocNameNever,
	MaxMsgSize: 2048,

	Auth:       MD5,
	Nonce:      Base64,
	ServerAuth: ServerNone,

	NoUser: true,

	limits:     uriLimits{depth: 8, total: 127, segment: 32},
	list:       statusUnsupported,
	properties: false,
	models: []model{
		{man: "Dovre", mod: "DM-90 LTE", oem: "Generic", fwv: "90.01.221", hwv: "1.2", lang: "en"},
		{man: "Dovre", mod: "DM-95 LTE", oem: "Generic", fwv: "95.00.107", hwv: "2.0", lang: "en"},
	},
	plant:    plantModem,
	account:  account12,
	accounts: []string{"DMAcc"},
}

func plantModem(m *model) *node {
	return interior("",
		m.devInfo("1.2"),
		m.devDetail("module", "8", "127", "32"),
		interior("DMAcc").with(mayAdd),
		fumo("FwUpdate", fumoDownload(), fumoUpdate(), fumoDownloadAndUpdate()),
	)
}
