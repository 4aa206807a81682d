package handset

import "dmgate/codec/syncml"

// MediaTek is the client in many handsets with chips of that house. Below ./SCOMO/Download the server adds each node
// itself, Operations and what it executes there too; Deployed/X spells Deactive, and LAWMO Unlock (traps 14 and 21).
// Source: sections 8.2 to 8.4.
var MediaTek = &Make{
	Name:     "mediatek",
	VerDTD:   "1.2",
	VerProto: "DM/1.2",
	Encoding: syncml.WBXML,
	Style:    syncml.Style{Version: syncml.V12, WBXML: 0x02},

	SessionID:  Hex,
	LocName:    LocNameAlways,
	MaxMsgSize: 6144,
	MaxObjSize: 256 << 10,

	Auth:       MD5,
	Nonce:      Base64,
	ServerAuth: ServerAny,

	Ranges: true,

	limits:     uriLimits{depth: 16, total: 255, segment: 32},
	list:       statusUnsupported,
	properties: true,
	models: []model{
		{man: "Kvarken", mod: "K5 Dual", oem: "Kvarken", fwv: "K5.MT.V1.12", swv: "1.12", hwv: "P1", lang: "en"},
		{man: "Kvarken", mod: "K8 Max", oem: "Kvarken", fwv: "K8.MT.V2.03", swv: "2.03", hwv: "P2", lang: "pl"},
		{man: "Orsa", mod: "Nomad 3", oem: "Kvarken", fwv: "ORSA3_0417", swv: "0417", hwv: "A", lang: "sv"},
	},
	plant:     plantMediaTek,
	account:   account12,
	accounts:  []string{"DMAcc"},
	inventory: mediaTekSCOMO.inventory(),
}

var mediaTekSCOMO = &scomoForm{
	alert:      redBendSCOMO.alert,
	deactivate: "Deactive",
	install:    []string{"DownloadInstallInactive"},
}

func plantMediaTek(m *model) *node {
	return interior("",
		m.devInfo("1.2"),
		m.devDetail("phone", "16", "255", "32"),
		interior("DMAcc").with(mayAdd).object("urn:oma:mo:oma-dm-dmacc:1.0"),
		fumo("FUMO", fumoDownload(), fumoUpdate(), fumoDownloadAndUpdate()),
		mediaTekSCOMO.root(mediaTekDownload(), interior("Delivered"),
			&Component{ID: "com.kvarken.radio", Name: "Radio", Version: "1.0"}),
		lawmo(lawmoAlert, "Unlock"),
	)
}

// mediaTekDownload has no child and no leaf that the server has not added.
func mediaTekDownload() *node {
	text := func(name string) *node { return leaf(name, "").with(mayReplace) }
	operations := interior("Operations").takes(mediaTekSCOMO.operations().kids...)
	return interior("Download").takes(interior("").takes(
		text("PkgID"), text("Name"), text("PkgURL"), text("InstallParams"), text("Description"),
		text("Status").as(formatInt), text("EnvType"), text("PkgType"), operations,
	))
}
