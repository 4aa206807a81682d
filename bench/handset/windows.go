package handset

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"

	"dmgate/codec/syncml"
)

// Windows is the client of desktop and tablet Windows: XML, decimal SessionID, no Meta in SyncHdr, LoginStatus with
// package 1, names %-escaped, URIs without a leading slash (trap 23). It is managed by configuration service providers
// below ./Device/Vendor/MSFT, which ./Vendor/MSFT is another name of. Source: sections 2.1, 2.4, 8.5.
var Windows = &Make{
	Name:     "windows",
	VerDTD:   "1.2",
	VerProto: "DM/1.2",
	Encoding: syncml.XML,
	Style:    syncml.Style{Version: syncml.V12},

	SessionID:   Decimal,
	LocName:     LocNameAlways,
	MaxMsgSize:  512 << 10,
	SilentMeta:  true,
	LoginStatus: true,

	Auth:       MD5,
	Nonce:      Base64,
	ServerAuth: ServerNone,

	limits:     uriLimits{},
	list:       statusUnsupported,
	properties: true,
	escapes:    true,
	implicit:   true,
	models: []model{
		{man: "Lumen", mod: "Slate 10", oem: "Lumen", fwv: "10.0.19045", swv: "10.0.19045.3803", hwv: "4.1", lang: "en-US"},
		{man: "Lumen", mod: "Desk 3", oem: "Lumen", fwv: "10.0.22631", swv: "10.0.22631.2861", hwv: "7.0", lang: "de-DE"},
	},
	plant:        plantWindows,
	account:      windowsAccount,
	accounts:     []string{"SyncML", "DMAcc"},
	inventory:    inventory{path: msft("EnterpriseDesktopAppManagement", "MSI"), component: msiProduct, byID: true},
	certificates: msft("RootCATrustedCertificates", "Root"),
}

// msft is a path below ./Device/Vendor/MSFT.
func msft(names ...string) []string { return join([]string{"Device", "Vendor", "MSFT"}, names...) }

func plantWindows(m *model) *node {
	count := func(count func(*Result)) *operation {
		return &operation{status: statusOK, run: func(w *work) (int, string) {
			count(&w.done)
			return statusOK, ""
		}}
	}
	wipe := count(func(r *Result) { r.Wipes++ })
	vendor := interior("Vendor", interior("MSFT",
		interior("EnterpriseDesktopAppManagement",
			interior("MSI",
				msiProduct("{6F2C1B9A-0D3E-4E57-9B41-7A1C2D3E4F50}", &Component{Name: "Lumen Care", Version: "2.1.0"}),
			).takes(interior("").takes(runs("DownloadInstall", msiInstall()))),
		),
		interior("RemoteWipe", runs("doWipe", wipe), runs("doWipeProtected", wipe)),
		interior("RemoteLock", runs("Lock", count(func(r *Result) { r.Locks++ }))),
		interior("RootCATrustedCertificates", interior("Root").takes(interior("").takes(certificateLeaf()))),
		interior("DMClient", leaf("HWDevID", "5b1f0c7e"), interior("Provider").with(mayAdd)),
	))
	alias := interior("Vendor")
	alias.link = []string{"Device", "Vendor"}
	return interior("",
		m.devInfo("1.2"),
		m.devDetail("tablet", "0", "0", "0"),
		interior("Device", vendor),
		interior("User", interior("Vendor", interior("MSFT"))),
		alias,
		interior("SyncML", interior("DMAcc").with(mayAdd)),
	)
}

// windowsAccount is the account at a node that is called after the SHA-256 of PROVIDER-ID.
func windowsAccount(a *account) *node {
	n := account12(a)
	uid := sha256.Sum256([]byte(a.serverID))
	n.name = hex.EncodeToString(uid[:])
	return n
}

const encodedCertificate = "EncodedCertificate"

// certificateLeaf takes a certificate in DER, which travels as base64.
func certificateLeaf() *node {
	n := leaf(encodedCertificate, "").as(formatBin)
	n.check = func(data string) int {
		if _, err := x509.ParseCertificate([]byte(data)); err != nil {
			return statusFailed
		}
		return 0
	}
	return n
}
