package fuzz

import (
	"errors"
	"fmt"
	"testing"

	"dmgate/gateway/recipe"
	"dmgate/storage"
)

// FuzzRules: a rules file is read or refused with places in it; what was read asks a device that has all it is asked
// for, comes to an end with that, and each way that it finds can be rendered, or says which value is missing.
func FuzzRules(f *testing.F) {
	for _, seed := range []string{
		"", "# nothing\n", "recipes: []\ncodes: {}\n", "recipes:\n  - {name: lawmo-lock, off: true}\n",
		"recipes:\n  - name: x\n    title: X\n    does: [install, update]\n    rank: 1\n    when: [{Man: \"a*\"}, {LrgObj: [\"true\"]}]\n" +
			"    needs:\n      - {name: a, at: [./A, \"./*\"], type: \"urn:*\"}\n      - {name: b, at: \"{a}/*/C\", optional: true}\n" +
			"      - {at: \"{a}/D\", absent: true}\n      - {name: c, at: \"{a}/*\", where: {ID: \"{package.id}\"}}\n" +
			"    takes: {payload: url}\n    send:\n      - {add: \"{a}/x\"}\n      - {put: \"{b}/U\", data: \"{package.url}\", optional: true}\n" +
			"      - {exec: \"{c}\", probe: \"{b}\", idle: [\"10\"], xml: \"<a>{package.params|/q}</a>\"}\n" +
			"    answers: {status: {200: later}, result: [{1-9: {failed: x, again: true}}, scomo-1.0]}\n    within: 1h\n" +
			"    poll: {get: \"{b}\", pending: [\"1\"], done: {\"2\": x}, gone: done, every: 1m, most: 2}\n" +
			"    then: {send: [{alert: 1101, items: [\"\", \"{package.name?}\"]}]}\n    verify: [{at: \"{a}/V\", is: \"{package.version?}\"}]\n",
		"codes:\n  a: {1200: done, 1201-1299: {done: x}, 1400: {failed: y, user: true}}\n",
		"recipes:\n  - &a {name: x}\n  - *a\n", "recipes: [{name: x, title: |\n  x\n}]", "? a\n: b\n", "a: !!binary x\n", "%YAML 1.2\n---\n[",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := recipe.Parse("own.yaml", text)
		if err != nil {
			var fault *recipe.Error
			if !errors.As(err, &fault) || fault.File == "" || fault.Msg == "" {
				t.Fatalf("%#v has no place", err)
			}
			return
		}
		k := recipe.NewKnown(nil, nil)
		for range 10_000 {
			uris := set.Wanted(k, 16)
			if len(uris) == 0 {
				break
			}
			for _, uri := range uris {
				k.Add(storage.Node{URI: uri, Code: 200, Children: []string{"A", "B"}})
			}
		}
		if uris := set.Wanted(k, 16); len(uris) > 0 {
			t.Fatalf("%v are wanted without end", uris)
		}
		for _, c := range set.Compile(k, nil) {
			for i := range c.Ways {
				render(t, set, &c.Ways[i])
			}
		}
	})
}

// render renders all stages of a way with what values there are.
func render(t *testing.T, set *recipe.Set, w *recipe.Way) {
	v := recipe.Values{
		Text:    map[string]string{"package.id": "a", "package.url": "b", "alert.code": "1100", "alert.text": "c"},
		Payload: func() ([]byte, error) { return []byte("d"), nil },
	}
	for stage := 0; ; stage++ {
		w := set.Way(w.Recipe.Name, w.Names, stage)
		if w == nil {
			return
		}
		commands, err := w.Commands(v)
		if err != nil {
			if fmt.Sprint(err) == "" {
				t.Fatal("an error without words")
			}
			continue
		}
		var answers []storage.Answer
		for i := range commands {
			answers = append(answers, storage.Answer{Command: i, Code: 200})
		}
		if got := w.Judge(commands, answers); got.State == recipe.Pending {
			t.Fatalf("%s: all is answered, and it is %v", w.Recipe.Name, got)
		}
	}
}
