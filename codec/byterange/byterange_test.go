package byterange

import "testing"

func TestParse(t *testing.T) {
	for _, c := range []struct {
		header string
		size   int64
		want   Span
		answer Answer
	}{
		{"", 10, Span{0, 10}, Whole},
		{"bytes=0-", 10, Span{0, 10}, Part},
		{"bytes=0-0", 10, Span{0, 1}, Part},
		{"bytes=9-9", 10, Span{9, 10}, Part},
		{"bytes=2-4", 10, Span{2, 5}, Part},
		{"bytes=2-400", 10, Span{2, 10}, Part},
		{"bytes=-3", 10, Span{7, 10}, Part},
		{"bytes=-30", 10, Span{0, 10}, Part},
		{"BYTES = 5-", 10, Span{5, 10}, Part}, // spaces where none may be do no harm
		{"Bytes= 5-6 ", 10, Span{5, 7}, Part},
		{"bytes=00005-6", 10, Span{5, 7}, Part},
		{"bytes=5-99999999999999999999999999", 10, Span{5, 10}, Part},
		{"bytes=0-9223372036854775807", 10, Span{0, 10}, Part},
		{"bytes=10-", 10, Span{}, Unsatisfiable},
		{"bytes=10-20", 10, Span{}, Unsatisfiable},
		{"bytes=99999999999999999999999999-", 10, Span{}, Unsatisfiable},
		{"bytes=-0", 10, Span{}, Unsatisfiable},
		{"bytes=0-", 0, Span{}, Unsatisfiable},
		{"bytes=-5", 0, Span{}, Unsatisfiable},
		{"bytes=4-2", 10, Span{0, 10}, Whole},
		{"bytes=0-1,3-4", 10, Span{0, 10}, Whole},
		{"bytes=-1,0-", 10, Span{0, 10}, Whole},
		{"bytes=", 10, Span{0, 10}, Whole},
		{"bytes=-", 10, Span{0, 10}, Whole},
		{"bytes=--5", 10, Span{0, 10}, Whole},
		{"bytes=5", 10, Span{0, 10}, Whole},
		{"bytes=+5-6", 10, Span{0, 10}, Whole},
		{"bytes=0x1-2", 10, Span{0, 10}, Whole},
		{"bytes=1 -2", 10, Span{0, 10}, Whole},
		{"bytes", 10, Span{0, 10}, Whole},
		{"items=0-5", 10, Span{0, 10}, Whole},
		{"=0-5", 10, Span{0, 10}, Whole},
	} {
		if got, answer := Parse(c.header, c.size); got != c.want || answer != c.answer {
			t.Errorf("%q of %d: %v %d, want %v %d", c.header, c.size, got, answer, c.want, c.answer)
		}
	}
}
