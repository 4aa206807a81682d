package modempool

import (
	"fmt"
	"time"

	"dmgate/codec/push"
	"dmgate/storage"
)

// settle brings the state of a push that was sent, or may have been, in line with the delivery reports of its segments.
// Where that ends a doubt, the reports that are still to come are waited for until the time given.
func settle(job *storage.PushJob, until time.Time) {
	if job.State != storage.PushSent && job.State != storage.PushDoubtful {
		return
	}
	sent, delivered := 0, 0
	for i, s := range job.Segments {
		if s.Sent {
			sent++
		}
		if !s.Reported {
			continue
		}
		if _, ok := push.StatusFinal(s.Status); !ok {
			job.State, job.Until = storage.PushFailed, time.Time{}
			job.Error = fmt.Sprintf("segment %d of %d: %s", i+1, len(job.Segments), push.StatusText(s.Status))
			return
		}
		delivered++
	}
	switch {
	case len(job.Segments) == 0: // nobody knows into how many it was cut
	case delivered == len(job.Segments):
		job.State, job.Error, job.Until = storage.PushDelivered, "", time.Time{}
	case sent == len(job.Segments) && job.State == storage.PushDoubtful:
		job.State, job.Error, job.Until = storage.PushSent, "", until
	}
}

// segmentOf is the segment of a push that a delivery report is for: the one with its reference, else the first whose
// reference is not known; -1 where there is none. A push of which another segment is known to have had that reference
// takes no report with it for an unknown one.
func segmentOf(job *storage.PushJob, reference uint8) int {
	unknown := -1
	for i := range job.Segments {
		s := &job.Segments[i]
		switch {
		case s.Sent && s.Reference == reference && !s.Reported:
			return i
		case s.Sent && s.Reference == reference:
			return -1
		case job.AwaitsUnknown(s) && unknown < 0:
			unknown = i
		}
	}
	return unknown
}

// known says whether a segment's reference was told.
func known(job *storage.PushJob, segment int) bool { return job.Segments[segment].Sent }

// report notes what the network says of a segment.
func report(job *storage.PushJob, segment int, r *push.StatusReport) {
	s := &job.Segments[segment]
	s.Sent, s.Reference, s.Reported, s.Status = true, r.Reference, true, r.Status
}
