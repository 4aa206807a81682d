package fleet

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"dmgate/storage"
)

// listed is a list of access points, one a line: of a code, with an APN, behind a proxy where one is named.
func listed(end error, entries ...string) iter.Seq2[OperatorLine, error] {
	return func(yield func(OperatorLine, error) bool) {
		for i, e := range entries {
			l := OperatorLine{Number: uint64(i + 1)}
			part := strings.Fields(e)
			l.Operator = storage.Operator{Code: part[0], Name: "Name of " + part[0]}
			n := storage.NAP{ID: "N1", Name: "x", APN: part[1]}
			if len(part) > 2 {
				n.MMSC, n.MMSProxy = "http://mms/", "P1"
				l.Operator.Settings.Proxies = []storage.Proxy{{ID: "P1", Addr: part[2], Port: 80, NAP: "N1"}}
			}
			if l.Operator.Settings.NAPs = []storage.NAP{n}; part[1] == "bad" {
				l.Err = errors.New("can not be read")
			}
			if !yield(l, nil) {
				return
			}
		}
		if end != nil {
			yield(OperatorLine{}, end)
		}
	}
}

func (r *rig) aps(code string) string {
	o, err := r.Operator(code)
	if err != nil {
		return err.Error()
	}
	var list []string
	for _, n := range o.Settings.NAPs {
		list = append(list, strings.TrimSpace(n.ID+" "+n.APN+" "+n.MMSProxy))
	}
	for _, p := range o.Settings.Proxies {
		list = append(list, p.ID+" "+p.Addr+" for "+p.NAP)
	}
	return strings.Join(list, ", ")
}

func TestImportOperators(t *testing.T) {
	r := newRig(t)
	r.library("26201", nil)
	r.library("26209", nil)
	got, err := r.ImportOperators("csv", listed(nil,
		"26201 a", "26201 b p1", "26202 c", "26201 b p1", "26201 d p2", "262 e", "26203 bad", "26203 "+strings.Repeat("x", 101)))
	if err != nil || got.Operators != 2 || got.AccessPoints != 4 || got.Refused != 3 {
		t.Fatalf("%+v: %v", got, err)
	}
	want := []Problem{
		{6, `code: "262" is no MCC and MNC of 5 or 6 digits`}, {7, "can not be read"},
		{8, "settings: cp: NAPDEF 1: NAP-ADDRESS of 101 characters (at most 100)"},
	}
	if !slices.Equal(got.Problems, want) {
		t.Errorf("problems %+v", got.Problems)
	}
	for code, want := range map[string]string{
		"26201": "N1 a, N2 b P1, N3 d P2, P1 p1 for N2, P2 p2 for N3", "26202": "N1 c", "26203": storage.ErrNotFound.Error(),
		"26209": "N1 internet.26209, N2 mms.26209 P2, P1 192.0.2.1 for N1, P2 mms.example for N2",
	} {
		if got := r.aps(code); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
	if o, _ := r.Operator("26201"); o.Name != "Name of 26201" || o.Source != "csv" || !o.Changed.Equal(r.now) {
		t.Errorf("%+v", o)
	}
}

// A list that breaks off leaves what came before, and one of too much leaves what there is room for.
func TestImportOperatorsEnds(t *testing.T) {
	r := newRig(t)
	broken := errors.New("broke off")
	got, err := r.ImportOperators("csv", listed(broken, "26201 a", "26202 b"))
	if !errors.Is(err, broken) || r.aps("26202") != "N1 b" {
		t.Errorf("%+v: %v, %s", got, err, r.aps("26202"))
	}
	var many []string
	for i := range maxNAPs {
		many = append(many, fmt.Sprint("26203 a", i))
	}
	many = append(many, "26203 more", "26204 b", "26203 more")
	got, err = r.ImportOperators("csv", listed(nil, many...))
	if err != nil || got.Refused != 2 || got.AccessPoints != maxNAPs+1 || got.Problems[1].Line != 19 ||
		got.Problems[0] != (Problem{17, "more than 16 access points or proxies of one network"}) {
		t.Errorf("%+v: %v", got, err)
	}
	if o, _ := r.Operator("26203"); len(o.Settings.NAPs) != maxNAPs {
		t.Errorf("%d access points", len(o.Settings.NAPs))
	}
}
