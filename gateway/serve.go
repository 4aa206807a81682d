package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"dmgate/codec/syncml"
	"dmgate/gateway/api"
	"dmgate/gateway/config"
	"dmgate/gateway/device"
	"dmgate/gateway/files"
	"dmgate/gateway/fleet"
	"dmgate/gateway/recipe"
	"dmgate/gateway/web"
	"dmgate/modempool"
	"dmgate/sessions"
	"dmgate/storage/pebble"
)

type serveCmd struct {
	Config string `short:"c" help:"Configuration file (YAML). Without one: the defaults, all on loopback." type:"existingfile"`
}

// Run serves until the process is told to end.
func (s *serveCmd) Run() error {
	c, err := config.Load(s.Config)
	if err != nil {
		return err
	}
	log, err := zap.NewProduction()
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGHUP) // an unplugged modem may raise it
	ctx := untilSignalled(log)
	g, err := build(c, log)
	if err != nil {
		return err
	}
	return g.run(ctx)
}

// untilSignalled is a context that ends when the process is told to end. Told so again, the process ends at once: the
// store is made for that.
func untilSignalled(log *zap.Logger) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2) // one that follows at once is not lost
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		again := <-signals
		log.Warn("told to end again: ending at once", zap.Stringer("signal", again))
		os.Exit(128 + int(again.(syscall.Signal)))
	}()
	return ctx
}

// gateway is all parts put together.
type gateway struct {
	config config.Config
	log    *zap.Logger
	key    string // the admin key
	rules  *recipe.Set
	done   chan struct{}

	store   *pebble.Lasting
	files   *files.Store
	links   *files.Server
	fleet   *fleet.Fleet
	pool    *modempool.Pool
	device  *device.Endpoint
	sources device.Sources
	api     *api.API
	web     *web.Web

	metrics      *metrics.Set
	deviceListen net.Listener
	adminListen  net.Listener
}

// build makes the parts in the order in which data flows: from the store over the rules to the modems, the devices and
// those who watch.
func build(c config.Config, log *zap.Logger) (*gateway, error) {
	g := &gateway{config: c, log: log, done: make(chan struct{}), metrics: metrics.NewSet()}
	var err error
	if g.rules, err = recipe.Load(c.Rules); err != nil {
		return nil, fmt.Errorf("rules:\n%w", err)
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, err
	}
	if g.key, err = adminKey(filepath.Join(c.Data, "admin.key"), log); err != nil {
		return nil, err
	}
	if g.store, err = pebble.OpenLasting(filepath.Join(c.Data, "store"), pebble.Options{Log: log}); err != nil {
		return nil, err
	}
	if g.files, err = files.Open(filepath.Join(c.Data, "files")); err == nil {
		err = g.listen()
	}
	if err == nil {
		err = g.assemble()
	}
	if err != nil {
		return nil, errors.Join(err, g.close())
	}
	return g, nil
}

// listen takes the addresses before anything is written into a document.
func (g *gateway) listen() (err error) {
	if g.deviceListen, err = net.Listen("tcp", g.config.Device.Listen); err != nil {
		return fmt.Errorf("device.listen: %w", err)
	}
	if g.config.Device.Address == "" {
		g.config.Device.Address = "http://" + g.deviceListen.Addr().String() + device.Path
	}
	if g.adminListen, err = net.Listen("tcp", g.config.Admin.Listen); err != nil {
		return fmt.Errorf("admin.listen: %w", err)
	}
	return nil
}

