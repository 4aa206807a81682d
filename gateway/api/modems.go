package api

import (
	"time"

	"dmgate/modempool"
)

// modem is a modem as the API shows it.
type modem struct {
	Name      string          `json:"name"`
	Port      string          `json:"port"`
	State     modempool.State `json:"state"`
	Since     time.Time       `json:"since"`
	Reason    string          `json:"reason,omitempty"`
	Until     *time.Time      `json:"until,omitempty"` // the next try of one out of service
	Sent      uint64          `json:"sent"`            // segments
	Failed    uint64          `json:"failed"`          // segments
	Doubtful  uint64          `json:"doubtful"`        // segments
	PerMinute int             `json:"per_minute"`      // segments
	Signal    int             `json:"signal"`          // 0 to 31; 99 unknown
	Awaiting  int             `json:"awaiting"`        // pushes without their delivery reports
	Error     string          `json:"error,omitempty"`
	Exchanges []exchange      `json:"exchanges,omitempty"`
}

type exchange struct {
	Time  time.Time `json:"time"`
	Sent  string    `json:"sent,omitempty"`
	Lines []string  `json:"lines,omitempty"`
}

func (a *API) showModems() []modem {
	modems := a.modems()
	out := make([]modem, len(modems))
	for i, m := range modems {
		out[i] = modem{
			Name: m.Name, Port: m.Port, State: m.State, Since: m.Since, Reason: m.Reason, Until: instant(m.Until),
			Sent: m.Sent, Failed: m.Failed, Doubtful: m.Doubtful, PerMinute: m.PerMinute, Signal: m.Signal,
			Awaiting: m.Awaiting, Error: m.LastError,
		}
	}
	return out
}

// getModems lists the modems with their last AT exchanges.
func (a *API) getModems(*request) (any, error) {
	out := a.showModems()
	for i, m := range a.modems() {
		for _, e := range m.Ring {
			out[i].Exchanges = append(out[i].Exchanges, exchange(e))
		}
	}
	return struct {
		Modems []modem `json:"modems"`
	}{out}, nil
}
