package fleet

import (
	"fmt"
	"path"
	"strings"

	"dmgate/codec/push"
	"dmgate/storage"
)

// CertificateWay is how a device can get a root certificate, and why so.
type CertificateWay struct {
	How  string // one of the ways below
	Link string // the link that is taken where a push is too large: HowSI or HowSMS
	Sec  string // of a push that has to be signed: "netwpin"; empty for one that is not
	Why  string
}

// Ways to give a device a certificate.
const (
	HowPush = "push" // its DER as a WAP push of its own
	HowSI   = "si"   // a WAP push with a link to it
	HowSMS  = "sms"  // a text message with a link to it
	HowDM   = "dm"   // added to the device's tree
	HowNone = "none" // not at all
)

// platform is what is known of how a family of devices takes a root certificate before it has a DM account.
type platform struct {
	man, mod, devTyp string // globs with "|" between them, in lower case; empty for any
	way              CertificateWay
}

// platforms are the families, the first that matches holds. Section 6.5: the content type has wide, not universal
// support; what is said of families here is practice and not a standard's word. What a model has shown goes first (see
// certificateWay), so a wrong line here costs one attempt.
var platforms = []platform{
	{devTyp: "*module*|*modem*|*m2m*|*router*", way: CertificateWay{HowNone, HowNone, "",
		"a module has no user who could accept a certificate: it has to be built in"}},
	{man: "*apple*", way: CertificateWay{HowSMS, HowSMS, "",
		"iOS drops WAP pushes: it installs what its browser opens"}},
	{man: "*microsoft*", mod: "*lumia*|*windows*", way: CertificateWay{HowSMS, HowSMS, "",
		"Windows phones take a certificate only from their browser or their operator"}},
	{man: "*nokia*|*symbian*", way: CertificateWay{HowPush, HowSI, "",
		"Nokia's phones offer a pushed certificate to their user"}},
	{man: "*sonyericsson*|*sony ericsson*|*siemens*|*benq*|*sagem*", way: CertificateWay{HowPush, HowSI, "",
		"feature phones of this make offer a pushed certificate to their user"}},
	{man: "*mediatek*|*mtk*|*spreadtrum*|*sprd*|*unisoc*", way: CertificateWay{HowSI, HowSI, "",
		"most builds of this platform drop a pushed certificate, and show a link"}},
	{man: "*samsung*|*lg*|*pantech*", way: CertificateWay{HowSI, HowSI, "",
		"phones of this make show a link by WAP push, and drop a pushed certificate"}},
	{man: "*google*|*htc*|*huawei*|*honor*|*zte*|*xiaomi*|*oppo*|*vivo*|*oneplus*|*asus*|*motorola*|*lenovo*|*sony*|*tcl*|*hmd*",
		way: CertificateWay{HowSMS, HowSMS, "", "Android without its maker's additions drops WAP pushes"}},
}

// anyPlatform is for devices of which nothing is known.
var anyPlatform = CertificateWay{HowPush, HowSI, "", "nothing is known of the device: a push asks least of it"}

// certificateWay says how a device without a DM session gets a root certificate.
func (f *Fleet) certificateWay(dev *storage.Device, cert *storage.Certificate) CertificateWay {
	way := anyPlatform
	facts := f.factsOf(dev)
	for i := range platforms {
		if platforms[i].matches(facts) {
			way = platforms[i].way
			break
		}
	}
	if way.How != HowPush {
		return way
	}
	if n := segments(certificatePDU(cert)); n > f.opt.Certificate.Segments {
		way.How = way.Link
		way.Why = fmt.Sprintf("it would take %d SMS, and at most %d are sent", n, f.opt.Certificate.Segments)
	}
	return way
}

// factsOf is what is known of a device by name: what it has said, or else what is known of its model.
func (f *Fleet) factsOf(dev *storage.Device) map[string]string { return dev.Facts }

func (p *platform) matches(facts map[string]string) bool {
	return anyGlob(p.man, facts["Man"]) && anyGlob(p.mod, facts["Mod"]) && anyGlob(p.devTyp, facts["DevTyp"])
}

// anyGlob says whether one of the globs matches a value; those of no globs match any, and none matches no value.
func anyGlob(globs, value string) bool {
	if globs == "" {
		return true
	}
	for glob := range strings.SplitSeq(globs, "|") {
		if ok, _ := path.Match(glob, strings.ToLower(strings.ReplaceAll(value, "/", " "))); ok && value != "" {
			return true
		}
	}
	return false
}

// certificatePDU is the WSP push that carries a certificate: its DER, for the application that takes any.
func certificatePDU(cert *storage.Certificate) []byte {
	p := push.Push{TID: 1, ContentType: push.TypeX509CACert, Body: cert.DER}
	return p.Append(nil)
}

// segments is how many SMS a push takes.
func segments(pdu []byte) int {
	parts, err := push.Split(pdu, push.Ports{Dst: push.PortPush, Src: push.PortWSP}, 1)
	if err != nil {
		return 1 << 16 // more than there can be
	}
	return len(parts)
}
