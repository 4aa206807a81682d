// Command bench measures dmgate. Figures are medians of several runs, and what matters of them are ratios to a baseline
// that was measured in turns with them: times of a shared machine mean little.
package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"
)

var cli struct {
	Bootstrap bootstrapCmd `cmd:"" help:"Send bootstraps through banks of simulated modems."`
	Load      loadCmd      `cmd:"" help:"Hold many sessions open, and collect the garbage."`
	Codec     codecCmd     `cmd:"" help:"Read and write DM messages, next to encoding/xml and to a bare walk over the bytes."`
}

func main() {
	run := kong.Parse(&cli, kong.Name("bench"), kong.Description("Measurements of dmgate."), kong.UsageOnError())
	if err := run.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
