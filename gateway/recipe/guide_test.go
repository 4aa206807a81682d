package recipe

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"dmgate/storage"
)

// TestGuide follows the newcomer's guide: its example is sound, discovery asks for what the guide says, and the recipe
// does on the guide's tree what it is to do. The keys and values that the guide lists are those there are.
func TestGuide(t *testing.T) {
	text, err := os.ReadFile("../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	guide := string(text)
	block := func(pattern string) string {
		found := regexp.MustCompile("(?s)```" + pattern + "```").FindStringSubmatch(guide)
		if found == nil {
			t.Fatalf("no %s in the guide", pattern)
		}
		return found[1]
	}
	set, err := Parse("boxer.yaml", []byte(block("yaml\n(.*?)")))
	if err != nil {
		t.Fatal(err)
	}
	device := plant{}
	tree := strings.ReplaceAll(block("\n(\\./Boxer.*?)"), "<any name>", "X7")
	device.grow(t, "./DevInfo\n./DevDetail\n"+strings.ReplaceAll(tree, "\n", " = x\n"))
	device.grow(t, "./Boxer/Loader/Phase = ok\n./Boxer/Apps/X7/Package = client\n./Boxer/Apps/X7/Release = 2.0")
	k := NewKnown(map[string]string{"Man": "BOXER Ltd"}, nil)
	asked := fmt.Sprint(walk(t, set, k, 64, device.get))
	if !strings.Contains(asked, "./Boxer ") || !strings.HasSuffix(asked, " [./Boxer/Loader]]") {
		t.Errorf("asked for %s", asked)
	}
	w := &set.Compile(k, nil)[0].Ways[0]
	if w.Recipe.Name != "boxer-install" || w.Confidence != Seen || len(w.Names) != 4 {
		t.Errorf("%s %s %v", w.Recipe.Name, w.Confidence, w.Names)
	}
	v := Values{Text: map[string]string{"package.id": "client", "package.url": "http://x/1", "package.version": "2.0"}}
	commands, err := w.Commands(v)
	if err != nil || len(commands) != 2 || commands[1].URI != "./Boxer/Loader/Run" || commands[1].Probe != "./Boxer/Loader/Phase" {
		t.Fatalf("%v %v", commands, err)
	}
	accepted := []storage.Answer{{Command: 0, Code: 200}, {Command: 1, Code: 202}}
	broken := Verdict{State: Failed, Reason: "result 3: the line broke", Again: true}
	if got := w.Judge(commands, append(accepted, storage.Answer{Command: 1, Late: true, Code: 3})); got != broken {
		t.Errorf("%+v", got)
	}
	asking, err := w.Poll(v)
	if err != nil || len(asking) != 1 {
		t.Fatalf("%v %v", asking, err)
	}
	if got := w.JudgePoll(asking, []storage.Answer{device.answer(0, asking[0].URI)}); got.State != Done {
		t.Errorf("%+v", got)
	}
	answers := map[string]storage.Answer{}
	for {
		more, verdict := w.Verify(v, answers)
		if verdict.State != Pending {
			if verdict.State != Done {
				t.Errorf("%+v", verdict)
			}
			break
		}
		for _, c := range more {
			answers[c.URI] = device.answer(0, c.URI)
		}
	}
	for _, key := range regexp.MustCompile(`[a-zA-Z]+`).FindAllString(recipeKeys+" "+needKeys+" "+sendKeys, -1) {
		if key != "and" && key != "or" && !strings.Contains(guide, "`"+key) && !strings.Contains(guide, key+"`") {
			t.Errorf("the guide does not tell of the key %s", key)
		}
	}
	flowing := strings.Join(strings.Fields(guide), " ")
	for head, list := range givens {
		_, line, found := strings.Cut(flowing, "`"+head+".*` (")
		if !found {
			t.Errorf("the guide does not tell of %s.*", head)
			continue
		}
		line, _, _ = strings.Cut(line, ")")
		var names []string
		for _, g := range list {
			names = append(names, strings.TrimPrefix(g.name, head+"."))
		}
		told := strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' })
		for _, name := range names {
			if !strings.Contains(" "+strings.Join(told, " ")+" ", " "+name+" ") {
				t.Errorf("the guide does not tell of %s.%s: %v", head, name, told)
			}
		}
		if len(told) != len(names) {
			t.Errorf("%s: the guide has %v, there are %v", head, told, names)
		}
	}
}
