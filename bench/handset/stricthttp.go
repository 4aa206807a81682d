package handset

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/valyala/fasthttp"
)

// checkStatus looks at an answer that is none. A server that is busy says so with 503 and when to come again; anything
// else a client in the field may take for the end.
func (s *session) checkStatus(status int, err error) {
	switch {
	case err != nil:
	case status != fasthttp.StatusServiceUnavailable:
		s.blame(RuleHTTP, "HTTP status %d", status)
	case len(s.resp.Header.Peek(fasthttp.HeaderRetryAfter)) == 0:
		s.blame(RuleHTTP, "503 without Retry-After")
	}
}

// checkHTTP looks at an answer with status 200 (section 4). It fails where the make would not read on.
func (s *session) checkHTTP() error {
	want := s.make.ContentType()
	got := string(s.resp.Header.ContentType())
	media, parameters, _ := strings.Cut(got, ";")
	switch {
	case strings.TrimSpace(media) != want:
		s.blame(RuleContentType, "Content-Type %q (want %q)", got, want)
		return fmt.Errorf("%w: Content-Type %q", ErrBadAnswer, got)
	case parameters != "" || got != want:
		s.blame(RuleContentType, "Content-Type %q with parameters (trap 3)", got)
		if s.make.Unforgiving {
			return fmt.Errorf("%w: Content-Type %q", ErrBadAnswer, got)
		}
	}
	if s.resp.Header.ContentLength() < 0 {
		s.blame(RuleLength, "no Content-Length (trap 4)")
	}
	if coding := s.resp.Header.ContentEncoding(); len(coding) > 0 {
		s.blame(RuleLength, "Content-Encoding %q, which was not asked for", coding)
		return fmt.Errorf("%w: Content-Encoding %q", ErrBadAnswer, coding)
	}
	if len(s.reply) > s.make.MaxMsgSize {
		s.blame(RuleSize, "%d bytes (MaxMsgSize %d)", len(s.reply), s.make.MaxMsgSize)
		if s.make.Unforgiving {
			return fmt.Errorf("%w: %d bytes", ErrBadAnswer, len(s.reply))
		}
	}
	return nil
}

// isAbsolute says whether uri is one that a client can send to as it is.
func isAbsolute(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
