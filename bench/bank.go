package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"dmgate/modempool/modemsim"
)

// field is a gateway with a bank of modems, the network behind them, and work to be done.
type field struct {
	*gateway
	each    time.Duration // on the air, of one SMS, on average
	air     *air
	bank    *modemsim.Bank
	numbers []string // the phones that get a bootstrap each
}

// fieldOptions says what field is wanted.
type fieldOptions struct {
	modems   int
	time     time.Duration // on the air, of one SMS
	pushes   int
	campaign bool                           // they are ordered by one
	fault    func(modem int) modemsim.Fault // that befalls a send; nil for none
}

// character is the one of modem i: they are not all alike, and none takes the same time for every SMS.
func character(i int, air time.Duration, fault func(int) modemsim.Fault) modemsim.Character {
	c := modemsim.Character{
		Noise:       0.02,
		Air:         modemsim.Span{Mean: air, Spread: spread, Min: air / 3, Max: 3 * air},
		ReportDelay: modemsim.Span{Mean: air, Spread: 1, Max: 10 * air},
	}
	switch i % 4 {
	case 1:
		c.Chunk = 16
	case 2:
		c.Prompt, c.Reference = "\r\n>", "+CMGS:%d"
	case 3:
		c.Reference = `+CMGS: %d,"26/01/01,00:00:00+00"`
	}
	if fault != nil {
		c.Fault = func(int) modemsim.Fault { return fault(i) }
	}
	return c
}

// spread is how much the times on the air differ: the standard deviation of their logarithm.
const spread = 0.15

// newField places the orders at a gateway without modems, and plugs in a bank. The gateway does not run when it
// returns: what it takes to send can be told from what it took to order.
func (c *bootstrapCmd) newField(name string, o fieldOptions) (f *field, err error) {
	f = &field{each: o.time, air: newAir(o.modems)}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if f.gateway, err = newGateway(c.program, filepath.Join(c.folder, name)); err != nil {
		return f, err
	}
	for i := range o.pushes {
		f.numbers = append(f.numbers, number(i))
	}
	if o.pushes > 0 {
		if err = f.order(o.campaign); err != nil {
			return f, err
		}
	}
	f.bank, err = modemsim.Start(modemsim.Options{
		Modems: o.modems, Seed: c.Seed, Network: f.air, Character: func(i int) modemsim.Character {
			return character(i, o.time, o.fault)
		},
	})
	return f, err
}

// number is that of phone i.
func number(i int) string { return fmt.Sprintf("+4915%09d", i) }

// order orders a bootstrap for each phone: one by one, or by a campaign.
func (f *field) order(campaign bool) error {
	if err := f.start("ports: []"); err != nil {
		return err
	}
	var err error
	if campaign {
		err = f.up.campaign(len(f.numbers))
	} else {
		err = f.up.bootstrap(f.numbers)
	}
	if err != nil {
		return err
	}
	return f.stop()
}

// send starts the gateway with the modems and, of their configuration, more: YAML.
func (f *field) send(more string) error {
	return f.sendThrough(strings.Join(f.bank.Paths(), ", "), more)
}

// sendThrough does so with ports by other names. An SMS that is not answered is given up after twenty times its time on
// the air, as the default of a minute is twenty times three seconds, but not before a busy machine may have answered.
func (f *field) sendThrough(ports, more string) error {
	modems := fmt.Sprintf("ports: [%s], timeout: %v", ports, max(20*f.each, 5*time.Second))
	if more != "" {
		modems += ", " + more
	}
	return f.start(modems)
}

// upWithin bounds the time for all modems to come up.
const upWithin = 30 * time.Second

// awaitAll waits until every modem has sent something.
func (f *field) awaitAll() error {
	return until(upWithin, "every modem has sent something", func() bool { return f.air.sending() == len(f.air.taken) })
}

// awaitWhole waits until every phone has got its push: three times as long as it should take, and a while for what
// has to be sent once more.
func (f *field) awaitWhole() error {
	each := time.Duration(len(f.numbers)/len(f.air.taken)+1) * segmentsEach * f.each
	err := until(3*each+2*time.Minute, "every phone has got its push", func() bool {
		return f.air.arrived() == len(f.numbers)
	})
	if err != nil {
		return fmt.Errorf("%w: %d of %d; the gateway's log ends with:\n%s", err, f.air.arrived(), len(f.numbers), f.logEnd())
	}
	return nil
}

// close ends all of f and removes its files.
func (f *field) close() error {
	var errs []error
	if f.gateway != nil {
		f.kill()
		errs = append(errs, os.RemoveAll(f.folder))
	}
	if f.bank != nil {
		errs = append(errs, f.bank.Close())
	}
	return errors.Join(errs...)
}

// until waits for what is to hold, and fails after a time.
func until(within time.Duration, what string, holds func() bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !holds(); <-tick.C {
		if time.Now().After(end) {
			return fmt.Errorf("not within %v: %s", within, what)
		}
	}
	return nil
}
