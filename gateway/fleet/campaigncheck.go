package fleet

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"

	"dmgate/codec/push"
	"dmgate/storage"
)

// Bounds of a campaign.
const (
	maxCampaignName = 200
	maxCommands     = 1000
	maxCommandData  = 64 << 10 // bytes of all of them
	maxAttempts     = 20
	maxRetryAfter   = 30 * 24 * time.Hour
	maxWindows      = 64
	maxHoldOver     = 1_000_000
)

// Defaults of a campaign's pacing.
const (
	retryAfter = time.Hour
	canaryGood = 0.9
	holdOver   = 100
)

// checkAction refuses what can not be done to any device.
func (f *Fleet) checkAction(a *storage.Action) error {
	switch a.Kind {
	case kindBootstrap:
		if a.Sec == "" {
			a.Sec = push.UserPIN.String()
		}
		if _, err := push.ParseSEC(a.Sec); err != nil {
			return &FieldError{"sec", err.Error()}
		}
		if a.PIN != "" && !pin.MatchString(a.PIN) {
			return &FieldError{"pin", "not 4 to 10 digits"}
		}
		if a.Operator != "" && a.Operator != OperatorSIM && !operatorCode.MatchString(a.Operator) || a.Operator != "" && a.APN != "" {
			return &FieldError{"operator", "want an MCC and MNC of 5 or 6 digits, or " + OperatorSIM + ", and no apn with it"}
		}
	case kindNotify:
		if len(a.Commands) > 0 {
			return &FieldError{"commands", "a notification takes none: want kind task"}
		}
	case kindTask:
		if len(a.Commands) == 0 || len(a.Commands) > maxCommands {
			return &FieldError{"commands", fmt.Sprintf("%d commands, want 1 to %d", len(a.Commands), maxCommands)}
		}
		if err := checkCommands(a.Commands); err != nil {
			return err
		}
	case jobInstall:
		if a.Sec == "" {
			a.Sec = push.UserPIN.String()
		}
		if len(a.Commands) > 0 || a.Again {
			return &FieldError{"kind", "install takes no commands or again"}
		}
		o := installOf(a)
		return f.checkJob(&o)
	default:
		return &FieldError{"kind", fmt.Sprintf("%.20q, want bootstrap, notify, task or install", a.Kind)}
	}
	if a.Kind != kindBootstrap && (a.Sec != "" || a.PIN != "" || a.APN+a.Operator != "" || a.Again) {
		return &FieldError{"kind", a.Kind + " takes no sec, pin, apn, operator or again: these are of a bootstrap"}
	}
	return nil
}

// installOf is the order that a campaign of kind install places for each of its targets, as far as they share it.
func installOf(a *storage.Action) JobOrder {
	i := &a.Install
	return JobOrder{
		Kind: jobInstall, Package: i.Package, Version: i.Version, Values: i.Values, Recipe: i.Recipe, Fallback: i.Fallback,
		NoDM: i.NoDM, Silent: i.Silent, Sec: a.Sec, PIN: a.PIN, APN: a.APN, Operator: a.Operator,
	}
}

// checkCommands refuses what no device could be told. What they weigh is bounded: the campaign's record holds them.
func checkCommands(list []storage.Command) error {
	size := 0
	for i := range list {
		c := &list[i]
		fault := func(reason string) error {
			return &FieldError{"commands", fmt.Sprintf("command %d: %s", i, reason)}
		}
		size += len(c.Data) + len(c.URI) + len(c.Source)
		group := c.Kind == "Atomic" || c.Kind == "Sequence"
		switch {
		case !slices.Contains(commandKinds, c.Kind):
			return fault(fmt.Sprintf("%.20q is no kind of command", c.Kind))
		case c.URI == "" && !group && c.Kind != "Alert":
			return fault("it has no URI")
		case size > maxCommandData:
			return fault(fmt.Sprintf("more than %d bytes up to here", maxCommandData))
		}
		above := -1 // how deep the command before it stands
		if i > 0 {
			above = int(list[i-1].Depth)
		}
		switch deeper := int(c.Depth) - above; {
		case deeper > 1, deeper == 1 && i > 0 && list[i-1].Kind != "Atomic" && list[i-1].Kind != "Sequence":
			return fault("it is a member of no group")
		}
	}
	return nil
}

