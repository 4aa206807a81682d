package handset

import "fmt"

// S60SCOMO is the S60 family with SCOMO in place of SCM: components by URL or in-band, results as a text in XML without
// a Correlator, and access points at ./NAP whose names the handset makes up (trap 22). Source: sections 8.3, 8.4.
var S60SCOMO = S60.but(func(m *Make) {
	m.Name = "s60-scomo"
	m.MaxObjSize = 1 << 20
	m.models = []model{
		{man: "Bolmen", mod: "B97", oem: "Bolmen", fwv: "20.0.019", swv: "V 20.0.019 RM-97", hwv: "3201", lang: "en"},
		{man: "Bolmen", mod: "BC7", oem: "Bolmen", fwv: "111.040", swv: "V 111.040 RM-17", hwv: "0600", lang: "es"},
	}
	m.plant = plantS60SCOMO
	m.inventory = s60SCOMO.inventory()
	m.points = []string{"NAP"}
})

// s60Data is a result as S60 words it. That it is Data of a CDATA section is part of the text.
func s60Data(result int, id string) string {
	return fmt.Sprintf("<![CDATA[<ResultCode>%d</ResultCode><Identifier>%s</Identifier>]]>", result, id)
}

var s60SCOMO = &scomoForm{
	alert: &alertForm{
		kind:   "org.openmobilealliance.dm.softwarecomponent.OperationComplete",
		format: plainText, mark: "warning", data: s60Data, lone: true,
	},
	deactivate: "Deactivate",
	install:    []string{"DownloadInstallInactive", "DownloadInstallInactivate"},
}

func plantS60SCOMO(m *model) *node {
	return interior("",
		m.devInfo("1.2", leaf("ModDDF", "http://ddf.example.org/"+m.mod), leaf("ModDevDet", "")),
		m.devDetail("smartphone", "0", "0", "9"),
		interior("DMAcc").with(mayAdd).object("urn:oma:mo:oma-dm-dmacc:1.0"),
		nap(),
		s60SCOMO.root(s60Download(), s60InBand(), &Component{ID: "0x2001B2A3", Name: "Maps", Version: "3.04"},
			leaf("LastError", "0").as(formatInt)),
		lawmo(&alertForm{kind: lawmoAlert.kind, format: plainText, mark: "warning"}, "UnLock"),
	)
}

// s60Download is where a server adds X, numeric or as it likes. Its Status and Operations are there at once.
func s60Download() *node {
	n := interior("Download").with(mayAdd)
	n.seed = interior("", leaf("Status", scomoIdle).as(formatInt), s60SCOMO.operations())
	return n
}

// s60InBand is Delivered: a server adds X, and with it Data, in place of a URL.
func s60InBand() *node {
	n := interior("Delivered").with(mayAdd)
	n.seed = s60SCOMO.delivered("")
	return n
}
