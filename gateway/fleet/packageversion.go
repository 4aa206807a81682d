package fleet

import (
	"cmp"
	"slices"
	"strings"
)

// CompareVersions is below 0 where version a is older than b, above 0 where it is newer, and 0 where there is no
// telling them apart, as 1.0 and 1.0.0.
//
// Versions are what makers write, "2.10.1", "V 12.0.024 16-10-07 RM-159", "R2AA021": runs of digits count as numbers,
// runs of letters as words without case, all else only parts them. A number above zero is newer than a word in its
// place, and a word newer than nothing, but for the words of a version that is not finished: "1.0-rc2" comes before
// "1.0", and "1.0a" behind it.
func CompareVersions(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a = cutSegment(a)
		y, b = cutSegment(b)
		if c := compareSegments(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// unfinished are the words of versions that come before the one they lead to.
var unfinished = []string{"alpha", "beta", "dev", "pre", "preview", "rc", "snapshot"}

// cutSegment takes the first run of digits or of letters off a version. It is empty at the end, and so is the rest.
func cutSegment(s string) (segment, rest string) {
	start := strings.IndexFunc(s, func(r rune) bool { return kindOf(r) != parting })
	if start < 0 {
		return "", ""
	}
	s = s[start:]
	var first rune
	for i, r := range s {
		if i == 0 {
			first = r
		} else if kindOf(r) != kindOf(first) {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// What a character of a version is.
const (
	parting = iota
	digit
	letter
)

func kindOf(r rune) int {
	switch {
	case r >= '0' && r <= '9':
		return digit
	case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80:
		return letter
	}
	return parting
}

// compareSegments compares what stands in the same place; "" is the end of a version, where any number of zeros could
// follow.
func compareSegments(x, y string) int {
	if c := cmp.Compare(rank(x), rank(y)); c != 0 {
		return c
	}
	switch rank(x) {
	case zeros:
		return 0
	case numbers:
		return compareNumbers(x, y)
	}
	return strings.Compare(strings.ToLower(x), strings.ToLower(y))
}

// Ranks of segments. Within zeros all are the same.
const (
	unfinishedWords = iota
	zeros           // and the end
	words
	numbers
)

func rank(x string) int {
	switch {
	case strings.Trim(x, "0") == "":
		return zeros
	case isNumber(x):
		return numbers
	case slices.Contains(unfinished, strings.ToLower(x)):
		return unfinishedWords
	}
	return words
}

func isNumber(s string) bool { return s != "" && kindOf(rune(s[0])) == digit }

// compareNumbers compares numbers of any length.
func compareNumbers(x, y string) int {
	x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
}
