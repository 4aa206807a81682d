package storage

import "time"

//go:generate go tool msgp -file campaign.go -o campaign_gen.go -tests=false -io=false
//msgp:timezone utc
//msgp:limit arrays:65536 maps:65536 marshal:true

// CampaignState says whether a campaign goes on.
type CampaignState string

// States of a campaign.
const (
	CampaignDraft     CampaignState = "draft" // takes targets; nothing is begun
	CampaignRunning   CampaignState = "running"
	CampaignPaused    CampaignState = "paused"    // by upstream
	CampaignHeld      CampaignState = "held"      // by itself: see Reason
	CampaignDone      CampaignState = "done"      // every target has come to its end
	CampaignCancelled CampaignState = "cancelled" // nothing more is begun; what a modem has is not called back
)

// Campaign is one thing to be done to many devices.
type Campaign struct {
	ID      string        `msg:"id"` // 16 characters from a CSPRNG; the orders of its targets begin with it
	Name    string        `msg:"n"`
	State   CampaignState `msg:"st"`
	Since   time.Time     `msg:"si"` // when State was entered
	Reason  string        `msg:"re"` // of held and cancelled
	Created time.Time     `msg:"cr"`
	Started time.Time     `msg:"sd"` // first
	Ran     time.Duration `msg:"rn"` // how long it has been running with a window open, until Clocked
	Clocked time.Time     `msg:"ck"`
	What    Action        `msg:"w"`
	How     Pacing        `msg:"h"`

	// Filter selects devices that are known; Selecting while that goes on, after device Selected.
	Filter    Filter   `msg:"fi"`
	Selecting bool     `msg:"sg"`
	Selected  DeviceID `msg:"sc"`

	Last   uint64           `msg:"l"` // number of the last target
	Offset uint64           `msg:"o"` // the feed is accounted for up to there
	Counts map[string]int   `msg:"c"` // of targets by state, and of those begun by stage
	Groups map[string]Group `msg:"g"` // by "tac:35824005" and "operator:o2"; "all" is the campaign itself
	Canary Canary           `msg:"cy"`
}

// Action is what a campaign does to each target.
type Action struct {
	Kind     string    `msg:"k"`           // "bootstrap", "notify", "task", "install"
	Sec      string    `msg:"s,omitempty"` // of bootstrap, as in an order
	PIN      string    `msg:"p,omitempty"` // of bootstrap, where all targets have the same. A secret
	APN      string    `msg:"a,omitempty"`
	Operator string    `msg:"o,omitempty"`  // in place of APN: an entry of the library, or "sim" for that of each SIM
	Again    bool      `msg:"ag,omitempty"` // bootstrap devices that are bootstrapped already as well
	Commands []Command `msg:"c"`            // of task
	Install  JobSpec   `msg:"in"`           // of install: Package to Fallback, NoDM and Silent
}

// Pacing is how a campaign is carried out. All of it may be changed while it runs.
type Pacing struct {
	Priority   uint8         `msg:"p"`
	Rate       float64       `msg:"r"`  // targets begun an hour, at most; 0 for no limit
	Growth     float64       `msg:"g"`  // factor by which Rate grows with each hour that it runs; 0 and 1 for none
	RateMax    float64       `msg:"rm"` // bound of that growth; 0 for none
	Windows    []Window      `msg:"w"`  // when targets may be begun; empty for always
	Deadline   time.Time     `msg:"d"`  // targets not begun by then fail; zero for never
	Attempts   int           `msg:"a"`  // of a target; at least 1
	RetryAfter time.Duration `msg:"ra"` // before the second attempt, doubled with each
	// Success is the stage that counts as success for the canary group and for holds: "sent", "delivered" or "done". A
	// target is done when its order is, whatever Success says. With "done" a failure is often known long before a
	// success: where few devices fail late, "sent" or "delivered" judge sooner and more fairly.
	Success    string  `msg:"s"`
	Canary     int     `msg:"c"`  // targets that go first; 0 for none
	CanaryGood float64 `msg:"cg"` // share of them that has to succeed before the rest is begun
	HoldAbove  float64 `msg:"ha"` // share of failures above which a TAC, an operator or all is held; 0 for never
	HoldOver   int     `msg:"ho"` // of the last so many outcomes; 100 where it is 0
}