func (g *gateway) assemble() error {
	c := g.config
	ports, err := c.ModemPorts()
	if err != nil {
		return err
	}
	root, err := g.readRoot()
	if err != nil {
		return err
	}
	g.fleet = fleet.New(fleet.Options{
		Rules: g.rules, TreeNodes: c.Tree.Nodes, CheckEvery: c.Tree.Check,
		Address: c.Device.Address, ServerID: c.Device.ServerID, AccountName: c.Device.Name,
		SendWithin: c.Orders.SendWithin, AnswerIn: c.Orders.AnswerWithin, Destination: g.destination,
		Throughput: g.throughput, Bar: fleet.Bar{Failures: c.Models.Failures, Share: c.Models.Share}, Models: c.Models.Keep,
		Certificate: root.options(&c.Device.Certificate), Log: g.log,
		Tickets: fleet.Tickets{
			Lifetime: c.Files.Lifetime, Uses: c.Files.Uses, Requests: c.Files.Requests, Text: c.Files.Text,
		},
		File: func(sum string) (io.ReadCloser, error) { return g.files.Open(sum) },
	}, g.store, func() { g.pool.Wake() })
	g.pool, err = modempool.New(modempool.Options{
		Ports: ports, Limits: c.Modems.Limits, SendTimeout: c.Modems.Timeout, Attempts: c.Modems.Tries,
		DoubtWindow: c.Modems.DoubtWindow, Log: g.log,
	}, g.fleet)
	if err != nil {
		return err
	}
	exempt, err := c.Device.Source.ExemptPrefixes()
	if err != nil {
		return err
	}
	g.sources = device.Sources{IPv4: c.Device.Source.IPv4, IPv6: c.Device.Source.IPv6, Exempt: exempt}
	g.device = device.New(device.Options{
		Sessions: sessions.Options{
			Address: c.Device.Address, Planner: g.fleet, Random: fleet.Random, MaxBody: c.Device.Body,
			Scheme: c.Device.Scheme,
		},
		Limits: syncml.Limits{Depth: c.Device.Depth, Items: c.Device.Items, String: c.Device.String},
		Table: sessions.TableOptions{
			Sessions: c.Device.Sessions, PerSource: c.Device.Source.Sessions, Keep: c.Device.Keep, Idle: c.Device.Idle,
		},
		Sources: g.sources, Log: g.log,
	}, g.store, g.metrics)
	g.links = files.NewServer(files.Options{
		Source: g.sources.Of, Downloads: c.Files.Downloads, Misses: c.Files.Misses, Stall: c.Device.Timeout, Log: g.log,
	}, g.files, g.fleet, g.metrics)
	g.api = api.New(g.fleet, g.store, g.pool, g.key, g.log, g.done)
	g.api.Uploads = api.Uploads{Store: g.files, Limit: c.Files.Upload}
	g.api.CheckChain = g.checkChain
	g.web = web.New(g.api, g.store, g.done)
	g.measure()
	if err := g.keepRoot(root); err != nil {
		return err
	}
	return g.fleet.Load()
}

// close gives back what build has taken. run closes the listeners by ending their servers.
func (g *gateway) close() error {
	errs := []error{g.store.Close()}
	for _, l := range []net.Listener{g.deviceListen, g.adminListen} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}

// drainFor is how long requests under way may take when the gateway is to end.
const drainFor = 20 * time.Second

// run serves until wanted ends, then lets what is under way come to its end. The first part that fails ends them all.
func (g *gateway) run(wanted context.Context) error {
	devices, admins := g.deviceServer(), g.adminServer()
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(wanted))
	defer cancel(nil)
	parts := []func() error{
		func() error { return g.pool.Run(ctx) },
		func() error { return g.fleet.Follow(ctx) },
		func() error { return g.fleet.RunCampaigns(ctx) },
		func() error { return g.fleet.RunJobs(ctx) },
		func() error { return g.fleet.RunModels(ctx) },
		func() error { g.fleet.WatchDeadlines(ctx); return nil },
		func() error { g.expireSessions(ctx); return nil },
		func() error { g.sweepFiles(ctx); return nil },
		func() error { g.warnOfChain(ctx); return nil },
		devices.serve,
		admins.serve,
	}
	ended := make(chan error, len(parts))
	for _, part := range parts {
		go func() {
			err := part()
			if err != nil {
				cancel(err)
			}
			ended <- err
		}()
	}
	if len(g.pool.Modems()) == 0 {
		g.log.Warn("no modem is configured: pushes wait (modems.ports)")
	}
	g.log.Info("ready", zap.Stringer("device", g.deviceListen.Addr()), zap.Stringer("admin", g.adminListen.Addr()),
		zap.String("address", g.config.Device.Address))

	select {
	case <-wanted.Done():
		g.drainSessions(ctx)
		cancel(nil)
	case <-ctx.Done():
	}
	close(g.done)
	drain, stop := context.WithTimeout(context.Background(), drainFor)
	defer stop()
	errs := []error{devices.drain(drain), admins.drain(drain)}
	for range parts {
		errs = append(errs, <-ended)
	}
	return errors.Join(append(errs, g.store.Close())...)
}

