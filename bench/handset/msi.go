package handset

import (
	"encoding/xml"
	"errors"
	"strconv"
	"strings"
)

// Statuses of a product of EnterpriseDesktopAppManagement (section 8.5).
const (
	msiDownloading    = "20"
	msiDownloadFailed = "30"
	msiFailed         = "60"
	msiDone           = "70"
)

// msiDate is when a product was installed, as far as a handset without a calendar knows.
const msiDate = "2026-01-15"

// HRESULTs that Windows gives for failed downloads.
var msiFaults = map[fault]int{
	badURL:      -2147012891, // 0x80072EE5, invalid URL
	unreachable: -2147012867, // 0x80072EFD, can not connect
	missing:     -2145844844, // 0x80190194, HTTP 404
	refused:     -2145844748, // 0x801901F4, HTTP 500
	cutShort:    -2147012866, // 0x80072EFE, connection aborted
	tooLarge:    -2147024784, // 0x80070070, disk full
}

const msiWrongHash = -2146889721 // 0x80091007

// msiJob is what the server sends with the Exec: where the package lies, and what is to be done with it.
type msiJob struct {
	XMLName xml.Name `xml:"MsiInstallJob"`
	Product struct {
		Version string   `xml:"Version,attr"`
		URLs    []string `xml:"Download>ContentURLList>ContentURL"`
		Hash    string   `xml:"Validation>FileHash"`
	}
}

func readMSIJob(data string) (j msiJob, err error) {
	if err = xml.Unmarshal([]byte(data), &j); err == nil && len(j.Product.URLs) == 0 {
		err = errors.New("no ContentURL")
	}
	return j, err
}

// msiInstall is DownloadInstall, the node and the Exec of it.
func msiInstall() *operation {
	return &operation{
		status: statusAccepted,
		alert: &alertForm{
			kind:   "Reversed-Domain-Name:com.microsoft.mdm.win32csp_install",
			format: formatInt, mark: "informational", lone: true,
		},
		check: func(data string) int {
			if _, err := readMSIJob(data); err != nil {
				return statusBadRequest
			}
			return 0
		},
		start: func(w *work) { w.msiStatus(msiDownloading, 0) },
		run:   installMSI,
	}
}

// installMSI fetches the package and checks it. The result is an HRESULT, 0 for success.
func installMSI(w *work) (int, string) {
	j, _ := readMSIJob(w.data) // checked when the Exec came
	f := fault(0)
	for _, url := range j.Product.URLs {
		if f = w.load(strings.TrimSpace(url)); f == 0 {
			break
		}
	}
	switch {
	case f != 0:
		w.msiStatus(msiDownloadFailed, msiFaults[f])
		return msiFaults[f], ""
	case j.Product.Hash != "" && w.pkg.digest != "" && !strings.EqualFold(strings.TrimSpace(j.Product.Hash), w.pkg.digest):
		w.msiStatus(msiFailed, msiWrongHash)
		return msiWrongHash, ""
	}
	id := w.path[len(w.path)-2]
	c := &Component{ID: id, Name: w.pkg.id, Version: j.Product.Version}
	if c.Version == "" {
		c.Version = w.pkg.version
	}
	w.make.inventory.install(w.tree, c)
	return 0, ""
}

// msiStatus sets the leaves Status and LastError of the product, which are there from the first Exec on.
func (w *work) msiStatus(status string, lastError int) {
	product := w.path[:len(w.path)-1]
	w.put(join(product, "Status"), leaf("Status", status).as(formatInt))
	w.put(join(product, "LastError"), leaf("LastError", strconv.Itoa(lastError)).as(formatInt))
}

// msiProduct is .../MSI/{ProductID} of a product that is installed. To delete it is to take it away.
func msiProduct(name string, c *Component) *node {
	return interior(name,
		runs("DownloadInstall", msiInstall()),
		leaf("Name", c.Name), leaf("Version", c.Version), leaf("InstallDate", msiDate),
		leaf("InstallPath", ""), leaf("Status", msiDone).as(formatInt), leaf("LastError", "0").as(formatInt),
	).with(mayAdd | mayDelete)
}
