package fleet

import (
	"fmt"
	"strings"

	"dmgate/codec/push"
	"dmgate/storage"
)

// The ways in which a link reaches a user.
const (
	linkSI  = "si"  // a service indication: the phone offers to open it
	linkSMS = "sms" // a text with the link in it
)

// kindLink is the kind of push that brings a link.
const kindLink = "link"

// linkPush makes the push that brings a link to a device's user: by way "si" or "sms", with what the user reads. It is
// put into a commit by the caller, with the order or job that it belongs to, and Fleet.pushed is called after it.
func (f *Fleet) linkPush(dev *storage.Device, order, way, url, text string) (storage.PushJob, error) {
	now := f.opt.Clock()
	job := storage.PushJob{
		ID: f.newID(now), Device: dev.ID, Order: order, Kind: kindLink, MSISDN: dev.MSISDN, Flow: f.flow("", dev.MSISDN),
		State: storage.PushQueued, NotBefore: now, Created: now, Changed: now,
	}
	switch way {
	case linkSI:
		si := push.Indication{
			Href: url, ID: order, Action: "signal-high", Created: now, Expires: now.Add(f.opt.Tickets.Lifetime), Text: text,
		}
		p := push.Push{TID: 1, ContentType: push.TypeSIC, Body: si.AppendWBXML(nil)}
		job.PDU = p.Append(nil)
	case linkSMS:
		job.Text = text
	default:
		return job, fmt.Errorf("fleet: no way %q to send a link", way)
	}
	return job, nil
}

// linkText is what a link is sent with: the configured text, or the one given, with what stands for its words. A text
// without "{url}" has the link behind it.
func linkText(template, title, url string) string {
	if !strings.Contains(template, "{url}") {
		template = strings.TrimRight(template, " ") + " {url}"
	}
	return strings.NewReplacer("{title}", title, "{url}", url).Replace(template)
}
