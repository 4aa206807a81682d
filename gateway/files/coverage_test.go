package files

import (
	"testing"

	"pgregory.net/rapid"

	"dmgate/codec/byterange"
)

// A coverage says of each byte what a map of bytes says.
func TestCoverageKeepsWhatWasSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const size = 40
		var c coverage
		sent := [size]bool{}
		for range rapid.IntRange(0, 30).Draw(t, "spans") {
			from := rapid.Int64Range(0, size).Draw(t, "from")
			to := rapid.Int64Range(from, size).Draw(t, "to")
			c.add(byterange.Span{From: from, To: to})
			for i := from; i < to; i++ {
				sent[i] = true
			}
		}
		all, at := true, 0
		for i, want := range sent {
			for at < len(c) && c[at].To <= int64(i) {
				at++
			}
			if got := at < len(c) && c[at].From <= int64(i); got != want {
				t.Fatalf("byte %d: %v, want %v in %v", i, got, want, c)
			}
			all = all && want
		}
		for i := 1; i < len(c); i++ {
			if c[i-1].To >= c[i].From {
				t.Fatalf("%v are not apart", c)
			}
		}
		if c.whole(size) != all {
			t.Fatalf("whole is %v, want %v of %v", c.whole(size), all, c)
		}
	})
}

func TestCoverageIsBounded(t *testing.T) {
	var c coverage
	for i := range int64(2 * maxSpans) {
		c.add(byterange.Span{From: 2 * i, To: 2*i + 1})
	}
	if len(c) != maxSpans {
		t.Fatalf("%d spans are kept", len(c))
	}
	c.add(byterange.Span{To: 4 * maxSpans})
	if !c.whole(4 * maxSpans) {
		t.Errorf("%v", c)
	}
}
