package main

import (
	"bufio"
	"encoding/json"
	"os"
	"runtime"
	"strings"
)

// report is what --json writes.
type report struct {
	Machine machine        `json:"machine"`
	Options map[string]any `json:"options"`
	Figures []figure       `json:"figures"`
}

// figure is one number. Units are "ns", "B", "allocs", "%" and, for ratios, "x".
type figure struct {
	Name  string  `json:"name"` // "codec.p1.wbxml.read.ns"
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

func (r *report) add(name string, value float64, unit string) {
	r.Figures = append(r.Figures, figure{name, value, unit})
}

// write writes r to file; nowhere where that is "".
func (r *report) write(file string) error {
	if file == "" {
		return nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

// machine is where the figures come from.
type machine struct {
	CPU   string `json:"cpu"` // model; "" where the system does not tell
	Cores int    `json:"cores"`
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Go    string `json:"go"`
}

func thisMachine() machine {
	return machine{cpuModel(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version()}
}

// cpuModel asks Linux.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if key, value, ok := strings.Cut(in.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
