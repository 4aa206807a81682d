package api

import (
	"net/url"
	"strings"
	"time"

	"dmgate/modempool"
)

// Bank is the modems as operators handle them: the pool, or what stands for it in tests. A modem goes by Status.ID or
// by Status.Name; the error is modempool.ErrNoModem where none does.
type Bank interface {
	Modems() []modempool.Status
	Waits() []modempool.FlowWait // what has something to send and has to wait

	// AddPort puts a modem to work, also after a restart. ErrHasModem where the port has one.
	AddPort(p modempool.Port) error
	Drain(id string) error   // it finishes its push and takes no more
	Undrain(id string) error // it takes pushes again
	Reset(id string) error   // it begins anew, as after a replug; its PIN may be tried again
	Remove(id string) error  // it finishes its push and is gone

	Limits() modempool.Limits
	LimitsSet() bool // by SetLimits, and not those of the configuration
	SetLimits(modempool.Limits) error
	UnsetLimits() error
}

// Modem is a modem as the API shows it. Counters count from the start of the gateway.
type Modem struct {
	ID        string          `json:"id"`   // "IMEI 356938035643809", or the name where it has told none
	Name      string          `json:"name"` // of its port
	Port      string          `json:"port"`
	IMEI      string          `json:"imei,omitempty"`
	IMSI      string          `json:"imsi,omitempty"`
	ICCID     string          `json:"iccid,omitempty"`
	Maker     string          `json:"maker,omitempty"`
	Model     string          `json:"model,omitempty"`
	Operator  string          `json:"operator,omitempty"` // the network that serves it
	Tags      []string        `json:"tags,omitempty"`
	State     modempool.State `json:"state"`
	Since     time.Time       `json:"since"`
	Reason    string          `json:"reason,omitempty"` // of a modem that does not send
	Until     *time.Time      `json:"until,omitempty"`  // when it is tried again, or its limit lets it send
	Sent      uint64          `json:"sent"`             // segments
	Failed    uint64          `json:"failed"`           // segments
	Doubtful  uint64          `json:"doubtful"`         // segments
	Pushes    uint64          `json:"pushes"`           // sent whole
	Reports   uint64          `json:"reports"`          // delivery reports of our pushes
	Unknown   uint64          `json:"unknown_reports"`  // others
	Inbound   uint64          `json:"inbound"`          // SMS that came in
	Reopened  uint64          `json:"reopened"`         // times its port was opened anew
	PerMinute int             `json:"per_minute"`       // segments
	Signal    int             `json:"signal"`           // 0 to 31; 99 unknown
	Draining  bool            `json:"draining"`         // it takes no more pushes
	Trial     bool            `json:"trial"`            // after a fault, until a push has gone through
	Error     string          `json:"error,omitempty"`  // the last one
	ErrorAt   *time.Time      `json:"error_at,omitempty"`
	Exchanges []Exchange      `json:"exchanges,omitempty"` // the last ones, PINs and PDUs masked
}

// Exchange is a command and what the modem said to it, or what it said by itself.
type Exchange struct {
	Time  time.Time `json:"time"`
	Sent  string    `json:"sent,omitempty"`
	Lines []string  `json:"lines,omitempty"`
}

// FlowWait is what pushes of one campaign, or of none, to one destination wait for.
type FlowWait struct {
	Campaign string     `json:"campaign,omitempty"`
	Prefix   string     `json:"prefix,omitempty"`
	Priority uint8      `json:"priority"`
	For      string     `json:"for"`
	Until    *time.Time `json:"until,omitempty"`
}

// ModemList is all modems, in the order in which they were configured and added.
type ModemList struct {
	Modems []Modem    `json:"modems"`
	Waits  []FlowWait `json:"waits,omitempty"` // what has something to send and has to wait
}

