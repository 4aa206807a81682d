package files

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"dmgate/codec/byterange"
	"dmgate/gateway/fleet"
	"dmgate/sessions"
	"dmgate/storage"
)

// Options are the server's settings. The zero value of a field stands for its default.
type Options struct {
	Source    func(net.Addr) sessions.Source // which peers count as one; required
	Downloads int                            // at once; 1000
	Misses    int                            // wrong tokens of one source in a minute, before it is put off; 60
	Stall     time.Duration                  // for the next 16 KiB of a file to be taken; 30 s
	Clock     func() time.Time
	Log       *zap.Logger
}

// Server serves tickets below fleet.TicketPath. It is safe for concurrent use.
type Server struct {
	opt       Options
	store     *Store
	fleet     *fleet.Fleet
	misses    misses
	downloads downloads
	counts    counts
}

// counts are of requests, by what they were answered with, and of bytes.
type counts struct {
	file, over, unknown, limited, busy, failed *metrics.Counter

	bytes *metrics.Counter
}

// NewServer makes a server of the files in store by the tickets of f. Its figures go to set.
func NewServer(o Options, store *Store, f *fleet.Fleet, set *metrics.Set) *Server {
	if o.Downloads == 0 {
		o.Downloads = 1000
	}
	if o.Misses == 0 {
		o.Misses = 60
	}
	if o.Stall == 0 {
		o.Stall = 30 * time.Second
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	s := &Server{opt: o, store: store, fleet: f}
	s.misses.limit = o.Misses
	s.downloads.init(o.Downloads)
	answer := func(name string) *metrics.Counter {
		return set.NewCounter(`dmgate_link_requests_total{answer="` + name + `"}`)
	}
	s.counts = counts{
		file: answer("file"), over: answer("over"), unknown: answer("unknown"), limited: answer("limited"),
		busy: answer("busy"), failed: answer("failed"), bytes: set.NewCounter(`dmgate_download_bytes_total`),
	}
	set.NewGauge(`dmgate_downloads_active`, func() float64 { return float64(s.downloads.underWay()) })
	return s
}

// maxToken is how long a token may be that is looked up.
const maxToken = 64

// retryAfter is when a client comes again that was put off, in seconds.
const retryAfter = 5

// Serve answers one request below fleet.TicketPath.
func (s *Server) Serve(ctx *fasthttp.RequestCtx) {
	token, form := cutToken(string(ctx.Path()))
	from := s.opt.Source(ctx.RemoteAddr())
	// A source that guesses is put off before anything is looked up, so that a right guess tells it nothing either.
	if wait := s.misses.wait(from, s.opt.Clock()); wait > 0 {
		s.counts.limited.Inc()
		ctx.Response.Header.Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		page(ctx, fasthttp.StatusTooManyRequests, "Too many wrong links. Try again later.")
		return
	}
	t, err := s.ticket(token)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		s.counts.unknown.Inc()
		s.misses.add(from, s.opt.Clock())
		page(ctx, fasthttp.StatusNotFound, "This link is not known.")
	case err != nil:
		s.unavailable(ctx, "reading a ticket", err)
	case form == fleet.NotifySuffix:
		s.report(ctx, t)
	case !ctx.IsGet() && !ctx.IsHead():
		ctx.Response.Header.Set("Allow", "GET, HEAD")
		page(ctx, fasthttp.StatusMethodNotAllowed, "A link is opened by GET.")
	case s.over(t) != "":
		s.counts.over.Inc()
		page(ctx, fasthttp.StatusGone, s.over(t))
	case form == fleet.DescriptorSuffix:
		s.descriptor(ctx, t, token)
	default:
		s.file(ctx, t)
	}
}

// cutToken takes the path of a request apart: the token, and what stands behind it.
func cutToken(path string) (token, form string) {
	token = strings.TrimPrefix(path, fleet.TicketPath)
	for _, form := range []string{fleet.DescriptorSuffix, fleet.NotifySuffix} {
		if before, ok := strings.CutSuffix(token, form); ok {
			return before, form
		}
	}
	return token, ""
}

// ticket looks a token up. Tickets are kept under a hash, so how long it takes tells nothing of tokens that there are.
func (s *Server) ticket(token string) (*storage.Ticket, error) {
	if token == "" || len(token) > maxToken {
		return nil, storage.ErrNotFound
	}
	return s.fleet.Ticket(fleet.TicketID(token))
}

