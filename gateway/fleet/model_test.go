package fleet

import (
	"fmt"
	"testing"
	"time"

	"dmgate/storage"
)

// countsOf is a model on which a recipe has worked and failed so often, by gateway.
func countsOf(rules string, counts ...[2]int) *storage.Model {
	m := &storage.Model{Man: "M", Mod: "1", FwV: "2"}
	for i, c := range counts {
		m.Learnt = append(m.Learnt, storage.Learnt{Origin: fmt.Sprint(i), Outcomes: []storage.RecipeOutcome{{
			Recipe: "r", Rules: rules, Worked: c[0], Failed: c[1], Refused: 50, Ours: 50,
			Reasons: []storage.ReasonCount{{Text: fmt.Sprintf("why %d", i), Count: c[1]}},
		}}})
	}
	return m
}

func TestBarred(t *testing.T) {
	for _, c := range []struct {
		own  *storage.Model
		want string
	}{
		{nil, ""},
		{countsOf("v1"), ""},
		{countsOf("v1", [2]int{0, 2}), ""},
		{countsOf("v1", [2]int{0, 3}), "failed on 3 of 3 devices of model M|1|2, mostly: why 0"},
		{countsOf("v1", [2]int{0, 1}, [2]int{0, 2}), "failed on 3 of 3 devices of model M|1|2, mostly: why 1"},
		{countsOf("v1", [2]int{3, 7}), ""},
		{countsOf("v1", [2]int{2, 7}), "failed on 7 of 9 devices of model M|1|2, mostly: why 0"},
		{countsOf("v1", [2]int{0, 3}, [2]int{2, 0}), ""},
		{countsOf("v0", [2]int{0, 99}), ""}, // by another rule
	} {
		m := &model{key: "M|1|2", own: c.own, bar: Bar{Failures: 3, Share: 0.7}, rules: func(string) string { return "v1" }}
		// What has failed on another firmware bars nothing on this one.
		m.kin = []*storage.Model{countsOf("v1", [2]int{0, 99})}
		if got, barred := m.Barred("r"); got != c.want || barred != (c.want != "") {
			t.Errorf("%+v: barred %v, %q, want %q", c.own, barred, got, c.want)
		}
	}
}

// What has worked goes first, what has failed last. What is known of this firmware counts most, then other firmwares
// and other rules, then the families.
func TestRank(t *testing.T) {
	prefers, avoids := &seed{Prefer: []string{"r"}}, &seed{Avoid: []avoided{{Recipe: "r"}}}
	for _, c := range []struct {
		name  string
		own   *storage.Model
		kin   *storage.Model
		seeds []*seed
		want  int
	}{
		{"nothing", nil, nil, nil, 0},
		{"one that worked is no proof", countsOf("v1", [2]int{1, 0}), nil, nil, 0},
		{"two that worked", countsOf("v1", [2]int{2, 0}), nil, nil, -250},
		{"ten", countsOf("v1", [2]int{10, 0}), nil, nil, -500},
		{"a hundred, of two gateways", countsOf("v1", [2]int{40, 0}, [2]int{60, 0}), nil, nil, -750},
		{"two that failed", countsOf("v1", [2]int{0, 2}), nil, nil, 250},
		{"a hundred that failed", countsOf("v1", [2]int{0, 100}), nil, nil, 750},
		{"half of them", countsOf("v1", [2]int{50, 50}), nil, nil, 0},
		{"on another firmware", nil, countsOf("v1", [2]int{100, 0}), nil, -500},
		{"by another rule", countsOf("v0", [2]int{100, 0}), nil, nil, -500},
		{"this firmware tells better", countsOf("v1", [2]int{0, 10}), countsOf("v1", [2]int{100, 0}), nil, 250},
		{"a family", nil, nil, []*seed{prefers}, -250},
		{"a family's last", nil, nil, []*seed{avoids}, 250},
		{"the family was wrong", countsOf("v1", [2]int{0, 5}), nil, []*seed{prefers}, 250},
	} {
		m := &model{own: c.own, seeds: c.seeds, rules: func(string) string { return "v1" }}
		if c.kin != nil {
			m.kin = []*storage.Model{c.kin}
		}
		if got := m.Rank("r"); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
		if got := m.Rank("another"); got != 0 {
			t.Errorf("%s: %d of a recipe that nothing is known of", c.name, got)
		}
	}
}

// A device that has not said yet what it is has the models of its TAC for kin.
func TestModelOfTAC(t *testing.T) {
	s := newSchool(t)
	d := s.pupil("userpin")
	s.walked(d, e71, "", storage.Node{URI: ".", Code: 200, Children: []string{"SCM"}})
	for range 4 {
		s.tried(d, "scm-install", outcomeWorked, "")
		s.tried(d, "scm-delivered", outcomeFailed, "no")
	}
	s.learn()
	m := s.modelOf(s.pupil("userpin"))
	if m.key != "" || m.Rank("scm-install") != -500 {
		t.Errorf("key %q, rank %d", m.key, m.Rank("scm-install"))
	}
	if why, barred := m.Barred("scm-delivered"); barred {
		t.Errorf("barred on a model that is not known: %s", why)
	}
	nodes, tnds := m.reference()
	if len(nodes) != 1 || nodes[0].Children[0] != "SCM" || tnds != "" {
		t.Errorf("reference %+v, %q", nodes, tnds)
	}
	if m := s.modelOf(&storage.Device{DevID: "IMEI:11111111111111"}); m.Rank("scm-install") != 0 || m.referenced() != nil {
		t.Error("something is known of a TAC that was never met")
	}
}

// What another process has learnt is seen after a while.
func TestModelsAreReadAnew(t *testing.T) {
	s := newSchool(t)
	other := New(s.opt, s.store, func() {})
	d := s.pupil("userpin")
	s.walked(d, e71, "")
	s.learn()
	known := func() bool { return s.modelOf(s.device(d.ID)).Rank("scm-install") != 0 }
	if known() {
		t.Fatal("known before it was tried")
	}
	for range 4 {
		s.tried(d, "scm-install", outcomeWorked, "")
	}
	if err := learnAll(other); err != nil {
		t.Fatal(err)
	}
	if s.now = s.now.Add(modelsFresh + time.Second); !known() {
		t.Error("not known after what was read is old")
	}
}
