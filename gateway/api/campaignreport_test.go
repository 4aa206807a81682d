package api

import "testing"

// No cell of the report is a formula, and numbers stay numbers.
func TestHarmless(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "7": "7", "text": "text", "+491701234567": "+491701234567", "2026-01-02T03:04:05Z": "2026-01-02T03:04:05Z",
		"=1+1": "'=1+1", "-2+3": "'-2+3", "@SUM(A1)": "'@SUM(A1)", "+": "'+", "+1+cmd|' /C calc'!A0": "'+1+cmd|' /C calc'!A0",
		"\t=1": "'\t=1", "\r=1": "'\r=1", "+49=1": "'+49=1",
	} {
		if got := harmless(cell); got != want {
			t.Errorf("%q: got %q, want %q", cell, got, want)
		}
	}
}
