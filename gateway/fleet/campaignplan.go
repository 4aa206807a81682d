package fleet

import (
	"fmt"
	"math"
	"time"

	"dmgate/codec/push"
	"dmgate/storage"
)

// Plan is what a campaign will cost, found without sending anything.
type Plan struct {
	Targets     int           // still to be begun
	PushOf      int           // segments of one push
	Segments    int           // of all, each target being sent to once
	Modems      int           // that the plan reckons with
	Throughput  float64       // segments a minute that they are taken to send, all together; 0 where there is no telling
	ModemTime   time.Duration // that modems are busy with them, all modems together; 0 where there is no telling
	Begin       time.Time     // when the first target can be begun
	End         time.Time     // when the last push will have been sent; zero where that is not to be seen
	Late        int           // targets that will not be begun before the campaign's deadline
	Assumptions []string      // what the plan takes for granted, and what it leaves out, in words
}

// How far and how finely a plan looks ahead.
const (
	planStep  = 15 * time.Minute
	planSteps = 200_000
)

// PlanCampaign says what the rest of a campaign will cost, as if it ran from now on. It writes nothing.
func (f *Fleet) PlanCampaign(id string) (Plan, error) {
	c, err := f.store.Campaign(id)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{
		Targets: c.Counts[string(storage.TargetPending)] + c.Counts[string(storage.TargetHeld)],
		Assumptions: []string{
			"no target has to be tried again, and no group is held",
			"the quiet hours and the limits of the modem pool are not reckoned with",
		},
	}
	if c.How.Canary > 0 && !c.Canary.Passed {
		p.assume("the canary group takes no time")
	}
	if c.Selecting {
		p.assume("devices that the filter has not found yet are left out")
	}
	if byDestination(c.How.Windows) {
		p.assume("windows without a zone are those of UTC")
	}
	if c.What.Operator == OperatorSIM {
		p.assume("access points by SIM take no segments: they differ by target")
	}
	if p.PushOf, err = f.pushSize(&c.What); err != nil {
		return Plan{}, err
	}
	p.Segments = p.Targets * p.PushOf
	p.Modems, p.Throughput = f.opt.Throughput()
	if p.Throughput > 0 {
		p.ModemTime = time.Duration(float64(p.Segments) / p.Throughput * float64(p.Modems) * float64(time.Minute))
	} else {
		p.assume("the modems take no time: nothing is known of their pace")
	}
	p.lookAhead(c, f.opt.Clock())
	return p, nil
}

func (p *Plan) assume(format string, args ...any) {
	p.Assumptions = append(p.Assumptions, fmt.Sprintf(format, args...))
}

// pushSize is how many segments a push of a campaign has: it is built, for a device that nobody knows.
func (f *Fleet) pushSize(a *storage.Action) (int, error) {
	dev, account := f.newDevice(NewDevice{MSISDN: "+10000000"})
	pdu := notify(account, account.ServerNonce)
	if a.Kind == kindBootstrap {
		sec, err := push.ParseSEC(a.Sec)
		if err != nil {
			return 0, err
		}
		b := bootstrapOf(a)
		if a.Operator == OperatorSIM { // differs by target
			b.AccessPoint = nil
		}
		settings, err := f.settings(dev, &b)
		if err != nil {
			return 0, err
		}
		body, err := f.document(account, settings)
		if err != nil {
			return 0, err
		}
		if pdu, err = wrap(body, sec, push.Key{IMSI: "001010000000000", PIN: "000000"}); err != nil {
			return 0, err
		}
	}
	n := segments(pdu)
	if a.Kind == kindBootstrap {
		first, err := f.certificateSize(dev)
		return n + first, err
	}
	return n, nil
}

// lookAhead goes through the time to come in steps, with the rate as it grows, the windows, and the pace of the modems.
func (p *Plan) lookAhead(c *storage.Campaign, now time.Time) {
	modems := math.Inf(1) // targets an hour
	if p.Throughput > 0 {
		modems = p.Throughput / float64(p.PushOf) * 60
	}
	rest, ran := float64(p.Targets), c.Ran
	for range planSteps {
		if next, closed := closedUntil(c.How.Windows, "", now); closed {
			now = next
		}
		if p.Begin.IsZero() {
			p.Begin = now
		}
		if !c.How.Deadline.IsZero() && !now.Before(c.How.Deadline) {
			p.Late = int(math.Ceil(rest))
			p.End = now
			return
		}
		rate := min(rateAfter(&c.How, ran), modems)
		if step := rate * planStep.Hours(); step < rest {
			rest -= step
			now, ran = now.Add(planStep), ran+planStep
			continue
		}
		if !math.IsInf(rate, 1) && rest > 0 {
			now = now.Add(time.Duration(rest / rate * float64(time.Hour))).Round(time.Second)
		}
		p.End = now
		return
	}
}
