package files

import (
	"slices"

	"dmgate/codec/byterange"
)

// coverage is which bytes of a file have been sent, in spans that are apart and in order.
type coverage []byterange.Span

// maxSpans bounds what is kept of a client that fetches a file in scattered parts. What goes beyond is not counted, and
// has to be fetched once more before the file counts as whole.
const maxSpans = 256

// add takes a span in.
func (c *coverage) add(s byterange.Span) {
	if s.Size() <= 0 {
		return
	}
	first := slices.IndexFunc(*c, func(have byterange.Span) bool { return have.To >= s.From }) // the first that s touches
	if first < 0 {
		first = len(*c)
	}
	last := first
	for last < len(*c) && (*c)[last].From <= s.To {
		s = byterange.Span{From: min(s.From, (*c)[last].From), To: max(s.To, (*c)[last].To)}
		last++
	}
	if first == last && len(*c) == maxSpans {
		return
	}
	*c = slices.Replace(*c, first, last, s)
}

// whole says whether all bytes of a file have been sent.
func (c coverage) whole(size int64) bool {
	return len(c) == 1 && c[0] == byterange.Span{To: size}
}
