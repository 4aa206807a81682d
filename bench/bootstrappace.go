package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// pace is how fast a bank sent while work waited.
type pace struct {
	modems int
	air    time.Duration // of one SMS
	rate   float64       // segments a second
	busy   []float64     // share of the time that each modem was on the air, in percent
	up     time.Duration // from the start of the gateway until every modem had sent something
	cpu    float64       // of the gateway, in percent of one core
	own    float64       // of this program, with modems, network and phones
	peak   uint64        // memory of the gateway, bytes
	tally
}

// pace lets a bank of n modems send for a time, with more work than it can do in it, and then lets it finish.
func (c *bootstrapCmd) pace(name string, n int, air, length time.Duration) (*pace, error) {
	const segments = 3 // of a bootstrap, about
	f, err := c.newField(name, fieldOptions{modems: n, time: air, pushes: 2*n + int(1.1*float64(n)*float64(length/air)/segments)})
	if err != nil {
		return nil, err
	}
	p, err := f.pace(length)
	if err == nil {
		err = f.stop()
	}
	if closed := f.close(); err == nil {
		err = closed
	}
	return p, err
}

// upWithin bounds the time for all modems to come up.
const upWithin = 30 * time.Second

func (f *field) pace(length time.Duration) (*pace, error) {
	p := &pace{modems: len(f.air.modems), air: f.air.time}
	if err := f.send(""); err != nil {
		return nil, err
	}
	if err := until(upWithin, "every modem has sent something", func() bool {
		return f.air.sending(time.Time{}) == p.modems
	}); err != nil {
		return nil, err
	}
	from := time.Now()
	p.up = from.Sub(f.started)
	cpu, err := f.cpu()
	if err != nil {
		return nil, err
	}
	own := cpuTime()
	<-time.After(length)
	to := time.Now()
	arrived := f.air.arrived()
	after, err := f.cpu()
	if err != nil {
		return nil, err
	}
	p.cpu, p.own = percent(after-cpu, to.Sub(from)), percent(cpuTime()-own, to.Sub(from))
	if arrived+p.modems >= len(f.numbers) {
		return nil, fmt.Errorf("%d modems: no work waited any more", p.modems)
	}
	err = until(time.Duration(len(f.numbers)/p.modems+100)*3*f.air.time, "every phone has got its push", func() bool {
		return f.air.arrived() == len(f.numbers)
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %d of %d", err, f.air.arrived(), len(f.numbers))
	}
	if p.peak, err = f.peak(); err != nil {
		return nil, err
	}
	for _, m := range f.air.modems {
		seconds, count := m.within(from, to)
		p.busy = append(p.busy, 100*seconds/to.Sub(from).Seconds())
		p.rate += count / to.Sub(from).Seconds()
	}
	p.tally = f.air.tally(f.numbers)
	return p, nil
}

func percent(part, whole time.Duration) float64 { return 100 * part.Seconds() / whole.Seconds() }

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func paceTable(out io.Writer, banks []*pace) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "modems\ton the air\tsegments/s\tof linear\tleast busy\tmean\tall up in\tgateway CPU\ta segment\tthis bench\tpeak\tlost\tsegments twice\t")
	for _, p := range banks {
		fmt.Fprintf(w, "%d\t%v\t%.1f\t%.1f %%\t%.1f %%\t%.1f %%\t%.2f s\t%.1f %%\t%.2f ms\t%.1f %%\t%.0f MiB\t%d\t%d\t\n",
			p.modems, p.air, p.rate, 100*p.rate*float64(banks[0].modems)/(banks[0].rate*float64(p.modems)),
			slices.Min(p.busy), mean(p.busy), p.up.Seconds(), p.cpu, 10*p.cpu/p.rate, p.own, float64(p.peak)/mebibyte,
			p.lost, p.tally.segments)
	}
	return w.Flush()
}
