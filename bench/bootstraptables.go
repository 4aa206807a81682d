package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

func newTable(out io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
}

// banks are banks of several sizes, at one pace.
type banks []*pace

func (b banks) figures(r *report) {
	for _, p := range b {
		p.figures(r, fmt.Sprintf("bootstrap.%d.", p.modems))
		r.add(fmt.Sprintf("bootstrap.%d.linear", p.modems), p.linear(b[0]), "%")
	}
}

// figures adds what a bank did, all but its tally, under names that begin with prefix.
func (p *pace) figures(r *report, prefix string) {
	r.add(prefix+"segments_per_s", p.rate, "1/s")
	r.add(prefix+"busy", p.leastBusy(), "%")
	r.add(prefix+"busy_mean", mean(p.busy), "%")
	r.add(prefix+"up", p.up.Seconds(), "s")
	r.add(prefix+"cpu_percent", p.cpu, "%")
	r.add(prefix+"cpu_per_segment", p.perSegment(), "ms")
	r.add(prefix+"bench_cpu_percent", p.own, "%")
	r.add(prefix+"others_cpu_percent", p.others, "%")
	r.add(prefix+"peak", float64(p.peak)/mebibyte, "MiB")
	r.add(prefix+"lost", float64(len(p.lost)), "pushes")
	r.add(prefix+"duplicated", float64(p.tally.segments), "segments")
}

// perSegment is the processor time that the gateway takes for one segment, in milliseconds.
func (p *pace) perSegment() float64 { return 10 * p.cpu / p.rate }

// linear is what p sends, in percent of what as many modems would if each did as much as one of one.
func (p *pace) linear(one *pace) float64 {
	return 100 * p.rate / float64(p.modems) / (one.rate / float64(one.modems))
}

func (b banks) table(out io.Writer) error {
	w := newTable(out)
	fmt.Fprintln(w, "modems\tsegments/s\tof linear\tleast busy\tmean\tall up in\tgateway CPU\ta segment\tbench\tothers\t"+
		"peak\tlost\ttwice\t")
	for _, p := range b {
		fmt.Fprintf(w, "%d\t%.1f\t%.1f %%\t%.1f %%\t%.1f %%\t%.2f s\t%.1f %%\t%.2f ms\t%.1f %%\t%.0f %%\t%.0f MiB\t%d\t%d\t\n",
			p.modems, p.rate, p.linear(b[0]), p.leastBusy(), mean(p.busy), p.up.Seconds(), p.cpu, p.perSegment(), p.own, p.others,
			float64(p.peak)/mebibyte, len(p.lost), p.tally.segments)
	}
	return w.Flush()
}

// realPace is a bank whose SMS take as long as real ones.
type realPace struct{ *pace }

// realAir is how long a real modem takes for an SMS, about.
const realAir = 3 * time.Second

// real watches the largest bank at the real pace. What is left over is not waited for.
func (c *bootstrapCmd) real() (result, error) {
	p, err := c.pace("real", paceOptions{modems: c.last(), air: realAir, length: c.Real, leave: true})
	return realPace{p}, err
}

func (p realPace) figures(r *report) {
	prefix := fmt.Sprintf("bootstrap.%d.real.", p.modems)
	r.add(prefix+"segments_per_s", p.rate, "1/s")
	r.add(prefix+"busy", p.leastBusy(), "%")
	r.add(prefix+"cpu_percent", p.cpu, "%")
}

func (p realPace) table(out io.Writer) error {
	w := newTable(out)
	fmt.Fprintln(w, "modems\ton the air\tsegments/s\tleast busy\tmean\tgateway CPU\ta segment\tothers\tpeak\t")
	fmt.Fprintf(w, "%d\t%v\t%.1f\t%.1f %%\t%.1f %%\t%.1f %%\t%.2f ms\t%.0f %%\t%.0f MiB\t\n", p.modems, p.air, p.rate,
		p.leastBusy(), mean(p.busy), p.cpu, p.perSegment(), p.others, float64(p.peak)/mebibyte)
	return w.Flush()
}

func (f *faults) figures(r *report) {
	r.add("bootstrap.faults.modems", float64(f.modems), "modems")
	r.add("bootstrap.faults.segments_per_s", f.rate, "1/s")
	r.add("bootstrap.faults.share", f.share(), "%")
	r.add("bootstrap.faults.floor", f.floor(), "%")
	r.add("bootstrap.faults.busy", f.soundBusy(), "%")
	r.add("bootstrap.faults.lost", float64(len(f.lost)), "pushes")
	r.add("bootstrap.faults.duplicated", float64(f.tally.segments), "segments")
}