// drainSessions lets no session begin any more and waits for those that run, as long as the configuration says. A
// device that was silent for a moment is not waited for: another process goes on from its checkpoint.
func (g *gateway) drainSessions(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, g.config.Device.Drain)
	defer stop()
	g.device.Drain()
	g.log.Info("draining", zap.Int("running", g.device.Active()), zap.Duration("at most", g.config.Device.Drain))
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for g.device.Active() > 0 && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	g.log.Info("drained", zap.Int("running", g.device.Active()), zap.Int("open", g.device.Sessions()))
}

func (g *gateway) deviceServer() *server {
	s := newServer(&fasthttp.Server{
		Handler: g.serveDevice, ErrorHandler: badRequest, NoDefaultServerHeader: true, NoDefaultDate: true,
		ReadTimeout: g.config.Device.Timeout, WriteTimeout: g.config.Device.Timeout, IdleTimeout: g.config.Device.Idle,
		MaxRequestBodySize: g.config.Device.Body, ReduceMemoryUsage: true, Logger: zap.NewStdLog(g.log),
	}, g.deviceListen, g.log)
	s.listener.sharing = newSharing(g.sources.Of, g.config.Device.Source.Connections,
		g.metrics.NewCounter(`dmgate_dm_limited_total{limit="connections"}`))
	return s
}

// serveDevice answers what comes to the device listener: messages of devices, and requests for files.
func (g *gateway) serveDevice(ctx *fasthttp.RequestCtx) {
	if bytes.HasPrefix(ctx.Path(), []byte(fleet.TicketPath)) {
		g.links.Serve(ctx)
		return
	}
	g.device.Serve(ctx)
}

func (g *gateway) adminServer() *server {
	return newServer(&fasthttp.Server{
		Handler: api.Bounded(g.config.Admin.Body, g.admin), ErrorHandler: api.BadRequest, NoDefaultServerHeader: true,
		ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		// Forms in parts are read by fasthttp before anybody asks how long they are.
		StreamRequestBody: true, DisablePreParseMultipartForm: true, Logger: zap.NewStdLog(g.log),
	}, g.adminListen, g.log)
}

// badRequest answers a device's request that is no sound one, or is too large or too slow. The connection ends with it.
func badRequest(ctx *fasthttp.RequestCtx, err error) {
	api.HearOut(ctx)
	status, text := api.Refusal(err)
	ctx.Error(text, status)
}

// expireSessions lets go of silent sessions, until ctx ends.
func (g *gateway) expireSessions(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			g.device.Expire()
		}
	}
}

// How often files and tickets that nobody uses are looked for, and how long a file is kept at least: that of an upload may
// not be in the catalogue yet.
const (
	sweepEvery = time.Hour
	fileKept   = time.Hour
)

// sweepFiles removes packages, tickets and files that nobody uses any more, until ctx ends.
func (g *gateway) sweepFiles(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		now := time.Now()
		used, err := g.fleet.SweepCatalogue(now)
		removed := 0
		if err == nil {
			removed, err = g.files.Sweep(func(sum string) bool { return used[sum] }, now.Add(-fileKept))
		}
		if err != nil {
			g.log.Error("files not swept", zap.Error(err))
		} else if removed > 0 {
			g.log.Info("files removed that nobody uses", zap.Int("files", removed))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
