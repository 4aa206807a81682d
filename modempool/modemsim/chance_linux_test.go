package modemsim

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"dmgate/codec/push"
)

// Two runs of the same conversation give the same bytes and the same fates; another seed or another modem does not.
func TestSameSeed(t *testing.T) {
	t.Parallel()
	type run struct {
		heard string
		codes string // of each send: + taken, - refused
		refs  []byte // of the reports in the order of their arrival
	}
	once := func(seed uint64, modem int) (r run) {
		b, c := plugIn(t, Options{Modems: 2, Seed: seed, Character: plain(Character{
			Noise: 0.3, Garbage: 0.2, ErrorRate: 0.3, Errors: []int{38, 42, 500}, ReportMissing: 0.2, ReportTwice: 0.2,
			Air:    Span{Mean: 100 * time.Microsecond, Spread: 1},
			Fault:  Rarely(seed, 0.2, Fault{Kind: ErrorForPrompt, CMS: 302}, Fault{Kind: RefusePDU}),
			Report: func(int) ReportWays { return ReportWays{Early: true} },
		})})
		if modem > 0 {
			c = dial(t, b.Paths()[modem])
		}
		n, text := pdu(sms)
		c.chat("ATE0\r", "OK", "AT+CMGF=0\r", "OK")
		over, prompt := regexp.MustCompile(`OK\r\n|ERROR.*\r\n`), regexp.MustCompile(`> |ERROR.*\r\n`)
		for range 40 {
			c.typed(fmt.Sprintf("AT+CMGS=%d\r", n))
			if got := c.match(prompt); got == "> " {
				c.typed(text)
				r.codes += c.match(over)
			} else {
				r.codes += got
			}
		}
		c.chat("AT+CGSN\r", b.Identity(modem).IMEI)
		r.heard = c.all
		for _, a := range b.modems[modem].reports {
			report, err := push.ReadStatusReport(a.tpdu)
			if err != nil {
				t.Error(err)
			}
			r.refs = append(r.refs, report.Reference)
		}
		return r
	}
	first, again := once(5, 0), once(5, 0)
	if first.heard != again.heard || first.codes != again.codes || !bytes.Equal(first.refs, again.refs) {
		t.Errorf("once\n%+v, then\n%+v", first, again)
	}
	for _, other := range []run{once(6, 0), once(5, 1)} {
		if first.heard == other.heard || first.codes == other.codes || bytes.Equal(first.refs, other.refs) {
			t.Errorf("the same for another:\n%+v\n%+v", first, other)
		}
	}
}

// match reads until what was heard has a match of e, and drops it and what was before it.
func (c *terminal) match(e *regexp.Regexp) string {
	c.t.Helper()
	for {
		if at := e.FindStringIndex(c.text); at != nil {
			got := c.text[at[0]:at[1]]
			c.text = c.text[at[1]:]
			return got
		}
		c.read(e.String())
	}
}

// Durations lie around their mean and within their bounds.
func TestSpan(t *testing.T) {
	m := &modem{bank: &Bank{options: Options{Seed: 1}}}
	for _, test := range []struct {
		span      Span
		low, high time.Duration // of the mean of many
		least     time.Duration
		most      time.Duration
	}{
		{Span{}, 0, 0, 0, 0},
		{Span{Mean: time.Second}, time.Second, time.Second, time.Second, time.Second},
		{Span{Mean: time.Second, Spread: 0.3}, 980 * time.Millisecond, 1020 * time.Millisecond, 200 * time.Millisecond,
			5 * time.Second},
		{Span{Mean: 3 * time.Second, Spread: 1, Min: time.Second, Max: 6 * time.Second}, 2500 * time.Millisecond,
			3 * time.Second, time.Second, 6 * time.Second},
	} {
		var all []time.Duration
		var sum time.Duration
		for n := range 10000 {
			d := test.span.draw(m.draw(airTimes, n))
			all = append(all, d)
			sum += d
		}
		mean := sum / time.Duration(len(all))
		if least, most := slices.Min(all), slices.Max(all); mean < test.low || mean > test.high || least < test.least ||
			most > test.most {
			t.Errorf("%+v: between %s and %s, mean %s", test.span, least, most, mean)
		}
	}
}

