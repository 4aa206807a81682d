package recipe

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dmgate/storage"
)

func load(t *testing.T, text string) *Set {
	t.Helper()
	set, err := Parse("own.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestValues puts values into every place that takes one: they stay data.
func TestValues(t *testing.T) {
	set := load(t, `
recipes:
  - name: places
    title: every place
    does: alert
    needs: [{name: a, at: ./A, optional: true}, {name: b, at: ./B, optional: true}]
    send:
      - {put: "./X/{extra.v}", data: "{{{extra.v}}}"}
      - {replace: ./X/Y, xml: "<p v=\"{extra.v}\">{extra.none|<none/>}</p>"}
      - {put: "{a}/Y", data: "{b}"}
      - {put: ./X/Z, data: "{extra.none?}"}
      - {delete: ./X/W, if: extra.none}
      - {copy: ./X/C, from: "./X/{extra.v}"}
      - {alert: "{alert.code}", items: ["{alert.options?}", "{alert.text}", "{alert.choices?}", last]}
`)
	values := func(v string) Values {
		return Values{Text: map[string]string{
			"extra.v": v, "alert.code": "1104", "alert.text": v, "alert.choices": "one\ntwo\n",
		}}
	}
	for _, c := range []struct {
		name string
		v    Values
		want string // the commands, or the error
	}{
		{"a value with everything", values(`a b%{"<&>`), `Put ./X/a%20b%25%7B%22%3C&%3E {a b%{"<&>}; ` +
			`Replace ./X/Y <p v="a b%{&#34;&lt;&amp;&gt;"><none/></p>; Put ./A/Y ./B; Copy ./X/C ./X/a%20b%25%7B%22%3C&%3E; ` +
			`Alert 1104 |a b%{"<&>|one|two|last`},
		{"a segment more", values("a/b"), `own.yaml:8: recipe places: value extra.v is "a/b": that can not be the name of a node`},
		{"a query", values("a?list=TNDS"), `own.yaml:8: recipe places: value extra.v is "a?list=TNDS": that can not be the name of a node`},
		{"up", values(".."), `own.yaml:8: recipe places: value extra.v is "..": that can not be the name of a node`},
		{"a line end", values("a\nb"), `own.yaml:8: recipe places: value extra.v is "a\nb": that can not be the name of a node`},
		{"nothing", values(""), `own.yaml:8: recipe places: value extra.v is missing`},
		{"no code", Values{Text: map[string]string{"extra.v": "a", "alert.code": "x", "alert.text": "b"}},
			`own.yaml:14: recipe places: value alert.code is "x": want 1100 to 1104`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := set.Way("places", map[string]string{"a": "./A", "b": "./B"}, 0)
			commands, err := w.Commands(c.v)
			var all []string
			for _, cmd := range commands {
				text := cmd.Kind + " " + cmd.URI
				switch cmd.Kind {
				case "Alert":
					text = "Alert 1104 " + strings.Join(cmd.Items, "|")
				case "Copy":
					text += " " + cmd.Source
				default:
					text += " " + string(cmd.Data)
				}
				all = append(all, text)
			}
			got := strings.Join(all, "; ")
			var bad *ValueError
			if err != nil {
				got = err.Error()
				if !errors.As(err, &bad) {
					t.Errorf("%T is no *ValueError", err)
				}
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	commands, err := set.Way("places", nil, 0).Commands(values("v"))
	if err != nil || slices.ContainsFunc(commands, func(c storage.Command) bool { return string(c.Data) == "./B" }) {
		t.Errorf("with nothing bound %v, %v", commands, err)
	}
}

func TestPayload(t *testing.T) {
	set := load(t, `
recipes:
  - name: inline
    title: inline
    does: install
    takes: {payload: inline, max: 4}
    send: [{put: ./X, payload: true, type: "{package.type?}"}]
`)
	w := set.Way("inline", nil, 0)
	none := errors.New("it is gone")
	for _, c := range []struct{ data, err, want string }{
		{"1234", "", ""},
		{"12345", "", "own.yaml:7: recipe inline: value payload is 5 bytes: the device takes 4"},
		{"", "", "own.yaml:7: recipe inline: value payload is empty"},
		{"", "gone", "own.yaml:7: recipe inline: payload: it is gone"},
	} {
		_, err := w.Commands(Values{
			Text: map[string]string{"package.type": "application/java-archive"},
			Payload: func() ([]byte, error) {
				if c.err != "" {
					return nil, none
				}
				return []byte(c.data), nil
			},
		})
		if got := text(err); got != c.want {
			t.Errorf("%q: %s, want %s", c.data, got, c.want)
		}
	}
	if commands, err := w.Commands(Values{Payload: func() ([]byte, error) { return []byte("1"), nil }}); err == nil {
		t.Errorf("without its type: %v", commands) // all of it is left out then, and nothing is to be sent
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestJudgeLeftOut: a command that was left out does not lend its "optional" to another.
func TestJudgeLeftOut(t *testing.T) {
	set := load(t, `
recipes:
  - name: some
    title: some are left out
    does: wipe
    send:
      - {put: "./X/{extra.a?}", data: a, optional: true}
      - {put: ./X/B, data: b}
      - {put: "./Y/{extra.c?}/D", data: c, optional: true}
      - {put: ./Y/c/E, data: e}
`)
	w := set.Way("some", nil, 0)
	for _, c := range []struct {
		values map[string]string
		failed int
		want   State
	}{
		{map[string]string{"extra.a": "B", "extra.c": "c"}, 0, Done},
		{map[string]string{"extra.a": "B", "extra.c": "c"}, 1, Failed},
		{map[string]string{"extra.a": "A", "extra.c": "c"}, 2, Done},
		{map[string]string{"extra.c": "c"}, 1, Done},
		{map[string]string{"extra.c": "c"}, 2, Failed},
		{nil, 1, Failed},
	} {
		commands, err := w.Commands(Values{Text: c.values})
		if err != nil {
			t.Fatal(err)
		}
		var answers []storage.Answer
		for i := range commands {
			a := storage.Answer{Command: i, Code: 200}
			if i == c.failed {
				a.Code = 405
			}
			answers = append(answers, a)
		}
		if v := w.Judge(commands, answers); v.State != c.want {
			t.Errorf("%v, command %d failed: %v", c.values, c.failed, v)
		}
	}
}

// learned is what a model has taught.
type learned struct {
	barred map[string]string
	rank   map[string]int
}

func (l learned) Barred(recipe string) (string, bool) { why, ok := l.barred[recipe]; return why, ok }
func (l learned) Rank(recipe string) int              { return l.rank[recipe] }

// TestLearned: what has worked on the model goes first, what is barred is told and not tried.
func TestLearned(t *testing.T) {
	set := load(t, "")
	k := NewKnown(map[string]string{"LrgObj": "true", "MaxObjSize": "4096"}, nodesOf(t, set, sixty))
	for _, c := range []struct {
		learned Learned
		ways    string
		not     string
	}{
		{nil, "fumo-download-and-update fumo-download-then-update fumo-inline", ""},
		{learned{rank: map[string]int{"fumo-inline": -1, "fumo-download-and-update": 1}},
			"fumo-inline fumo-download-then-update fumo-download-and-update", ""},
		{learned{barred: map[string]string{"fumo-download-and-update": "failed on 3 of 3"}},
			"fumo-download-then-update fumo-inline", "fumo-download-and-update: failed on 3 of 3"},
	} {
		all := set.Compile(k, c.learned)
		f := all[slices.Index(Names, Firmware)]
		var ways, not []string
		for i := range f.Ways {
			ways = append(ways, f.Ways[i].Recipe.Name)
			if takes := f.Ways[i].Takes; takes.Payload == "inline" && takes.Max != 4096 {
				t.Errorf("%d bytes at most", takes.Max)
			}
		}
		for _, u := range f.Not {
			not = append(not, u.Recipe.Name+": "+u.Why)
		}
		if got := strings.Join(ways, " "); got != c.ways || strings.Join(not, " ") != c.not {
			t.Errorf("ways %s, not %s\nwant %s, not %s", got, not, c.ways, c.not)
		}
	}
}

// TestLoad: a folder goes over the rules of the product by name, and what is wrong in it is told.
func TestLoad(t *testing.T) {
	product, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("own.yaml", `
# A lock of our own.
recipes:
  - name: lawmo-lock
    title: ours
    does: lock
    send: [{replace: ./OurLock, data: "1"}]

  # The other one.
  - {name: lawmo-lock-partially, off: true}

codes:
  alert-1.2: {200: done}
`)
	write("README.txt", "no rules")
	own, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	if own.Version() == product.Version() || own.Version() != mustLoad(t, folder).Version() {
		t.Errorf("versions %s and %s", own.Version(), product.Version())
	}
	if len(own.Recipes()) != len(product.Recipes())-1 || own.Find("lawmo-lock-partially") != nil {
		t.Errorf("%d recipes of %d", len(own.Recipes()), len(product.Recipes()))
	}
	r := own.Find("lawmo-lock")
	if r.Title != "ours" || r.Where() != filepath.Join(folder, "own.yaml")+":4" {
		t.Errorf("%s at %s", r.Title, r.Where())
	}
	if want := "  - name: lawmo-lock\n    title: ours\n    does: lock\n    send: [{replace: ./OurLock, data: \"1\"}]\n"; r.Text != want {
		t.Errorf("text %q\nwant %q", r.Text, want)
	}
	if v := own.Way("user-alert", nil, 0).Judge([]storage.Command{{Kind: "Alert"}}, []storage.Answer{{Code: 304}}); v.Reason != "Alert: status 304: the user has said no, or nothing has changed" {
		t.Errorf("by the table of the product: %s", v.Reason)
	}
	write("more.yaml", "recipes:\n  - {name: lawmo-lock, off: true}\n")
	write("worse.yaml", "recipe: x\n")
	_, err = Load(folder)
	want := folder + "/own.yaml:4:5: recipe lawmo-lock is there already, in " + folder + "/more.yaml:2\n" +
		folder + `/worse.yaml:1:1: a rules file has no key "recipe": want recipes or codes`
	if got := text(err); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if errs := Check(folder); len(errs) != 2 || errors.Join(errs...).Error() != want {
		t.Errorf("Check says %v", errs)
	}
	if errs := Check(filepath.Join(folder, "own.yaml")); len(errs) != 0 {
		t.Errorf("of one file %v", errs)
	}
	if errs := Check(filepath.Join(folder, "none.yaml")); len(errs) != 1 || !errors.Is(errs[0], os.ErrNotExist) {
		t.Errorf("of no file %v", errs)
	}
	if w := own.Way("lawmo-lock", nil, 1); w != nil {
		t.Error("a stage that is not there")
	}
}

func mustLoad(t *testing.T, folder string) *Set {
	t.Helper()
	set, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestGather: the parts of a value are joined, a Status does not hide the value that came for it, and what no Get has
// asked for is left out.
func TestGather(t *testing.T) {
	commands := []storage.Command{{Kind: "Get", URI: "./A"}, {Kind: "Get", URI: "./B"}, {Kind: "Exec", URI: "./C"}}
	got := map[string]storage.Answer{}
	Gather(got, commands, []storage.Answer{
		{Command: 0, Code: 200, Part: 1, More: true, Data: []byte("a/")},
		{Command: 0, Code: 200, Part: 2, Data: []byte("b")},
		{Command: 1, Code: 200, Data: []byte("x")}, {Command: 1, Code: 200},
		{Command: 2, Code: 200, Data: []byte("no")}, {Command: 3, Data: []byte("no")},
	})
	if len(got) != 2 || string(got["./A"].Data) != "a/b" || got["./A"].More || string(got["./B"].Data) != "x" {
		t.Errorf("%+v", got)
	}
}
