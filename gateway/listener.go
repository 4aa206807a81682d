package main

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"dmgate/sessions"
)

// server is an HTTP server that can come to its end: requests under way are answered, and connections that are waiting
// for the next one, or have never sent any, are closed.
type server struct {
	*fasthttp.Server
	listener *connections
	active   atomic.Int64 // requests being answered
}

// newServer makes a server of s behind l. A request that makes its handler panic gets a 500, and nobody else notices.
func newServer(s *fasthttp.Server, l net.Listener, log *zap.Logger) *server {
	out := &server{Server: s, listener: &connections{Listener: l, open: make(map[*connection]struct{})}}
	handler := s.Handler
	s.Handler = func(ctx *fasthttp.RequestCtx) {
		out.active.Add(1)
		defer out.active.Add(-1)
		defer func() {
			if p := recover(); p != nil {
				log.Error("a request made its handler panic", zap.Any("panic", p), zap.ByteString("path", ctx.Path()), zap.Stack("stack"))
				ctx.Error("this request can not be answered", fasthttp.StatusInternalServerError)
			}
		}()
		handler(ctx)
	}
	return out
}

func (s *server) serve() error { return s.Serve(s.listener) }

// drain ends the server: no connection more, then as long as ctx allows for requests under way.
func (s *server) drain(ctx context.Context) error {
	err := s.listener.Close()
	for s.active.Load() > 0 && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.listener.closeAll()
	return errors.Join(err, s.ShutdownWithContext(ctx))
}

// connections is a listener that knows its open connections.
type connections struct {
	net.Listener
	sharing *sharing // nil for connections without a limit
	mu      sync.Mutex
	open    map[*connection]struct{}
	closed  sync.Once
}

// sharing is how connections are shared out among sources.
type sharing struct {
	source func(net.Addr) sessions.Source
	limit  int // of connections of one source, unless it is exempt
	held   map[sessions.Source]int
	denied *metrics.Counter
	heard  chan struct{} // one for each denied connection that is heard out
}

func newSharing(source func(net.Addr) sessions.Source, limit int, denied *metrics.Counter) *sharing {
	return &sharing{
		source: source, limit: limit, held: make(map[sessions.Source]int), denied: denied,
		heard: make(chan struct{}, heardOut),
	}
}

// heardOut is how many denied connections are heard out at a time, so that they learn why. More are cut off.
const heardOut = 64

// Close implements net.Listener. Only the first call counts: the server closes its listener once more.
func (c *connections) Close() (err error) {
	c.closed.Do(func() { err = c.Listener.Close() })
	return err
}

// Accept implements net.Listener.
func (c *connections) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		k := &connection{Conn: conn, of: c}
		if c.add(k) {
			return k, nil
		}
		c.sharing.deny(k)
	}
}

// add takes k among the open connections, unless its source has as many as it may.
func (c *connections) add(k *connection) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sharing; s != nil {
		k.source = s.source(k.RemoteAddr())
		if k.source != sessions.Exempt && s.held[k.source] >= s.limit {
			return false
		}
		s.held[k.source]++
	}
	c.open[k] = struct{}{}
	return true
}

func (c *connections) remove(k *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.open[k]; !ok {
		return
	}
	delete(c.open, k)
	if s := c.sharing; s != nil {
		if s.held[k.source]--; s.held[k.source] == 0 {
			delete(s.held, k.source)
		}
	}
}

// denial is the answer to whatever a connection too many brings.
const denial = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 10\r\n" +
	"Connection: close\r\nContent-Length: 16\r\n\r\ntry again later\n"

// deny ends a connection that was not taken.
func (s *sharing) deny(k *connection) {
	s.denied.Inc()
	k.refused.Store(true)
	k.SetWriteDeadline(time.Now().Add(lingerFor))
	select {
	case s.heard <- struct{}{}:
		go func() {
			io.WriteString(k, denial)
			k.Close()
			<-s.heard
		}()
	default:
		k.Conn.Close()
	}
}

func (c *connections) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.open {
		k.Conn.Close()
	}
}

type connection struct {
	net.Conn
	of      *connections
	source  sessions.Source
	refused atomic.Bool // the last answer refused a request that has not been read to its end
	ended   atomic.Bool // nothing more is to be read
}

// Read implements net.Conn.
func (k *connection) Read(p []byte) (int, error) {
	n, err := k.Conn.Read(p)
	if err != nil {
		k.ended.Store(true)
	}
	return n, err
}

// ReadFrom implements io.ReaderFrom: where the system can, a file goes from the disk to the network without passing through
// here.
func (k *connection) ReadFrom(r io.Reader) (int64, error) { return io.Copy(k.Conn, r) }

// Ended says whether the peer has ended its side, or the connection broke.
func (k *connection) Ended() bool { return k.ended.Load() }

// HearOut makes Close read what the peer still sends.
func (k *connection) HearOut() { k.refused.Store(true) }

// What is read and thrown away after a refused request, at most.
const (
	lingerFor   = 2 * time.Second
	lingerBytes = 16 << 20
)

// Close implements net.Conn. A refused request is heard out first: a connection that is closed with bytes unread is
// reset, and the reset overtakes the answer that says why.
func (k *connection) Close() error {
	if half, ok := k.Conn.(interface{ CloseWrite() error }); ok && k.refused.Load() && half.CloseWrite() == nil {
		k.SetReadDeadline(time.Now().Add(lingerFor))
		io.CopyN(io.Discard, k.Conn, lingerBytes)
	}
	k.of.remove(k)
	return k.Conn.Close()
}