func (f *faults) table(out io.Writer) error {
	w := newTable(out)
	fmt.Fprintln(w, "\tsegments/s\tof all sound\tshare of the sound\tleast busy of them\tmean\tothers\tlost\ttwice\t")
	for _, of := range []struct {
		name         string
		share, floor float64
		*pace
	}{{fmt.Sprintf("%d modems", f.modems), 100, 100, f.base}, {"one hung, one unplugged, one erring", f.share(), f.floor(), f.pace}} {
		sound := of.busy[:f.modems-3]
		fmt.Fprintf(w, "%s\t%.1f\t%.1f %%\t%.1f %%\t%.1f %%\t%.1f %%\t%.0f %%\t%d\t%d\t\n", of.name, of.rate, of.share, of.floor,
			slices.Min(sound), mean(sound), of.others, len(of.lost), of.tally.segments)
	}
	return w.Flush()
}

func (s *replugs) figures(r *report) {
	r.add("bootstrap.replug.tries", float64(len(s.same)), "tries")
	r.add("bootstrap.replug.median", median(s.same), "s")
	r.add("bootstrap.replug.worst", slices.Max(s.same), "s")
	r.add("bootstrap.replug.renamed.median", median(s.renamed), "s")
	r.add("bootstrap.replug.renamed.worst", slices.Max(s.renamed), "s")
}

func (s *replugs) table(out io.Writer) error {
	w := newTable(out)
	fmt.Fprintln(w, "unplugged and back\tuntil an SMS was taken: median\tworst\t")
	for _, of := range []struct {
		name  string
		times []float64
	}{{"under the same name", s.same}, {"under another name", s.renamed}} {
		fmt.Fprintf(w, "%d times, %s\t%.2f s\t%.2f s\t\n", len(of.times), of.name, median(of.times), slices.Max(of.times))
	}
	return w.Flush()
}

func (c *campaign) figures(r *report) {
	r.add("bootstrap.campaign.targets", float64(c.targets), "devices")
	r.add("bootstrap.campaign.ordered", c.took.Seconds(), "s")
	r.add("bootstrap.campaign.peak", float64(c.peak)/mebibyte, "MiB")
	r.add("bootstrap.campaign.heap", float64(c.heap)/mebibyte, "MiB")
	r.add("bootstrap.campaign.segments_per_s", c.sent.rate, "1/s")
	r.add("bootstrap.campaign.busy", c.sent.leastBusy(), "%")
	r.add("bootstrap.campaign.cpu_percent", c.sent.cpu, "%")
	r.add("bootstrap.campaign.cpu_per_segment", c.sent.perSegment(), "ms")
}

func (c *campaign) table(out io.Writer) error {
	w := newTable(out)
	fmt.Fprintln(w, "campaign\tordered in\tpeak\theap\tthen\tall up in\tsegments/s\tleast busy\tmean\tgateway CPU\ta segment\t"+
		"others\tpeak\t")
	fmt.Fprintf(w, "%d devices\t%.1f s\t%.0f MiB\t%.0f MiB\t%d modems\t%.2f s\t%.1f\t%.1f %%\t%.1f %%\t%.1f %%\t%.2f ms\t"+
		"%.0f %%\t%.0f MiB\t\n",
		c.targets, c.took.Seconds(), float64(c.peak)/mebibyte, float64(c.heap)/mebibyte, c.sent.modems, c.sent.up.Seconds(),
		c.sent.rate, c.sent.leastBusy(), mean(c.sent.busy), c.sent.cpu, c.sent.perSegment(), c.sent.others, float64(c.sent.peak)/mebibyte)
	return w.Flush()
}

func (k *kills) figures(r *report) {
	r.add("bootstrap.kills.pushes", float64(k.pushes), "pushes")
	r.add("bootstrap.kills.kills", float64(k.kills), "kills")
	r.add("bootstrap.kills.took", k.took.Seconds(), "s")
	r.add("bootstrap.kills.lost", float64(len(k.lost)), "pushes")
	r.add("bootstrap.kills.untold", float64(k.untold), "pushes")
	r.add("bootstrap.kills.duplicated", float64(k.tally.segments), "segments")
	r.add("bootstrap.kills.duplicated_pushes", float64(k.tally.pushes), "pushes")
	r.add("bootstrap.kills.unexplained", float64(len(k.unexplained)), "pushes")
}

func (k *kills) table(out io.Writer) error {
	w := newTable(out)
	fmt.Fprintln(w, "pushes\tmodems\tkilled\tall arrived in\tlost\tuntold\tsegments\tof them twice\tpushes twice\t"+
		"phones concerned\tunexplained\t")
	fmt.Fprintf(w, "%d\t%d\t%d times\t%.1f s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", k.pushes, k.modems, k.kills, k.took.Seconds(),
		len(k.lost), k.untold, k.everything, k.segments, k.tally.pushes, len(k.twice), len(k.unexplained))
	return w.Flush()
}
