package fleet

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"dmgate/storage"
)

// school is a fleet that learns from devices whose lives the test writes down.
type school struct {
	*rig
	devices int
}

func newSchool(t *testing.T) *school { return &school{rig: newRig(t)} }

// learn reads the feed to its end.
func (s *school) learn() {
	s.t.Helper()
	if err := learnAll(s.Fleet); err != nil {
		s.t.Fatal(err)
	}
}

func learnAll(f *Fleet) error {
	l := &learner{Fleet: f}
	err := l.load()
	for worked := true; err == nil && worked; {
		worked, err = l.round()
	}
	return err
}

// pupil is a device that was bootstrapped, with the TAC 35824201.
func (s *school) pupil(sec string) *storage.Device {
	s.t.Helper()
	s.devices++
	s.now = s.now.Add(time.Minute)
	d, err := s.Register(NewDevice{
		MSISDN: fmt.Sprintf("+99900%05d", s.devices), IMSI: "262011234567890",
		DevID: fmt.Sprintf("IMEI:35824201%07d", s.devices),
	})
	if err == nil {
		_, err = s.Bootstrap(Bootstrap{Device: d.ID, Sec: sec})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return s.device(d.ID)
}

// enters has a device enter a state.
func (s *school) enters(d *storage.Device, to storage.State) {
	s.t.Helper()
	s.commit(d, func(d *storage.Device) { d.Enter(to, s.now, "", storage.Wait{}) }, nil)
}

func (s *school) commit(d *storage.Device, edit func(*storage.Device), feed []storage.FeedEntry, nodes ...storage.Node) {
	s.t.Helper()
	s.now = s.now.Add(time.Second)
	c := &storage.Commit{Device: d.ID, Time: s.now, Nodes: nodes, Feed: feed, Edit: func(d *storage.Device) error {
		edit(d)
		return nil
	}}
	for i := range c.Nodes {
		c.Nodes[i].Device, c.Nodes[i].Time = d.ID, s.now
	}
	if err := s.store.Commit(c); err != nil {
		s.t.Fatal(err)
	}
}

var e71 = map[string]string{"Man": "Nokia", "Mod": "E71", "FwV": "100.07.76"}

// walked is the end of a device's walk through its tree. model is the key of the model that it has confirmed, if any.
func (s *school) walked(d *storage.Device, facts map[string]string, model string, nodes ...storage.Node) {
	s.t.Helper()
	begun := s.now
	s.commit(d, func(d *storage.Device) {
		d.Facts = maps.Clone(facts)
		d.Walk = storage.Walk{Begun: begun, Ended: s.now, Model: model, Why: "the first session"}
		d.Enter(storage.Discovered, s.now, "", storage.Wait{})
	}, []storage.FeedEntry{{Kind: "capabilities"}}, nodes...)
}

// tried is what came of a recipe on a device.
func (s *school) tried(d *storage.Device, recipe, what, why string) {
	s.t.Helper()
	s.commit(d, func(*storage.Device) {}, []storage.FeedEntry{outcomeOf("job", recipe, what, why)})
}

// counted is what was counted of a model, in words.
func counted(f *Fleet, key string) string {
	v, err := f.Model(key)
	if err != nil {
		return err.Error()
	}
	return tellModel(v)
}

func tellModel(v *ModelView) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seen %d", v.Seen)
	for _, l := range v.Model.Learnt {
		for _, o := range l.Outcomes {
			fmt.Fprintf(&b, ", %s %d/%d/%d/%d", o.Recipe, o.Worked, o.Failed, o.Refused, o.Ours)
			for _, r := range o.Reasons {
				fmt.Fprintf(&b, " %s*%d", r.Text, r.Count)
			}
		}
		for _, v := range l.Variants {
			fmt.Fprintf(&b, ", %s %d/%d/%d", variant{v.Sec, v.Form}, v.Accepted, v.Unanswered, v.Unreachable)
		}
	}
	for _, m := range v.Model.Models {
		fmt.Fprintf(&b, ", is %s", m.Key)
	}
	if r := &v.Model.Reference; !r.Time.IsZero() {
		fmt.Fprintf(&b, ", %d nodes %d/%d", len(r.Nodes), r.Confirmed, r.Denied)
	}
	return b.String()
}

const (
	e71Key = "Nokia|E71|100.07.76"
	tacKey = "tac:35824201"
)

