package fuzz

import (
	"fmt"
	"testing"

	"dmgate/codec/byterange"
)

// FuzzByteRange: whatever a Range header says, what is sent lies within the file, and one that asks for just that is
// answered by the same.
func FuzzByteRange(f *testing.F) {
	for _, seed := range []string{
		"bytes=0-499", "bytes=500-", "bytes=-500", "bytes=0-0,-1", "bytes=9-2", "bytes=-0", "items=1-2",
		"bytes=99999999999999999999-", "bytes= 1-2",
	} {
		f.Add(seed, int64(1000))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		s, answer := byterange.Parse(header, size)
		switch answer {
		case byterange.Whole:
			if s != (byterange.Span{To: size}) {
				t.Fatalf("the whole of %d is %v", size, s)
			}
		case byterange.Unsatisfiable:
			if s.Size() != 0 {
				t.Fatalf("nothing of %d is %v", size, s)
			}
		case byterange.Part:
			if s.From < 0 || s.From >= s.To || s.To > size {
				t.Fatalf("a part of %d is %v", size, s)
			}
			again, answer := byterange.Parse(fmt.Sprintf("bytes=%d-%d", s.From, s.To-1), size)
			if again != s || answer != byterange.Part {
				t.Fatalf("%v, asked for again: %v %d", s, again, answer)
			}
		}
	})
}
