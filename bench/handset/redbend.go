package handset

import (
	"strings"

	"dmgate/codec/syncml"
)

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
	plant:    plantRedBend,
	account:  account12,
	accounts: []string{"DMAcc"},
}

func plantRedBend(m *model) *node {
	return interior("",
		m.devInfo("1.2", interior("RedBend", leaf("ClientVer", "5.3.2"))),
		m.devDetail("phone", "16", "255", "31"),
		interior("DMAcc").with(mayAdd).object("urn:oma:mo:oma-dm-dmacc:1.0"),
		fumo(
			fumoPart("Download", downloadFirmware), fumoUpdate(), fumoPart("DownloadAndUpdate", updateFirmware),
		),
		redBendSCOMO(),
		redBendLAWMO(),
		interior("Ext", interior("RedBend",
			leaf("MinServerAuth", "BASIC").with(mayReplace),
			leaf("PollingIntervalInHours", "168").as(formatInt).with(mayReplace),
			leaf("WiFiOnly", "false").as(formatBool).with(mayReplace),
		)),
	)
}

const fumoAlert = "org.openmobilealliance.dm.firmwareupdate."

// fumo is ./FUMO with the operations that a family has (section 8.2).
func fumo(parts ...*node) *node {
	kids := append([]*node{leaf("PkgName", "").with(mayReplace), leaf("PkgVersion", "").with(mayReplace)}, parts...)
	kids = append(kids, leaf("State", "10").as(formatInt), interior("Ext"))
	return interior("FUMO", kids...).object("urn:oma:mo:oma-fumo:1.0")
}

var fumoAlerts = map[string]string{"Download": "download", "Update": "update", "DownloadAndUpdate": "downloadandupdate"}

// fumoPart is Download or DownloadAndUpdate: an interior node that Exec goes to, with the PkgURL it needs.
func fumoPart(name string, run func(*tree, []string) (int, string)) *node {
	n := interior(name, leaf("PkgURL", "").with(mayReplace)).with(mayExec)
	n.exec = &operation{status: statusAccepted, alert: fumoAlert + fumoAlerts[name], format: formatInt, run: run}
	return n
}

func fumoUpdate() *node {
	pkg := leaf("PkgData", "").as(formatBin)
	pkg.rights = mayReplace // no Get (section 8.2)
	n := interior("Update", pkg).with(mayExec)
	n.exec = &operation{
		status: statusAccepted, alert: fumoAlert + fumoAlerts["Update"], format: formatInt,
		run: func(t *tree, path []string) (int, string) {
			t.set(join(path[:len(path)-1], "State"), "100")
			return fumoSuccess, ""
		},
	}
	return n
}

const (
	scomoAlert = "urn:oma:at:scomo:1.0:OperationComplete"
	lawmoAlert = "urn:oma:at:lawmo:1.0:OperationComplete"
)

// redBendSCOMO is ./SCOMO. Download has one fixed child, RB_DP, and takes no other (section 8.3).
func redBendSCOMO() *node {
	download := &operation{
		status: statusAccepted, alert: scomoAlert, format: formatInt, run: deploy("PkgURL", "PkgID", scomoComponent),
	}
	text := func(name string) *node { return leaf(name, "").with(mayReplace) }
	return interior("SCOMO",
		interior("Download", interior("RB_DP",
			text("PkgID"), text("Name"), text("PkgURL"), text("InstallParams"), text("Description"),
			leaf("Status", "10").as(formatInt), text("EnvType"), text("PkgType"),
			interior("Operations",
				runs("Download", download), runs("DownloadInstall", download), runs("DownloadInstallInactive", download),
			),
		)),
		interior("Inventory",
			interior("Delivered"),
			interior("Deployed", scomoComponent("C0", "com.example.mail", "4.1")),
		),
		interior("Ext"),
	).object("urn:oma:mo:oma-scomo:1.0")
}

// scomoComponent is .../Inventory/Deployed/X (section 8.3).
func scomoComponent(name, id, version string) *node {
	state := func(state string) *operation {
		run := func(t *tree, path []string) (int, string) {
			t.set(join(path[:len(path)-2], "State"), state)
			return scomoSuccess, "./" + strings.Join(path[:len(path)-2], "/")
		}
		return &operation{status: statusAccepted, alert: scomoAlert, format: formatInt, run: run}
	}
	remove := &operation{status: statusAccepted, alert: scomoAlert, format: formatInt, run: undeploy}
	return interior(name,
		leaf("ID", id), leaf("PkgIDRef", id), leaf("Name", id), leaf("Description", ""), leaf("Version", version),
		leaf("State", "20").as(formatInt), leaf("Status", "10").as(formatInt),
		interior("Operations",
			runs("Activate", state("20")), runs("Deactivate", state("10")), runs("Remove", remove),
		),
	)
}

// redBendLAWMO is ./LAWMO. State is 10 as delivered, which does not mean locked (section 8.4).
func redBendLAWMO() *node {
	op := func(name string, run func(*tree, []string) (int, string)) *node {
		return runs(name, &operation{status: statusAccepted, alert: lawmoAlert, format: formatInt, run: run})
	}
	return interior("LAWMO",
		leaf("State", "10").as(formatInt),
		interior("AvailableWipeList"),
		interior("LAWMOConfig", leaf("NotifyUser", "true").as(formatBool).with(mayReplace)),
		interior("Operations",
			op("FullyLock", lock("10")), op("PartiallyLock", lock("20")), op("UnLock", lock("30")),
			op("FactoryReset", wipe), op("Wipe", wipe),
		),
		interior("Ext"),
	).object("urn:oma:mo:oma-lawmo:1.0")
}
