package main

import (
	"cmp"
	"fmt"
	"io"

	"dmgate/gateway/fleet"
	"dmgate/modempool"
)

// destination is what the limits that hold know of a number.
func (g *gateway) destination(number string) fleet.Destination {
	l := g.pool.Limits()
	d := l.Destination(number)
	return fleet.Destination{Prefix: d.Prefix, Operator: d.Operator, Zone: d.Zone}
}

// throughput is how many modems are in service, and how many segments a minute they send: as seen within the last
// minute, or what the limits let those send that have sent nothing.
func (g *gateway) throughput() (modems int, segments float64) {
	l := g.pool.Limits()
	for _, m := range g.pool.Modems() {
		if !inService(m.State) {
			continue
		}
		modems++
		if segments += float64(m.PerMinute); m.PerMinute == 0 {
			segments += cmp.Or(m.Limits.Rate, l.Modem)
		}
	}
	if l.Pool > 0 {
		segments = min(segments, l.Pool)
	}
	return modems, segments
}

// inService says whether a modem in this state sends what there is.
func inService(s modempool.State) bool {
	return s == modempool.Ready || s == modempool.Sending || s == modempool.Resting
}

// writeModems writes the metrics of the modems that there are now.
func (g *gateway) writeModems(w io.Writer) {
	for _, m := range g.pool.Modems() {
		fmt.Fprintf(w, "dmgate_modem_segments_sent{modem=%q} %d\n", m.Name, m.Sent)
		fmt.Fprintf(w, "dmgate_modem_segments_failed{modem=%q} %d\n", m.Name, m.Failed)
		up := 0
		if inService(m.State) {
			up = 1
		}
		fmt.Fprintf(w, "dmgate_modem_in_service{modem=%q} %d\n", m.Name, up)
	}
}
