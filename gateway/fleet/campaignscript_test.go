package fleet

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"dmgate/storage"
)

// The scripts in testdata/campaign are lives of campaigns. It is the 1st of January 2026, a Thursday, 00:00 UTC. Their
// commands:
//
//	device NUMBER...               devices that are bootstrapped; dev_id=IMEI:... of the first
//	behave PREFIX [push=S] [answer=D] [code=N] [once]   what happens to numbers that begin so: what their push comes to
//	                               (sent, delivered, failed, doubtful), after how long they connect, what they answer;
//	                               once: only their first push has that fate
//	modems N                       pushes that the modems send a minute
//	campaign [kind=K] [again] [nopin] [pacing...]   a draft; rate=, growth=, max=, canary=, good=, success=, attempts=,
//	                               retry=, hold=, over=, deadline= (a time from now), window=FROM-TO[@ZONE],
//	                               filter=MODEL; commands one a line
//	targets [N from NUMBER]        targets; or one a line: NUMBER [pin=P] [imei=...]
//	start, pause, resume, cancel, release GROUP, edit [pacing...]
//	run DURATION                   time passes; then how the campaign stands
//	late NUMBER STATE              the first push to a number comes to a state, after all
//	crash                          the engine is killed, and another one goes on
//	down DURATION                  the engine is killed, and for so long there is no other
//	show                           all targets; those that a filter has found stand in the order of their numbers
//	plan                           what the rest will cost
//	feed                           what the feed says of the campaign as a whole since it was last shown
//
// The world's operators are the first digit after +999; numbers of operator 2 are in Tokyo.
func TestCampaigns(t *testing.T) {
	datadriven.Walk(t, "testdata/campaign", func(t *testing.T, path string) {
		l := &life{world: newWorld(t)}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			l.t = t
			return l.run(d)
		})
		l.t = t
		l.check(l.id)
	})
}

// life is the life of one campaign.
type life struct {
	*world
	id string
}

func (l *life) run(d *datadriven.TestData) string {
	var err error
	switch d.Cmd {
	case "device":
		l.devices(d)
	case "behave":
		l.behave(d)
	case "modems":
		l.modems, err = strconv.Atoi(d.CmdArgs[0].Key)
	case "campaign":
		return l.create(d)
	case "targets":
		return l.add(d)
	case "start":
		err = l.StartCampaign(l.id)
	case "pause":
		err = l.PauseCampaign(l.id)
	case "resume":
		err = l.ResumeCampaign(l.id)
	case "cancel":
		err = l.CancelCampaign(l.id)
	case "release":
		l.released = true
		err = l.ReleaseGroup(l.id, d.CmdArgs[0].Key)
	case "edit":
		_, err = l.EditCampaign(l.id, func(c *storage.Campaign) error { l.pacing(d, &c.How); return nil })
	case "late":
		l.late(d.CmdArgs[0].Key, storage.PushState(d.CmdArgs[1].Key))
	case "crash":
		l.engine = nil
	case "down":
		l.engine = nil
		l.now = l.now.Add(duration(l.t, d.CmdArgs[0].Key))
	case "run":
		l.pass(duration(l.t, d.CmdArgs[0].Key))
		return l.stands()
	case "show":
		return l.show()
	case "plan":
		return l.plan()
	case "feed":
		return l.news()
	default:
		d.Fatalf(l.t, "what is %s?", d.Cmd)
	}
	if err != nil {
		return err.Error() + "\n"
	}
	return ""
}