func TestLearnsFromBootstraps(t *testing.T) {
	s := newSchool(t)
	d := s.pupil("userpin")
	s.enters(d, storage.Sent)
	s.enters(d, storage.Connected)
	s.walked(d, e71, "")
	late := s.pupil("netwpin")
	s.enters(late, storage.Sent)
	s.enters(late, storage.Unanswered)
	gone := s.pupil("userpin")
	s.enters(gone, storage.Unreachable)
	s.learn()
	if got, want := counted(s.Fleet, tacKey), "seen 1, userpin 1/0/1, netwpin 0/1/0, is "+e71Key; got != want {
		t.Errorf("TAC: %s, want %s", got, want)
	}
	if got, want := counted(s.Fleet, e71Key), "seen 1, userpin 1/0/0, 0 nodes 0/0"; got != want {
		t.Errorf("model: %s, want %s", got, want)
	}

	s.enters(late, storage.Connected) // after all
	s.walked(late, e71, e71Key)
	s.learn()
	if got, want := counted(s.Fleet, tacKey), "seen 2, userpin 1/0/1, netwpin 1/0/0, is "+e71Key; got != want {
		t.Errorf("TAC after a session that came late: %s, want %s", got, want)
	}
	if got, want := counted(s.Fleet, e71Key), "seen 2, userpin 1/0/0, netwpin 1/0/0, 0 nodes 1/0"; got != want {
		t.Errorf("model after a session that came late: %s, want %s", got, want)
	}
}

// A device that is looked at anew is none that was not seen before, and its bootstrap was accepted once.
func TestLearnsADeviceOnce(t *testing.T) {
	s := newSchool(t)
	d := s.pupil("userpin")
	s.enters(d, storage.Sent)
	s.enters(d, storage.Connected)
	s.walked(d, e71, "")
	s.enters(d, storage.Connected)
	s.commit(d, func(d *storage.Device) { d.Enter(storage.Discovered, s.now, "", storage.Wait{}) },
		[]storage.FeedEntry{{Kind: "capabilities", Order: "discover"}})
	s.learn()
	if got, want := counted(s.Fleet, e71Key), "seen 1, userpin 1/0/0, 0 nodes 0/0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	newer := maps.Clone(e71)
	newer["FwV"] = "200.21.118"
	s.walked(d, newer, "")
	s.learn()
	if got, want := counted(s.Fleet, "Nokia|E71|200.21.118"), "seen 1, 0 nodes 0/0"; got != want {
		t.Errorf("with other firmware: %s, want %s", got, want)
	}
}

func TestLearnsOutcomes(t *testing.T) {
	s := newSchool(t)
	d := s.pupil("userpin")
	s.walked(d, e71, "")
	s.tried(d, "scomo", outcomeFailed, "405 on ./SCOMO")
	s.tried(d, "scomo", outcomeFailed, "405 on ./SCOMO")
	s.tried(d, "scomo", outcomeRefused, "the user said no")
	s.tried(d, "scomo", outcomeOurs, "the file was gone")
	s.tried(d, "scm", outcomeWorked, "")
	s.learn()
	const want = "seen 1, scomo 0/2/1/1 405 on ./SCOMO*2, scm 1/0/0/0, userpin 1/0/0, 0 nodes 0/0"
	if got := counted(s.Fleet, e71Key); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if why, barred := s.modelOf(s.device(d.ID)).Barred("scomo"); barred {
		t.Errorf("barred after two failures: %s", why)
	}
	s.tried(d, "scomo", outcomeFailed, "500\x00 on ./SCOMO")
	s.learn()
	why, barred := s.modelOf(s.device(d.ID)).Barred("scomo")
	if want := "failed on 3 of 3 devices of model " + e71Key + ", mostly: 405 on ./SCOMO"; !barred || why != want {
		t.Errorf("barred %v: %q, want %q", barred, why, want)
	}
	if err := s.ResetModel(e71Key, "scomo"); err != nil {
		t.Fatal(err)
	}
	if why, barred := s.modelOf(s.device(d.ID)).Barred("scomo"); barred {
		t.Errorf("barred after it was reset: %s", why)
	}
	s.learn()
	if got, want := counted(s.Fleet, e71Key), "seen 1, scm 1/0/0/0, userpin 1/0/0, 0 nodes 0/0"; got != want {
		t.Errorf("reset: %s, want %s", got, want)
	}
	if err := s.ResetModel("Nokia|N1|", ""); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a model that is not known is reset: %v", err)
	}
}

