package handset

// Results of FUMO (section 8.2).
const (
	fumoSuccess      = 200
	fumoCorrupt      = 402
	fumoUpdateFailed = 410
	fumoBadURL       = 411
	fumoServerError  = 500
	fumoNoMemory     = 501
	fumoNetwork      = 503
)

var fumoFaults = map[fault]int{
	badURL: fumoBadURL, missing: fumoBadURL, unreachable: fumoNetwork, refused: fumoServerError, cutShort: fumoCorrupt,
	tooLarge: fumoNoMemory,
}

// States of FUMO (section 8.2).
const (
	fumoIdle           = "10"
	fumoDownloadFailed = "20"
	fumoDownloading    = "30"
	fumoDownloaded     = "40"
	fumoReady          = "50"
	fumoUpdating       = "60"
	fumoNoData         = "80"
	fumoUpdated        = "100"
)

const fumoAlert = "org.openmobilealliance.dm.firmwareupdate."

// fumo is an object of FUMO with the operations that a family has.
func fumo(name string, parts ...*node) *node {
	kids := append([]*node{leaf("PkgName", "").with(mayReplace), leaf("PkgVersion", "").with(mayReplace)}, parts...)
	kids = append(kids, leaf("State", fumoIdle).as(formatInt), interior("Ext"))
	return interior(name, kids...).object("urn:oma:mo:oma-fumo:1.0")
}

func fumoOperation(alert, state string, run func(*work) (int, string)) *operation {
	return &operation{
		status: statusAccepted, alert: &alertForm{kind: fumoAlert + alert, format: formatInt},
		start: func(w *work) { w.set(w.fumoState(), state) }, run: run,
	}
}

// fumoState is where the State of the object that is at work stands.
func (w *work) fumoState() []string { return join(w.path[:len(w.path)-1], "State") }

// fumoDownload is Download: the package lies ready for Update.
func fumoDownload() *node {
	n := interior("Download", leaf("PkgURL", "").with(mayReplace)).with(mayExec)
	n.exec = fumoOperation("download", fumoDownloading, func(w *work) (int, string) {
		if f := w.load(w.text(w.path, "PkgURL")); f != 0 {
			w.set(w.fumoState(), fumoDownloadFailed)
			return fumoFaults[f], ""
		}
		w.keepFirmwareVersion()
		w.set(w.fumoState(), fumoDownloaded)
		return fumoSuccess, ""
	})
	return n
}

// fumoUpdate is Update, of a package that is there: one that Download has brought, or PkgData.
func fumoUpdate() *node {
	pkg := leaf("PkgData", "").as(formatBin)
	pkg.rights = mayReplace // no Get (section 8.2)
	n := interior("Update", pkg).with(mayExec)
	n.exec = fumoOperation("update", fumoUpdating, func(w *work) (int, string) {
		if w.text(w.fumoState()) != fumoUpdating {
			w.set(w.fumoState(), fumoNoData)
			return fumoUpdateFailed, ""
		}
		w.updateFirmware()
		return fumoSuccess, ""
	})
	begin := n.exec.start
	n.exec.start = func(w *work) {
		if s := w.text(w.fumoState()); s == fumoDownloaded || s == fumoReady || w.text(w.path, "PkgData") != "" {
			begin(w)
		}
	}
	return n
}

// fumoDownloadAndUpdate is DownloadAndUpdate.
func fumoDownloadAndUpdate() *node {
	n := interior("DownloadAndUpdate", leaf("PkgURL", "").with(mayReplace)).with(mayExec)
	n.exec = fumoOperation("downloadandupdate", fumoDownloading, func(w *work) (int, string) {
		if f := w.load(w.text(w.path, "PkgURL")); f != 0 {
			w.set(w.fumoState(), fumoDownloadFailed)
			return fumoFaults[f], ""
		}
		w.keepFirmwareVersion()
		w.updateFirmware()
		return fumoSuccess, ""
	})
	return n
}

// keepFirmwareVersion lets PkgVersion be what the download said, unless the server has set it.
func (w *work) keepFirmwareVersion() {
	if at := join(w.path[:len(w.path)-1], "PkgVersion"); w.text(at) == "" {
		w.set(at, w.pkg.version)
	}
}

// updateFirmware makes DevDetail/FwV what PkgVersion says, so that a server that looks again can see the update.
func (w *work) updateFirmware() {
	fwv := []string{"DevDetail", "FwV"}
	version := w.text(w.path[:len(w.path)-1], "PkgVersion")
	if version == "" {
		version = w.text(fwv) + "+1"
	}
	w.set(fwv, version)
	w.set(w.fumoState(), fumoUpdated)
}
