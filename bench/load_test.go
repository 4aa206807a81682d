package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"
)

// A short run writes every figure that others read, by its name. What a session takes is the same however many there
// are: at rest no more than the 1 KiB that it may.
func TestLoadJSON(t *testing.T) {
	file := filepath.Join(t.TempDir(), "figures.json")
	run(t, "load", "--idle", "12000", "--count", "2", "--json", file)
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
		"load.idle_sessions": "sessions", "load.heap_bytes_per_session": "B", "load.heap_mib": "MiB",
		"load.active.heap_bytes_per_session": "B", "load.active.heap_mib": "MiB", "load.gc.pause_ms": "ms",
		"load.gc.pause_max_ms": "ms", "load.gc.wall_ms": "ms", "load.gc.wall_max_ms": "ms", "load.gc.cpu_ms": "ms",
		"load.active.gc.wall_ms": "ms", "load.nothing.gc.wall_ms": "ms",
	} {
		if f := values[name]; f.Unit != unit || f.Value <= 0 {
			t.Errorf("%s: %+v, want more than nothing in %q", name, f, unit)
		}
	}
	rest, active := values["load.heap_bytes_per_session"].Value, values["load.active.heap_bytes_per_session"].Value
	if rest > 1024 || active < 2*rest {
		t.Errorf("a session takes %.0f bytes at rest and %.0f in the middle of messages", rest, active)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, args := range [][]string{{"load", "--idle", "0"}, {"load", "--count", "0"}, {"load", "--idle", "x"}} {
		parser, err := kong.New(&cli)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(args); err == nil {
			t.Errorf("%q taken", args)
		}
	}
}