func duration(t testing.TB, s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (l *life) devices(d *datadriven.TestData) {
	for i, arg := range d.CmdArgs {
		if arg.Key == "dev_id" {
			continue
		}
		n := NewDevice{MSISDN: arg.Key}
		if i == 0 {
			d.MaybeScanArgs(l.t, "dev_id", &n.DevID)
		}
		dev, err := l.Register(n)
		l.must(err)
		l.must(l.store.Commit(&storage.Commit{Device: dev.ID, Time: l.now, Edit: func(d *storage.Device) error {
			d.Enter(storage.Discovered, l.now, "", storage.Wait{})
			d.Learn("Mod", "M"+d.MSISDN[4:5])
			d.Seen = l.now
			return nil
		}}))
	}
}

func (l *life) behave(d *datadriven.TestData) {
	b := l.of("+")
	b.prefix = d.CmdArgs[0].Key
	for _, arg := range d.CmdArgs[1:] {
		switch arg.Key {
		case "push":
			b.push = storage.PushState(arg.Vals[0])
		case "answer":
			b.answer = duration(l.t, arg.Vals[0])
		case "code":
			b.code, _ = strconv.Atoi(arg.Vals[0])
		case "once":
			b.once = true
		}
	}
	l.behaviour = append(l.behaviour, b)
}

func (l *life) create(d *datadriven.TestData) string {
	n := NewCampaign{Name: "test", What: storage.Action{Kind: kindBootstrap, PIN: "1234"}}
	d.MaybeScanArgs(l.t, "kind", &n.What.Kind)
	d.MaybeScanArgs(l.t, "sec", &n.What.Sec)
	if d.HasArg("nopin") || n.What.Kind != kindBootstrap {
		n.What.PIN = ""
	}
	n.What.Again = d.HasArg("again")
	for line := range strings.Lines(d.Input) {
		kind, uri, _ := strings.Cut(strings.TrimSpace(line), " ")
		n.What.Commands = append(n.What.Commands, storage.Command{Kind: kind, URI: uri})
	}
	if d.HasArg("filter") {
		n.Filter = &storage.Filter{}
		d.ScanArgs(l.t, "filter", &n.Filter.Model)
	}
	l.pacing(d, &n.How)
	c, err := l.CreateCampaign(n)
	if err != nil {
		return err.Error() + "\n"
	}
	l.id = c.ID
	return ""
}

func (l *life) pacing(d *datadriven.TestData, p *storage.Pacing) {
	for _, arg := range d.CmdArgs {
		if len(arg.Vals) == 0 {
			continue
		}
		v := arg.Vals[0]
		number, _ := strconv.ParseFloat(v, 64)
		switch arg.Key {
		case "rate":
			p.Rate = number
		case "growth":
			p.Growth = number
		case "max":
			p.RateMax = number
		case "canary":
			p.Canary = int(number)
		case "good":
			p.CanaryGood = number
		case "success":
			p.Success = v
		case "attempts":
			p.Attempts = int(number)
		case "retry":
			p.RetryAfter = duration(l.t, v)
		case "hold":
			p.HoldAbove = number
		case "over":
			p.HoldOver = int(number)
		case "deadline":
			p.Deadline = l.now.Add(duration(l.t, v))
		case "window":
			times, zone, _ := strings.Cut(v, "@")
			from, to, _ := strings.Cut(times, "-")
			p.Windows = append(p.Windows, storage.Window{From: from, To: to, Zone: zone})
		}
	}
}

func (l *life) add(d *datadriven.TestData) string {
	var lines []Line
	if len(d.CmdArgs) > 0 {
		n, _ := strconv.Atoi(d.CmdArgs[0].Key)
		first, _ := strconv.ParseUint(strings.TrimPrefix(d.CmdArgs[2].Key, "+"), 10, 64)
		for i := range n {
			lines = append(lines, Line{Number: uint64(i + 1), MSISDN: fmt.Sprintf("+%d", first+uint64(i))})
		}
	}
	for text := range strings.Lines(d.Input) {
		fields := strings.Fields(text)
		line := Line{Number: uint64(len(lines) + 1), MSISDN: fields[0]}
		for _, f := range fields[1:] {
			switch key, value, _ := strings.Cut(f, "="); key {
			case "pin":
				line.PIN = value
			case "imei":
				line.DevID = "IMEI:" + value
			case "imsi":
				line.IMSI = value
			case "error":
				line.Err = fmt.Errorf("it has %s", value)
			}
		}
		lines = append(lines, line)
	}
	added, err := l.AddTargets(l.id, func(yield func(Line, error) bool) {
		for _, line := range lines {
			if !yield(line, nil) {
				return
			}
		}
	})
	if err != nil {
		return err.Error() + "\n"
	}
	out := fmt.Sprintf("%d accepted, %d repeated, %d refused\n", added.Accepted, added.Repeated, added.Refused)
	for _, p := range added.Problems {
		out += fmt.Sprintf("line %d: %s\n", p.Line, p.Reason)
	}
	return out
}

// stands says how the campaign stands.
func (l *life) stands() string {
	p, err := l.Progress(l.id)
	l.must(err)
	l.check(l.id)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", l.now.Format("Mon 15:04"), p.State)
	if p.Reason != "" {
		fmt.Fprintf(&b, " (%s)", p.Reason)
	}
	fmt.Fprintf(&b, ":")
	order := []string{"pending", "held", "begun", "queued", "doubtful", "sent", "delivered", "done", "failed", "refused", "cancelled"}
	for _, key := range order {
		if n := p.Counts[key]; n > 0 {
			fmt.Fprintf(&b, " %s %d", key, n)
		}
	}
	if len(p.Counts) > len(order) {
		l.t.Errorf("counts %v", p.Counts)
	}
	b.WriteByte('\n')
	for _, name := range slices.Sorted(maps.Keys(p.Groups)) {
		if g := p.Groups[name]; g.Held != "" {
			fmt.Fprintf(&b, "%s is held: %s\n", name, g.Held)
		}
	}
	if p.Waits != "" {
		fmt.Fprintf(&b, "waits for %s", p.Waits)
		if !p.Until.IsZero() {
			fmt.Fprintf(&b, " (%s)", p.Until.Format("Mon 15:04"))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (l *life) late(number string, state storage.PushState) {
	id, err := l.store.FindDevice(storage.ByMSISDN, number)
	l.must(err)
	pushes, err := l.store.Pushes(id)
	l.must(err)
	pushes[0].State = state
	l.must(l.Save(&pushes[0]))
}

func (l *life) show() string {
	targets, err := l.store.Targets(l.id, 0, 1000)
	l.must(err)
	if l.campaign(l.id).Selected != "" { // they were found in the order of their names, which are random
		slices.SortFunc(targets, func(a, b storage.Target) int { return strings.Compare(a.MSISDN, b.MSISDN) })
	}
	var b strings.Builder
	for i := range targets {
		t := &targets[i]
		fmt.Fprintf(&b, "%d %s %s", i+1, t.MSISDN, t.State)
		if t.Stage != "" {
			fmt.Fprintf(&b, " %s", t.Stage)
		}
		if t.Attempts > 0 {
			fmt.Fprintf(&b, " after %d", t.Attempts)
		}
		if t.State == storage.TargetPending && t.NotBefore.After(l.now) {
			fmt.Fprintf(&b, " not before %s", t.NotBefore.Format("Mon 15:04"))
		}
		if t.Reason != "" {
			fmt.Fprintf(&b, ": %s", name.ReplaceAllString(t.Reason, "NAME"))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// name is how a campaign is called, which is random.
var name = regexp.MustCompile(`\b[a-z2-7]{16}\b`)

func (l *life) plan() string {
	p, err := l.PlanCampaign(l.id)
	l.must(err)
	out := fmt.Sprintf("%d targets, %d segments of %d each, %.1f modem hours, from %s to %s",
		p.Targets, p.Segments, p.PushOf, p.ModemTime.Hours(), p.Begin.Format("Mon 15:04"), p.End.Format("Mon 15:04"))
	if p.Late > 0 {
		out += fmt.Sprintf(", %d too late", p.Late)
	}
	return out + "\n" + strings.Join(p.Assumptions, "\n") + "\n"
}

func (l *life) news() string {
	var b strings.Builder
	for {
		page, err := l.store.Feed(l.told, 1000)
		l.must(err)
		if len(page) == 0 {
			return b.String()
		}
		for i := range page {
			e := &page[i]
			if l.told = e.Offset; e.Kind == "campaign" {
				fmt.Fprintf(&b, "%s %s %s\n", e.Time.Format("15:04"), e.Status, e.Text)
			}
			if strings.Contains(e.Text, "1234") {
				l.t.Errorf("the feed tells the PIN: %s", e.Text)
			}
		}
	}
}
