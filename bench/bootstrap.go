package main

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// bootstrapCmd measures a gateway that sends bootstraps through simulated modems.
type bootstrapCmd struct {
	JSON    string        `name:"json" placeholder:"FILE" help:"Write the figures to FILE."`
	Gateway string        `placeholder:"FILE" help:"The dmgate to measure; the one beside this program, or one built anew."`
	Modems  []int         `default:"1,8,32,64" help:"Sizes of the bank."`
	Air     time.Duration `default:"200ms" help:"Time that one SMS is on the air, on average. Real ones take 3 s."`
	Length  time.Duration `default:"10s" help:"How long each bank is watched."`
	Pushes  int           `default:"5000" help:"How many pushes have to arrive while the gateway is killed again and again."`
	Seed    uint64        `default:"1" help:"Of the times on the air, the faults and the kills."`

	program string // the gateway
	folder  string // for all files
}

func (c *bootstrapCmd) Validate() error {
	for _, n := range c.Modems {
		if n < 1 || n > 256 {
			return fmt.Errorf("--modems %d: want 1 to 256", n)
		}
	}
	if c.Air < 10*time.Millisecond || c.Length < 10*c.Air {
		return errors.New("--air must be 10ms at least, and --length ten times as long")
	}
	return nil
}

func (c *bootstrapCmd) Run() (err error) {
	if c.folder, err = os.MkdirTemp("", "bench-bootstrap-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.folder)) }()
	if c.program, err = findGateway(c.Gateway, c.folder); err != nil {
		return err
	}
	p := &progress{total: len(c.Modems) + 3}
	var banks []*pace
	for _, n := range c.Modems {
		p.step(fmt.Sprintf("%d modems", n))
		b, err := c.pace(fmt.Sprint(n), paceOptions{modems: n, air: c.Air, length: c.Length})
		if err != nil {
			return err
		}
		banks = append(banks, b)
	}
	p.step("modems in trouble")
	troubled, err := c.faults(banks[len(banks)-1])
	if err != nil {
		return err
	}
	p.step("modems that are unplugged")
	replugged, err := c.replug()
	if err != nil {
		return err
	}
	p.step("a gateway that is killed")
	killed, err := c.killed(c.Modems[len(c.Modems)-1], c.Pushes)
	if err != nil {
		return err
	}
	p.end()
	r := &report{Machine: thisMachine(), Options: map[string]any{"modems": c.Modems, "air_ms": ms(c.Air), "seed": c.Seed}}
	m := &r.Machine
	fmt.Printf("%s, %d cores, %s/%s, %s\n\n", m.CPU, m.Cores, m.OS, m.Arch, m.Go)
	if err := paceTable(os.Stdout, banks); err != nil {
		return err
	}
	fmt.Println()
	if err := faultsTable(os.Stdout, troubled); err != nil {
		return err
	}
	fmt.Println()
	if err := replugTable(os.Stdout, replugged); err != nil {
		return err
	}
	fmt.Println()
	if err := killsTable(os.Stdout, killed); err != nil {
		return err
	}
	return r.write(c.JSON)
}
