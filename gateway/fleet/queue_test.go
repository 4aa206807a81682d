package fleet

import (
	"time"

	"dmgate/storage"
)

// allDue are the pushes that are due, flow after flow.
func (f *Fleet) allDue(now time.Time, limit int) (list []storage.PushJob, err error) {
	flows, err := f.Flows(now, storage.Flow{}, 1000)
	for _, flow := range flows {
		due, err := f.Due(flow, now, limit-len(list))
		if err != nil {
			return nil, err
		}
		list = append(list, due...)
	}
	return list, err
}
