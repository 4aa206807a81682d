package api

import (
	"dmgate/gateway/fleet"
	"dmgate/storage"
)

type NewBootstraps struct {
	// Key makes the request safe to repeat: a device that has an order of the same key gets no other.
	Key      string             `json:"key,omitempty"`
	Devices  []storage.DeviceID `json:"devices"`
	Sec      string             `json:"sec"`
	PIN      string             `json:"pin"`
	APN      string             `json:"apn"`
	Operator string             `json:"operator"` // in place of apn: an entry of the library, or "sim"
	NAP      string             `json:"nap"`      // the only access point of it that is meant
	Priority uint8              `json:"priority"`
	// Install is software to be installed once they are bootstrapped: each gets a job, which begins with its bootstrap. One
	// that is bootstrapped already is not bootstrapped again.
	Install *Install `json:"install,omitempty"`
}

type Bootstraps struct {
	Batch    string      `json:"batch"`
	Ordered  int         `json:"ordered"`
	Repeated int         `json:"repeated,omitempty"` // ordered before, by a request with the same key
	Refused  int         `json:"refused"`
	Orders   []Bootstrap `json:"orders"` // in the order of the request's devices
}

// bootstrap is what became of one device's order. The PIN is told here and nowhere else.
type Bootstrap struct {
	Device   storage.DeviceID `json:"device"`
	Order    string           `json:"order,omitempty"`
	Job      string           `json:"job,omitempty"`      // that installs, and has ordered it
	Repeated bool             `json:"repeated,omitempty"` // it was placed before
	PIN      string           `json:"pin,omitempty"`
	Error    *problem         `json:"error,omitempty"`
}

// createBootstraps orders a bootstrap for each device. One that can not be ordered does not sink the rest.
func (a *API) createBootstraps(r *request) (any, error) {
	var in NewBootstraps
	if err := r.read(&in); err != nil {
		return nil, err
	}
	if err := checkBatch(in.Devices, in.Key); err != nil {
		return nil, err
	}
	out := Bootstraps{Batch: fleet.NewName(), Orders: make([]Bootstrap, len(in.Devices))}
	if in.Key != "" {
		out.Batch = fleet.KeyedName("bootstrap", in.Key)
	}
	batch(len(in.Devices), func(i int) { out.Orders[i] = a.createBootstrap(&in, out.Batch, in.Devices[i]) })
	for i := range out.Orders {
		switch {
		case out.Orders[i].Error != nil:
			out.Refused++
		case out.Orders[i].Repeated:
			out.Repeated++
		default:
			out.Ordered++
		}
	}
	return out, nil
}

func (a *API) createBootstrap(in *NewBootstraps, batch string, id storage.DeviceID) Bootstrap {
	if in.Install != nil {
		return a.bootstrapAndInstall(in, batch, id)
	}
	b := fleet.Bootstrap{Device: id, Batch: batch, Sec: in.Sec, PIN: in.PIN, APN: in.APN, Priority: in.Priority}
	if in.Operator != "" || in.NAP != "" {
		b.AccessPoint = &fleet.AccessPoint{Operator: in.Operator, NAP: in.NAP}
	}
	var placed *fleet.Ordered
	var repeated bool
	var err error
	if in.Key == "" {
		placed, err = a.fleet.Bootstrap(b)
	} else {
		placed, repeated, err = a.fleet.BootstrapOnce(in.Key, b)
	}
	if err != nil {
		return Bootstrap{Device: id, Error: a.refusal(err, "bootstrap not ordered", id)}
	}
	return Bootstrap{Device: id, Order: placed.Order, Repeated: repeated, PIN: placed.PIN}
}

// bootstrapAndInstall places the job of a device that begins with its bootstrap.
func (a *API) bootstrapAndInstall(in *NewBootstraps, batch string, id storage.DeviceID) Bootstrap {
	i := in.Install
	order := NewJobs{
		Key: in.Key, Kind: "install",
		JobSpec: JobSpec{
			Package: i.Package, Version: i.Version, Values: i.Values, Recipe: i.Recipe, Fallback: i.Fallback, NoDM: i.NoDM,
			Silent: i.Silent, Priority: in.Priority,
			Bootstrap: &JobBootstrap{Sec: in.Sec, PIN: in.PIN, APN: in.APN, Operator: in.Operator},
		},
	}
	placed := a.placeJob(&order, batch, id)
	return Bootstrap{
		Device: id, Order: placed.Bootstrap, Job: placed.Job, Repeated: placed.Repeated || placed.Same, PIN: placed.PIN,
		Error: placed.Error,
	}
}
