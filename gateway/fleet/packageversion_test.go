package fleet

import "testing"

func TestVersionsCompareAsTheirMakersMeanThem(t *testing.T) {
	// Each is older than the next.
	ascending := []string{
		"0.9", "1.0-alpha", "1.0-beta", "1.0-rc1", "1.0-rc2", "1.0-rc10", "1.0", "1.0a", "1.0b", "1.0.1", "1.0.9", "1.0.10",
		"1.2", "1.10", "2", "2.0.0.1", "10", "99999999999999999999", "100000000000000000000",
	}
	for i, a := range ascending {
		for k, b := range ascending {
			want := min(max(i-k, -1), 1)
			if got := CompareVersions(a, b); min(max(got, -1), 1) != want {
				t.Errorf("%s to %s: %d, want %d", a, b, got, want)
			}
		}
	}
	for _, same := range [][2]string{
		{"", ""}, {"1", "1.0"}, {"1.0", "1.0.0"}, {"01.02", "1.2"}, {"1_2-3", "1.2.3"}, {"1.0RC1", "1.0-rc-1"}, {"", "0.0"}, {" 2.1 ", "2.1"},
	} {
		if got := CompareVersions(same[0], same[1]); got != 0 {
			t.Errorf("%q to %q: %d, want 0", same[0], same[1], got)
		}
	}
	for _, of := range []struct{ older, newer string }{ // of firmware
		{"V 12.0.024 16-10-07 RM-159", "V 21.0.016 28-04-08 RM-159"},
		{"R1JC002", "R2AA021"},
		{"R2AA002", "R2AA021"},
		{"G900FXXU1ANCE", "G900FXXU1ANG2"},
		{"5.1.478", "5.1.4780"},
	} {
		if CompareVersions(of.older, of.newer) >= 0 || CompareVersions(of.newer, of.older) <= 0 {
			t.Errorf("%q is not older than %q", of.older, of.newer)
		}
	}
}
