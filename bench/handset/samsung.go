package handset

import "dmgate/codec/syncml"

// Samsung is the client of a large house: a textual public identifier (trap 1), LocName always, details of the network
// in DevInfo/Ext, and nothing to install by but ./FUMO/DownloadAndUpdate. Source: sections 2.2, 8.1, 8.2, 8.5.
var Samsung = &Make{
	Name:     "samsung",
	VerDTD:   "1.2",
	VerProto: "DM/1.2",
	Encoding: syncml.WBXML,
	Style:    syncml.Style{Version: syncml.V12, TextPublic: true, WBXML: 0x02},

	SessionID:  Hex,
	LocName:    LocNameAlways,
	MaxMsgSize: 10240,
	MaxObjSize: 1 << 20,

	Auth:       MD5,
	Nonce:      Base64,
	ServerAuth: ServerAny,

	Ranges:            true,
	TakesCertificates: true,

	limits:     uriLimits{depth: 16, total: 255, segment: 31},
	list:       statusUnsupported,
	properties: true,
	models: []model{
		{man: "Hanuri", mod: "HN-G900", oem: "Hanuri", fwv: "G900XXU1AND3", swv: "4.4.2", hwv: "REV0.5", lang: "en-GB"},
		{man: "Hanuri", mod: "HN-A50", oem: "Hanuri", fwv: "A505XXU3ASH6", swv: "9", hwv: "REV1.0", lang: "de-DE"},
	},
	plant:    plantSamsung,
	account:  account12,
	accounts: []string{"DMAcc"},
}

func plantSamsung(m *model) *node {
	return interior("",
		m.devInfo("1.2",
			leaf("DevNetworkConnType", "WIFI"), leaf("TelephonyMcc", "999"), leaf("TelephonyMnc", "70"), leaf("OmcCode", "XEU"),
			leaf("FotaClientVer", "4.4.14"), leaf("DMClientVer", "4.4.14"), leaf("SIMCardMcc", "999"), leaf("SIMCardMnc", "70"),
			leaf("AidCode", ""), leaf("CorpId", ""), leaf("CountryISOCode", "de"),
		),
		m.devDetail("phone", "16", "255", "31"),
		interior("DMAcc").with(mayAdd).object("urn:oma:mo:oma-dm-dmacc:1.0"),
		fumo("FUMO", fumoDownloadAndUpdate()),
	)
}
