package main

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/zap"
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
	mu     sync.Mutex
	open   map[*connection]struct{}
	closed sync.Once
}

// Close implements net.Listener. Only the first call counts: the server closes its listener once more.
func (c *connections) Close() (err error) {
	c.closed.Do(func() { err = c.Listener.Close() })
	return err
}

// Accept implements net.Listener.
func (c *connections) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	k := &connection{Conn: conn, of: c}
	c.mu.Lock()
	c.open[k] = struct{}{}
	c.mu.Unlock()
	return k, nil
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
	refused atomic.Bool // the last answer refused a request that has not been read to its end
}

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
	k.of.mu.Lock()
	delete(k.of.open, k)
	k.of.mu.Unlock()
	return k.Conn.Close()
}