// Rates hold: of errors, of reports that are missing or come twice.
func TestRates(t *testing.T) {
	m := &modem{bank: &Bank{options: Options{Seed: 3}}, held: map[Point][]arrival{}}
	m.c = Character{ReportMissing: 0.1, ReportTwice: 0.2, Report: func(int) ReportWays { return ReportWays{Early: true} }}
	const sends = 2000
	reported := map[uint8]int{}
	for range sends {
		m.mr++
		m.makeReport(&push.Submit{Destination: "+491"}, Fate{})
	}
	for _, a := range m.reports {
		r, err := push.ReadStatusReport(a.tpdu)
		if err != nil {
			t.Fatal(err)
		}
		reported[r.Reference]++
	}
	// 0.9 of them arrive, 0.2 of those twice: 1.08 reports for each.
	if n := len(m.reports); n < sends || n > sends*116/100 {
		t.Errorf("%d reports of %d", n, sends)
	}
}

// A SIM takes so many SMS a day; another SIM is another, and so is another day.
func TestDayLimit(t *testing.T) {
	t.Parallel()
	b, c := plugIn(t, Options{Character: plain(Character{Silent: true, DayLimit: 2, DayCMS: 512})})
	refusal := turn{"{pdu}", "\r\n+CMS ERROR: 512\r\n"}
	prompt := turn{"{cmgs}", "\r\n> "}
	c.converse(b, slices.Concat(sent(1), sent(2), []turn{prompt, refusal, prompt, refusal}))
	b.SwapSIM(0)
	c.converse(b, sent(1))
	s := &sim{}
	for i, want := range []bool{true, true, false, false} {
		if s.spend(7, 2) != want {
			t.Errorf("SMS %d of a day", i)
		}
	}
	if !s.spend(8, 2) || s.sent != 1 {
		t.Error("another day is not another")
	}
}

// The account of time is complete at any moment.
func TestUsage(t *testing.T) {
	t.Parallel()
	const air = 30 * time.Millisecond
	b, c := plugIn(t, Options{AirTime: air, Character: plain(Character{Silent: true})})
	before := b.Usage(0)
	c.converse(b, slices.Concat(sent(1), sent(2)))
	after := b.Usage(0)
	if d := after.OnAir - before.OnAir; d < 2*air || after.Typed <= before.Typed || after.Idle <= before.Idle {
		t.Errorf("from %+v to %+v", before, after)
	}
	if busy := after.Busy(before); busy <= 0 || busy >= 1 || after.Busy(after) != 0 {
		t.Errorf("busy %f", busy)
	}
	b.Unplug(0)
	u := b.Usage(0)
	if sum := u.OnAir + u.Typed + u.Idle + u.Gone; u.Gone <= 0 || sum != u.At.Sub(u.Since) {
		t.Errorf("%+v: sum %s of %s", u, sum, u.At.Sub(u.Since))
	}
}

// The ledger tells repeated and lost segments, and the same text under another reference from another text.
func TestLedger(t *testing.T) {
	t.Parallel()
	var l Ledger
	part := func(to string, ref, total, seq byte, text string) *push.Submit {
		return &push.Submit{Destination: to, HasUDH: true, UD: append([]byte{5, 0, 3, ref, total, seq}, text...)}
	}
	l.record(0, part("+1", 9, 2, 1, "a"), 1)
	l.record(0, part("+1", 9, 2, 2, "b"), 2)
	l.record(3, part("+1", 9, 2, 1, "a"), 3) // once more
	l.record(0, part("+2", 1, 3, 1, "c"), 4) // 2 and 3 are lost
	l.record(0, part("+2", 1, 3, 1, "d"), 5) // another with the same reference
	l.record(1, &push.Submit{Destination: "+3", UD: []byte("one")}, 6)
	if all, different := l.Accepted(); all != 6 || different != 5 {
		t.Errorf("%d, %d different", all, different)
	}
	if n := l.Times("+1", 9, 1); n != 2 {
		t.Errorf("%d times", n)
	}
	repeated := l.Repeated()
	if len(repeated) != 1 || len(repeated[0].Taken) != 2 || repeated[0].Taken[1].Modem != 3 ||
		repeated[0].Taken[1].Reference != 3 || repeated[0].Content != l.Entries()[0].Content {
		t.Errorf("repeated %+v", repeated)
	}
	var got []string
	for _, m := range l.Messages() {
		got = append(got, fmt.Sprintf("%s %d %v %d", m.Destination, m.Reference, m.Parts, m.Whole()))
	}
	want := []string{"+1 9 [2 1] 1", "+2 1 [2 0 0] 0", "+3 0 [1] 1"}
	if !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
}