// over says to its user why a ticket serves no more; empty where it does.
func (s *Server) over(t *storage.Ticket) string {
	switch {
	case t.Closed != "":
		return "This link is closed."
	case !s.opt.Clock().Before(t.Expires):
		return "This link has expired."
	case t.Used >= t.Uses:
		return "This link was used already."
	}
	return ""
}

// file answers a request for the file of a ticket, or for a part of it.
func (s *Server) file(ctx *fasthttp.RequestCtx, t *storage.Ticket) {
	d, err := s.downloads.begin(t, s.opt.Clock())
	if errors.Is(err, errBusy) {
		s.counts.busy.Inc()
		ctx.Response.Header.Set("Retry-After", strconv.Itoa(retryAfter))
		page(ctx, fasthttp.StatusServiceUnavailable, "Too many downloads. Try again later.")
		return
	}
	if err != nil {
		if err := s.fleet.CloseTicket(t, err.Error()); err != nil {
			s.unavailable(ctx, "closing a ticket", err)
			return
		}
		s.counts.over.Inc()
		page(ctx, fasthttp.StatusGone, "This link is closed.")
		return
	}
	handed := false // to the body, which ends the download itself
	defer func() {
		if !handed {
			s.downloads.end(d, s.opt.Clock())
		}
	}()
	s.counts.file.Inc()
	describe(ctx, t)
	if ctx.IsHead() { // has no ranges
		ctx.Response.SkipBody = true
		ctx.Response.Header.SetContentLength(int(t.File.Size))
		return
	}
	span, answer := asked(ctx, t)
	if answer == byterange.Unsatisfiable {
		size := strconv.FormatInt(t.File.Size, 10)
		page(ctx, fasthttp.StatusRequestedRangeNotSatisfiable, "The file has "+size+" bytes.")
		ctx.Response.Header.Set("Content-Range", "bytes */"+size)
		return
	}
	from, err := s.open(t, span.From)
	if err != nil {
		s.unavailable(ctx, "opening a file", err)
		return
	}
	if t.Opened.IsZero() {
		if err := s.fleet.TicketOpened(t); err != nil {
			from.Close()
			s.unavailable(ctx, "recording that a link was opened", err)
			return
		}
	}
	if answer == byterange.Part {
		ctx.SetStatusCode(fasthttp.StatusPartialContent)
		ctx.Response.Header.SetContentRange(int(span.From), int(span.To-1), int(t.File.Size))
	}
	d.resume(t, span)
	handed = true
	ctx.SetBodyStream(&body{server: s, ticket: t, download: d, file: from, conn: ctx.Conn(), left: span}, int(span.Size()))
}

// asked is which bytes a request wants. A range that hangs on another version of the file is none (If-Range).
func asked(ctx *fasthttp.RequestCtx, t *storage.Ticket) (byterange.Span, byterange.Answer) {
	header := string(ctx.Request.Header.Peek(fasthttp.HeaderRange))
	if given := ctx.Request.Header.Peek(fasthttp.HeaderIfRange); len(given) > 0 && string(given) != etag(t) {
		header = ""
	}
	return byterange.Parse(header, t.File.Size)
}

// unavailable is the answer where something of ours has failed, which is logged and not told.
func (s *Server) unavailable(ctx *fasthttp.RequestCtx, doing string, err error) {
	s.counts.failed.Inc()
	s.opt.Log.Error("ticket not served", zap.String("doing", doing), zap.Error(err))
	ctx.Response.Header.Set("Retry-After", strconv.Itoa(retryAfter))
	page(ctx, fasthttp.StatusServiceUnavailable, "This is not possible now. Try again later.")
}

// page is a small plain answer for a user, in what every phone can show.
func page(ctx *fasthttp.RequestCtx, status int, text string) {
	for _, h := range []string{
		fasthttp.HeaderETag, fasthttp.HeaderContentDisposition, headerDigest, headerReprDigest, headerVersion,
		headerSoftware,
	} {
		ctx.Response.Header.Del(h)
	}
	ctx.SetStatusCode(status)
	ctx.Response.Header.Set(fasthttp.HeaderCacheControl, "no-store")
	ctx.SetContentType("text/plain; charset=us-ascii")
	ctx.SetBodyString(text + "\n")
}
