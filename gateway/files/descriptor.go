package files

import (
	"github.com/valyala/fasthttp"

	"dmgate/codec/omadl"
	"dmgate/gateway/fleet"
	"dmgate/storage"
)

// descriptor answers with the OMA DL descriptor of a ticket's file.
func (s *Server) descriptor(ctx *fasthttp.RequestCtx, t *storage.Ticket, token string) {
	link, err := s.fleet.TicketURL(token)
	if err != nil {
		s.unavailable(ctx, "writing a descriptor", err)
		return
	}
	d := omadl.Descriptor{
		Type: t.File.Type, Size: t.File.Size, URI: link, Name: t.Title, InstallParam: t.Params,
		NotifyURI: link + fleet.NotifySuffix,
	}
	if d.Name == "" {
		d.Name = saved(t)
	}
	ctx.Response.Header.Set(fasthttp.HeaderCacheControl, "no-store")
	ctx.SetContentType(omadl.TypeDD)
	if body := d.Append(nil); ctx.IsHead() {
		ctx.Response.SkipBody = true
		ctx.Response.Header.SetContentLength(len(body))
	} else {
		ctx.SetBody(body)
	}
}

// report takes what a device says of the installation. It is taken of a ticket that serves no more as well: the
// download comes first.
func (s *Server) report(ctx *fasthttp.RequestCtx, t *storage.Ticket) {
	if !ctx.IsPost() {
		ctx.Response.Header.Set("Allow", "POST")
		page(ctx, fasthttp.StatusMethodNotAllowed, "A notification is a POST.")
		return
	}
	status, err := omadl.ReadStatus(ctx.Request.Body())
	if err != nil {
		page(ctx, fasthttp.StatusBadRequest, "No status code.")
		return
	}
	if err := s.fleet.TicketReported(t, status.String()); err != nil {
		s.unavailable(ctx, "recording a notification", err)
		return
	}
	ctx.SetStatusCode(fasthttp.StatusOK)
}