// NewPort is a modem to be put to work. The PIN is told to nobody.
type NewPort struct {
	Path   string   `json:"path"`
	PIN    string   `json:"pin"`
	Tags   []string `json:"tags"`
	Rate   float64  `json:"rate"`    // segments a minute; 0 for that of all modems
	SIMDay int      `json:"sim_day"` // segments a day; 0 for that of all modems
}

func showModem(s *modempool.Status) Modem {
	return Modem{
		ID: s.ID, Name: s.Name, Port: s.Port, IMEI: s.Identity.IMEI, IMSI: s.Identity.IMSI, ICCID: s.Identity.ICCID,
		Maker: s.Identity.Maker, Model: s.Identity.Model, Operator: s.Operator, Tags: s.Tags,
		State: s.State, Since: s.Since, Reason: s.Reason, Until: instant(s.Until), Sent: s.Sent, Failed: s.Failed,
		Doubtful: s.Doubtful, Pushes: s.Pushes, Reports: s.Reports, Unknown: s.Unknown, Inbound: s.Inbound, Reopened: s.Reopened, PerMinute: s.PerMinute, Signal: s.Signal,
		Draining: s.Draining, Trial: s.Trial, Error: s.LastError, ErrorAt: instant(s.LastErrorAt),
	}
}

// withExchanges is a modem with what was last said.
func withExchanges(s *modempool.Status) Modem {
	m := showModem(s)
	for _, e := range s.Ring {
		m.Exchanges = append(m.Exchanges, Exchange(e))
	}
	return m
}

func (a *API) showModems() []Modem {
	all := a.bank.Modems()
	out := make([]Modem, len(all))
	for i := range all {
		out[i] = showModem(&all[i])
	}
	return out
}

func (a *API) listModems(*request) (any, error) {
	all := a.bank.Modems()
	list := ModemList{Modems: make([]Modem, len(all))}
	for _, w := range a.bank.Waits() {
		campaign, prefix, _ := strings.Cut(w.Name, "/")
		list.Waits = append(list.Waits, FlowWait{campaign, prefix, w.Priority, w.For, instant(w.Until)})
	}
	for i := range all {
		list.Modems[i] = withExchanges(&all[i])
	}
	return list, nil
}

func (a *API) getModem(r *request) (any, error) { return a.modem(r.id) }

// modem finds a modem by its ID, or by the name of its port.
func (a *API) modem(id string) (Modem, error) {
	all := a.bank.Modems()
	for _, named := range []func(*modempool.Status) string{
		func(s *modempool.Status) string { return s.ID }, func(s *modempool.Status) string { return s.Name },
	} {
		for i := range all {
			if named(&all[i]) == id {
				return withExchanges(&all[i]), nil
			}
		}
	}
	return Modem{}, modempool.ErrNoModem
}

func (a *API) createModem(r *request) (any, error) {
	var in NewPort
	if err := r.read(&in); err != nil {
		return nil, err
	}
	p := modempool.Port{
		Path: in.Path, PIN: in.PIN, Tags: in.Tags, Limits: modempool.ModemLimits{Rate: in.Rate, SIMDay: in.SIMDay},
	}
	if p.IsPattern() {
		return nil, &modempool.PortError{Field: "path", Reason: "a pattern, want one device file"}
	}
	if err := a.bank.AddPort(p); err != nil {
		return nil, err
	}
	all := a.bank.Modems()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Port == p.Path {
			r.Response.Header.Set("Location", "/v1/modems/"+url.PathEscape(all[i].Name))
			return showModem(&all[i]), nil
		}
	}
	return nil, modempool.ErrNoModem // it was removed at once
}

// handle makes a call of what an operator does to a modem, whose answer is how it stands then.
func handle(do func(Bank, string) error) func(*API, *request) (any, error) {
	return func(a *API, r *request) (any, error) {
		if err := do(a.bank, r.id); err != nil {
			return nil, err
		}
		return a.modem(r.id)
	}
}

func (a *API) deleteModem(r *request) (any, error) {
	if err := a.bank.Remove(r.id); err != nil {
		return nil, err
	}
	return struct{}{}, nil
}
