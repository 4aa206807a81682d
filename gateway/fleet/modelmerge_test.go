package fleet

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dmgate/storage"
)

// aModel draws a record of one model, as some gateway may have it: few values, so that two of them often agree in part.
func aModel(t *rapid.T, name string) *storage.Model {
	at := func(what string) time.Time {
		return epoch.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, name+what)) * time.Hour)
	}
	m := &storage.Model{TAC: "35824201", Created: at(" created"), Changed: at(" changed")}
	for i := range rapid.IntRange(0, maxOrigins+2).Draw(t, name+" origins") {
		l := storage.Learnt{Origin: fmt.Sprint("o", i), Changed: at(" counted"), Seen: rapid.IntRange(0, 2).Draw(t, name+" seen")}
		countOutcome(&l, "r", "v", outcomeFailed, rapid.SampledFrom([]string{"a", "b"}).Draw(t, name+" reason"), l.Changed)
		m.Learnt = append(m.Learnt, l)
	}
	for i := range rapid.IntRange(0, maxTACModels+2).Draw(t, name+" met") {
		addModel(m, storage.ModelMet{Key: fmt.Sprint("k", i), Last: at(" last")})
	}
	if rapid.Bool().Draw(t, name+" has a reference") {
		m.Reference = storage.ModelReference{
			Time: at(" reference"), Facts: map[string]string{"Man": rapid.SampledFrom([]string{"x", "y"}).Draw(t, name+" Man")},
			Nodes: []storage.ModelNode{{URI: "./A", Code: rapid.SampledFrom([]int{200, 404}).Draw(t, name+" code")}},
		}
	}
	boundOrigins(m, "o0")
	return m
}

// merged is what comes of records that are merged one after the other.
func merged(models ...*storage.Model) string {
	m := &storage.Model{TAC: "35824201"}
	for _, src := range models {
		mergeModels(m, src, "o0")
	}
	return string(canonical(m))
}

// The same file once more changes nothing, and it makes no difference which file comes first.
func TestMergeRapid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := aModel(t, "a"), aModel(t, "b"), aModel(t, "c")
		if merged(a) != string(canonical(a)) {
			t.Fatal("alone it is another one")
		}
		abc := merged(a, b, c)
		for what, other := range map[string]string{
			"the other way round": merged(c, b, a), "in another order": merged(b, a, c), "twice": merged(a, b, c, b, a),
		} {
			if other != abc {
				t.Fatalf("%s it is another one", what)
			}
		}
		whole := &storage.Model{TAC: "35824201"}
		mergeModels(whole, a, "o0")
		mergeModels(whole, b, "o0")
		if merged(c, whole) != abc {
			t.Fatal("by way of another gateway it is another one")
		}
	})
}

// What does not agree is told.
func TestMergeConflicts(t *testing.T) {
	reference := func(hour int, uri string) *storage.Model {
		return &storage.Model{Reference: storage.ModelReference{
			Time: epoch.Add(time.Duration(hour) * time.Hour), Nodes: []storage.ModelNode{{URI: uri}},
		}}
	}
	many := func(from, to int) *storage.Model {
		m := &storage.Model{}
		for i := from; i < to; i++ {
			m.Learnt = append(m.Learnt, storage.Learnt{Origin: fmt.Sprint("o", i), Changed: epoch.Add(time.Duration(i))})
		}
		return m
	}
	for _, c := range []struct {
		dst, src *storage.Model
		want     string
	}{
		{reference(1, "./A"), reference(1, "./A"), "[]"},
		{reference(1, "./A"), &storage.Model{}, "[]"},
		{&storage.Model{}, reference(1, "./A"), "[]"},
		{
			reference(1, "./A"), reference(2, "./B"),
			"[references of 2026-01-01T01:00:00Z and 2026-01-01T02:00:00Z differ: that of 2026-01-01T02:00:00Z is kept]",
		},
		{
			reference(2, "./A"), reference(1, "./B"),
			"[references of 2026-01-01T02:00:00Z and 2026-01-01T01:00:00Z differ: that of 2026-01-01T02:00:00Z is kept]",
		},
		{many(0, 5), many(3, 9), "[]"}, // the own ones and eight others
		{many(0, 9), many(9, 12), "[counts of 3 gateways are left out: 8 others are kept]"},
	} {
		if got := fmt.Sprint(mergeModels(c.dst, c.src, "o0")); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
		if len(c.dst.Learnt) > 0 && c.dst.Learnt[0].Origin != "o0" {
			t.Errorf("the own counts are gone: %+v", c.dst.Learnt)
		}
	}
}

// The counts of a model keep within their bounds, whatever happens.
func TestCountsAreBounded(t *testing.T) {
	l := &storage.Learnt{}
	for i := range 3 * maxOutcomes {
		countOutcome(l, fmt.Sprint("r", i), "", outcomeFailed, "no", epoch.Add(time.Duration(i)))
		countVariant(l, variant{fmt.Sprint(i), ""}, storage.Connected, epoch)
	}
	if len(l.Outcomes) != maxOutcomes || l.Outcomes[0].Recipe != fmt.Sprint("r", 2*maxOutcomes) ||
		len(l.Variants) != maxVariants {
		t.Errorf("%d outcomes from %s on, %d variants", len(l.Outcomes), l.Outcomes[0].Recipe, len(l.Variants))
	}
	o := outcomeIn(l, fmt.Sprint("r", 3*maxOutcomes-1))
	for i := range 3 * maxReasons {
		countOutcome(l, o.Recipe, "", outcomeFailed, fmt.Sprint("why ", i*(i%2)), epoch.Add(time.Duration(i)))
	}
	if len(o.Reasons) != maxReasons || o.Failed != 3*maxReasons+1 ||
		o.Reasons[0].Count != 12 || o.Reasons[0].Text != "why 0" {
		t.Errorf("%d reasons of %d failures: %+v", len(o.Reasons), o.Failed, o.Reasons)
	}
	countOutcome(l, o.Recipe, "v2", outcomeWorked, "", epoch)
	if o.Worked != 1 || o.Failed != 0 || o.Reasons != nil {
		t.Errorf("under a new rule it begins with %+v", o)
	}
}