var commandKinds = []string{"Get", "Add", "Replace", "Delete", "Copy", "Exec", "Alert", "Atomic", "Sequence", "Put"}

// checkPacing refuses what can not be carried out, and fills in what was left to us.
func checkPacing(p *storage.Pacing) error {
	share := func(v float64) bool { return v >= 0 && v <= 1 } // NaN is none
	positive := func(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }
	switch {
	case !positive(p.Rate):
		return &FieldError{"rate", fmt.Sprintf("%g targets an hour, want 0 for no limit or more", p.Rate)}
	case !positive(p.Growth) || p.Growth > 100:
		return &FieldError{"growth", fmt.Sprintf("%g, want a factor an hour of 0 to 100", p.Growth)}
	case !positive(p.RateMax):
		return &FieldError{"rate_max", fmt.Sprintf("%g targets an hour, want 0 for no limit or more", p.RateMax)}
	case p.Attempts < 0 || p.Attempts > maxAttempts:
		return &FieldError{"attempts", fmt.Sprintf("%d, want 1 to %d", p.Attempts, maxAttempts)}
	case p.RetryAfter < 0 || p.RetryAfter > maxRetryAfter:
		return &FieldError{"retry_after", fmt.Sprintf("%v, want 0 to %v", p.RetryAfter, maxRetryAfter)}
	case !slices.Contains([]string{"", stageSent, stageDelivered, successDone, successInstalled}, p.Success):
		return &FieldError{"success", fmt.Sprintf("%.20q, want sent, delivered, done or installed", p.Success)}
	case p.Canary < 0:
		return &FieldError{"canary", fmt.Sprintf("%d targets, want 0 for none or more", p.Canary)}
	case !share(p.CanaryGood):
		return &FieldError{"canary_good", fmt.Sprintf("%g, want a share of 0 to 1", p.CanaryGood)}
	case !share(p.HoldAbove):
		return &FieldError{"hold_above", fmt.Sprintf("%g, want a share of 0 (never) to 1", p.HoldAbove)}
	case p.HoldOver < 0 || p.HoldOver > maxHoldOver:
		return &FieldError{"hold_over", fmt.Sprintf("%d outcomes, want 0 to %d", p.HoldOver, maxHoldOver)}
	case len(p.Windows) > maxWindows:
		return &FieldError{"windows", fmt.Sprintf("%d windows, want at most %d", len(p.Windows), maxWindows)}
	}
	for i := range p.Windows {
		if fault := checkWindow(&p.Windows[i]); fault != "" {
			return &FieldError{"windows", fmt.Sprintf("window %d: %s", i, fault)}
		}
	}
	fillPacing(p)
	return nil
}

func fillPacing(p *storage.Pacing) {
	if p.Success == "" {
		p.Success = successDone
	}
	if p.Attempts == 0 {
		p.Attempts = 1
	}
	if p.RetryAfter == 0 {
		p.RetryAfter = retryAfter
	}
	if p.CanaryGood == 0 {
		p.CanaryGood = canaryGood
	}
	if p.HoldOver == 0 {
		p.HoldOver = holdOver
	}
}

var tac = regexp.MustCompile(`^[0-9]{8}$`)

func checkFilter(f *storage.Filter) error {
	if f.TAC != "" && !tac.MatchString(f.TAC) {
		return &FieldError{"tac", fmt.Sprintf("%.20q, want the eight digits that an IMEI begins with", f.TAC)}
	}
	for _, s := range f.States {
		if !slices.Contains(storage.States, s) {
			return &FieldError{"states", fmt.Sprintf("%.20q is no state of a device", s)}
		}
	}
	return nil
}
