package api

import (
	"fmt"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"dmgate/gateway/fleet"
	"dmgate/storage"
)

// How many devices one order may name, and how many are ordered at a time: commits that run together share their cost.
const (
	maxBatch     = 10_000
	batchWorkers = 64
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
	if len(in.Devices) == 0 || len(in.Devices) > maxBatch {
		return nil, &fleet.FieldError{Field: "devices", Reason: fmt.Sprintf("%d devices, want 1 to %d", len(in.Devices), maxBatch)}
	}
	if err := checkKey(in.Key); err != nil {
		return nil, err
	}
	out := Bootstraps{Batch: fleet.NewName(), Orders: make([]Bootstrap, len(in.Devices))}
	if in.Key != "" {
		out.Batch = fleet.KeyedName("bootstrap", in.Key)
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(len(in.Devices), batchWorkers) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(in.Devices)); i = next.Add(1) - 1 {
				out.Orders[i] = a.createBootstrap(&in, out.Batch, in.Devices[i])
			}
		})
	}
	workers.Wait()
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
		p, known := problemOf(err)
		if !known {
			a.log.Error("bootstrap not ordered", zap.String("device", string(id)), zap.Error(err))
		}
		return Bootstrap{Device: id, Error: p}
	}
	return Bootstrap{Device: id, Order: placed.Order, Repeated: repeated, PIN: placed.PIN}
}
