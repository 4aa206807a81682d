package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"dmgate/gateway/api"
)

// tellingListener's connections are those that the API asks for.
type tellingListener struct{ net.Listener }

func (l tellingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &tellingConn{Conn: c}, err
}

type tellingConn struct {
	net.Conn
	ended, hearOut atomic.Bool
}

func (c *tellingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.ended.Store(true)
	}
	return n, err
}

func (c *tellingConn) Close() error {
	if c.hearOut.Load() {
		c.Conn.(*net.TCPConn).CloseWrite()
		c.SetReadDeadline(time.Now().Add(time.Second))
		io.Copy(io.Discard, c.Conn)
	}
	return c.Conn.Close()
}

func (c *tellingConn) Ended() bool { return c.ended.Load() }
func (c *tellingConn) HearOut()    { c.hearOut.Store(true) }

// serve puts a handler behind a server that streams bodies, as the gateway's admin listener does.
func serve(t *testing.T, handler fasthttp.RequestHandler) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &fasthttp.Server{
		Handler: handler, ErrorHandler: api.BadRequest, StreamRequestBody: true, DisablePreParseMultipartForm: true,
		ReadTimeout: time.Second, NoDefaultServerHeader: true,
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(tellingListener{l}) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// Bodies are bounded whatever way they come; a request that was cut off is none; and what stays unread of one is not
// taken for the next.
func TestBounded(t *testing.T) {
	const limit = 20_000
	text := func(n int) string { return strings.Repeat("x", n) }
	length := func(n, body int) string {
		return fmt.Sprintf("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", n, text(body))
	}
	const chunks = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
	chunk := func(n int) string { return fmt.Sprintf("%x\r\n%s\r\n", n, text(n)) }
	const (
		tooLarge = `{"title":"bad request","status":413,"detail":"the body is too large"}`
		unsound  = `{"title":"bad request","status":400,"detail":"no sound HTTP request"}`
		slow     = `{"title":"bad request","status":408,"detail":"the request did not come in time"}`
	)
	for _, c := range []struct {
		name, send string
		half       bool // the client ends its side
		handled    string
		status     int
		answer     string
	}{
		{"none", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", false, "/a 0", 200, ""},
		{"empty", length(0, 0), false, "/a 0", 200, ""},
		{"small", length(7, 7), false, "/a 7", 200, ""},
		{"as large as may be", length(limit, limit), false, "/a 20000", 200, ""},
		{"as large as may be, in chunks", chunks + chunk(limit-1) + chunk(1) + "0\r\n\r\n", false, "/a 20000", 200, ""},
		{"asking first", strings.Replace(length(7, 7), "\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n", 1), false, "/a 7", 200,
			""},
		{"a byte too large", length(limit+1, limit+1), false, "", 413, tooLarge},
		{"a byte too large, in chunks", chunks + chunk(limit) + chunk(1) + "0\r\n\r\n", false, "", 413, tooLarge},
		{"much too large, and not there", length(1<<40, 10_000), false, "", 413, tooLarge},
		{"without an end", chunks + strings.Repeat(chunk(1000), 100), false, "", 413, tooLarge},
		{"a form in parts", strings.Replace(length(limit+1, limit+1), "Host",
			"Content-Type: multipart/form-data; boundary=b\r\nHost", 1), false, "", 413, tooLarge},
		{"cut off", length(10_000, 9_999), true, "", 400, unsound},
		{"cut off early", length(10_000, 10), true, "", 400, unsound},
		{"cut off in a chunk", chunks + chunk(10) + "a\r\nxxx", true, "", 400, unsound},
		{"cut off between chunks", chunks + chunk(10), true, "", 400, unsound},
		{"cut off before the last line", chunks + chunk(10) + "0\r\n", true, "", 400, unsound},
		{"whole, then ended", length(7, 7), true, "/a 7", 200, ""},
		{"whole in chunks, then ended", chunks + chunk(7) + "0\r\n\r\n", true, "/a 7", 200, ""},
		{"no chunk", chunks + "zz\r\n", false, "", 400, unsound},
		{"stalled", length(19_000, 18_000), false, "", 408, slow},
		{"stalled in chunks", chunks + chunk(10), false, "", 408, slow},
		{"unread by the call", strings.Replace(length(9_000, 9_000), "/a", "/v1/campaigns/x/targets", 1), false,
			"/v1/campaigns/x/targets 0", 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			handled := make(chan string, 100)
			address := serve(t, api.Bounded(limit, func(ctx *fasthttp.RequestCtx) {
				handled <- fmt.Sprintf("%s %d", ctx.Path(), unread(ctx))
			}))
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.WriteString(conn, c.send); err != nil {
				t.Errorf("the request is not heard out: %v", err)
			}
			if c.half {
				conn.(*net.TCPConn).CloseWrite()
			}
			r := bufio.NewReader(conn)
			resp, err := http.ReadResponse(r, nil)
			if err == nil && resp.StatusCode == 100 {
				resp, err = http.ReadResponse(r, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != c.status || strings.TrimSpace(string(answer)) != c.answer {
				t.Errorf("status %d %q %v, want %d %q", resp.StatusCode, answer, err, c.status, c.answer)
			}
			if c.status != 200 && resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("Content-Type %q", resp.Header.Get("Content-Type"))
			}
			if c.status == 200 && !c.half && !resp.Close { // the connection goes on
				io.WriteString(conn, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n")
				if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 200 {
					t.Errorf("the next request: %v %v", resp, err)
				}
				if got := <-handled; got != c.handled {
					t.Errorf("handled %q, want %q", got, c.handled)
				}
				c.handled = "/next 0"
			} else if _, err := r.ReadByte(); err != io.EOF {
				t.Errorf("the connection goes on: %v", err)
			}
			close(handled)
			if got := <-handled; got != c.handled || len(handled) > 0 {
				t.Errorf("handled %q and %d more, want %q", got, len(handled), c.handled)
			}
		})
	}
}

// unread is the length of a body, and 0 for one that has not been read.
func unread(ctx *fasthttp.RequestCtx) int {
	if ctx.RequestBodyStream() != nil {
		return 0
	}
	return len(ctx.PostBody())
}
