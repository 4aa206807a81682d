package fleet

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"dmgate/storage"
	"dmgate/storage/pebble"
)

// A list that breaks off: what came before is added, and the rest can be added later.
func TestAddTargetsFromABrokenList(t *testing.T) {
	w := newWorld(t)
	c, err := w.CreateCampaign(NewCampaign{What: storage.Action{Kind: kindBootstrap, PIN: "1234"}})
	w.must(err)
	broken := errors.New("connection reset")
	lines := func(from, to int, err error) func(func(Line, error) bool) {
		return func(yield func(Line, error) bool) {
			for i := from; i < to; i++ {
				if !yield(Line{Number: uint64(i + 1), MSISDN: fmt.Sprintf("+%d", 9991000000+i)}, nil) {
					return
				}
			}
			if err != nil {
				yield(Line{}, err)
			}
		}
	}
	added, err := w.AddTargets(c.ID, lines(0, 2500, broken))
	if !errors.Is(err, broken) || added.Accepted != 2500 {
		t.Errorf("%d accepted (%v), want 2500 and the error of the list", added.Accepted, err)
	}
	added, err = w.AddTargets(c.ID, lines(0, 3000, nil))
	if err != nil || added.Accepted != 500 || added.Repeated != 2500 {
		t.Errorf("%d accepted and %d repeated (%v), want 500 and 2500", added.Accepted, added.Repeated, err)
	}
	w.check(c.ID)
	if n := w.campaign(c.ID).Last; n != 3000 {
		t.Errorf("the last target has number %d, want 3000", n)
	}
}

// Of a million bad lines only the first are told; all are counted and kept.
func TestAddTargetsBadLines(t *testing.T) {
	w := newWorld(t)
	c, err := w.CreateCampaign(NewCampaign{What: storage.Action{Kind: kindBootstrap, PIN: "1234"}})
	w.must(err)
	long := errors.New("field 2: " + strings.Repeat("ü", 500))
	added, err := w.AddTargets(c.ID, func(yield func(Line, error) bool) {
		for i := range uint64(maxProblems + 1500) {
			if !yield(Line{Number: i + 1, Err: long, PIN: "4321"}, nil) {
				return
			}
		}
	})
	if err != nil || added.Refused != maxProblems+1500 || len(added.Problems) != maxProblems {
		t.Errorf("%d refused, %d told of (%v)", added.Refused, len(added.Problems), err)
	}
	last, err := w.store.Target(c.ID, maxProblems+1500)
	if err != nil || last.State != storage.TargetRefused || last.Line != maxProblems+1500 || last.PIN != "" || len(last.Reason) > maxReason {
		t.Errorf("the last one: %+v, %v", last, err)
	}
}

// Devices named by their ID, as upstream has them.
func TestAddTargetsByDevice(t *testing.T) {
	w := newWorld(t)
	dev, err := w.Register(NewDevice{MSISDN: "+9991000001", IMSI: "262010000000001", DevID: "IMEI:1"})
	w.must(err)
	c, err := w.CreateCampaign(NewCampaign{What: storage.Action{Kind: kindBootstrap, Sec: "netwpin"}})
	w.must(err)
	added, err := w.AddTargets(c.ID, func(yield func(Line, error) bool) {
		_ = yield(Line{Number: 1, Device: dev.ID}, nil) &&
			yield(Line{Number: 2, Device: "nobody"}, nil) &&
			yield(Line{Number: 3, Device: dev.ID, MSISDN: "+9991000002"}, nil) &&
			yield(Line{Number: 4, MSISDN: dev.MSISDN}, nil)
	})
	w.must(err)
	want := []Problem{{2, `device: "nobody" is not known`}, {3, "msisdn: it is not that of the device"}}
	if added.Accepted != 1 || added.Repeated != 1 || fmt.Sprint(added.Problems) != fmt.Sprint(want) {
		t.Errorf("%+v, want one accepted, one repeated and %v", added, want)
	}
	got, err := w.store.Target(c.ID, 1)
	if err != nil || got.MSISDN != dev.MSISDN || got.IMSI != dev.IMSI || got.DevID != dev.DevID || got.Device != dev.ID {
		t.Errorf("target %+v, %v", got, err)
	}
}

// What a line costs, on disk and with all that is durable. A million are -benchtime 1000000x.
func BenchmarkAddTargets(b *testing.B) {
	store, err := pebble.Open(b.TempDir(), pebble.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	f := New(Options{Address: "http://gw.test/dm"}, store, func() {})
	c, err := f.CreateCampaign(NewCampaign{What: storage.Action{Kind: kindBootstrap, PIN: "1234"}})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	added, err := f.AddTargets(c.ID, func(yield func(Line, error) bool) {
		for i := range uint64(b.N) {
			if !yield(Line{Number: i + 1, MSISDN: fmt.Sprintf("+%d", 99910000000+i*7919%10_000_000), PIN: "4321"}, nil) {
				return
			}
		}
	})
	if err != nil || added.Accepted != b.N {
		b.Fatalf("%d accepted: %v", added.Accepted, err)
	}
}
