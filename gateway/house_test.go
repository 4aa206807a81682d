package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// may says which rooms of the house each room may import, tests aside. What is not listed here is not a room.
var may = map[string][]string{
	"codec":              {"codec"},
	"storage":            {"storage"},
	"sessions":           {"codec", "storage"},
	"modempool":          {"codec", "storage"},
	"modempool/modemsim": {"codec"},
	"bench":              {"codec", "modempool/modemsim", "sessions", "storage", "bench"},
	"bench/handset":      {"codec", "modempool/modemsim"},
	"fuzz":               {"codec", "sessions", "storage", "modempool"},
	"gateway/recipe":     {"storage"},
	"gateway":            {"gateway", "codec", "storage", "sessions", "modempool", "modempool/modemsim", "bench/handset"},
}

// onlyRecords lists rooms that may use storage's records and its interface, and no engine.
var onlyRecords = []string{"sessions", "modempool", "bench"}

func TestWhoMayImportWhom(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}: {{join .Imports " "}}`, "dmgate/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := 0
	for line := range strings.Lines(string(out)) {
		from, imports, _ := strings.Cut(strings.TrimSpace(line), ":")
		from = strings.TrimPrefix(from, "dmgate/")
		room := roomOf(from)
		if room == "" {
			t.Errorf("%s is in no room of the house", from)
		}
		packages++
		for _, to := range strings.Fields(imports) {
			to, ours := strings.CutPrefix(to, "dmgate/")
			if !ours || to == from {
				continue
			}
			if !slices.ContainsFunc(may[room], func(allowed string) bool { return within(to, allowed) }) {
				t.Errorf("%s may not import %s", from, to)
			}
			if slices.Contains(onlyRecords, room) && within(to, "storage") && to != "storage" {
				t.Errorf("%s may use storage's records, not %s", from, to)
			}
		}
	}
	if packages < 10 {
		t.Errorf("only %d packages seen", packages)
	}
}

// roomOf is the longest entry of may that p is in.
func roomOf(p string) string {
	room := ""
	for r := range may {
		if within(p, r) && len(r) > len(room) {
			room = r
		}
	}
	return room
}

func within(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }
