package api

import (
	"time"

	"dmgate/storage"
)

// NewCampaign is one thing to be done to many devices.
type NewCampaign struct {
	// Key makes the request safe to repeat: the same key stands for the same campaign.
	Key      string    `json:"key,omitempty"`
	Name     string    `json:"name"`
	Kind     string    `json:"kind"` // "bootstrap", "notify", "task", "install"
	Sec      string    `json:"sec,omitempty"`
	PIN      string    `json:"pin,omitempty"` // of targets that have none of their own
	APN      string    `json:"apn,omitempty"`
	Operator string    `json:"operator,omitempty"` // in place of apn
	Again    bool      `json:"again,omitempty"`    // bootstrap also those that are bootstrapped already
	Commands []Command `json:"commands,omitempty"` // of kind task
	Install  *Install  `json:"install,omitempty"`  // of kind install
	Pacing   Pacing    `json:"pacing"`

	Devices []storage.DeviceID `json:"devices,omitempty"`
	Filter  *Filter            `json:"filter,omitempty"`
	Start   bool               `json:"start,omitempty"`
}

// EditCampaign is what can be changed of a campaign while it runs.
type EditCampaign struct {
	Name   string `json:"name"`
	Pacing Pacing `json:"pacing"`
}

// Pacing is how a campaign is carried out.
type Pacing struct {
	Priority   uint8      `json:"priority"` // 0 goes first
	Rate       float64    `json:"rate"`     // targets begun an hour; 0 for no limit
	Growth     float64    `json:"growth"`   // factor by which the rate grows with each hour
	RateMax    float64    `json:"rate_max"`
	Windows    []Window   `json:"windows"` // when targets may be begun; none for always
	Deadline   *time.Time `json:"deadline,omitempty"`
	Attempts   int        `json:"attempts"`
	RetryAfter int64      `json:"retry_after"` // seconds, doubled with each attempt
	Success    string     `json:"success"`     // "sent", "delivered", "done", or "installed", which is done
	Canary     int        `json:"canary"`      // targets that go first
	CanaryGood float64    `json:"canary_good"` // share of them
	HoldAbove  float64    `json:"hold_above"`  // share of failures; 0 for never
	HoldOver   int        `json:"hold_over"`   // outcomes
}

// Window is a time of the week.
type Window struct {
	Days []string `json:"days"` // "mon" to "sun"; none for all
	From string   `json:"from"` // "08:00"
	To   string   `json:"to"`   // "20:00"; before From where it ends on the next day
	Zone string   `json:"zone"` // "Europe/Berlin"; that of the destination where it is empty
}

// Filter selects devices that are known.
type Filter struct {
	Make     string          `json:"make,omitempty"`
	Model    string          `json:"model,omitempty"`
	TAC      string          `json:"tac,omitempty"`
	Operator string          `json:"operator,omitempty"`
	States   []storage.State `json:"states,omitempty"`
}

// Command is one DM command of a task. Its data are taken and not shown: they may be secret.
type Command struct {
	Kind       string   `json:"kind"`
	URI        string   `json:"uri,omitempty"`
	Format     string   `json:"format,omitempty"`
	Type       string   `json:"type,omitempty"`
	Data       string   `json:"data,omitempty"`   // text
	Binary     []byte   `json:"binary,omitempty"` // base64, in place of data
	Bytes      int      `json:"bytes,omitempty"`  // how long the data are, where they are not shown
	Depth      uint8    `json:"depth,omitempty"`  // 1 for a member of a group, 2 for a member of a group in it
	Source     string   `json:"source,omitempty"`
	Code       int      `json:"code,omitempty"`
	Items      []string `json:"items,omitempty"`
	Correlator string   `json:"correlator,omitempty"`
	Probe      string   `json:"probe,omitempty"`
	Idle       []string `json:"idle,omitempty"`
}

// Campaign is a campaign as the API shows it: without PINs, and without what its commands carry.
type Campaign struct {
	ID      string                `json:"id"`
	Name    string                `json:"name"`
	State   storage.CampaignState `json:"state"`
	Since   time.Time             `json:"since"`
	Reason  string                `json:"reason,omitempty"`
	Created time.Time             `json:"created"`
	Started *time.Time            `json:"started,omitempty"`

	Kind     string    `json:"kind"`
	Sec      string    `json:"sec,omitempty"`
	APN      string    `json:"apn,omitempty"`
	Operator string    `json:"operator,omitempty"` // in place of apn
	Again    bool      `json:"again,omitempty"`
	Commands []Command `json:"commands,omitempty"`
	Install  *Install  `json:"install,omitempty"`
	Pacing   Pacing    `json:"pacing"`
	Filter   *Filter   `json:"filter,omitempty"`

	Selecting bool             `json:"selecting,omitempty"` // devices are still being looked through by the filter
	Counts    map[string]int   `json:"counts"`              // of targets by state, and of those begun by stage
	Groups    map[string]Group `json:"groups,omitempty"`    // "tac:35824005", "operator:o2"
	Canary    *Canary          `json:"canary,omitempty"`
	Progress  *Progress        `json:"progress,omitempty"` // of a single campaign
}

// CreatedCampaign is a campaign with what has become of the devices that the request has listed.
type CreatedCampaign struct {
	*Campaign
	Added *Added `json:"added,omitempty"`
}

