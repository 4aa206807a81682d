package handset

import "dmgate/codec/syncml"

// S60 is the client of the S60 family before SCOMO: WBXML with a numeric public identifier, decimal SessionID, MD5
// only where APPSRV has AAUTHDATA, which it takes as a raw text nonce (trap 5), and demands on the server that others
// do not make (trap 3; section 3). Its application management is ./SCM. Source: sections 2.1, 3, 4, 8.5.
var S60 = &Make{
	Name:     "s60",
	VerDTD:   "1.2",
	VerProto: "DM/1.2",
	Encoding: syncml.WBXML,
	Style:    syncml.Style{Version: syncml.V12, WBXML: 0x02},

	SessionID:  Decimal,
	LocName:    LocNameUntilAuthentication,
	MaxMsgSize: 10000,

	Auth:       ByAAData,
	Nonce:      RawText,
	ServerAuth: ServerMD5,
	NonceOf5:   true,

	IgnoresDigest: true,
	AsksUser:      true,

	Unforgiving: true,
	NeedsSize:   true,

	// It reports a MaxSegLen of 9 and takes longer ones all the same (section 8.5).
	limits:     uriLimits{},
	list:       statusNotFound,
	properties: false,
	models: []model{
		{man: "Bolmen", mod: "B72", oem: "Bolmen", fwv: "30.0.1", swv: "V 30.0.1 RM-72", hwv: "1101", lang: "en"},
		{man: "Bolmen", mod: "B61i", oem: "Bolmen", fwv: "21.2.6", swv: "V 21.2.6 RM-61", hwv: "2003", lang: "fi"},
	},
	plant:     plantS60,
	account:   account12,
	accounts:  []string{"DMAcc"},
	inventory: inventory{path: []string{"SCM", "Inventory", "Deployed"}, component: s60Component},

	TakesCertificates: true,
}

func plantS60(m *model) *node {
	return interior("",
		m.devInfo("1.2", leaf("ModDDF", "http://ddf.example.org/"+m.mod), leaf("ModDevDet", "")),
		m.devDetail("smartphone", "0", "0", "9"),
		interior("DMAcc").with(mayAdd).object("urn:oma:mo:oma-dm-dmacc:1.0"),
		interior("NAP").with(mayAdd),
		s60SCM(),
	)
}

// s60SCM is ./SCM. A server adds Download/X and Delivered/X; the operations below them are there at once (section 8.5).
func s60SCM() *node {
	// There is no alert: the server looks into the inventory when the handset comes again.
	quiet := func(start func(*work), run func(*work) (int, string)) *operation {
		return &operation{status: statusAccepted, start: start, run: run}
	}
	install := quiet(downloading, deploy(scmLeaves, false))
	download := interior("Download").with(mayAdd)
	download.seed = interior("",
		leaf("Status", "0").as(formatInt),
		interior("Operations",
			runs("Download", quiet(downloading, deliver(scmLeaves, s60Delivered))),
			runs("DownloadAndInstall", install),
			runs("DownloadAndInstallAndActivate", install), runs("DownloadAndUpdate", install),
			runs("DownloadAndUpdateAndActivate", install),
		),
	)
	delivered := interior("Delivered").with(mayAdd)
	delivered.seed = s60Delivered("")
	return interior("SCM",
		interior("Inventory",
			delivered,
			interior("Deployed", s60Component("C0", &Component{ID: "0x101F8560", Name: "0x101F8560", Version: "1.2.0"})),
		),
		download,
		interior("Ext", leaf("LastError", "0").as(formatInt)),
	)
}

// s60Delivered is ./SCM/Inventory/Delivered/X without what describes its package.
func s60Delivered(name string) *node {
	install := &operation{status: statusAccepted, run: deployDelivered(scmLeaves, false)}
	return interior(name,
		interior("Operations",
			runs("Install", install), runs("InstallAndActivate", install),
			runs("Update", install), runs("UpdateAndActivate", install),
			runs("Remove", &operation{status: statusAccepted, run: undeploy}),
		),
	).with(mayAdd)
}

// s60Component is ./SCM/Inventory/Deployed/X.
func s60Component(name string, c *Component) *node {
	state := func(state string) *operation {
		return &operation{status: statusAccepted, run: setState("StateValue", state)}
	}
	return interior(name,
		leaf("ID", c.ID), leaf("Name", c.Name), leaf("Version", c.Version), leaf("StateValue", "Active"),
		interior("Operations",
			runs("Activate", state("Active")), runs("Deactivate", state("Inactive")),
			runs("Remove", &operation{status: statusAccepted, run: undeploy}),
		),
	)
}
