// Package byterange reads the Range header of HTTP. Source: RFC 9110, section 14.
package byterange

import (
	"math"
	"strings"
)

// Span is a run of bytes of a file: from the first to the one before To.
type Span struct{ From, To int64 }

// Size is how many bytes there are in s.
func (s Span) Size() int64 { return s.To - s.From }

// Answer is what a Range header is answered with.
type Answer int

// Answers.
const (
	Whole         Answer = iota // 200: no header, no sound one, or one that asks for several ranges
	Part                        // 206
	Unsatisfiable               // 416: it begins behind the end
)

// Parse reads a Range header for a file of size bytes: "bytes=0-499", "bytes=500-", "bytes=-500". One with several
// ranges is answered by the whole file, which a server may do: old clients do not read multipart/byteranges. The span
// is that of the bytes to be sent; empty where the header can not be satisfied.
func Parse(header string, size int64) (Span, Answer) {
	whole := Span{0, size}
	unit, set, ok := strings.Cut(header, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(unit), "bytes") {
		return whole, Whole
	}
	first, last, ok := strings.Cut(strings.Trim(set, " \t"), "-")
	if !ok {
		return whole, Whole
	}
	if first == "" {
		return suffix(last, size)
	}
	from, ok := position(first)
	if !ok {
		return whole, Whole
	}
	to := int64(math.MaxInt64)
	if last != "" {
		if to, ok = position(last); !ok || to < from {
			return whole, Whole
		}
	}
	if from >= size {
		return Span{}, Unsatisfiable
	}
	return Span{from, min(to, size-1) + 1}, Part
}

// suffix is the last n bytes of a file.
func suffix(n string, size int64) (Span, Answer) {
	count, ok := position(n)
	switch {
	case !ok:
		return Span{0, size}, Whole
	case count == 0 || size == 0:
		return Span{}, Unsatisfiable
	}
	return Span{max(0, size-count), size}, Part
}

// position reads digits and nothing else. More than there can be is the most there can be.
func position(text string) (n int64, ok bool) {
	for _, c := range []byte(text) {
		switch {
		case c < '0' || c > '9':
			return 0, false
		case n > (math.MaxInt64-9)/10:
			n = math.MaxInt64
		default:
			n = n*10 + int64(c-'0')
		}
	}
	return n, text != ""
}
