package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"dmgate/gateway/config"
)

// rulesIn makes a folder with one rules file.
func rulesIn(t *testing.T, text string) (folder, file string) {
	t.Helper()
	folder = t.TempDir()
	file = filepath.Join(folder, "own.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder, file
}

// A folder is checked as it is used: over the embedded rules. What is wrong stands by line and column, and the gateway
// says the same when it is to start with it.
func TestRecipesCheck(t *testing.T) {
	good, _ := rulesIn(t, "recipes:\n  - {name: lawmo-wipe, off: true}\n")
	bad, file := rulesIn(t, "recipes:\n  - {name: lawmo-wipe, of: true}\n")
	want := file + `:2:24: a recipe has no key "of": want `
	for _, c := range []struct {
		paths     []string
		out, fail string
	}{
		{nil, "the rules are sound\n", ""},
		{[]string{good}, "the rules are sound\n", ""},
		{[]string{good, bad}, want, "3 faults in the rules"},
		{[]string{file}, want, "3 faults in the rules"},
		{[]string{file + "x"}, "stat " + file + "x: no such file or directory\n", "one fault in the rules"},
	} {
		var out bytes.Buffer
		err := (&recipesCheckCmd{Paths: c.paths}).run(&out)
		if fail := errText(err); fail != c.fail || !strings.Contains(out.String(), c.out) {
			t.Errorf("%v: %s\n%s", c.paths, fail, out.String())
		}
	}
	set := config.Default()
	set.Data, set.Rules, set.Device.Listen, set.Admin.Listen = filepath.Join(t.TempDir(), "data"), bad, "127.0.0.1:0", "127.0.0.1:0"
	if _, err := build(set, zap.NewNop()); err == nil || !strings.HasPrefix(err.Error(), "rules:\n"+file+":2:5: ") {
		t.Errorf("the gateway starts with %v", err)
	}
	if _, err := os.Stat(set.Data); err == nil {
		t.Error("it has made its data folder")
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestRecipesListAndShow(t *testing.T) {
	folder, file := rulesIn(t, "recipes:\n  # Ours.\n  - name: lawmo-wipe\n    title: our own\n    does: wipe\n    send: [{delete: ./Everything}]\n")
	var out bytes.Buffer
	if err := (&recipesListCmd{rulesFlag{folder}}).run(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	found := ""
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
		if strings.Contains(line, "lawmo-wipe") {
			found += lines[i]
		}
	}
	if lines[0] != "DOES RANK RECIPE TITLE FILE" || found != "wipe 100 lawmo-wipe our own "+file+":3" || len(lines) < 30 {
		t.Errorf("%d lines, %q\n%s", len(lines), found, out.String())
	}
	out.Reset()
	if err := (&recipesShowCmd{rulesFlag{folder}, "lawmo-wipe"}).run(&out); err != nil {
		t.Fatal(err)
	}
	want := "# " + file + ":3\nrecipes:\n  # Ours.\n  - name: lawmo-wipe\n    title: our own\n    does: wipe\n    send: [{delete: ./Everything}]\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	err := (&recipesShowCmd{Name: "nobody"}).run(&out)
	if errText(err) != `there is no recipe "nobody"; dmgate recipes list has them all` {
		t.Error(err)
	}
}
