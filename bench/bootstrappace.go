package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"dmgate/modempool/modemsim"
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

// paceOptions say what is watched.
type paceOptions struct {
	modems    int
	air       time.Duration // of one SMS
	length    time.Duration
	config    string // of the modems, more YAML
	character func(i int) modemsim.Character
	during    func(*field) error // happens while the bank is watched, and takes as long; nil for nothing
}

// segmentsEach is how many SMS a bootstrap takes, about.
const segmentsEach = 3

// pace lets a bank send for a time, with more work than it can do in it, and then lets it finish.
func (c *bootstrapCmd) pace(name string, o paceOptions) (p *pace, err error) {
	f, err := c.newField(name, fieldOptions{
		modems: o.modems, time: o.air, character: o.character,
		pushes: 2*o.modems + int(1.1*float64(o.modems)*float64(o.length/o.air)/segmentsEach),
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if p, err = f.pace(&o); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, f.stop()
}

func (f *field) pace(o *paceOptions) (*pace, error) {
	p := &pace{modems: o.modems, air: o.air}
	if err := f.send(o.config); err != nil {
		return nil, err
	}
	if err := f.awaitAll(); err != nil {
		return nil, err
	}
	from := time.Now()
	p.up = from.Sub(f.started)
	cpu, err := f.cpu()
	if err != nil {
		return nil, err
	}
	own := cpuTime()
	if o.during != nil {
		err = o.during(f)
	} else {
		<-time.After(o.length)
	}
	if err != nil {
		return nil, err
	}
	to := time.Now()
	arrived := f.air.arrived()
	after, err := f.cpu()
	if err != nil {
		return nil, err
	}
	p.cpu, p.own = percent(after-cpu, to.Sub(from)), percent(cpuTime()-own, to.Sub(from))
	if arrived+p.modems >= len(f.numbers) {
		return nil, errors.New("no work waited any more")
	}
	if err := f.awaitWhole(); err != nil {
		return nil, err
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
			p.modems, p.air, p.rate, p.linear(banks[0]), slices.Min(p.busy), mean(p.busy), p.up.Seconds(), p.cpu,
			10*p.cpu/p.rate, p.own, float64(p.peak)/mebibyte, p.lost, p.tally.segments)
	}
	return w.Flush()
}

// linear is what p sends, in percent of what as many modems would if each did as those of one did.
func (p *pace) linear(one *pace) float64 {
	each := one.rate * one.air.Seconds() / float64(one.modems)
	return 100 * p.rate * p.air.Seconds() / float64(p.modems) / each
}
