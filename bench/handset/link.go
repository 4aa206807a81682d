package handset

import (
	"context"
	"regexp"
	"slices"

	"dmgate/codec/push"
)

// link is a link in a text that people read.
var link = regexp.MustCompile(`https?://[^\s<>"]*[^\s<>".,;:!?)]`)

// ReceiveText takes a short message that people read. A link in it is shown to the user.
func (h *Handset) ReceiveText(text string) {
	h.mu.Lock()
	defer h.unlock()
	h.result.SMS++
	h.note(GotSMS, "text")
	if url := link.FindString(text); url != "" {
		h.shown(url)
	}
}

// indication takes a service indication. A service loading, which would open by itself, is refused as most do (section
// 6.5).
func (h *Handset) indication(p *push.Push) {
	read := push.ReadIndication
	switch p.ContentType {
	case push.TypeSI:
		read = push.ReadIndicationXML
	case push.TypeSL, push.TypeSLC:
		h.note(DroppedPush, "service loading")
		return
	}
	si, err := read(p.Body)
	if err != nil {
		h.blame(RulePush, "%v", err)
		return
	}
	if si.Action != "delete" {
		h.shown(si.Href)
	}
}

// shown shows a link to the user. Whether he opens it is a matter of his temper; when, of OpenLinks.
func (h *Handset) shown(url string) {
	if h.Make.NoUser {
		h.note(DroppedPush, "a link, and no user")
		return
	}
	h.result.Links++
	h.note(LinkShown, url)
	b := h.has()
	known := slices.ContainsFunc(b.components, func(c Component) bool { return c.URL == url })
	if !h.Temper.IgnoresLinks && !known && !slices.Contains(b.links, url) {
		b.links = append(b.links, url)
	}
}

// OpenLinks lets the user open the links that came and that he does not ignore. What lies there is installed; a
// certificate goes to the trust list. Links that lead nowhere are gone as well. It is ErrBusy where a session is open.
func (h *Handset) OpenLinks(ctx context.Context) error {
	h.mu.Lock()
	if h.busy {
		h.mu.Unlock()
		return ErrBusy
	}
	if h.beside == nil || len(h.beside.links) == 0 {
		h.mu.Unlock()
		return nil
	}
	links := h.beside.links
	h.beside.links = nil
	h.busy = true
	h.mu.Unlock()
	for _, url := range links {
		d, f := h.world.fetch(ctx, url, h.Make.Ranges)
		h.opened(url, d, f)
	}
	h.mu.Lock()
	defer h.unlock()
	h.free()
	return nil
}

// opened takes what a link led to.
func (h *Handset) opened(url string, d *download, f fault) {
	h.mu.Lock()
	defer h.unlock()
	h.result.Opened++
	h.result.Downloads++
	if f != 0 {
		h.note(LinkDead, url+": "+f.String())
		return
	}
	h.result.Downloaded += d.size
	h.note(LinkOpened, url)
	if d.certificate != nil {
		h.trust(d.certificate)
		return
	}
	c := Component{ID: d.id, Name: d.id, Version: d.version, URL: url}
	b := h.has()
	b.components = put(b.components, c, func(o Component) bool { return o.ID == c.ID })
	h.change(func(t *tree) { h.Make.inventory.install(t, &c) })
}
