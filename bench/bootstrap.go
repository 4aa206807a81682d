package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// bootstrapCmd measures a gateway that sends bootstraps through banks of simulated modems. The gateway is a process of
// its own; this one plays the modems, the network behind them, and upstream.
type bootstrapCmd struct {
	JSON    string        `name:"json" placeholder:"FILE" help:"Write the figures to FILE."`
	Gateway string        `placeholder:"FILE" help:"The dmgate to measure; the one beside this program, or one built anew."`
	Parts   []string      `default:"banks,real,faults,replug,campaign,kills" help:"What is measured: ${default}."`
	Modems  []int         `default:"1,8,32,64" help:"Sizes of the banks, ascending. What needs one bank takes the last."`
	Air     time.Duration `default:"300ms" help:"Time that one SMS is on the air, on average: a tenth of what real modems take."`
	Length  time.Duration `default:"10s" help:"How long each bank is watched."`
	Real    time.Duration `default:"30s" help:"How long the last bank is watched with 3 s on the air."`
	Targets int           `default:"1000000" help:"Devices of the campaign."`
	Pushes  int           `default:"5000" help:"Pushes that have to arrive while the gateway is killed again and again."`
	Seed    uint64        `default:"1" help:"Of the times on the air, the faults and the kills."`

	program string // the gateway
	folder  string // for all files
}

// parts are all that can be measured.
var parts = []string{"banks", "real", "faults", "replug", "campaign", "kills"}

func (c *bootstrapCmd) Validate() error {
	for _, p := range c.Parts {
		if !slices.Contains(parts, p) {
			return fmt.Errorf("--parts: %q is none of %s", p, strings.Join(parts, ", "))
		}
	}
	switch {
	case len(c.Modems) == 0 || !slices.IsSorted(c.Modems) || c.Modems[0] < 1 || c.last() > 256:
		return errors.New("--modems: want numbers from 1 to 256, ascending")
	case slices.Contains(c.Parts, "faults") && c.faulty() < 4:
		return errors.New("--modems: three of them are in trouble in part faults: want 4 at least")
	case c.Air < 10*time.Millisecond || c.Length < 10*c.Air || c.Real < 10*realAir:
		return errors.New("--air must be 10ms at least, --length ten times as long, and --real 30s")
	case c.Targets < 1 || c.Pushes < 1:
		return errors.New("--targets and --pushes must be more than nothing")
	}
	return nil
}

// last is the size of the largest bank.
func (c *bootstrapCmd) last() int { return c.Modems[len(c.Modems)-1] }

// result is what a part has brought.
type result interface {
	figures(*report)
	table(io.Writer) error
}

func (c *bootstrapCmd) Run() (err error) {
	if c.folder, err = os.MkdirTemp("", "bench-bootstrap-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.folder)) }()
	if c.program, err = findGateway(c.Gateway, c.folder); err != nil {
		return err
	}
	syncs, err := syncTimes(c.folder, 200)
	if err != nil {
		return err
	}
	results, err := c.measure()
	if err != nil {
		return err
	}
	r := &report{Machine: thisMachine(), Options: map[string]any{
		"parts": c.Parts, "modems": c.Modems, "air_ms": ms(c.Air), "length_s": c.Length.Seconds(), "real_s": c.Real.Seconds(),
		"targets": c.Targets, "pushes": c.Pushes, "seed": c.Seed,
	}}
	m := &r.Machine
	r.add("bootstrap.sync", median(syncs), "ms")
	r.add("bootstrap.sync_max", slices.Max(syncs), "ms")
	fmt.Printf("%s, %d cores, %s/%s, %s\n", m.CPU, m.Cores, m.OS, m.Arch, m.Go)
	fmt.Printf("An SMS is %v on the air, mostly %.0f %% more or less. The disk takes a write in %.2f ms, at worst %.2f ms. "+
		"CPU is of one core.\n", c.Air, 100*spread, median(syncs), slices.Max(syncs))
	for _, one := range results {
		fmt.Println()
		if err := one.table(os.Stdout); err != nil {
			return err
		}
		one.figures(r)
	}
	return r.write(c.JSON)
}

// measure does the parts that are wanted, in their order.
func (c *bootstrapCmd) measure() (results []result, err error) {
	all := []struct {
		name, what string
		measure    func() (result, error)
	}{
		{"real", fmt.Sprintf("%d modems at the real pace", c.last()), c.real},
		{"faults", fmt.Sprintf("%d modems, three of them in trouble", c.faulty()), c.faults},
		{"replug", "modems that are unplugged and come back", c.replug},
		{"campaign", fmt.Sprintf("a campaign for %d devices", c.Targets), c.campaign},
		{"kills", "a gateway that is killed again and again", c.kills},
	}
	p := &progress{total: len(c.Parts)}
	defer p.end()
	if slices.Contains(c.Parts, "banks") {
		p.total += len(c.Modems) - 1
		var banks banks
		for _, n := range c.Modems {
			p.step(fmt.Sprintf("%d modems", n))
			b, err := c.pace(fmt.Sprint(n), paceOptions{modems: n, air: c.Air, length: c.Length})
			if err != nil {
				return nil, err
			}
			banks = append(banks, b)
		}
		results = append(results, banks)
	}
	for _, part := range all {
		if !slices.Contains(c.Parts, part.name) {
			continue
		}
		p.step(part.what)
		one, err := part.measure()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
		results = append(results, one)
	}
	return results, nil
}
