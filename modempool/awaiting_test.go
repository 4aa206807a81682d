package modempool

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"dmgate/codec/push"
	"dmgate/storage"
)

func TestSameNumber(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{"+491711234567", "+491711234567", true},
		{"+491711234567", "491711234567", true},
		{"+491711234567", "01711234567", true},
		{"+491711234567", "00491711234567", true},
		{"+491711234567", "+491711234568", false},
		{"+491711234567", "+481711234567", false},
		{"22333", "22333", true},
		{"22333", "+4922333", false}, // too short to be the end of another
	}
	for _, test := range tests {
		if sameNumber(test.a, test.b) != test.same || sameNumber(test.b, test.a) != test.same {
			t.Errorf("%s and %s: want %v", test.a, test.b, test.same)
		}
		if test.same && tail(test.a) != tail(test.b) {
			t.Errorf("%s and %s have tails %s and %s", test.a, test.b, tail(test.a), tail(test.b))
		}
	}
}

func sentJob(id uint64, number string, refs ...uint8) *storage.PushJob {
	job := &storage.PushJob{ID: id, MSISDN: number, State: storage.PushSent}
	for _, mr := range refs {
		job.Segments = append(job.Segments, storage.Segment{Sent: true, Reference: mr})
	}
	return job
}

// References wrap and numbers repeat; only both together name a segment, and the newer one where both do.
func TestAwaitingMatch(t *testing.T) {
	a := newAwaiting()
	until := time.Now().Add(time.Hour)
	expect := func(job *storage.PushJob) *sentPush {
		p := a.add(job, until)
		for i := range job.Segments {
			a.expect(p, i)
		}
		return p
	}
	one := expect(sentJob(1, "+491711111111", 255, 0))
	two := expect(sentJob(2, "+491712222222", 255, 0))
	again := expect(sentJob(3, "+491711111111", 0, 1))
	doubt := &storage.PushJob{ID: 4, MSISDN: "+491714444444", Segments: make([]storage.Segment, 1)}
	in := expect(doubt)

	match := func(mr uint8, number string) string {
		w, ok := a.match(&push.StatusReport{Reference: mr, Recipient: number})
		if !ok {
			return "none"
		}
		return fmt.Sprintf("%d.%d", w.p.job.ID, w.segment)
	}
	for _, test := range []struct {
		mr     uint8
		number string
		want   string
	}{
		{255, "+491711111111", "1.0"},
		{255, "01712222222", "2.0"},
		{0, "+491711111111", "3.0"},
		{1, "+491711111111", "3.1"},
		{2, "+491711111111", "none"},
		{0, "+491713333333", "none"},
		{0, "+481711111111", "none"},
		{77, "+491714444444", "4.0"},
	} {
		if got := match(test.mr, test.number); got != test.want {
			t.Errorf("%d %s: %s, want %s", test.mr, test.number, got, test.want)
		}
	}
	a.reported(awaited{one, 0})
	if got := match(255, "+491711111111"); got != "none" {
		t.Errorf("a second report belongs to %s", got)
	}
	a.remove(one) // must not take what is now of another
	if got := match(0, "+491711111111"); got != "3.0" {
		t.Errorf("after removal: %s", got)
	}
	for _, p := range []*sentPush{two, again, in} {
		a.remove(p)
	}
	if len(a.known)+len(a.unknown)+len(a.pushes) != 0 {
		t.Errorf("left: %v %v %v", a.known, a.unknown, a.pushes)
	}
}

// A report that is repeated, as networks do, does not clear the doubt about another segment.
func TestRepeatedReportAndDoubt(t *testing.T) {
	const number = "+491711111111"
	a := newAwaiting()
	job := sentJob(2, number, 5, 6)
	job.Segments = append(job.Segments, storage.Segment{})
	p := a.add(job, time.Now().Add(time.Hour))
	for i := range job.Segments {
		a.expect(p, i)
	}
	earlier := a.add(sentJob(1, number, 4), time.Now().Add(time.Hour))
	a.expect(earlier, 0)
	match := func(mr uint8) (awaited, bool) { return a.match(&push.StatusReport{Reference: mr, Recipient: number}) }
	for _, mr := range []uint8{4, 5, 6} {
		w, ok := match(mr)
		if !ok {
			t.Fatalf("report %d belongs to nothing", mr)
		}
		a.reported(w)
		if w, ok := match(mr); ok {
			t.Errorf("report %d, repeated, belongs to %d.%d", mr, w.p.job.ID, w.segment)
		}
	}
	a.recent = [recentReports]reportKey{} // as after a restart
	if w, ok := match(6); ok {
		t.Errorf("a segment's report belongs to %d.%d", w.p.job.ID, w.segment)
	}
	if w, ok := match(7); !ok || w.p != p || w.segment != 2 {
		t.Error("the report of the segment in doubt does not count")
	}
}

// What is no longer waited for takes no room, whichever way it went.
func TestAwaitingExpires(t *testing.T) {
	a := newAwaiting()
	now := time.Now()
	for i := range 10_000 {
		p := a.add(sentJob(uint64(i), fmt.Sprintf("+49171%07d", i), uint8(i)), now.Add(time.Duration(i)*time.Second))
		a.expect(p, 0)
		if i%2 == 0 && i > 100 {
			a.remove(p)
		}
	}
	a.expire(now.Add(5000 * time.Second))
	if n := len(a.pushes); n != 2500 { // the odd ones from 5001 on
		t.Errorf("%d left", n)
	}
	a.expire(now.Add(time.Hour * 10))
	if len(a.known)+len(a.pushes)+len(a.order) != 0 {
		t.Errorf("left: %d %d %d", len(a.known), len(a.pushes), len(a.order))
	}
}

// The classes of the codes the fact sheet names, section 7.2.
func TestClasses(t *testing.T) {
	for class, codes := range map[Class][]int{
		RetrySoon:  {41, 42, 47, 192, 194, 208, 314, 332, 512, 513, 514, 515, 500, 9999},
		RetryLater: {22, 27, 38, 331},
		ModemFault: {300, 310, 311, 312, 313, 315, 316, 330, 193, 50},
		Never:      {1, 8, 10, 21, 28, 30, 195, 196, 197, 198, 199, 304, 305},
	} {
		for _, code := range codes {
			if got := Classify(fmt.Errorf("wrapped: %w", CMSError(code))); got != class {
				t.Errorf("%v is %v, want %v", CMSError(code), got, class)
			}
		}
	}
	// The same numbers of the other table mean other things.
	if Classify(CMEError(10)) != ModemFault || Classify(CMEError(30)) != RetryLater ||
		Classify(CMEError(14)) != RetrySoon {
		t.Error("CME and CMS tables are mixed up")
	}
	if Classify(ErrRefused) != RetrySoon || Classify(&TimeoutError{}) != RetrySoon {
		t.Error("without a code it is worth a retry")
	}
}

// References of one number never repeat within 256 pushes, however many numbers there are in between.
func TestReferences(t *testing.T) {
	var r references
	var got []uint8
	for range 256 {
		got = append(got, r.next("+491711111111"))
		for i := range 200 {
			r.next(fmt.Sprint(i))
		}
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != 256 {
		t.Errorf("repeated: %v", got)
	}
	for i := range 5 * referenceGeneration {
		r.next(fmt.Sprint(i))
	}
	if n := len(r.now) + len(r.old); n > 2*referenceGeneration {
		t.Errorf("%d remembered", n)
	}
}
