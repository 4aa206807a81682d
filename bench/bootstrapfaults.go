package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"dmgate/modempool/modemsim"
)

// trouble befalls three modems of a bank, once it is armed: the last hangs in the middle of a send and stays so, the
// one before is unplugged for half of the time, and the one before that answers every send with an error.
type trouble struct {
	modems int
	seed   uint64
	armed  atomic.Bool
}

// character is the one of modem i.
func (t *trouble) character(i int) modemsim.Character {
	r := rand.New(rand.NewPCG(t.seed, uint64(i)))
	return modemsim.Character{Fault: func(int) modemsim.Fault {
		switch {
		case !t.armed.Load():
		case i == t.modems-1:
			return modemsim.Fault{Kind: modemsim.HangAfter}
		case i == t.modems-3:
			codes := []int{0, 500} // none, unknown: what is to be tried soon again, as others mean that the phone is away
			return modemsim.Fault{Kind: modemsim.RefusePDU, CMS: codes[r.IntN(len(codes))]}
		}
		return modemsim.Fault{}
	}}
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

// faults lets a bank of n modems send while three of them are in trouble.
func (c *bootstrapCmd) faults(base *pace) (*faults, error) {
	t := &trouble{modems: base.modems, seed: c.Seed}
	p, err := c.pace("faults", paceOptions{
		modems: base.modems, air: c.Air, length: c.Length, character: t.character,
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

func faultsTable(out io.Writer, f *faults) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "modems\tsegments/s\tof the bank without faults\tshare of the sound ones\tlost\tsegments twice\t")
	fmt.Fprintf(w, "%d\t%.1f\t100.0 %%\t\t%d\t%d\t\n", f.modems, f.base.rate, f.base.lost, f.base.tally.segments)
	fmt.Fprintf(w, "%d: one hung, one unplugged, one erring\t%.1f\t%.1f %%\t%.1f %%\t%d\t%d\t\n",
		f.modems, f.rate, f.share(), f.floor(), f.lost, f.tally.segments)
	return w.Flush()
}
