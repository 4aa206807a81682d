package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// A short run writes every figure that others read, by its name.
func TestCodecJSON(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	file := filepath.Join(t.TempDir(), "figures.json")
	run(t, "codec", "--time", "1ms", "--count", "2", "--json", file)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Machine struct {
			Cores        int
			OS, Arch, Go string
		}
		Options struct {
			Time  string
			Count int
		}
		Figures []struct {
			Name, Unit string
			Value      *float64
		}
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Machine.Cores < 1 || got.Machine.Go == "" || got.Options.Time != "1ms" || got.Options.Count != 2 {
		t.Errorf("machine %+v, options %+v", got.Machine, got.Options)
	}
	units := make(map[string]string)
	values := make(map[string]float64)
	for _, f := range got.Figures {
		if _, twice := units[f.Name]; twice || f.Value == nil || f.Unit == "" {
			t.Errorf("figure %+v twice or without value or unit", f)
			continue
		}
		units[f.Name], values[f.Name] = f.Unit, *f.Value
	}
	for _, want := range wantedFigures() {
		if units[want.name] != want.unit {
			t.Errorf("%s has unit %q, want %q", want.name, units[want.name], want.unit)
		}
		if !want.mayBeZero && values[want.name] <= 0 {
			t.Errorf("%s is %v", want.name, values[want.name])
		}
	}
	if n := values["codec.item_1mb.xml.read.copies"]; n > 1.1 {
		t.Errorf("reading 1 MiB of XML takes memory for %v copies", n)
	}
}

type wanted struct {
	name, unit string
	mayBeZero  bool
}

func wantedFigures() (ws []wanted) {
	for _, message := range []string{"p1", "p3", "p4", "items_10", "items_100", "items_1000", "items_10000", "item_1mb"} {
		for _, op := range []string{"wbxml.read", "wbxml.write", "xml.read", "xml.write"} {
			name := "codec." + message + "." + op
			ws = append(ws, wanted{name + ".ns", "ns", false}, wanted{name + ".spread", "%", true},
				wanted{name + ".bytes", "B", true}, wanted{name + ".allocs", "allocs", true},
				wanted{name + ".fresh_bytes", "B", false})
			if strings.HasSuffix(op, "write") {
				ws = append(ws, wanted{name + ".vs_read", "x", false})
			}
			switch {
			case message == "item_1mb":
				ws = append(ws, wanted{name + ".copies", "x", false})
			case message[0] == 'i':
				ws = append(ws, wanted{name + ".ns_per_item", "ns", false})
				if message != "items_10" {
					ws = append(ws, wanted{name + ".vs_tenth", "x", false})
				}
			default:
				ws = append(ws, wanted{name + ".vs_encoding_xml", "x", false})
				if strings.HasSuffix(op, "read") {
					ws = append(ws, wanted{name + ".vs_floor", "x", false})
				}
			}
		}
	}
	return ws
}

// run runs bench with args as from the command line.
func run(t *testing.T, args ...string) {
	t.Helper()
	parser, err := kong.New(&cli)
	if err != nil {
		t.Fatal(err)
	}
	cmd, err := parser.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
}

func TestCodecRefuses(t *testing.T) {
	for _, args := range [][]string{{"codec", "--time", "0s"}, {"codec", "--count", "0"}, {"codec", "--time", "x"}} {
		parser, err := kong.New(&cli)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(args); err == nil {
			t.Errorf("%q taken", args)
		}
	}
}

// Ratios are made within each run, and what stands out does not move a median.
func TestStatistics(t *testing.T) {
	floor := &subject{runs: []float64{100, 300, 100}}
	read := &subject{runs: []float64{250, 750, 300}}
	if got := read.over(floor); got != 2.5 {
		t.Errorf("ratio %v, want 2.5", got)
	}
	if got := read.ns(); got != 300 {
		t.Errorf("median %v, want 300", got)
	}
	if got := floor.spread(); got != 200 {
		t.Errorf("spread %v%%, want 200%%", got)
	}
	if got := median([]float64{4, 1, 2, 3}); got != 2.5 {
		t.Errorf("median of four %v, want 2.5", got)
	}
}

// Subjects take turns: none has all of its run before the next one starts.
func TestTurns(t *testing.T) {
	var order []byte
	a := &subject{op: func() { order = append(order, 'a') }, guess: float64(time.Second)}
	b := &subject{op: func() { order = append(order, 'b') }, guess: float64(time.Second)}
	measure([]*subject{a, b}, 0)
	if got := string(order[:2]); got != "ab" || len(a.runs) != 1 || len(b.runs) != 1 {
		t.Errorf("order %q, runs %v and %v", order, a.runs, b.runs)
	}
	if n := bytes.Count(order, []byte("ab")); n != turns {
		t.Errorf("%d turns of both in %q, want %d", n, order, turns)
	}
}

// Messages have as many items as they say, and the large one is as large.
func TestMessages(t *testing.T) {
	var items []int
	for _, m := range scale() {
		items = append(items, m.items)
	}
	if !slices.Equal(items, itemCounts) {
		t.Errorf("messages with %v items, want %v", items, itemCounts)
	}
	if m := large(); m.items != 1 || len(m.wbxml) < mebibyte {
		t.Errorf("%d items in %d bytes", m.items, len(m.wbxml))
	}
}
