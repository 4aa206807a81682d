// Command dmgate is an OMA Device Management gateway: it bootstraps devices by SMS, holds their DM sessions, learns what
// they can do, and carries out the orders of an upstream MDM.
//
// This package is thin: it parses the command line and puts the parts together. serve.go is the table of contents.
package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"
)

var cli struct {
	Serve  serveCmd  `cmd:"" help:"Run the gateway."`
	Demo   demoCmd   `cmd:"" help:"Run the whole main job on simulated modems and handsets."`
	Decode decodeCmd `cmd:"" help:"Print a message as XML or as a readable listing."`
	Encode encodeCmd `cmd:"" help:"Turn XML into WBXML."`
	Push   pushCmd   `cmd:"" help:"Build a bootstrap push and send it through a modem."`
	DB     dbCmd     `cmd:"" name:"db" help:"Check, back up or restore the store."`

	Recipes      recipesCmd      `cmd:"" help:"Check, list or show the rules by which things are done on devices."`
	Certificates certificatesCmd `cmd:"" help:"Look at certificates with the eyes of devices."`
}

func main() {
	run := kong.Parse(&cli, kong.Name("dmgate"), kong.Description("OMA Device Management gateway."), kong.UsageOnError())
	if err := run.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "dmgate:", err)
		os.Exit(1)
	}
}
