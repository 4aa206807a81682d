package main

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"dmgate/modempool/modemsim"
)

// trouble befalls three modems of a bank, once it is armed: the last hangs in the middle of a send and stays so, the
// one before is unplugged for half of the time, and the one before that answers every send with an error.
type trouble struct {
	modems int
	armed  atomic.Bool
}

// fault is what befalls a send of a modem.
func (t *trouble) fault(modem int) modemsim.Fault {
	switch {
	case !t.armed.Load():
	case modem == t.modems-1:
		return modemsim.Fault{Kind: modemsim.HangAfter}
	case modem == t.modems-3: // 500, unknown: other errors may mean that the phone is away
		return modemsim.Fault{Kind: modemsim.RefusePDU, CMS: 500}
	}
	return modemsim.Fault{}
}

// faults is what became of a bank with three modems in trouble.
type faults struct {
	*pace
	base *pace // the same bank without
}

// share is what the bank sends, in percent of what it does without trouble.
func (f *faults) share() float64 { return 100 * f.rate / f.base.rate }

// floor is the share of those that are in no trouble.
func (f *faults) floor() float64 { return 100 * float64(f.modems-3) / float64(f.modems) }

// soundBusy is how busy the least busy one of the sound modems is.
func (f *faults) soundBusy() float64 { return slices.Min(f.busy[:f.modems-3]) }

// faulty is the size of the bank in which three modems are in trouble: 32 where that is measured.
func (c *bootstrapCmd) faulty() int {
	if slices.Contains(c.Modems, 32) {
		return 32
	}
	return c.last()
}

// faults lets a bank send, and then another one while three of its modems are in trouble.
func (c *bootstrapCmd) faults() (result, error) {
	base, err := c.pace("sound", paceOptions{modems: c.faulty(), air: c.Air, length: c.Length})
	if err != nil {
		return nil, err
	}
	t := &trouble{modems: base.modems}
	p, err := c.pace("troubled", paceOptions{
		modems: base.modems, air: c.Air, length: c.Length, fault: t.fault,
		config: fmt.Sprintf("doubtWindow: %v", 20*c.Air),
		during: func(f *field) error {
			t.armed.Store(true)
			defer t.armed.Store(false)
			f.bank.Unplug(t.modems - 2)
			<-time.After(c.Length / 2)
			err := f.bank.Replug(t.modems - 2)
			<-time.After(c.Length - c.Length/2)
			// The modem that hangs will not come back by itself: somebody pulls it, so that all work gets done.
			f.bank.Unplug(t.modems - 1)
			return errors.Join(err, f.bank.Replug(t.modems-1))
		},
	})
	return &faults{p, base}, err
}
