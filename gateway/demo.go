package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"go.uber.org/zap"

	"dmgate/bench/handset"
	"dmgate/gateway/api"
	"dmgate/gateway/config"
	"dmgate/modempool"
	"dmgate/modempool/modemsim"
	"dmgate/storage"
)

type demoCmd struct {
	Devices int           `help:"Simulated handsets." default:"1000"`
	Modems  int           `help:"Simulated modems." default:"8"`
	AirTime time.Duration `help:"Time that the network takes for one SMS; real ones take 1 to 6 s." default:"15ms"`
	Seed    uint64        `help:"Of the handsets and the modems: the same seed makes the same ones." default:"1"`
	Within  time.Duration `help:"Time for all of it." default:"5m"`
	Exit    bool          `help:"End when every device got through."`
}

// Shares of the demo's users and phones that make trouble.
const (
	mistyping = 0.03
	refusing  = 0.02
	off       = 0.01
	late      = 0.01
)

// Run bootstraps a simulated fleet through the whole gateway: SMS through real ptys, DM over real HTTP, a real store.
func (d *demoCmd) Run() error {
	if d.Devices < 1 || d.Modems < 1 {
		return errors.New("want at least one device and one modem")
	}
	signal.Ignore(syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	folder, err := os.MkdirTemp("", "dmgate-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)

	phones := handset.NewFleet(handset.Options{
		Count: d.Devices, Seed: d.Seed, Mistyping: mistyping, Refusing: refusing, Off: off, Late: late,
		Reorder: true, ReportAfter: 200 * time.Millisecond, OffAfter: 3 * time.Second, Reopen: 3,
	})
	defer phones.Close()
	bank, err := modemsim.Start(modemsim.Options{Modems: d.Modems, AirTime: d.AirTime, Seed: d.Seed, Network: phones})
	if err != nil {
		return err
	}
	defer bank.Close()
	g, err := build(d.config(folder, bank.Paths()), zap.NewNop())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- g.run(ctx) }()
	go phones.Run(ctx)

	show := &show{demo: d, phones: phones, up: newUpstream(g.adminListen.Addr().String(), g.key), start: time.Now()}
	fmt.Printf("status page: http://%s/#key=%s\n", g.adminListen.Addr(), g.key)
	err = show.run(ctx)
	if err == nil && !d.Exit {
		fmt.Println("\nThe gateway stays up: look at the page and the API. Ctrl-C ends it.")
		<-ctx.Done()
	}
	cancel()
	return errors.Join(err, <-served)
}

// config is the demo's configuration: the default addresses where they are free, and deadlines that fit into a minute.
func (d *demoCmd) config(folder string, ports []string) config.Config {
	c := config.Default()
	c.Data = folder
	c.Device.Listen, c.Admin.Listen = freeAddress(c.Device.Listen), freeAddress(c.Admin.Listen)
	c.Device.Drain = time.Second
	c.Orders.AnswerWithin = 12 * time.Second
	c.Modems.Ports, c.Modems.Limits = portsAt(ports), modempool.Limits{} // none
	return c
}

// portsAt are modems with nothing of their own.
func portsAt(paths []string) []config.Port {
	ports := make([]config.Port, len(paths))
	for i, path := range paths {
		ports[i].Path = path
	}
	return ports
}

// freeAddress is address, or one on another port where that is taken.
func freeAddress(address string) string {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return "127.0.0.1:0"
	}
	l.Close()
	return address
}

// show is one performance: the orders, the progress bar and the table.
type show struct {
	demo   *demoCmd
	phones *handset.Fleet
	up     *upstream
	start  time.Time
	bar    bar
}

func (s *show) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.demo.Within)
	defer cancel()
	if err := s.order(ctx); err != nil {
		return err
	}
	now, err := s.watch(ctx)
	s.bar.end()
	if now != nil {
		s.table(now)
	}
	if err != nil {
		return err
	}
	if broken := s.phones.Violations(); len(broken) > 0 {
		return fmt.Errorf("the handsets found %d violations of the protocol; the first: %v", len(broken), broken[0])
	}
	return nil
}

// secs are the ways in which the demo's documents are signed, in turn.
var secs = []string{"userpin", "netwpin", "usernetwpin", "userpinmac"}

// order registers every handset and orders its bootstrap, as an upstream MDM does, and tells each user the PIN.
func (s *show) order(ctx context.Context) error {
	all := s.phones.Handsets()
	groups := make([][]storage.DeviceID, len(secs))
	numbers := make(map[storage.DeviceID]string, len(all))
	devices, err := s.up.register(ctx, all)
	if err != nil {
		return err
	}
	for i, id := range devices {
		numbers[id] = all[i].MSISDN
		groups[i%len(secs)] = append(groups[i%len(secs)], id)
	}
	for i, group := range groups {
		for part := range slices.Chunk(group, 1000) {
			orders, err := s.up.bootstrap(ctx, part, secs[i])
			if err != nil {
				return err
			}
			for _, o := range orders {
				s.phones.Tell(numbers[o.Device], o.PIN)
			}
		}
	}
	return nil
}

// watch follows the overview until every device has come to its end, and gateway and handsets agree on which.
func (s *show) watch(ctx context.Context) (*api.Overview, error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var last *api.Overview
	for {
		now, err := s.up.overview(ctx)
		if err == nil {
			last = now
			s.bar.draw(now, time.Since(s.start))
			if s.over(now) {
				return now, nil
			}
		}
		select {
		case <-ctx.Done():
			return last, fmt.Errorf("not every device got through: %w", errors.Join(err, context.Cause(ctx)))
		case <-tick.C:
		}
	}
}

func (s *show) over(now *api.Overview) bool {
	phones := s.phones.Counts().States
	managed, refused := phones[handset.Managed], phones[handset.Refused]+phones[handset.Lost]
	return now.Devices == s.demo.Devices && now.States[storage.Discovered] == managed &&
		now.States[storage.Unanswered] == refused && now.States[storage.Unreachable] == now.Devices-managed-refused
}

func (s *show) table(now *api.Overview) {
	segments := uint64(0)
	for _, m := range now.Modems {
		segments += m.Sent
	}
	bootstrapped := 0
	for state, n := range now.States {
		if state.Bootstrapped() {
			bootstrapped += n
		}
	}
	counts := s.phones.Counts()
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "devices\tbootstrapped\tdiscovered\trefused\tunreachable\tSMS segments\tDM messages\ttime\t")
	fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f s\t\n", now.Devices, bootstrapped, now.States[storage.Discovered],
		now.States[storage.Unanswered], now.States[storage.Unreachable], segments, counts.Messages, time.Since(s.start).Seconds())
	t.Flush()
}
