package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// codecTables prints all, in a table for the corpus and one for what grows.
func codecTables(out io.Writer, all []*contest) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "message\tof\ttime\tspread\tB/op\tallocs/op\tfloor\tits read\tencoding/xml\t")
	for _, k := range all {
		if k.items > 0 {
			continue
		}
		for _, s := range k.subjects {
			fmt.Fprintf(w, "%s\t%s\t%s\t%.0f%%\t%.0f\t%.0f\t", k.name, s.name, took(s.ns()), s.spread(), s.bytes, s.allocs)
			times := make(map[string]string)
			for _, c := range k.comparisons(s) {
				times[c.name] = fmt.Sprintf("%.2fx", c.times)
				if c.name == "vs_encoding_xml" {
					times[c.name] = fmt.Sprintf("%.0fx faster", c.times)
				}
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t\n", times["vs_floor"], times["vs_read"], times["vs_encoding_xml"])
		}
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "message\tof\ttime\tspread\tB/op\tan item\tof a tenth\tB/op, nothing reused\t")
	for i, k := range all {
		if k.items == 0 {
			continue
		}
		for _, s := range k.subjects {
			growth := ""
			if before := all[i-1]; k.items > 1 && before.items > 1 {
				growth = fmt.Sprintf("%.1fx", s.over(before.subject(s.name)))
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%.0f%%\t%.0f\t%s\t%s\t%.0f\t\n", k.name, s.name, took(s.ns()), s.spread(), s.bytes,
				took(s.ns()/float64(k.items)), growth, k.fresh[s.name])
		}
	}
	return w.Flush()
}

// took is a time with three digits that matter.
func took(ns float64) string {
	d := time.Duration(ns)
	for unit := time.Duration(1); ; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit).String()
		}
	}
}