// CampaignPage is a page of campaigns.
type CampaignPage struct {
	Campaigns []*Campaign `json:"campaigns"`
	Next      string      `json:"next,omitempty"` // the ?after of the next page
}

// Group is what a campaign knows of its targets of one TAC or operator.
type Group struct {
	Good int    `json:"good"`
	Bad  int    `json:"bad"`
	Held string `json:"held,omitempty"` // why it is held
}

// Canary is how far the targets are that go first.
type Canary struct {
	Begun  int  `json:"begun"`
	Good   int  `json:"good"`
	Bad    int  `json:"bad"`
	Passed bool `json:"passed"`
}

// Progress is how far a campaign has come.
type Progress struct {
	Targets        int        `json:"targets"` // all but those refused
	BegunPerMinute float64    `json:"begun_per_minute"`
	EndedPerMinute float64    `json:"ended_per_minute"`
	End            *time.Time `json:"end,omitempty"` // expected
	Waits          string     `json:"waits,omitempty"`
	Until          *time.Time `json:"until,omitempty"`
}

// Plan is what a campaign will cost.
type Plan struct {
	Targets           int        `json:"targets"` // still to be begun
	SegmentsPerPush   int        `json:"segments_per_push"`
	Segments          int        `json:"segments"`
	Modems            int        `json:"modems"`              // that it reckons with
	SegmentsPerMinute float64    `json:"segments_per_minute"` // of all of them
	ModemHours        float64    `json:"modem_hours"`         // of work, all modems together
	Begin             *time.Time `json:"begin,omitempty"`
	End               *time.Time `json:"end,omitempty"` // expected
	Late              int        `json:"late"`          // targets that will not be begun before the deadline
	Assumptions       []string   `json:"assumptions,omitempty"`
}

// farthest is more seconds than any wait may have.
const farthest = 1 << 32

func (p *Pacing) record() storage.Pacing {
	out := storage.Pacing{
		Priority: p.Priority, Rate: p.Rate, Growth: p.Growth, RateMax: p.RateMax, Attempts: p.Attempts, Success: p.Success,
		RetryAfter: time.Duration(max(-farthest, min(p.RetryAfter, farthest))) * time.Second,
		Canary:     p.Canary, CanaryGood: p.CanaryGood, HoldAbove: p.HoldAbove, HoldOver: p.HoldOver,
	}
	if p.Deadline != nil {
		out.Deadline = *p.Deadline
	}
	for _, w := range p.Windows {
		out.Windows = append(out.Windows, storage.Window(w))
	}
	return out
}

func showPacing(p *storage.Pacing) Pacing {
	out := Pacing{
		Priority: p.Priority, Rate: p.Rate, Growth: p.Growth, RateMax: p.RateMax, Windows: []Window{},
		Deadline: instant(p.Deadline), Attempts: p.Attempts, RetryAfter: int64(p.RetryAfter / time.Second),
		Success: p.Success, Canary: p.Canary, CanaryGood: p.CanaryGood, HoldAbove: p.HoldAbove, HoldOver: p.HoldOver,
	}
	for _, w := range p.Windows {
		out.Windows = append(out.Windows, Window(w))
	}
	return out
}

func recordCommands(commands []Command) []storage.Command {
	out := make([]storage.Command, len(commands))
	for i, c := range commands {
		out[i] = storage.Command{
			Kind: c.Kind, URI: c.URI, Format: c.Format, Type: c.Type, Data: []byte(c.Data), Depth: c.Depth, Source: c.Source,
			Code: c.Code, Items: c.Items, Correlator: c.Correlator, Probe: c.Probe, Idle: c.Idle,
		}
		if c.Binary != nil {
			out[i].Data = c.Binary
		}
	}
	return out
}

func showCommands(commands []storage.Command) []Command {
	out := make([]Command, len(commands))
	for i, c := range commands {
		out[i] = Command{
			Kind: c.Kind, URI: c.URI, Format: c.Format, Type: c.Type, Bytes: len(c.Data), Depth: c.Depth, Source: c.Source,
			Code: c.Code, Items: c.Items, Correlator: c.Correlator, Probe: c.Probe, Idle: c.Idle,
		}
	}
	return out
}

func showCampaign(c *storage.Campaign) *Campaign {
	out := &Campaign{
		ID: c.ID, Name: c.Name, State: c.State, Since: c.Since, Reason: c.Reason, Created: c.Created,
		Started: instant(c.Started), Kind: c.What.Kind, Sec: c.What.Sec, APN: c.What.APN,
		Operator: c.What.Operator, Again: c.What.Again,
		Commands: showCommands(c.What.Commands), Install: showInstall(&c.What), Pacing: showPacing(&c.How), Selecting: c.Selecting, Counts: c.Counts,
	}
	if out.Counts == nil {
		out.Counts = map[string]int{}
	}
	f := Filter(c.Filter)
	if c.Selecting || c.Selected != "" || f.Make+f.Model+f.TAC+f.Operator != "" || len(f.States) > 0 {
		out.Filter = &f
	}
	for name, g := range c.Groups {
		if out.Groups == nil {
			out.Groups = make(map[string]Group, len(c.Groups))
		}
		out.Groups[name] = Group{Good: g.Good, Bad: g.Bad, Held: g.Held}
	}
	if c.How.Canary > 0 {
		out.Canary = &Canary{Begun: c.Canary.Begun, Good: c.Canary.Good, Bad: c.Canary.Bad, Passed: c.Canary.Passed}
	}
	return out
}
