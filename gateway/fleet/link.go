package fleet

import (
	"fmt"
	"strings"

	"dmgate/codec/push"
	"dmgate/storage"
)

// The ways in which a link reaches a user.
const (
	linkSI  = "si"   // a service indication: the phone offers to open it
	linkSMS = "sms"  // a text with the link in it
	linkAny = "link" // the one of these that suits the device
)

// kindLink is the kind of push that brings a link.
const kindLink = "link"

// linkPush makes the push that brings a link to a device's user: by way "si", "sms" or "link", with a text for the
// user. In a service indication the link has a place of its own, and the text goes without it; a plain text without it
// has it at its end. The push is put into a commit by the caller, with the order or job that it belongs to, and
// Fleet.pushed is called after it. The error is a *FieldError where no link can reach anybody.
func (f *Fleet) linkPush(dev *storage.Device, order, way, url, text string) (storage.PushJob, error) {
	now := f.opt.Clock()
	job := storage.PushJob{
		ID: f.newID(now), Device: dev.ID, Order: order, Kind: kindLink, MSISDN: dev.MSISDN, Flow: f.flow("", dev.MSISDN),
		State: storage.PushQueued, NotBefore: now, Created: now, Changed: now,
	}
	if way == linkAny {
		if way, _ = f.linkWay(dev); way == "" {
			return job, &FieldError{"link", "there is no user at the device who could open it"}
		}
	}
	switch way {
	case linkSI:
		si := push.Indication{
			Href: url, ID: order, Action: "signal-high", Created: now, Expires: now.Add(f.opt.Tickets.Lifetime),
			Text: strings.Trim(strings.ReplaceAll(text, url, ""), " :\n"),
		}
		p := push.Push{TID: 1, ContentType: push.TypeSIC, Body: si.AppendWBXML(nil)}
		job.PDU = p.Append(nil)
	case linkSMS:
		if job.Text = text; !strings.Contains(text, url) {
			job.Text = strings.TrimRight(text, " ") + " " + url
		}
	default:
		return job, fmt.Errorf("fleet: no way %q to send a link", way)
	}
	return job, nil
}

// linkText is what a link is sent with: the configured text, with what stands for its words.
func linkText(template, title, url string) string {
	return strings.NewReplacer("{title}", title, "{url}", url).Replace(template)
}

// linkFamily says by which way a family of devices shows its user a link; empty for none.
type linkFamily struct {
	of       platform
	way, why string
}

// linkFamilies are the families; the first that matches holds. That a phone shows a service indication at all is
// practice and in no standard: those of before smartphones do, and newer ones dropped it or leave it to an application.
var linkFamilies = []linkFamily{
	{platform{devTyp: "*module*|*modem*|*m2m*|*router*|*gateway*"}, "", "a module has no user"},
	{platform{man: "*apple*"}, linkSMS, "iOS drops WAP pushes"},
	{platform{man: "*microsoft*"}, linkSMS, "Windows phones drop WAP pushes, or ask for their operator's signature"},
	{platform{man: "*nokia*|*symbian*"}, linkSI, "Nokia's phones offer to open a service indication"},
	{platform{man: "*sonyericsson*|*sony ericsson*|*siemens*|*benq*|*sagem*|*alcatel*|*sharp*|*nec*|*philips*"}, linkSI,
		"feature phones of this make offer to open a service indication"},
	{platform{man: "*mediatek*|*mtk*|*spreadtrum*|*sprd*|*unisoc*"}, linkSI, "feature phones of this platform do"},
	{platform{man: "*samsung*", mod: "sm-*|gt-i*|gt-p*|gt-n*|shv-*|*galaxy*"}, linkSMS,
		"Android: a text is sure to be shown"},
	{platform{man: "*samsung*|*pantech*"}, linkSI, "feature phones of this make offer to open a service indication"},
}

// anyLink is for devices of which nothing is known, and for what is newer.
const anyLink = "every phone shows a text, and makes a link of what stands in it"

// linkWay is the way that suits a device, and why; empty where it has no user.
func (f *Fleet) linkWay(dev *storage.Device) (way, why string) {
	facts := f.factsOf(dev)
	for i := range linkFamilies {
		if l := &linkFamilies[i]; l.of.matches(facts) {
			return l.way, l.why
		}
	}
	return linkSMS, anyLink
}
