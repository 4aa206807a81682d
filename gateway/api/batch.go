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

// batch orders something for each of n devices, in parallel and in no order.
func batch(n int, order func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, batchWorkers) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				order(int(i))
			}
		})
	}
	workers.Wait()
}

// checkBatch checks what every order for many devices has.
func checkBatch(devices []storage.DeviceID, key string) error {
	if len(devices) == 0 || len(devices) > maxBatch {
		return &fleet.FieldError{Field: "devices", Reason: fmt.Sprintf("%d devices, want 1 to %d", len(devices), maxBatch)}
	}
	return checkKey(key)
}

// refusal is why something was not ordered for a device. A fault of ours is logged as what it kept from happening.
func (a *API) refusal(err error, what string, id storage.DeviceID) *problem {
	p, known := problemOf(err)
	if !known {
		a.log.Error(what, zap.String("device", string(id)), zap.Error(err))
	}
	return p
}
