package fleet

import (
	"slices"
	"testing"
	"testing/fstest"
)

// The seeds that ship are sound, and name recipes that there are.
func TestSeeds(t *testing.T) {
	set := productRules()
	list, err := readSeeds(seedFiles, func(name string) bool { return set.Find(name) != nil })
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 10 {
		t.Errorf("%d families", len(list))
	}
	for _, c := range []struct {
		facts map[string]string
		want  []string
	}{
		{map[string]string{"Man": "NOKIA", "Mod": "E71", "DevTyp": "smartphone"}, []string{"s60"}},
		{map[string]string{"Man": "Nokia", "Mod": "RM-1"}, nil},
		{map[string]string{"Man": "SAMSUNG", "URI/MaxDepth": "16", "URI/MaxTotLen": "255", "URI/MaxSegLen": "31"}, []string{"redbend", "samsung"}},
		{map[string]string{"Man": "Quectel", "Mod": "EC25", "DevTyp": "LTE Module"}, []string{"modem-module"}},
		{map[string]string{"Man": "Sony Ericsson", "Mod": "P1i"}, []string{"sony-ericsson-uiq"}},
		{map[string]string{"Man": "Sony Ericsson", "Mod": "K800"}, nil},
		{nil, nil},
	} {
		var got []string
		for _, s := range seedsFor(c.facts) {
			got = append(got, s.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v is of %v, want %v", c.facts, got, c.want)
		}
	}
}

func TestSeedErrorsSayWhere(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"- name: a\n  title: [b\n", "seeds/x.yaml:2: sequence end token ']' not found"},
		{"- name: a\n  titel: b\n", `seeds/x.yaml:2: unknown field "titel"`},
		{"- name: a\n  traps: [x]\n", "seeds/x.yaml:2: cannot unmarshal string into Go struct field seed.Traps of type int"},
		{"name: a\n", "seeds/x.yaml:1: mapping was used where sequence is expected"},
		{"-\n", "seeds/x.yaml:1: family 1 is empty"},
		{"# two\n\n- {name: A b, title: t, when: {Man: [x]}}\n", `seeds/x.yaml:3: name "A b" is not 1 to 64 of a-z, 0-9, - and .`},
		{"- {name: a, when: {Man: [x]}}\n", "seeds/x.yaml:1: a has no title"},
		{"- {name: a, title: t}\n", "seeds/x.yaml:1: a has no facts under when: it would be all devices"},
		{"- {name: a, title: t, when: {Lang: [x]}}\n", "seeds/x.yaml:1: a: when: Lang is no fact of a model"},
		{"- {name: a, title: t, when: {Man: ['[']}}\n", `seeds/x.yaml:1: a: when: Man: "[" is no glob`},
		{"- {name: a, title: t, when: {Man: [x]}, traps: [36]}\n", "seeds/x.yaml:1: a: traps: 36 is not 1 to 35"},
		{
			"- {name: a, title: t, when: {Man: [x]}, bootstrap: {sec: userpinmac}}\n",
			`seeds/x.yaml:1: a: bootstrap: sec "userpinmac" is not userpin, netwpin, usernetwpin`,
		},
		{
			"- name: a\n  title: t\n  when: {Man: [x]}\n- name: b\n  title: t\n  when: {Man: [x]}\n  prefer: [scom]\n  avoid: [{recipe: scom}]\n",
			"seeds/x.yaml:4: b: avoid: scom: no why\nseeds/x.yaml:4: b: scom is preferred and avoided\n" +
				"seeds/x.yaml:4: b: there is no recipe \"scom\"\nseeds/x.yaml:4: b: there is no recipe \"scom\"",
		},
		{
			"- {name: a, title: t, when: {Man: [x]}}\n- {name: a, title: t, when: {Man: [x]}}\n",
			`seeds/x.yaml:2: "a" is the name of the family in seeds/x.yaml:1, too`,
		},
	} {
		files := fstest.MapFS{"seeds/x.yaml": {Data: []byte(c.text)}}
		_, err := readSeeds(files, func(name string) bool { return false })
		if err == nil || err.Error() != c.want {
			t.Errorf("%s%v\nwant\n%s", c.text, err, c.want)
		}
	}
	if _, err := readSeeds(fstest.MapFS{"seeds/x.yaml": {Data: []byte("\n")}}, nil); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}
