package main

import (
	"errors"
	"slices"
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
	others float64       // of what else the machine did
	peak   uint64        // memory of the gateway, bytes
	tally
}

// paceOptions say what is watched.
type paceOptions struct {
	modems int
	air    time.Duration // of one SMS
	length time.Duration
	config string // of the modems, more YAML
	fault  func(modem int) modemsim.Fault
	leave  bool               // what is not sent by then is not waited for
	during func(*field) error // happens while the bank is watched, and takes as long; nil for nothing
}

// segmentsEach is how many SMS a bootstrap takes, about.
const segmentsEach = 3

// pace lets a bank send for a time, with more work than it can do in it, and then lets it finish.
func (c *bootstrapCmd) pace(name string, o paceOptions) (p *pace, err error) {
	f, err := c.newField(name, fieldOptions{
		modems: o.modems, time: o.air, fault: o.fault,
		pushes: 2*o.modems + int(1.1*float64(o.modems)*float64(o.length/o.air)/segmentsEach),
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if p, err = f.watch(&o); err != nil {
		return nil, err
	}
	if f.air.arrived()+o.modems >= len(f.numbers) {
		return nil, errors.New("no work waited any more")
	}
	if !o.leave {
		if err := f.awaitWhole(); err != nil {
			return nil, err
		}
		p.tally = f.air.tally(f.numbers)
	}
	return p, f.stop()
}

// watch starts the gateway with the bank and looks on, from the moment at which every modem has sent something.
func (f *field) watch(o *paceOptions) (*pace, error) {
	p := &pace{modems: o.modems, air: o.air}
	if err := f.send(o.config); err != nil {
		return nil, err
	}
	if err := f.awaitAll(); err != nil {
		return nil, err
	}
	from := time.Now()
	p.up = from.Sub(f.started)
	usage := f.usage()
	before, err := f.used()
	if err != nil {
		return nil, err
	}
	if o.during != nil {
		err = o.during(f)
	} else {
		<-time.After(o.length)
	}
	if err != nil {
		return nil, err
	}
	to := time.Now()
	now, err := f.used()
	if err != nil {
		return nil, err
	}
	took := to.Sub(from)
	p.cpu, p.own = percent(now.gateway-before.gateway, took), percent(now.bench-before.bench, took)
	p.others = max(0, percent(now.machine-before.machine, took)-p.cpu-p.own)
	if p.peak, err = f.peak(); err != nil {
		return nil, err
	}
	for i, now := range f.usage() {
		p.busy = append(p.busy, 100*now.Busy(usage[i]))
		p.rate += f.air.rate(i, from, to, o.air)
	}
	return p, nil
}

// usage is how each modem has spent its time.
func (f *field) usage() []modemsim.Usage {
	all := make([]modemsim.Usage, len(f.air.taken))
	for i := range all {
		all[i] = f.bank.Usage(i)
	}
	return all
}

// used is processor time.
type used struct{ gateway, bench, machine time.Duration }

func (f *field) used() (u used, err error) {
	u.bench = cpuTime()
	if u.gateway, err = f.cpu(); err != nil {
		return u, err
	}
	u.machine, err = machineCPU()
	return u, err
}

func (p *pace) leastBusy() float64 { return slices.Min(p.busy) }

func percent(part, whole time.Duration) float64 { return 100 * part.Seconds() / whole.Seconds() }

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