// Window is a time of the week.
type Window struct {
	Days []string `msg:"d"` // "mon" to "sun"; empty for all
	From string   `msg:"f"` // "08:00"
	To   string   `msg:"t"` // "20:00"; before From where it ends on the next day
	Zone string   `msg:"z"` // IANA name; empty for the destination's where that is known, or UTC
}

// Filter selects devices by what is known of them. Empty fields select all.
type Filter struct {
	Make     string  `msg:"ma"`
	Model    string  `msg:"mo"`
	TAC      string  `msg:"ta"` // first eight digits of the IMEI
	Operator string  `msg:"op"`
	States   []State `msg:"st"`
}

// Group is what a campaign knows of its targets of one TAC or operator. An outcome is that of one attempt: good when it
// has come to the stage Pacing.Success, bad when its order has failed before.
type Group struct {
	Good    int    `msg:"g"` // outcomes since it was last released
	Bad     int    `msg:"b"`
	Held    string `msg:"h"` // why it is held; empty where it is not
	Run     int    `msg:"r"` // outcomes in the running half of the window of Pacing.HoldOver
	RunBad  int    `msg:"rb"`
	Last    int    `msg:"l"` // and in the half before
	LastBad int    `msg:"lb"`
}

// Canary is how far the targets are that go first.
type Canary struct {
	Begun  int  `msg:"b"`
	From   int  `msg:"f"`  // of those, the ones of groups that had failed before
	Good   int  `msg:"g"`  // came to Pacing.Success in one of their attempts
	Bad    int  `msg:"bd"` // came to their end without
	Passed bool `msg:"p"`  // the rest may be begun
}

// TargetState says where one device of a campaign stands.
type TargetState string

// States of a target.
const (
	TargetPending   TargetState = "pending" // to be begun, not before NotBefore
	TargetHeld      TargetState = "held"    // its group is held
	TargetBegun     TargetState = "begun"   // its Order is under way
	TargetDone      TargetState = "done"
	TargetFailed    TargetState = "failed"
	TargetRefused   TargetState = "refused" // a line that could not be read, or names what can not be
	TargetCancelled TargetState = "cancelled"
)

// Target is one device of a campaign.
type Target struct {
	Campaign  string      `msg:"c"`
	Number    uint64      `msg:"n"`           // from 1, in the order in which they came
	Line      uint64      `msg:"l,omitempty"` // of the file
	MSISDN    string      `msg:"ms"`          // unique in the campaign, but for those refused
	IMSI      string      `msg:"im,omitempty"`
	DevID     string      `msg:"di,omitempty"`
	PIN       string      `msg:"p,omitempty"` // until it has come to its end. A secret
	Device    DeviceID    `msg:"d,omitempty"` // empty until it is known
	State     TargetState `msg:"s"`
	Stage     string      `msg:"sg,omitempty"` // of begun: "queued", "sent", "delivered", "doubtful"
	Since     time.Time   `msg:"si"`
	NotBefore time.Time   `msg:"nb"` // of pending and held: begun no earlier; of begun: when its order is looked after
	Attempts  int         `msg:"a,omitempty"`
	Order     string      `msg:"o,omitempty"` // of the last attempt
	Canary    bool        `msg:"ca,omitempty"`
	Good      bool        `msg:"go,omitempty"` // one of its attempts has come to Pacing.Success
	Judged    bool        `msg:"j,omitempty"`  // the outcome of its attempt is in Groups
	Reason    string      `msg:"r,omitempty"`
}

// CampaignCommit is what happens to one campaign, all or nothing. Empty fields change nothing.
type CampaignCommit struct {
	Campaign string
	Time     time.Time

	New *Campaign // ErrExists if there is one with this ID
	// Edit changes the campaign's record as it stands at the moment of the commit, as Commit.Edit does a device's.
	Edit func(*Campaign) error
	// Targets are new, or take the place of those with the same numbers. They go by number, each once, and none is
	// above Campaign.Last as New or Edit leaves it.
	Targets []Target
	// Feed entries get their Offset, Time and Campaign here. A change of the campaign's state adds its entry by itself.
	Feed []FeedEntry
}
