package modempool

import (
	"testing"
	"time"

	"dmgate/codec/push"
	"dmgate/storage"
)

// What reports make of a push: its state, the segment they are for, and how long more of them are waited for.
func TestSettle(t *testing.T) {
	const delivered, failed = 0x00, 0x46
	doubtEnds, reportsEnd := time.Unix(100, 0), time.Unix(200_000, 0)
	sent := func(mr uint8) storage.Segment { return storage.Segment{Sent: true, Reference: mr} }
	type came struct {
		mr, status uint8
	}
	for _, c := range []struct {
		name     string
		state    storage.PushState
		segments []storage.Segment
		reports  []came
		want     storage.PushState
		until    time.Time
	}{
		{"none", storage.PushSent, []storage.Segment{sent(1), sent(2)}, nil, storage.PushSent, doubtEnds},
		{"one of two", storage.PushSent, []storage.Segment{sent(1), sent(2)}, []came{{2, delivered}}, storage.PushSent, doubtEnds},
		{
			"all", storage.PushSent, []storage.Segment{sent(1), sent(2)}, []came{{2, delivered}, {1, delivered}},
			storage.PushDelivered, time.Time{},
		},
		{
			"one that failed", storage.PushSent, []storage.Segment{sent(1), sent(2)}, []came{{1, failed}},
			storage.PushFailed, time.Time{},
		},
		{
			"another number's", storage.PushSent, []storage.Segment{sent(1)}, []came{{9, delivered}}, storage.PushSent, doubtEnds,
		},
		{
			"a known segment does not clear the doubt", storage.PushDoubtful, []storage.Segment{sent(1), {}},
			[]came{{1, delivered}}, storage.PushDoubtful, doubtEnds,
		},
		{
			"the doubt is cleared, and the others' reports have their time", storage.PushDoubtful,
			[]storage.Segment{sent(1), {}}, []came{{2, delivered}}, storage.PushSent, reportsEnd,
		},
		{
			"a doubt about all of it", storage.PushDoubtful, make([]storage.Segment, 2), []came{{7, delivered}, {8, delivered}},
			storage.PushDelivered, time.Time{},
		},
		{
			"a second report of a known one says nothing of the other", storage.PushDoubtful, []storage.Segment{sent(1), {}},
			[]came{{1, delivered}, {1, delivered}}, storage.PushDoubtful, doubtEnds,
		},
	} {
		job := storage.PushJob{State: c.state, Until: doubtEnds, Segments: c.segments}
		for _, r := range c.reports {
			if i := segmentOf(&job, r.mr); i >= 0 {
				report(&job, i, &push.StatusReport{Reference: r.mr, Status: r.status})
				settle(&job, reportsEnd)
			}
		}
		if job.State != c.want || !job.Until.Equal(c.until) {
			t.Errorf("%s: %s until %v, want %s until %v", c.name, job.State, job.Until, c.want, c.until)
		}
	}
}