// The first device gives the reference. Where more devices deny it than confirm it, the next one of them takes its
// place.
func TestReferenceIsConfirmedOrReplaced(t *testing.T) {
	s := newSchool(t)
	has := func(name string) []storage.Node {
		return []storage.Node{
			{URI: ".", Code: 200, Format: "node", Children: []string{name}}, {URI: "./" + name, Code: 200, Format: "node"},
		}
	}
	s.walked(s.pupil("userpin"), e71, "", has("SCOMO")...)
	for _, step := range []struct {
		confirms bool
		want     string
	}{
		{true, "./SCOMO 1/0"}, {false, "./SCOMO 1/1"}, {false, "./SCM 0/0"}, {false, "./SCM 1/0"}, {true, "./SCM 2/0"},
	} {
		model := ""
		if step.confirms {
			model = e71Key
		}
		s.learn()
		s.walked(s.pupil("userpin"), e71, model, has("SCM")...)
		s.learn()
		m, err := s.readModel(e71Key)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%s %d/%d", m.Reference.Nodes[1].URI, m.Reference.Confirmed, m.Reference.Denied)
		if len(m.Reference.Nodes) != 2 || got != step.want {
			t.Fatalf("%d nodes, %s, want %s", len(m.Reference.Nodes), got, step.want)
		}
	}
}

// Where upstream leaves it open, a bootstrap is signed as devices of its TAC have taken it.
func TestBootstrapIsSignedAsItsKindTakesIt(t *testing.T) {
	s := newSchool(t)
	sec := func(b Bootstrap) string {
		t.Helper()
		d := s.pupil("netwpin")
		b.Device = d.ID
		s.enters(d, storage.Failed)
		if _, err := s.Bootstrap(b); err != nil {
			t.Fatal(err)
		}
		return s.order(s.device(d.ID)).Variant
	}
	if got := sec(Bootstrap{APN: "internet"}); got != "userpin+apn" {
		t.Errorf("nothing learnt: %s", got)
	}
	for range 3 {
		d := s.pupil("userpin")
		s.enters(d, storage.Sent)
		s.enters(d, storage.Unanswered)
	}
	s.learn()
	if got := sec(Bootstrap{}); got != "userpin" {
		t.Errorf("nothing is known to be better: %s", got)
	}
	d := s.pupil("netwpin")
	s.enters(d, storage.Sent)
	s.enters(d, storage.Connected)
	s.learn()
	for want, b := range map[string]Bootstrap{
		"netwpin": {}, "userpin": {PIN: "1234"}, "usernetwpin": {Sec: "usernetwpin"}, "netwpin+apn": {APN: "internet"},
	} {
		if got := sec(b); got != want {
			t.Errorf("%+v: signed by %s, want %s", b, got, want)
		}
	}

	again := s.pupil("userpin")
	s.enters(again, storage.Failed)
	var told []string
	for range 2 {
		placed, repeated, err := s.BootstrapOnce("key", Bootstrap{Device: again.ID})
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, fmt.Sprintf("%q %v", placed.PIN, repeated))
	}
	if want := []string{`"" false`, `"" true`}; !slices.Equal(told, want) {
		t.Errorf("a request that comes twice is told %v, want %v: the network's PIN is the key", told, want)
	}
}

// There are no more models than are kept, and those that there are go on to be learnt of.
func TestModelsAreBounded(t *testing.T) {
	s := newSchool(t)
	s.opt.Models = 2
	for _, mod := range []string{"A", "B", "C", "A"} {
		s.walked(s.register(fmt.Sprintf("+99911%05d", s.devices)), map[string]string{"Man": "X", "Mod": mod}, "")
		s.devices++
		s.learn()
	}
	list, next, err := s.Models("", "", 10)
	if err != nil || next != "" || len(list) != 2 || list[0].Seen != 2 || list[1].Seen != 1 {
		t.Errorf("%d models, next %q: %v", len(list), next, err)
	}
	if err := s.ForgetModel("X|B|"); err != nil {
		t.Fatal(err)
	}
	s.walked(s.register("+999120000"), map[string]string{"Man": "X", "Mod": "C"}, "")
	s.learn()
	if got := counted(s.Fleet, "X|C|"); got != "seen 1, 0 nodes 0/0" {
		t.Errorf("a place was made: %s", got)
	}
}
