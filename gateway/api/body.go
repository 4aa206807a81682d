package api

import (
	"bytes"
	"errors"
	"io"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// conn is what the API asks of a connection beside what net.Conn has. Those of its listener have to have it.
type conn interface {
	Ended() bool // the peer has ended its side
	// HearOut makes Close read and throw away what the peer still sends: a connection that is closed with bytes unread
	// is reset, and the reset overtakes the answer.
	HearOut()
}

// Bounded puts h behind a server that streams the bodies of requests (fasthttp.Server.StreamRequestBody). What h gets has
// been read to its end, and has at most limit bytes; another request is answered by BadRequest. But for the calls that
// take their body line by line: theirs is unread, of any length, and h has to ask who sends it before it reads.
func Bounded(limit int, h fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		if ctx.RequestBodyStream() == nil {
			h(ctx)
			return
		}
		if streamed(string(ctx.Method()), string(ctx.Path())) {
			h(ctx)
			HearOut(ctx)
			ctx.SetConnectionClose() // what is left of the body would be taken for the next request
			return
		}
		body, err := readBody(ctx, limit)
		if err != nil {
			BadRequest(ctx, err)
			ctx.SetConnectionClose()
			return
		}
		ctx.Request.SetBodyRaw(body)
		h(ctx)
	}
}

func readBody(ctx *fasthttp.RequestCtx, limit int) ([]byte, error) {
	if ctx.Request.Header.ContentLength() > limit {
		return nil, fasthttp.ErrBodyTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(newBody(ctx), int64(limit)+1))
	if err == nil && len(body) > limit {
		err = fasthttp.ErrBodyTooLarge
	}
	return body, err
}

// body is the body of a request as it comes. A connection that ends before the body does is io.ErrUnexpectedEOF, which
// fasthttp's own stream does not tell from the end.
type body struct {
	stream io.Reader
	conn   net.Conn
	length int // 0 and more: what the request says; -1: in chunks
	read   int
	within time.Duration // for one line
	pushed time.Time     // when the deadline was pushed on
}

func newBody(ctx *fasthttp.RequestCtx) *body {
	b := &body{stream: ctx.RequestBodyStream(), conn: ctx.Conn(), length: ctx.Request.Header.ContentLength()}
	if b.stream == nil { // the request has none
		b.stream, b.length = bytes.NewReader(nil), 0
	}
	return b
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.stream.Read(p)
	b.read += n
	if err == io.EOF && (b.read < b.length || b.length < 0 && b.conn.(conn).Ended()) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// await gives the peer the time for one more line. The deadline is pushed on now and then, not with each.
func (b *body) await() {
	if now := time.Now(); now.Sub(b.pushed) > b.within/64 {
		b.pushed = now
		b.conn.SetReadDeadline(now.Add(b.within)) // fails where the connection has: so does the next read
	}
}

// refuseWithin is the time for writing such an answer.
const refuseWithin = 10 * time.Second

// BadRequest answers what is no sound HTTP request, or one too large or too slow. The connection has to end with it.
func BadRequest(ctx *fasthttp.RequestCtx, err error) {
	HearOut(ctx)
	status, text := Refusal(err)
	(&problem{Title: "bad request", Status: status, Detail: text}).write(ctx)
}

// HearOut prepares an answer that ends the connection before the request has been read to its end.
func HearOut(ctx *fasthttp.RequestCtx) {
	if c, ok := ctx.Conn().(conn); ok {
		c.HearOut()
	}
	ctx.Conn().SetWriteDeadline(time.Now().Add(refuseWithin)) // fasthttp leaves that of the answer before
}

// Refusal is what an error in reading a request is to who has sent it.
func Refusal(err error) (status int, text string) {
	switch {
	case timedOut(err):
		return fasthttp.StatusRequestTimeout, "the request did not come in time"
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return fasthttp.StatusRequestEntityTooLarge, "the body is too large"
	case errors.As(err, new(*fasthttp.ErrSmallBuffer)):
		return fasthttp.StatusRequestHeaderFieldsTooLarge, "the header is too large"
	}
	return fasthttp.StatusBadRequest, "no sound HTTP request"
}

func timedOut(err error) bool {
	var slow net.Error
	return errors.As(err, &slow) && slow.Timeout()
}
