package fleet

import (
	"fmt"
	"path"
	"strings"

	"dmgate/codec/push"
	"dmgate/sessions"
	"dmgate/storage"
)

// CertificateWay is how a device can get a root certificate, and why so.
type CertificateWay struct {
	How string // one of the ways below
	Sec string // of a push that has to be signed: "netwpin"; empty for one that is not
	Why string
}

// Ways to give a device a certificate.
const (
	HowPush = "push"  // its DER as a WAP push of its own
	HowSI   = linkSI  // a WAP push with a link to it
	HowSMS  = linkSMS // a text message with a link to it
	HowDM   = "dm"    // added to the device's tree
	HowNone = "none"  // not at all
)

// platform is a family of devices, by what they say of themselves.
type platform struct {
	man, mod, devTyp string // globs with "|" between them, in lower case; empty for any
}

// certificateFamily is what is known of how a family takes a root certificate before it has a DM account.
type certificateFamily struct {
	of   platform
	push bool // it offers a pushed certificate to its user
	sec  string
	why  string
}

// certificateFamilies are the families; the first that matches holds. Section 6.5: the content type has wide, not
// universal support; what is said of families here is practice and in no standard. What a model has shown goes first,
// so a wrong line here costs one attempt.
var certificateFamilies = []certificateFamily{
	{platform{man: "*nokia*|*symbian*"}, true, "", "Nokia's phones offer a pushed certificate to their user"},
	{platform{man: "*sonyericsson*|*sony ericsson*|*siemens*|*benq*|*sagem*"}, true, "",
		"feature phones of this make offer a pushed certificate to their user"},
	{platform{man: "*apple*"}, false, "", "iOS drops WAP pushes, and installs what its browser opens"},
	{platform{man: "*microsoft*", mod: "*lumia*|*windows*"}, false, "",
		"Windows phones take a certificate only from their browser or their operator"},
	{platform{man: "*mediatek*|*mtk*|*spreadtrum*|*sprd*|*unisoc*"}, false, "",
		"most builds of this platform drop a pushed certificate"},
	{platform{man: "*samsung*|*lg*|*pantech*"}, false, "", "phones of this make drop a pushed certificate"},
	{platform{man: "*google*|*htc*|*huawei*|*honor*|*zte*|*xiaomi*|*oppo*|*vivo*|*oneplus*|*asus*|*motorola*|*lenovo*|" +
		"*sony*|*tcl*|*hmd*"}, false, "", "Android without its maker's additions drops WAP pushes"},
}

// anyFamily is for devices of which nothing is known.
var anyFamily = certificateFamily{push: true, why: "nothing is known of the device: a push asks least of it"}

// certificateWay says how a device without a DM session gets a root certificate: as it has worked on its model, or else
// as its family takes it, and by a link where a push is too large.
func (f *Fleet) certificateWay(dev *storage.Device, cert *storage.Certificate) CertificateWay {
	link, why := f.linkWay(dev)
	if link == "" {
		return CertificateWay{HowNone, "", why + ": it has to be built in"}
	}
	family := anyFamily
	facts := f.factsOf(dev)
	for i := range certificateFamilies {
		if certificateFamilies[i].of.matches(facts) {
			family = certificateFamilies[i]
			break
		}
	}
	way := CertificateWay{link, "", family.why}
	if family.push {
		way.How, way.Sec = HowPush, family.sec
	}
	m, most := f.modelOf(dev), 0
	for _, how := range []string{HowPush, HowSI, HowSMS} {
		if n := m.hasWorked(outcomeCertificate + how); n > most {
			most, way.How, way.Why = n, how, fmt.Sprintf("it has worked on %d devices of this model", n)
		}
	}
	if way.How != HowPush {
		return way
	}
	if n := segments(certificatePDU(cert)); n > f.opt.Certificate.Segments {
		way.How, way.Sec = link, ""
		way.Why = fmt.Sprintf("it would take %d SMS, and at most %d are sent", n, f.opt.Certificate.Segments)
	}
	return way
}

// factsOf is what is known of a device by name: what it has said, or else what devices of its TAC have.
func (f *Fleet) factsOf(dev *storage.Device) map[string]string {
	if dev.Facts["Man"] != "" {
		return dev.Facts
	}
	kin := f.modelOf(dev).kin
	if len(kin) == 0 {
		return dev.Facts
	}
	of := kin[0]
	return map[string]string{"Man": of.Man, "Mod": of.Mod, "DevTyp": of.Reference.Facts["DevTyp"]}
}

// What is counted for a model under these names, as outcomes of recipes are: that devices which were given a root
// certificate in one way, or in none, have come over TLS afterwards.
const (
	outcomeCertificate = "certificate:" // and the way
	wayBuiltIn         = "built-in:"    // and the certificate's ID
)

// enoughBuiltIn is on how many devices of a model a root certificate has to be built in, so that others are not given
// it.
const enoughBuiltIn = 2

// hasWorked is on how many devices of a model, whatever their firmware, a recipe has worked.
func (m *model) hasWorked(recipe string) int {
	own, _, _ := m.tally(recipe)
	others, _ := m.hints(recipe)
	return own + others
}

// showTrust keeps for a device's model what its first session over TLS has shown: that it takes a root certificate as
// it was given ours, or has it built in.
func (f *Fleet) showTrust(dev *storage.Device, out *sessions.Outcome) {
	root := f.opt.Certificate.Root
	if root == "" || !f.overTLS() || dev.State == storage.Discovered {
		return
	}
	way := wayBuiltIn + root
	if g := dev.Given(root); g != nil && g.State != storage.CertificateFailed {
		way = g.How
	}
	out.Commit.Feed = append(out.Commit.Feed, outcomeOf(dev.Order, outcomeCertificate+way, outcomeWorked, ""))
}

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
