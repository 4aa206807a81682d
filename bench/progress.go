package main

import (
	"fmt"
	"os"
)

// progress says on standard error what is being measured: in place on a terminal, a line for each step elsewhere.
type progress struct {
	total, done int
}

func (p *progress) step(what string) {
	line := fmt.Sprintf("[%3d%%] %s", 100*p.done/p.total, what)
	p.done++
	if onTerminal(os.Stderr) {
		fmt.Fprintf(os.Stderr, "\r\x1b[K%s", line)
	} else {
		fmt.Fprintln(os.Stderr, line)
	}
}

func (p *progress) end() {
	if onTerminal(os.Stderr) {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}

func onTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
