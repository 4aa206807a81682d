package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/VictoriaMetrics/metrics"
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"dmgate/gateway/api"
	"dmgate/storage"
)

// admin is the handler of the admin listener: API, health, metrics, and the page for everything else.
func (g *gateway) admin(ctx *fasthttp.RequestCtx) {
	switch path := string(ctx.Path()); {
	case strings.HasPrefix(path, api.Prefix):
		g.api.Serve(ctx, g.web.SignedIn(ctx))
	case path == "/healthz":
		ctx.SetBodyString("ok\n")
	case path == "/readyz":
		g.readyz(ctx)
	case path == "/metrics":
		ctx.SetContentType("text/plain; version=0.0.4")
		var b bytes.Buffer
		g.metrics.WritePrometheus(&b)
		g.writeModems(&b)
		metrics.WriteProcessMetrics(&b)
		ctx.SetBody(b.Bytes())
	default:
		g.web.Serve(ctx)
	}
}

// readyz says whether the gateway takes work, and if not, why.
func (g *gateway) readyz(ctx *fasthttp.RequestCtx) {
	select {
	case <-g.done:
		ctx.Error("the gateway is ending", fasthttp.StatusServiceUnavailable)
		return
	default:
	}
	if why := g.store.Down(); why != "" {
		ctx.Error("store: "+why+"; retrying", fasthttp.StatusServiceUnavailable)
		return
	}
	if g.device.Draining() {
		ctx.Error(fmt.Sprintf("draining: %d sessions are running", g.device.Active()), fasthttp.StatusServiceUnavailable)
		return
	}
	if _, err := g.store.Feed(g.store.Head(), 1); err != nil {
		ctx.Error("store: "+err.Error(), fasthttp.StatusServiceUnavailable)
		return
	}
	ctx.SetBodyString("ready\n")
}

// measure registers the figures that are read where they stand.
func (g *gateway) measure() {
	for _, s := range storage.States {
		g.metrics.NewGauge(fmt.Sprintf("dmgate_devices{state=%q}", s), func() float64 {
			return float64(g.fleet.Overview().States[s])
		})
	}
	g.metrics.NewGauge("dmgate_feed_offset", func() float64 { return float64(g.store.Head()) })
	g.metrics.NewGauge("dmgate_store_commits_total", func() float64 { return float64(g.store.Counts().Commits) })
	g.metrics.NewGauge("dmgate_store_syncs_total", func() float64 { return float64(g.store.Counts().Syncs) })
}

// adminKey reads the admin key from path. The first start makes one and says where it is.
func adminKey(path string, log *zap.Logger) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		key := strings.TrimSpace(string(text))
		if len(key) < 16 {
			return "", fmt.Errorf("%s: an admin key has at least 16 characters", path)
		}
		return key, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	key := rand.Text()
	if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
		return "", err
	}
	log.Info("admin key written", zap.String("file", path))
	return key, nil
}
