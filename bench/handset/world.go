package handset

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// Settings are what handsets share. The zero value of a field stands for its default.
type Settings struct {
	Timeout    time.Duration // for one answer; 30 s
	Attempts   int           // to get one message answered; 6
	BackOff    time.Duration // before the second attempt, doubled for each further one; 500 ms
	MaxBackOff time.Duration // also bounds Retry-After; 30 s
	Losing     float64       // share of answers that get lost on the way, so that the message is repeated; 0
	TLS        *tls.Config   // for https; nil trusts the system's roots
	NoFetch    bool          // a package counts as fetched, and nobody is asked for it: for URLs that lead nowhere

	// Wait passes the time of a back-off and returns early with the context's error; nil waits for real.
	Wait func(ctx context.Context, d time.Duration) error

	// Observe is told what happens; nil for nobody. It is called from many goroutines at once, never under a lock.
	Observe func(Event)
}

// World is what handsets live in: the network to the server, time, and who watches.
type World struct {
	Settings
	client *fasthttp.Client
	web    *http.Client // for packages, and what links lead to

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	shut  bool
}

const (
	maxBody  = 1 << 20 // bytes of an answer that are read at all
	maxConns = 1 << 16
)

// NewWorld makes a world. Close it when the handsets in it are done.
func NewWorld(set Settings) *World {
	w := &World{Settings: set, conns: make(map[net.Conn]struct{})}
	setDefault(&w.Timeout, 30*time.Second)
	setDefault(&w.Attempts, 6)
	setDefault(&w.BackOff, 500*time.Millisecond)
	setDefault(&w.MaxBackOff, 30*time.Second)
	if w.Wait == nil {
		w.Wait = wait
	}
	w.client = &fasthttp.Client{
		Dial:                      w.dial,
		MaxConnsPerHost:           maxConns,
		MaxIdemponentCallAttempts: 1, // repeating is the handset's part
		NoDefaultUserAgentHeader:  true,
		DisablePathNormalizing:    true,
		TLSConfig:                 w.TLS,
	}
	w.web = &http.Client{Transport: &http.Transport{
		DialContext:        func(_ context.Context, _, addr string) (net.Conn, error) { return w.dial(addr) },
		TLSClientConfig:    w.TLS,
		DisableCompression: true, // the length is to be what Content-Length said
	}}
	return w
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close cuts all connections. Sessions that are open fail.
func (w *World) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shut = true
	for c := range w.conns {
		c.Close()
	}
}

func (w *World) dial(addr string) (net.Conn, error) {
	c, err := fasthttp.DialDualStackTimeout(addr, w.Timeout)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shut {
		c.Close()
		return nil, net.ErrClosed
	}
	w.conns[c] = struct{}{}
	return &conn{c, w}, nil
}

// conn is a connection that Close can find.
type conn struct {
	net.Conn
	world *World
}

func (c *conn) Close() error {
	c.world.mu.Lock()
	delete(c.world.conns, c.Conn)
	c.world.mu.Unlock()
	return c.Conn.Close()
}
