package handset

import "dmgate/codec/syncml"

// LDM behaves like libdmclient: never a LocName, a byte-swapped session id, AAUTHDATA read as base64, no true undo,
// and an end to the session when its reply would be one Status for SyncHdr (traps 2, 16, 20, 34).
var LDM = &Make{
	Name:     "ldm",
	VerDTD:   "1.2",
	VerProto: "DM/1.2",
	Encoding: syncml.WBXML,
	Style:    syncml.Style{Version: syncml.V12, WBXML: 0x02},

	SessionID:  Swapped,
	LocName:    LocNameNever,
	MaxMsgSize: 16384,

	Auth:       MD5,
	Nonce:      Base64,
	ServerAuth: ServerNone,
	HMAC:       true,

	LoneStatusEnds: true,
	NoUndo:         true,
	NoUser:         true,

	limits:     uriLimits{},
	list:       statusUnsupported,
	properties: true,
	models: []model{
		{man: "Falster", mod: "Gateway 4", oem: "Falster", fwv: "4.2.0-11", swv: "4.2.0", hwv: "r5", lang: "en"},
		{man: "Falster", mod: "Tab 8", oem: "Falster", fwv: "8.0.3-2", swv: "8.0.3", hwv: "r1", lang: "fr"},
	},
	plant:    plantLDM,
	account:  account12,
	accounts: []string{"DMAcc"},
}

func plantLDM(m *model) *node {
	return interior("",
		m.devInfo("1.2"),
		m.devDetail("device", "0", "0", "0"),
		interior("DMAcc").with(mayAdd).object("urn:oma:mo:oma-dm-dmacc:1.0"),
		fumo("FUMO", fumoDownloadAndUpdate()),
	)
}
