package main

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// server is an HTTP server that can come to its end: requests under way are answered, and connections that are waiting
// for the next one, or have never sent any, are closed.
type server struct {
	*fasthttp.Server
	listener *connections
	active   atomic.Int64 // requests being answered
}

func newServer(s *fasthttp.Server, l net.Listener) *server {
	out := &server{Server: s, listener: &connections{Listener: l, open: make(map[*connection]struct{})}}
	handler := s.Handler
	s.Handler = func(ctx *fasthttp.RequestCtx) {
		out.active.Add(1)
		defer out.active.Add(-1)
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
	of *connections
}

// Close implements net.Conn.
func (k *connection) Close() error {
	k.of.mu.Lock()
	delete(k.of.open, k)
	k.of.mu.Unlock()
	return k.Conn.Close()
}
