package api

import "dmgate/modempool"

// Limits are the limits that hold.
type Limits struct {
	From   string           `json:"from"` // "file": as configured; "set": by this API
	Limits modempool.Limits `json:"limits"`
}

func (a *API) getLimits(*request) (any, error) {
	l, set := a.bank.Limits(), a.bank.LimitsSet()
	out := Limits{From: "file", Limits: l}
	if set {
		out.From = "set"
	}
	if out.Limits.Destinations == nil {
		out.Limits.Destinations = []modempool.Destination{}
	}
	return out, nil
}

// putLimits replaces all limits. A field that is not there is no limit.
func (a *API) putLimits(r *request) (any, error) {
	var l modempool.Limits
	if err := r.read(&l); err != nil {
		return nil, err
	}
	if err := a.bank.SetLimits(l); err != nil {
		return nil, err
	}
	return a.getLimits(r)
}

// deleteLimits goes back to those of the configuration.
func (a *API) deleteLimits(r *request) (any, error) {
	if err := a.bank.UnsetLimits(); err != nil {
		return nil, err
	}
	return a.getLimits(r)
}
