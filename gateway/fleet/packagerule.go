package fleet

import (
	"fmt"
	"maps"
	"strings"

	"dmgate/storage"
)

// factTAC is the fact that no node tells: the first eight digits of the device's IMEI.
const factTAC = "TAC"

// packageFacts are what rules may ask of a device, by name.
func (f *Fleet) packageFacts(dev *storage.Device) map[string]string {
	facts := maps.Clone(f.factsOf(dev))
	if imei, ok := strings.CutPrefix(dev.DevID, "IMEI:"); ok && len(imei) >= 8 {
		if facts == nil {
			facts = make(map[string]string)
		}
		facts[factTAC] = imei[:8]
	}
	return facts
}

// broken says why a rule does not hold for a device: the fact, and what the rule wants. It is empty where it holds.
func broken(r *storage.PackageRule, facts map[string]string) string {
	value, known := facts[r.Fact]
	if !known {
		return fmt.Sprintf("%s is not known, want %s", r.Fact, wants(r))
	}
	holds := len(r.Is) == 0
	for _, pattern := range r.Is {
		holds = holds || matchGlob(pattern, value)
	}
	for _, pattern := range r.Not {
		holds = holds && !matchGlob(pattern, value)
	}
	if r.From != "" && CompareVersions(value, r.From) < 0 || r.Before != "" && CompareVersions(value, r.Before) >= 0 {
		holds = false
	}
	if holds {
		return ""
	}
	return fmt.Sprintf("%s is %q, want %s", r.Fact, value, wants(r))
}

// wants says what a rule asks for.
func wants(r *storage.PackageRule) string {
	var parts []string
	if len(r.Is) > 0 {
		parts = append(parts, quoted(r.Is))
	}
	if len(r.Not) > 0 {
		parts = append(parts, "not "+quoted(r.Not))
	}
	if r.From != "" {
		parts = append(parts, "from "+r.From)
	}
	if r.Before != "" {
		parts = append(parts, "before "+r.Before)
	}
	if parts == nil {
		return "any"
	}
	return strings.Join(parts, ", ")
}

func quoted(patterns []string) string { return `"` + strings.Join(patterns, `" or "`) + `"` }

// matchGlob says whether s, in whatever case, is what a pattern says, in which "*" stands for any text and "?" for any
// character.
func matchGlob(pattern, s string) bool {
	p, t := []rune(strings.ToLower(pattern)), []rune(strings.ToLower(s))
	star, from := -1, 0 // the last "*", and where the text behind what it stands for begins
	i, k := 0, 0
	for k < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, k
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[k]):
			i++
			k++
		case star >= 0: // it stands for one character more
			from++
			i, k = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
