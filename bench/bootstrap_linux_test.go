package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// A short run writes the figures that others read, by their names, and loses nothing.
func TestBootstrapJSON(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	file := filepath.Join(t.TempDir(), "figures.json")
	run(t, "bootstrap", "--parts", "banks,kills", "--modems", "2,4", "--air", "30ms", "--length", "1s", "--pushes", "500",
		"--json", file)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got report
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	values := make(map[string]figure)
	for _, f := range got.Figures {
		if _, twice := values[f.Name]; twice {
			t.Errorf("%s twice", f.Name)
		}
		values[f.Name] = f
	}
	for name, unit := range map[string]string{
		"bootstrap.2.segments_per_s": "1/s", "bootstrap.2.busy": "%", "bootstrap.2.cpu_percent": "%", "bootstrap.2.linear": "%",
		"bootstrap.4.segments_per_s": "1/s", "bootstrap.4.busy": "%", "bootstrap.4.cpu_percent": "%", "bootstrap.4.linear": "%",
		"bootstrap.kills.pushes": "pushes", "bootstrap.kills.kills": "kills", "bootstrap.kills.took": "s",
	} {
		if f := values[name]; f.Unit != unit || f.Value <= 0 {
			t.Errorf("%s: %+v, want more than nothing in %q", name, f, unit)
		}
	}
	for _, name := range []string{
		"bootstrap.2.lost", "bootstrap.4.lost", "bootstrap.2.duplicated", "bootstrap.4.duplicated", "bootstrap.kills.lost",
		"bootstrap.kills.unexplained",
	} {
		if f, there := values[name]; !there || f.Value != 0 {
			t.Errorf("%s: %+v, want 0", name, f)
		}
	}
	for _, name := range []string{"bootstrap.2.busy", "bootstrap.4.busy"} {
		if f := values[name]; f.Value > 100 {
			t.Errorf("%s: %v %%", name, f.Value)
		}
	}
}
