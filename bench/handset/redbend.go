package handset

import "dmgate/codec/syncml"

// RedBend is the client in many Android handsets: WBXML with a textual public identifier that no NUL ends (trap 1),
// MD5, LocName always, FUMO, SCOMO and LAWMO. Source: sections 1.2, 8.1 to 8.4.
var RedBend = &Make{
	Name:     "redbend",
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
	HMAC:       true,

	limits:     uriLimits{depth: 16, total: 255, segment: 31},
	list:       statusUnsupported,
	properties: true,
	models: []model{
		{man: "Arvika", mod: "A7 Lite", oem: "Arvika", fwv: "AV7-2.4.1", swv: "2.4.1", hwv: "EVT2", lang: "en-US"},
		{man: "Arvika", mod: "A9", oem: "Arvika", fwv: "AV9-3.0.0", swv: "3.0.0", hwv: "PVT", lang: "de-DE"},
		{man: "Tessaro Mobile", mod: "TM-540", oem: "Tessaro", fwv: "TM540_1.18", swv: "1.18", hwv: "B", lang: "it-IT"},
	},
	plant:     plantRedBend,
	account:   account12,
	accounts:  []string{"DMAcc"},
	inventory: redBendSCOMO.inventory(),

	TakesCertificates: true,
}

// redBendSCOMO: the names are the standard's.
var redBendSCOMO = &scomoForm{
	alert:      &alertForm{kind: "urn:oma:at:scomo:1.0:OperationComplete", format: formatInt},
	deactivate: "Deactivate",
	install:    []string{"DownloadInstallInactive"},
}

func plantRedBend(m *model) *node {
	return interior("",
		m.devInfo("1.2", interior("RedBend", leaf("ClientVer", "5.3.2"))),
		m.devDetail("phone", "16", "255", "31"),
		interior("DMAcc").with(mayAdd).object("urn:oma:mo:oma-dm-dmacc:1.0"),
		fumo("FUMO", fumoDownload(), fumoUpdate(), fumoDownloadAndUpdate()),
		redBendSCOMO.root(redBendDownload(), interior("Delivered"),
			&Component{ID: "com.example.mail", Name: "com.example.mail", Version: "4.1"}),
		lawmo(lawmoAlert, "UnLock"),
		interior("Ext", interior("RedBend",
			leaf("MinServerAuth", "BASIC").with(mayReplace),
			leaf("PollingIntervalInHours", "168").as(formatInt).with(mayReplace),
			leaf("WiFiOnly", "false").as(formatBool).with(mayReplace),
		)),
	)
}

// redBendDownload has one fixed child, RB_DP, and takes no other (section 8.3).
func redBendDownload() *node {
	text := func(name string) *node { return leaf(name, "").with(mayReplace) }
	return interior("Download", interior("RB_DP",
		text("PkgID"), text("Name"), text("PkgURL"), text("InstallParams"), text("Description"),
		leaf("Status", scomoIdle).as(formatInt), text("EnvType"), text("PkgType"),
		redBendSCOMO.operations(),
	))
}
