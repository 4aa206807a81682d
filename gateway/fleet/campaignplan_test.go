package fleet

import (
	"testing"
	"time"

	"dmgate/codec/push"
	"dmgate/storage"
)

// What a plan reckons with is what is sent.
func TestPlanOfOnePush(t *testing.T) {
	for _, c := range []struct {
		name string
		what storage.Action
	}{
		{"by PIN", storage.Action{Kind: kindBootstrap, PIN: "1234"}},
		{"by IMSI, with an access point", storage.Action{Kind: kindBootstrap, Sec: "netwpin", APN: "internet.example.com"}},
		{"notify", storage.Action{Kind: kindNotify}},
		{"task", storage.Action{Kind: kindTask, Commands: []storage.Command{{Kind: "Get", URI: "./X"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			dev, err := w.Register(NewDevice{MSISDN: "+9991000001", IMSI: "262010000000001"})
			w.must(err)
			if c.what.Kind != kindBootstrap {
				w.must(w.store.Commit(&storage.Commit{Device: dev.ID, Time: w.now, Edit: func(d *storage.Device) error {
					d.Enter(storage.Discovered, w.now, "", storage.Wait{})
					return nil
				}}))
			}
			campaign, err := w.CreateCampaign(NewCampaign{What: c.what})
			w.must(err)
			w.fillUp(campaign.ID, 1, 9991000001)
			head := w.store.Head()
			plan, err := w.PlanCampaign(campaign.ID)
			w.must(err)
			if w.store.Head() != head {
				t.Error("the plan has left something in the feed")
			}
			w.must(w.StartCampaign(campaign.ID))
			w.work()
			jobs, err := w.store.Pushes(dev.ID)
			if err != nil || len(jobs) != 1 {
				t.Fatalf("%d pushes: %v", len(jobs), err)
			}
			pdu, err := w.PDU(&jobs[0])
			w.must(err)
			segments, err := push.Split(pdu, push.Ports{Dst: push.PortPush, Src: push.PortWSP}, 1)
			if err != nil || plan.PushOf != len(segments) || plan.Segments != len(segments) {
				t.Errorf("planned %d segments of %d each, sent are %d: %v", plan.Segments, plan.PushOf, len(segments), err)
			}
		})
	}
}

// The end is that of the narrowest: the campaign's rate, as it grows and where a window is open, or the modems.
func TestPlanOfTime(t *testing.T) {
	for _, c := range []struct {
		name       string
		targets    int
		how        storage.Pacing
		throughput float64 // segments a minute
		begin, end string
		late       int
	}{
		{"nothing holds it back", 1000, storage.Pacing{}, 0, "00:00", "00:00", 0},
		{"the modems", 1000, storage.Pacing{}, 50, "00:00", "01:00", 0},
		{"the rate", 1000, storage.Pacing{Rate: 500}, 50, "00:00", "02:00", 0},
		{"the rate as it grows, then the modems", 1000, storage.Pacing{Rate: 100, Growth: 10}, 50, "00:00", "01:42", 0},
		{"windows", 1000, storage.Pacing{Rate: 100, Windows: []storage.Window{{From: "08:00", To: "13:00", Zone: "UTC"}}}, 0,
			"08:00", "+1 13:00", 0},
		{"the deadline", 1000, storage.Pacing{Rate: 100, Deadline: epoch.Add(4 * time.Hour)}, 0, "00:00", "04:00", 600},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Plan{Targets: c.targets, PushOf: 3, Throughput: c.throughput}
			p.lookAhead(&storage.Campaign{How: c.how}, epoch)
			end := p.End.Format("15:04")
			if p.End.Day() > 1 {
				end = "+1 " + end
			}
			if got := p.Begin.Format("15:04"); got != c.begin || end != c.end || p.Late != c.late {
				t.Errorf("from %s to %s, %d too late, want %s to %s and %d", got, end, p.Late, c.begin, c.end, c.late)
			}
		})
	}
	p := Plan{Targets: 1 << 40, PushOf: 3}
	if p.lookAhead(&storage.Campaign{How: storage.Pacing{Rate: 1}}, epoch); !p.End.IsZero() {
		t.Errorf("the end of what never ends is %v", p.End)
	}
}
